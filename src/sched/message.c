/** Binary form of messages: CRC-32C of the rest, protocol version, kind, body. */
#include "sched/message.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { CHECKSUM_SIZE = 4, ATTEMPT_SIZE = 12 };

void eg_message_set_checksum(unsigned char *data, size_t size)
{
    assert(size >= CHECKSUM_SIZE);
    uint32_t sum = eg_crc32c(0, data + CHECKSUM_SIZE, size - CHECKSUM_SIZE);
    for (size_t i = 0; i < CHECKSUM_SIZE; i++) {
        data[i] = (unsigned char)(sum >> (8 * i));
    }
}

static void write_attempt(eg_writer *writer, const eg_attempt *attempt)
{
    eg_write_u64(writer, attempt->trial);
    eg_write_u32(writer, attempt->number);
}

static void write_result(eg_writer *writer, const eg_work_result *result)
{
    write_attempt(writer, &result->attempt);
    eg_write_f64(writer, result->attempt.start_time);
    eg_write_f64(writer, result->attempt.wall_seconds);
    eg_write_u8(writer, (uint8_t)result->status);
    eg_write_text(writer, result->message);
    if (result->status != EG_TRIAL_FAILED) {
        eg_record_write(result->record, writer);
    }
}

static void write_body(eg_writer *writer, const eg_message *message)
{
    switch (message->kind) {
    case EG_MESSAGE_READY:
        eg_write_text(writer, message->as.ready.host);
        eg_write_u64(writer, message->as.ready.pid);
        break;
    case EG_MESSAGE_PROGRESS:
        eg_write_u8(writer, message->as.progress.working ? 1 : 0);
        write_attempt(writer, &message->as.progress.attempt);
        eg_write_u64(writer, message->as.progress.step);
        eg_write_u64(writer, message->as.progress.steps);
        break;
    case EG_MESSAGE_RESULT:
        write_result(writer, &message->as.result);
        break;
    case EG_MESSAGE_INTERRUPTED:
        write_attempt(writer, &message->as.interrupted);
        break;
    case EG_MESSAGE_ACK:
        eg_write_u32(writer, (uint32_t)message->as.ack.count);
        for (size_t i = 0; i < message->as.ack.count; i++) {
            write_attempt(writer, &message->as.ack.attempts[i]);
        }
        break;
    case EG_MESSAGE_SIGNALLED:
        eg_write_u32(writer, message->as.signal);
        break;
    case EG_MESSAGE_BYE:
    case EG_MESSAGE_REFUSED:
        eg_write_text(writer, message->as.reason);
        break;
    case EG_MESSAGE_WORK:
        write_attempt(writer, &message->as.work.attempt);
        eg_write_u64(writer, message->as.work.seed);
        eg_write_text(writer, message->as.work.settings);
        eg_write_text(writer, message->as.work.objective);
        eg_write_text(writer,
                      message->as.work.checkpoint == NULL ? "" : message->as.work.checkpoint);
        eg_write_text(writer, message->as.work.weights == NULL ? "" : message->as.work.weights);
        eg_write_text(writer, message->as.work.plugins == NULL ? "" : message->as.work.plugins);
        eg_write_f64(writer, message->as.work.checkpoint_every);
        eg_write_u64(writer, message->as.work.from);
        eg_write_u64(writer, message->as.work.until);
        eg_write_u64(writer, message->as.work.data);
        break;
    case EG_MESSAGE_NOTE:
        write_attempt(writer, &message->as.note.attempt);
        eg_write_u8(writer, message->as.note.warning ? 1 : 0);
        eg_write_text(writer, message->as.note.text);
        break;
    case EG_MESSAGE_HEARTBEAT:
        eg_write_f64(writer, message->as.heartbeat.heartbeat_seconds);
        eg_write_f64(writer, message->as.heartbeat.silence_seconds);
        break;
    case EG_MESSAGE_STOP:
    case EG_MESSAGE_SHUTDOWN:
    case EG_MESSAGE_RESET:
        break;
    }
}

