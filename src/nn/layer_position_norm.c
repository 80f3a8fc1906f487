/** Layer normalisation of every place of an example by itself: its n channels are brought to mean 0
 *  and variance 1, with a scale and a shift for each channel.
 *
 *      n_i = (x_i - m) r,   r = 1/sqrt(v + 1e-5),   m = mean(x), v = mean((x - m)^2)
 *      y_i = g_i n_i + b_i
 *      dL/dx = r (u - mean(u) - n mean(u n)),   u = dL/dy g
 *
 *      params | scale g [n] | shift b [n] |
 *      cache  | m, r of every place | scratch [2][n] |
 *
 *  The same in every mode. Source: Ba, Kiros and Hinton 2016, arXiv 1607.06450, as transformers use
 *  it. */
#include "nn/unit_norm.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <string.h>

enum { SCALE = EG_UNIT_NORM_SCALE, SHIFT = EG_UNIT_NORM_SHIFT, KEPT = 2 };

static const eg_real least_variance = (eg_real)1e-5;

/* Sums over lanes, so that they vectorise; what is left behind whole lanes goes to the first. */
__attribute__((always_inline)) static inline eg_real mean_of(size_t n, const eg_real *x)
{
    eg_real lane[EG_LANES] = {0};
    const size_t end = n / EG_LANES * EG_LANES;
    for (size_t i = 0; i < end; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] += x[i + l];
        }
    }
    for (size_t i = end; i < n; i++) {
        lane[i - end] += x[i];
    }
    return eg_lanes_sum(lane) / (eg_real)n;
}

__attribute__((always_inline)) static inline eg_real variance_of(size_t n, const eg_real *x,
                                                                 eg_real mean)
{
    eg_real lane[EG_LANES] = {0};
    const size_t end = n / EG_LANES * EG_LANES;
    for (size_t i = 0; i < end; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] += (x[i + l] - mean) * (x[i + l] - mean);
        }
    }
    for (size_t i = end; i < n; i++) {
        lane[i - end] += (x[i] - mean) * (x[i] - mean);
    }
    return eg_lanes_sum(lane) / (eg_real)n;
}

EG_CLONES static void normalise(size_t places, size_t n, const eg_real *restrict x,
                                const eg_real *restrict scale, const eg_real *restrict shift,
                                eg_real *restrict kept, eg_real *restrict y)
{
    for (size_t p = 0; p < places; p++) {
        const eg_real mean = mean_of(n, x);
        const eg_real inverse = 1 / eg_sqrt(variance_of(n, x, mean) + least_variance);
        for (size_t i = 0; i < n; i++) {
            y[i] = scale[i] * ((x[i] - mean) * inverse) + shift[i];
        }
        kept[0] = mean;
        kept[1] = inverse;
        x += n;
        y += n;
        kept += KEPT;
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    normalise(context->batch * eg_shape_positions(layer->in), layer->in.channels, context->x[0],
              context->params[SCALE], context->params[SHIFT], context->cache, context->y);
}

/* Adds to the gradients of scale and shift. */
EG_CLONES static void add_gradients(size_t places, size_t n, const eg_real *restrict x,
                                    const eg_real *restrict kept, const eg_real *restrict dy,
                                    eg_real *restrict scale, eg_real *restrict shift)
{
    for (size_t p = 0; p < places; p++) {
        for (size_t i = 0; i < n; i++) {
            scale[i] += dy[i] * ((x[i] - kept[0]) * kept[1]);
            shift[i] += dy[i];
        }
        x += n;
        dy += n;
        kept += KEPT;
    }
}

/* u and normal [n]: scratch. */
EG_CLONES static void differentiate(size_t places, size_t n, const eg_real *restrict x,
                                    const eg_real *restrict scale, const eg_real *restrict kept,
                                    const eg_real *restrict dy, eg_real *restrict u,
                                    eg_real *restrict normal, eg_real *restrict dx)
{
    for (size_t p = 0; p < places; p++) {
        for (size_t i = 0; i < n; i++) {
            u[i] = dy[i] * scale[i];
            normal[i] = (x[i] - kept[0]) * kept[1];
            dx[i] = u[i] * normal[i];
        }
        const eg_real mean = mean_of(n, u);
        const eg_real along = mean_of(n, dx);
        for (size_t i = 0; i < n; i++) {
            dx[i] = kept[1] * (u[i] - mean - normal[i] * along);
        }
        x += n;
        dy += n;
        dx += n;
        kept += KEPT;
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t n = layer->in.channels;
    const size_t places = context->batch * eg_shape_positions(layer->in);
    eg_real *scratch = context->cache + context->batch * layer->cache_per_example;
    if (context->grads != NULL) {
        memset(context->grads[SCALE], 0, n * sizeof *scratch);
        memset(context->grads[SHIFT], 0, n * sizeof *scratch);
        add_gradients(places, n, context->x[0], context->cache, context->dy, context->grads[SCALE],
                      context->grads[SHIFT]);
    }
    if (context->dx[0] != NULL) {
        differentiate(places, n, context->x[0], context->params[SCALE], context->cache, context->dy,
                      scratch, scratch + n, context->dx[0]);
    }
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    (void)layer;
    *run = (eg_unit_run){.block = k, .first = unit, .count = 1, .stride = 1};
    return side == EG_UNIT_INCOMING && k < EG_UNIT_NORM_BLOCKS;
}

static double flops(const eg_layer *layer)
{
    return eg_unit_norm_flops(eg_layer_outputs(layer));
}

static double macs(const eg_layer *layer)
{
    return 5 * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "norm",
    .init = eg_unit_norm_init,
    .forward = forward,
    .backward = backward,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
    .keeps_units = true,
};

void eg_layer_position_norm(eg_layer *out, eg_shape shape)
{
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .spares_output = true,
                      .mixes_units = true,
                      .cache_per_example = eg_shape_positions(shape) * KEPT,
                      .cache_fixed = 2 * shape.channels};
    eg_unit_norm_declare(out, shape.channels, 1);
}
