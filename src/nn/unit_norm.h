/** What normalisations of units share: scales g and shifts b, y = g n + b, as parameters of their
 *  own roles; one of each for every number of an example, of which a unit (a channel) owns those at
 *  its positions, or one for every channel. */
#ifndef ENGRAM_NN_UNIT_NORM_H
#define ENGRAM_NN_UNIT_NORM_H

#include "nn/layers.h"

enum { EG_UNIT_NORM_SCALE, EG_UNIT_NORM_SHIFT, EG_UNIT_NORM_BLOCKS };

/** Declares the two blocks of a layer, a number for each unit at each of its positions, the units
 *  of a position side by side: scales start at 1, shifts at 0. */
void eg_unit_norm_declare(eg_layer *layer, size_t units, size_t positions);
/** eg_layer_ops.init: these, and the buffers, start as they say. */
void eg_unit_norm_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index);
/** Gradients of both from those of y and the normalised numbers, both [B, n]; overwrites grads. */
void eg_unit_norm_gradients(const eg_layer *layer, const eg_layer_context *context,
                            const eg_real *normal, const eg_real *dy);
/** eg_layer_ops.unit_run where every number has its own. */
bool eg_unit_norm_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                      eg_unit_run *run);
/** Adds the powers of the gradients of single examples: context->dy holds those of y. */
void eg_unit_norm_per_example(const eg_layer *layer, const eg_layer_context *context,
                              eg_per_example what, const eg_real *normal, eg_real *const *sums);

#endif
