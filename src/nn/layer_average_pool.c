/** Average pooling of images: the mean of every window, channel by channel, over its numbers inside
 *  the image.
 *
 *  No parameters; nothing is kept for backward, which goes through the places of the input and
 *  takes from every window that covers one. */
#include "math/shared/clones.h"
#include "math/shared/vector.h"
#include "nn/pooling.h"

#include <string.h>

static void pool_place(const eg_layer *layer, eg_span rows, eg_span columns, const eg_real *x,
                       eg_real *y)
{
    size_t channels = layer->in.channels;
    size_t count = (rows.end - rows.first) * (columns.end - columns.first);
    memset(y, 0, channels * sizeof *y);
    for (size_t r = rows.first; r < rows.end; r++) {
        for (size_t c = columns.first; c < columns.end; c++) {
            eg_accumulate(channels, x + (r * layer->in.width + c) * channels, y);
        }
    }
    eg_scale(channels, 1 / (eg_real)count, y);
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_pool *pool = eg_pool_of(layer);
    eg_real *y = context->y;
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *x = context->x[0] + b * eg_layer_inputs(layer);
        for (size_t i = 0; i < layer->out.height; i++) {
            eg_span rows = eg_pool_places(pool, pool->height, layer->in.height, i);
            for (size_t j = 0; j < layer->out.width; j++) {
                pool_place(layer, rows, eg_pool_places(pool, pool->width, layer->in.width, j), x,
                           y);
                y += layer->out.channels;
            }
        }
    }
}

EG_CLONES static void add_scaled(size_t n, eg_real factor, const eg_real *restrict dy,
                                 eg_real *restrict dx)
{
    for (size_t l = 0; l < n; l++) {
        dx[l] += factor * dy[l];
    }
}

static size_t length(eg_span span)
{
    return span.end - span.first;
}

/* One place of the input; dy of its image. */
static void collect(const eg_layer *layer, const eg_real *dy, size_t i, size_t j, eg_real *dx)
{
    const eg_pool *pool = eg_pool_of(layer);
    size_t channels = layer->in.channels;
    eg_span rows = eg_pool_windows(pool, pool->height, layer->out.height, i);
    eg_span columns = eg_pool_windows(pool, pool->width, layer->out.width, j);
    memset(dx, 0, channels * sizeof *dx);
    for (size_t r = rows.first; r < rows.end; r++) {
        size_t high = length(eg_pool_places(pool, pool->height, layer->in.height, r));
        for (size_t c = columns.first; c < columns.end; c++) {
            size_t wide = length(eg_pool_places(pool, pool->width, layer->in.width, c));
            add_scaled(channels, 1 / (eg_real)(high * wide),
                       dy + (r * layer->out.width + c) * channels, dx);
        }
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    eg_real *dx = context->dx[0];
    for (size_t b = 0; dx != NULL && b < context->batch; b++) {
        const eg_real *dy = context->dy + b * eg_layer_outputs(layer);
        for (size_t i = 0; i < layer->in.height; i++) {
            for (size_t j = 0; j < layer->in.width; j++) {
                collect(layer, dy, i, j, dx);
                dx += layer->in.channels;
            }
        }
    }
}

static const eg_layer_ops ops = {
    .name = "average_pool",
    .forward = forward,
    .backward = backward,
    .flops = eg_pool_flops,
    .keeps_units = true,
};

eg_status eg_layer_average_pool(eg_layer *out, eg_shape in, const eg_pool *spec)
{
    return eg_pool_layer(out, &ops, in, spec);
}
