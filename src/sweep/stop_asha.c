/** Asynchronous successive halving over evaluations, in cohorts that are fixed by the plan.
 *
 *  Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", arXiv
 *  1810.05934: rungs at first, first*eta, first*eta^2 … units of a resource; of those that reach a
 *  rung the best 1/eta go on. There a trial goes on as soon as it is among the best of those that
 *  happen to have arrived, so that the outcome depends on who was fast. Here it does not:
 *
 *  A cohort is the trials of one replicate and of one cohort of points (sweep/stop_cohort.c), of
 *  which n_0 take part: those that no other rule skips. At rung k the best n_{k+1} = ceil(n_k /
 *  eta) of n_k go on, by the accuracy at that evaluation, ties by point. With m of the n_k arrived,
 *  one that b of them beat is out when b >= n_{k+1}, and goes on when b + (n_k - m) < n_{k+1}:
 *  whatever the missing ones will be, it would be decided the same way. Between the two it waits.
 *  The rank of one in a set is the same whenever it is looked at, so who is out depends on the plan
 *  and the curves only; and where all n_k have arrived nobody is between the two, so that nobody
 *  waits for ever. */
#include "sweep/stop_cohort.h"
#include "sweep/stop_curve.h"

#include <math.h>

static const eg_param params[EG_HALVING_PARAMS] = {
    [EG_HALVING_ETA] = {.name = "eta",
                        .type = EG_TYPE_INT,
                        .default_text = "3",
                        .min = 2,
                        .max = 100,
                        .doc = "of the trials at a rung one in eta goes on, to eta times as many "
                               "evaluations"},
    [EG_HALVING_FIRST] = {.name = "first",
                          .type = EG_TYPE_INT,
                          .default_text = "1",
                          .min = 1,
                          .max = 1e6,
                          .unit = "evaluations",
                          .doc = "the first rung: what every trial gets"},
    [EG_HALVING_COHORT] = EG_HALVING_COHORT_PARAM,
};

/** Evaluations up to rung k; those that no trial has are all the same. */
static size_t rung_at(const double *p, size_t k)
{
    size_t eta = (size_t)p[EG_HALVING_ETA];
    size_t at = (size_t)p[EG_HALVING_FIRST];
    for (size_t i = 0; i < k && at < SIZE_MAX / eta; i++) {
        at *= eta;
    }
    return at;
}

static void measure(const double *p, const eg_record *record, eg_outcome *outcome)
{
    const eg_array *curve = eg_stop_curve(record);
    size_t count = outcome->evaluations;
    outcome->rungs = 0;
    for (size_t k = 0; k < EG_RUNGS_MAX && curve != NULL; k++) {
        size_t at = rung_at(p, k);
        if (at <= count) {
            outcome->rung[k] = (float)curve->data[at - 1];
        } else if (outcome->status == EG_TRIAL_DONE && count > 0) {
            outcome->rung[k] = (float)curve->data[count - 1];
        } else if (outcome->status == EG_TRIAL_DIVERGED || outcome->status == EG_TRIAL_TIMEOUT) {
            outcome->rung[k] = NAN;
        } else {
            return;
        }
        outcome->rungs++;
    }
}

/** Whether a trial has come to rung k, and how it stands there. */
static bool arrive(const eg_plan *plan, const eg_outcome *outcome, size_t k, eg_rung_entry *s)
{
    bool ended = outcome->status == EG_TRIAL_FAILED;
    double sign = plan->maximise ? 1.0 : -1.0;
    double value = k < outcome->rungs ? sign * (double)outcome->rung[k] : (double)NAN;
    s->score = isfinite(value) ? value : -(double)INFINITY;
    return k < outcome->rungs || ended;
}

/** Of entries [count], in place, those that are at rung k. */
static size_t gather(const eg_plan *plan, const eg_outcome *outcomes, size_t replicate, size_t k,
                     eg_rung_entry *entries, size_t count)
{
    size_t arrived = 0;
    for (size_t i = 0; i < count; i++) {
        eg_rung_entry s = entries[i];
        if (arrive(plan, &outcomes[eg_plan_find(plan, s.point, replicate)], k, &s)) {
            entries[arrived++] = s;
        }
    }
    return arrived;
}

/** Those of entries [count], in place, that no other rule has skipped. */
static size_t take_part(const eg_plan *plan, const eg_outcome *outcomes, size_t replicate,
                        eg_rung_entry *entries, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t trial = eg_plan_find(plan, entries[i].point, replicate);
        if (outcomes[trial].status != EG_TRIAL_SKIPPED) {
            entries[kept++] = entries[i];
        }
    }
    return kept;
}

