/** A layer of hidden units: an activation applied to every example of a minibatch. Units of several
 *  parts have them in as many groups of channels, so such an activation is applied position by
 *  position. */
#include "nn/layers.h"

#include "engram/memory.h"

#include <assert.h>

typedef struct units {
    const eg_activation *activation;
    double p[EG_ACTIVATION_PARAMS_MAX];
    size_t calls; /* of the activation per example */
} units;

static const units *units_of(const eg_layer *layer)
{
    return layer->state;
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const units *u = units_of(layer);
    size_t n = eg_layer_inputs(layer) / u->calls;
    size_t outputs = eg_layer_outputs(layer) / u->calls;
    for (size_t c = 0; c < context->batch * u->calls; c++) {
        eg_real *aux = context->cache + c * u->activation->aux_count;
        u->activation->forward(u->p, n, context->x[0] + c * n, context->y + c * outputs, aux);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const units *u = units_of(layer);
    size_t n = eg_layer_inputs(layer) / u->calls;
    size_t outputs = eg_layer_outputs(layer) / u->calls;
    for (size_t c = 0; context->dx[0] != NULL && c < context->batch * u->calls; c++) {
        const eg_real *aux = context->cache + c * u->activation->aux_count;
        u->activation->backward(u->p, n, context->x[0] + c * n, context->y + c * outputs, aux,
                                context->dy + c * outputs, context->dx[0] + c * n);
    }
}

static void forward_part(const eg_layer *layer, const eg_layer_context *context, size_t first,
                         size_t count, const eg_real *x)
{
    const units *u = units_of(layer);
    u->activation->forward(u->p, count, x, context->y + first, context->cache);
}

static void backward_part(const eg_layer *layer, const eg_layer_context *context, size_t first,
                          size_t count)
{
    const units *u = units_of(layer);
    if (context->dx[0] != NULL) {
        u->activation->backward(u->p, count, NULL, context->y + first, context->cache,
                                context->dy + first, context->dx[0] + first);
    }
}

double eg_activation_flops(size_t n)
{
    /* Between relu (1) and ash (about 30): small beside any weight matrix, so one number will do.
     */
    return 10.0 * (double)n;
}

static double flops(const eg_layer *layer)
{
    return eg_activation_flops(eg_layer_inputs(layer));
}

static const eg_layer_ops ops = {
    .name = "activation",
    .forward = forward,
    .backward = backward,
    .forward_part = forward_part,
    .backward_part = backward_part,
    .flops = flops,
    .keeps_units = true,
};

eg_status eg_layer_activation(eg_layer *out, const eg_activation *activation, const double *p,
                              eg_shape shape)
{
    assert(activation->component.param_count <= EG_ACTIVATION_PARAMS_MAX);
    assert(activation->aux_count <= EG_ACTIVATION_AUX_MAX);
    units *state = NULL;
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    size_t parts = eg_activation_parts(activation);
    eg_shape after = shape;
    after.channels *= parts;
    state->activation = activation;
    state->calls = parts > 1 ? eg_shape_positions(shape) : 1;
    for (size_t i = 0; i < activation->component.param_count; i++) {
        state->p[i] = p[i];
    }
    *out = (eg_layer){
        .ops = &ops,
        .in = shape,
        .out = after,
        .input_count = 1,
        .cache_per_example = state->calls * activation->aux_count,
        .spares_input = activation->spares_input,
        .flat_at_zero = activation->flat_at_zero,
        .elementwise = activation->spares_input && !activation->mixes_units && parts == 1 &&
                       activation->aux_count == 0,
        .mixes_units = activation->mixes_units,
        .hidden = true,
        .low = activation->low,
        .high = activation->high,
        .gain = eg_activation_gain(activation, p),
        .state = state,
    };
    return eg_ok();
}
