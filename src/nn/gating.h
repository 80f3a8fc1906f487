/** What mixtures of branches by a gate share: input 0 is the gate's outputs, the others are
 *  branches. */
#ifndef ENGRAM_NN_GATING_H
#define ENGRAM_NN_GATING_H

#include "engram/layer.h"

/** eg_layer_ops.input. */
eg_shape eg_gated_input(const eg_layer *layer, size_t k);

/** p [n] = softmax(x), of one example. */
void eg_gate_probabilities(size_t n, const eg_real *x, eg_real *p);
/** The branch that a hard gate takes when it does not draw: the first of the largest outputs. */
size_t eg_gate_choice(size_t n, const eg_real *x);

/** After a forward that keeps: the share of branch k in the output of example b. */
eg_real eg_mixture_share(const eg_layer *layer, const eg_layer_context *context, size_t b,
                         size_t k);
eg_real eg_hard_mixture_share(const eg_layer *layer, const eg_layer_context *context, size_t b,
                              size_t k);

#endif
