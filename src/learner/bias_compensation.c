/** Which bias goes with which weight; see learner/bias_compensation.h. */
#include "learner/bias_compensation.h"

#include "engram/memory.h"
#include "engram/units.h"

/* The place of the bias of output `unit` of a node; SIZE_MAX: there is none. */
static size_t bias_of(const eg_node *node, size_t unit)
{
    const eg_layer *layer = &node->layer;
    eg_unit_run run;
    for (size_t k = 0; layer->ops->unit_run(layer, EG_UNIT_INCOMING, unit, k, &run); k++) {
        if (layer->blocks[run.block].role == EG_ROLE_BIAS) {
            return node->offset[run.block] + run.first;
        }
    }
    return SIZE_MAX;
}

static eg_status note_biases(eg_compensation *compensation, const eg_node *node)
{
    const eg_layer *layer = &node->layer;
    for (size_t unit = 0; unit < layer->out.channels; unit++) {
        size_t bias = bias_of(node, unit);
        eg_unit_run run;
        if (bias == SIZE_MAX) {
            return eg_fail(EG_INVALID, "bias_compensation: layer %s has no biases", node->name);
        }
        for (size_t k = 0; layer->ops->unit_run(layer, EG_UNIT_INCOMING, unit, k, &run); k++) {
            for (size_t i = 0; i < run.count; i++) {
                compensation->bias[node->offset[run.block] + run.first + i * run.stride] = bias;
            }
        }
    }
    return eg_ok();
}

eg_status eg_compensation_init(eg_compensation *compensation, eg_net *net)
{
    *compensation = (eg_compensation){.net = net};
    EG_TRY(eg_alloc(&compensation->bias, net->param_count, sizeof *compensation->bias));
    for (size_t h = 0; h < net->hidden_count; h++) {
        if (net->hidden[h].reader != EG_INPUT) {
            EG_TRY(note_biases(compensation, &net->nodes[net->hidden[h].reader]));
        }
    }
    return eg_ok();
}

void eg_compensation_clear(eg_compensation *compensation)
{
    eg_free(compensation->bias);
}

void eg_compensation_add(const eg_compensation *compensation, size_t hidden, size_t unit,
                         eg_real mean)
{
    eg_real *params = compensation->net->params;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(compensation->net, hidden, EG_UNIT_OUTGOING, unit, k, &run);
         k++) {
        for (size_t i = 0; i < run.count; i++) {
            size_t at = run.first + i * run.stride;
            params[compensation->bias[at]] += params[at] * mean;
        }
    }
}
