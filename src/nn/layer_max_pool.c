/** Maximum pooling of images: the largest number of every window, channel by channel.
 *
 *      cache | scratch [width of the output][channels] |
 *            | which place won, one byte for every output [B][outputs] |
 *
 *  Places of a window are numbered row by row. A later place wins only if it is larger, or NaN: a
 *  diverged network is seen. Backward goes through the places of the input and takes from every
 *  window that covers one, so every number of dx is written once, and sums are in the order of the
 *  windows. Where an output is 0, so is the number that won.
 *
 *  Windows of 2x2 side by side, which most networks have, take a row of them at a time: with few
 *  channels a place alone is too little for a call. */
#include "math/shared/clones.h"
#include "nn/pooling.h"

#include <string.h>

/* Of one place of the output. */
typedef struct window {
    eg_span rows, columns;
    size_t top, left; /* numbers of its first row and column inside the window */
} window;

static window window_at(const eg_layer *layer, size_t i, size_t j)
{
    const eg_pool *pool = eg_pool_of(layer);
    window w = {.rows = eg_pool_places(pool, pool->height, layer->in.height, i),
                .columns = eg_pool_places(pool, pool->width, layer->in.width, j)};
    w.top = w.rows.first + pool->before - i * pool->stride;
    w.left = w.columns.first + pool->before - j * pool->stride;
    return w;
}

/* The numbers of another place of the window against the best so far. `which` is a number of the
 * same size as those it goes with, so that both are chosen in one vector. */
__attribute__((always_inline)) static inline void challenge(size_t n, eg_real place,
                                                            const eg_real *restrict x,
                                                            eg_real *restrict best,
                                                            eg_real *restrict which)
{
    EG_INDEPENDENT
    for (size_t c = 0; c < n; c++) {
        bool wins = (x[c] > best[c]) | (x[c] != x[c]);
        best[c] = wins ? x[c] : best[c];
        which[c] = wins ? place : which[c];
    }
}

/* One place of the output, from x, the first place of the image. */
EG_CLONES static void pool_place(const eg_layer *layer, const window *w, const eg_real *restrict x,
                                 eg_real *restrict which, eg_real *restrict y,
                                 unsigned char *restrict winner)
{
    size_t width = layer->in.width;
    size_t channels = layer->in.channels;
    size_t across = eg_pool_of(layer)->width;
    memcpy(y, x + (w->rows.first * width + w->columns.first) * channels, channels * sizeof *y);
    for (size_t c = 0; c < channels; c++) {
        which[c] = (eg_real)(w->top * across + w->left);
    }
    for (size_t r = w->rows.first; r < w->rows.end; r++) {
        size_t place = (w->top + r - w->rows.first) * across + w->left;
        for (size_t j = w->columns.first; j < w->columns.end; j++, place++) {
            challenge(channels, (eg_real)place, x + (r * width + j) * channels, y, which);
        }
    }
    for (size_t c = 0; c < channels; c++) {
        winner[c] = (unsigned char)which[c];
    }
}

static unsigned char *winners(const eg_layer *layer, const eg_layer_context *context)
{
    return (unsigned char *)(context->cache + layer->cache_fixed);
}

/* Windows of 2x2 side by side that cover all of the input. */
static bool is_halving(const eg_layer *layer)
{
    const eg_pool *pool = eg_pool_of(layer);
    return pool->height == 2 && pool->width == 2 && pool->stride == 2 && pool->before == 0 &&
           layer->in.height == 2 * layer->out.height && layer->in.width == 2 * layer->out.width;
}

/* A row of outputs, from x, the first of its two rows of the input. */
EG_CLONES static void pool_row(const eg_layer *layer, const eg_real *restrict x,
                               eg_real *restrict which, eg_real *restrict y,
                               unsigned char *restrict winner)
{
    const size_t channels = layer->in.channels;
    const size_t count = layer->out.width * channels;
    const eg_real *restrict below = x + 2 * count;
    for (size_t o = 0; o < count; o += channels) {
        for (size_t c = 0; c < channels; c++) {
            y[o + c] = x[2 * o + c];
            which[o + c] = 0;
        }
        challenge(channels, 1, x + 2 * o + channels, y + o, which + o);
        challenge(channels, 2, below + 2 * o, y + o, which + o);
        challenge(channels, 3, below + 2 * o + channels, y + o, which + o);
    }
    for (size_t l = 0; l < count; l++) {
        winner[l] = (unsigned char)which[l];
    }
}

