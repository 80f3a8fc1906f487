/** What a trial leaves behind, in memory and in binary form; see engram/record.h. */
#include "engram/record.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { MESSAGE_MAX = EG_MESSAGE_SIZE, ARRAYS_MAX = 256 };

struct eg_record {
    eg_trial_status status;
    char message[MESSAGE_MAX];
    eg_array *arrays[ARRAYS_MAX]; /* one block each, so that borrowed pointers stay valid */
    size_t count;
};

const char *eg_trial_status_name(eg_trial_status status)
{
    static const char *const names[EG_TRIAL_STATUS_COUNT] = {
        [EG_TRIAL_PENDING] = "pending", [EG_TRIAL_RUNNING] = "running",
        [EG_TRIAL_DONE] = "done",       [EG_TRIAL_DIVERGED] = "diverged",
        [EG_TRIAL_FAILED] = "failed",   [EG_TRIAL_TIMEOUT] = "timeout",
        [EG_TRIAL_SKIPPED] = "skipped", [EG_TRIAL_PAUSED] = "paused",
        [EG_TRIAL_STOPPED] = "stopped",
    };
    size_t index = (size_t)status;
    return index < EG_TRIAL_STATUS_COUNT ? names[index] : NULL;
}

bool eg_trial_status_is_open(eg_trial_status status)
{
    return status == EG_TRIAL_PENDING || status == EG_TRIAL_RUNNING || status == EG_TRIAL_PAUSED;
}

bool eg_trial_status_is_final(eg_trial_status status)
{
    return !eg_trial_status_is_open(status);
}

bool eg_trial_status_is_finished(eg_trial_status status)
{
    return eg_trial_status_is_result(status) || eg_trial_status_is_failure(status);
}

bool eg_trial_status_is_failure(eg_trial_status status)
{
    return status == EG_TRIAL_FAILED || status == EG_TRIAL_TIMEOUT;
}

bool eg_trial_status_is_cut(eg_trial_status status)
{
    return status == EG_TRIAL_SKIPPED || status == EG_TRIAL_STOPPED;
}

bool eg_trial_status_is_result(eg_trial_status status)
{
    return status == EG_TRIAL_DONE || status == EG_TRIAL_DIVERGED;
}

bool eg_trial_status_has_record(eg_trial_status status)
{
    return eg_trial_status_is_result(status) || status == EG_TRIAL_TIMEOUT ||
           status == EG_TRIAL_PAUSED || status == EG_TRIAL_STOPPED;
}

size_t eg_variable_rank(const eg_variable *variable)
{
    size_t rank = 0;
    while (rank < EG_RANK_MAX && variable->dims[rank] != NULL) {
        rank++;
    }
    return rank;
}

eg_status eg_record_create(eg_record **out)
{
    return eg_alloc(out, 1, sizeof **out);
}

void eg_record_free(eg_record *record)
{
    if (record == NULL) {
        return;
    }
    for (size_t i = 0; i < record->count; i++) {
        eg_free(record->arrays[i]->data);
        eg_free(record->arrays[i]);
    }
    eg_free(record);
}

void eg_record_set_status(eg_record *record, eg_trial_status status, const char *message)
{
    record->status = status;
    strncpy(record->message, message, sizeof record->message - 1);
    record->message[sizeof record->message - 1] = '\0';
}

eg_trial_status eg_record_status(const eg_record *record)
{
    return record->status;
}

const char *eg_record_message(const eg_record *record)
{
    return record->message;
}

static eg_status add_array(eg_record *record, const char *name, bool wide, size_t rank,
                           const size_t *extent, eg_array **out)
{
    if (record->count == ARRAYS_MAX) {
        return eg_fail(EG_INTERNAL, "a record holds at most %d arrays", (int)ARRAYS_MAX);
    }
    if (strlen(name) >= EG_VARIABLE_NAME_SIZE || eg_record_find(record, name) != NULL) {
        return eg_fail(EG_INTERNAL, "bad or repeated variable name '%s'", name);
    }
    eg_array *array = NULL;
    EG_TRY(eg_alloc(&array, 1, sizeof *array));
    strcpy(array->name, name);
    array->wide = wide;
    array->rank = rank;
    array->count = 1;
    for (size_t i = 0; i < rank; i++) {
        array->extent[i] = extent[i];
        if (extent[i] != 0 && array->count > SIZE_MAX / sizeof(double) / extent[i]) {
            eg_free(array);
            return eg_fail(EG_MEMORY, "variable '%s' is too large for memory", name);
        }
        array->count *= extent[i];
    }
    eg_status status = eg_alloc(&array->data, array->count, sizeof(double));
    if (status.code != EG_OK) {
        eg_free(array);
        return status;
    }
    for (size_t i = 0; i < array->count; i++) {
        array->data[i] = (double)NAN;
    }
    record->arrays[record->count++] = array;
    *out = array;
    return eg_ok();
}

