/** Writing plans into the journal: settings become columns, each distinct value written once;
 *  layout in store/journal/journal_entries.h. */
#include "store/journal/journal_entries.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <string.h>

/** A setting's name, over all points. */
typedef struct heading {
    const char *name;
    const eg_param *param; /* of the first point that has it */
    eg_type type;          /* wide enough for every point */
} heading;

typedef struct headings {
    heading *items;
    size_t count, capacity;
    bool unused; /* some points have settings that their learner does not look at */
} headings;

eg_type eg_common_type(eg_type a, eg_type b)
{
    if (a == b) {
        return a;
    }
    bool numbers =
        (a == EG_TYPE_INT || a == EG_TYPE_REAL) && (b == EG_TYPE_INT || b == EG_TYPE_REAL);
    return numbers ? EG_TYPE_REAL : EG_TYPE_TEXT;
}

/** Where `name` is; the search starts at `hint` because points have nearly the same names. */
static size_t find_heading(const headings *all, const char *name, size_t hint)
{
    for (size_t i = 0; i < all->count; i++) {
        size_t at = (hint + i) % all->count;
        if (strcmp(all->items[at].name, name) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

/** Adds a point's names, each new one behind its predecessor, so that columns keep the schema's
 * order. */
static eg_status add_headings(headings *all, const eg_settings *settings)
{
    size_t at = 0;
    bool unused = !eg_trial_uses_all(settings);
    all->unused = all->unused || unused;
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (unused && !eg_trial_uses(settings, setting->name)) {
            continue;
        }
        size_t found = find_heading(all, setting->name, at);
        if (found == SIZE_MAX) {
            EG_TRY(eg_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items));
            memmove(all->items + at + 1, all->items + at, (all->count - at) * sizeof *all->items);
            all->items[at] = (heading){setting->name, setting->param, setting->param->type};
            all->count++;
            found = at;
        }
        all->items[found].type = eg_common_type(all->items[found].type, setting->param->type);
        at = found + 1;
    }
    return eg_ok();
}

static bool is_swept(const eg_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->swept_count; i++) {
        if (strcmp(plan->swept[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/** The texts of one column: `texts` collects the distinct ones, codes [points] refer to them. */
static eg_status code_column(const eg_plan *plan, const char *name, bool unused,
                             eg_string_pool *pool, eg_writer *texts, uint32_t *distinct,
                             uint32_t *codes)
{
    eg_index seen = {0};
    eg_status status = eg_ok();
    *distinct = 0;
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        codes[p] = 0;
        if (setting == NULL || (unused && !eg_trial_uses(plan->points[p].settings, name))) {
            continue;
        }
        char *text = NULL;
        EG_TRY_DONE(status, eg_string_pool_add(pool, &text, setting->value.text));
        size_t code = eg_index_get(&seen, (uint64_t)(uintptr_t)text);
        if (code == SIZE_MAX) {
            code = (*distinct)++;
            eg_write_text(texts, text);
            EG_TRY_DONE(status, eg_index_put(&seen, (uint64_t)(uintptr_t)text, code));
        }
        codes[p] = (uint32_t)code + 1;
    }
done:
    eg_index_clear(&seen);
    return status;
}

static bool all_one(const uint32_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] != 1) {
            return false;
        }
    }
    return true;
}

void eg_codes_write(const uint32_t *codes, size_t points, eg_writer *writer)
{
    bool constant = all_one(codes, points);
    eg_write_u8(writer, constant ? EG_COLUMN_CONSTANT : EG_COLUMN_PER_POINT);
    for (size_t p = 0; p < points && !constant; p++) {
        eg_write_u32(writer, codes[p]);
    }
}

static eg_status write_columns(const eg_plan *plan, const headings *all, eg_writer *writer)
{
    eg_string_pool pool = {0};
    eg_writer texts = {0};
    uint32_t *codes = NULL;
    eg_status status = eg_alloc(&codes, plan->point_count, sizeof *codes);
    eg_write_u32(writer, (uint32_t)all->count);
    for (size_t c = 0; c < all->count && status.code == EG_OK; c++) {
        const heading *column = &all->items[c];
        uint32_t distinct = 0;
        eg_writer_reset(&texts);
        EG_TRY_DONE(status,
                    code_column(plan, column->name, all->unused, &pool, &texts, &distinct, codes));
        EG_TRY_DONE(status, eg_writer_status(&texts));
        eg_write_text(writer, column->name);
        eg_write_u8(writer, (uint8_t)column->type);
        eg_write_text(writer, column->param->unit != NULL ? column->param->unit : "");
        eg_write_text(writer, column->param->doc != NULL ? column->param->doc : "");
        eg_write_u8(writer, is_swept(plan, column->name) ? 1 : 0);
        eg_write_u32(writer, distinct);
        eg_write_bytes(writer, texts.data, texts.size);
        eg_codes_write(codes, plan->point_count, writer);
    }
done:
    eg_free(codes);
    eg_writer_clear(&texts);
    eg_string_pool_clear(&pool);
    return status;
}

typedef struct declarations {
    const eg_variable **items;
    size_t count, capacity;
} declarations;

static eg_status add_variables(declarations *all, const eg_settings *settings)
{
    const eg_variable **list = NULL;
    size_t count = 0;
    EG_TRY(eg_trial_variables(&list, &count, settings));
    eg_status status = eg_ok();
    for (size_t i = 0; i < count && status.code == EG_OK; i++) {
        bool known = false;
        for (size_t k = 0; k < all->count && !known; k++) {
            known = all->items[k] == list[i] || strcmp(all->items[k]->name, list[i]->name) == 0;
        }
        if (!known) {
            status = eg_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items);
            if (status.code == EG_OK) {
                all->items[all->count++] = list[i];
            }
        }
    }
    eg_free(list);
    return status;
}

