/** A layer of hidden units: an activation applied to every example of a minibatch. */
#include "nn/layers.h"

#include "engram/memory.h"

#include <assert.h>

typedef struct units {
    const eg_activation *activation;
    double p[EG_ACTIVATION_PARAMS_MAX];
} units;

static const units *units_of(const eg_layer *layer)
{
    return layer->state;
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const units *u = units_of(layer);
    size_t n = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        eg_real *aux = context->cache + b * layer->cache_per_example;
        u->activation->forward(u->p, n, context->x[0] + b * n, context->y + b * n, aux);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const units *u = units_of(layer);
    size_t n = eg_layer_outputs(layer);
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        const eg_real *aux = context->cache + b * layer->cache_per_example;
        size_t at = b * n;
        u->activation->backward(u->p, n, context->x[0] + at, context->y + at, aux, context->dy + at,
                                context->dx[0] + at);
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
    return eg_activation_flops(eg_layer_outputs(layer));
}

static void free_state(eg_layer *layer)
{
    eg_free(layer->state);
}

static const eg_layer_ops ops = {
    .name = "activation",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .free = free_state,
    .keeps_units = true,
};

eg_status eg_layer_activation(eg_layer *out, const eg_activation *activation, const double *p,
                              eg_shape shape)
{
    assert(activation->component.param_count <= EG_ACTIVATION_PARAMS_MAX);
    assert(activation->aux_count <= EG_ACTIVATION_AUX_MAX);
    units *state = NULL;
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    state->activation = activation;
    for (size_t i = 0; i < activation->component.param_count; i++) {
        state->p[i] = p[i];
    }
    *out = (eg_layer){
        .ops = &ops,
        .in = shape,
        .out = shape,
        .input_count = 1,
        .cache_per_example = activation->aux_count,
        .hidden = true,
        .low = activation->low,
        .high = activation->high,
        .state = state,
    };
    return eg_ok();
}
