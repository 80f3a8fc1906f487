/** The activation that does nothing: a deep linear network, and a template. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include <string.h>

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    memcpy(y, x, n * sizeof *y);
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *x, const eg_real *y,
                               const eg_real *aux, const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)x, (void)y, (void)aux;
    memcpy(dx, dy, n * sizeof *dx);
}

const eg_activation eg_activation_identity = {
    .component = {.name = "identity", .doc = "x"},
    .forward = forward,
    .backward = backward,
    .spares_input = true,
};
