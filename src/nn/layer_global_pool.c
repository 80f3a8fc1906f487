/** The mean of every channel over the places of an image:
 *
 *      y_c = sum_p x[p, c] / positions      dL/dx[p, c] = dL/dy_c / positions
 *
 *  No parameters; nothing is kept for backward. Sums are in the order of the places. */
#include "nn/layers.h"

#include "math/shared/vector.h"

#include <string.h>

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t positions = eg_shape_positions(layer->in);
    size_t channels = layer->in.channels;
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *x = context->x[0] + b * positions * channels;
        eg_real *y = context->y + b * channels;
        memcpy(y, x, channels * sizeof *y);
        for (size_t p = 1; p < positions; p++) {
            eg_accumulate(channels, x + p * channels, y);
        }
        eg_scale(channels, 1 / (eg_real)positions, y);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t positions = eg_shape_positions(layer->in);
    size_t channels = layer->in.channels;
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        eg_real *dx = context->dx[0] + b * positions * channels;
        memcpy(dx, context->dy + b * channels, channels * sizeof *dx);
        eg_scale(channels, 1 / (eg_real)positions, dx);
        for (size_t p = 1; p < positions; p++) {
            memcpy(dx + p * channels, dx, channels * sizeof *dx);
        }
    }
}

static double flops(const eg_layer *layer)
{
    return (double)eg_layer_inputs(layer);
}

static const eg_layer_ops ops = {
    .name = "global_pool",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .keeps_units = true,
};

void eg_layer_global_pool(eg_layer *out, eg_shape in)
{
    *out = (eg_layer){.ops = &ops,
                      .in = in,
                      .out = eg_shape_vector(in.channels),
                      .input_count = 1,
                      .spares_input = true,
                      .spares_output = true};
}
