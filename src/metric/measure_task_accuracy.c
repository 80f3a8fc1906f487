/** Test accuracy on each task at each evaluation. */
#include "metric/measure_scopes.h"

static const eg_variable task_accuracy = {
    .name = "task_accuracy",
    .dims = {"eval", "task"},
    .unit = "1",
    .doc = "share of a task's test examples classified correctly"};

static const eg_variable *const list[] = {&task_accuracy, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *accuracy;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &task_accuracy, 0, &((measure *)base)->accuracy);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (evaluation->subset == EG_SUBSET_TEST && !evaluation->untrained) {
        eg_measure_set_tasks(base, ((measure *)base)->accuracy, now->eval, evaluation->accuracy);
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_task_accuracy = {
    .component = {.name = "task_accuracy",
                  .doc =
                      "test accuracy on each task at each evaluation; by default up to 1000 tasks"},
    .order = 3,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .by_default = eg_measure_has_few_tasks,
    .open = open,
};
