/** The distribution function of the Gumbel distribution. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_exp(-eg_exp(-x[i]));
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        /* exp(-x) is infinite far to the left, where y has long been 0. */
        eg_real slope = y[i] * eg_exp(-x[i]);
        dx[i] = dy[i] * (y[i] == 0 ? 0 : slope);
    }
}

const eg_activation eg_activation_gumbel = {
    .component = {.name = "gumbel", .doc = "exp(-exp(-x))"},
    .forward = forward,
    .backward = backward,
};
