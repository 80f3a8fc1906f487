/** Learned positions: y(b, t) = x(b, t) + P[t].
 *
 *      params | weight P [T][d] |
 *
 *  A unit is a channel, as in normalisations, so its numbers are a column. Source: Radford et al.
 *  2018, "Improving language understanding by generative pre-training". */
#include "nn/layers.h"

#include "engram/random.h"
#include "math/shared/clones.h"
#include "math/shared/vector.h"

#include <string.h>

static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    for (size_t i = 0; i < layer->blocks[0].count; i++) {
        context->params[0][i] = (eg_real)eg_initial_draw(&layer->blocks[0].initial, &rng);
    }
}

EG_CLONES static void add(size_t n, const eg_real *restrict a, const eg_real *restrict b,
                          eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t n = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        add(n, context->x[0] + b * n, context->params[0], context->y + b * n);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t n = eg_layer_outputs(layer);
    if (context->grads != NULL) {
        memcpy(context->grads[0], context->dy, n * sizeof *context->dy);
        for (size_t b = 1; b < context->batch; b++) {
            eg_accumulate(n, context->dy + b * n, context->grads[0]);
        }
    }
    if (context->dx[0] != NULL && context->dx[0] != context->dy) {
        memcpy(context->dx[0], context->dy, context->batch * n * sizeof *context->dy);
    }
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    *run = (eg_unit_run){
        .first = unit, .count = eg_shape_positions(layer->out), .stride = layer->out.channels};
    return side == EG_UNIT_INCOMING && k == 0;
}

static double flops(const eg_layer *layer)
{
    return (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "positions",
    .init = init,
    .forward = forward,
    .backward = backward,
    .unit_run = unit_run,
    .flops = flops,
    .keeps_units = true,
};

void eg_layer_positions(eg_layer *out, eg_shape shape, eg_initial initial)
{
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .block_count = 1,
                      .spares_input = true,
                      .spares_output = true,
                      .passes_gradient = true};
    out->blocks[0] = (eg_block){.name = "weight",
                                .role = EG_ROLE_WEIGHT,
                                .count = eg_shape_size(shape),
                                .units = shape.channels,
                                .fan_in = eg_shape_positions(shape),
                                .lanes = shape.channels,
                                .initial = initial};
}
