/** The sum of several inputs, scaled; see nn/layers.h.
 *
 *      y = factor (x_1 + … + x_n)      dL/dx_k = factor dL/dy */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/vector.h"

#include <string.h>

static eg_real factor_of(const eg_layer *layer)
{
    return (eg_real) * (const double *)layer->state;
}

EG_CLONES static void add(size_t n, const eg_real *restrict a, const eg_real *restrict b,
                          eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t size = context->batch * eg_layer_outputs(layer);
    size_t k = 1;
    if (layer->input_count > 1) {
        add(size, context->x[0], context->x[k++], context->y);
    } else {
        memcpy(context->y, context->x[0], size * sizeof *context->y);
    }
    for (; k < layer->input_count; k++) {
        eg_accumulate(size, context->x[k], context->y);
    }
    if (factor_of(layer) != 1) {
        eg_scale(size, factor_of(layer), context->y);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t size = context->batch * eg_layer_outputs(layer);
    for (size_t k = 0; k < layer->input_count; k++) {
        if (context->dx[k] == NULL || context->dx[k] == context->dy) {
            continue;
        }
        memcpy(context->dx[k], context->dy, size * sizeof *context->dy);
        if (factor_of(layer) != 1) {
            eg_scale(size, factor_of(layer), context->dx[k]);
        }
    }
}

static double flops(const eg_layer *layer)
{
    return (double)layer->input_count * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "sum",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .keeps_units = true,
};

eg_status eg_layer_sum(eg_layer *out, size_t count, double factor, eg_shape shape)
{
    double *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = factor;
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = count,
                      .spares_input = true,
                      .spares_output = true,
                      .passes_gradient = factor == 1,
                      .state = state};
    return eg_ok();
}
