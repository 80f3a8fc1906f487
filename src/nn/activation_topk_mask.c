/** Top-K mask: the k largest pre-activations of the layer keep their value. */
#include "engram/activation.h"

#include "math/shared/clones.h"

#include "nn/shared/select.h"

#include <string.h>

enum { P_K };

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *restrict aux)
{
    memcpy(y, x, n * sizeof *y);
    eg_real v = eg_select_largest(n, y, (size_t)p[P_K]);
    aux[0] = v;
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < v ? 0 : x[i]; /* a NaN stays a NaN */
    }
}

EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *restrict aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)p, (void)y;
    eg_real v = aux[0];
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (x[i] < v ? 0 : 1);
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
             .doc = "units that keep their value; at most the layer's width"},
};

const eg_activation eg_activation_topk_mask = {
    .component = {.name = "topk_mask",
                  .doc = "x where x >= v, else 0; v the k-th largest x of the layer",
                  .source = "Makhzani and Frey 2014, arXiv 1312.5663",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .mixes_units = true,
    .aux_count = 1,
    .forward = forward,
    .backward = backward,
    .check = check,
};
