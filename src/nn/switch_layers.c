/** Switch layers of a network from outside; see nn/shared/switch_layers.h. */
#include "nn/shared/switch_layers.h"

#include "engram/random.h"
#include "nn/layer_switch.h"
#include "nn/workspace.h"

#include <assert.h>
#include <string.h>

static const double noise = 0.01;

static bool is_switch(const eg_node *node)
{
    return node->layer.ops->forward == eg_switch_forward;
}

size_t eg_switch_layer_count(const eg_net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        count += is_switch(&net->nodes[i]) ? 1 : 0;
    }
    return count;
}

static size_t node_of(const eg_net *net, size_t layer)
{
    for (size_t i = 0; i < net->node_count; i++) {
        if (is_switch(&net->nodes[i]) && layer-- == 0) {
            return i;
        }
    }
    assert(false);
    return 0;
}

eg_switch_layer eg_switch_layer_at(const eg_net *net, size_t layer)
{
    const size_t i = node_of(net, layer);
    const eg_node *node = &net->nodes[i];
    return (eg_switch_layer){.node = i,
                             .experts = eg_switching_of(&node->layer)->experts,
                             .load = node->buffers[EG_SWITCH_LOAD],
                             .dropped = node->buffers[EG_SWITCH_DROPPED]};
}

void eg_switch_layer_chosen(const eg_net *net, const eg_workspace *workspace, size_t layer,
                            uint32_t *expert)
{
    const size_t i = node_of(net, layer);
    eg_switch_routes routes;
    assert(workspace->keeps);
    eg_switch_routes_of(&net->nodes[i].layer, &workspace->context[i], &routes);
    for (size_t t = 0; t < routes.tokens; t++) {
        expert[t] = (uint32_t)routes.expert[t];
    }
}

/* Expert e of one network becomes expert n of the other. */
static void copy_expert(const eg_node *from, size_t e, eg_node *to, size_t n)
{
    for (size_t b = 0; b < EG_SWITCH_BLOCKS; b++) {
        const size_t count = eg_switching_of(&from->layer)->size[b];
        memcpy(eg_switch_expert(&to->layer, to->params, b, n),
               eg_switch_expert(&from->layer, from->params, b, e), count * sizeof(eg_real));
    }
}

static void disturb(const eg_node *node, size_t e, eg_rng *rng)
{
    eg_real *row = eg_switch_expert(&node->layer, node->params, EG_SWITCH_ROUTER, e);
    for (size_t i = 0; i < node->layer.in.channels; i++) {
        row[i] *= (eg_real)(1 + noise * eg_rng_normal(rng));
    }
}

static void copy_switch(const eg_node *from, eg_node *to, const size_t *source, size_t more,
                        eg_rng *rng)
{
    const size_t experts = eg_switching_of(&from->layer)->experts;
    assert(eg_switching_of(&to->layer)->experts == experts + more);
    for (size_t e = 0; e < experts; e++) {
        copy_expert(from, e, to, e);
        for (size_t b = 0; b < EG_SWITCH_BUFFERS; b++) {
            to->buffers[b][e] = from->buffers[b][e];
        }
    }
    for (size_t i = 0; i < more; i++) {
        copy_expert(from, source[i], to, experts + i);
        disturb(to, experts + i, rng);
    }
}

static void copy_node(const eg_net *net, const eg_node *from, const eg_net *to_net,
                      const eg_node *to)
{
    assert(from->param_count == to->param_count);
    memcpy(to_net->params + to->param_offset, net->params + from->param_offset,
           from->param_count * sizeof *net->params);
    for (size_t b = 0; b < from->layer.buffer_count; b++) {
        memcpy(to->buffers[b], from->buffers[b],
               from->layer.buffers[b].count * sizeof *from->buffers[b]);
    }
}

void eg_switch_copy(eg_net *to, const eg_net *from, const size_t *source, size_t more,
                    uint64_t seed)
{
    size_t layer = 0;
    assert(to->node_count == from->node_count);
    for (size_t i = 0; i < from->node_count; i++) {
        if (is_switch(&from->nodes[i])) {
            eg_rng rng = eg_rng_make(seed, EG_PURPOSE_GROWTH, layer);
            copy_switch(&from->nodes[i], &to->nodes[i], source + layer * more, more, &rng);
            layer++;
        } else {
            copy_node(from, &from->nodes[i], to, &to->nodes[i]);
        }
    }
    to->step = from->step;
    eg_net_touch(to);
}
