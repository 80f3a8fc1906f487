/** Accuracy on each task right after it was learned: whether a learner still can learn.
 *
 *      learning_accuracy[i]     R[i,i], test accuracy on task i after phase i
 *      mean_learning_accuracy   mean_i R[i,i] */
#include "metric/measure_scopes.h"

#include <math.h>

static const eg_variable learning_accuracy = {
    .name = "learning_accuracy",
    .dims = {"train_task"},
    .unit = "1",
    .doc = "R[i,i]: test accuracy on task i right after phase i taught it"};

static const eg_variable mean_learning_accuracy = {
    .name = "mean_learning_accuracy",
    .unit = "1",
    .doc = "mean over phases i of R[i,i] (Riemer et al. 2019)",
    .data = "test"};

static const eg_variable *const list[] = {&learning_accuracy, &mean_learning_accuracy, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *accuracy;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &learning_accuracy, 0, &((measure *)base)->accuracy);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (evaluation->phase_end && evaluation->subset == EG_SUBSET_TEST) {
        ((measure *)base)->accuracy->data[now->phase] = evaluation->accuracy[now->phase];
    }
    return eg_ok();
}

static eg_status end_trial(eg_measure *base, const eg_moment *now)
{
    const eg_array *accuracy = ((measure *)base)->accuracy;
    double sum = 0;
    for (size_t i = 0; i < accuracy->count; i++) {
        sum += accuracy->data[i];
    }
    double mean = now->diverged ? (double)NAN : sum / (double)accuracy->count;
    return eg_record_scalar(base->setup->record, &mean_learning_accuracy, mean);
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->phases == scope->tasks ? eg_lacks_accuracy(scope)
                                         : "a stream whose phases are tasks";
}

static const eg_measure_ops ops = {.evaluation = evaluation, .end_trial = end_trial};

const eg_measure_kind eg_measure_learning = {
    .component = {.name = "learning",
                  .doc = "test accuracy on each task right after it was learned",
                  .source = "Riemer et al. 2019, arXiv 1810.11910"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = lacks,
    .open = open,
};
