/** A plan: from a sweep file's text to points × seeds = trials. */
#include "engram/sweep.h"

#include "engram/memory.h"
#include "engram/trial.h"
#include "sweep/plan_keys.h"
#include "sweep/plan_space.h"

#include <stdio.h>
#include <string.h>

/** A file's text at `at`, each line behind `prefix`; returns the new end. */
static char *print_lines(char *at, const eg_sweep_part *part, const char *prefix)
{
    for (size_t i = 0; i < part->size;) {
        const char *line = part->text + i;
        const char *end = memchr(line, '\n', part->size - i);
        size_t length = end != NULL ? (size_t)(end - line) + 1 : part->size - i;
        at += sprintf(at, "%s", prefix);
        memcpy(at, line, length);
        at += length;
        i += length;
    }
    return at;
}

static char *print_heading(char *at, const char *start, const char *path)
{
    if (at > start && at[-1] != '\n') {
        *at++ = '\n';
    }
    return at + sprintf(at, "# file: %s\n", path);
}

/** The files' texts in the order they count, then the tables of points as comments. A sweep of one
 *  file is kept as it is, without a heading. */
static eg_status keep_text(const eg_sweep *sweep, eg_plan *plan)
{
    size_t size = 1;
    for (size_t i = 0; i < sweep->part_count; i++) {
        size += strlen(sweep->parts[i].path) + sweep->parts[i].size + 16;
    }
    for (size_t i = 0; i < sweep->table_count; i++) {
        size += strlen(sweep->tables[i].path) + sweep->tables[i].size * 3 + 16;
    }
    EG_TRY(eg_alloc(&plan->text, size, 1));
    char *at = plan->text;
    for (size_t i = 0; i < sweep->part_count; i++) {
        if (sweep->part_count > 1) {
            at = print_heading(at, plan->text, sweep->parts[i].path);
        }
        at = print_lines(at, &sweep->parts[i], "");
    }
    for (size_t i = 0; i < sweep->table_count; i++) {
        at = print_heading(at, plan->text, sweep->tables[i].path);
        at = print_lines(at, &sweep->tables[i], "# ");
    }
    *at = '\0';
    return eg_ok();
}

static eg_status keep_overrides(eg_plan *plan, const char *const *overrides, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        size += strlen(overrides[i]) + 1;
    }
    EG_TRY(eg_alloc(&plan->overrides, size, 1));
    char *at = plan->overrides;
    for (size_t i = 0; i < count; i++) {
        at += sprintf(at, "%s\n", overrides[i]);
    }
    return eg_ok();
}

static eg_status keep_texts(char ***out, size_t *count, const eg_texts *texts)
{
    EG_TRY(eg_alloc(out, texts->count, sizeof **out));
    for (size_t i = 0; i < texts->count; i++) {
        EG_TRY(eg_strdup(&(*out)[i], texts->items[i]));
        (*count)++;
    }
    return eg_ok();
}

/** Replicate 0 of every point, whose ids are known, then replicate 1 …: a sweep stopped early has
 *  some seeds of everything. */
static eg_status make_trials(eg_plan *plan, const uint64_t *first_ids, eg_stream_orders *orders)
{
    size_t count = plan->point_count * plan->seed_count;
    uint64_t *ids = NULL;
    EG_TRY(eg_grow(&plan->trials, &plan->trial_capacity, count, sizeof *plan->trials));
    EG_TRY(eg_alloc(&ids, plan->seed_count, sizeof *ids));
    eg_status status = eg_ok();
    for (size_t p = 0; p < plan->point_count; p++) {
        ids[0] = first_ids[p];
        if (plan->seed_count > 1) {
            EG_TRY_DONE(status, eg_trial_ids(ids + 1, plan->points[p].settings, plan->seeds + 1,
                                             plan->seed_count - 1, orders));
        }
        for (size_t r = 0; r < plan->seed_count; r++) {
            plan->trials[r * plan->point_count + p] = (eg_plan_trial){.id = ids[r],
                                                                      .point = (uint32_t)p,
                                                                      .replicate = (uint32_t)r,
                                                                      .seed = plan->seeds[r]};
        }
    }
    plan->trial_count = count;
    plan->first_count = count;
done:
    eg_free(ids);
    return status;
}

static eg_status make_points(eg_sweep *sweep, eg_plan *plan)
{
    eg_blocks blocks = {0};
    eg_stream_orders orders = {0};
    uint64_t *ids = NULL;
    EG_TRY(eg_blocks_read(sweep, &blocks));
    eg_status status = eg_blocks_expand(sweep, &blocks, plan, &orders, &ids);
    if (status.code == EG_OK) {
        status = eg_plan_check_keys(sweep, plan);
    }
    if (status.code == EG_OK) {
        status = make_trials(plan, ids, &orders);
    }
    eg_free(ids);
    eg_stream_orders_clear(&orders);
    return status;
}

