/** Hyperbolic tangent. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_tanh(x[i]);
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)x, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (1 - y[i] * y[i]);
    }
}

static double gain(const double *p)
{
    (void)p;
    return 5.0 / 3.0;
}

const eg_activation eg_activation_tanh = {
    .component = {.name = "tanh", .doc = "tanh(x)"},
    .forward = forward,
    .backward = backward,
    .spares_input = true,
    .low = -1,
    .high = 1,
    .gain = gain,
};
