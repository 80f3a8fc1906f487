/** Graphs of mixtures of experts, and how their nodes are known again. A node of the model, also in
 *  an expert, has the number that it has in the model's graph, so that it starts alike; gates and
 *  mixtures have numbers behind these. The member of a node of an expert or of a gate is its place,
 *  but that of an undivided part is 0, as of all that is shared. */
#ifndef ENGRAM_NN_MIXTURE_GRAPH_H
#define ENGRAM_NN_MIXTURE_GRAPH_H

#include "engram/mixture.h"
#include "nn/node.h"

/** What a part has besides experts: for all gates together, and for each. */
typedef enum eg_mixture_node {
    EG_MIXTURE_NODE_POOL,
    EG_MIXTURE_NODE_FLATTEN,
    EG_MIXTURE_NODE_GATE,
    EG_MIXTURE_NODE_MIXTURE,
    EG_MIXTURE_NODES
} eg_mixture_node;

static inline size_t eg_mixture_number(const eg_mixture *mixture, size_t part, eg_mixture_node what)
{
    return mixture->nodes + part * EG_MIXTURE_NODES + what;
}

/** The member that nodes of the expert at a place are of. */
static inline size_t eg_expert_member(uint64_t place)
{
    return place == 1 ? 0 : (size_t)place;
}

/** The graph of the model alone. */
eg_status eg_mixture_model(eg_graph **out, const eg_mixture_setup *setup) EG_WARN_UNUSED;

#endif
