/** Asynchronous successive halving over seeds, in cohorts that are fixed by the plan.
 *
 *  Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", arXiv 1810.05934: rungs at first,
 *  first*eta, first*eta^2 … units of a resource; of the points that reach a rung the best 1/eta go on. There a
 *  point goes on as soon as it is among the best of those that happen to have arrived, so that the outcome depends
 *  on who was fast. Here the resource is seeds and the decision is Jamieson and Talwalkar 2016 within a cohort:
 *  it is made when all of the cohort still in have arrived, from the replicates with the smallest indices.
 *  Cohorts do not wait for each other. So the same trials run for any number of ranks, in any order, interrupted
 *  or not. */
#include "sweep/stop_rules.h"

#include <math.h>
#include <stdlib.h>

enum { ETA, FIRST, COHORT };

enum { COHORT_MAX = 1000 };

static const eg_param params[] = {
    [ETA] = {.name = "eta",
             .type = EG_TYPE_INT,
             .fallback = "3",
             .min = 2,
             .max = 100,
             .doc = "of the points at a rung one in eta goes on, to eta times as many seeds"},
    [FIRST] = {.name = "first",
               .type = EG_TYPE_INT,
               .fallback = "1",
               .min = 1,
               .max = EG_STOP_REPLICATES_MAX,
               .unit = "seeds",
               .doc = "the first rung: what every point gets"},
    [COHORT] = {.name = "cohort",
                .type = EG_TYPE_INT,
                .fallback = "100",
                .min = 2,
                .max = COHORT_MAX,
                .unit = "points",
                .doc =
                    "points that are compared with each other, at most; they are spread over the "
                    "plan"},
};

static size_t needs(const double *p)
{
    return (size_t)p[FIRST];
}

/** Cohorts are the points n apart: neighbours in the plan have most settings in common. */
static size_t cohort_count(const double *p, const eg_plan *plan)
{
    size_t size = (size_t)p[COHORT];
    return (plan->point_count + size - 1) / size;
}

static bool compares(const double *p, const eg_plan *plan, size_t a, size_t b)
{
    size_t n = cohort_count(p, plan);
    return a % n == b % n;
}

/** A point at a rung. */
typedef struct standing {
    size_t point;
    double score; /* larger is better */
} standing;

static int better_first(const void *a, const void *b)
{
    const standing *x = a;
    const standing *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->point < y->point ? -1 : 1;
}

typedef enum arrival { ARRIVED, ON_THE_WAY, LEFT } arrival;

/** Whether a point has its first `seeds` results, and their mean. A failed trial has none; a point without any is
 *  worse than all others. One whose trials another rule has skipped is out. */
static arrival arrive(const eg_plan *plan, const eg_outcome *outcomes, size_t seeds, standing *s)
{
    double sum = 0;
    size_t finished = 0;
    for (size_t r = 0; r < seeds; r++) {
        const eg_outcome *outcome = &outcomes[eg_plan_find(plan, s->point, r)];
        if (outcome->status == EG_TRIAL_SKIPPED) {
            return LEFT;
        }
        if (outcome->status == EG_TRIAL_PENDING || outcome->status == EG_TRIAL_RUNNING) {
            return ON_THE_WAY;
        }
        bool counts = outcome->status == EG_TRIAL_DONE || outcome->status == EG_TRIAL_DIVERGED;
        if (counts && isfinite(outcome->objective)) {
            sum += outcome->objective;
            finished++;
        }
    }
    double sign = plan->maximise ? 1.0 : -1.0;
    s->score = finished > 0 ? sign * sum / (double)finished : -(double)INFINITY;
    return ARRIVED;
}

/** Everybody still in at a rung, without those that have left; SIZE_MAX if somebody is on the way. */
static size_t gather(const eg_plan *plan, const eg_outcome *outcomes, size_t seeds, standing *in,
                     size_t count)
{
    size_t arrived = 0;
    bool waiting = false;
    for (size_t i = 0; i < count; i++) {
        standing s = in[i];
        arrival how = arrive(plan, outcomes, seeds, &s);
        waiting = waiting || how == ON_THE_WAY;
        if (how == ARRIVED) {
            in[arrived++] = s;
        }
    }
    return waiting ? SIZE_MAX : arrived;
}

static bool among(const standing *in, size_t count, size_t point)
{
    for (size_t i = 0; i < count; i++) {
        if (in[i].point == point) {
            return true;
        }
    }
    return false;
}

static eg_verdict judge(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t point)
{
    standing in[COHORT_MAX];
    size_t eta = (size_t)p[ETA];
    size_t n = cohort_count(p, plan);
    size_t count = 0;
    for (size_t q = point % n; q < plan->point_count; q += n) {
        in[count++].point = q;
    }
    for (size_t seeds = needs(p); seeds < plan->seed_count; seeds *= eta) {
        count = gather(plan, outcomes, seeds, in, count);
        if (count == SIZE_MAX) {
            return (eg_verdict){.cleared = seeds, .keep = SIZE_MAX};
        }
        qsort(in, count, sizeof *in, better_first);
        count = (count + eta - 1) / eta;
        if (!among(in, count, point)) {
            return (eg_verdict){.cleared = seeds, .keep = seeds};
        }
    }
    return (eg_verdict){.cleared = SIZE_MAX, .keep = SIZE_MAX};
}

const eg_stop_kind eg_stop_asha = {
    .component = {.name = "asha",
                  .doc =
                      "successive halving over seeds: of a cohort of points the best one in `eta` "
                      "gets `eta` times as many seeds, again and again; cohorts do not wait for "
                      "each other",
                  .source = "Li et al. 2020, arXiv 1810.05934; Jamieson and Talwalkar 2016, arXiv "
                            "1502.07943",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .needs = needs,
    .judge = judge,
    .compares = compares,
};
