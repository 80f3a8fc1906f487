/** Plans in the journal state. A new plan takes over what the trials it shares with the old one
 *  achieved; finished trials it no longer has stay behind its own, with their settings. */
#include "store/journal/journal_state.h"

#include "engram/memory.h"
#include "store/store_match.h"

#include <string.h>

/** The trial list being made. */
typedef struct remake {
    eg_result *trials;
    eg_trial_entry *entries;
    size_t count, trial_capacity, entry_capacity;
    eg_index ids;
    bool *taken; /* [old trials] */
    bool pieces; /* the old plan picked other points of the same sweep */
} remake;

static void clear_remake(remake *r)
{
    eg_free(r->trials);
    eg_free(r->entries);
    eg_free(r->taken);
    eg_index_clear(&r->ids);
}

static eg_status push(remake *r, const eg_result *result, const eg_trial_entry *entry)
{
    EG_TRY(eg_grow(&r->trials, &r->trial_capacity, r->count + 1, sizeof *r->trials));
    EG_TRY(eg_grow(&r->entries, &r->entry_capacity, r->count + 1, sizeof *r->entries));
    EG_TRY(eg_index_put(&r->ids, result->attempt.trial, r->count));
    r->trials[r->count] = *result;
    r->entries[r->count] = *entry;
    r->count++;
    return eg_ok();
}

static eg_status push_planned(eg_journal_state *state, remake *r, const eg_plan_trial *trial,
                              eg_stage stage)
{
    const eg_results *old = &state->owner->results;
    if (eg_index_get(&r->ids, trial->id) != SIZE_MAX) {
        return eg_fail(EG_INVALID,
                       "the plan has the trial %016llx twice: two points differ in nothing that "
                       "can change results",
                       (unsigned long long)trial->id);
    }
    eg_result result = {0};
    eg_trial_entry entry = {0};
    size_t before = eg_index_get(&state->ids, trial->id);
    if (before != SIZE_MAX) {
        result = old->trials[before];
        entry = state->entries[before];
        r->taken[before] = true;
    } else {
        eg_result_reset(&result, state->owner->empty);
    }
    result.attempt.trial = trial->id;
    result.point = trial->point;
    result.replicate = trial->replicate;
    result.seed = trial->seed;
    result.stage = stage;
    return push(r, &result, &entry);
}

/** Finished trials that the plan no longer has. Those that were being run again have their earlier
 *  results for good. */
static eg_status push_older(eg_journal_state *state, remake *r)
{
    const eg_results *old = &state->owner->results;
    for (size_t i = 0; i < old->trial_count; i++) {
        eg_result result = old->trials[i];
        eg_trial_entry entry = state->entries[i];
        if (entry.earlier != 0) {
            const eg_earlier *earlier = &state->earlier[entry.earlier - 1];
            result = earlier->result;
            /* which an earlier plan may have numbered otherwise */
            result.point = old->trials[i].point;
            result.stage = old->trials[i].stage;
            entry.frame = entry.curves = earlier->frame;
            entry.earlier = 0;
        }
        if (!r->taken[i] && eg_trial_status_is_finished(result.status)) {
            result.stage = r->pieces ? result.stage : EG_STAGE_EARLIER;
            EG_TRY(push(r, &result, &entry));
        }
    }
    return eg_ok();
}

/** Lists `planned` first and then what is finished besides; swaps the journal state's lists on
 *  success. */
static eg_status remake_trials(eg_journal_state *state, const eg_plan_trial *first,
                               size_t first_count, const eg_plan_trial *second, size_t second_count,
                               bool pieces)
{
    eg_results *results = &state->owner->results;
    remake r = {.pieces = pieces};
    eg_status status = eg_alloc(&r.taken, results->trial_count, sizeof *r.taken);
    for (size_t i = 0; i < first_count && status.code == EG_OK; i++) {
        status = push_planned(state, &r, &first[i], EG_STAGE_FIRST);
    }
    for (size_t i = 0; i < second_count && status.code == EG_OK; i++) {
        status = push_planned(state, &r, &second[i], EG_STAGE_SECOND);
    }
    if (status.code == EG_OK) {
        status = push_older(state, &r);
    }
    if (status.code == EG_OK) {
        eg_free(results->trials);
        eg_free(state->entries);
        eg_index_clear(&state->ids);
        results->trials = r.trials;
        results->trial_count = r.count;
        state->entries = r.entries;
        state->ids = r.ids;
        state->plan_trials = first_count + second_count;
        r.trials = NULL;
        r.entries = NULL;
        r.ids = (eg_index){0};
    }
    clear_remake(&r);
    return status;
}

