/** Points compared seed by seed, with another one or all with the best; see engram/ranking.h. */
#include "engram/ranking.h"

#include "engram/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** Trials by point, stage and seed, so that those of a point lie together. */
static int by_seed(const void *a, const void *b)
{
    const eg_scored_trial *x = a;
    const eg_scored_trial *y = b;
    if (x->point != y->point) {
        return x->point < y->point ? -1 : 1;
    }
    if (x->stage != y->stage) {
        return x->stage < y->stage ? -1 : 1;
    }
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

static const eg_scored_trial *find(const eg_scored_trial *sorted, size_t count, size_t point,
                                   uint8_t stage, uint64_t seed)
{
    const eg_scored_trial wanted = {.point = point, .stage = stage, .seed = seed};
    return bsearch(&wanted, sorted, count, sizeof *sorted, by_seed);
}

/** The first trial of a point and stage in the sorted list. */
static size_t first_of(const eg_scored_trial *sorted, size_t count, size_t point, uint8_t stage)
{
    const eg_scored_trial wanted = {.point = point, .stage = stage};
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_seed(&sorted[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint8_t stage_of(const eg_ranked_point *point, bool fresh)
{
    if (fresh) {
        return EG_STAGE_SECOND;
    }
    return eg_point_is_stale(point) ? EG_STAGE_EARLIER : EG_STAGE_FIRST;
}

static bool are_fresh(const eg_ranked_point *first, const eg_ranked_point *second)
{
    return eg_point_is_fresh(first) && eg_point_is_fresh(second);
}

static double value_of(const eg_scored_trial *trial, const eg_ranking_basis *basis)
{
    return eg_ranking_value(trial->status, trial->reported, basis->chance_reported);
}

/** The values of two points at the seeds that both have one of, by seed; how many there are. */
static size_t pair_up(eg_seed_pair *out, const eg_ranked_point *first,
                      const eg_ranked_point *second, const eg_ranking_basis *basis,
                      const eg_scored_trial *sorted, size_t count)
{
    bool fresh = are_fresh(first, second);
    uint8_t stage = stage_of(first, fresh);
    size_t pairs = 0;
    for (size_t i = first_of(sorted, count, first->point, stage);
         i < count && sorted[i].point == first->point && sorted[i].stage == stage; i++) {
        const eg_scored_trial *mine = &sorted[i];
        const eg_scored_trial *its =
            find(sorted, count, second->point, stage_of(second, fresh), mine->seed);
        if (its == NULL || its->point == mine->point) {
            continue;
        }
        eg_seed_pair pair = {
            .seed = mine->seed, .first = value_of(mine, basis), .second = value_of(its, basis)};
        if (isfinite(pair.first) && isfinite(pair.second)) {
            out[pairs++] = pair;
        }
    }
    return pairs;
}

/** How many values a point reports in a stage. */
static size_t values_of(const eg_ranked_point *point, bool fresh)
{
    return point->stage[stage_of(point, fresh)].reported.n;
}

static eg_status sort_trials(eg_scored_trial **out, const eg_scored_trial *trials, size_t count)
{
    EG_TRY(eg_alloc(out, count, sizeof **out));
    if (count > 0) {
        memcpy(*out, trials, count * sizeof **out);
        qsort(*out, count, sizeof **out, by_seed);
    }
    return eg_ok();
}

eg_status eg_ranking_pair(eg_seed_pairs *out, const eg_ranked_point *first,
                          const eg_ranked_point *second, const eg_ranking_basis *basis,
                          const eg_scored_trial *trials, size_t trial_count)
{
    eg_scored_trial *sorted = NULL;
    eg_status status = eg_ok();
    *out = (eg_seed_pairs){.fresh = are_fresh(first, second)};
    EG_TRY_DONE(status, sort_trials(&sorted, trials, trial_count));
    EG_TRY_DONE(status, eg_alloc(&out->items, trial_count, sizeof *out->items));
    out->count = pair_up(out->items, first, second, basis, sorted, trial_count);
    out->first_alone = values_of(first, out->fresh) - out->count;
    out->second_alone = values_of(second, out->fresh) - out->count;
done:
    eg_free(sorted);
    return status;
}

/** `pairs`: room for as many as there are trials. */
static void compare_point(eg_comparison *out, const eg_ranked_point *point,
                          const eg_ranked_point *best, const eg_ranking_basis *basis,
                          const eg_scored_trial *sorted, size_t count, eg_seed_pair *pairs)
{
    *out = (eg_comparison){.point = point->point, .fresh = are_fresh(point, best)};
    size_t made = pair_up(pairs, point, best, basis, sorted, count);
    for (size_t i = 0; i < made; i++) {
        eg_sample_add(&out->difference, pairs[i].first - pairs[i].second);
    }
    out->p = eg_sample_p(&out->difference);
}

static eg_status correct(eg_comparison *comparisons, size_t count)
{
    double *p = NULL;
    EG_TRY(eg_alloc(&p, count, sizeof *p));
    for (size_t i = 0; i < count; i++) {
        p[i] = comparisons[i].p;
    }
    eg_status status = eg_holm(p, count);
    for (size_t i = 0; i < count && status.code == EG_OK; i++) {
        comparisons[i].p_holm = p[i];
    }
    eg_free(p);
    return status;
}

eg_status eg_ranking_compare(eg_comparison **out, const eg_ranked_point *points, size_t count,
                             const eg_ranked_point *best, const eg_ranking_basis *basis,
                             const eg_scored_trial *trials, size_t trial_count)
{
    eg_scored_trial *sorted = NULL;
    eg_seed_pair *pairs = NULL;
    eg_status status = eg_ok();
    *out = NULL;
    EG_TRY_DONE(status, sort_trials(&sorted, trials, trial_count));
    EG_TRY_DONE(status, eg_alloc(&pairs, trial_count, sizeof *pairs));
    EG_TRY_DONE(status, eg_alloc(out, count, sizeof **out));
    for (size_t i = 0; i < count; i++) {
        compare_point(&(*out)[i], &points[i], best, basis, sorted, trial_count, pairs);
    }
    status = correct(*out, count);
done:
    eg_free(sorted);
    eg_free(pairs);
    if (status.code != EG_OK) {
        eg_free(*out);
        *out = NULL;
    }
    return status;
}
