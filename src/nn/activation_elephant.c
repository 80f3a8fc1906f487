/** Elephant: a bump, so that both the output and its slope are small almost everywhere. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

enum { P_A, P_D };

/* |r|^d. The exponent of the paper needs no call and vectorises. */
static inline eg_real power(eg_real r, double d)
{
    if (d == 4.0) {
        return r * r * r * r;
    }
    return (eg_real)pow(fabs((double)r), d);
}

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)aux;
    eg_real a = (eg_real)p[P_A];
    double d = p[P_D];
    for (size_t i = 0; i < n; i++) {
        y[i] = 1 / (1 + power(x[i] / a, d));
    }
}

/* dy/dx = -d y^2 |x/a|^d / x; y and 1 - y = y |x/a|^d are used so that nothing overflows far out,
 * and q = |x/a|^d so that nothing cancels near 0. */
EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)aux;
    eg_real a = (eg_real)p[P_A];
    double d = p[P_D];
    for (size_t i = 0; i < n; i++) {
        eg_real q = power(x[i] / a, d);
        eg_real share = q < 1 ? y[i] * q : 1 - y[i];
        eg_real slope = -(eg_real)d * y[i] * share / x[i];
        dx[i] = dy[i] * (x[i] == 0 ? 0 : slope);
    }
}

static const eg_param params[] = {
    [P_A] = {.name = "a",
             .type = EG_TYPE_REAL,
             .default_text = "0.08",
             .min = 0,
             .max = INFINITY,
             .above_min = true,
             .doc = "half width of the bump"},
    [P_D] = {.name = "d",
             .type = EG_TYPE_REAL,
             .default_text = "4",
             .min = 1,
             .max = INFINITY,
             .above_min = true,
             .doc = "steepness of its flanks"},
};

const eg_activation eg_activation_elephant = {
    .component = {.name = "elephant",
                  .doc = "1 / (1 + |x/a|^d)",
                  .source = "Lan and Mahmood 2023, arXiv 2310.01365",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .forward = forward,
    .backward = backward,
};
