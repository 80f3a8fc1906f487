/** Piecewise linear sigmoid. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_hard_sigmoid(x[i]);
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *aux, const eg_real *restrict dy,
                               eg_real *restrict dx)
{
    (void)p, (void)y, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * eg_hard_sigmoid_slope(x[i]);
    }
}

const eg_activation eg_activation_hard_sigmoid = {
    .component = {.name = "hard_sigmoid",
                  .doc = "HS(x) = clip(x + 3, 0, 6) / 6",
                  .source = "Howard et al. 2019, arXiv 1905.02244, section 5.2"},
    .low = 0,
    .high = 1,
    .forward = forward,
    .backward = backward,
};
