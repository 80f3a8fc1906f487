/** What plan the sources of a merge have together; see store/merge/merge.h. */
#include "store/merge/merge.h"

#include "engram/memory.h"
#include "store/differences.h"
#include "store/store_match.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int compare_hashes(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/** --- The union of trials --------------------------------------------------------------------- */

typedef struct candidate {
    eg_plan_trial trial;
    bool second; /* of the second stage */
} candidate;

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a;
    const candidate *y = b;
    if (x->trial.replicate != y->trial.replicate) {
        return x->trial.replicate < y->trial.replicate ? -1 : 1;
    }
    if (x->trial.point != y->trial.point) {
        return x->trial.point < y->trial.point ? -1 : 1;
    }
    return x->second - y->second;
}

static size_t gather(candidate *out, const eg_merge_source *source)
{
    const eg_journal_state *state = source->state;
    for (size_t i = 0; i < state->plan_trials; i++) {
        out[i] = (candidate){eg_result_planned(&state->owner->results.trials[i]),
                             i >= state->base_trials};
    }
    return state->plan_trials;
}

/** Leaves every trial once. */
static eg_status unite(candidate *all, size_t *count)
{
    size_t kept = 0;
    qsort(all, *count, sizeof *all, compare_candidates);
    for (size_t i = 0; i < *count; i++) {
        const eg_plan_trial *before = kept > 0 ? &all[kept - 1].trial : NULL;
        const eg_plan_trial *trial = &all[i].trial;
        if (before == NULL || before->point != trial->point ||
            before->replicate != trial->replicate) {
            all[kept++] = all[i];
        } else if (before->id != trial->id) {
            return eg_fail(EG_INVALID,
                           "the files hold the same sweep, but one of another version of engram: "
                           "its results cannot be mixed with the others");
        }
    }
    *count = kept;
    return eg_ok();
}

static eg_status write_payloads(eg_merge_group *group)
{
    const eg_writer *base = &group->example->base;
    eg_write_bytes(&group->plan, base->data, base->size);
    eg_trials_write(group->trials, group->first_count, &group->plan);
    if (group->first_count < group->trial_count) {
        eg_trials_write(group->trials + group->first_count, group->trial_count - group->first_count,
                        &group->extend);
    }
    EG_TRY(eg_writer_status(&group->plan));
    return eg_writer_status(&group->extend);
}

/** Unites the sources that have the group's base. */
static eg_status make_group(eg_merge_group *group, const eg_merge_source *sources, size_t count)
{
    candidate *all = NULL;
    size_t total = 0;
    eg_status status = eg_ok();
    for (size_t i = 0; i < count; i++) {
        total += sources[i].state->plan_trials;
    }
    EG_TRY_DONE(status, eg_alloc(&all, total, sizeof *all));
    total = 0;
    group->time = group->example->plan_time;
    for (size_t i = 0; i < count; i++) {
        if (sources[i].base_hash == group->example->base_hash) {
            total += gather(all + total, &sources[i]);
            group->time = sources[i].plan_time < group->time ? sources[i].plan_time : group->time;
        }
    }
    EG_TRY_DONE(status, unite(all, &total));
    EG_TRY_DONE(status, eg_alloc(&group->trials, total, sizeof *group->trials));
    for (int second = 0; second < 2; second++) {
        for (size_t i = 0; i < total; i++) {
            if (all[i].second == (second == 1)) {
                group->trials[group->trial_count++] = all[i].trial;
            }
        }
        group->first_count = second == 0 ? group->trial_count : group->first_count;
    }
    status = write_payloads(group);
done:
    eg_free(all);
    return status;
}

/** --- Groups and their order ------------------------------------------------------------------ */

/** The largest plan last. */
static int compare_groups(const void *a, const void *b)
{
    const eg_merge_group *x = a;
    const eg_merge_group *y = b;
    if (x->trial_count != y->trial_count) {
        return x->trial_count < y->trial_count ? -1 : 1;
    }
    if (x->example->state->plan_points != y->example->state->plan_points) {
        return x->example->state->plan_points < y->example->state->plan_points ? -1 : 1;
    }
    return compare_hashes(x->example->base_hash, y->example->base_hash);
}

