/** A predictor as bytes; see store/weights/weights_pack.h. */
#include "store/weights/weights_pack.h"

#include "engram/memory.h"

#include <string.h>

static void pack_numbers(eg_writer *writer, size_t count, const double *values)
{
    eg_write_u64(writer, count);
    eg_write_bytes(writer, values, count * sizeof *values);
}

void eg_weights_file_pack(const eg_predictor *p, eg_writer *writer)
{
    const uint64_t whole[] = {p->seed,     p->is_trial ? 1 : 0, p->trial_id, p->data,   p->step,
                              p->channels, p->height,           p->width,    p->outputs};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        eg_write_u64(writer, whole[i]);
    }
    eg_write_u8(writer, p->settings != NULL ? 1 : 0);
    eg_write_text(writer, p->settings != NULL ? p->settings : "");
    eg_write_u8(writer, p->byte_value != NULL ? 1 : 0);
    if (p->byte_value != NULL) {
        pack_numbers(writer, p->channels * 256, p->byte_value);
    }
    eg_write_u64(writer, p->ordered_tasks);
    eg_write_bytes(writer, p->pixel_order,
                   p->ordered_tasks * p->height * p->width * sizeof *p->pixel_order);
    eg_write_u64(writer, p->weights.count);
    for (size_t i = 0; i < p->weights.count; i++) {
        const eg_weights_array *array = &p->weights.arrays[i];
        eg_write_text(writer, array->name);
        eg_write_text(writer, array->role);
        eg_write_u8(writer, array->wide ? 1 : 0);
        eg_write_u64(writer, array->rank);
        for (size_t k = 0; k < array->rank; k++) {
            eg_write_u64(writer, array->extent[k]);
        }
        pack_numbers(writer, array->count, array->values);
    }
}

/** `wanted` numbers into values, which has room for them. */
static eg_status unpack_numbers(eg_reader *reader, size_t wanted, double *values)
{
    size_t count = eg_read_u64(reader);
    const void *bytes = count == wanted ? eg_read_bytes(reader, count * sizeof *values) : NULL;
    if (bytes == NULL) {
        return eg_fail(EG_INVALID, "damaged: the numbers of an array are missing");
    }
    memcpy(values, bytes, count * sizeof *values);
    return eg_ok();
}

static eg_status unpack_array(eg_weights *weights, eg_reader *reader)
{
    char *name = NULL;
    char *role = NULL;
    size_t extent[EG_WEIGHTS_RANK_MAX] = {0};
    eg_weights_array *array = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_read_text(reader, &name));
    EG_TRY_DONE(status, eg_read_text(reader, &role));
    bool wide = eg_read_u8(reader) != 0;
    size_t rank = eg_read_u64(reader);
    for (size_t k = 0; k < rank && k < EG_WEIGHTS_RANK_MAX; k++) {
        extent[k] = eg_read_u64(reader);
    }
    EG_TRY_DONE(status, eg_reader_status(reader, false));
    EG_TRY_DONE(status, eg_weights_add(weights, &array, name, role, wide, rank, extent));
    status = unpack_numbers(reader, array->count, array->values);
done:
    eg_free(name);
    eg_free(role);
    return status;
}

static eg_status unpack_order(eg_predictor *out, eg_reader *reader)
{
    size_t tasks = eg_read_u64(reader);
    size_t row = out->height * out->width * sizeof *out->pixel_order;
    if (tasks == 0 || reader->failed) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&out->pixel_order, tasks, row));
    const void *bytes = eg_read_bytes(reader, tasks * row);
    if (bytes == NULL) {
        return eg_fail(EG_INVALID, "damaged: the order of pixels is missing");
    }
    memcpy(out->pixel_order, bytes, tasks * row);
    out->ordered_tasks = tasks;
    return eg_ok();
}

static eg_status unpack(eg_predictor *out, eg_reader *reader)
{
    out->seed = eg_read_u64(reader);
    out->is_trial = eg_read_u64(reader) != 0;
    out->trial_id = eg_read_u64(reader);
    out->data = eg_read_u64(reader);
    out->step = eg_read_u64(reader);
    out->channels = eg_read_u64(reader);
    out->height = eg_read_u64(reader);
    out->width = eg_read_u64(reader);
    out->outputs = eg_read_u64(reader);
    bool has_settings = eg_read_u8(reader) != 0;
    EG_TRY(eg_read_text(reader, &out->settings));
    if (!has_settings) {
        eg_free(out->settings);
        out->settings = NULL;
    }
    if (eg_read_u8(reader) != 0) {
        EG_TRY(eg_alloc(&out->byte_value, out->channels, 256 * sizeof *out->byte_value));
        EG_TRY(unpack_numbers(reader, out->channels * 256, out->byte_value));
    }
    EG_TRY(unpack_order(out, reader));
    size_t arrays = eg_read_u64(reader);
    for (size_t i = 0; i < arrays && !reader->failed; i++) {
        EG_TRY(unpack_array(&out->weights, reader));
    }
    return eg_reader_status(reader, true);
}

eg_status eg_weights_file_unpack(eg_predictor *out, eg_reader *reader)
{
    eg_status status = unpack(out, reader);
    if (status.code != EG_OK) {
        eg_predictor_clear(out);
    }
    return status;
}
