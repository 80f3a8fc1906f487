/** Where the trials of a sweep stand; see run/run_state.h. */
#include "run/run_state.h"

#include "engram/memory.h"
#include "engram/space.h"

#include <math.h>

eg_status eg_run_state_init(eg_run_state *out, eg_plan *plan)
{
    size_t points = eg_plan_points_max(plan);
    size_t trials = plan->space == NULL ? plan->trial_count : points * plan->seed_count;
    *out = (eg_run_state){.plan = plan,
                          .capacity = trials + plan->select_best * plan->select_seed_count,
                          .counts = {.total = plan->trial_count},
                          .basis = eg_ranking_by_objective(plan->objective, plan->maximise)};
    EG_TRY(eg_alloc(&out->outcomes, out->capacity, sizeof *out->outcomes));
    return eg_ranking_create(&out->points, points);
}

void eg_run_state_clear(eg_run_state *state)
{
    eg_free(state->outcomes);
    eg_free(state->points);
    eg_plan_free(state->plan);
    *state = (eg_run_state){0};
}

double eg_run_state_cost(const eg_run_state *state, size_t trial)
{
    return state->plan->points[state->plan->trials[trial].point].cost;
}

void eg_run_state_add(eg_run_state *state, size_t trial)
{
    const eg_outcome *outcome = &state->outcomes[trial];
    state->counts.by_status[outcome->status]++;
    if (eg_trial_status_is_open(outcome->status)) {
        state->counts.unfinished++;
        state->cost_left += eg_run_state_cost(state, trial);
    } else {
        state->counts.before++;
    }
}

void eg_run_state_set(eg_run_state *state, size_t trial, eg_trial_status status,
                      const eg_record *record)
{
    eg_outcome *outcome = &state->outcomes[trial];
    bool was_open = eg_trial_status_is_open(outcome->status);
    state->counts.by_status[outcome->status]--;
    state->counts.by_status[status]++;
    outcome->status = (uint8_t)status;
    bool has = record != NULL;
    outcome->objective = has ? eg_record_value(record, "objective") : (double)NAN;
    outcome->reported = has ? eg_record_value(record, state->plan->objective) : (double)NAN;
    if (was_open && !eg_trial_status_is_open(outcome->status)) {
        state->counts.unfinished--;
        state->cost_left -= eg_run_state_cost(state, trial);
    }
}

void eg_run_state_finish(eg_run_state *state, size_t trial)
{
    state->counts.finished++;
    state->own_cost += eg_run_state_cost(state, trial);
}

void eg_run_state_rank(eg_run_state *state)
{
    const eg_plan *plan = state->plan;
    for (size_t point = 0; point < plan->point_count; point++) {
        state->points[point] = (eg_ranked_point){.point = point};
    }
    for (size_t t = 0; t < plan->trial_count; t++) {
        const eg_outcome *outcome = &state->outcomes[t];
        const eg_scored_trial trial = {
            .point = plan->trials[t].point,
            .seed = plan->trials[t].seed,
            .status = outcome->status,
            .stage = t < plan->first_count ? EG_STAGE_FIRST : EG_STAGE_SECOND,
            .selected = outcome->objective,
            .reported = outcome->reported,
        };
        eg_ranking_add(state->points, &state->basis, &trial);
    }
}

const eg_ranked_point *eg_run_state_best(eg_run_state *state)
{
    eg_run_state_rank(state);
    return eg_ranking_best(state->points, state->plan->point_count, &state->basis);
}
