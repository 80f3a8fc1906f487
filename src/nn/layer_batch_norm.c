/** Batch normalisation: every channel c is brought to mean 0 and variance 1 over the N = B *
 *  positions numbers it has in a minibatch, or by running statistics.
 *
 *      n = (x - m) r,   r = 1/sqrt(v + eps)     m, v   train, probe_batch: of the minibatch, v with
 *      y = g n + b                                     divisor N; predict, probe: running
 *      dL/dx = g r (u - mean(u) - n mean(u n)),   u = dL/dy        without both means if running
 *      running m <- d m + (1 - d) of the minibatch,   of v with divisor N - 1;   in train alone
 *
 *      params  | scale g [channels] | shift b [channels] |
 *      buffers | mean [channels] | variance [channels] |   from 0 and 1
 *      cache   | sums, in double [2][channels] | m [tile] | r [tile] | scratch [3][tile] |
 *
 *  Nothing is kept per example: backward computes n again from x. A minibatch with one number per
 *  channel leaves the running variance as it is, for it has none.
 *
 *  An elementwise layer that alone reads y, as an activation, is made chunk by chunk along with it.
 *
 *  Forward goes over memory once for the statistics and once for y, backward once for the sums and
 *  once for dx. Numbers are taken chunk by chunk: within a chunk, which stays in cache, in eg_real
 *  and about the chunk's own mean, between chunks in double. Constants of the channels are repeated
 *  to a tile of at least TILE numbers, so that few channels are no short loops.
 *
 *  Source: Ioffe and Szegedy 2015, arXiv 1502.03167; merging of chunks: Chan, Golub and LeVeque
 *  1979. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "nn/per_example_backward.h"
#include "nn/unit_norm.h"

#include <math.h>
#include <string.h>

enum { MEAN, VARIANCE, BUFFERS };
enum {
    TILE = 64,   /* least numbers of a tile */
    CHUNK = 8192 /* numbers of a chunk, about */
};

typedef struct batch_norm {
    double eps, decay;
} batch_norm;

static const batch_norm *norm_of(const eg_layer *layer)
{
    return layer->state;
}

/* What a call works on. */
typedef struct pieces {
    size_t channels;
    size_t tile;  /* channels, or a multiple */
    size_t count; /* numbers in the minibatch */
    size_t chunk; /* numbers of a chunk: tiles */
    double *first, *second;
    eg_real *mean, *inverse;
    eg_real *a, *b, *c;
} pieces;

static size_t tile_of(size_t channels)
{
    return (TILE + channels - 1) / channels * channels;
}

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    size_t channels = layer->out.channels;
    size_t tile = tile_of(channels);
    void *cache = context->cache;
    double *sums = cache;
    eg_real *rest = (eg_real *)(void *)(sums + 2 * channels);
    return (pieces){.channels = channels,
                    .tile = tile,
                    .count = context->batch * eg_layer_outputs(layer),
                    .chunk = (CHUNK + tile - 1) / tile * tile,
                    .first = sums,
                    .second = sums + channels,
                    .mean = rest,
                    .inverse = rest + tile,
                    .a = rest + 2 * tile,
                    .b = rest + 3 * tile,
                    .c = rest + 4 * tile};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first `channels` numbers of a tile over all of it. */
static void repeat(const pieces *p, eg_real *tile)
{
    for (size_t i = p->channels; i < p->tile; i++) {
        tile[i] = tile[i - p->channels];
    }
}

/* The sums of a tile's repetitions into its first ones. */
static void fold(const pieces *p, eg_real *tile)
{
    for (size_t i = p->channels; i < p->tile; i++) {
        tile[i % p->channels] += tile[i];
    }
}