eg_status eg_record_declare(eg_record *record, const eg_variable *variable, const size_t *extent,
                            eg_array **out)
{
    return add_array(record, variable->name, variable->wide, eg_variable_rank(variable), extent,
                     out);
}

eg_status eg_record_scalar(eg_record *record, const eg_variable *variable, double value)
{
    assert(eg_variable_rank(variable) == 0);
    eg_array *array = NULL;
    EG_TRY(eg_record_declare(record, variable, NULL, &array));
    array->data[0] = value;
    return eg_ok();
}

const eg_array *eg_record_find(const eg_record *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->arrays[i]->name, name) == 0) {
            return record->arrays[i];
        }
    }
    return NULL;
}

size_t eg_record_count(const eg_record *record)
{
    return record->count;
}

const eg_array *eg_record_at(const eg_record *record, size_t index)
{
    return record->arrays[index];
}

static double as_stored(const eg_array *array, size_t i)
{
    return array->wide ? array->data[i] : (double)(float)array->data[i];
}

size_t eg_array_difference(const eg_array *a, const eg_array *b)
{
    bool same_shape = b != NULL && a->rank == b->rank && a->wide == b->wide;
    for (size_t k = 0; same_shape && k < a->rank; k++) {
        same_shape = a->extent[k] == b->extent[k];
    }
    for (size_t i = 0; same_shape && i < a->count; i++) {
        double x = as_stored(a, i);
        double y = as_stored(b, i);
        if (!(x == y || (isnan(x) && isnan(y)))) {
            return i;
        }
    }
    return same_shape ? SIZE_MAX : 0;
}

double eg_record_value(const eg_record *record, const char *name)
{
    const eg_array *array = eg_record_find(record, name);
    return array != NULL && array->rank == 0 ? array->data[0] : (double)NAN;
}

void eg_record_write(const eg_record *record, eg_writer *writer)
{
    eg_write_u8(writer, (uint8_t)record->status);
    eg_write_text(writer, record->message);
    eg_write_u32(writer, (uint32_t)record->count);
    for (size_t i = 0; i < record->count; i++) {
        const eg_array *array = record->arrays[i];
        eg_write_text(writer, array->name);
        eg_write_u8(writer, array->wide ? 1 : 0);
        eg_write_u8(writer, (uint8_t)array->rank);
        for (size_t k = 0; k < array->rank; k++) {
            eg_write_u64(writer, array->extent[k]);
        }
        for (size_t k = 0; k < array->count; k++) {
            if (array->wide) {
                eg_write_f64(writer, array->data[k]);
            } else {
                float narrow = (float)array->data[k];
                uint32_t bits;
                memcpy(&bits, &narrow, sizeof bits);
                eg_write_u32(writer, bits);
            }
        }
    }
}

static eg_status read_values(eg_reader *reader, eg_array *array)
{
    for (size_t k = 0; k < array->count; k++) {
        if (array->wide) {
            array->data[k] = eg_read_f64(reader);
        } else {
            uint32_t bits = eg_read_u32(reader);
            float narrow;
            memcpy(&narrow, &bits, sizeof narrow);
            array->data[k] = (double)narrow;
        }
    }
    return eg_reader_status(reader, false);
}

static eg_status read_array(eg_record *record, eg_reader *reader)
{
    char *name = NULL;
    EG_TRY(eg_read_text(reader, &name));
    bool wide = eg_read_u8(reader) != 0;
    size_t rank = eg_read_u8(reader);
    size_t extent[EG_RANK_MAX] = {0};
    /* Extents are believed only if the bytes they promise are there. */
    size_t left = (reader->size - reader->at) / (wide ? 8 : 4);
    size_t count = 1;
    eg_status status = eg_ok();
    for (size_t i = 0; i < rank && rank <= EG_RANK_MAX; i++) {
        uint64_t value = eg_read_u64(reader);
        if (value != 0 && count > left / value) {
            reader->failed = true;
            break;
        }
        extent[i] = (size_t)value;
        count *= extent[i];
    }
    if (reader->failed || rank > EG_RANK_MAX || name == NULL ||
        strlen(name) >= EG_VARIABLE_NAME_SIZE || eg_record_find(record, name) != NULL) {
        status = eg_fail(EG_INVALID, "damaged record at byte %zu of %zu", reader->at, reader->size);
    } else {
        eg_array *array = NULL;
        status = add_array(record, name, wide, rank, extent, &array);
        if (array != NULL) {
            status = read_values(reader, array);
        }
    }
    eg_free(name);
    return status;
}