static void forward_halving(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t count = layer->out.width * layer->in.channels;
    const size_t rows = context->batch * layer->out.height;
    unsigned char *winner = winners(layer, context);
    for (size_t i = 0; i < rows; i++) {
        pool_row(layer, context->x[0] + 4 * i * count, context->cache, context->y + i * count,
                 winner + i * count);
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t channels = layer->in.channels;
    if (is_halving(layer)) {
        forward_halving(layer, context);
        return;
    }
    eg_real *y = context->y;
    unsigned char *winner = winners(layer, context);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *x = context->x[0] + b * eg_layer_inputs(layer);
        for (size_t i = 0; i < layer->out.height; i++) {
            for (size_t j = 0; j < layer->out.width; j++) {
                window w = window_at(layer, i, j);
                pool_place(layer, &w, x, context->cache, y, winner);
                y += channels;
                winner += channels;
            }
        }
    }
}

/* dx = dy, or += dy, where the winner is this place of the window. */
EG_CLONES static void take(bool add, size_t n, unsigned char place,
                           const unsigned char *restrict winner, const eg_real *restrict dy,
                           eg_real *restrict dx)
{
    if (add) {
        for (size_t l = 0; l < n; l++) {
            dx[l] += winner[l] == place ? dy[l] : 0;
        }
        return;
    }
    for (size_t l = 0; l < n; l++) {
        dx[l] = winner[l] == place ? dy[l] : 0;
    }
}

/* One place of the input, from the windows of its rows and columns; `o` is where the image's
 * outputs begin. */
static void collect(const eg_layer *layer, const eg_layer_context *context, size_t o, size_t i,
                    size_t j, eg_real *dx)
{
    const eg_pool *pool = eg_pool_of(layer);
    size_t channels = layer->in.channels;
    eg_span rows = eg_pool_windows(pool, pool->height, layer->out.height, i);
    eg_span columns = eg_pool_windows(pool, pool->width, layer->out.width, j);
    bool add = false;
    for (size_t r = rows.first; r < rows.end; r++) {
        size_t row = (i + pool->before - r * pool->stride) * pool->width;
        for (size_t c = columns.first; c < columns.end; c++) {
            size_t place = row + j + pool->before - c * pool->stride;
            size_t at = o + (r * layer->out.width + c) * channels;
            take(add, channels, (unsigned char)place, winners(layer, context) + at,
                 context->dy + at, dx);
            add = true;
        }
    }
    if (!add) {
        memset(dx, 0, channels * sizeof *dx);
    }
}

/* dx of one place of a window, as take does. */
__attribute__((always_inline)) static inline void give(size_t n, eg_real place,
                                                       const eg_real *restrict which,
                                                       const eg_real *restrict dy,
                                                       eg_real *restrict dx)
{
    EG_INDEPENDENT
    for (size_t c = 0; c < n; c++) {
        dx[c] = which[c] == place ? dy[c] : 0;
    }
}

/* Both rows of the input below a row of outputs. */
EG_CLONES static void give_row(const eg_layer *layer, const unsigned char *restrict winner,
                               const eg_real *restrict dy, eg_real *restrict which,
                               eg_real *restrict dx)
{
    const size_t channels = layer->in.channels;
    const size_t count = layer->out.width * channels;
    eg_real *restrict below = dx + 2 * count;
    for (size_t l = 0; l < count; l++) {
        which[l] = winner[l];
    }
    for (size_t o = 0; o < count; o += channels) {
        give(channels, 0, which + o, dy + o, dx + 2 * o);
        give(channels, 1, which + o, dy + o, dx + 2 * o + channels);
        give(channels, 2, which + o, dy + o, below + 2 * o);
        give(channels, 3, which + o, dy + o, below + 2 * o + channels);
    }
}

static void backward_halving(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t count = layer->out.width * layer->in.channels;
    const size_t rows = context->batch * layer->out.height;
    const unsigned char *winner = winners(layer, context);
    for (size_t i = 0; i < rows; i++) {
        give_row(layer, winner + i * count, context->dy + i * count, context->cache,
                 context->dx[0] + 4 * i * count);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    eg_real *dx = context->dx[0];
    if (dx != NULL && is_halving(layer)) {
        backward_halving(layer, context);
        return;
    }
    for (size_t b = 0; dx != NULL && b < context->batch; b++) {
        for (size_t i = 0; i < layer->in.height; i++) {
            for (size_t j = 0; j < layer->in.width; j++) {
                collect(layer, context, b * eg_layer_outputs(layer), i, j, dx);
                dx += layer->in.channels;
            }
        }
    }
}

static const eg_layer_ops ops = {
    .name = "max_pool",
    .forward = forward,
    .backward = backward,
    .flops = eg_pool_flops,
    .keeps_units = true,
    .keeps_flat = true,
};

eg_status eg_layer_max_pool(eg_layer *out, eg_shape in, const eg_pool *spec)
{
    EG_TRY(eg_pool_layer(out, &ops, in, spec));
    out->cache_fixed = out->out.width * in.channels;
    out->cache_per_example = (eg_layer_outputs(out) + sizeof(eg_real) - 1) / sizeof(eg_real);
    return eg_ok();
}
