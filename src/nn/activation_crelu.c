/** Concatenated ReLU: a unit has two outputs, y[i] = max(x_i, 0) and y[n + i] = max(-x_i, 0), so
 *  the layer after it has twice the inputs, and no unit is ever without a gradient. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include <math.h>

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? 0 : x[i];      /* a NaN stays a NaN, */
        y[n + i] = x[i] > 0 ? 0 : -x[i]; /* in both */
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *aux, const eg_real *restrict dy,
                               eg_real *restrict dx)
{
    (void)p, (void)y, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (x[i] > 0 ? 1 : 0) - dy[n + i] * (x[i] < 0 ? 1 : 0);
    }
}

static double gain(const double *p)
{
    (void)p;
    return sqrt(2.0);
}

const eg_activation eg_activation_crelu = {
    .component = {.name = "crelu",
                  .doc = "max(0, x) and max(0, -x): two outputs per unit",
                  .source = "Shang et al. 2016, arXiv 1603.05201"},
    .parts = 2,
    .forward = forward,
    .backward = backward,
    .gain = gain,
    .flat_at_zero = true,
};
