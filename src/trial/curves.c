/** Filling the curves of a running trial. */
#include "trial/trial_state.h"

#include <math.h>

typedef enum axis { NO_AXIS, BY_EVAL, BY_TASK, BY_LAYER, BY_TRAIN_TASK, BY_EVAL_TASK } axis;

static eg_status declare(eg_trial_state *state, eg_core_variable which, axis first, axis second)
{
    const eg_stream_shape *shape = &state->stream->shape;
    const size_t length[] = {
        [NO_AXIS] = 0,
        [BY_EVAL] = state->evals,
        [BY_TASK] = shape->tasks,
        [BY_LAYER] = state->learner->hidden_layers,
        [BY_TRAIN_TASK] = shape->phases,
        [BY_EVAL_TASK] = shape->tasks,
    };
    const size_t extent[EG_RANK_MAX] = {length[first], length[second]};
    return eg_record_declare(state->record, &eg_core_variables[which], extent,
                             &state->array[which]);
}

eg_status eg_trial_declare(eg_trial_state *state)
{
    EG_TRY(declare(state, EG_VAR_STEP, BY_EVAL, NO_AXIS));
    EG_TRY(declare(state, EG_VAR_EXAMPLES_SEEN, BY_EVAL, NO_AXIS));
    EG_TRY(declare(state, EG_VAR_PHASE, BY_EVAL, NO_AXIS));
    EG_TRY(declare(state, EG_VAR_LOSS, BY_EVAL, NO_AXIS));
    EG_TRY(declare(state, EG_VAR_ACCURACY, BY_EVAL, NO_AXIS));
    EG_TRY(declare(state, EG_VAR_TASK_ACCURACY, BY_EVAL, BY_TASK));
    EG_TRY(declare(state, EG_VAR_ACTIVE_FRACTION, BY_EVAL, BY_LAYER));
    EG_TRY(declare(state, EG_VAR_ACCURACY_MATRIX, BY_TRAIN_TASK, BY_EVAL_TASK));
    if (state->selection.holdout > 0) {
        EG_TRY(declare(state, EG_VAR_VALIDATION_ACCURACY, BY_EVAL, NO_AXIS));
        EG_TRY(declare(state, EG_VAR_VALIDATION_MATRIX, BY_TRAIN_TASK, BY_EVAL_TASK));
    }
    if (state->untrained) {
        EG_TRY(declare(state, EG_VAR_UNTRAINED_ACCURACY, BY_TASK, NO_AXIS));
    }
    if (state->untrained && state->selection.holdout > 0) {
        EG_TRY(declare(state, EG_VAR_VALIDATION_UNTRAINED, BY_TASK, NO_AXIS));
    }
    if (state->learner->ops->declare != NULL) {
        EG_TRY(state->learner->ops->declare(state->learner, state->record, state->evals));
    }
    return eg_ok();
}

size_t eg_trial_evaluations(const eg_record *record)
{
    const eg_array *step = eg_record_find(record, eg_core_variables[EG_VAR_STEP].name);
    size_t count = step == NULL ? 0 : step->count;
    while (count > 0 && isnan(step->data[count - 1])) {
        count--;
    }
    return count;
}

static void set(eg_trial_state *state, eg_core_variable which, double value)
{
    state->array[which]->data[state->eval] = value;
}

/** Copies the evaluator's accuracies into row `row` of a matrix over (*, task). */
static void set_tasks(eg_trial_state *state, eg_core_variable which, size_t row)
{
    size_t tasks = state->stream->shape.tasks;
    for (size_t t = 0; t < tasks; t++) {
        state->array[which]->data[row * tasks + t] = state->evaluator.accuracy[t];
    }
}

bool eg_trial_wanted(void *state)
{
    const eg_trial_state *self = state;
    return self->poll == NULL || self->poll(self->user, &self->progress);
}

eg_status eg_trial_evaluate_untrained(eg_trial_state *state)
{
    double overall = (double)NAN;
    EG_TRY(eg_evaluator_run(&state->evaluator, EG_SUBSET_TEST, EG_EVAL_ALL, 0, eg_trial_wanted,
                            state, &overall));
    set_tasks(state, EG_VAR_UNTRAINED_ACCURACY, 0);
    if (state->selection.holdout > 0) {
        EG_TRY(eg_evaluator_run(&state->evaluator, EG_SUBSET_VALIDATION, EG_EVAL_ALL, 0,
                                eg_trial_wanted, state, &overall));
        set_tasks(state, EG_VAR_VALIDATION_UNTRAINED, 0);
    }
    return eg_ok();
}

static eg_status evaluate_part(eg_trial_state *state, eg_subset subset, double *overall)
{
    bool last = state->step == state->steps;
    return eg_evaluator_run(&state->evaluator, subset, last ? EG_EVAL_ALL : state->eval_tasks,
                            state->phase, eg_trial_wanted, state, overall);
}

eg_status eg_trial_evaluate(eg_trial_state *state, bool phase_end)
{
    double accuracy = (double)NAN;
    EG_TRY(evaluate_part(state, EG_SUBSET_TEST, &accuracy));
    set(state, EG_VAR_STEP, (double)state->step);
    set(state, EG_VAR_EXAMPLES_SEEN, (double)state->examples_seen);
    set(state, EG_VAR_PHASE, (double)state->phase);
    set(state, EG_VAR_LOSS, eg_window_mean(&state->losses));
    set(state, EG_VAR_ACCURACY, accuracy);
    set_tasks(state, EG_VAR_TASK_ACCURACY, state->eval);
    size_t layers = state->learner->hidden_layers;
    for (size_t i = 0; i < layers; i++) {
        state->array[EG_VAR_ACTIVE_FRACTION]->data[state->eval * layers + i] =
            state->evaluator.activity[i];
    }
    if (phase_end) {
        set_tasks(state, EG_VAR_ACCURACY_MATRIX, state->phase);
    }
    if (state->learner->ops->measure != NULL) {
        EG_TRY(state->learner->ops->measure(state->learner, state->record, state->eval));
    }
    if (state->selection.holdout > 0) {
        double held_out = (double)NAN;
        EG_TRY(evaluate_part(state, EG_SUBSET_VALIDATION, &held_out));
        set(state, EG_VAR_VALIDATION_ACCURACY, held_out);
        if (phase_end) {
            set_tasks(state, EG_VAR_VALIDATION_MATRIX, state->phase);
        }
    }
    state->eval++;
    state->progress.accuracy = accuracy;
    return eg_ok();
}
