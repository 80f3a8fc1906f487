/** Writing and reading the state of a trial between two minibatches; see trial/checkpoint.h. */
#include "trial/checkpoint.h"

#include "engram/blas.h"
#include "engram/memory.h"

#include <assert.h>
#include <string.h>

enum { FORMAT = 5, CHECKSUM_SIZE = EG_CHECKPOINT_CHECKSUM };

void eg_checkpoint_seal(unsigned char *data, size_t size)
{
    assert(size >= CHECKSUM_SIZE);
    uint32_t sum = eg_crc32c(0, data, size - CHECKSUM_SIZE);
    for (size_t i = 0; i < CHECKSUM_SIZE; i++) {
        data[size - CHECKSUM_SIZE + i] = (unsigned char)(sum >> (8 * i));
    }
}

static void write_identity(const eg_trial_state *state, eg_writer *writer)
{
    eg_write_u64(writer, state->id);
    eg_write_u32(writer, EG_RESULT_VERSION);
    eg_write_text(writer, __VERSION__);
    eg_write_text(writer, eg_blas_core());
    eg_write_text(writer, eg_blas_config());
    eg_write_u64(writer, state->data);
}

static void write_record(const eg_record *record, eg_writer *writer)
{
    eg_write_u32(writer, (uint32_t)eg_record_count(record));
    for (size_t i = 0; i < eg_record_count(record); i++) {
        const eg_array *array = eg_record_at(record, i);
        eg_write_text(writer, array->name);
        eg_write_u64(writer, array->count);
        for (size_t k = 0; k < array->count; k++) {
            eg_write_f64(writer, array->data[k]);
        }
    }
}

void eg_checkpoint_write(const eg_trial_state *state, eg_writer *writer)
{
    eg_writer_reset(writer);
    eg_write_bytes(writer, eg_checkpoint_magic, sizeof eg_checkpoint_magic);
    eg_write_u32(writer, FORMAT);
    write_identity(state, writer);
    eg_write_u64(writer, state->phase);
    eg_write_u64(writer, state->phase_step);
    for (size_t phase = 0; phase <= state->phase; phase++) {
        eg_write_u32(writer, state->epochs[phase]);
    }
    eg_write_u8(writer, (uint8_t)state->pending);
    eg_write_u64(writer, state->examples_seen);
    eg_write_u64(writer, state->examples_evaluated);
    eg_write_f64(writer, state->train_seconds);
    eg_write_f64(writer, state->evaluation_seconds);
    for (size_t i = 0; i < EG_WINDOW; i++) {
        eg_write_f64(writer, state->losses.value[i]);
    }
    eg_write_f64(writer, state->progress.accuracy);
    write_record(state->record, writer);
    eg_measures_write(&state->measures, writer);
    state->learner->ops->write(state->learner, writer);
    eg_write_u32(writer, writer->failed ? 0 : eg_writer_crc32c(writer));
}

static eg_status check_frame(const unsigned char *data, size_t size, eg_reader *reader)
{
    *reader = eg_reader_make(data, size);
    const void *start = eg_read_bytes(reader, sizeof eg_checkpoint_magic);
    uint32_t format = eg_read_u32(reader);
    if (reader->failed || size - reader->at < CHECKSUM_SIZE ||
        memcmp(start, eg_checkpoint_magic, sizeof eg_checkpoint_magic) != 0) {
        return eg_fail(EG_INVALID, "these %zu bytes are not a checkpoint", size);
    }
    eg_reader end = eg_reader_make(data + size - CHECKSUM_SIZE, CHECKSUM_SIZE);
    if (eg_crc32c(0, data, size - CHECKSUM_SIZE) != eg_read_u32(&end)) {
        return eg_fail(EG_INVALID, "wrong checksum over %zu bytes", size);
    }
    if (format != FORMAT) {
        return eg_fail(EG_INVALID, "format %lu, expected %d", (unsigned long)format, (int)FORMAT);
    }
    reader->size -= CHECKSUM_SIZE;
    return eg_ok();
}

