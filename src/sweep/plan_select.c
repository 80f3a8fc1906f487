/** A decision on outcomes: which points get more seeds. */
#include "engram/sweep.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdlib.h>

static double sign_of(const eg_plan *plan)
{
    return plan->maximise ? 1.0 : -1.0;
}

/** Has every trial of the first stage ended, or been ruled out? */
static bool first_stage_over(const eg_plan *plan, const eg_outcome *outcomes)
{
    for (size_t p = 0; p < plan->point_count; p++) {
        size_t keep = eg_plan_keep(plan, outcomes, p);
        for (size_t r = 0; r < plan->seed_count && r < keep; r++) {
            if (eg_outcome_is_open(&outcomes[eg_plan_find(plan, p, r)])) {
                return false;
            }
        }
    }
    return true;
}

typedef struct ranked {
    size_t point, stopped;
    double score; /* larger is better */
} ranked;

static int better_first(const void *a, const void *b)
{
    const ranked *x = a;
    const ranked *y = b;
    if (x->stopped != y->stopped) {
        return x->stopped < y->stopped ? -1
                                       : 1; /* what is left of weak points are their best seeds */
    }
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->point < y->point ? -1 : 1;
}

/** Points with at least one objective that no rule has cut, best first. */
static size_t rank_points(const eg_plan *plan, const eg_outcome *outcomes, ranked *out)
{
    size_t count = 0;
    for (size_t p = 0; p < plan->point_count; p++) {
        double sum = 0;
        size_t finished = 0;
        size_t stopped = 0;
        if (eg_plan_keep(plan, outcomes, p) != SIZE_MAX) {
            continue; /* its further seeds would be skipped */
        }
        for (size_t r = 0; r < plan->seed_count; r++) {
            const eg_outcome *outcome = &outcomes[eg_plan_find(plan, p, r)];
            stopped += outcome->status == EG_TRIAL_STOPPED;
            bool ended = outcome->status == EG_TRIAL_DONE || outcome->status == EG_TRIAL_DIVERGED;
            if (ended && isfinite(outcome->objective)) {
                sum += outcome->objective;
                finished++;
            }
        }
        if (finished > 0) {
            out[count++] = (ranked){
                .point = p, .stopped = stopped, .score = sign_of(plan) * sum / (double)finished};
        }
    }
    qsort(out, count, sizeof *out, better_first);
    return count;
}

static eg_status append_trials(eg_plan *plan, const ranked *best, size_t count)
{
    size_t more = count * plan->select_seed_count;
    if (plan->trial_count + more > EG_PLAN_TRIALS_MAX) {
        return eg_fail(EG_INVALID, "select adds %zu trials to %zu; a plan holds at most %d", more,
                       plan->trial_count, (int)EG_PLAN_TRIALS_MAX);
    }
    EG_TRY(eg_grow(&plan->trials, &plan->trial_capacity, plan->trial_count + more,
                   sizeof *plan->trials));
    size_t next = plan->trial_count;
    for (size_t r = 0; r < plan->select_seed_count; r++) {
        for (size_t i = 0; i < count; i++) {
            eg_plan_trial *trial = &plan->trials[next++];
            *trial = (eg_plan_trial){.point = (uint32_t)best[i].point,
                                     .replicate = (uint32_t)(plan->seed_count + r),
                                     .seed = plan->select_seeds[r]};
            EG_TRY(eg_trial_id(&trial->id, plan->points[best[i].point].settings, trial->seed));
        }
    }
    plan->trial_count = next;
    plan->selected = true;
    return eg_ok();
}

eg_status eg_plan_select(eg_plan *plan, const eg_outcome *outcomes, size_t *added)
{
    *added = 0;
    bool wanted = plan->select_best > 0 && plan->slice_count == 0 && !plan->selected;
    if (!wanted || !first_stage_over(plan, outcomes)) {
        return eg_ok();
    }
    ranked *points = NULL;
    EG_TRY(eg_alloc(&points, plan->point_count, sizeof *points));
    size_t count = rank_points(plan, outcomes, points);
    size_t before = plan->trial_count;
    eg_status status =
        append_trials(plan, points, count < plan->select_best ? count : plan->select_best);
    eg_free(points);
    *added = plan->trial_count - before;
    return status;
}
