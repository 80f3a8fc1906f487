/** Scales and shifts of normalisations; see nn/unit_norm.h. */
#include "nn/unit_norm.h"

#include "math/shared/elementary.h"

#include <string.h>

void eg_unit_norm_declare(eg_layer *layer, size_t units, size_t positions)
{
    layer->block_count = EG_UNIT_NORM_BLOCKS;
    layer->blocks[EG_UNIT_NORM_SCALE] =
        (eg_block){.name = "scale",
                   .role = EG_ROLE_SCALE,
                   .count = units * positions,
                   .units = units,
                   .fan_in = positions,
                   .lanes = positions > 1 ? units : 1,
                   .initial = {.kind = EG_INITIAL_VALUE, .scale = 1}};
    eg_block *shift = &layer->blocks[EG_UNIT_NORM_SHIFT];
    *shift = layer->blocks[EG_UNIT_NORM_SCALE];
    shift->name = "shift";
    shift->role = EG_ROLE_SHIFT;
    shift->initial = (eg_initial){0};
}

void eg_unit_norm_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    for (size_t b = 0; b < layer->block_count; b++) {
        for (size_t i = 0; i < layer->blocks[b].count; i++) {
            context->params[b][i] = (eg_real)eg_initial_draw(&layer->blocks[b].initial, &rng);
        }
    }
    for (size_t b = 0; b < layer->buffer_count; b++) {
        for (size_t i = 0; i < layer->buffers[b].count; i++) {
            context->buffers[b][i] = eg_initial_draw(&layer->buffers[b].initial, &rng);
        }
    }
}

void eg_unit_norm_gradients(const eg_layer *layer, const eg_layer_context *context,
                            const eg_real *normal, const eg_real *dy)
{
    size_t n = eg_layer_outputs(layer);
    eg_real *restrict scale = context->grads[EG_UNIT_NORM_SCALE];
    eg_real *restrict shift = context->grads[EG_UNIT_NORM_SHIFT];
    memset(scale, 0, n * sizeof *scale);
    memset(shift, 0, n * sizeof *shift);
    for (size_t b = 0; b < context->batch; b++) {
        for (size_t i = 0; i < n; i++) {
            scale[i] += dy[b * n + i] * normal[b * n + i];
            shift[i] += dy[b * n + i];
        }
    }
}

bool eg_unit_norm_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                      eg_unit_run *run)
{
    size_t positions = eg_shape_positions(layer->out);
    *run =
        (eg_unit_run){.block = k, .first = unit, .count = positions, .stride = layer->out.channels};
    return side == EG_UNIT_INCOMING && k < EG_UNIT_NORM_BLOCKS;
}

void eg_unit_norm_per_example(const eg_layer *layer, const eg_layer_context *context,
                              eg_per_example what, const eg_real *normal, eg_real *const *sums)
{
    size_t n = eg_layer_outputs(layer);
    for (size_t k = 0; k < context->batch * n; k++) {
        eg_real factor = what == EG_PER_EXAMPLE_SQUARE ? normal[k] * normal[k] : eg_abs(normal[k]);
        sums[EG_UNIT_NORM_SCALE][k % n] += context->dy[k] * factor;
        sums[EG_UNIT_NORM_SHIFT][k % n] += context->dy[k];
    }
}
