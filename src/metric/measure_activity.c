/** How many units of each hidden layer are active on the test examples. */
#include "metric/measure_scopes.h"

#include <string.h>

static const eg_variable active_fraction = {
    .name = "active_fraction",
    .dims = {"eval", "layer"},
    .unit = "1",
    .doc = "share of a hidden layer's outputs that are not zero, mean over the evaluated test "
           "examples"};

static const eg_variable *const list[] = {&active_fraction, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *active;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &active_fraction, 0, &((measure *)base)->active);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    size_t layers = base->setup->learner->hidden_layers;
    if (evaluation->subset == EG_SUBSET_TEST && !evaluation->untrained) {
        memcpy(((measure *)base)->active->data + now->eval * layers, evaluation->activity,
               layers * sizeof(double));
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_activity = {
    .component = {.name = "activity",
                  .doc = "share of active units of each hidden layer at each evaluation"},
    .order = 4,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_evaluation,
    .open = open,
};
