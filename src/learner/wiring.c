/** The units at both ends of every parameter; see learner/wiring.h. */
#include "learner/wiring.h"

#include "engram/memory.h"
#include "engram/units.h"

#include <string.h>

static bool is_chain(size_t count, const eg_node *nodes)
{
    bool chain = true;
    for (size_t i = 0; i < count; i++) {
        size_t before = i == 0 ? EG_INPUT : i - 1;
        chain =
            chain && nodes[i].read_count == 1 && nodes[i].reads[0] == before && !nodes[i].shared;
    }
    return chain;
}

static const char *layer_obstacle(const eg_layer *layer)
{
    for (size_t b = 0; b < layer->block_count; b++) {
        eg_role role = layer->blocks[b].role;
        if (role == EG_ROLE_SCALE || role == EG_ROLE_SHIFT) {
            return "it normalises units, and so each depends on all of its layer";
        }
    }
    return layer->block_count > 0 && layer->scales_rows
               ? "it computes with normalised weights, so a unit that is used less would make "
                 "others be used more"
               : NULL;
}

const char *eg_wiring_node_obstacle(size_t count, const eg_node *nodes)
{
    const char *why = NULL;
    if (!is_chain(count, nodes)) {
        return "its layers are no chain, in which each one reads the one before (mlp, lenet, vgg)";
    }
    for (size_t i = 0; i < count && why == NULL; i++) {
        why = layer_obstacle(&nodes[i].layer);
    }
    return why;
}

const char *eg_wiring_obstacle(const eg_net *net)
{
    size_t hidden = 0;
    size_t maker = EG_INPUT;
    const char *why = eg_wiring_node_obstacle(net->node_count, net->nodes);
    if (why != NULL) {
        return why;
    }
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        if (block->role != EG_ROLE_WEIGHT) {
            continue;
        }
        const eg_hidden_layer *layer = &net->hidden[hidden];
        bool between =
            hidden < net->hidden_count && layer->maker == maker && layer->reader == block->node;
        if (maker != EG_INPUT && !between) {
            return "not every two layers with weights have one hidden layer between them";
        }
        hidden += maker != EG_INPUT ? 1 : 0;
        maker = block->node;
    }
    return hidden > 0 && hidden == net->hidden_count
               ? NULL
               : "not every two layers with weights have one hidden layer between them";
}

/* What makes a unit. */
static void mark_incoming(eg_wiring *wiring, const eg_net *net, size_t hidden, size_t unit)
{
    uint32_t number = (uint32_t)(wiring->first[hidden] + unit);
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_INCOMING, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            wiring->to[run.first + i * run.stride] = number;
        }
    }
}

/* The weights of one input of the reader. It is asked itself: eg_net_unit_run begins anew for every
 * run, of which there may be thousands. */
static void mark_outgoing(eg_wiring *wiring, const eg_node *reader, size_t input, uint32_t number)
{
    eg_unit_run run;
    for (size_t k = 0;
         reader->layer.ops->unit_run(&reader->layer, EG_UNIT_OUTGOING, input, k, &run); k++) {
        size_t first = reader->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            wiring->from[first + i * run.stride] = number;
        }
    }
}

static void mark_layer(eg_wiring *wiring, const eg_net *net, size_t h)
{
    const eg_hidden_layer *layer = &net->hidden[h];
    for (size_t unit = 0; unit < layer->units; unit++) {
        uint32_t number = (uint32_t)(wiring->first[h] + unit);
        mark_incoming(wiring, net, h, unit);
        for (size_t part = 0; part < layer->parts; part++) {
            size_t input = (part * layer->units + unit) * layer->spread;
            for (size_t p = 0; p < layer->spread; p++) {
                mark_outgoing(wiring, &net->nodes[layer->reader], input + p, number);
            }
        }
    }
}

eg_status eg_wiring_init(eg_wiring *out, const eg_net *net)
{
    out->layers = net->hidden_count;
    EG_TRY(eg_alloc(&out->first, out->layers + 1, sizeof *out->first));
    EG_TRY(eg_alloc(&out->to, net->param_count, sizeof *out->to));
    EG_TRY(eg_alloc(&out->from, net->param_count, sizeof *out->from));
    memset(out->to, 0xFF, net->param_count * sizeof *out->to);
    memset(out->from, 0xFF, net->param_count * sizeof *out->from);
    for (size_t h = 0; h < out->layers; h++) {
        out->first[h + 1] = out->first[h] + net->hidden[h].units;
        mark_layer(out, net, h);
    }
    out->units = out->first[out->layers];
    return eg_ok();
}

void eg_wiring_clear(eg_wiring *wiring)
{
    eg_free(wiring->first);
    eg_free(wiring->to);
    eg_free(wiring->from);
    *wiring = (eg_wiring){.layers = 0};
}