eg_status eg_message_encode(const eg_message *message, eg_writer *writer)
{
    eg_writer_reset(writer);
    eg_write_u32(writer, 0);
    eg_write_u8(writer, EG_PROTOCOL_VERSION);
    eg_write_u8(writer, (uint8_t)message->kind);
    write_body(writer, message);
    EG_TRY(eg_writer_status(writer));
    eg_message_set_checksum(writer->data, writer->size);
    return eg_ok();
}

static eg_attempt read_attempt(eg_reader *reader)
{
    eg_attempt attempt = {.trial = eg_read_u64(reader)};
    attempt.number = eg_read_u32(reader);
    return attempt;
}

static eg_status read_result(eg_message *out, eg_reader *reader)
{
    eg_work_result *result = &out->as.result;
    result->attempt = read_attempt(reader);
    result->attempt.start_time = eg_read_f64(reader);
    result->attempt.wall_seconds = eg_read_f64(reader);
    uint8_t status = eg_read_u8(reader);
    EG_TRY(eg_read_text(reader, &out->text[0]));
    EG_TRY(eg_reader_status(reader, false));
    if (!eg_trial_status_is_finished(status) && status != EG_TRIAL_PAUSED) {
        return eg_fail(EG_INVALID, "a result cannot have status %u", status);
    }
    result->status = (eg_trial_status)status;
    result->message = out->text[0];
    if (result->status != EG_TRIAL_FAILED) {
        EG_TRY(eg_record_read(&out->record, reader));
        result->record = out->record;
    }
    return eg_ok();
}

static eg_status read_work(eg_message *out, eg_reader *reader)
{
    out->as.work.attempt = read_attempt(reader);
    out->as.work.seed = eg_read_u64(reader);
    EG_TRY(eg_read_text(reader, &out->text[0]));
    EG_TRY(eg_read_text(reader, &out->text[1]));
    EG_TRY(eg_read_text(reader, &out->text[2]));
    EG_TRY(eg_read_text(reader, &out->text[3]));
    EG_TRY(eg_read_text(reader, &out->text[4]));
    out->as.work.settings = out->text[0];
    out->as.work.objective = out->text[1];
    out->as.work.checkpoint = out->text[2];
    out->as.work.weights = out->text[3];
    out->as.work.plugins = out->text[4];
    out->as.work.checkpoint_every = eg_read_f64(reader);
    out->as.work.from = eg_read_u64(reader);
    out->as.work.until = eg_read_u64(reader);
    out->as.work.data = eg_read_u64(reader);
    return eg_ok();
}

static eg_status read_ack(eg_message *out, eg_reader *reader)
{
    size_t count = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    size_t left = reader->size - reader->at;
    if (count > left / ATTEMPT_SIZE) {
        return eg_fail(EG_INVALID, "%zu attempts do not fit into %zu bytes", count, left);
    }
    EG_TRY(eg_alloc(&out->attempts, count, sizeof *out->attempts));
    for (size_t i = 0; i < count; i++) {
        out->attempts[i] = read_attempt(reader);
    }
    out->as.ack.attempts = out->attempts;
    out->as.ack.count = count;
    return eg_ok();
}

static eg_status read_flag(bool *out, eg_reader *reader)
{
    uint8_t flag = eg_read_u8(reader);
    *out = flag == 1;
    return flag > 1 ? eg_fail(EG_INVALID, "%u is neither yes nor no", flag) : eg_ok();
}

static eg_status read_note(eg_message *out, eg_reader *reader)
{
    out->as.note.attempt = read_attempt(reader);
    EG_TRY(read_flag(&out->as.note.warning, reader));
    EG_TRY(eg_read_text(reader, &out->text[0]));
    out->as.note.text = out->text[0];
    return eg_ok();
}

