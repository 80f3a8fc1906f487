/** Where the parameters of a fully connected layer stand, in rows or in panels.
 *
 *      weight of input i of unit j | (j/width * inputs + i)*width + j%width panels of `width` units
 *      bias of unit j              | j
 *
 *  Rows, W [outputs, inputs], are panels of one unit; a panel of all units is W [inputs, width]. */
#ifndef ENGRAM_NN_LINEAR_LAYOUT_H
#define ENGRAM_NN_LINEAR_LAYOUT_H

#include "nn/linear_per_example.h"

/** Declares the blocks of `units` in panels of `width`. Returns how many. Their gain is 1. */
size_t eg_linear_blocks(eg_block *blocks, size_t units, size_t inputs, size_t width, bool bias,
                        eg_initializer initializer);

/** eg_layer_ops.init: weights unit by unit, then the biases; lanes without a unit 0. */
void eg_linear_init(const eg_layer *layer, const eg_layer_context *context, size_t width,
                    uint64_t index);

/** eg_layer_ops.unit_run. Outgoing runs go position by position; in panels, panel by panel
 *  there. */
bool eg_linear_unit_run(const eg_layer *layer, size_t width, eg_unit_side side, size_t unit,
                        size_t k, eg_unit_run *run);

/** eg_layer_ops.per_example_scratch. */
size_t eg_linear_layer_scratch(const eg_layer *layer, size_t batch);
/** eg_layer_ops.per_example. */
void eg_linear_per_example_sums(const eg_layer *layer, const eg_layer_context *context,
                                size_t width, eg_norm norm, eg_per_example what, eg_real *scratch,
                                eg_real *const *sums);

#endif