/** Reads a text that must be `expected`; `what` says of what. */
static eg_status expect_text(eg_reader *reader, const char *what, const char *expected)
{
    char *text = NULL;
    EG_TRY(eg_read_text(reader, &text));
    eg_status status = eg_reader_status(reader, false);
    if (text != NULL && strcmp(text, expected) != 0) {
        status = eg_fail(EG_INVALID, "made with %s \"%s\", this is \"%s\"", what, text, expected);
    }
    eg_free(text);
    return status;
}

static eg_status read_identity(const eg_trial_state *state, eg_reader *reader)
{
    uint64_t id = eg_read_u64(reader);
    uint32_t version = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (id != state->id) {
        return eg_fail(EG_INVALID, "of trial %016llx, this is trial %016llx",
                       (unsigned long long)id, (unsigned long long)state->id);
    }
    if (version != EG_RESULT_VERSION) {
        return eg_fail(EG_INVALID, "made with result version %lu, this is %d",
                       (unsigned long)version, EG_RESULT_VERSION);
    }
    EG_TRY(expect_text(reader, "compiler", __VERSION__));
    EG_TRY(expect_text(reader, "BLAS kernel", eg_blas_core()));
    EG_TRY(expect_text(reader, "BLAS build", eg_blas_config()));
    uint64_t data = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (data != state->data) {
        return eg_fail(EG_INVALID, "made with other data (checksum %016llx, these have %016llx)",
                       (unsigned long long)data, (unsigned long long)state->data);
    }
    return eg_ok();
}

static eg_status read_position(eg_trial_state *state, eg_reader *reader)
{
    uint64_t phase = eg_read_u64(reader);
    uint64_t phase_step = eg_read_u64(reader);
    if (phase >= state->stream->shape.phases) {
        return eg_fail(EG_INVALID, "phase %llu does not exist", (unsigned long long)phase);
    }
    for (size_t p = 0; p <= phase; p++) {
        state->epochs[p] = eg_read_u32(reader);
    }
    uint8_t pending = eg_read_u8(reader);
    state->examples_seen = (size_t)eg_read_u64(reader);
    state->examples_evaluated = (size_t)eg_read_u64(reader);
    state->train_seconds = eg_read_f64(reader);
    state->evaluation_seconds = eg_read_f64(reader);
    for (size_t i = 0; i < EG_WINDOW; i++) {
        state->losses.value[i] = eg_read_f64(reader);
    }
    EG_TRY(eg_reader_status(reader, false));
    EG_TRY(eg_trial_seek(state, phase, phase_step, pending));
    state->losses.seen = state->step;
    state->evaluator.examples = state->examples_evaluated;
    return eg_ok();
}

/** The arrays are those just declared; only their values come from the checkpoint. */
static eg_status read_record(const eg_record *record, eg_reader *reader)
{
    uint32_t arrays = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (arrays != eg_record_count(record)) {
        return eg_fail(EG_INVALID, "%lu curves, expected %zu", (unsigned long)arrays,
                       eg_record_count(record));
    }
    for (size_t i = 0; i < arrays; i++) {
        const eg_array *array = eg_record_at(record, i);
        EG_TRY(expect_text(reader, "curve", array->name));
        uint64_t count = eg_read_u64(reader);
        EG_TRY(eg_reader_status(reader, false));
        if (count != array->count) {
            return eg_fail(EG_INVALID, "curve %s has %llu values, expected %zu", array->name,
                           (unsigned long long)count, array->count);
        }
        for (size_t k = 0; k < array->count; k++) {
            array->data[k] = eg_read_f64(reader);
        }
    }
    return eg_reader_status(reader, false);
}

eg_status eg_checkpoint_read(eg_trial_state *state, const void *data, size_t size)
{
    eg_reader reader;
    EG_TRY(check_frame(data, size, &reader));
    EG_TRY(read_identity(state, &reader));
    EG_TRY(read_position(state, &reader));
    state->progress.accuracy = eg_read_f64(&reader);
    EG_TRY(read_record(state->record, &reader));
    EG_TRY(eg_measures_read(&state->measures, &reader));
    EG_TRY(state->learner->ops->read(state->learner, &reader));
    EG_TRY(eg_reader_status(&reader, true));
    return eg_ok();
}
