/** Local response normalisation: every channel c of a place is divided by a power of what its
 *  neighbours among the channels do, as far as there are any:
 *
 *      s_c = bias + alpha sum_d x_(c+d)^2, d = -radius … radius      y_c = x_c s_c^-beta
 *      dL/dx_c = u_c s_c^-beta - 2 alpha beta x_c sum_d (u x s^(-beta-1))_(c+d),   u = dL/dy
 *
 *      cache | row | sum | factor |   of PLACES places each
 *
 *  Nothing is kept; backward computes s again. Several places at a time stand in one row, with
 *  `radius` zeros before and behind each, so that the windows of all are summed in one loop, each
 *  from its first to its last neighbour.
 *
 *  Source: Krizhevsky, Sutskever and Hinton 2012; alpha and the window are those of
 *  tf.nn.local_response_normalization. */
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

enum { PLACES = 32 }; /* at a time */

/* What a call works on: rows of places of `pitch` numbers each. */
typedef struct pieces {
    const eg_response *spec;
    size_t channels, pitch;
    size_t length;   /* of a row */
    eg_real *row;    /* what is summed over windows: channel c of place p at p*pitch + radius + c */
    eg_real *sum;    /* of the window around channel c of place p at p*pitch + c */
    eg_real *factor; /* s^-beta, as sum */
} pieces;

static size_t pitch_of(size_t channels, const eg_response *spec)
{
    return channels + 2 * spec->radius;
}

static size_t length_of(size_t channels, const eg_response *spec)
{
    return PLACES * pitch_of(channels, spec);
}

/* Numbers of a row with what the last windows reach behind it, which is 0. */
static size_t row_of(size_t channels, const eg_response *spec)
{
    return length_of(channels, spec) + 2 * spec->radius;
}

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_response *spec = response_of(layer);
    size_t channels = layer->in.channels;
    size_t length = length_of(channels, spec);
    size_t row = row_of(channels, spec);
    memset(context->cache, 0, row * sizeof *context->cache);
    return (pieces){.spec = spec,
                    .channels = channels,
                    .pitch = pitch_of(channels, spec),
                    .length = length,
                    .row = context->cache,
                    .sum = context->cache + row,
                    .factor = context->cache + row + length};
}

/* sum [n] of the windows of row. */
EG_CLONES static void add_windows(size_t n, size_t window, const eg_real *restrict row,
                                  eg_real *restrict sum)
{
    memcpy(sum, row, n * sizeof *sum);
    size_t d = 1;
    for (; d + 2 <= window; d += 2) {
        const eg_real *restrict one = row + d;
        const eg_real *restrict next = row + d + 1;
        for (size_t i = 0; i < n; i++) {
            sum[i] = sum[i] + one[i] + next[i];
        }
    }
    for (; d < window; d++) {
        for (size_t i = 0; i < n; i++) {
            sum[i] += row[i + d];
        }
    }
}

/* s = bias + alpha s, and s^-0.75, for which roots do. */
EG_CLONES static void three_quarters(size_t n, eg_real bias, eg_real alpha, eg_real *restrict s,
                                     eg_real *restrict factor)
{
    for (size_t i = 0; i < n; i++) {
        s[i] = bias + alpha * s[i];
        eg_real root = eg_sqrt(s[i]);
        factor[i] = 1 / (root * eg_sqrt(root));
    }
}

EG_CLONES static void square_places(const pieces *p, size_t places, const eg_real *restrict x)
{
    for (size_t i = 0; i < places; i++) {
        const eg_real *restrict from = x + i * p->channels;
        eg_real *restrict to = p->row + i * p->pitch + p->spec->radius;
        for (size_t c = 0; c < p->channels; c++) {
            to[c] = from[c] * from[c];
        }
    }
}