static void write_variables(const declarations *all, eg_writer *writer)
{
    eg_write_u32(writer, (uint32_t)all->count);
    for (size_t i = 0; i < all->count; i++) {
        const eg_variable *variable = all->items[i];
        size_t rank = eg_variable_rank(variable);
        eg_write_text(writer, variable->name);
        eg_write_u8(writer, (uint8_t)rank);
        for (size_t k = 0; k < rank; k++) {
            eg_write_text(writer, variable->dims[k]);
        }
        eg_write_u8(writer, variable->wide ? 1 : 0);
        eg_write_u8(writer, variable->volatile_ ? 1 : 0);
        eg_write_text(writer, variable->unit != NULL ? variable->unit : "1");
        eg_write_text(writer, variable->doc != NULL ? variable->doc : "");
    }
}

void eg_trials_write(const eg_plan_trial *trials, size_t count, eg_writer *writer)
{
    eg_write_u64(writer, count);
    for (size_t i = 0; i < count; i++) {
        eg_write_u64(writer, trials[i].id);
        eg_write_u32(writer, trials[i].point);
        eg_write_u32(writer, trials[i].replicate);
        eg_write_u64(writer, trials[i].seed);
    }
}

size_t eg_trials_size(size_t count)
{
    return 8 + count * EG_TRIAL_SIZE;
}

eg_status eg_journal_plan_write(const eg_plan *plan, eg_writer *writer)
{
    headings columns = {0};
    declarations variables = {0};
    eg_status status = eg_ok();
    const char *const texts[] = {plan->name, plan->doc, plan->text, plan->overrides,
                                 plan->objective};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        eg_write_text(writer, texts[i] != NULL ? texts[i] : "");
    }
    eg_write_u8(writer, plan->maximise ? 1 : 0);
    eg_write_u32(writer, (uint32_t)plan->point_count);
    for (size_t p = 0; p < plan->point_count; p++) {
        EG_TRY_DONE(status, add_headings(&columns, plan->points[p].settings));
        EG_TRY_DONE(status, add_variables(&variables, plan->points[p].settings));
    }
    EG_TRY_DONE(status, write_columns(plan, &columns, writer));
    write_variables(&variables, writer);
    eg_trials_write(plan->trials, plan->trial_count, writer);
    status = eg_writer_status(writer);
done:
    eg_free(columns.items);
    eg_free(variables.items);
    return status;
}
