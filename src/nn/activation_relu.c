/** Rectified linear unit. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include <math.h>

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays a NaN */
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)x, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (y[i] > 0 ? 1 : 0);
    }
}

static double gain(const double *p)
{
    (void)p;
    return sqrt(2.0);
}

const eg_activation eg_activation_relu = {
    .component = {.name = "relu", .doc = "max(0, x)"},
    .forward = forward,
    .backward = backward,
    .spares_input = true,
    .gain = gain,
    .flat_at_zero = true,
};
