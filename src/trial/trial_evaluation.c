/** The evaluations of a running trial, and what measures are told of them. */
#include "trial/trial_state.h"

size_t eg_trial_evaluations(const eg_record *record)
{
    return eg_measure_evaluations(record);
}

bool eg_trial_wanted(void *state)
{
    const eg_trial_state *self = state;
    return self->poll == NULL || self->poll(self->user, &self->progress);
}

eg_moment eg_trial_moment(const eg_trial_state *state)
{
    return (eg_moment){.step = state->step,
                       .examples_seen = state->examples_seen,
                       .phase = state->phase,
                       .eval = state->eval,
                       .examples_evaluated = state->evaluator.examples,
                       .recent_loss = eg_window_mean(&state->losses),
                       .train_seconds = state->train_seconds,
                       .evaluation_seconds = state->evaluation_seconds};
}

/** Evaluates `subset` and tells the measures; *overall: share correct of all examples together. */
static eg_status evaluate(eg_trial_state *state, eg_evaluation *about, eg_eval_tasks tasks)
{
    eg_evaluator *evaluator = &state->evaluator;
    EG_TRY(eg_evaluator_run(evaluator, about->subset, tasks, state->phase, eg_trial_wanted, state,
                            &about->overall));
    about->accuracy = evaluator->accuracy;
    about->nll = evaluator->nll;
    about->activity = evaluator->activity;
    about->examples_of = evaluator->examples_of;
    about->correct_of = evaluator->correct_of;
    const eg_moment now = eg_trial_moment(state);
    return eg_measures_evaluation(&state->measures, &now, about);
}

/** Those of the evaluations that begin and end a trial. */
static eg_eval_tasks outermost(const eg_trial_state *state)
{
    return state->eval_tasks == EG_EVAL_CURRENT_ONLY ? state->eval_tasks : EG_EVAL_ALL;
}

eg_status eg_trial_evaluate_untrained(eg_trial_state *state)
{
    eg_eval_tasks tasks = outermost(state);
    eg_evaluation about = {.subset = EG_SUBSET_TEST, .untrained = true};
    EG_TRY(evaluate(state, &about, tasks));
    if (state->selection.holdout > 0) {
        about.subset = EG_SUBSET_VALIDATION;
        EG_TRY(evaluate(state, &about, tasks));
    }
    return eg_ok();
}

eg_status eg_trial_evaluate(eg_trial_state *state, bool phase_end)
{
    bool last = phase_end && state->step == state->steps;
    eg_eval_tasks tasks = last ? outermost(state) : state->eval_tasks;
    eg_evaluation about = {.subset = EG_SUBSET_TEST, .phase_end = phase_end};
    state->cursor->round = state->eval;
    EG_TRY(evaluate(state, &about, tasks));
    double accuracy = about.overall;
    EG_TRY(eg_learner_measure(state->learner, state->record, state->eval));
    if (state->selection.holdout > 0) {
        about.subset = EG_SUBSET_VALIDATION;
        EG_TRY(evaluate(state, &about, tasks));
    }
    if (state->stream->shape.augments_tests) {
        about.subset = EG_SUBSET_TEST_AUGMENTED;
        EG_TRY(evaluate(state, &about, tasks));
    }
    if (phase_end) {
        const eg_moment now = eg_trial_moment(state);
        EG_TRY(eg_measures_end_phase(&state->measures, &now));
    }
    state->eval++;
    state->progress.accuracy = accuracy;
    return eg_ok();
}
