/** Networks: the layout of the flat arrays and what concerns all nodes; see engram/net.h. */
#include "engram/net.h"

#include "engram/memory.h"
#include "nn/node.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Nodes start on cache lines, so every kernel may assume alignment and no two share a line. */
static size_t padded(size_t count)
{
    const size_t line = EG_ALIGNMENT / sizeof(eg_real);
    return (count + line - 1) / line * line;
}

static void name_block(eg_parameter_block *row, const eg_node *node, const eg_block *block)
{
    (void)snprintf(row->name, sizeof row->name, "%s.%s", node->name, block->name);
}

/* Offsets of the blocks that belong to a node itself, and their rows of the table. */
static void lay_out_blocks(eg_net *net, size_t i)
{
    eg_node *node = &net->nodes[i];
    node->param_offset = net->param_count;
    for (size_t b = 0; b < node->layer.block_count; b++) {
        const eg_block *block = &node->layer.blocks[b];
        if (node->owner[b] != i) {
            node->offset[b] = net->nodes[node->owner[b]].offset[node->owner_block[b]];
            continue;
        }
        node->offset[b] = node->param_offset + node->param_count;
        node->param_count += block->count;
        eg_parameter_block *row = &net->table.blocks[net->table.block_count++];
        *row = (eg_parameter_block){.role = block->role,
                                    .node = i,
                                    .index = b,
                                    .offset = node->offset[b],
                                    .count = block->count,
                                    .units = block->units,
                                    .fan_in = block->fan_in,
                                    .lanes = block->lanes > 0 ? block->lanes : 1,
                                    .head = eg_node_is_head(node),
                                    .initial = block->initial};
        name_block(row, node, block);
    }
    net->param_count += padded(node->param_count);
}

static eg_status lay_out(eg_net *net)
{
    size_t blocks = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        blocks += layer->block_count;
        net->derived_count += padded(layer->derived_count);
        for (size_t b = 0; b < layer->buffer_count; b++) {
            net->buffer_count += layer->buffers[b].count;
        }
    }
    EG_TRY(eg_alloc(&net->table.blocks, blocks, sizeof *net->table.blocks));
    for (size_t i = 0; i < net->node_count; i++) {
        lay_out_blocks(net, i);
    }
    net->table.count = net->param_count;
    EG_TRY(eg_alloc(&net->params, net->param_count, sizeof *net->params));
    EG_TRY(eg_alloc(&net->grads, net->param_count, sizeof *net->grads));
    EG_TRY(eg_alloc(&net->derived, net->derived_count, sizeof *net->derived));
    return eg_alloc(&net->buffers, net->buffer_count, sizeof *net->buffers);
}

/* Every node's pointers into the flat arrays. */
static void point(eg_net *net)
{
    eg_real *derived = net->derived;
    double *buffers = net->buffers;
    for (size_t i = 0; i < net->node_count; i++) {
        eg_node *node = &net->nodes[i];
        for (size_t b = 0; b < node->layer.block_count; b++) {
            node->params[b] = net->params + node->offset[b];
            node->grads[b] = net->grads + node->offset[b];
        }
        node->derived = derived;
        derived += padded(node->layer.derived_count);
        for (size_t b = 0; b < node->layer.buffer_count; b++) {
            node->buffers[b] = buffers;
            buffers += node->layer.buffers[b].count;
        }
    }
}

static eg_status find_readers(eg_net *net)
{
    for (size_t i = 0; i < net->node_count; i++) {
        net->nodes[i].last_reader = i;
        for (size_t k = 0; k < net->nodes[i].read_count; k++) {
            if (net->nodes[i].reads[k] != EG_INPUT) {
                net->nodes[net->nodes[i].reads[k]].last_reader = i;
            }
        }
    }
    for (size_t i = 0; i + 1 < net->node_count; i++) {
        if (net->nodes[i].last_reader == i) {
            return eg_fail(EG_INVALID, "node \"%s\": no other node reads it", net->nodes[i].name);
        }
    }
    return eg_ok();
}

static void find_followed(eg_net *net)
{
    for (size_t i = net->node_count; i-- > 0;) {
        const eg_node *node = &net->nodes[i];
        bool follows = node->followed || node->layer.block_count > 0;
        for (size_t k = 0; k < node->read_count; k++) {
            if (node->reads[k] != EG_INPUT) {
                net->nodes[node->reads[k]].followed |= follows;
            }
        }
    }
}

