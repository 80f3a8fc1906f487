/** How the layers of a network are wired: a description that eg_net_build turns into a network.
 *
 *      x ─► linear ─► relu ─► linear ─► sum ─► …        EG_TRY(eg_graph_create(&graph, shape));
 *       └──────────────────────────────►┘              eg_graph_chain(…), eg_graph_add(…, {2, 0})
 *
 *  Nodes are numbered 0, 1, … as they are added, and read nodes added before, or the network's
 *  input. The last node is the output; every other one must be read. A node read by several gets
 *  the sum of their gradients. Residual connections, branches and shared parameters are wiring, not
 *  layers of their own. Which input comes first matters in one way: units go on through first
 *  inputs (see engram/units.h), so the main branch of a residual sum is its first input. */
#ifndef ENGRAM_GRAPH_H
#define ENGRAM_GRAPH_H

#include "engram/layer.h"
#include "engram/status.h"

#include <stdint.h>

enum { EG_NODE_NAME_SIZE = 64 /**< bytes of a node's name, with the final 0 */ };

/** The network's input, as something to be read. */
#define EG_INPUT SIZE_MAX

typedef struct eg_graph eg_graph;

/** An empty graph for examples of this shape. */
eg_status eg_graph_create(eg_graph **out, eg_shape input) EG_WARN_UNUSED;
/** Releases the graph and its layers; NULL is accepted. */
void eg_graph_free(eg_graph *graph);

/** A chain of these layers: takes them (also on failure). Those with parameters that make units are
 * called layer1, layer2, …, others by their kind: activation1, norm1, … */
eg_status eg_graph_create_chain(eg_graph **out, eg_layer *layers, size_t count) EG_WARN_UNUSED;

/** Adds a node that reads `count` nodes: takes the layer, also on failure. *node (or NULL): its
 * number. EG_INVALID if a shape or the number of inputs does not fit, or the name is taken or too
 * long: the message names the node. */
eg_status eg_graph_add(eg_graph *graph, const char *name, eg_layer *layer, size_t count,
                       const size_t *reads, size_t *node) EG_WARN_UNUSED;
/** Adds a node that reads the last one, or the input if it is the first. */
eg_status eg_graph_chain(eg_graph *graph, const char *name, eg_layer *layer,
                         size_t *node) EG_WARN_UNUSED;
/** Makes a block of a node the same parameters as a block of an earlier node, of the same size and
 * layout.
 * EG_INVALID if it is not. */
eg_status eg_graph_tie(eg_graph *graph, size_t node, size_t block, size_t owner,
                       size_t owner_block) EG_WARN_UNUSED;
/** Adds the nodes of another graph, of the same input, which it takes, also on failure. Node "a"
 * becomes "member2.a" of member 2, and starts with the values, and draws the numbers, that it would
 * in a network of its own with the seed eg_member_seed(seed, 2). *last: what was its output. */
eg_status eg_graph_join(eg_graph *graph, eg_graph *other, size_t member,
                        size_t *last) EG_WARN_UNUSED;
/** What a part of a graph is for mixtures, which make experts of it (engram/mixture.h). */
typedef enum eg_part_gate {
    EG_PART_GATE_FLAT,  /**< gates see all numbers that the part reads */
    EG_PART_GATE_POOLED /**< gates see the image that it reads, averaged to 4 x 4 places */
} eg_part_gate;
/** Says that nodes first, …, last are a part: of their outputs only that of the last is read by
 *  others, and they read one node, or the input, besides each other. Parts are added in the order
 *  of nodes, and do not overlap. */
eg_status eg_graph_part(eg_graph *graph, size_t first, size_t last,
                        eg_part_gate gate) EG_WARN_UNUSED;
/** Floating-point operations per example of one forward through what there is. */
double eg_graph_flops(const eg_graph *graph);

#endif
