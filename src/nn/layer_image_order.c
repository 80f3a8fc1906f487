/** The order of an image's numbers that layers want, from the one that datasets have:
 *
 *      [channels][height][width]  ->  [height][width][channels]
 *
 *  No parameters; nothing is kept for backward. */
#include "nn/layers.h"

#include "math/shared/transpose.h"

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        eg_transpose(layer->in.channels, eg_shape_positions(layer->in), context->x[0] + b * n,
                     context->y + b * n);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        eg_transpose(eg_shape_positions(layer->in), layer->in.channels, context->dy + b * n,
                     context->dx[0] + b * n);
    }
}

static double flops(const eg_layer *layer)
{
    (void)layer;
    return 0;
}

static const eg_layer_ops ops = {
    .name = "image_order",
    .forward = forward,
    .backward = backward,
    .flops = flops,
};

void eg_layer_image_order(eg_layer *out, eg_shape shape)
{
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .spares_input = true,
                      .spares_output = true};
}
