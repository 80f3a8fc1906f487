/** Formulas of hard attention to the task; see learner/hat.h. */
#include "learner/hat.h"

#include <math.h>

static const double cosh_bound = 50; /* of the arguments of cosh, as in the paper's program */

double eg_hat_scale(double s_max, size_t b, size_t batches)
{
    if (batches < 2) {
        return s_max;
    }
    return 1 / s_max + (s_max - 1 / s_max) * (double)b / (double)(batches - 1);
}

double eg_hat_attention(double s, double e)
{
    return 1 / (1 + exp(-s * e));
}

/* By the smaller of a and 1 - a, so that nothing cancels. */
double eg_hat_slope(double s, double e)
{
    double small = exp(-fabs(s * e));
    return s * small / ((1 + small) * (1 + small));
}

double eg_hat_compensation(double s_max, double s, double e)
{
    double steep = fmin(fmax(s * e, -cosh_bound), cosh_bound);
    return s_max / s * (cosh(steep) + 1) / (cosh(e) + 1);
}

double eg_hat_gate(double to, double from)
{
    return 1 - fmin(to, from);
}

double eg_hat_penalty(size_t n, const double *a, const double *before, double *slope)
{
    double sum = 0;
    double left = 0;
    for (size_t u = 0; u < n; u++) {
        sum += a[u] * (1 - before[u]);
        left += 1 - before[u];
    }
    for (size_t u = 0; slope != NULL && u < n; u++) {
        slope[u] = left > 0 ? (1 - before[u]) / left : 0;
    }
    return left > 0 ? sum / left : 0;
}