/* s and s^-beta of the next places. */
static void respond(const pieces *p, size_t places, const eg_real *x)
{
    const eg_response *spec = p->spec;
    square_places(p, places, x);
    add_windows(p->length, 2 * spec->radius + 1, p->row, p->sum);
    if (spec->beta == 0.75) {
        three_quarters(p->length, (eg_real)spec->bias, (eg_real)spec->alpha, p->sum, p->factor);
        return;
    }
    for (size_t i = 0; i < p->length; i++) {
        double s = spec->bias + spec->alpha * (double)p->sum[i];
        p->sum[i] = (eg_real)s;
        p->factor[i] = (eg_real)pow(s, -spec->beta);
    }
}

EG_CLONES static void multiply_places(const pieces *p, size_t places, const eg_real *restrict x,
                                      eg_real *restrict y)
{
    for (size_t i = 0; i < places; i++) {
        const eg_real *restrict from = x + i * p->channels;
        const eg_real *restrict factor = p->factor + i * p->pitch;
        eg_real *restrict to = y + i * p->channels;
        for (size_t c = 0; c < p->channels; c++) {
            to[c] = from[c] * factor[c];
        }
    }
}

/* How many of all places, from the first on, are the next. */
static size_t next_places(size_t all, size_t first)
{
    return all - first < PLACES ? all - first : PLACES;
}

static size_t all_places(const eg_layer *layer, const eg_layer_context *context)
{
    return context->batch * eg_shape_positions(layer->in);
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    size_t all = all_places(layer, context);
    for (size_t first = 0; first < all; first += PLACES) {
        size_t places = next_places(all, first);
        size_t at = first * p.channels;
        respond(&p, places, context->x[0] + at);
        multiply_places(&p, places, context->x[0] + at, context->y + at);
    }
}

/* row = dy x s^(-beta-1) */
EG_CLONES static void weigh_places(const pieces *p, size_t places, const eg_real *restrict dy,
                                   const eg_real *restrict x)
{
    for (size_t i = 0; i < places; i++) {
        size_t at = i * p->channels;
        size_t in_row = i * p->pitch;
        eg_real *restrict to = p->row + in_row + p->spec->radius;
        const eg_real *restrict factor = p->factor + in_row;
        const eg_real *restrict s = p->sum + in_row;
        for (size_t c = 0; c < p->channels; c++) {
            to[c] = dy[at + c] * x[at + c] * factor[c] / s[c];
        }
    }
}

EG_CLONES static void put_together(const pieces *p, size_t places, eg_real both,
                                   const eg_real *restrict dy, const eg_real *restrict x,
                                   eg_real *restrict dx)
{
    for (size_t i = 0; i < places; i++) {
        size_t at = i * p->channels;
        const eg_real *restrict factor = p->factor + i * p->pitch;
        const eg_real *restrict sum = p->sum + i * p->pitch;
        for (size_t c = 0; c < p->channels; c++) {
            dx[at + c] = dy[at + c] * factor[c] - both * x[at + c] * sum[c];
        }
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
    size_t all = all_places(layer, context);
    for (size_t first = 0; first < all; first += PLACES) {
        size_t places = next_places(all, first);
        const eg_real *x = context->x[0] + first * p.channels;
        const eg_real *dy = context->dy + first * p.channels;
        respond(&p, places, x);
        weigh_places(&p, places, dy, x);
        add_windows(p.length, 2 * spec->radius + 1, p.row, p.sum);
        put_together(&p, places, both, dy, x, context->dx[0] + first * p.channels);
    }
}

/* Of every number: its square, its window, the power (counted as 10), and the product. */
static double flops(const eg_layer *layer)
{
    return (double)(2 * response_of(layer)->radius + 12) * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "local_response",
    .forward = forward,
    .backward = backward,
    .flops = flops,
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
                      .cache_fixed =
                          row_of(shape.channels, spec) + 2 * length_of(shape.channels, spec),
                      .spares_output = true,
                      .mixes_units = true,
                      .state = state};
    return eg_ok();
}