/* sum [tile] of x [n], tile by tile. */
EG_CLONES static void add_up(size_t n, size_t tile, const eg_real *restrict x,
                             eg_real *restrict sum)
{
    memset(sum, 0, tile * sizeof *sum);
    size_t i = 0;
    for (; i + 4 * tile <= n; i += 4 * tile) {
        const eg_real *restrict x0 = x + i;
        const eg_real *restrict x1 = x0 + tile;
        const eg_real *restrict x2 = x1 + tile;
        const eg_real *restrict x3 = x2 + tile;
        for (size_t l = 0; l < tile; l++) {
            sum[l] += (x0[l] + x1[l]) + (x2[l] + x3[l]);
        }
    }
    for (; i < n; i += tile) {
        for (size_t l = 0; l < least(tile, n - i); l++) {
            sum[l] += x[i + l];
        }
    }
}

static inline eg_real square(eg_real x)
{
    return x * x;
}

/* sum [tile] of (x - mean)^2. */
EG_CLONES static void add_up_squares(size_t n, size_t tile, const eg_real *restrict x,
                                     const eg_real *restrict mean, eg_real *restrict sum)
{
    memset(sum, 0, tile * sizeof *sum);
    size_t i = 0;
    for (; i + 4 * tile <= n; i += 4 * tile) {
        const eg_real *restrict x0 = x + i;
        const eg_real *restrict x1 = x0 + tile;
        const eg_real *restrict x2 = x1 + tile;
        const eg_real *restrict x3 = x2 + tile;
        for (size_t l = 0; l < tile; l++) {
            sum[l] += (square(x0[l] - mean[l]) + square(x1[l] - mean[l])) +
                      (square(x2[l] - mean[l]) + square(x3[l] - mean[l]));
        }
    }
    for (; i < n; i += tile) {
        for (size_t l = 0; l < least(tile, n - i); l++) {
            sum[l] += square(x[i + l] - mean[l]);
        }
    }
}

/* Mean and sum of squares about it, of `before` numbers per channel, and of `more` after them. */
EG_CLONES static void merge(size_t channels, double before, double more,
                            const eg_real *restrict chunk_mean,
                            const eg_real *restrict chunk_squares, double *restrict mean,
                            double *restrict squares)
{
    double part = more / (before + more);
    for (size_t c = 0; c < channels; c++) {
        double d = (double)chunk_mean[c] - mean[c];
        mean[c] += d * part;
        squares[c] += (double)chunk_squares[c] + d * d * before * part;
    }
}

/* So many numbers are so many positions of images. */
static size_t rows_of(const pieces *p, size_t count)
{
    return count / p->channels;
}

/* Means and sums of squares about them of the minibatch, into first and second. */
static void find_statistics(const pieces *p, const eg_real *x)
{
    memset(p->first, 0, 2 * p->channels * sizeof *p->first);
    for (size_t i = 0; i < p->count; i += p->chunk) {
        size_t n = least(p->chunk, p->count - i);
        eg_real rows = (eg_real)rows_of(p, n);
        add_up(n, p->tile, x + i, p->a);
        fold(p, p->a);
        for (size_t c = 0; c < p->channels; c++) {
            p->a[c] /= rows;
        }
        repeat(p, p->a);
        add_up_squares(n, p->tile, x + i, p->a, p->b);
        fold(p, p->b);
        merge(p->channels, (double)rows_of(p, i), (double)rows, p->a, p->b, p->first, p->second);
    }
}

/* Running statistics follow those of the minibatch. */
static void follow(const eg_layer *layer, const eg_layer_context *context, const pieces *p)
{
    double decay = norm_of(layer)->decay;
    double n = (double)rows_of(p, p->count);
    double *restrict mean = context->buffers[MEAN];
    double *restrict variance = context->buffers[VARIANCE];
    for (size_t c = 0; c < p->channels; c++) {
        mean[c] = decay * mean[c] + (1 - decay) * p->first[c];
        if (n > 1) {
            variance[c] = decay * variance[c] + (1 - decay) * p->second[c] / (n - 1);
        }
    }
}

/* m and r of the mode. */
static void prepare_tiles(const eg_layer *layer, const eg_layer_context *context, const pieces *p)
{
    double n = (double)rows_of(p, p->count);
    bool batch = eg_mode_uses_batch(context->mode);
    for (size_t c = 0; c < p->channels; c++) {
        double variance = batch ? p->second[c] / n : context->buffers[VARIANCE][c];
        p->mean[c] = (eg_real)(batch ? p->first[c] : context->buffers[MEAN][c]);
        p->inverse[c] = (eg_real)(1 / sqrt(variance + norm_of(layer)->eps));
    }
    repeat(p, p->mean);
    repeat(p, p->inverse);
}

