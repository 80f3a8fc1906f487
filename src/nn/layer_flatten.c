/** An image as a vector, channel by channel:
 *
 *      y[c*positions + p] = x[p*channels + c]
 *
 *  Fully connected layers after convolutions have their weights in this order in the programs that
 *  results are compared with. No parameters; nothing is kept for backward. */
#include "nn/layers.h"

#include "math/shared/transpose.h"

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        eg_transpose(eg_shape_positions(layer->in), layer->in.channels, context->x[0] + b * n,
                     context->y + b * n);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        eg_transpose(layer->in.channels, eg_shape_positions(layer->in), context->dy + b * n,
                     context->dx[0] + b * n);
    }
}

static double flops(const eg_layer *layer)
{
    (void)layer;
    return 0;
}

static const eg_layer_ops ops = {
    .name = "flatten",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .flattens = true,
    .keeps_flat = true,
};

void eg_layer_flatten(eg_layer *out, eg_shape in)
{
    *out = (eg_layer){.ops = &ops,
                      .in = in,
                      .out = eg_shape_vector(eg_shape_size(in)),
                      .input_count = 1,
                      .spares_input = true,
                      .spares_output = true};
}