eg_status eg_record_read(eg_record **out, eg_reader *reader)
{
    *out = NULL;
    eg_record *record = NULL;
    char *message = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_record_create(&record));
    uint8_t code = eg_read_u8(reader);
    EG_TRY_DONE(status, eg_read_text(reader, &message));
    size_t count = eg_read_u32(reader);
    EG_TRY_DONE(status, eg_reader_status(reader, false));
    if (eg_trial_status_name((eg_trial_status)code) == NULL || count > ARRAYS_MAX) {
        status = eg_fail(EG_INVALID, "damaged record: status %u, %zu arrays", code, count);
        goto done;
    }
    eg_record_set_status(record, (eg_trial_status)code, message);
    for (size_t i = 0; i < count; i++) {
        EG_TRY_DONE(status, read_array(record, reader));
    }
    *out = record;
    record = NULL;
done:
    eg_free(message);
    eg_record_free(record);
    return status;
}

/** --- Without the values ---------------------------------------------------------------------- */

/** The text's bytes, or NULL (and the reader failed) if it is not shorter than `most`. */
static const char *skim_text(eg_reader *reader, size_t most, size_t *size)
{
    *size = eg_read_u32(reader);
    const char *text = *size < most ? eg_read_bytes(reader, *size) : NULL;
    reader->failed = reader->failed || text == NULL;
    return reader->failed ? NULL : text;
}

static bool skim_extents(eg_reader *reader, eg_array_outline *array, size_t *bytes)
{
    size_t width = array->wide ? 8 : 4;
    size_t left = (reader->size - reader->at) / width;
    size_t count = 1;
    for (size_t i = 0; i < array->rank; i++) {
        uint64_t value = eg_read_u64(reader);
        if (value != 0 && count > left / value) {
            return false;
        }
        array->extent[i] = (size_t)value;
        count *= (size_t)value;
    }
    *bytes = count * width;
    return !reader->failed;
}

static bool skim_array(eg_reader *reader, eg_array_outline *array)
{
    size_t length = 0;
    size_t bytes = 0;
    const char *name = skim_text(reader, sizeof array->name, &length);
    *array = (eg_array_outline){.first = (double)NAN};
    if (name == NULL) {
        return false;
    }
    memcpy(array->name, name, length);
    array->wide = eg_read_u8(reader) != 0;
    array->rank = eg_read_u8(reader);
    if (array->rank > EG_RANK_MAX || !skim_extents(reader, array, &bytes)) {
        return false;
    }
    eg_reader values = *reader;
    if (bytes > 0 && array->wide) {
        array->first = eg_read_f64(&values);
    } else if (bytes > 0) {
        uint32_t bits = eg_read_u32(&values);
        float narrow;
        memcpy(&narrow, &bits, sizeof narrow);
        array->first = (double)narrow;
    }
    (void)eg_read_bytes(reader, bytes);
    return !reader->failed;
}

eg_status eg_record_skim(eg_reader *reader,
                         eg_status (*visit)(void *user, const eg_array_outline *array), void *user)
{
    size_t length = 0;
    uint8_t code = eg_read_u8(reader);
    (void)skim_text(reader, SIZE_MAX, &length);
    size_t count = eg_read_u32(reader);
    if (reader->failed || eg_trial_status_name((eg_trial_status)code) == NULL ||
        count > ARRAYS_MAX) {
        return eg_fail(EG_INVALID, "damaged record: status %u, %zu arrays", code, count);
    }
    for (size_t i = 0; i < count; i++) {
        eg_array_outline array;
        if (!skim_array(reader, &array)) {
            return eg_fail(EG_INVALID, "damaged record at byte %zu of %zu", reader->at,
                           reader->size);
        }
        EG_TRY(visit(user, &array));
    }
    return eg_ok();
}
