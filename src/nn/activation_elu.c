/** Exponential linear unit. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <math.h>

enum { P_ALPHA };

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)aux;
    eg_real alpha = (eg_real)p[P_ALPHA];
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : alpha * (eg_exp(x[i]) - 1);
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)y, (void)aux;
    eg_real alpha = (eg_real)p[P_ALPHA];
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (x[i] > 0 ? 1 : alpha * eg_exp(x[i]));
    }
}

static double gain(const double *p)
{
    (void)p;
    return sqrt(2.0);
}

static const eg_param params[] = {
    [P_ALPHA] = {.name = "alpha",
                 .type = EG_TYPE_REAL,
                 .default_text = "1",
                 .min = 0,
                 .max = INFINITY,
                 .doc = "the value far to the left is -alpha"},
};

const eg_activation eg_activation_elu = {
    .component = {.name = "elu",
                  .doc = "x above 0, else alpha (exp(x) - 1)",
                  .source = "Clevert et al. 2015, arXiv 1511.07289",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .forward = forward,
    .backward = backward,
    .gain = gain,
};
