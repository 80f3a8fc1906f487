/** Fully connected layer, with weight normalisation row by row.
 *
 *  For a row w of n weights, u is what is used of it and G = dL/du:
 *
 *      centered   v = w - mean(w), u = v/|v|   dL/dw = (G - mean(G) - (G.u) u)/|v|   (mean(u) = 0)
 *      plain      u = w/|w|                    dL/dw = (G - (G.u) u)/|w|
 *
 *  The raw weights keep their own scale.
 *
 *      params  | weight W [outputs, inputs] | bias b [outputs], if any |
 *      derived | U [outputs, inputs] | 1/|v| [outputs] |   empty without normalisation
 *
 *  Source: Salimans and Kingma 2016, arXiv 1602.07868 (plain, gain 1); Keskinen 2024, arXiv
 *  2404.17651 (centered). */
#include "nn/layers.h"

#include "engram/blas.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"
#include "nn/linear_layout.h"

#include <string.h>

enum { WEIGHT = EG_LINEAR_WEIGHT, BIAS = EG_LINEAR_BIAS };

typedef struct linear {
    eg_norm norm;
    bool bias;
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

static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    /* Weights first, unit by unit, then the biases. */
    for (size_t b = 0; b < layer->block_count; b++) {
        for (size_t i = 0; i < layer->blocks[b].count; i++) {
            context->params[b][i] = (eg_real)eg_initial_draw(&layer->blocks[b].initial, &rng);
        }
    }
}

static void prepare(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    eg_real *inverse_norm = context->derived + n * m;
    bool centered = linear_of(layer)->norm == EG_NORM_CENTERED;
    for (size_t j = 0; j < m; j++) {
        const eg_real *restrict w = context->params[WEIGHT] + j * n;
        eg_real *restrict u = context->derived + j * n;
        eg_real mean = centered ? eg_sum(n, w) / (eg_real)n : 0;
        eg_real inverse = eg_inverse_norm(eg_sum_squares(n, w, mean));
        for (size_t i = 0; i < n; i++) {
            u[i] = (w[i] - mean) * inverse;
        }
        inverse_norm[j] = inverse;
    }
}

static const eg_real *used_weights(const eg_layer *layer, const eg_layer_context *context)
{
    return linear_of(layer)->norm == EG_NORM_NONE ? context->params[WEIGHT] : context->derived;
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    eg_gemm(false, true, context->batch, m, n, 1, context->x[0], n, used_weights(layer, context), n,
            0, context->y, m);
    for (size_t b = 0; linear_of(layer)->bias && b < context->batch; b++) {
        eg_accumulate(m, context->params[BIAS], context->y + b * m);
    }
}

/* Turns the gradient of the normalised rows into that of the raw rows, in place. */
static void backward_normalised(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    const eg_real *inverse_norm = context->derived + n * m;
    bool centered = linear_of(layer)->norm == EG_NORM_CENTERED;
    for (size_t j = 0; j < m; j++) {
        const eg_real *restrict u = context->derived + j * n;
        eg_real *restrict g = context->grads[WEIGHT] + j * n;
        eg_real along = eg_dot(n, g, u);
        eg_real mean = centered ? eg_sum(n, g) / (eg_real)n : 0;
        eg_real inverse = inverse_norm[j];
        for (size_t i = 0; i < n; i++) {
            g[i] = (g[i] - mean - along * u[i]) * inverse;
        }
    }
}

static void parameter_gradients(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    const eg_real *dy = context->dy;
    eg_gemm(true, false, m, n, context->batch, 1, dy, m, context->x[0], n, 0,
            context->grads[WEIGHT], n);
    if (linear_of(layer)->norm != EG_NORM_NONE) {
        backward_normalised(layer, context);
    }
    if (linear_of(layer)->bias) {
        eg_real *db = context->grads[BIAS];
        memset(db, 0, m * sizeof *db);
        for (size_t b = 0; b < context->batch; b++) {
            eg_accumulate(m, dy + b * m, db);
        }
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    if (context->grads != NULL) {
        parameter_gradients(layer, context);
    }
    if (context->dx[0] != NULL) {
        eg_gemm(false, false, context->batch, n, m, 1, context->dy, m, used_weights(layer, context),
                n, 0, context->dx[0], n);
    }
}

double eg_linear_flops(size_t inputs, size_t outputs, bool bias)
{
    return (double)outputs * (2.0 * (double)inputs + (bias ? 1.0 : 0.0));
}

static void per_example(const eg_layer *layer, const eg_layer_context *context, eg_per_example what,
                        eg_real *scratch, eg_real *const *sums)
{
    eg_linear_per_example_sums(layer, context, 1, linear_of(layer)->norm, what, scratch, sums);
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    return eg_linear_unit_run(layer, 1, side, unit, k, run);
}

static double flops(const eg_layer *layer)
{
    return eg_linear_flops(eg_layer_inputs(layer), eg_layer_outputs(layer), linear_of(layer)->bias);
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
    .per_example_scratch = eg_linear_layer_scratch,
    .unit_run = unit_run,
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
    .per_example_scratch = eg_linear_layer_scratch,
    .unit_run = unit_run,
    .flops = flops,
    .free = free_state,
};

eg_status eg_layer_linear(eg_layer *out, eg_shape in, size_t outputs, eg_norm norm, bool bias,
                          eg_initializer initializer)
{
    linear *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (linear){.norm = norm, .bias = bias};
    bool normalised = norm != EG_NORM_NONE;
    size_t inputs = eg_shape_size(in);
    *out = (eg_layer){
        .ops = normalised ? &normalised_ops : &plain_ops,
        .in = in,
        .out = eg_shape_vector(outputs),
        .input_count = 1,
        .derived_count = normalised ? outputs * (inputs + 1) : 0,
        .state = state,
    };
    out->block_count = eg_linear_blocks(out->blocks, outputs, inputs, 1, bias, initializer);
    return eg_ok();
}
