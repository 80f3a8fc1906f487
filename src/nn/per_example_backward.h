/** The gradients of single examples by one backward for each: for layers that use a parameter at
 *  several places of an example, where its gradient is a sum and the square of that does not
 *  separate into squares. */
#ifndef ENGRAM_NN_PER_EXAMPLE_BACKWARD_H
#define ENGRAM_NN_PER_EXAMPLE_BACKWARD_H

#include "engram/layer.h"

/** eg_layer_ops.per_example_round and per_example_scratch of layers with one input whose backward,
 *  in mode probe, uses nothing that forward kept for single examples. */
void eg_per_example_backward(const eg_layer *layer, const eg_layer_context *context,
                             eg_per_example what, eg_real *scratch, eg_real *const *sums);
size_t eg_per_example_backward_scratch(const eg_layer *layer, size_t batch);

#endif