/** --- Settings of older plans' trials --------------------------------------------------------- */

static size_t find_column(const eg_column *columns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/** Adds the columns that only older trials have. */
static eg_status merge_columns(eg_journal_plan *image, const eg_results *old)
{
    size_t capacity = image->column_count;
    for (size_t i = 0; i < old->column_count; i++) {
        size_t found = find_column(image->columns, image->column_count, old->columns[i].name);
        if (found != SIZE_MAX) {
            eg_type type = (eg_type)image->columns[found].type;
            image->columns[found].type =
                (uint8_t)eg_common_type(type, (eg_type)old->columns[i].type);
            continue;
        }
        EG_TRY(
            eg_grow(&image->columns, &capacity, image->column_count + 1, sizeof *image->columns));
        eg_column *column = &image->columns[image->column_count];
        *column = old->columns[i];
        column->text = NULL;
        EG_TRY(eg_alloc(&column->text, image->point_count, sizeof *column->text));
        image->column_count++;
    }
    return eg_ok();
}

/** Gives every column room for `points` points; the new ones have no settings yet. */
static eg_status widen_columns(eg_journal_plan *image, size_t points)
{
    for (size_t i = 0; i < image->column_count; i++) {
        size_t capacity = image->point_count;
        EG_TRY(eg_grow(&image->columns[i].text, &capacity, points, sizeof(char *)));
    }
    return eg_ok();
}

static void copy_point(eg_journal_plan *image, size_t to, const eg_results *old, size_t from)
{
    for (size_t i = 0; i < image->column_count; i++) {
        size_t column = find_column(old->columns, old->column_count, image->columns[i].name);
        image->columns[i].text[to] = column == SIZE_MAX ? NULL : old->columns[column].text[from];
    }
}

/** Trials behind the plan's refer to points of the old table: moves those points behind the plan's.
 * `trials` are the remade ones. */
static eg_status carry_points(eg_journal_state *state, eg_journal_plan *image,
                              const eg_results *old)
{
    eg_results *results = &state->owner->results;
    size_t *moved = NULL;
    size_t points = image->point_count;
    EG_TRY(eg_alloc(&moved, old->point_count, sizeof *moved));
    for (size_t i = state->plan_trials; i < results->trial_count; i++) {
        size_t *to = &moved[results->trials[i].point];
        *to = *to == 0 ? ++points : *to; /* place + 1; 0: not moved yet */
    }
    eg_status status = points == image->point_count ? eg_ok() : widen_columns(image, points);
    for (size_t i = 0; i < old->point_count && status.code == EG_OK; i++) {
        if (moved[i] != 0) {
            copy_point(image, moved[i] - 1, old, i);
        }
    }
    for (size_t i = state->plan_trials; i < results->trial_count && status.code == EG_OK; i++) {
        results->trials[i].point = (uint32_t)(moved[results->trials[i].point] - 1);
    }
    image->point_count = points;
    eg_free(moved);
    return status;
}

static bool same_shape(const eg_stored_variable *a, const eg_stored_variable *b)
{
    bool same = a->rank == b->rank && a->wide == b->wide;
    for (size_t i = 0; same && i < a->rank; i++) {
        same = strcmp(a->dims[i], b->dims[i]) == 0;
    }
    return same;
}

static eg_status merge_variables(eg_journal_plan *image, const eg_results *old)
{
    size_t capacity = image->variable_count;
    for (size_t i = 0; i < old->variable_count; i++) {
        const eg_stored_variable *variable = &old->variables[i];
        size_t k = 0;
        while (k < image->variable_count && strcmp(image->variables[k].name, variable->name) != 0) {
            k++;
        }
        if (k == image->variable_count) {
            EG_TRY(eg_grow(&image->variables, &capacity, k + 1, sizeof *image->variables));
            image->variables[k] = *variable;
            image->variable_count++;
        } else if (!same_shape(&image->variables[k], variable)) {
            return eg_fail(EG_INVALID,
                           "the variable '%s' has another shape than in the results so far",
                           variable->name);
        }
    }
    return eg_ok();
}

size_t eg_journal_state_dimension(const eg_journal_state *state, const char *name)
{
    for (size_t i = 0; i < state->extent_count; i++) {
        if (strcmp(state->extents[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static eg_status add_dimensions(eg_journal_state *state, const eg_journal_plan *image)
{
    for (size_t i = 0; i < image->variable_count; i++) {
        for (size_t k = 0; k < image->variables[i].rank; k++) {
            char *name = image->variables[i].dims[k];
            if (eg_journal_state_dimension(state, name) != SIZE_MAX) {
                continue;
            }
            if (state->extent_count == EG_EXTENTS_MAX) {
                return eg_fail(EG_INVALID, "more than %d dimensions", (int)EG_EXTENTS_MAX);
            }
            state->extents[state->extent_count++] = (eg_extent){name, 0};
        }
    }
    return eg_ok();
}

static void install(eg_journal_state *state, eg_journal_plan *image)
{
    eg_results *results = &state->owner->results;
    for (size_t i = 0; i < results->column_count; i++) {
        eg_free(results->columns[i].text);
    }
    eg_free(results->columns);
    eg_free(results->variables);
    results->name = image->name;
    results->doc = image->doc;
    results->text = image->text;
    results->overrides = image->overrides;
    results->objective = image->objective;
    results->maximise = image->maximise;
    results->columns = image->columns;
    results->column_count = image->column_count;
    results->variables = image->variables;
    results->variable_count = image->variable_count;
    results->point_count = image->point_count;
    image->columns = NULL;
    image->column_count = 0;
    image->variables = NULL;
}

eg_status eg_journal_state_apply_plan(eg_journal_state *state, eg_reader *reader)
{
    eg_results *results = &state->owner->results;
    eg_journal_plan image = {0};
    uint64_t hash = eg_hash64(reader->data, reader->size);
    EG_TRY(eg_journal_plan_read(&image, &state->owner->pool, reader));
    size_t points = image.point_count;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, merge_variables(&image, results));
    EG_TRY_DONE(status, add_dimensions(state, &image));
    bool pieces =
        eg_store_are_pieces(results->text, results->overrides, image.text, image.overrides);
    EG_TRY_DONE(status, remake_trials(state, image.trials, image.trial_count, NULL, 0, pieces));
    EG_TRY_DONE(status, merge_columns(&image, results));
    EG_TRY_DONE(status, carry_points(state, &image, results));
    install(state, &image);
    /* Another plan may have other stopping rules: what they cut is open again. */
    for (size_t i = 0; i < results->trial_count; i++) {
        eg_result *trial = &results->trials[i];
        if (trial->status == EG_TRIAL_SKIPPED) {
            eg_result_reset(trial, state->owner->empty);
        } else if (trial->status == EG_TRIAL_STOPPED) {
            trial->status = EG_TRIAL_PAUSED;
        }
    }
    state->base_trials = state->plan_trials;
    state->plan_points = points;
    state->plan_hash = hash;
    state->has_plan = true;
done:
    eg_journal_plan_clear(&image);
    return status;
}

eg_status eg_journal_state_apply_extend(eg_journal_state *state, eg_reader *reader)
{
    const eg_results *results = &state->owner->results;
    eg_plan_trial *added = NULL;
    eg_plan_trial *base = NULL;
    size_t count = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_trials_read(&added, &count, reader));
    for (size_t i = 0; i < count; i++) {
        if (added[i].point >= state->plan_points) {
            status = eg_fail(EG_INVALID, "a second-stage trial is of point %u of %zu",
                             (unsigned)added[i].point, state->plan_points);
            goto done;
        }
    }
    EG_TRY_DONE(status, eg_alloc(&base, state->base_trials, sizeof *base));
    for (size_t i = 0; i < state->base_trials; i++) {
        base[i] = eg_result_planned(&results->trials[i]);
    }
    status = remake_trials(state, base, state->base_trials, added, count, true);
done:
    eg_free(added);
    eg_free(base);
    return status;
}
