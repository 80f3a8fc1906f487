/** A decision on outcomes: which points get more seeds. */
#include "engram/sweep.h"

#include "engram/memory.h"
#include "engram/ranking.h"
#include "engram/stream.h"
#include "engram/trial.h"

/** Has every trial of the first stage ended, or been ruled out? */
static bool first_stage_over(const eg_plan *plan, const eg_outcome *outcomes)
{
    for (size_t p = 0; p < plan->point_count; p++) {
        size_t keep = eg_plan_keep(plan, outcomes, p);
        for (size_t r = 0; r < plan->seed_count && r < keep; r++) {
            if (eg_trial_status_is_open(outcomes[eg_plan_find(plan, p, r)].status)) {
                return false;
            }
        }
    }
    return true;
}

/** Points with a value that no rule has cut, best first. */
static size_t rank_points(const eg_plan *plan, const eg_outcome *outcomes, eg_ranked_point *out)
{
    eg_ranking_basis basis = eg_ranking_by_objective(plan->objective, plan->maximise);
    size_t kept = 0;
    for (size_t p = 0; p < plan->compared_count; p++) {
        if (eg_plan_keep(plan, outcomes, p) != SIZE_MAX) {
            continue; /* its further seeds would be skipped */
        }
        for (size_t r = 0; r < plan->seed_count; r++) {
            const eg_outcome *outcome = &outcomes[eg_plan_find(plan, p, r)];
            const eg_scored_trial trial = {.point = p,
                                           .status = outcome->status,
                                           .stage = EG_STAGE_FIRST,
                                           .selected = outcome->objective};
            eg_ranking_add(out, &basis, &trial);
        }
    }
    for (size_t p = 0; p < plan->compared_count; p++) {
        if (eg_point_selecting(&out[p])->selected.n > 0) {
            out[kept++] = out[p];
        }
    }
    eg_ranking_sort(out, kept, &basis);
    return kept;
}

static eg_status append_trials(eg_plan *plan, const eg_ranked_point *best, size_t count)
{
    size_t more = count * plan->select_seed_count;
    if (plan->trial_count + more > EG_PLAN_TRIALS_MAX) {
        return eg_fail(EG_INVALID, "select adds %zu trials to %zu; a plan holds at most %d", more,
                       plan->trial_count, (int)EG_PLAN_TRIALS_MAX);
    }
    EG_TRY(eg_grow(&plan->trials, &plan->trial_capacity, plan->trial_count + more,
                   sizeof *plan->trials));
    eg_stream_orders orders = {0};
    eg_status status = eg_ok();
    size_t next = plan->trial_count;
    for (size_t r = 0; r < plan->select_seed_count; r++) {
        for (size_t i = 0; i < count; i++) {
            eg_plan_trial *trial = &plan->trials[next++];
            *trial = (eg_plan_trial){.point = (uint32_t)best[i].point,
                                     .replicate = (uint32_t)(plan->seed_count + r),
                                     .seed = plan->select_seeds[r]};
            EG_TRY_DONE(status, eg_trial_ids(&trial->id, plan->points[best[i].point].settings,
                                             &trial->seed, 1, &orders));
        }
    }
    plan->trial_count = next;
    plan->selected = true;
done:
    eg_stream_orders_clear(&orders);
    return status;
}

eg_status eg_plan_select(eg_plan *plan, const eg_outcome *outcomes, size_t *added)
{
    *added = 0;
    bool wanted = plan->select_best > 0 && plan->slice_count == 0 && !plan->selected;
    if (!wanted || !first_stage_over(plan, outcomes)) {
        return eg_ok();
    }
    eg_ranked_point *points = NULL;
    EG_TRY(eg_ranking_create(&points, plan->point_count));
    size_t count = rank_points(plan, outcomes, points);
    size_t before = plan->trial_count;
    eg_status status =
        append_trials(plan, points, count < plan->select_best ? count : plan->select_best);
    eg_free(points);
    *added = plan->trial_count - before;
    return status;
}
