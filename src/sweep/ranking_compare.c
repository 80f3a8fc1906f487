/** Points compared with the best one, seed by seed; see engram/ranking.h. */
#include "engram/ranking.h"

#include "engram/memory.h"

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

/** Over the seeds that both have. */
static void compare_point(eg_comparison *out, const eg_ranked_point *point,
                          const eg_ranked_point *best, const eg_ranking_basis *basis,
                          const eg_scored_trial *sorted, size_t count)
{
    bool fresh = eg_point_is_fresh(point) && eg_point_is_fresh(best);
    uint8_t stage = stage_of(point, fresh);
    size_t i = first_of(sorted, count, point->point, stage);
    *out = (eg_comparison){.point = point->point, .fresh = fresh};
    for (; i < count && sorted[i].point == point->point && sorted[i].stage == stage; i++) {
        const eg_scored_trial *mine = &sorted[i];
        const eg_scored_trial *its =
            find(sorted, count, best->point, stage_of(best, fresh), mine->seed);
        if (its != NULL && its->point != mine->point) {
            bool chance = basis->chance_reported;
            eg_sample_add(&out->difference,
                          eg_ranking_value(mine->status, mine->reported, chance) -
                              eg_ranking_value(its->status, its->reported, chance));
        }
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
    eg_status status = eg_ok();
    *out = NULL;
    EG_TRY_DONE(status, eg_alloc(&sorted, trial_count, sizeof *sorted));
    EG_TRY_DONE(status, eg_alloc(out, count, sizeof **out));
    memcpy(sorted, trials, trial_count * sizeof *sorted);
    qsort(sorted, trial_count, sizeof *sorted, by_seed);
    for (size_t i = 0; i < count; i++) {
        compare_point(&(*out)[i], &points[i], best, basis, sorted, trial_count);
    }
    status = correct(*out, count);
done:
    eg_free(sorted);
    if (status.code != EG_OK) {
        eg_free(*out);
        *out = NULL;
    }
    return status;
}