/* y = factor (x - mean) + shift */
EG_CLONES static void normalise(size_t n, size_t tile, const eg_real *restrict x,
                                const eg_real *restrict mean, const eg_real *restrict factor,
                                const eg_real *restrict shift, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i += tile) {
        for (size_t l = 0; l < least(tile, n - i); l++) {
            y[i + l] = factor[l] * (x[i + l] - mean[l]) + shift[l];
        }
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    if (eg_mode_uses_batch(context->mode)) {
        find_statistics(&p, context->x[0]);
    }
    if (context->mode == EG_MODE_TRAIN) {
        follow(layer, context, &p);
    }
    prepare_tiles(layer, context, &p);
    for (size_t c = 0; c < p.channels; c++) {
        p.a[c] = context->params[EG_UNIT_NORM_SCALE][c] * p.inverse[c];
        p.b[c] = context->params[EG_UNIT_NORM_SHIFT][c];
    }
    repeat(&p, p.a);
    repeat(&p, p.b);
    if (context->next == NULL) {
        normalise(p.count, p.tile, context->x[0], p.mean, p.a, p.b, context->y);
        return;
    }
    const eg_layer *next = context->next->layer;
    for (size_t i = 0; i < p.count; i += p.chunk) {
        size_t n = least(p.chunk, p.count - i);
        normalise(n, p.tile, context->x[0] + i, p.mean, p.a, p.b, context->y);
        next->ops->forward_part(next, context->next->context, i, n, context->y);
    }
}

/* sum [tile] of dy, and along [tile] of dy (x - mean). */
EG_CLONES static void add_up_gradients(size_t n, size_t tile, const eg_real *restrict dy,
                                       const eg_real *restrict x, const eg_real *restrict mean,
                                       eg_real *restrict sum, eg_real *restrict along)
{
    memset(sum, 0, tile * sizeof *sum);
    memset(along, 0, tile * sizeof *along);
    size_t i = 0;
    for (; i + 2 * tile <= n; i += 2 * tile) {
        const eg_real *restrict g0 = dy + i;
        const eg_real *restrict g1 = g0 + tile;
        const eg_real *restrict x0 = x + i;
        const eg_real *restrict x1 = x0 + tile;
        for (size_t l = 0; l < tile; l++) {
            sum[l] += g0[l] + g1[l];
            along[l] += g0[l] * (x0[l] - mean[l]) + g1[l] * (x1[l] - mean[l]);
        }
    }
    for (; i < n; i += tile) {
        for (size_t l = 0; l < least(tile, n - i); l++) {
            sum[l] += dy[i + l];
            along[l] += dy[i + l] * (x[i + l] - mean[l]);
        }
    }
}

/* dy of some numbers, where the next layer leaves it to this one. */
static void backward_next(const eg_layer_context *context, size_t first, size_t count)
{
    if (context->next != NULL) {
        const eg_layer *next = context->next->layer;
        next->ops->backward_part(next, context->next->context, first, count);
    }
}

/* Sums of dy and of dy n, into first and second. */
static void find_gradients(const eg_layer_context *context, const pieces *p)
{
    memset(p->first, 0, 2 * p->channels * sizeof *p->first);
    for (size_t i = 0; i < p->count; i += p->chunk) {
        size_t n = least(p->chunk, p->count - i);
        backward_next(context, i, n);
        add_up_gradients(n, p->tile, context->dy + i, context->x[0] + i, p->mean, p->a, p->b);
        fold(p, p->a);
        fold(p, p->b);
        for (size_t c = 0; c < p->channels; c++) {
            p->first[c] += (double)p->a[c];
            p->second[c] += (double)p->b[c] * (double)p->inverse[c];
        }
    }
}

