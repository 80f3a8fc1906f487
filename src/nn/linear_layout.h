/** What fully connected layers have in common: where their parameters stand, in rows or in
 *  panels.
 *
 *      weight of input i of unit j | (j/width * inputs + i)*width + j%width panels of `width` units
 *      bias of unit j              | j
 *
 *  Rows, W [outputs, inputs], are panels of one unit; a panel of all units is W [inputs, width]. */
#ifndef ENGRAM_NN_LINEAR_LAYOUT_H
#define ENGRAM_NN_LINEAR_LAYOUT_H

#include "nn/linear_per_example.h"

/** State of all of these layers. */
typedef struct eg_linear {
    eg_norm norm;
    bool bias;
    size_t width; /**< units of a panel; the last one may have lanes without a unit, which are 0 */
    size_t count; /**< of panels */
} eg_linear;

static inline const eg_linear *eg_linear_of(const eg_layer *layer)
{
    return layer->state;
}

/** Fills *out: state, shapes and blocks, whose gain is 1. Release with eg_layer_clear. */
eg_status eg_linear_layer(eg_layer *out, const eg_layer_ops *ops, eg_shape in,
                          const eg_linear *form, size_t outputs,
                          eg_initializer initializer) EG_WARN_UNUSED;

/** Operations of eg_layer_ops. init: weights unit by unit, then the biases. unit_run: outgoing runs
 *  go position by position; in panels, panel by panel there. */
#define EG_LINEAR_OPS                                                                              \
    .init = eg_linear_init, .per_example = eg_linear_per_example_sums,                             \
    .per_example_scratch = eg_linear_layer_scratch, .unit_run = eg_linear_unit_run,                \
    .flops = eg_linear_layer_flops, .macs = eg_linear_layer_macs
void eg_linear_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index);
void eg_linear_per_example_sums(const eg_layer *layer, const eg_layer_context *context,
                                eg_per_example what, eg_real *scratch, eg_real *const *sums);
size_t eg_linear_layer_scratch(const eg_layer *layer, size_t batch);
bool eg_linear_unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                        eg_unit_run *run);
double eg_linear_layer_flops(const eg_layer *layer);
double eg_linear_layer_macs(const eg_layer *layer);

#endif
