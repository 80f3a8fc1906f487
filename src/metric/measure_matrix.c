/** Accuracy on every task after every phase. */
#include "metric/measure_scopes.h"

static const eg_variable accuracy_matrix = {
    .name = "accuracy_matrix",
    .dims = {"train_task", "eval_task"},
    .unit = "1",
    .doc = "R[i,j]: test accuracy on task j after learning phase i"};

static const eg_variable *const list[] = {&accuracy_matrix, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *matrix;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &accuracy_matrix, 0, &((measure *)base)->matrix);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (evaluation->subset == EG_SUBSET_TEST && evaluation->phase_end) {
        eg_measure_set_tasks(base, ((measure *)base)->matrix, now->phase, evaluation->accuracy);
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_matrix = {
    .component = {.name = "matrix",
                  .doc =
                      "test accuracy on every task after every phase; by default up to 1000 tasks"},
    .order = 5,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .by_default = eg_measure_has_few_tasks,
    .open = open,
};