static eg_budget budget(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t trial)
{
    const eg_plan_trial *which = &plan->trials[trial];
    size_t own = outcomes[trial].rungs;
    eg_budget allowed = {0};
    eg_rung_entry entries[EG_COHORT_MAX];
    size_t known = eg_cohort_of(p, plan, which->point, entries);
    known = take_part(plan, outcomes, which->replicate, entries, known);
    size_t count = known; /* n_k; `known` of them, in `entries`, are sure to be here or to come */
    for (size_t k = 0; k < own; k++) {
        size_t arrived = gather(plan, outcomes, which->replicate, k, entries, known);
        size_t kept = eg_cohort_kept(p, count);
        size_t missing = count - arrived;
        eg_cohort_sort(entries, arrived);
        size_t place = eg_cohort_place(entries, arrived, which->point);
        allowed.out = place >= kept;
        allowed.waits = !allowed.out && place + missing >= kept;
        if (allowed.out || allowed.waits) {
            return allowed;
        }
        known = kept - missing;
        count = kept;
    }
    /* The last one of a cohort has nothing to wait for. */
    allowed.until = own < EG_RUNGS_MAX && count > 1 ? rung_at(p, own) : 0;
    return allowed;
}

/** A rung and the points that have arrived there. */
typedef struct level {
    size_t k, arrived, kept, missing;
} level;

/** Which of entries [arrived], sorted, are out at this rung, and which wait. */
static void settle(const level *l, const eg_outcome *outcomes, const eg_rung_entry *entries,
                   size_t cohorts, eg_peer *out)
{
    for (size_t place = 0; place < l->arrived; place++) {
        eg_peer *peer = &out[entries[place].point / cohorts];
        if (outcomes[peer->trial].rungs > l->k) {
            peer->budget.out = place >= l->kept;
            peer->budget.waits = !peer->budget.out && place + l->missing >= l->kept;
        }
    }
}

_Static_assert((int)EG_PEERS_MAX == (int)EG_COHORT_MAX, "a cohort is what is compared");

static size_t peers(const double *p, const eg_plan *plan, const eg_outcome *outcomes, size_t trial,
                    eg_peer *out)
{
    const eg_plan_trial *which = &plan->trials[trial];
    eg_rung_entry entries[EG_COHORT_MAX];
    size_t all = eg_cohort_of(p, plan, which->point, entries);
    size_t cohorts = all > 1 ? entries[1].point - entries[0].point : plan->compared_count;
    for (size_t i = 0; i < all; i++) {
        out[i] = (eg_peer){.trial = eg_plan_find(plan, entries[i].point, which->replicate)};
    }
    size_t known = take_part(plan, outcomes, which->replicate, entries, all);
    size_t count = known;
    for (size_t k = 0; known > 0; k++) {
        /* A trial that has come so far and no farther may go on to this rung. */
        for (size_t i = 0; i < known; i++) {
            eg_peer *peer = &out[entries[i].point / cohorts];
            if (outcomes[peer->trial].rungs == k) {
                peer->budget.until = k < EG_RUNGS_MAX && count > 1 ? rung_at(p, k) : 0;
            }
        }
        level l = {.k = k, .kept = eg_cohort_kept(p, count)};
        l.arrived = gather(plan, outcomes, which->replicate, k, entries, known);
        l.missing = count - l.arrived;
        eg_cohort_sort(entries, l.arrived);
        settle(&l, outcomes, entries, cohorts, out);
        known = l.kept > l.missing ? l.kept - l.missing : 0;
        known = known < l.arrived ? known : l.arrived;
        count = l.kept;
        if (k == EG_RUNGS_MAX) {
            break;
        }
    }
    return all;
}

/** The objective must be known before the end, at every point. */
static eg_status check(const eg_plan *plan)
{
    return eg_stop_check_curve(plan, "asha", "compares");
}

static void bounds(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most)
{
    *least = *most = eg_cohort_share(p, plan, evaluations);
}

const eg_stop_kind eg_stop_asha = {
    .component = {.name = "asha",
                  .doc = "successive halving over evaluations: of a cohort of trials with the same "
                         "seed the best one in `eta` goes on to `eta` times as many evaluations, "
                         "again and again; the others stop there",
                  .source = "Li et al. 2020, arXiv 1810.05934; who goes on does not depend on who "
                            "was fast",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .measure = measure,
    .budget = budget,
    .peers = peers,
    .bounds = bounds,
    .check = check,
    .compares = eg_cohort_shared,
};
