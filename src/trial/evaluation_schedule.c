/** When a trial evaluates; counts of minibatches and evaluations from the phase and the place in
 *  it. */
#include "trial/trial_state.h"

#include "engram/memory.h"

/** Minibatches of a phase after which an evaluation is due by epochs; 0: never. */
static size_t epochs_step(const eg_trial_state *state, size_t phase)
{
    return state->eval_epochs * eg_stream_phase(state->stream, phase).steps;
}

/** Evaluations in a phase of `steps` minibatches, the first of which is number `start` of the
 * trial, once `done` of them have been made: one at every multiple of eval_every and after every
 * eval_epochs epochs, one at the end. */
static size_t evaluations(const eg_trial_state *state, size_t phase, size_t start, size_t done,
                          size_t steps)
{
    bool ended = done == steps;
    size_t last = start + done - (ended && done > 0 ? 1 : 0);
    size_t multiples =
        state->eval_every > 0 ? last / state->eval_every - start / state->eval_every : 0;
    size_t by_epochs = epochs_step(state, phase);
    multiples += by_epochs > 0 ? done / by_epochs : 0;
    return multiples + (ended ? 1 : 0);
}

eg_status eg_trial_check_schedule(const eg_view *root)
{
    bool both = eg_view_size(root, "eval.every") > 0 && eg_view_size(root, "eval.epochs") > 0;
    return both ? eg_fail_setting("", "eval.every eval.epochs",
                                  "eval.every = %zu and eval.epochs = %zu; expected one of them, "
                                  "the other 0",
                                  eg_view_size(root, "eval.every"),
                                  eg_view_size(root, "eval.epochs"))
                : eg_ok();
}

eg_status eg_trial_count(eg_trial_state *state)
{
    size_t phases = state->stream->shape.phases;
    EG_TRY(eg_alloc(&state->epochs, phases, sizeof *state->epochs));
    state->steps = 0;
    for (size_t phase = 0; phase < phases; phase++) {
        state->epochs[phase] = (uint32_t)eg_stream_phase(state->stream, phase).epochs;
        state->steps += eg_trial_phase_steps(state, phase);
    }
    state->evals = eg_trial_count_evaluations(state);
    return eg_ok();
}

size_t eg_trial_phase_steps(const eg_trial_state *state, size_t phase)
{
    return eg_stream_phase(state->stream, phase).steps * state->epochs[phase];
}

size_t eg_trial_count_evaluations(const eg_trial_state *state)
{
    size_t start = 0;
    size_t count = 0;
    for (size_t phase = 0; phase < state->stream->shape.phases; phase++) {
        size_t steps = eg_trial_phase_steps(state, phase);
        count += evaluations(state, phase, start, steps, steps);
        start += steps;
    }
    return count;
}

void eg_trial_end_early(eg_trial_state *state)
{
    size_t epoch = eg_stream_phase(state->stream, state->phase).steps;
    state->steps -= eg_trial_phase_steps(state, state->phase) - state->phase_step;
    state->epochs[state->phase] = (uint32_t)(state->phase_step / epoch);
}

static bool due_by_epochs(const eg_trial_state *state)
{
    size_t every = epochs_step(state, state->phase);
    return every > 0 && state->phase_step % every == 0;
}

bool eg_trial_evaluation_due(const eg_trial_state *state)
{
    return state->phase_step == eg_trial_phase_steps(state, state->phase) ||
           (state->eval_every > 0 && state->step % state->eval_every == 0) || due_by_epochs(state);
}

bool eg_trial_last_epoch_due(const eg_trial_state *state)
{
    return state->phase_step == eg_trial_phase_steps(state, state->phase) && due_by_epochs(state);
}

/** Whether the phases up to `phase` can have ended after so many epochs; takes the rest off the
 *  steps. */
static bool epochs_are_possible(eg_trial_state *state, size_t phase)
{
    bool possible = true;
    for (size_t p = 0; p <= phase && possible; p++) {
        eg_phase about = eg_stream_phase(state->stream, p);
        uint32_t made = state->epochs[p];
        possible = made >= 1 && made <= about.epochs &&
                   (made == about.epochs || state->learner->ops->end_epoch != NULL);
        state->steps -= possible ? (about.epochs - made) * about.steps : 0;
    }
    return possible;
}

static bool can_be_pending(const eg_trial_state *state, unsigned pending)
{
    const eg_learner_ops *ops = state->learner->ops;
    bool epoch_ends = state->phase_step % eg_stream_phase(state->stream, state->phase).steps == 0;
    bool phase_ends = state->phase_step == eg_trial_phase_steps(state, state->phase);
    if (state->phase_step == 0) {
        return pending == EG_PENDING_NOTHING;
    }
    switch (pending) {
    case EG_PENDING_NOTHING:
        return true;
    case EG_PENDING_EVALUATION:
        return eg_trial_evaluation_due(state);
    case EG_PENDING_PHASE_END:
        return phase_ends && ops->end_phase != NULL;
    case EG_PENDING_EPOCH_END:
        return epoch_ends && ops->end_epoch != NULL;
    case EG_PENDING_LAST_EPOCH:
        return eg_trial_last_epoch_due(state);
    default:
        return false;
    }
}

eg_status eg_trial_seek(eg_trial_state *state, uint64_t phase, uint64_t phase_step,
                        unsigned pending)
{
    bool possible =
        phase < state->stream->shape.phases && epochs_are_possible(state, (size_t)phase);
    size_t steps = possible ? eg_trial_phase_steps(state, (size_t)phase) : 0;
    if (!possible || phase + phase_step < 1 || phase_step > steps) {
        return eg_fail(EG_INVALID, "minibatch %llu of phase %llu does not exist",
                       (unsigned long long)phase_step, (unsigned long long)phase);
    }
    state->step = 0;
    state->eval = 0;
    for (state->phase = 0; state->phase < phase; state->phase++) {
        size_t all = eg_trial_phase_steps(state, state->phase);
        state->eval += evaluations(state, state->phase, state->step, all, all);
        state->step += all;
    }
    state->phase_step = (size_t)phase_step;
    state->eval += evaluations(state, state->phase, state->step, state->phase_step, steps);
    state->step += state->phase_step;
    if (!can_be_pending(state, pending)) {
        return eg_fail(EG_INVALID, "%u cannot be pending after minibatch %zu", pending,
                       state->step);
    }
    state->eval -= pending != EG_PENDING_NOTHING && eg_trial_evaluation_due(state) ? 1 : 0;
    bool before_last = pending == EG_PENDING_EPOCH_END || pending == EG_PENDING_LAST_EPOCH;
    state->eval -= before_last && eg_trial_last_epoch_due(state) ? 1 : 0;
    state->pending = (eg_pending)pending;
    return eg_ok();
}
