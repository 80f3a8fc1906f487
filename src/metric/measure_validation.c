/** Accuracy on the held-out training examples. */
#include "metric/measure_scopes.h"

enum { ACCURACY, MATRIX, COUNT };

static const eg_variable variables[] = {
    [ACCURACY] = {.name = "validation_accuracy",
                  .dims = {"eval"},
                  .unit = "1",
                  .doc = "share of all held-out training examples classified correctly"},
    [MATRIX] = {.name = "validation_matrix",
                .dims = {"train_task", "eval_task"},
                .unit = "1",
                .doc = "accuracy on the held-out examples of task j after learning phase i"},
};

static const eg_variable *const list[] = {&variables[ACCURACY], &variables[MATRIX], NULL};

typedef struct measure {
    eg_measure base;
    eg_array *array[COUNT]; /* NULL where not recorded */
} measure;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return variable != &variables[MATRIX] || eg_measure_has_few_tasks(scope);
}

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    (void)view;
    for (size_t i = 0; i < COUNT; i++) {
        if (records(&base->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(base, &variables[i], 0, &self->array[i]));
        }
    }
    return eg_ok();
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    measure *self = (measure *)base;
    if (evaluation->subset != EG_SUBSET_VALIDATION || evaluation->untrained) {
        return eg_ok();
    }
    self->array[ACCURACY]->data[now->eval] = evaluation->overall;
    if (evaluation->phase_end && self->array[MATRIX] != NULL) {
        eg_measure_set_tasks(base, self->array[MATRIX], now->phase, evaluation->accuracy);
    }
    return eg_ok();
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->held_out ? eg_lacks_accuracy(scope) : "a protocol that holds examples out";
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_validation = {
    .component = {.name = "validation",
                  .doc = "accuracy on held-out training examples, of all and (up to 1000 tasks) of "
                         "every task after every phase"},
    .order = 12,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = lacks,
    .records = records,
    .open = open,
};
