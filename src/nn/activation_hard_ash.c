/** Hard ASH: a unit is on if it stands z_k deviations above the mean of its layer. */
#include "engram/activation.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

enum { P_ALPHA, P_Z, P_MAX };
enum { AUX_MEAN, AUX_DEVIATION, AUX_COUNT };

EG_CLONES static void forward(const double *p, size_t n, const eg_real *restrict x,
                              eg_real *restrict y, eg_real *restrict aux)
{
    eg_real alpha = (eg_real)p[P_ALPHA];
    eg_real x_max = (eg_real)p[P_MAX];
    eg_moments(n, x, &aux[AUX_MEAN], &aux[AUX_DEVIATION]);
    eg_real threshold = aux[AUX_MEAN] + (eg_real)p[P_Z] * aux[AUX_DEVIATION];
    for (size_t i = 0; i < n; i++) {
        y[i] = eg_clip(x[i], 0, x_max) * eg_hard_sigmoid(alpha * (x[i] - threshold));
    }
}

/* With c = clip(x, 0, x_max), h = HS(u), u = alpha (x - t), t = mean + z_k deviation:
 *     e_i  = dy_i c_i h'_i alpha
 *     dx_j = dy_j c'_j h_j + e_j - (sum_i e_i) dt/dx_j,   dt/dx_j = (1 + z_k (x_j -
 * mean)/deviation)/n so what flows through mean and deviation costs one sum and a line per example.
 */
EG_CLONES static void backward(const double *p, size_t n, const eg_real *restrict x,
                               const eg_real *y, const eg_real *restrict aux,
                               const eg_real *restrict dy, eg_real *restrict dx)
{
    (void)y;
    eg_real alpha = (eg_real)p[P_ALPHA];
    eg_real z = (eg_real)p[P_Z];
    eg_real x_max = (eg_real)p[P_MAX];
    eg_real mean = aux[AUX_MEAN];
    eg_real deviation = aux[AUX_DEVIATION];
    eg_real threshold = mean + z * deviation;
    for (size_t i = 0; i < n; i++) {
        eg_real slope = eg_hard_sigmoid_slope(alpha * (x[i] - threshold));
        dx[i] = dy[i] * eg_clip(x[i], 0, x_max) * slope * alpha;
    }
    eg_real through_mean = eg_sum(n, dx) / (eg_real)n;
    /* Equal inputs have no deviation, and it has no derivative there: only the mean counts. */
    eg_real through_deviation = deviation == 0 ? 0 : through_mean * z / deviation;
    for (size_t i = 0; i < n; i++) {
        eg_real h = eg_hard_sigmoid(alpha * (x[i] - threshold));
        eg_real inside = x[i] > 0 && x[i] < x_max ? 1 : 0;
        dx[i] += dy[i] * inside * h - through_mean - through_deviation * (x[i] - mean);
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
    [P_MAX] = {.name = "x_max",
               .type = EG_TYPE_REAL,
               .default_text = "2",
               .min = 0,
               .max = INFINITY,
               .above_min = true,
               .doc = "upper bound on the pre-activation"},
};

const eg_activation eg_activation_hard_ash = {
    .component = {.name = "hard_ash",
                  .doc = "clip(x, 0, x_max) HS(alpha (x - mean - z_k deviation)), "
                         "HS(u) = clip(u + 3, 0, 6) / 6",
                  .source = "Keskinen 2024, arXiv 2404.17651",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .mixes_units = true,
    .aux_count = AUX_COUNT,
    .forward = forward,
    .backward = backward,
};
