/** Layer normalisation: every example is brought to mean 0 and variance 1 over its n numbers.
 *
 *      n_i = (x_i - m) r,   r = 1/sqrt(v + 1e-5),   m = mean(x), v = mean((x - m)^2)
 *      y_i = g_i n_i + b_i
 *      dL/dx = r (u - mean(u) - n mean(u n)),   u = dL/dy g
 *
 *      params | scale g [n] | shift b [n] |
 *      cache  | normalised numbers [B][n] | r [B] |
 *
 *  The same in every mode; there are no buffers. Source: Ba, Kiros and Hinton 2016, arXiv
 *  1607.06450. */
#include "nn/unit_norm.h"

#include "engram/blas.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

static const eg_real least_variance = (eg_real)1e-5;

static eg_real *inverses(const eg_layer *layer, const eg_layer_context *context)
{
    return context->cache + context->batch * eg_layer_outputs(layer);
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_outputs(layer);
    const eg_real *restrict scale = context->params[EG_UNIT_NORM_SCALE];
    const eg_real *restrict shift = context->params[EG_UNIT_NORM_SHIFT];
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *restrict x = context->x[0] + b * n;
        eg_real *restrict normal = context->cache + b * n;
        eg_real *restrict y = context->y + b * n;
        eg_real mean = eg_sum(n, x) / (eg_real)n;
        eg_real variance = eg_sum_squares(n, x, mean) / (eg_real)n;
        eg_real inverse = 1 / eg_sqrt(variance + least_variance);
        inverses(layer, context)[b] = inverse;
        for (size_t i = 0; i < n; i++) {
            normal[i] = (x[i] - mean) * inverse;
            y[i] = scale[i] * normal[i] + shift[i];
        }
    }
}

static void backward_example(size_t n, const eg_real *restrict scale,
                             const eg_real *restrict normal, eg_real inverse,
                             const eg_real *restrict dy, eg_real *restrict dx)
{
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * scale[i];
    }
    eg_real mean = eg_sum(n, dx) / (eg_real)n;
    eg_real along = eg_dot(n, dx, normal) / (eg_real)n;
    for (size_t i = 0; i < n; i++) {
        dx[i] = inverse * (dx[i] - mean - normal[i] * along);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_outputs(layer);
    if (context->grads != NULL) {
        eg_unit_norm_gradients(layer, context, context->cache, context->dy);
    }
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        backward_example(n, context->params[EG_UNIT_NORM_SCALE], context->cache + b * n,
                         inverses(layer, context)[b], context->dy + b * n, context->dx[0] + b * n);
    }
}

static void per_example(const eg_layer *layer, const eg_layer_context *context, eg_per_example what,
                        eg_real *scratch, eg_real *const *sums)
{
    (void)scratch;
    eg_unit_norm_per_example(layer, context, what, context->cache, sums);
}

static size_t no_scratch(const eg_layer *layer, size_t batch)
{
    (void)layer, (void)batch;
    return 0;
}

double eg_unit_norm_flops(size_t n)
{
    return 10.0 * (double)n;
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
    .per_example = per_example,
    .per_example_scratch = no_scratch,
    .unit_run = eg_unit_norm_run,
    .flops = flops,
    .macs = macs,
    .keeps_units = true,
};

void eg_layer_norm(eg_layer *out, eg_shape shape)
{
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .mixes_units = true,
                      .cache_per_example = eg_shape_size(shape) + 1};
    eg_unit_norm_declare(out, shape.channels, eg_shape_positions(shape));
}
