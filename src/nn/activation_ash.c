/** ASH: swish with a threshold z_k deviations above the mean of the layer. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

enum { P_ALPHA, P_Z };
enum { AUX_MEAN, AUX_DEVIATION, AUX_COUNT };

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *restrict aux)
{
    eg_real alpha = (eg_real)p[P_ALPHA];
    eg_moments(n, x, &aux[AUX_MEAN], &aux[AUX_DEVIATION]);
    eg_real threshold = aux[AUX_MEAN] + (eg_real)p[P_Z] * aux[AUX_DEVIATION];
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] * eg_sigmoid(alpha * (x[i] - threshold));
    }
}

/* sum_i dy_i y_i (1 - s_i): the gradient of minus the threshold, up to alpha. */
static eg_real threshold_sum(size_t n, const eg_real *dy, const eg_real *y, const eg_real *s)
{
    eg_real lane[EG_LANES] = {0};
    size_t i = 0;
    for (; i + EG_LANES <= n; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] += dy[i + l] * y[i + l] * (1 - s[i + l]);
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lane[l] += dy[i + l] * y[i + l] * (1 - s[i + l]);
    }
    return eg_lanes_sum(lane);
}

/* With s = S(u), u = alpha (x - t), t = mean + z_k deviation, y = x s:
 *     e_i  = dy_i x_i S'(u_i) alpha = alpha dy_i y_i (1 - s_i)
 *     dx_j = dy_j s_j + e_j - (sum_i e_i) dt/dx_j,   dt/dx_j = (1 + z_k (x_j - mean)/deviation)/n.
 * dx holds s in between, so that the exponential is taken once. */
EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *restrict y, const eg_real *restrict aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    eg_real alpha = (eg_real)p[P_ALPHA];
    eg_real z = (eg_real)p[P_Z];
    eg_real mean = aux[AUX_MEAN];
    eg_real deviation = aux[AUX_DEVIATION];
    eg_real threshold = mean + z * deviation;
    for (size_t i = 0; i < n; i++) {
        dx[i] = eg_sigmoid(alpha * (x[i] - threshold));
    }
    eg_real through_mean = alpha * threshold_sum(n, dy, y, dx) / (eg_real)n;
    /* Equal inputs have no deviation, and it has no derivative there: only the mean counts. */
    eg_real through_deviation = deviation == 0 ? 0 : through_mean * z / deviation;
    for (size_t i = 0; i < n; i++) {
        eg_real own = dx[i] + alpha * y[i] * (1 - dx[i]);
        dx[i] = dy[i] * own - through_mean - through_deviation * (x[i] - mean);
    }
}

static const eg_param params[] = {
    [P_ALPHA] = {.name = "alpha",
                 .type = EG_TYPE_REAL,
                 .default_text = "4",
                 .min = 0,
                 .max = INFINITY,
                 .above_min = true,
                 .doc = "steepness of the threshold"},
    [P_Z] = {.name = "z_k",
             .type = EG_TYPE_REAL,
             .default_text = "2.3",
             .doc = "height of the threshold above the mean, in deviations of the layer"},
};

const eg_activation eg_activation_ash = {
    .component = {.name = "ash",
                  .doc = "x S(alpha (x - mean - z_k deviation)), S logistic",
                  .source = "Lee et al. 2022, arXiv 2210.11672; Keskinen 2024, arXiv 2404.17651",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .mixes_units = true,
    .aux_count = AUX_COUNT,
    .forward = forward,
    .backward = backward,
};
