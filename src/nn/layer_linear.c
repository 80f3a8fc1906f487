/** Fully connected layer, with weight normalisation row by row.
 *
 *  Source: Salimans and Kingma 2016, arXiv 1602.07868 (plain, gain 1); Keskinen 2024, arXiv
 * 2404.17651 (centered). For row w of n weights, G = dL/du of the normalised row u: centered: v = w
 * - mean(w), u = v/|v|:  dL/dw = (G - mean(G) - (G.u) u) / |v|   (mean(u) = 0) plain:    u = w/|w|:
 * dL/dw = (G - (G.u) u) / |w| The raw weights keep their own scale.
 *
 *      params  | W [outputs, inputs] | b [outputs], if any |
 *      derived | U [outputs, inputs] | 1/|v| [outputs]     |   empty without normalisation */
#include "nn/layers.h"

#include "engram/blas.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "math/elementary.h"
#include "math/vector.h"
#include "nn/linear_per_example.h"

#include <string.h>

typedef struct linear {
    eg_norm norm;
    bool bias;
    eg_initializer initializer;
} linear;

const char *const eg_norm_names[] = {
    [EG_NORM_CENTERED] = "centered",
    [EG_NORM_PLAIN] = "plain",
    [EG_NORM_NONE] = "none",
    NULL,
};

static const linear *linear_of(const eg_layer *layer)
{
    return layer->state;
}

eg_real eg_inverse_norm(eg_real square)
{
    eg_real norm = eg_sqrt(square);
    return norm == 0 ? 0 : 1 / (isfinite(norm) ? norm : (eg_real)NAN);
}

static void init(const eg_layer *layer, eg_real *params, uint64_t seed, uint64_t index)
{
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_INIT, index);
    eg_initializer initializer = linear_of(layer)->initializer;
    size_t weights = layer->inputs * layer->outputs;
    for (size_t i = 0; i < weights; i++) {
        params[i] = (eg_real)eg_initializer_weight(initializer, layer->inputs, &rng);
    }
    for (size_t i = weights; i < layer->param_count; i++) {
        params[i] = (eg_real)eg_initializer_bias(initializer, layer->inputs, &rng);
    }
}

static void prepare(const eg_layer *layer, const eg_real *params, eg_real *derived)
{
    size_t n = layer->inputs;
    eg_real *inverse_norm = derived + n * layer->outputs;
    bool centered = linear_of(layer)->norm == EG_NORM_CENTERED;
    for (size_t j = 0; j < layer->outputs; j++) {
        const eg_real *restrict w = params + j * n;
        eg_real *restrict u = derived + j * n;
        eg_real mean = centered ? eg_sum(n, w) / (eg_real)n : 0;
        eg_real inverse = eg_inverse_norm(eg_sum_squares(n, w, mean));
        for (size_t i = 0; i < n; i++) {
            u[i] = (w[i] - mean) * inverse;
        }
        inverse_norm[j] = inverse;
    }
}

static const eg_real *used_weights(const eg_layer *layer, const eg_real *params,
                                   const eg_real *derived)
{
    return linear_of(layer)->norm == EG_NORM_NONE ? params : derived;
}

static void forward(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                    const eg_real *derived, const eg_real *x, eg_real *y, eg_real *cache)
{
    (void)cache;
    size_t n = layer->inputs;
    size_t m = layer->outputs;
    eg_gemm(false, true, context->batch, m, n, 1, x, n, used_weights(layer, params, derived), n, 0,
            y, m);
    if (linear_of(layer)->bias) {
        for (size_t b = 0; b < context->batch; b++) {
            eg_accumulate(m, params + m * n, y + b * m);
        }
    }
}

