/** Leaky ReLU. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include <math.h>

enum { P_SLOPE };

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)aux;
    eg_real slope = (eg_real)p[P_SLOPE];
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? slope * x[i] : x[i];
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)y, (void)aux;
    eg_real slope = (eg_real)p[P_SLOPE];
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (x[i] > 0 ? 1 : slope);
    }
}

static double gain(const double *p)
{
    return sqrt(2.0 / (1.0 + p[P_SLOPE] * p[P_SLOPE]));
}

static const eg_param params[] = {
    [P_SLOPE] = {.name = "slope",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.01",
                 .min = 0,
                 .max = 1,
                 .doc = "slope at and below 0"},
};

const eg_activation eg_activation_leaky_relu = {
    .component = {.name = "leaky_relu",
                  .doc = "x above 0, else slope x",
                  .source = "Maas et al. 2013, Rectifier nonlinearities improve neural network "
                            "acoustic models",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .forward = forward,
    .backward = backward,
    .gain = gain,
};
