/** Softsign: bounded like tanh, but its tails fall as 1/x. */
#include "components.h"

#include <math.h>

enum { P_SCALE };

static void forward(const double *p, size_t n, const eg_real *x, eg_real *y, eg_real *aux)
{
    const eg_real scale = (eg_real)p[P_SCALE];
    (void)aux;
    for (size_t i = 0; i < n; i++) {
        eg_real u = scale * x[i];
        y[i] = u / (1 + (u < 0 ? -u : u)); /* a NaN stays a NaN */
    }
}

/* dy/dx = scale / (1 + |scale x|)^2 = scale (1 - |y|)^2, so x need not be kept. */
static void backward(const double *p, size_t n, const eg_real *x, const eg_real *y,
                     const eg_real *aux, const eg_real *dy, eg_real *dx)
{
    const eg_real scale = (eg_real)p[P_SCALE];
    (void)x, (void)aux;
    for (size_t i = 0; i < n; i++) {
        eg_real rest = 1 - (y[i] < 0 ? -y[i] : y[i]);
        dx[i] = dy[i] * scale * rest * rest;
    }
}

static const eg_param params[] = {
    [P_SCALE] = {.name = "scale",
                 .type = EG_TYPE_REAL,
                 .default_text = "1",
                 .min = 0,
                 .max = INFINITY,
                 .above_min = true,
                 .doc = "slope at 0"},
};

const eg_activation example_softsign = {
    .component = {.name = "softsign",
                  .doc = "u/(1 + |u|), u = scale x",
                  .source =
                      "Bergstra et al. 2009, Quadratic polynomials learn better image features",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .forward = forward,
    .backward = backward,
    .low = -1,
    .high = 1,
    .spares_input = true,
};
