/** Local winner takes all: the largest unit of each group keeps its value, also a negative one. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include <math.h>
#include <string.h>

enum { P_GROUPS };

/* Index of the largest of x[n], the first of equals; a NaN wins, so that it is seen. */
static size_t winner(size_t n, const eg_real *x)
{
    size_t best = 0;
    eg_real largest = x[0];
    for (size_t i = 1; i < n; i++) {
        if (x[i] > largest || isnan(x[i])) {
            largest = x[i];
            best = i;
        }
    }
    return best;
}

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *aux)
{
    (void)aux;
    size_t size = n / (size_t)p[P_GROUPS];
    memset(y, 0, n * sizeof *y);
    for (size_t start = 0; start < n; start += size) {
        size_t i = start + winner(size, x + start);
        y[i] = x[i];
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *aux, const eg_real *restrict dy,
                               eg_real *restrict dx)
{
    (void)y, (void)aux;
    size_t size = n / (size_t)p[P_GROUPS];
    memset(dx, 0, n * sizeof *dx);
    for (size_t start = 0; start < n; start += size) {
        size_t i = start + winner(size, x + start);
        dx[i] = dy[i];
    }
}

static eg_status check(const double *p, size_t n)
{
    size_t groups = (size_t)p[P_GROUPS];
    if (groups > n) {
        return eg_fail_setting("", "groups", "groups = %zu is more than the layer's %zu units",
                               groups, n);
    }
    if (n % groups == 0) {
        return eg_ok();
    }
    size_t below = groups;
    size_t above = groups;
    while (n % below != 0) {
        below--;
    }
    while (n % above != 0) {
        above++;
    }
    return eg_fail_setting(
        "", "groups",
        "groups = %zu does not divide the layer's %zu units (the nearest that do: %zu "
        "and %zu)",
        groups, n, below, above);
}

static const eg_param params[] = {
    [P_GROUPS] = {.name = "groups",
                  .type = EG_TYPE_INT,
                  .default_text = "50",
                  .min = 1,
                  .max = 1e9,
                  .doc = "equal groups of consecutive units; must divide the layer's width"},
};

const eg_activation eg_activation_lwta = {
    .component = {.name = "lwta",
                  .doc = "x for the largest unit of each group, else 0",
                  .source = "Srivastava et al. 2013, Compete to compute",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .mixes_units = true,
    .forward = forward,
    .backward = backward,
    .check = check,
};