eg_status eg_plan_fill(eg_plan *plan, eg_sweep *sweep, const eg_plan_source *from)
{
    const char *text = from->text;
    size_t size = from->size;
    if (text == NULL) {
        EG_TRY(eg_sweep_read_main(sweep, &text, &size));
    }
    EG_TRY(eg_strdup(&plan->path, sweep->path));
    EG_TRY(eg_sweep_add_parts(sweep, sweep->path, text, size));
    EG_TRY(eg_sweep_add_overrides(sweep, from->overrides, from->override_count));
    EG_TRY(eg_plan_read_keys(sweep, plan));
    EG_TRY(make_points(sweep, plan));
    EG_TRY(eg_plan_find_swept(plan));
    EG_TRY(keep_text(sweep, plan));
    EG_TRY(keep_overrides(plan, from->overrides, from->override_count));
    EG_TRY(keep_texts(&plan->notes, &plan->note_count, &sweep->notes));
    return keep_texts(&plan->warnings, &plan->warning_count, &sweep->warnings);
}

static eg_status make_plan(eg_plan **out, const eg_plan_source *from, bool space)
{
    *out = NULL;
    eg_plan *plan = NULL;
    eg_arena arena = {0};
    EG_TRY(eg_alloc(&plan, 1, sizeof *plan));
    eg_sweep sweep = {.arena = &arena, .schema = eg_trial_schema(), .path = from->path};
    eg_status status = space ? eg_plan_read_space(plan, from) : eg_plan_fill(plan, &sweep, from);
    eg_arena_clear(&arena);
    if (status.code != EG_OK) {
        eg_plan_free(plan);
        return status;
    }
    *out = plan;
    return eg_ok();
}

eg_status eg_plan_load(eg_plan **out, const char *path, const char *const *overrides,
                       size_t override_count)
{
    return eg_plan_parse(out, path, NULL, 0, overrides, override_count);
}

eg_status eg_plan_parse(eg_plan **out, const char *path, const char *text, size_t size,
                        const char *const *overrides, size_t override_count)
{
    const eg_plan_source from = {path, text, size, overrides, override_count};
    return make_plan(out, &from, false);
}

eg_status eg_plan_load_space(eg_plan **out, const char *path, const char *const *overrides,
                             size_t override_count)
{
    return eg_plan_parse_space(out, path, NULL, 0, overrides, override_count);
}

eg_status eg_plan_parse_space(eg_plan **out, const char *path, const char *text, size_t size,
                              const char *const *overrides, size_t override_count)
{
    const eg_plan_source from = {path, text, size, overrides, override_count};
    return make_plan(out, &from, true);
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        eg_free(strings[i]);
    }
    eg_free(strings);
}

void eg_plan_forget_swept(eg_plan *plan)
{
    free_strings(plan->swept, plan->swept_count);
    plan->swept = NULL;
    plan->swept_count = 0;
}

void eg_plan_forget_points(eg_plan *plan)
{
    for (size_t i = 0; i < plan->point_count; i++) {
        eg_settings_free(plan->points[i].settings);
    }
    eg_free(plan->points);
    eg_free(plan->trials);
    eg_plan_forget_swept(plan);
    plan->points = NULL;
    plan->trials = NULL;
    plan->point_count = plan->trial_count = plan->trial_capacity = plan->first_count = 0;
    plan->compared_count = 0;
}

void eg_plan_free(eg_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    eg_plan_forget_points(plan);
    eg_space_free(plan->space);
    eg_free(plan->seeds);
    eg_free(plan->select_seeds);
    free_strings(plan->warnings, plan->warning_count);
    free_strings(plan->notes, plan->note_count);
    eg_free(plan->name);
    eg_free(plan->doc);
    eg_free(plan->path);
    eg_free(plan->text);
    eg_free(plan->overrides);
    eg_free(plan->objective);
    eg_free(plan);
}

/** In the first stage, whose trials are sorted; a slice lacks some of them. */
static size_t find_first(const eg_plan *plan, size_t point, size_t replicate)
{
    size_t low = 0;
    size_t high = plan->first_count;
    if (plan->space != NULL) {
        return point * plan->seed_count + replicate;
    }
    if (plan->slice_count == 0) {
        return replicate * plan->point_count + point;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const eg_plan_trial *trial = &plan->trials[middle];
        if (trial->replicate == replicate && trial->point == point) {
            return middle;
        }
        bool before =
            trial->replicate != replicate ? trial->replicate < replicate : trial->point < point;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return SIZE_MAX;
}

size_t eg_plan_find(const eg_plan *plan, size_t point, size_t replicate)
{
    if (point >= plan->point_count) {
        return SIZE_MAX;
    }
    if (replicate < plan->seed_count) {
        return find_first(plan, point, replicate);
    }
    for (size_t i = plan->first_count; i < plan->trial_count; i++) {
        if (plan->trials[i].point == point && plan->trials[i].replicate == replicate) {
            return i;
        }
    }
    return SIZE_MAX;
}
