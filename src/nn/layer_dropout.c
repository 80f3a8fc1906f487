/** Dropout: in training every number, or every map of an image (all places of a channel), is 0 with
 *  probability p, and else divided by 1 - p; other modes pass everything on. A probe of the
 *  minibatch sees what the last training saw, so that a loss after an update is that of the same
 *  network as before it.
 *
 *      cache | factors [B][n], n numbers or channels of an example |
 *
 *  Source: Srivastava et al. 2014, JMLR 15; of maps: Tompson et al. 2015, arXiv 1411.4280. Draws
 *  are keyed (seed, EG_PURPOSE_DROPOUT, minibatch and layer). */
#include "nn/layers.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    LAYERS_MAX = 256
}; /* of a network: the index of a draw is minibatch * LAYERS_MAX + number */

typedef struct dropout {
    double p;
    size_t number;
    size_t places; /* numbers next to each other in a map; 1: they are drawn one by one */
} dropout;

static const dropout *dropout_of(const eg_layer *layer)
{
    return layer->state;
}

static size_t count_of(const eg_layer *layer, const eg_layer_context *context)
{
    return context->batch * eg_layer_outputs(layer);
}

/* Factors of the minibatch. */
static size_t draws_of(const eg_layer *layer, const eg_layer_context *context)
{
    return context->batch * layer->cache_per_example;
}

static void draw(const dropout *self, const eg_layer_context *context, size_t count)
{
    uint64_t step = context->step;
    step -= context->mode == EG_MODE_PROBE_BATCH && step > 0 ? 1 : 0;
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_DROPOUT, step * LAYERS_MAX + self->number);
    const eg_real kept = (eg_real)(1.0 / (1.0 - self->p));
    const uint64_t dropped = (uint64_t)llround(self->p * 0x1.0p32);
    for (size_t i = 0; i < count; i++) {
        context->cache[i] = eg_rng_u32(&rng) < dropped ? 0 : kept;
    }
}

static void scale(size_t n, const eg_real *restrict factor, const eg_real *restrict from,
                  eg_real *restrict to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] * factor[i];
    }
}

/* to = from times the factors of the minibatch. */
static void apply(const eg_layer *layer, const eg_layer_context *context, const eg_real *from,
                  eg_real *to)
{
    size_t places = dropout_of(layer)->places;
    if (places == 1) {
        scale(count_of(layer, context), context->cache, from, to);
        return;
    }
    size_t channels = layer->out.channels;
    for (size_t r = 0; r < context->batch * places; r++) {
        scale(channels, context->cache + r / places * channels, from + r * channels,
              to + r * channels);
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t count = count_of(layer, context);
    if (eg_mode_draws(context->mode)) {
        draw(dropout_of(layer), context, draws_of(layer, context));
        apply(layer, context, context->x[0], context->y);
    } else {
        memcpy(context->y, context->x[0], count * sizeof *context->y);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t count = count_of(layer, context);
    if (context->dx[0] == NULL) {
        return;
    }
    if (eg_mode_draws(context->mode)) {
        apply(layer, context, context->dy, context->dx[0]);
    } else {
        memcpy(context->dx[0], context->dy, count * sizeof *context->dy);
    }
}

double eg_dropout_flops(size_t n)
{
    return 2.0 * (double)n;
}

static double flops(const eg_layer *layer)
{
    return eg_dropout_flops(eg_layer_outputs(layer));
}

static const eg_layer_ops ops = {
    .name = "dropout",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .keeps_units = true,
    .keeps_flat = true,
};

static eg_status make(eg_layer *out, const dropout *spec, eg_shape shape)
{
    assert(spec->p >= 0 && spec->p < 1 && spec->number < LAYERS_MAX);
    dropout *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = *spec;
    *out = (eg_layer){.ops = &ops,
                      .in = shape,
                      .out = shape,
                      .input_count = 1,
                      .cache_per_example = eg_shape_size(shape) / spec->places,
                      .spares_input = true,
                      .spares_output = true,
                      .state = state};
    return eg_ok();
}

eg_status eg_layer_dropout(eg_layer *out, double p, size_t number, eg_shape shape)
{
    return make(out, &(dropout){.p = p, .number = number, .places = 1}, shape);
}

eg_status eg_layer_dropout_maps(eg_layer *out, double p, size_t number, eg_shape shape)
{
    return make(out, &(dropout){.p = p, .number = number, .places = eg_shape_positions(shape)},
                shape);
}
