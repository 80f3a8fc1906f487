/** Networks: a chain of layers over flat parameters.
 *
 *      params  [param_count]    layer 0 | layer 1 | …      (every slice aligned to EG_ALIGNMENT)
 *      grads   [param_count]    same layout, overwritten by each backward
 *      derived [derived_count]  what layers recompute when params changed
 *
 *  A network is weights; what a minibatch leaves behind lives in an eg_workspace, so one network can be
 *  trained with one workspace and evaluated in large blocks with another. Composite layers (residual
 *  blocks, mixtures) are layers that hold layers. */
#ifndef ENGRAM_NET_H
#define ENGRAM_NET_H

#include "engram/layer.h"
#include "engram/pack.h"
#include "engram/profile.h"
#include "engram/real.h"
#include "engram/settings.h"

typedef struct eg_net {
    size_t layer_count;
    eg_layer *layers;                      /**< owned */
    size_t *param_offset, *derived_offset; /**< [layer_count] */
    size_t inputs, outputs;
    size_t param_count,
        derived_count; /**< with padding between slices; padding is zero and stays zero */
    eg_real *params, *grads, *derived;
    bool stale; /**< params changed since `derived` was computed */
    uint64_t seed, step;
} eg_net;

/** Releases a chain of layers that no network took: their states and the array (from eg_alloc;
 * layers not yet made are zeroed). NULL is accepted. */
void eg_layers_free(eg_layer *layers, size_t count);

/** Makes a network of these layers: takes them (also on failure). Initialises by eg_net_init. */
eg_status eg_net_create(eg_net **out, eg_layer *layers, size_t count, uint64_t seed) EG_WARN_UNUSED;
void eg_net_free(eg_net *net);
/** Starting values of all layers for `seed`. */
void eg_net_init(eg_net *net, uint64_t seed);
/** Call after changing params. */
void eg_net_touch(eg_net *net);
/** Parameters, count of steps and what layers remember, for checkpoints; the seed is the reader's own.
 */
void eg_net_write(const eg_net *net, eg_writer *writer);
/** Into a network of the same layers. EG_INVALID if it does not fit: nothing changed if that is seen
 *  from the parameters; after another failure the network is only good for being freed. */
eg_status eg_net_read(eg_net *net, eg_reader *reader) EG_WARN_UNUSED;
/** Floating-point operations per example of one forward. */
double eg_net_flops(const eg_net *net);
/** Hidden layers: those with `hidden` set, in order. */
size_t eg_net_hidden_count(const eg_net *net);

/** Activations and scratch for minibatches up to a capacity. */
typedef struct eg_workspace eg_workspace;
eg_status eg_workspace_create(eg_workspace **out, const eg_net *net, size_t capacity,
                              bool training) EG_WARN_UNUSED;
void eg_workspace_free(eg_workspace *workspace);
/** Measures the workspace's forward and backward in `profile` (borrowed); NULL: no more. */
void eg_workspace_profile(eg_workspace *workspace, eg_profile *profile);

/** Output [B, outputs] of x [B, inputs], borrowed from the workspace. `sparse`: the same numbers
 *  in sparse form, or NULL. Both must stay valid until backward. */
const eg_real *eg_net_forward(eg_net *net, eg_workspace *workspace, size_t batch, const eg_real *x,
                              const eg_sparse *sparse);
/** Fills net->grads from dy [B, outputs], for the batch last given to forward of a training workspace.
 */
void eg_net_backward(eg_net *net, eg_workspace *workspace, const eg_real *dy);
/** The same, and gives each gradient to `consume` once it is made, piece by piece and while it is in
 * cache; g [count] is net->grads from `first` on, and `consume` may change it there. */
void eg_net_backward_to(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                        void (*consume)(void *user, size_t first, size_t count, const eg_real *g),
                        void *user);
/** Backward and update in one: gives the gradients from dy to `consume` layer by layer, from the last
 *  to the first and each once, and `consume` must change params there at once. Faster than the whole
 *  gradient and then an update, because weights are changed while they are in cache. net->grads is
 *  scratch. */
void eg_net_learn(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                  void (*consume)(void *user, size_t first, size_t count, const eg_real *g),
                  void *user);
/** Adds to sums [param_count], for every example of the batch last given to forward, the square or
 *  the absolute value of its own gradient from dy [B, outputs]; only if eg_net_has_per_example. scratch
 *  [eg_net_per_example_scratch(net, B)]; net->grads is scratch too. */
void eg_net_per_example(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                        eg_per_example what, eg_real *scratch, eg_real *sums);
/** Whether all layers with parameters know the gradients of single examples. */
bool eg_net_has_per_example(const eg_net *net);
size_t eg_net_per_example_scratch(const eg_net *net, size_t batch);
/** Lets the layers follow an update of params that came from this workspace's last forward: projections
 *  and counters. Every learner calls it after every update. */
void eg_net_updated(eg_net *net, eg_workspace *workspace);
/** Outputs [B, n] of hidden layer i in the last forward; *n units. */
const eg_real *eg_workspace_hidden(const eg_workspace *workspace, const eg_net *net, size_t i,
                                   size_t *n);

/** Models build networks from settings. */
typedef struct eg_model_kind {
    eg_component component;
    /** `view` is inside the model's settings. Input: channels*height*width = inputs. */
    eg_status (*build)(eg_net **out, const eg_view *view, size_t channels, size_t height,
                       size_t width, size_t outputs, uint64_t seed);
    /** EG_INVALID if the settings cannot make a network of these sizes; builds nothing. */
    eg_status (*check)(const eg_view *view, size_t inputs, size_t outputs);
    /** Floating-point operations per example of one forward, from the settings alone. */
    double (*flops)(const eg_view *view, size_t inputs, size_t outputs);
} eg_model_kind;

extern const eg_family eg_model_family;

/** Builds the model chosen by setting `model` of `root`. */
eg_status eg_model_build(eg_net **out, const eg_view *root, size_t channels, size_t height,
                         size_t width, size_t outputs, uint64_t seed) EG_WARN_UNUSED;

#endif
