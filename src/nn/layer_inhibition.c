/** Hidden units that inhibit each other, as those of SDMLP: the (k+1)-th largest activation is
 *  taken from all of them, so that k stay active. It is a constant for the gradient.
 *
 *      a = relu(x),  I = (k+1)-th largest of a (0 if there is none),  y_i = relu(a_i - r_i I),
 *      or, masked, y_i = a_i where a_i > I;   dL/dx_i = dL/dy_i where y_i > 0 and x_i > 0.
 *
 *  Two cures for units that would never win, and so never learn:
 *  - the GABA switch: r_i = clip(-1 + 2 n_i/N, -1, 1), n_i the training examples that unit i has
 *    been active for. It starts at -1, which excites; every unit becomes inhibited as it is used.
 *    n_i grows after an update, so it is the response to the next minibatch that changes;
 *  - annealing: k falls linearly from the start value to its own over so many minibatches.
 *
 *  Source: Bricken, Davies, Singh, Krotov and Kreiman 2023, "Sparse distributed memory is a
 *  continual learner", ICLR, arXiv 2303.11934, and the program of its authors. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "nn/shared/select.h"

#include <assert.h>
#include <string.h>

/* Its buffer: the examples each unit was active for in training. */
enum { COUNT };

const char *const eg_inhibition_names[] = {
    [EG_INHIBITION_GABA] = "gaba",
    [EG_INHIBITION_ANNEALED] = "annealed",
    [EG_INHIBITION_FLAT] = "flat",
    NULL,
};

static const eg_inhibition *spec_of(const eg_layer *layer)
{
    return layer->state;
}

/* derived [units] = r, from the examples each was active for in training. */
static void prepare(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_inhibition *spec = spec_of(layer);
    bool gaba = spec->kind == EG_INHIBITION_GABA;
    for (size_t i = 0; i < eg_layer_outputs(layer); i++) {
        double r = -1.0 + 2.0 * context->buffers[COUNT][i] / spec->switch_count;
        context->derived[i] = gaba ? (eg_real)(r > 1.0 ? 1.0 : r) : 1;
    }
}

size_t eg_inhibition_k(const eg_inhibition *spec, uint64_t step)
{
    double start = (double)spec->k_start;
    double end = (double)spec->k;
    if (spec->kind != EG_INHIBITION_ANNEALED || step >= spec->annealing) {
        return spec->k;
    }
    return (size_t)(start - (start - end) * (double)step / (double)spec->annealing);
}

EG_CLONES static void rectify(size_t n, const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? 0 : x[i];
    }
}

EG_CLONES static void subtract(size_t n, eg_real inhibition, const eg_real *restrict response,
                               const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        eg_real a = x[i] < 0 ? 0 : x[i];
        eg_real above = a - response[i] * inhibition;
        y[i] = above < 0 ? 0 : above;
    }
}

EG_CLONES static void mask(size_t n, eg_real inhibition, const eg_real *restrict x,
                           eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] <= inhibition ? 0 : x[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_inhibition *spec = spec_of(layer);
    size_t n = eg_layer_outputs(layer);
    size_t k = eg_inhibition_k(spec, context->step);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *row = context->x[0] + b * n;
        eg_real *out = context->y + b * n;
        rectify(n, row, out);
        eg_real inhibition = k < n ? eg_select_largest(n, out, k + 1) : 0;
        if (spec->masked) {
            mask(n, inhibition, row, out);
        } else {
            subtract(n, inhibition, context->derived, row, out);
        }
    }
}

EG_CLONES static void pass_on(size_t n, const eg_real *restrict x, const eg_real *restrict y,
                              const eg_real *restrict dy, eg_real *restrict dx)
{
    for (size_t i = 0; i < n; i++) {
        dx[i] = y[i] > 0 && x[i] > 0 ? dy[i] : 0;
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    if (context->dx[0] != NULL) {
        pass_on(context->batch * eg_layer_outputs(layer), context->x[0], context->y, context->dy,
                context->dx[0]);
    }
}

static void after_update(const eg_layer *layer, const eg_layer_context *context)
{
    if (spec_of(layer)->kind != EG_INHIBITION_GABA) {
        return;
    }
    double *count = context->buffers[COUNT];
    size_t n = eg_layer_outputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *row = context->y + b * n;
        for (size_t i = 0; i < n; i++) {
            count[i] += row[i] > 0 ? 1 : 0;
        }
    }
    prepare(layer, context);
}

static double flops(const eg_layer *layer)
{
    return eg_activation_flops(eg_layer_outputs(layer));
}

static const eg_layer_ops ops = {
    .name = "inhibition",
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .after_update = after_update,
    .flops = flops,
    .keeps_units = true,
};

eg_status eg_layer_inhibition(eg_layer *out, size_t units, const eg_inhibition *spec)
{
    assert(!(spec->masked && spec->kind == EG_INHIBITION_GABA) && spec->switch_count > 0);
    eg_inhibition *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = *spec;
    *out = (eg_layer){.ops = &ops,
                      .in = eg_shape_vector(units),
                      .out = eg_shape_vector(units),
                      .input_count = 1,
                      .derived_count = units,
                      .buffer_count = 1,
                      .hidden = true,
                      .state = state};
    out->buffers[COUNT] =
        (eg_block){.name = "active_count", .count = units, .units = units, .fan_in = 1};
    return eg_ok();
}
