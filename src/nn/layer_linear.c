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
#include "math/shared/elementary.h"
#include "math/shared/vector.h"
#include "nn/linear_layout.h"

#include <string.h>

enum { WEIGHT = EG_LINEAR_WEIGHT, BIAS = EG_LINEAR_BIAS };

const char *const eg_norm_names[] = {
    [EG_NORM_CENTERED] = "centered",
    [EG_NORM_PLAIN] = "plain",
    [EG_NORM_NONE] = "none",
    NULL,
};

eg_real eg_inverse_norm(eg_real square)
{
    eg_real norm = eg_sqrt(square);
    return norm == 0 ? 0 : 1 / (isfinite(norm) ? norm : (eg_real)NAN);
}

static void prepare(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    eg_real *inverse_norm = context->derived + n * m;
    bool centered = eg_linear_of(layer)->norm == EG_NORM_CENTERED;
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
    return eg_linear_of(layer)->norm == EG_NORM_NONE ? context->params[WEIGHT] : context->derived;
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    eg_gemm(false, true, context->batch, m, n, 1, context->x[0], n, used_weights(layer, context), n,
            0, context->y, m);
    for (size_t b = 0; eg_linear_of(layer)->bias && b < context->batch; b++) {
        eg_accumulate(m, context->params[BIAS], context->y + b * m);
    }
}

/* Turns the gradient of the normalised rows into that of the raw rows, in place. */
static void backward_normalised(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    const eg_real *inverse_norm = context->derived + n * m;
    bool centered = eg_linear_of(layer)->norm == EG_NORM_CENTERED;
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
    if (eg_linear_of(layer)->norm != EG_NORM_NONE) {
        backward_normalised(layer, context);
    }
    if (eg_linear_of(layer)->bias) {
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

static const eg_layer_ops plain_ops = {
    EG_LINEAR_OPS,
    .name = "linear",
    .forward = forward,
    .backward = backward,
};

static const eg_layer_ops normalised_ops = {
    EG_LINEAR_OPS, .name = "linear", .prepare = prepare, .forward = forward, .backward = backward,
};

eg_status eg_layer_linear(eg_layer *out, eg_shape in, size_t outputs, eg_norm norm, bool bias,
                          eg_initializer initializer)
{
    const eg_linear form = {.norm = norm, .bias = bias, .width = 1};
    bool normalised = norm != EG_NORM_NONE;
    EG_TRY(eg_linear_layer(out, normalised ? &normalised_ops : &plain_ops, in, &form, outputs,
                           initializer));
    out->derived_count = normalised ? outputs * (eg_shape_size(in) + 1) : 0;
    return eg_ok();
}
