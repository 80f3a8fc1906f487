/** Online normalisation: every unit by running statistics of the examples before, with a backward
 *  that is controlled so that gradients stay bounded; then the whole example is scaled to mean
 *  square 1.
 *
 *  State of each unit: m = 0, s = 1 (mean and variance), e1 = 0, e2 = 0. Example after example, in
 *  training:
 *      forward    r = 1/sqrt(s + eps),   n = (x - m) r,   z = g n + b
 *                 s <- f s + f (1 - f)(x - m)^2,   m <- f m + (1 - f) x                 f = 0.999
 *                 y = z/c,   c = sqrt(mean(z^2) + eps)                                eps = 1e-5
 *      backward   dz = (dy - mean(dy y) y)/c,   h = dz g,   a = h - (1 - k) e2 n        k = 0.99
 *                 e2 <- e2 + a n,   dx = a r - (1 - k) e1,   e1 <- e1 + dx
 *  In other modes the statistics are constants: they do not move, and dx = h r, which is the
 *  gradient.
 *
 *      params  | scale g [units] | shift b [units] |
 *      buffers | m [units] | s | e1 | e2 |
 *      cache   | n [B][units] | r [B][units] | dz [B][units] | c [B] |
 *
 *  Source: Chiley et al. 2019, arXiv 1905.05894. */
#include "nn/unit_norm.h"

#include "engram/blas.h"
#include "engram/memory.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <math.h>

enum { MEAN, VARIANCE, ERROR_MEAN, ERROR_SCALE, BUFFERS };

static const double least = 1e-5;

typedef struct online {
    double forward, backward; /* the decays f and k */
} online;

static const online *online_of(const eg_layer *layer)
{
    return layer->state;
}

/* What a call works on. */
typedef struct pieces {
    size_t n;
    eg_real *normal, *inverse, *dz, *length;
} pieces;

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_outputs(layer);
    size_t all = context->batch * n;
    return (pieces){.n = n,
                    .normal = context->cache,
                    .inverse = context->cache + all,
                    .dz = context->cache + 2 * all,
                    .length = context->cache + 3 * all};
}

static void follow(const eg_layer *layer, const eg_layer_context *context, const eg_real *x)
{
    double f = online_of(layer)->forward;
    double *restrict mean = context->buffers[MEAN];
    double *restrict variance = context->buffers[VARIANCE];
    for (size_t i = 0; i < eg_layer_outputs(layer); i++) {
        double d = (double)x[i] - mean[i];
        variance[i] = f * variance[i] + f * (1 - f) * d * d;
        mean[i] = f * mean[i] + (1 - f) * (double)x[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    const double *mean = context->buffers[MEAN];
    const double *variance = context->buffers[VARIANCE];
    const eg_real *scale = context->params[EG_UNIT_NORM_SCALE];
    const eg_real *shift = context->params[EG_UNIT_NORM_SHIFT];
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *x = context->x[0] + b * p.n;
        eg_real *y = context->y + b * p.n;
        for (size_t i = 0, at = b * p.n; i < p.n; i++, at++) {
            double r = 1 / sqrt(variance[i] + least);
            p.inverse[at] = (eg_real)r;
            p.normal[at] = (eg_real)(((double)x[i] - mean[i]) * r);
            y[i] = scale[i] * p.normal[at] + shift[i];
        }
        p.length[b] = eg_sqrt(eg_sum_squares(p.n, y, 0) / (eg_real)p.n + (eg_real)least);
        for (size_t i = 0; i < p.n; i++) {
            y[i] /= p.length[b];
        }
        if (context->mode == EG_MODE_TRAIN) {
            follow(layer, context, x);
        }
    }
}

/* dz, the gradient before the example was scaled. */
static void backward_length(const eg_layer_context *context, const pieces *p)
{
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *restrict dy = context->dy + b * p->n;
        const eg_real *restrict y = context->y + b * p->n;
        eg_real *restrict dz = p->dz + b * p->n;
        eg_real along = eg_dot(p->n, dy, y) / (eg_real)p->n;
        for (size_t i = 0; i < p->n; i++) {
            dz[i] = (dy[i] - along * y[i]) / p->length[b];
        }
    }
}

/* dx of one example in training; e1 and e2 follow. */
static void control(const eg_layer *layer, const eg_layer_context *context, const pieces *p,
                    size_t b)
{
    double rest = 1 - online_of(layer)->backward;
    double *restrict e1 = context->buffers[ERROR_MEAN];
    double *restrict e2 = context->buffers[ERROR_SCALE];
    const eg_real *scale = context->params[EG_UNIT_NORM_SCALE];
    for (size_t i = 0, at = b * p->n; i < p->n; i++, at++) {
        double normal = (double)p->normal[at];
        double a = (double)p->dz[at] * (double)scale[i] - rest * e2[i] * normal;
        double dx = a * (double)p->inverse[at] - rest * e1[i];
        e2[i] += a * normal;
        e1[i] += dx;
        context->dx[0][at] = (eg_real)dx;
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces p = cut(layer, context);
    const eg_real *scale = context->params[EG_UNIT_NORM_SCALE];
    backward_length(context, &p);
    if (context->grads != NULL) {
        eg_unit_norm_gradients(layer, context, p.normal, p.dz);
    }
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        if (context->mode == EG_MODE_TRAIN) {
            control(layer, context, &p, b);
            continue;
        }
        for (size_t i = 0, at = b * p.n; i < p.n; i++, at++) {
            context->dx[0][at] = p.dz[at] * scale[i] * p.inverse[at];
        }
    }
}

static double flops(const eg_layer *layer)
{
    return eg_unit_norm_flops(eg_layer_outputs(layer));
}

static double macs(const eg_layer *layer)
{
    return 2 * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "norm",
    .init = eg_unit_norm_init,
    .forward = forward,
    .backward = backward,
    .unit_run = eg_unit_norm_run,
    .flops = flops,
    .macs = macs,
    .keeps_units = true,
};

eg_status eg_layer_online_norm(eg_layer *out, size_t units, double forward_decay,
                               double backward_decay)
{
    static const char *const names[] = {"mean", "variance", "error_mean", "error_scale"};
    online *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (online){.forward = forward_decay, .backward = backward_decay};
    *out = (eg_layer){.ops = &ops,
                      .in = eg_shape_vector(units),
                      .out = eg_shape_vector(units),
                      .input_count = 1,
                      .buffer_count = BUFFERS,
                      .cache_per_example = 3 * units + 1,
                      .state = state};
    eg_unit_norm_declare(out, units, 1);
    for (size_t b = 0; b < BUFFERS; b++) {
        out->buffers[b] = (eg_block){.name = names[b], .count = units, .units = units, .fan_in = 1};
    }
    out->buffers[VARIANCE].initial = (eg_initial){.kind = EG_INITIAL_VALUE, .scale = 1};
    return eg_ok();
}
