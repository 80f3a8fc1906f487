/** Sums over one row; see math/shared/vector.h. */
#include "math/shared/vector.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>

EG_CLONES static eg_real sum(size_t n, const eg_real *x)
{
    eg_real lane[EG_LANES] = {0};
    size_t i = 0;
    for (; i + EG_LANES <= n; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] += x[i + l];
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lane[l] += x[i + l];
    }
    return eg_lanes_sum(lane);
}

EG_CLONES static eg_real sum_squares(size_t n, const eg_real *x, eg_real mean)
{
    eg_real lane[EG_LANES] = {0};
    size_t i = 0;
    for (; i + EG_LANES <= n; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            eg_real d = x[i + l] - mean;
            lane[l] += d * d;
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        eg_real d = x[i + l] - mean;
        lane[l] += d * d;
    }
    return eg_lanes_sum(lane);
}

EG_CLONES static void accumulate(size_t n, const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

eg_real eg_sum(size_t n, const eg_real *x)
{
    return sum(n, x);
}

eg_real eg_sum_squares(size_t n, const eg_real *x, eg_real mean)
{
    return sum_squares(n, x, mean);
}

EG_CLONES static void scale(size_t n, eg_real factor, eg_real *restrict x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

void eg_scale(size_t n, eg_real factor, eg_real *x)
{
    scale(n, factor, x);
}

EG_CLONES static void raise_to(size_t n, eg_real least, eg_real *restrict x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] < least ? least : x[i];
    }
}

void eg_raise(size_t n, eg_real least, eg_real *x)
{
    raise_to(n, least, x);
}

void eg_accumulate(size_t n, const eg_real *restrict x, eg_real *restrict y)
{
    accumulate(n, x, y);
}

void eg_moments(size_t n, const eg_real *x, eg_real *mean, eg_real *deviation)
{
    assert(n > 0);
    *mean = eg_sum(n, x) / (eg_real)n;
    *deviation = eg_sqrt(eg_sum_squares(n, x, *mean) / (eg_real)n);
}
