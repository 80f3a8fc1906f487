/** Models: networks from settings. To add one: nn/model_<name>.c and an entry in the registry. */
#ifndef ENGRAM_MODEL_H
#define ENGRAM_MODEL_H

#include "engram/net.h"
#include "engram/settings.h"

typedef struct eg_model_kind {
    eg_component component;
    /** Optional: how many parts its graph says (eg_graph_part), of which mixtures make experts;
     * NULL: none. */
    size_t (*parts)(const eg_view *view);
    /** The network's graph, from which all else follows. `view` is inside the model's settings.
     * `batch`: the most examples that a minibatch of training has; the function does not depend on
     * it, but layers made for 1 (eg_layer_linear_online) are faster then. EG_INVALID as for
     * `check`. */
    eg_status (*graph)(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch);
    /* Both or none: what the settings alone tell sooner than a graph that is made for it. */
    /** EG_INVALID if the settings cannot make a network of these sizes; graph is called only if
     * they can. */
    eg_status (*check)(const eg_view *view, eg_shape input, size_t outputs);
    /** Floating-point operations per example of one forward; `input` may have no channels. */
    double (*flops)(const eg_view *view, eg_shape input, size_t outputs);
} eg_model_kind;

extern const eg_family eg_model_family;

/** Builds the model chosen by setting `model` of `root`, for examples of shape `input`, trained
 * in minibatches of at most `batch`. */
eg_status eg_model_build(eg_net **out, const eg_view *root, eg_shape input, size_t outputs,
                         size_t batch, uint64_t seed) EG_WARN_UNUSED;

/* `view` is inside the settings of the model `kind`. No network is built. */

/** The graph of the network, for models made of others. */
eg_status eg_model_graph(eg_graph **out, const eg_model_kind *kind, const eg_view *view,
                         eg_shape input, size_t outputs, size_t batch) EG_WARN_UNUSED;

/** EG_INVALID if the settings cannot make a network of these sizes. */
eg_status eg_model_check(const eg_model_kind *kind, const eg_view *view, eg_shape input,
                         size_t outputs) EG_WARN_UNUSED;
/** EG_INVALID if a network of the model that `root` chooses, with `made` outputs, has not a row of
 *  `outputs` for each of an example's positions (eg_batch.positions). */
eg_status eg_model_check_positions(const eg_view *root, size_t made, size_t positions,
                                   size_t outputs) EG_WARN_UNUSED;
/** Floating-point operations per example of one forward, from settings that pass the check. */
eg_status eg_model_flops(double *out, const eg_model_kind *kind, const eg_view *view,
                         eg_shape input, size_t outputs) EG_WARN_UNUSED;
/** The same without the products with the network's inputs. */
eg_status eg_model_rest_flops(double *out, const eg_model_kind *kind, const eg_view *view,
                              eg_shape input, size_t outputs) EG_WARN_UNUSED;

#endif
