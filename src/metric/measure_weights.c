/** How large the weights are: mean |w| over all weights of the learner's networks, without biases
 * and what normalisations learn. */
#include "engram/measure.h"
#include "engram/net.h"

#include <math.h>

static const eg_variable mean_abs_weight = {
    .name = "mean_abs_weight",
    .dims = {"eval"},
    .unit = "1",
    .doc = "mean |w| over the weights of all networks, without biases, scales and shifts"};

static const eg_variable *const list[] = {&mean_abs_weight, NULL};

typedef struct weights {
    eg_measure base;
    eg_array *mean;
} weights;

static eg_status open(eg_measure *measure, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(measure, &mean_abs_weight, 0, &((weights *)measure)->mean);
}

/** Adds those of one network; what pads a block is 0. */
static void add(const eg_net *net, double *sum, double *count)
{
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        for (size_t i = 0; block->role == EG_ROLE_WEIGHT && i < block->count; i++) {
            *sum += fabs((double)net->params[block->offset + i]);
        }
    }
    *count += (double)eg_parameter_table_size(&net->table, EG_ROLE_WEIGHT);
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    const eg_learner *learner = measure->setup->learner;
    eg_learner_network network;
    double sum = 0;
    double count = 0;
    if (evaluation->subset != EG_SUBSET_TEST || evaluation->untrained ||
        learner->ops->network == NULL) {
        return eg_ok();
    }
    for (size_t i = 0; learner->ops->network(measure->setup->learner, i, &network); i++) {
        add(network.net, &sum, &count);
    }
    if (count > 0) {
        ((weights *)measure)->mean->data[now->eval] = sum / count;
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_weights = {
    .component = {.name = "weights",
                  .doc = "mean absolute weight at each evaluation",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7"},
    .variables = list,
    .size = sizeof(weights),
    .ops = &ops,
    .open = open,
};
