/** Swish, also called SiLU. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] * eg_sigmoid(x[i]);
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        eg_real s = eg_sigmoid(x[i]);
        dx[i] = dy[i] * (s + y[i] * (1 - s));
    }
}

static double gain(const double *p)
{
    (void)p;
    return sqrt(2.0);
}

const eg_activation eg_activation_swish = {
    .component = {.name = "swish",
                  .doc = "x S(x), S logistic",
                  .source = "Ramachandran et al. 2017, arXiv 1710.05941"},
    .forward = forward,
    .backward = backward,
    .gain = gain,
};
