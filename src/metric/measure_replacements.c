/** Units that the learner replaced or reset, per hidden layer.
 *
 *      replaced_units[e, l]   of hidden layer l of all its networks, since the start of the trial,
 *                             at evaluation e; NaN of learners that replace none */
#include "engram/measure.h"

#include <math.h>
#include <string.h>

static const eg_variable replaced_units = {
    .name = "replaced_units",
    .dims = {"eval", "layer"},
    .unit = "1",
    .doc = "units of each hidden layer that were replaced or reset since the start, at each "
           "evaluation"};

static const eg_variable *const list[] = {&replaced_units, NULL};

typedef struct replacements {
    eg_measure base;
    eg_array *units;
} replacements;

static eg_status open(eg_measure *measure, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(measure, &replaced_units, 0, &((replacements *)measure)->units);
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    const eg_learner *learner = measure->setup->learner;
    size_t layers = learner->hidden_layers;
    if (evaluation->subset != EG_SUBSET_TEST || evaluation->untrained || layers == 0) {
        return eg_ok();
    }
    double *row = ((replacements *)measure)->units->data + now->eval * layers;
    memset(row, 0, layers * sizeof *row);
    bool replaces = eg_learner_replaced(learner, row);
    for (size_t h = 0; h < layers && !replaces; h++) {
        row[h] = (double)NAN;
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_replacements = {
    .component = {.name = "replacements",
                  .doc = "units that the learner replaced in each hidden layer, at each evaluation",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7"},
    .variables = list,
    .size = sizeof(replacements),
    .ops = &ops,
    .open = open,
};
