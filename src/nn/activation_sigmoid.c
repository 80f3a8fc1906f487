/** The logistic function. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_sigmoid(x[i]);
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)x, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * y[i] * (1 - y[i]);
    }
}

const eg_activation eg_activation_sigmoid = {
    .component = {.name = "sigmoid", .doc = "S(x) = 1 / (1 + exp(-x))"},
    .low = 0,
    .high = 1,
    .forward = forward,
    .backward = backward,
    .spares_input = true,
};