static void find_learning(eg_net *net)
{
    for (size_t i = 0; i < net->node_count; i++) {
        eg_node *node = &net->nodes[i];
        node->learns = node->layer.block_count > 0;
        for (size_t k = 0; k < node->read_count; k++) {
            node->learns = node->learns || eg_node_takes_gradient(net, node->reads[k]);
        }
    }
}

eg_status eg_net_build(eg_net **out, eg_graph *graph, uint64_t seed)
{
    assert(graph->count > 0);
    *out = NULL;
    eg_net *net = NULL;
    eg_status status = eg_alloc(&net, 1, sizeof *net);
    if (!eg_is_ok(&status)) {
        eg_graph_free(graph);
        return status;
    }
    net->nodes = graph->nodes;
    net->node_count = graph->count;
    net->in = graph->input;
    net->out = net->nodes[net->node_count - 1].layer.out;
    net->inputs = eg_shape_size(net->in);
    net->outputs = eg_shape_size(net->out);
    graph->nodes = NULL;
    graph->count = 0;
    eg_graph_free(graph);
    EG_TRY_DONE(status, find_readers(net));
    find_followed(net);
    find_learning(net);
    EG_TRY_DONE(status, lay_out(net));
    EG_TRY_DONE(status, eg_net_find_hidden(net));
    point(net);
    eg_net_init(net, seed);
    *out = net;
    return status;
done:
    eg_net_free(net);
    return status;
}

eg_status eg_net_create(eg_net **out, eg_layer *layers, size_t count, uint64_t seed)
{
    eg_graph *graph = NULL;
    *out = NULL;
    EG_TRY(eg_graph_create_chain(&graph, layers, count));
    return eg_net_build(out, graph, seed);
}

void eg_net_free(eg_net *net)
{
    if (net == NULL) {
        return;
    }
    eg_nodes_free(net->nodes, net->node_count);
    eg_free(net->table.blocks);
    eg_free(net->hidden);
    eg_free(net->params);
    eg_free(net->grads);
    eg_free(net->derived);
    eg_free(net->buffers);
    eg_free(net);
}

void eg_net_drop_gradients(eg_net *net)
{
    eg_free(net->grads);
    net->grads = NULL;
    for (size_t i = 0; i < net->node_count; i++) {
        for (size_t b = 0; b < net->nodes[i].layer.block_count; b++) {
            net->nodes[i].grads[b] = NULL;
        }
    }
}

void eg_net_init(eg_net *net, uint64_t seed)
{
    net->seed = seed;
    net->step = 0;
    for (size_t i = 0; i < net->buffer_count; i++) {
        net->buffers[i] = 0;
    }
    /* From the last to the first: what is shared starts as its owner wants it. */
    for (size_t i = net->node_count; i-- > 0;) {
        const eg_layer *layer = &net->nodes[i].layer;
        if (layer->ops->init != NULL) {
            const eg_layer_context context = eg_node_context(net, i);
            layer->ops->init(layer, &context, net->nodes[i].number);
        }
    }
    eg_net_touch(net);
}

void eg_net_touch(eg_net *net)
{
    net->stale = true;
    net->touches++;
}

double eg_net_flops(const eg_net *net)
{
    return eg_nodes_flops(net->nodes, net->node_count);
}

eg_net_work eg_net_node_macs(const eg_net *net, size_t i)
{
    const eg_layer *layer = &net->nodes[i].layer;
    double forward = layer->ops->macs != NULL ? layer->ops->macs(layer) : 0;
    return (eg_net_work){.forward = forward,
                         .backward = eg_node_passes_back(net, i) ? 2 * forward : forward};
}

eg_net_work eg_net_macs(const eg_net *net)
{
    eg_net_work work = {.forward = 0};
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_net_work node = eg_net_node_macs(net, i);
        work.forward += node.forward;
        work.backward += node.backward;
    }
    return work;
}

bool eg_net_takes_sparse(const eg_net *net)
{
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *node = &net->nodes[i];
        for (size_t k = 0; k < node->read_count; k++) {
            /* Only the first input comes in sparse form. */
            if (node->reads[k] == EG_INPUT && (k > 0 || !node->layer.ops->takes_sparse)) {
                return false;
            }
        }
    }
    return true;
}
