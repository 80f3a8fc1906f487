/** A hard mixture of branches; see nn/layers.h. Per example, with n branches:
 *
 *      p = softmax(x_0)                      x_0 [n]: the gate's outputs
 *      c drawn from p in training, else argmax_k x_0,k
 *      y = x_c
 *      dL/dx_c = dL/dy,                      0 for other branches
 *      dL/dx_0,k = p_k ([k = c] - p_c) e_c,  e_c = dL/dy . x_c
 *
 *  The last line is the straight-through gradient of y = z_c x_c with z_c = 1 and dz_c = dp_c: it
 *  asks for the branch that was taken alone, as the others cost nothing where they are not run.
 *  Here all of them are run, on the whole minibatch, because that keeps minibatches dense; so
 *  batch normalisation in a branch sees the examples of all. What is counted is the branch taken.
 *
 *  A probe of the minibatch takes the branches that the last training took. Draws are keyed
 *  (seed, EG_PURPOSE_GATE, minibatch and number).
 *
 *      cache | c [B] | p_k [k < n] of every example [B][n] | */
#include "nn/gating.h"
#include "nn/layers.h"

#include "engram/blas.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <string.h>

static size_t branches(const eg_layer *layer)
{
    return layer->input_count - 1;
}

size_t eg_gate_choice(size_t n, const eg_real *x)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++) {
        best = x[k] > x[best] ? k : best;
    }
    return best;
}

/* The last branch has what rounding leaves. */
static size_t draw(size_t n, const eg_real *p, eg_rng *rng)
{
    double left = eg_rng_uniform(rng);
    size_t k = 0;
    while (k + 1 < n && left >= (double)p[k]) {
        left -= (double)p[k];
        k++;
    }
    return k;
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t n = branches(layer);
    const size_t size = eg_layer_outputs(layer);
    eg_real *choice = context->cache;
    uint64_t step = context->step;
    step -= context->mode == EG_MODE_PROBE_BATCH && step > 0 ? 1 : 0;
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_GATE,
                             step * EG_HARD_MIXTURES_MAX + *(const size_t *)layer->state);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *gate = context->x[0] + b * n;
        eg_real *p = context->cache + context->batch + b * n;
        eg_gate_probabilities(n, gate, p);
        size_t c = eg_mode_draws(context->mode) ? draw(n, p, &rng) : eg_gate_choice(n, gate);
        choice[b] = (eg_real)c;
        memcpy(context->y + b * size, context->x[c + 1] + b * size, size * sizeof *context->y);
    }
}

static void backward_gate(const eg_layer *layer, const eg_layer_context *context, size_t b)
{
    const size_t n = branches(layer);
    const size_t size = eg_layer_outputs(layer);
    const size_t c = (size_t)context->cache[b];
    const eg_real *p = context->cache + context->batch + b * n;
    const eg_real e = eg_dot(size, context->dy + b * size, context->x[c + 1] + b * size);
    for (size_t k = 0; k < n; k++) {
        context->dx[0][b * n + k] = p[k] * ((k == c ? 1 : 0) - p[c]) * e;
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t n = branches(layer);
    const size_t size = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *dy = context->dy + b * size;
        for (size_t k = 0; k < n; k++) {
            eg_real *dx = context->dx[k + 1];
            if (dx != NULL && k == (size_t)context->cache[b]) {
                memcpy(dx + b * size, dy, size * sizeof *dx);
            } else if (dx != NULL) {
                memset(dx + b * size, 0, size * sizeof *dx);
            }
        }
        if (context->dx[0] != NULL) {
            backward_gate(layer, context, b);
        }
    }
}

eg_real eg_hard_mixture_share(const eg_layer *layer, const eg_layer_context *context, size_t b,
                              size_t k)
{
    (void)layer;
    return (size_t)context->cache[b] == k ? 1 : 0;
}

static double flops(const eg_layer *layer)
{
    return (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "hard_mixture",
    .input = eg_gated_input,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};

eg_status eg_layer_hard_mixture(eg_layer *out, size_t count, size_t number, eg_shape shape)
{
    assert(number < EG_HARD_MIXTURES_MAX);
    size_t *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = number;
    *out = (eg_layer){.ops = &ops,
                      .in = eg_shape_vector(count),
                      .out = shape,
                      .input_count = count + 1,
                      .cache_per_example = count + 1,
                      .spares_output = true,
                      .state = state};
    return eg_ok();
}
