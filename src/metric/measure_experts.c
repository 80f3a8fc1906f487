/** How busy the experts of Switch layers are, at each evaluation, since the start of the trial:
 *
 *      expert_load_largest[e, l]    share of the tokens of Switch layer l that chose its busiest
 *      expert_load_smallest[e, l]   expert, and the least busy one; 1/experts is balance
 *      dropped_tokens[e, l]         share that came when their expert had enough
 *
 *  Means over the learner's networks. An expert that came later has had fewer tokens: of learners
 *  that grow, the smallest says when. */
#include "engram/measure.h"
#include "nn/shared/switch_layers.h"

#include <string.h>

enum { LARGEST, SMALLEST, DROPPED, CURVES };

static const eg_variable variables[CURVES] = {
    [LARGEST] = {.name = "expert_load_largest",
                 .dims = {"eval", "switch_layer"},
                 .unit = "1",
                 .doc = "share of the training tokens so far that chose the busiest expert of each "
                        "Switch layer"},
    [SMALLEST] = {.name = "expert_load_smallest",
                  .dims = {"eval", "switch_layer"},
                  .unit = "1",
                  .doc = "the same of the expert that was chosen least"},
    [DROPPED] = {.name = "dropped_tokens",
                 .dims = {"eval", "switch_layer"},
                 .unit = "1",
                 .doc = "share of the training tokens so far that passed each Switch layer by, as "
                        "their expert had enough"},
};

static const eg_variable *const list[] = {&variables[LARGEST], &variables[SMALLEST],
                                          &variables[DROPPED], NULL};

typedef struct experts {
    eg_measure base;
    size_t layers;
    eg_array *array[CURVES];
} experts;

static const char *lacks(const eg_measure_scope *scope)
{
    const eg_view model = eg_view_inside(scope->root, "model");
    const char *name = eg_view_component(scope->root, "model")->name;
    return strcmp(name, "switch_transformer") == 0 && eg_view_size(&model, "experts") > 1
               ? NULL
               : "a model with Switch layers: switch_transformer with several experts";
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    experts *self = (experts *)measure;
    eg_learner *learner = measure->setup->learner;
    eg_learner_network network;
    (void)view;
    if (learner->ops->network != NULL && learner->ops->network(learner, 0, &network)) {
        self->layers = eg_switch_layer_count(network.net);
    }
    if (self->layers == 0) {
        return eg_fail_setting("", "measures model.mixtures",
                               "measure experts: the network has no Switch layer");
    }
    for (size_t i = 0; i < CURVES; i++) {
        EG_TRY(eg_measure_declare(measure, &variables[i], self->layers, &self->array[i]));
    }
    return eg_ok();
}

/* The shares of one layer; NaN where nothing was learned. */
static void share(const eg_switch_layer *layer, double out[CURVES])
{
    double all = 0;
    double largest = layer->load[0];
    double smallest = layer->load[0];
    double dropped = 0;
    for (size_t e = 0; e < layer->experts; e++) {
        all += layer->load[e];
        dropped += layer->dropped[e];
        largest = layer->load[e] > largest ? layer->load[e] : largest;
        smallest = layer->load[e] < smallest ? layer->load[e] : smallest;
    }
    out[LARGEST] = largest / all;
    out[SMALLEST] = smallest / all;
    out[DROPPED] = dropped / all;
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    experts *self = (experts *)measure;
    eg_learner *learner = measure->setup->learner;
    if (evaluation->subset != EG_SUBSET_TEST || evaluation->untrained) {
        return eg_ok();
    }
    for (size_t l = 0; l < self->layers; l++) {
        eg_learner_network network;
        double sum[CURVES] = {0};
        double networks = 0;
        for (size_t i = 0; learner->ops->network(learner, i, &network); i++) {
            const eg_switch_layer layer = eg_switch_layer_at(network.net, l);
            double of_one[CURVES];
            share(&layer, of_one);
            for (size_t c = 0; c < CURVES; c++) {
                sum[c] += of_one[c];
            }
            networks++;
        }
        for (size_t c = 0; c < CURVES; c++) {
            self->array[c]->data[now->eval * self->layers + l] = sum[c] / networks;
        }
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_experts = {
    .component = {.name = "experts",
                  .doc = "how busy experts of Switch layers are, and tokens they have no room for",
                  .source = "Fedus, Zoph and Shazeer 2022, arXiv 2101.03961"},
    .variables = list,
    .size = sizeof(experts),
    .ops = &ops,
    .lacks = lacks,
    .open = open,
};
