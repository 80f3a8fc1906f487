/** How well the classes of the phase under way are told apart, while the phase lasts: accuracy on
 *  its own task at every evaluation, as every evaluation covers it. With eval.epochs = 1 these are
 *  epochs. */
#include "metric/measure_scopes.h"

enum { COUNT = EG_SUBSET_TEST_AUGMENTED + 1 };

/* By subset. */
static const eg_variable variables[COUNT] = {
    [EG_SUBSET_TEST] = {.name = "phase_accuracy",
                        .dims = {"eval"},
                        .unit = "1",
                        .doc = "test accuracy on the task of the phase under way"},
    [EG_SUBSET_VALIDATION] = {.name = "phase_validation_accuracy",
                              .dims = {"eval"},
                              .unit = "1",
                              .doc = "accuracy on the held-out examples of the task of the phase "
                                     "under way"},
    [EG_SUBSET_TEST_AUGMENTED] = {.name = "phase_augmented_accuracy",
                                  .dims = {"eval"},
                                  .unit = "1",
                                  .doc = "accuracy on the augmented test examples of the task of "
                                         "the phase under way, anew at every evaluation"},
};

static const eg_variable *const list[] = {&variables[EG_SUBSET_TEST],
                                          &variables[EG_SUBSET_VALIDATION],
                                          &variables[EG_SUBSET_TEST_AUGMENTED], NULL};

typedef struct measure {
    eg_measure base;
    eg_array *array[COUNT]; /* by subset; NULL where not recorded */
} measure;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return (variable != &variables[EG_SUBSET_VALIDATION] || scope->held_out) &&
           (variable != &variables[EG_SUBSET_TEST_AUGMENTED] || scope->augments_tests);
}

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    (void)view;
    for (size_t i = 0; i < COUNT; i++) {
        if (variables[i].name != NULL && records(&base->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(base, &variables[i], 0, &self->array[i]));
        }
    }
    return eg_ok();
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (!evaluation->untrained) {
        eg_array *array = ((measure *)base)->array[evaluation->subset];
        array->data[now->eval] = evaluation->accuracy[now->phase];
    }
    return eg_ok();
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->phases == scope->tasks ? eg_lacks_accuracy(scope)
                                         : "a stream whose phases are tasks";
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_phase_accuracy = {
    .component = {.name = "phase_accuracy",
                  .doc = "accuracy on the task of the phase under way at each evaluation, on test, "
                         "held-out and augmented test examples"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = lacks,
    .records = records,
    .open = open,
};