/* dx = a dy - b - c (x - mean) */
EG_CLONES static void through_statistics(const pieces *p, const eg_real *restrict dy,
                                         const eg_real *restrict x, eg_real *restrict dx)
{
    const eg_real *restrict mean = p->mean;
    const eg_real *restrict a = p->a;
    const eg_real *restrict b = p->b;
    const eg_real *restrict c = p->c;
    for (size_t i = 0; i < p->count; i += p->tile) {
        for (size_t l = 0; l < least(p->tile, p->count - i); l++) {
            dx[i + l] = a[l] * dy[i + l] - b[l] - c[l] * (x[i + l] - mean[l]);
        }
    }
}

/* dx = a dy */
EG_CLONES static void through_constants(const pieces *p, const eg_real *restrict dy,
                                        eg_real *restrict dx)
{
    const eg_real *restrict a = p->a;
    for (size_t i = 0; i < p->count; i += p->tile) {
        for (size_t l = 0; l < least(p->tile, p->count - i); l++) {
            dx[i + l] = a[l] * dy[i + l];
        }
    }
}

static void input_gradient(const eg_layer_context *context, const pieces *p)
{
    double n = (double)rows_of(p, p->count);
    bool batch = eg_mode_uses_batch(context->mode);
    for (size_t c = 0; c < p->channels; c++) {
        double a = (double)context->params[EG_UNIT_NORM_SCALE][c] * (double)p->inverse[c];
        p->a[c] = (eg_real)a;
        p->b[c] = (eg_real)(batch ? a * p->first[c] / n : 0);
        p->c[c] = (eg_real)(batch ? a * (double)p->inverse[c] * p->second[c] / n : 0);
    }
    repeat(p, p->a);
    repeat(p, p->b);
    repeat(p, p->c);
    if (batch) {
        through_statistics(p, context->dy, context->x[0], context->dx[0]);
    } else {
        through_constants(p, context->dy, context->dx[0]);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    if (context->grads != NULL || eg_mode_uses_batch(context->mode)) {
        find_gradients(context, &p);
    } else {
        backward_next(context, 0, p.count);
    }
    for (size_t c = 0; context->grads != NULL && c < p.channels; c++) {
        context->grads[EG_UNIT_NORM_SCALE][c] = (eg_real)p.second[c];
        context->grads[EG_UNIT_NORM_SHIFT][c] = (eg_real)p.first[c];
    }
    if (context->dx[0] != NULL) {
        input_gradient(context, &p);
    }
}

static double flops(const eg_layer *layer)
{
    return eg_unit_norm_flops(eg_layer_outputs(layer));
}

static double macs(const eg_layer *layer)
{
    return 2 * (double)eg_layer_outputs(layer);
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    (void)layer;
    *run = (eg_unit_run){.block = k, .first = unit, .count = 1, .stride = 1};
    return side == EG_UNIT_INCOMING && k < EG_UNIT_NORM_BLOCKS;
}

static const eg_layer_ops ops = {
    .name = "norm",
    .init = eg_unit_norm_init,
    .forward = forward,
    .backward = backward,
    .per_example_round = eg_per_example_backward,
    .per_example_scratch = eg_per_example_backward_scratch,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
    .keeps_units = true,
    .takes_next = true,
};

eg_status eg_layer_batch_norm(eg_layer *out, eg_shape shape, double eps, double decay)
{
    static const char *const names[] = {"mean", "variance"};
    batch_norm *state = NULL;
    size_t n = shape.channels;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (batch_norm){.eps = eps, .decay = decay};
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .spares_output = true,
                      .buffer_count = BUFFERS,
                      .cache_fixed = 5 * tile_of(n) + 2 * n * sizeof(double) / sizeof(eg_real),
                      .state = state};
    eg_unit_norm_declare(out, n, 1);
    for (size_t b = 0; b < BUFFERS; b++) {
        out->buffers[b] = (eg_block){.name = names[b], .count = n, .units = n, .fan_in = 1};
    }
    out->buffers[VARIANCE].initial = (eg_initial){.kind = EG_INITIAL_VALUE, .scale = 1};
    return eg_ok();
}
