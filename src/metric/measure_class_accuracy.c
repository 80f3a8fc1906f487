/** Test accuracy on every class after every phase.
 *
 *      A[i,c]   share correct of the test examples with label c, in all tasks together that the
 *               evaluation at the end of phase i covers; NaN if there are none
 *
 *  Only on request: [phases, outputs] is large where there are many of both. */
#include "metric/measure_scopes.h"

#include <math.h>

static const eg_variable class_accuracy = {
    .name = "class_accuracy",
    .dims = {"train_task", "class"},
    .unit = "1",
    .doc = "A[i,c]: share of the test examples with label c classified correctly after learning "
           "phase i"};

static const eg_variable *const list[] = {&class_accuracy, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *accuracy; /* [phases, outputs] */
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &class_accuracy, base->setup->stream->shape.outputs,
                              &((measure *)base)->accuracy);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    if (evaluation->subset != EG_SUBSET_TEST || !evaluation->phase_end) {
        return eg_ok();
    }
    size_t classes = base->setup->stream->shape.outputs;
    double *row = ((measure *)base)->accuracy->data + now->phase * classes;
    for (size_t c = 0; c < classes; c++) {
        size_t examples = evaluation->examples_of[c];
        row[c] = examples > 0 ? (double)evaluation->correct_of[c] / (double)examples : (double)NAN;
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_class_accuracy = {
    .component = {.name = "class_accuracy",
                  .doc = "test accuracy on every class after every phase, over all tasks that "
                         "eval.tasks covers; NaN for classes that none of them has"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .open = open,
};
