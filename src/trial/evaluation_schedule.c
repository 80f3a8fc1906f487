/** When a trial evaluates; counts of minibatches and evaluations from the phase and the place in it. */
#include "trial/trial_state.h"

/** Evaluations in a phase of `steps` minibatches, the first of which is number `start` of the trial,
 * once `done` of them have been made: one at every multiple of eval_every, one at the end. */
static size_t evaluations(const eg_trial_state *state, size_t start, size_t done, size_t steps)
{
    bool ended = done == steps;
    size_t last = start + done - (ended && done > 0 ? 1 : 0);
    size_t multiples =
        state->eval_every > 0 ? last / state->eval_every - start / state->eval_every : 0;
    return multiples + (ended ? 1 : 0);
}

void eg_trial_count(eg_trial_state *state)
{
    state->steps = 0;
    state->evals = 0;
    for (size_t phase = 0; phase < state->stream->shape.phases; phase++) {
        size_t steps = eg_stream_steps(state->stream, phase);
        state->evals += evaluations(state, state->steps, steps, steps);
        state->steps += steps;
    }
}

bool eg_trial_evaluation_due(const eg_trial_state *state)
{
    return state->phase_step == eg_stream_steps(state->stream, state->phase) ||
           (state->eval_every > 0 && state->step % state->eval_every == 0);
}

eg_status eg_trial_seek(eg_trial_state *state, uint64_t phase, uint64_t phase_step,
                        unsigned pending)
{
    size_t phases = state->stream->shape.phases;
    size_t steps = phase < phases ? eg_stream_steps(state->stream, (size_t)phase) : 0;
    if (phase_step < 1 || phase_step > steps) {
        return eg_fail(EG_INVALID, "minibatch %llu of phase %llu does not exist",
                       (unsigned long long)phase_step, (unsigned long long)phase);
    }
    state->step = 0;
    state->eval = 0;
    for (state->phase = 0; state->phase < phase; state->phase++) {
        size_t all = eg_stream_steps(state->stream, state->phase);
        state->eval += evaluations(state, state->step, all, all);
        state->step += all;
    }
    state->phase_step = (size_t)phase_step;
    state->eval += evaluations(state, state->step, state->phase_step, steps);
    state->step += state->phase_step;
    bool ends = state->phase_step == steps && state->learner->ops->end_phase != NULL;
    if (pending > EG_PENDING_PHASE_END || (pending == EG_PENDING_PHASE_END && !ends) ||
        (pending == EG_PENDING_EVALUATION && !eg_trial_evaluation_due(state))) {
        return eg_fail(EG_INVALID, "%u cannot be pending after minibatch %zu", pending,
                       state->step);
    }
    state->eval -= pending != EG_PENDING_NOTHING ? 1 : 0;
    state->pending = (eg_pending)pending;
    return eg_ok();
}