/** By group; in a group those with older plans first, because each of their plans has to be undone
 *  by the group's; then by age. What the merged file holds already comes before all. */
static int compare_sources(const void *a, const void *b)
{
    const eg_merge_source *x = a;
    const eg_merge_source *y = b;
    if (x->target != y->target) {
        return x->target ? -1 : 1;
    }
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->older != y->older) {
        return x->older ? -1 : 1;
    }
    int order = compare_numbers(x->start, y->start);
    return order != 0 ? order : compare_hashes(x->content, y->content);
}

static eg_merge_group *find_group(const eg_merge_groups *groups, uint64_t base_hash)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->items[i].example->base_hash == base_hash) {
            return &groups->items[i];
        }
    }
    return NULL;
}

/** --- Do they belong together ----------------------------------------------------------------- */

/** One trial in common with the group to go on with is enough, as it is for an edited sweep; pieces
 *  picked with `only` have none. */
static eg_status check_related(const eg_merge_group *group, const eg_merge_group *main,
                               const eg_index *ids)
{
    for (size_t i = 0; i < group->trial_count; i++) {
        if (eg_index_get(ids, group->trials[i].id) != SIZE_MAX) {
            return eg_ok();
        }
    }
    const eg_results *there = &group->example->state->owner->results;
    const eg_results *here = &main->example->state->owner->results;
    if (eg_store_are_pieces(there->text, there->overrides, here->text, here->overrides)) {
        return eg_ok();
    }
    char *words = NULL;
    EG_TRY(eg_store_differences(&words, there, here, NULL));
    eg_status status = eg_fail(EG_INVALID, "%s belongs to another sweep than %s: %s",
                               group->example->paths.file, main->example->paths.file, words);
    eg_free(words);
    return status;
}

static eg_status check_together(const eg_merge_groups *groups)
{
    const eg_merge_group *main = &groups->items[groups->count - 1];
    eg_index ids = {0};
    eg_status status = eg_ok();
    for (size_t i = 0; i < main->trial_count; i++) {
        EG_TRY_DONE(status, eg_index_put(&ids, main->trials[i].id, i));
    }
    for (size_t i = 0; i + 1 < groups->count; i++) {
        const eg_merge_group *group = &groups->items[i];
        const char *name = group->example->state->owner->results.name;
        const char *wanted = main->example->state->owner->results.name;
        if (strcmp(name, wanted) != 0) {
            status = eg_fail(EG_INVALID,
                             "%s belongs to another sweep than %s: its name is '%s' there, '%s' "
                             "here",
                             group->example->paths.file, main->example->paths.file, name, wanted);
            goto done;
        }
        EG_TRY_DONE(status, check_related(group, main, &ids));
    }
done:
    eg_index_clear(&ids);
    return status;
}

eg_status eg_merge_groups_init(eg_merge_groups *out, eg_merge_source *sources, size_t count)
{
    *out = (eg_merge_groups){0};
    EG_TRY(eg_alloc(&out->items, count, sizeof *out->items));
    for (size_t i = 0; i < count; i++) {
        if (find_group(out, sources[i].base_hash) == NULL) {
            out->items[out->count++] = (eg_merge_group){.example = &sources[i]};
        }
    }
    for (size_t i = 0; i < out->count; i++) {
        EG_TRY(make_group(&out->items[i], sources, count));
    }
    qsort(out->items, out->count, sizeof *out->items, compare_groups);
    EG_TRY(check_together(out));
    for (size_t i = 0; i < count; i++) {
        sources[i].group = (size_t)(find_group(out, sources[i].base_hash) - out->items);
    }
    qsort(sources, count, sizeof *sources, compare_sources);
    for (size_t i = 0; i < count; i++) {
        out->items[sources[i].group].example = &sources[i]; /* they moved */
    }
    return eg_ok();
}

void eg_merge_groups_clear(eg_merge_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        eg_free(groups->items[i].trials);
        eg_writer_clear(&groups->items[i].plan);
        eg_writer_clear(&groups->items[i].extend);
    }
    eg_free(groups->items);
    *groups = (eg_merge_groups){0};
}
