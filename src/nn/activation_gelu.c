/** Gaussian error linear unit, in the form with tanh. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

static const eg_real root = (eg_real)0.79788456080286535588; /* sqrt(2 / pi) */
static const eg_real cubic = (eg_real)0.044715;

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)p, (void)aux;
    for (size_t i = 0; i < n; i++) {
        eg_real u = x[i];
        y[i] = (eg_real)0.5 * u * (1 + eg_tanh(root * (u + cubic * u * u * u)));
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *aux, const eg_real *restrict dy,
                               eg_real *restrict dx)
{
    (void)p, (void)y, (void)aux;
    for (size_t i = 0; i < n; i++) {
        eg_real u = x[i];
        eg_real t = eg_tanh(root * (u + cubic * u * u * u));
        eg_real slope = root * (1 + 3 * cubic * u * u);
        dx[i] = dy[i] * (eg_real)0.5 * (1 + t + u * (1 - t * t) * slope);
    }
}

static double gain(const double *p)
{
    (void)p;
    return sqrt(2.0);
}

const eg_activation eg_activation_gelu = {
    .component = {.name = "gelu",
                  .doc = "x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2",
                  .source = "Hendrycks and Gimpel 2016, arXiv 1606.08415"},
    .forward = forward,
    .backward = backward,
    .gain = gain,
};
