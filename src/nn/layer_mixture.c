/** A soft mixture of branches; see nn/layers.h. Per example, with n branches:
 *
 *      p = softmax(x_0)                      x_0 [n]: the gate's outputs
 *      y = sum_k p_k x_k                     x_k, y of one shape
 *      dL/dx_k = p_k dL/dy
 *      dL/dx_0,k = p_k (e_k - sum_j p_j e_j),   e_k = dL/dy . x_k
 *
 *      cache | p [B][n] | */
#include "nn/gating.h"
#include "nn/layers.h"

#include "engram/blas.h"
#include "math/shared/elementary.h"

static size_t branches(const eg_layer *layer)
{
    return layer->input_count - 1;
}

eg_shape eg_gated_input(const eg_layer *layer, size_t k)
{
    return k == 0 ? eg_shape_vector(branches(layer)) : layer->out;
}

void eg_gate_probabilities(size_t n, const eg_real *x, eg_real *p)
{
    eg_real top = x[0];
    for (size_t k = 1; k < n; k++) {
        top = x[k] > top ? x[k] : top;
    }
    eg_real sum = 0;
    for (size_t k = 0; k < n; k++) {
        p[k] = eg_exp(x[k] - top);
        sum += p[k];
    }
    for (size_t k = 0; k < n; k++) {
        p[k] /= sum;
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = branches(layer);
    size_t size = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        eg_real *p = context->cache + b * n;
        eg_real *y = context->y + b * size;
        eg_gate_probabilities(n, context->x[0] + b * n, p);
        for (size_t i = 0; i < size; i++) {
            y[i] = 0;
        }
        for (size_t k = 0; k < n; k++) {
            const eg_real *x = context->x[k + 1] + b * size;
            for (size_t i = 0; i < size; i++) {
                y[i] += p[k] * x[i];
            }
        }
    }
}

/* Of example b: the gradient of the gate's outputs. */
static void backward_gate(const eg_layer *layer, const eg_layer_context *context, size_t b)
{
    size_t n = branches(layer);
    size_t size = eg_layer_outputs(layer);
    const eg_real *p = context->cache + b * n;
    eg_real *d = context->dx[0] + b * n;
    eg_real mean = 0;
    for (size_t k = 0; k < n; k++) {
        d[k] = eg_dot(size, context->dy + b * size, context->x[k + 1] + b * size);
        mean += p[k] * d[k];
    }
    for (size_t k = 0; k < n; k++) {
        d[k] = p[k] * (d[k] - mean);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = branches(layer);
    size_t size = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *dy = context->dy + b * size;
        for (size_t k = 0; k < n; k++) {
            eg_real p = context->cache[b * n + k];
            eg_real *dx = context->dx[k + 1];
            for (size_t i = 0; dx != NULL && i < size; i++) {
                dx[b * size + i] = p * dy[i];
            }
        }
        if (context->dx[0] != NULL) {
            backward_gate(layer, context, b);
        }
    }
}

eg_real eg_mixture_share(const eg_layer *layer, const eg_layer_context *context, size_t b, size_t k)
{
    return context->cache[b * branches(layer) + k];
}

static double flops(const eg_layer *layer)
{
    return 2.0 * (double)branches(layer) * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "mixture",
    .input = eg_gated_input,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};

eg_status eg_layer_mixture(eg_layer *out, size_t count, eg_shape shape)
{
    *out = (eg_layer){.ops = &ops,
                      .in = eg_shape_vector(count),
                      .out = shape,
                      .input_count = count + 1,
                      .cache_per_example = count};
    return eg_ok();
}