/* Turns the gradient of the normalised rows into that of the raw rows, in place. */
static void backward_normalised(const eg_layer *layer, const eg_real *derived, eg_real *grads)
{
    size_t n = layer->inputs;
    const eg_real *inverse_norm = derived + n * layer->outputs;
    bool centered = linear_of(layer)->norm == EG_NORM_CENTERED;
    for (size_t j = 0; j < layer->outputs; j++) {
        const eg_real *restrict u = derived + j * n;
        eg_real *restrict g = grads + j * n;
        eg_real along = eg_dot(n, g, u);
        eg_real mean = centered ? eg_sum(n, g) / (eg_real)n : 0;
        eg_real inverse = inverse_norm[j];
        for (size_t i = 0; i < n; i++) {
            g[i] = (g[i] - mean - along * u[i]) * inverse;
        }
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                     const eg_real *derived, const eg_real *x, const eg_real *y, const eg_real *dy,
                     eg_real *cache, eg_real *dx, eg_real *grads)
{
    (void)y, (void)cache;
    size_t n = layer->inputs;
    size_t m = layer->outputs;
    eg_gemm(true, false, m, n, context->batch, 1, dy, m, x, n, 0, grads, n);
    if (linear_of(layer)->norm != EG_NORM_NONE) {
        backward_normalised(layer, derived, grads);
    }
    if (linear_of(layer)->bias) {
        eg_real *db = grads + m * n;
        memset(db, 0, m * sizeof *db);
        for (size_t b = 0; b < context->batch; b++) {
            eg_accumulate(m, dy + b * m, db);
        }
    }
    if (dx != NULL) {
        eg_gemm(false, false, context->batch, n, m, 1, dy, m, used_weights(layer, params, derived),
                n, 0, dx, n);
    }
}

double eg_linear_flops(size_t inputs, size_t outputs, bool bias)
{
    return (double)outputs * (2.0 * (double)inputs + (bias ? 1.0 : 0.0));
}

static void per_example(const eg_layer *layer, const eg_layer_context *context,
                        const eg_real *params, const eg_real *x, const eg_real *y,
                        const eg_real *dy, eg_per_example what, eg_real *scratch, eg_real *sums)
{
    const eg_linear_per_example one = {
        .batch = context->batch,
        .inputs = layer->inputs,
        .outputs = layer->outputs,
        .width = EG_PER_EXAMPLE_WIDTH,
        .input_stride = 1,
        .unit_stride = layer->inputs,
        .bias_at = layer->inputs * layer->outputs,
        .norm = linear_of(layer)->norm,
        .bias = linear_of(layer)->bias,
        .params = params,
        .x = x,
        .y = y,
        .dy = dy,
        .what = what,
        .scratch = scratch,
    };
    eg_linear_per_example_add(&one, sums);
}

static size_t per_example_scratch(const eg_layer *layer, size_t batch)
{
    return eg_linear_per_example_scratch(batch, layer->inputs);
}

static double flops(const eg_layer *layer)
{
    return eg_linear_flops(layer->inputs, layer->outputs, linear_of(layer)->bias);
}

static void free_state(eg_layer *layer)
{
    eg_free(layer->state);
}

static const eg_layer_ops plain_ops = {
    .name = "linear",
    .init = init,
    .forward = forward,
    .backward = backward,
    .per_example = per_example,
    .per_example_scratch = per_example_scratch,
    .flops = flops,
    .free = free_state,
};

static const eg_layer_ops normalised_ops = {
    .name = "linear",
    .init = init,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .per_example = per_example,
    .per_example_scratch = per_example_scratch,
    .flops = flops,
    .free = free_state,
};

eg_status eg_layer_linear(eg_layer *out, size_t inputs, size_t outputs, eg_norm norm, bool bias,
                          eg_initializer initializer)
{
    linear *state = NULL;
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (linear){.norm = norm, .bias = bias, .initializer = initializer};
    bool normalised = norm != EG_NORM_NONE;
    *out = (eg_layer){
        .ops = normalised ? &normalised_ops : &plain_ops,
        .inputs = inputs,
        .outputs = outputs,
        .param_count = outputs * inputs + (bias ? outputs : 0),
        .derived_count = normalised ? outputs * (inputs + 1) : 0,
        .state = state,
    };
    return eg_ok();
}
