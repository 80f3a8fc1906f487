/** Average pooling of images to a size of its own, whatever that of the image: along an axis of H
 *  places, window i of n covers places floor(iH/n), …, ceil((i+1)H/n) - 1. Windows overlap where n
 *  does not divide H, and where H is smaller, places repeat.
 *
 *  No parameters; nothing is kept for backward. */
#include "nn/pooling.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/vector.h"

#include <assert.h>
#include <string.h>

static eg_span window(size_t size, size_t count, size_t i)
{
    return (eg_span){.first = i * size / count, .end = ((i + 1) * size + count - 1) / count};
}

static eg_real share(eg_span rows, eg_span columns)
{
    return 1 / (eg_real)((rows.end - rows.first) * (columns.end - columns.first));
}

static void pool_window(const eg_layer *layer, eg_span rows, eg_span columns, const eg_real *x,
                        eg_real *y)
{
    const size_t channels = layer->in.channels;
    memset(y, 0, channels * sizeof *y);
    for (size_t r = rows.first; r < rows.end; r++) {
        for (size_t c = columns.first; c < columns.end; c++) {
            eg_accumulate(channels, x + (r * layer->in.width + c) * channels, y);
        }
    }
    eg_scale(channels, share(rows, columns), y);
}

EG_CLONES static void add_scaled(size_t n, eg_real factor, const eg_real *restrict dy,
                                 eg_real *restrict dx)
{
    for (size_t l = 0; l < n; l++) {
        dx[l] += factor * dy[l];
    }
}

static void spread_window(const eg_layer *layer, eg_span rows, eg_span columns, const eg_real *dy,
                          eg_real *dx)
{
    const size_t channels = layer->in.channels;
    for (size_t r = rows.first; r < rows.end; r++) {
        for (size_t c = columns.first; c < columns.end; c++) {
            add_scaled(channels, share(rows, columns), dy,
                       dx + (r * layer->in.width + c) * channels);
        }
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    eg_real *y = context->y;
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *x = context->x[0] + b * eg_layer_inputs(layer);
        for (size_t i = 0; i < layer->out.height; i++) {
            eg_span rows = window(layer->in.height, layer->out.height, i);
            for (size_t j = 0; j < layer->out.width; j++) {
                pool_window(layer, rows, window(layer->in.width, layer->out.width, j), x, y);
                y += layer->out.channels;
            }
        }
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_real *dy = context->dy;
    if (context->dx[0] == NULL) {
        return;
    }
    memset(context->dx[0], 0, context->batch * eg_layer_inputs(layer) * sizeof *context->dx[0]);
    for (size_t b = 0; b < context->batch; b++) {
        eg_real *dx = context->dx[0] + b * eg_layer_inputs(layer);
        for (size_t i = 0; i < layer->out.height; i++) {
            eg_span rows = window(layer->in.height, layer->out.height, i);
            for (size_t j = 0; j < layer->out.width; j++) {
                spread_window(layer, rows, window(layer->in.width, layer->out.width, j), dy, dx);
                dy += layer->out.channels;
            }
        }
    }
}

/* Windows are about as large as they would be if they did not overlap. */
static double flops(const eg_layer *layer)
{
    double in = (double)eg_layer_inputs(layer);
    double out = (double)eg_layer_outputs(layer);
    return in > out ? in : out;
}

static const eg_layer_ops ops = {
    .name = "adaptive_pool",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .keeps_units = true,
};

void eg_layer_adaptive_pool(eg_layer *out, eg_shape in, size_t height, size_t width)
{
    assert(height > 0 && width > 0);
    *out = (eg_layer){.ops = &ops,
                      .in = in,
                      .out = {.height = height, .width = width, .channels = in.channels},
                      .input_count = 1,
                      .spares_input = true,
                      .spares_output = true};
}
