/** Networks: layers in topological order over flat arrays.
 *
 *      params  [table.count]    layer1.weight | layer1.bias | …   nodes aligned to EG_ALIGNMENT
 *      grads   [table.count]    same layout, overwritten by each backward that stores
 *      derived [derived_count]  what layers recompute when params changed
 *      buffers [buffer_count]   running statistics and counters: no parameters, no optimizer
 *
 *  A network holds what lasts; what belongs to one minibatch is in an eg_workspace, so one
 *  network can be trained with one workspace and evaluated in large blocks with another.
 *
 *  One training step:
 *      y = eg_net_forward(net, workspace, EG_MODE_TRAIN, batch, x, sparse);
 *      … dy from y …
 *      eg_net_backward(net, workspace, dy, consumer);
 *      eg_net_updated(net, workspace);
 *
 *  Nothing is allocated in a step. */
#ifndef ENGRAM_NET_H
#define ENGRAM_NET_H

#include "engram/graph.h"
#include "engram/pack.h"
#include "engram/parameter_table.h"
#include "engram/profile.h"

/* Making a network. */

/** Releases layers that no network owns: their states and the array (from eg_alloc; layers not yet
 * made are zeroed). NULL is accepted. */
void eg_layers_free(eg_layer *layers, size_t count);

typedef struct eg_net eg_net;

/** The network of eg_graph_create_chain: takes the layers (also on failure). */
eg_status eg_net_create(eg_net **out, eg_layer *layers, size_t count, uint64_t seed) EG_WARN_UNUSED;
/** The network of a graph: takes it (also on failure). EG_INVALID if no other
 * node reads a node that is not the last. */
eg_status eg_net_build(eg_net **out, eg_graph *graph, uint64_t seed) EG_WARN_UNUSED;
void eg_net_free(eg_net *net);
/** Starting values of all parameters and buffers for `seed`. */
void eg_net_init(eg_net *net, uint64_t seed);
/** Call after changing params or buffers. */
void eg_net_touch(eg_net *net);
/** From now on there is no backward: releases the memory of gradients. */
void eg_net_drop_gradients(eg_net *net);
/** Floating-point operations per example of one forward. */
double eg_net_flops(const eg_net *net);
/** Multiply-adds of one example: a product with weights counts its weights at every place it is
 *  made (biases nothing), batch and online normalisation 2 per number as in prediction, layer
 *  normalisation 5, everything else nothing. Backward is the gradient of the weights and that of
 *  the input, each as much as forward, the latter not where nothing before has parameters. So
 *  counts Caccia et al. 2022, arXiv 2106.09563, forward. */
typedef struct eg_net_work {
    double forward, backward;
} eg_net_work;
eg_net_work eg_net_macs(const eg_net *net);
/** Whether everyone who reads the input takes it in sparse form, so that x need not be there. */
bool eg_net_takes_sparse(const eg_net *net);

/** Block names and sizes, count of steps, parameters and buffers, for checkpoints; the seed is the
 * reader's own. */
void eg_net_write(const eg_net *net, eg_writer *writer);
/** Into a network of the same blocks; otherwise EG_INVALID, the message names the first that
 * differs. On failure nothing has changed. */
eg_status eg_net_read(eg_net *net, eg_reader *reader) EG_WARN_UNUSED;

/* Using it. */

/** Activations and scratch for minibatches up to a capacity. */
typedef struct eg_workspace eg_workspace;

/** `keeps`: outputs stay, for backward and eg_workspace_hidden. Otherwise only modes that keep
 * nothing (eg_mode_keeps), in memory that does not grow with the number of nodes. */
eg_status eg_workspace_create(eg_workspace **out, const eg_net *net, size_t capacity,
                              bool keeps) EG_WARN_UNUSED;
void eg_workspace_free(eg_workspace *workspace);
/** Bytes of its numbers: outputs that are looked at after the forward, what layers keep, and memory
 * that gradients and other outputs take turns in. */
size_t eg_workspace_bytes(const eg_workspace *workspace);
/** Examples that a network predicts together: `wanted`, or fewer where a workspace that keeps
 *  nothing would take more than EG_PREDICT_BYTES; at least 1. */
enum { EG_PREDICT_BYTES = 64 << 20 };
eg_status eg_workspace_predict_block(size_t *out, const eg_net *net, size_t wanted) EG_WARN_UNUSED;
/** Measures the workspace's forward and backward in `profile` (borrowed); NULL: no more. */
void eg_workspace_profile(eg_workspace *workspace, eg_profile *profile);

/** Output [B, outputs] of x [B, inputs], borrowed from the workspace. `sparse`: the same numbers in
 * sparse form, or NULL. Both must stay valid until backward. In mode train the network's step
 * counts one more. */
const eg_real *eg_net_forward(eg_net *net, eg_workspace *workspace, eg_mode mode, size_t batch,
                              const eg_real *x, const eg_sparse *sparse);
/** Gradients from dy [B, outputs], for the batch last given to forward, from the last node to the
 * first. `consumer` NULL: they are stored in net->grads. Otherwise it gets each of them once, in
 * pieces, while they are in cache; and if it changes parameters at once, which is faster than
 * storing them all, net->grads is scratch. */
