/** The median stopping rule, in batches that are fixed by the plan.
 *
 *  Source: Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization", section
 *  3.2.2: a trial stops at step s if its best objective by step s is strictly worse than the
 *  median, over all completed trials, of the running average of their objectives up to step s.
 *  There the completed trials are those that happen to be, so that the outcome depends on who was
 *  fast. Here it does not:
 *
 *  A cohort is the trials of one replicate and of one cohort of points (sweep/stop_cohort.c). Its
 *  points come in batches of `batch`, in the order of the plan. The trials of the first batch run
 *  whole. One of a later batch waits at its first rung until all trials of the earlier batches have
 *  ended; those of them that are done are the completed ones. Rungs, at which it is looked at, are
 *  at evaluations first, first + every, first + 2*every …
 *
 *  With a_1, a_2 … the accuracies of a trial, and n completed trials j:
 *
 *      stops at s if  max(a_1 … a_s) < median over j of mean(a_j1 … a_js)
 *
 *  For even n the median is the mean of the middle two. A completed trial with fewer than s
 *  evaluations (its learner ended phases early) counts with the mean of all it has. Who stops
 *  depends on the plan and the curves only, and nobody waits for a trial of its own or a later
 *  batch. */
#include "sweep/stop_cohort.h"
#include "sweep/stop_curve.h"

#include <math.h>
#include <stdlib.h>

/* Those that sweep/stop_cohort.h reads have its places. */
enum { EVERY = EG_HALVING_ETA, FIRST = EG_HALVING_FIRST, BATCH = EG_HALVING_PARAMS };

static const eg_param params[] = {
    [EVERY] = {.name = "every",
               .type = EG_TYPE_INT,
               .default_text = "1",
               .min = 1,
               .max = 1e6,
               .unit = "evaluations",
               .doc = "between two looks at a trial, of which there are twelve at most"},
    [FIRST] = {.name = "first",
               .type = EG_TYPE_INT,
               .default_text = "1",
               .min = 1,
               .max = 1e6,
               .unit = "evaluations",
               .doc = "before the first look: what every trial gets"},
    [EG_HALVING_COHORT] = EG_HALVING_COHORT_PARAM,
    [BATCH] = {.name = "batch",
               .type = EG_TYPE_INT,
               .default_text = "5",
               .min = 1,
               .max = EG_COHORT_MAX,
               .unit = "points",
               .doc =
                   "a batch is compared with the completed ones of the batches before; the first "
                   "one runs whole"},
};

static size_t rung_at(const double *p, size_t k)
{
    return (size_t)p[FIRST] + k * (size_t)p[EVERY];
}

/** rung: the best accuracy up to a rung, mean: the running average. */
static void measure(const double *p, const eg_record *record, eg_outcome *outcome)
{
    const eg_array *curve = eg_stop_curve(record);
    size_t count = outcome->evaluations;
    bool whole = outcome->status == EG_TRIAL_DONE && count > 0;
    double best = -(double)INFINITY;
    double sum = 0;
    size_t at = 0;
    outcome->rungs = 0;
    for (size_t k = 0; k < EG_RUNGS_MAX && curve != NULL && (rung_at(p, k) <= count || whole);
         k++) {
        for (; at < count && at < rung_at(p, k); at++) {
            best = fmax(best, curve->data[at]);
            sum += curve->data[at];
        }
        outcome->rung[k] = (float)best;
        outcome->mean[k] = (float)(sum / (double)at);
        outcome->rungs++;
    }
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double median_of(float *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    double low = (double)values[(count - 1) / 2];
    double high = (double)values[count / 2];
    return (low + high) / 2;
}

/** The trials of the batches before `which`'s. */
typedef struct earlier {
    size_t trial[EG_COHORT_MAX]; /**< those that are done */
    size_t done;
    size_t count; /**< all */
    bool open;    /**< some have not ended */
} earlier;

static void find_earlier(earlier *out, const double *p, const eg_plan *plan,
                         const eg_outcome *outcomes, const eg_plan_trial *which)
{
    eg_rung_entry entries[EG_COHORT_MAX];
    size_t size = eg_cohort_of(p, plan, which->point, entries);
    size_t own = eg_cohort_place(entries, size, which->point);
    *out = (earlier){.count = own - own % (size_t)p[BATCH]};
    for (size_t i = 0; i < out->count; i++) {
        size_t trial = eg_plan_find(plan, entries[i].point, which->replicate);
        eg_trial_status status = (eg_trial_status)outcomes[trial].status;
        out->open = out->open || eg_trial_status_is_open(status);
        if (status == EG_TRIAL_DONE && outcomes[trial].rungs > 0) {
            out->trial[out->done++] = trial;
        }
    }
}

static bool is_below(const earlier *before, const eg_outcome *outcomes, const eg_outcome *own,
                     size_t k)
{
    float means[EG_COHORT_MAX];
    for (size_t i = 0; i < before->done; i++) {
        means[i] = outcomes[before->trial[i]].mean[k];
    }
    return (double)own->rung[k] < median_of(means, before->done);
}

static eg_budget budget(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t trial)
{
    const eg_outcome *own = &outcomes[trial];
    earlier before;
    find_earlier(&before, p, plan, outcomes, &plan->trials[trial]);
    eg_budget allowed = {.waits = before.open && own->rungs > 0};
    if (allowed.waits) {
        return allowed;
    }
    for (size_t k = 0; k < own->rungs && before.done > 0 && !allowed.out; k++) {
        allowed.out = is_below(&before, outcomes, own, k);
    }
    /* Also where nothing is left to compare with: where it pauses depends on the plan alone. */
    allowed.until = before.count > 0 && own->rungs < EG_RUNGS_MAX ? rung_at(p, own->rungs) : 0;
    return allowed;
}

static void bounds(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most)
{
    size_t cohorts = eg_cohort_count(p, plan);
    double whole = fmin((double)cohorts * p[BATCH], (double)plan->compared_count);
    double share = fmin(p[FIRST] / (double)evaluations, 1);
    *least =
        (whole + ((double)plan->compared_count - whole) * share) / (double)plan->compared_count;
    *most = 1;
}

static eg_status check(const eg_plan *plan)
{
    EG_TRY(eg_stop_check_curve(plan, "median", "compares"));
    return eg_stop_check_goal(plan, "median");
}

const eg_stop_kind eg_stop_median = {
    .component = {.name = "median",
                  .doc = "a trial stops whose best accuracy so far is below the median of the "
                         "running averages of completed trials with the same seed, those of the "
                         "batches before",
                  .source = "Golovin et al. 2017, Google Vizier, section 3.2.2; who stops does not "
                            "depend on who was fast",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .measure = measure,
    .budget = budget,
    .bounds = bounds,
    .check = check,
    .compares = eg_cohort_shared,
};
