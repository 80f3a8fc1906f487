/** Switch layers of a network, in the order of its nodes: what their routers did, and how they get
 *  more experts. */
#ifndef ENGRAM_NN_SWITCH_LAYERS_H
#define ENGRAM_NN_SWITCH_LAYERS_H

#include "engram/net.h"
#include "engram/settings.h"

enum { EG_SWITCH_EXPERTS_MAX = 256 };

typedef struct eg_switch_layer {
    size_t node; /**< of the network */
    size_t experts;
    /* [experts] borrowed; tokens of all minibatches of training so far: */
    const double *load;    /**< that chose the expert */
    const double *dropped; /**< of these the ones that came when it had enough */
} eg_switch_layer;

size_t eg_switch_layer_count(const eg_net *net);
eg_switch_layer eg_switch_layer_at(const eg_net *net, size_t layer);

/** Which expert every token of the batch last given to forward chose, in a workspace that keeps:
 *  expert [B*T]. */
void eg_switch_layer_chosen(const eg_net *net, const eg_workspace *workspace, size_t layer,
                            uint32_t *expert);

/** The graph of the model switch_transformer with so many experts in every mixture, at least 2; the
 *  rest as in eg_model_kind.graph. `view`: inside its settings. */
eg_status eg_switch_graph(eg_graph **out, const eg_view *view, size_t experts, eg_shape input,
                          size_t outputs, size_t batch) EG_WARN_UNUSED;

/** Parameters, buffers and count of steps of a network of that model into one with `more` experts
 *  in every layer: expert E + i of layer l is a copy of expert source[l*more + i], whose row of the
 *  router is copied, too, each number times 1 + 0.01 z, with standard normal z keyed by (seed,
 *  layer). With equal rows the first of the two would always be chosen. Counters of new experts
 *  begin at 0.
 *
 *  The two share the probability that one had, so outputs change. */
void eg_switch_copy(eg_net *to, const eg_net *from, const size_t *source, size_t more,
                    uint64_t seed);

#endif