void eg_net_backward(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                     const eg_gradient_consumer *consumer);
/** Lets the layers follow an update of params that came from this workspace's last forward (in mode
 * train) and backward: projections, counters, and what is derived, if the consumer did not update
 * params at once. Every learner calls it after every update. */
void eg_net_updated(eg_net *net, eg_workspace *workspace);

/** Gradients of a function of the outputs, or of several, one after the other. */
typedef struct eg_output_gradients {
    size_t rounds; /**< how many */
    /** Overwrites dy [B, outputs] with those of round 0, 1, …, rounds - 1, of each example. */
    void (*fill)(void *user, size_t round, eg_real *dy);
    void *user;
} eg_output_gradients;

/** For every example of the batch last given to forward and every round, adds the squares or the
 *  absolute values of its gradients to sums [table.count]; only if eg_net_has_per_example, after a
 *  forward in mode probe. Rounds are summed at the outputs of the layers, so that the products with
 *  their inputs are made once, but for those of layers that use a parameter at several places.
 *  scratch [eg_net_per_example_scratch(net, B)]; dy [B, outputs] is scratch, too. */
void eg_net_per_example(eg_net *net, eg_workspace *workspace, const eg_output_gradients *of,
                        eg_real *dy, eg_per_example what, eg_real *scratch, eg_real *sums);
/** Floating-point operations per example of eg_net_per_example: one product per layer with
 * parameters (or per round), and a backward to the outputs of those layers per round. */
double eg_net_per_example_flops(const eg_net *net, size_t rounds);
/** Whether all layers with parameters know the gradients of single examples, and none are
 *  shared. */
bool eg_net_has_per_example(const eg_net *net);
size_t eg_net_per_example_scratch(const eg_net *net, size_t batch);

/* What it is made of: for tests, export, and methods that act on parameters. */

/** A layer in its place. */
typedef struct eg_node {
    char name[EG_NODE_NAME_SIZE];
    eg_layer layer;
    size_t read_count;
    size_t *reads;       /**< nodes, or EG_INPUT; owned */
    size_t last_reader;  /**< the last node that reads it; its own number if there is none */
    size_t member;       /**< of several graphs that were joined, the one it is of; 0 */
    size_t number;       /**< its number there: with the member's seed it keys initial values */
    bool followed;       /**< a node that depends on it has parameters: it is no head */
    bool learns;         /**< it or a node before it has parameters: backward goes through it */
    bool shared;         /**< one of its blocks is also a block of another node */
    size_t param_offset; /**< where its own parameters, those it does not share with an earlier */
    size_t param_count;  /**< node, stand in the flat arrays */
    size_t owner[EG_LAYER_BLOCKS_MAX]; /**< node the block belongs to: itself, or an earlier one */
    size_t owner_block[EG_LAYER_BLOCKS_MAX];
    size_t offset[EG_LAYER_BLOCKS_MAX]; /**< of each block */
    eg_real *params[EG_LAYER_BLOCKS_MAX], *grads[EG_LAYER_BLOCKS_MAX];
    eg_real *derived;
    double *buffers[EG_LAYER_BUFFERS_MAX];
} eg_node;

/** Nodes of a graph, in the order in which they were added, before a network gives them parameters;
 *  borrowed until a node is added. */
const eg_node *eg_graph_nodes(const eg_graph *graph, size_t *count);

/** Whether outputs come from its parameters and from none behind them. There is one such node, or
 *  one in every member of graphs that were joined. */
static inline bool eg_node_is_head(const eg_node *node)
{
    return node->layer.block_count > 0 && !node->followed;
}

/** A hidden layer; see engram/units.h. */
typedef struct eg_hidden_layer {
    size_t maker;     /**< node whose weights make the units */
    size_t seen;      /**< node at whose output they are seen: after activation and pooling */
    size_t reader;    /**< node whose weights use them */
    double low, high; /**< bounds of its outputs; equal: there are none */
    size_t units;     /**< channels of the maker; without one, at `seen` */
    size_t parts;     /**< channels per unit at `seen`: part p of unit i is channel p*units + i */
    size_t positions; /**< places of a channel there */
    size_t spread;    /**< inputs of the reader per channel: positions behind a flatten, else 1 */
    double gain;      /**< of the activation (engram/initial.h) */
} eg_hidden_layer;

struct eg_net {
    eg_shape in, out;
    size_t inputs, outputs; /**< their sizes */
    size_t node_count;
    eg_node *nodes; /**< in topological order; owned */
    eg_parameter_table table;
    size_t param_count; /**< = table.count; padding is zero and stays zero */
    size_t derived_count, buffer_count;
    eg_real *params, *grads, *derived;
    double *buffers;
    size_t hidden_count;
    eg_hidden_layer *hidden; /**< from the input to the output; owned */
    bool stale;              /**< params changed since `derived` was computed */
    uint64_t seed, step;
    uint64_t touches; /**< calls of eg_net_touch */
};

#endif
