/** Reading plans from the journal; layout in store/journal/journal_entries.h. */
#include "store/journal/journal_entries.h"

#include "engram/memory.h"

#include <string.h>

/* Of a trial there are some dozens; more are not believed. */
enum { VARIABLES_MAX = 1000 };

void eg_journal_plan_clear(eg_journal_plan *image)
{
    for (size_t i = 0; i < image->column_count; i++) {
        eg_free(image->columns[i].text);
    }
    eg_free(image->columns);
    eg_free(image->trials);
    eg_free(image->variables);
    *image = (eg_journal_plan){0};
}

/** Allocates `count` items that need at least `bytes` each in what is left, so that a damaged count
 * is refused instead of believed. */
static eg_status reserve(void *out, const eg_reader *reader, uint64_t count, size_t bytes,
                         size_t size)
{
    if (reader->failed || count > (reader->size - reader->at) / bytes) {
        return eg_fail(EG_INVALID, "damaged count %llu at byte %zu", (unsigned long long)count,
                       reader->at);
    }
    return eg_alloc(out, (size_t)count, size);
}

static eg_status read_codes(eg_column *column, char *const *texts, uint32_t distinct, size_t points,
                            eg_reader *reader)
{
    uint8_t mode = eg_read_u8(reader);
    bool good = !reader->failed && mode <= EG_COLUMN_PER_POINT &&
                (mode != EG_COLUMN_CONSTANT || distinct > 0);
    if (good && mode == EG_COLUMN_PER_POINT) {
        good = points <= (reader->size - reader->at) / EG_COLUMN_CODE_SIZE;
    }
    if (!good) {
        return eg_fail(EG_INVALID, "damaged column '%s'", column->name);
    }
    EG_TRY(eg_alloc(&column->text, points, sizeof *column->text));
    for (size_t p = 0; p < points; p++) {
        uint32_t code = mode == EG_COLUMN_CONSTANT ? 1 : eg_read_u32(reader);
        if (code > distinct) {
            return eg_fail(EG_INVALID, "damaged column '%s'", column->name);
        }
        column->text[p] = code == 0 ? NULL : texts[code - 1];
    }
    return eg_ok();
}

static eg_status read_column(eg_column *column, size_t points, eg_string_pool *pool,
                             eg_reader *reader)
{
    EG_TRY(eg_string_pool_read(pool, &column->name, reader));
    column->type = eg_read_u8(reader);
    EG_TRY(eg_string_pool_read(pool, &column->unit, reader));
    EG_TRY(eg_string_pool_read(pool, &column->doc, reader));
    column->swept = eg_read_u8(reader) != 0;
    uint32_t distinct = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (column->type > EG_TYPE_LAST) {
        return eg_fail(EG_INVALID, "column '%s' has the unknown type %u", column->name,
                       (unsigned)column->type);
    }
    char **texts = NULL;
    EG_TRY(reserve(&texts, reader, distinct, 4, sizeof *texts));
    eg_status status = eg_ok();
    for (uint32_t i = 0; i < distinct; i++) {
        EG_TRY_DONE(status, eg_string_pool_read(pool, &texts[i], reader));
    }
    EG_TRY_DONE(status, eg_reader_status(reader, false));
    status = read_codes(column, texts, distinct, points, reader);
done:
    eg_free(texts);
    return status;
}

static eg_status read_variable(eg_stored_variable *variable, eg_string_pool *pool,
                               eg_reader *reader)
{
    EG_TRY(eg_string_pool_read(pool, &variable->name, reader));
    variable->rank = eg_read_u8(reader);
    if (variable->rank > EG_RANK_MAX) {
        return eg_fail(EG_INVALID, "damaged variable: rank %zu", variable->rank);
    }
    for (size_t i = 0; i < variable->rank; i++) {
        EG_TRY(eg_string_pool_read(pool, &variable->dims[i], reader));
    }
    variable->wide = eg_read_u8(reader) != 0;
    variable->volatile_ = eg_read_u8(reader) != 0;
    EG_TRY(eg_string_pool_read(pool, &variable->unit, reader));
    EG_TRY(eg_string_pool_read(pool, &variable->doc, reader));
    return eg_reader_status(reader, false);
}

eg_status eg_trials_read(eg_plan_trial **out, size_t *count, eg_reader *reader)
{
    *count = 0;
    uint64_t promised = eg_read_u64(reader);
    EG_TRY(reserve(out, reader, promised, EG_TRIAL_SIZE, sizeof **out));
    *count = (size_t)promised;
    for (size_t i = 0; i < *count; i++) {
        eg_plan_trial *trial = &(*out)[i];
        trial->id = eg_read_u64(reader);
        trial->point = eg_read_u32(reader);
        trial->replicate = eg_read_u32(reader);
        trial->seed = eg_read_u64(reader);
    }
    return eg_reader_status(reader, true);
}

static eg_status read_variables(eg_journal_plan *out, eg_string_pool *pool, eg_reader *reader)
{
    uint32_t count = eg_read_u32(reader);
    if (count > VARIABLES_MAX) {
        return eg_fail(EG_INVALID, "damaged plan: %u variables", (unsigned)count);
    }
    EG_TRY(reserve(&out->variables, reader, count, 1, sizeof *out->variables));
    out->variable_count = count;
    for (size_t i = 0; i < count; i++) {
        EG_TRY(read_variable(&out->variables[i], pool, reader));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(out->variables[k].name, out->variables[i].name) == 0) {
                return eg_fail(EG_INVALID, "damaged plan: the variable '%s' is there twice",
                               out->variables[i].name);
            }
        }
    }
    return eg_ok();
}

static eg_status read_plan(eg_journal_plan *out, eg_string_pool *pool, eg_reader *reader)
{
    char **const texts[] = {&out->name, &out->doc, &out->text, &out->overrides, &out->objective};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        EG_TRY(eg_string_pool_read(pool, texts[i], reader));
    }
    out->maximise = eg_read_u8(reader) != 0;
    out->point_count = eg_read_u32(reader);
    uint32_t columns = eg_read_u32(reader);
    /* Points are distinct, so that some column says something of each: a count without the bytes
     * for that is not believed. */
    bool believable = out->point_count <= 1 ||
                      out->point_count <= (reader->size - reader->at) / EG_COLUMN_CODE_SIZE;
    if (reader->failed || !believable) {
        return eg_fail(EG_INVALID, "damaged plan: %zu points in %zu bytes", out->point_count,
                       reader->size);
    }
    EG_TRY(reserve(&out->columns, reader, columns, 1, sizeof *out->columns));
    out->column_count = columns;
    for (size_t i = 0; i < columns; i++) {
        EG_TRY(read_column(&out->columns[i], out->point_count, pool, reader));
    }
    EG_TRY(read_variables(out, pool, reader));
    EG_TRY(eg_trials_read(&out->trials, &out->trial_count, reader));
    for (size_t i = 0; i < out->trial_count; i++) {
        if (out->trials[i].point >= out->point_count) {
            return eg_fail(EG_INVALID, "damaged plan: trial %zu is of point %u of %zu", i,
                           (unsigned)out->trials[i].point, out->point_count);
        }
    }
    return eg_ok();
}

eg_status eg_journal_plan_read(eg_journal_plan *out, eg_string_pool *pool, eg_reader *reader)
{
    *out = (eg_journal_plan){0};
    eg_status status = read_plan(out, pool, reader);
    if (status.code != EG_OK) {
        eg_journal_plan_clear(out);
    }
    return status;
}
