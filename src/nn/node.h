/** Nodes from the inside: of a graph, and of a network for those who walk through it. */
#ifndef ENGRAM_NN_NODE_H
#define ENGRAM_NN_NODE_H

#include "engram/net.h"
#include "engram/random.h"

/** Nodes first … last; see eg_graph_part. */
typedef struct eg_graph_range {
    size_t first, last;
    eg_part_gate gate;
} eg_graph_range;

struct eg_graph {
    eg_shape input;
    size_t count, capacity;
    eg_node *nodes; /* names, layers, reads and owners; the rest is the network's */
    size_t part_count, part_capacity;
    eg_graph_range *parts;
};

/** Moves node `from` of another graph to the end of this one, as a node of this name and member.
 *  place[i]: where what node i of the other graph made stands here; its own is written. On failure
 *  nothing has moved. */
eg_status eg_graph_move(eg_graph *graph, eg_graph *other, size_t from, const char *name,
                        size_t member, size_t *place) EG_WARN_UNUSED;

/** Releases nodes and what they own; NULL is accepted. */
void eg_nodes_free(eg_node *nodes, size_t count);

/** Operations per example of one forward through all of them. */
double eg_nodes_flops(const eg_node *nodes, size_t count);

/** Shape of input k of a layer. */
eg_shape eg_layer_input(const eg_layer *layer, size_t k);

/** What a node's layer works on outside of a minibatch. */
static inline eg_layer_context eg_node_context(const eg_net *net, size_t i)
{
    const eg_node *node = &net->nodes[i];
    return (eg_layer_context){.seed = eg_member_seed(net->seed, node->member),
                              .step = net->step,
                              .params = node->params,
                              .grads = node->grads,
                              .offset = node->offset,
                              .derived = node->derived,
                              .buffers = node->buffers};
}

/** Whether who reads this, a node or EG_INPUT, gives it a gradient. */
static inline bool eg_node_takes_gradient(const eg_net *net, size_t read)
{
    return read != EG_INPUT && net->nodes[read].learns;
}

/** Whether somebody whom node i reads wants a gradient from it. */
static inline bool eg_node_passes_back(const eg_net *net, size_t i)
{
    bool wanted = false;
    for (size_t k = 0; k < net->nodes[i].read_count; k++) {
        wanted = wanted || eg_node_takes_gradient(net, net->nodes[i].reads[k]);
    }
    return wanted;
}

/** Multiply-adds of one node, as in eg_net_macs. */
eg_net_work eg_net_node_macs(const eg_net *net, size_t i);

/** Fills net->hidden. */
eg_status eg_net_find_hidden(eg_net *net) EG_WARN_UNUSED;

#endif
