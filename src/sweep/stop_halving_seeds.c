/** Successive halving over seeds, in cohorts that are fixed by the plan.
 *
 *  Source: Jamieson and Talwalkar 2016, arXiv 1502.07943, with rungs as in Li et al. 2020, arXiv
 *  1810.05934: at first, first*eta, first*eta^2 … seeds. The decision at a rung is made when all of
 *  the cohort still in have arrived, from the replicates with the smallest indices. Cohorts do not
 *  wait for each other. So the same trials run for any number of ranks, in any order, interrupted
 *  or not. */
#include "sweep/stop_cohort.h"

#include <math.h>

static const eg_param params[EG_HALVING_PARAMS] = {
    [EG_HALVING_ETA] =
        {.name = "eta",
         .type = EG_TYPE_INT,
         .default_text = "3",
         .min = 2,
         .max = 100,
         .doc = "of the points at a rung one in eta goes on, to eta times as many seeds"},
    [EG_HALVING_FIRST] = {.name = "first",
                          .type = EG_TYPE_INT,
                          .default_text = "1",
                          .min = 1,
                          .max = EG_STOP_REPLICATES_MAX,
                          .unit = "seeds",
                          .doc = "the first rung: what every point gets"},
    [EG_HALVING_COHORT] = EG_HALVING_COHORT_PARAM,
};

static size_t needs(const double *p)
{
    return (size_t)p[EG_HALVING_FIRST];
}

typedef enum arrival { ARRIVED, ON_THE_WAY, LEFT } arrival;

/** Whether a point has its first `seeds` results, and their mean. A failed or stopped trial has
 *  none; a point without any is worse than all others. One whose trials another rule has skipped is
 *  out. */
static arrival arrive(const eg_plan *plan, const eg_outcome *outcomes, size_t seeds,
                      eg_rung_entry *s)
{
    double sum = 0;
    size_t finished = 0;
    for (size_t r = 0; r < seeds; r++) {
        const eg_outcome *outcome = &outcomes[eg_plan_find(plan, s->point, r)];
        if (outcome->status == EG_TRIAL_SKIPPED) {
            return LEFT;
        }
        if (eg_trial_status_is_open(outcome->status)) {
            return ON_THE_WAY;
        }
        bool counts = eg_trial_status_is_result(outcome->status);
        if (counts && isfinite(outcome->objective)) {
            sum += outcome->objective;
            finished++;
        }
    }
    double sign = plan->maximise ? 1.0 : -1.0;
    s->score = finished > 0 ? sign * sum / (double)finished : -(double)INFINITY;
    return ARRIVED;
}

/** The points that are still in at a rung, without those that have ended; SIZE_MAX if one has not
 *  arrived yet. */
static size_t gather(const eg_plan *plan, const eg_outcome *outcomes, size_t seeds,
                     eg_rung_entry *entries, size_t count)
{
    size_t arrived = 0;
    for (size_t i = 0; i < count; i++) {
        eg_rung_entry s = entries[i];
        arrival how = arrive(plan, outcomes, seeds, &s);
        if (how == ON_THE_WAY) {
            return SIZE_MAX; /* at once: every result of the cohort asks this for all its points */
        }
        if (how == ARRIVED) {
            entries[arrived++] = s;
        }
    }
    return arrived;
}

static eg_verdict judge(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t point)
{
    eg_rung_entry entries[EG_COHORT_MAX];
    size_t count = eg_cohort_of(p, plan, point, entries);
    for (size_t seeds = needs(p); seeds < plan->seed_count; seeds *= (size_t)p[EG_HALVING_ETA]) {
        count = gather(plan, outcomes, seeds, entries, count);
        if (count == SIZE_MAX) {
            return (eg_verdict){.cleared = seeds, .keep = SIZE_MAX};
        }
        eg_cohort_sort(entries, count);
        count = eg_cohort_kept(p, count);
        if (eg_cohort_place(entries, count, point) == SIZE_MAX) {
            return (eg_verdict){.cleared = seeds, .keep = seeds};
        }
    }
    return (eg_verdict){.cleared = SIZE_MAX, .keep = SIZE_MAX};
}

static void bounds(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most)
{
    (void)evaluations;
    *least = *most = eg_cohort_share(p, plan, plan->seed_count);
}

const eg_stop_kind eg_stop_halving_seeds = {
    .component = {.name = "halving_seeds",
                  .doc =
                      "successive halving over seeds: of a cohort of points the best one in `eta` "
                      "gets `eta` times as many seeds, again and again; cohorts do not wait for "
                      "each other",
                  .source = "Jamieson and Talwalkar 2016, arXiv 1502.07943",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .needs = needs,
    .judge = judge,
    .bounds = bounds,
    .compares = eg_cohort_shared,
};
