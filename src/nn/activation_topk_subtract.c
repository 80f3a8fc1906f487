/** Top-K subtract: what stands above the k-th largest pre-activation of the layer. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"
#include "nn/shared/select.h"

#include <string.h>

enum { P_K, P_MAX };

static eg_real bound(const double *p)
{
    return p[P_MAX] == 0.0 ? INFINITY : (eg_real)p[P_MAX];
}

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *restrict aux)
{
    memcpy(y, x, n * sizeof *y);
    eg_real v = eg_select_largest(n, y, (size_t)p[P_K]);
    eg_real x_max = bound(p);
    aux[0] = v;
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_clip(x[i] - v, 0, x_max);
    }
}

/* Units between the clips pass their gradient on, and its sum leaves through v to the unit that has
 * the value v (the first one if several do: v has no derivative then). */
EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *restrict aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)y;
    eg_real v = aux[0];
    eg_real x_max = bound(p);
    for (size_t i = 0; i < n; i++) {
        eg_real above = x[i] - v;
        dx[i] = dy[i] * (above > 0 && above < x_max ? 1 : 0);
    }
    eg_real total = eg_sum(n, dx);
    for (size_t i = 0; i < n; i++) {
        if (x[i] == v) {
            dx[i] -= total;
            break;
        }
    }
}

static eg_status check(const double *p, size_t n)
{
    return eg_select_check(p[P_K], n);
}

static const eg_param params[] = {
    [P_K] = {.name = "k",
             .type = EG_TYPE_INT,
             .default_text = "64",
             .min = 1,
             .max = 1e9,
             .doc = "rank of the pre-activation that is subtracted; at most the layer's width"},
    [P_MAX] = {.name = "x_max",
               .type = EG_TYPE_REAL,
               .default_text = "2",
               .min = 0,
               .max = INFINITY,
               .doc = "upper bound on the output; 0: none"},
};

const eg_activation eg_activation_topk_subtract = {
    .component = {.name = "topk_subtract",
                  .doc = "clip(x - v, 0, x_max), v the k-th largest x of the layer",
                  .source = "Bricken et al. 2023, arXiv 2303.11934; Keskinen 2024, "
                            "arXiv 2404.17651",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .mixes_units = true,
    .aux_count = 1,
    .forward = forward,
    .backward = backward,
    .check = check,
};
