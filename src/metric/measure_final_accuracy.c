/** Accuracy after the last phase. */
#include "metric/summary_measure.h"

static const eg_variable final_accuracy = {
    .name = "final_accuracy",
    .unit = "1",
    .doc = "share of all test examples classified correctly after the last phase; 1/classes if the "
           "trial diverged",
    .data = "test",
    .chance_if_diverged = true};

static const eg_variable average_accuracy = {
    .name = "average_accuracy",
    .unit = "1",
    .doc = "mean over tasks j of R[T-1,j]; 1/classes if the trial diverged",
    .data = "test",
    .chance_if_diverged = true};

static const eg_variable *const list[] = {&final_accuracy, &average_accuracy, NULL};

static eg_status open(eg_measure *measure, const eg_view *view)
{
    (void)view;
    const eg_summary_field fields[] = {{&final_accuracy, eg_final_accuracy},
                                       {&average_accuracy, eg_average_accuracy}};
    return eg_summary_init((eg_summary_measure *)measure, fields, EG_COUNT(fields));
}

static const eg_measure_ops ops = {EG_SUMMARY_OPS, .evaluation = eg_summary_evaluation};

const eg_measure_kind eg_measure_final_accuracy = {
    .component = {.name = "final_accuracy",
                  .doc = "test accuracy after the last phase, of all examples and of all tasks"},
    .order = 6,
    .variables = list,
    .size = sizeof(eg_summary_measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .open = open,
};
