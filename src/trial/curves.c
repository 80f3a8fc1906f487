/** Filling the curves of a running trial. */
#include "trial/run.h"

#include <math.h>

typedef enum axis { NO_AXIS, BY_EVAL, BY_TASK, BY_LAYER, BY_TRAIN_TASK, BY_EVAL_TASK } axis;

static eg_status declare(eg_run *run, eg_core_variable which, axis first, axis second)
{
    const eg_stream_shape *shape = &run->stream->shape;
    const size_t length[] = {
        [NO_AXIS] = 0,
        [BY_EVAL] = run->evals,
        [BY_TASK] = shape->tasks,
        [BY_LAYER] = run->learner->hidden_layers,
        [BY_TRAIN_TASK] = shape->phases,
        [BY_EVAL_TASK] = shape->tasks,
    };
    const size_t extent[EG_RANK_MAX] = {length[first], length[second]};
    return eg_record_declare(run->record, &eg_core_variables[which], extent, &run->array[which]);
}

eg_status eg_run_declare(eg_run *run)
{
    EG_TRY(declare(run, EG_VAR_STEP, BY_EVAL, NO_AXIS));
    EG_TRY(declare(run, EG_VAR_EXAMPLES_SEEN, BY_EVAL, NO_AXIS));
    EG_TRY(declare(run, EG_VAR_PHASE, BY_EVAL, NO_AXIS));
    EG_TRY(declare(run, EG_VAR_LOSS, BY_EVAL, NO_AXIS));
    EG_TRY(declare(run, EG_VAR_ACCURACY, BY_EVAL, NO_AXIS));
    EG_TRY(declare(run, EG_VAR_TASK_ACCURACY, BY_EVAL, BY_TASK));
    EG_TRY(declare(run, EG_VAR_ACTIVE_FRACTION, BY_EVAL, BY_LAYER));
    EG_TRY(declare(run, EG_VAR_ACCURACY_MATRIX, BY_TRAIN_TASK, BY_EVAL_TASK));
    if (run->selection.holdout > 0) {
        EG_TRY(declare(run, EG_VAR_VALIDATION_ACCURACY, BY_EVAL, NO_AXIS));
        EG_TRY(declare(run, EG_VAR_VALIDATION_MATRIX, BY_TRAIN_TASK, BY_EVAL_TASK));
    }
    if (run->untrained) {
        EG_TRY(declare(run, EG_VAR_UNTRAINED_ACCURACY, BY_TASK, NO_AXIS));
    }
    if (run->untrained && run->selection.holdout > 0) {
        EG_TRY(declare(run, EG_VAR_VALIDATION_UNTRAINED, BY_TASK, NO_AXIS));
    }
    if (run->learner->ops->declare != NULL) {
        EG_TRY(run->learner->ops->declare(run->learner, run->record, run->evals));
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

static void set(eg_run *run, eg_core_variable which, double value)
{
    run->array[which]->data[run->eval] = value;
}

/** Copies the evaluator's accuracies into row `row` of a matrix over (*, task). */
static void set_tasks(eg_run *run, eg_core_variable which, size_t row)
{
    size_t tasks = run->stream->shape.tasks;
    for (size_t t = 0; t < tasks; t++) {
        run->array[which]->data[row * tasks + t] = run->evaluator.accuracy[t];
    }
}

bool eg_run_wanted(void *run)
{
    const eg_run *self = run;
    return self->poll == NULL || self->poll(self->user, &self->progress);
}

eg_status eg_run_evaluate_untrained(eg_run *run)
{
    double overall = (double)NAN;
    EG_TRY(eg_evaluator_run(&run->evaluator, EG_PART_TEST, EG_EVAL_ALL, 0, eg_run_wanted, run,
                            &overall));
    set_tasks(run, EG_VAR_UNTRAINED_ACCURACY, 0);
    if (run->selection.holdout > 0) {
        EG_TRY(eg_evaluator_run(&run->evaluator, EG_PART_VALIDATION, EG_EVAL_ALL, 0, eg_run_wanted,
                                run, &overall));
        set_tasks(run, EG_VAR_VALIDATION_UNTRAINED, 0);
    }
    return eg_ok();
}

static eg_status evaluate_part(eg_run *run, eg_part part, double *overall)
{
    bool last = run->step == run->steps;
    return eg_evaluator_run(&run->evaluator, part, last ? EG_EVAL_ALL : run->eval_tasks, run->phase,
                            eg_run_wanted, run, overall);
}

eg_status eg_run_evaluate(eg_run *run, bool phase_end)
{
    double accuracy = (double)NAN;
    EG_TRY(evaluate_part(run, EG_PART_TEST, &accuracy));
    set(run, EG_VAR_STEP, (double)run->step);
    set(run, EG_VAR_EXAMPLES_SEEN, (double)run->examples_seen);
    set(run, EG_VAR_PHASE, (double)run->phase);
    set(run, EG_VAR_LOSS, eg_window_mean(&run->losses));
    set(run, EG_VAR_ACCURACY, accuracy);
    set_tasks(run, EG_VAR_TASK_ACCURACY, run->eval);
    size_t layers = run->learner->hidden_layers;
    for (size_t i = 0; i < layers; i++) {
        run->array[EG_VAR_ACTIVE_FRACTION]->data[run->eval * layers + i] =
            run->evaluator.activity[i];
    }
    if (phase_end) {
        set_tasks(run, EG_VAR_ACCURACY_MATRIX, run->phase);
    }
    if (run->learner->ops->measure != NULL) {
        EG_TRY(run->learner->ops->measure(run->learner, run->record, run->eval));
    }
    if (run->selection.holdout > 0) {
        double held_out = (double)NAN;
        EG_TRY(evaluate_part(run, EG_PART_VALIDATION, &held_out));
        set(run, EG_VAR_VALIDATION_ACCURACY, held_out);
        if (phase_end) {
            set_tasks(run, EG_VAR_VALIDATION_MATRIX, run->phase);
        }
    }
    run->eval++;
    run->progress.accuracy = accuracy;
    return eg_ok();
}