static eg_status read_heartbeat(eg_message *out, eg_reader *reader)
{
    double heartbeat = eg_read_f64(reader);
    double silence = eg_read_f64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (!(heartbeat > 0 && isfinite(heartbeat) && silence > 0 && isfinite(silence))) {
        return eg_fail(EG_INVALID, "no time limits: a heartbeat of %g s, a silence of %g s",
                       heartbeat, silence);
    }
    out->as.heartbeat.heartbeat_seconds = heartbeat;
    out->as.heartbeat.silence_seconds = silence;
    return eg_ok();
}

static eg_status read_progress(eg_message *out, eg_reader *reader)
{
    EG_TRY(read_flag(&out->as.progress.working, reader));
    out->as.progress.attempt = read_attempt(reader);
    out->as.progress.step = eg_read_u64(reader);
    out->as.progress.steps = eg_read_u64(reader);
    return eg_ok();
}

static eg_status read_body(eg_message *out, eg_reader *reader)
{
    switch (out->kind) {
    case EG_MESSAGE_READY:
        EG_TRY(eg_read_text(reader, &out->text[0]));
        out->as.ready.host = out->text[0];
        out->as.ready.pid = eg_read_u64(reader);
        return eg_ok();
    case EG_MESSAGE_PROGRESS:
        return read_progress(out, reader);
    case EG_MESSAGE_RESULT:
        return read_result(out, reader);
    case EG_MESSAGE_INTERRUPTED:
        out->as.interrupted = read_attempt(reader);
        return eg_ok();
    case EG_MESSAGE_ACK:
        return read_ack(out, reader);
    case EG_MESSAGE_SIGNALLED:
        out->as.signal = eg_read_u32(reader);
        return eg_ok();
    case EG_MESSAGE_BYE:
    case EG_MESSAGE_REFUSED:
        EG_TRY(eg_read_text(reader, &out->text[0]));
        out->as.reason = out->text[0];
        return eg_ok();
    case EG_MESSAGE_WORK:
        return read_work(out, reader);
    case EG_MESSAGE_NOTE:
        return read_note(out, reader);
    case EG_MESSAGE_HEARTBEAT:
        return read_heartbeat(out, reader);
    case EG_MESSAGE_STOP:
    case EG_MESSAGE_SHUTDOWN:
    case EG_MESSAGE_RESET:
        return eg_ok();
    }
    return eg_fail(EG_INVALID, "unknown kind %d of message", (int)out->kind);
}

static eg_status decode(eg_message *out, const void *data, size_t size)
{
    eg_reader reader = eg_reader_make(data, size);
    uint32_t sum = eg_read_u32(&reader);
    EG_TRY(eg_reader_status(&reader, false));
    const unsigned char *bytes = data;
    if (eg_crc32c(0, bytes + CHECKSUM_SIZE, size - CHECKSUM_SIZE) != sum) {
        return eg_fail(EG_INVALID, "wrong checksum over %zu bytes", size);
    }
    uint8_t version = eg_read_u8(&reader);
    uint8_t kind = eg_read_u8(&reader);
    EG_TRY(eg_reader_status(&reader, false));
    if (version != EG_PROTOCOL_VERSION) {
        return eg_fail(EG_INVALID, "protocol version %u, expected %d", version,
                       (int)EG_PROTOCOL_VERSION);
    }
    out->kind = (eg_message_kind)kind;
    EG_TRY(read_body(out, &reader));
    return eg_reader_status(&reader, true);
}

eg_status eg_message_decode(eg_message *out, const void *data, size_t size)
{
    memset(out, 0, sizeof *out);
    eg_status status = decode(out, data, size);
    if (status.code != EG_OK) {
        eg_message_clear(out);
    }
    return eg_status_wrap(status, "damaged message");
}

void eg_message_clear(eg_message *message)
{
    eg_record_free(message->record);
    eg_free(message->attempts);
    for (size_t i = 0; i < sizeof message->text / sizeof message->text[0]; i++) {
        eg_free(message->text[i]);
    }
    memset(message, 0, sizeof *message);
}
