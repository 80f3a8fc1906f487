/** Local response normalisation: every channel c of a place is divided by a power of what its
 *  neighbours among the channels do, as far as there are any:
 *
 *      s_c = bias + alpha sum_d x_(c+d)^2, d = -radius … radius      y_c = x_c s_c^-beta
 *      dL/dx_c = u_c s_c^-beta - 2 alpha beta x_c sum_d (u x s^(-beta-1))_(c+d),   u = dL/dy
 *
 *      cache | scratch [3][radius + channels + radius] |
 *
 *  Nothing is kept; backward computes s again. The window of all channels is summed from its first
 *  to its last neighbour. Source: Krizhevsky, Sutskever and Hinton 2012, whose alpha and window are
 *  those of tf.nn.local_response_normalization. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const eg_response *response_of(const eg_layer *layer)
{
    return layer->state;
}

/* What a call works on. Rows have `radius` zeros at both ends. */
typedef struct pieces {
    const eg_response *spec;
    size_t channels;
    eg_real *row;    /* what is summed over windows */
    eg_real *sum;    /* [channels] */
    eg_real *factor; /* [channels] s^-beta */
} pieces;

static size_t padded(size_t channels, const eg_response *spec)
{
    return channels + 2 * spec->radius;
}

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_response *spec = response_of(layer);
    size_t width = padded(layer->in.channels, spec);
    memset(context->cache, 0, width * sizeof *context->cache);
    return (pieces){.spec = spec,
                    .channels = layer->in.channels,
                    .row = context->cache,
                    .sum = context->cache + width,
                    .factor = context->cache + 2 * width};
}

/* sum [n] of the windows of row. */
EG_CLONES static void add_windows(size_t n, size_t window, const eg_real *restrict row,
                                  eg_real *restrict sum)
{
    memcpy(sum, row, n * sizeof *sum);
    for (size_t d = 1; d < window; d++) {
        const eg_real *restrict shifted = row + d;
        for (size_t c = 0; c < n; c++) {
            sum[c] += shifted[c];
        }
    }
}

EG_CLONES static void squares(size_t n, const eg_real *restrict x, eg_real *restrict square)
{
    for (size_t c = 0; c < n; c++) {
        square[c] = x[c] * x[c];
    }
}

/* s = bias + alpha s, and s^-0.75, for which roots do. */
EG_CLONES static void three_quarters(size_t n, eg_real bias, eg_real alpha, eg_real *restrict s,
                                     eg_real *restrict factor)
{
    for (size_t c = 0; c < n; c++) {
        s[c] = bias + alpha * s[c];
        eg_real root = eg_sqrt(s[c]);
        factor[c] = 1 / (root * eg_sqrt(root));
    }
}

/* s and s^-beta of a place. */
static void respond(const pieces *p, const eg_real *x)
{
    const eg_response *spec = p->spec;
    squares(p->channels, x, p->row + spec->radius);
    add_windows(p->channels, 2 * spec->radius + 1, p->row, p->sum);
    if (spec->beta == 0.75) {
        three_quarters(p->channels, (eg_real)spec->bias, (eg_real)spec->alpha, p->sum, p->factor);
        return;
    }
    for (size_t c = 0; c < p->channels; c++) {
        double s = spec->bias + spec->alpha * (double)p->sum[c];
        p->sum[c] = (eg_real)s;
        p->factor[c] = (eg_real)pow(s, -spec->beta);
    }
}

EG_CLONES static void multiply(size_t n, const eg_real *restrict a, const eg_real *restrict b,
                               eg_real *restrict out)
{
    for (size_t c = 0; c < n; c++) {
        out[c] = a[c] * b[c];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    for (size_t i = 0; i < context->batch * eg_layer_inputs(layer); i += p.channels) {
        respond(&p, context->x[0] + i);
        multiply(p.channels, context->x[0] + i, p.factor, context->y + i);
    }
}

/* t = dy x s^(-beta-1) */
EG_CLONES static void weigh(size_t n, const eg_real *restrict dy, const eg_real *restrict x,
                            const eg_real *restrict s, const eg_real *restrict factor,
                            eg_real *restrict t)
{
    for (size_t c = 0; c < n; c++) {
        t[c] = dy[c] * x[c] * factor[c] / s[c];
    }
}

EG_CLONES static void put_together(size_t n, eg_real both, const eg_real *restrict dy,
                                   const eg_real *restrict x, const eg_real *restrict factor,
                                   const eg_real *restrict sum, eg_real *restrict dx)
{
    for (size_t c = 0; c < n; c++) {
        dx[c] = dy[c] * factor[c] - both * x[c] * sum[c];
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    if (context->dx[0] == NULL) {
        return;
    }
    pieces p = cut(layer, context);
    const eg_response *spec = p.spec;
    const eg_real both = (eg_real)(2 * spec->alpha * spec->beta);
    for (size_t i = 0; i < context->batch * eg_layer_inputs(layer); i += p.channels) {
        const eg_real *x = context->x[0] + i;
        const eg_real *dy = context->dy + i;
        respond(&p, x);
        weigh(p.channels, dy, x, p.sum, p.factor, p.row + spec->radius);
        add_windows(p.channels, 2 * spec->radius + 1, p.row, p.sum);
        put_together(p.channels, both, dy, x, p.factor, p.sum, context->dx[0] + i);
    }
}

/* Of every number: its square, its window, the power (counted as 10), and the product. */
static double flops(const eg_layer *layer)
{
    return (double)(2 * response_of(layer)->radius + 12) * (double)eg_layer_outputs(layer);
}

static void free_state(eg_layer *layer)
{
    eg_free(layer->state);
}

static const eg_layer_ops ops = {
    .name = "local_response",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .free = free_state,
    .keeps_units = true,
};

eg_status eg_layer_local_response(eg_layer *out, eg_shape shape, const eg_response *spec)
{
    assert(spec->bias > 0 && spec->alpha >= 0);
    eg_response *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = *spec;
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .cache_fixed = 3 * padded(shape.channels, spec),
                      .spares_output = true,
                      .state = state};
    return eg_ok();
}
