/** The difference of two inputs; see nn/layers.h.
 *
 *      y = x_1 - x_2      dL/dx_1 = dL/dy, dL/dx_2 = -dL/dy */
#include "nn/layers.h"

#include "math/shared/clones.h"

#include <string.h>

EG_CLONES static void subtract(size_t n, const eg_real *restrict a, const eg_real *restrict b,
                               eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = a[i] - b[i];
    }
}

EG_CLONES static void negate(size_t n, const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = -x[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    subtract(context->batch * eg_layer_outputs(layer), context->x[0], context->x[1], context->y);
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t size = context->batch * eg_layer_outputs(layer);
    if (context->dx[0] != NULL) {
        memcpy(context->dx[0], context->dy, size * sizeof *context->dy);
    }
    if (context->dx[1] != NULL) {
        negate(size, context->dy, context->dx[1]);
    }
}

static double flops(const eg_layer *layer)
{
    return (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "difference",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .keeps_units = true,
};

void eg_layer_difference(eg_layer *out, eg_shape shape)
{
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 2,
                      .spares_input = true,
                      .spares_output = true};
}
