/** Test accuracy over all tasks together. */
#include "metric/measure_scopes.h"

static const eg_variable accuracy = {
    .name = "accuracy",
    .dims = {"eval"},
    .unit = "1",
    .doc = "share of all test examples classified correctly, all tasks together"};

static const eg_variable *const list[] = {&accuracy, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *accuracy;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &accuracy, 0, &((measure *)base)->accuracy);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (evaluation->subset == EG_SUBSET_TEST && !evaluation->untrained) {
        ((measure *)base)->accuracy->data[now->eval] = evaluation->overall;
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_accuracy = {
    .component = {.name = "accuracy", .doc = "test accuracy over all tasks at each evaluation"},
    .order = 2,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .open = open,
};
