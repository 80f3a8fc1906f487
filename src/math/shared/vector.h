/** Sums over one row. Partial sums in a fixed number of lanes: they vectorise without -ffast-math
 * and their order, so their bits, is the same for every instruction set. */
#ifndef ENGRAM_MATH_VECTOR_H
#define ENGRAM_MATH_VECTOR_H

#include "engram/real.h"

#include <stddef.h>

enum { EG_LANES = 16 };

/** Sum of the lanes, halves onto halves; lane[EG_LANES] is used up. */
static inline eg_real eg_lanes_sum(eg_real *lane)
{
    for (size_t half = EG_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) {
            lane[l] += lane[l + half];
        }
    }
    return lane[0];
}

/** sum_i x[i] */
eg_real eg_sum(size_t n, const eg_real *x);

/** sum_i (x[i] - mean)^2 */
eg_real eg_sum_squares(size_t n, const eg_real *x, eg_real mean);

/** Mean and population standard deviation (divisor n) of x[n]; n >= 1. */
void eg_moments(size_t n, const eg_real *x, eg_real *mean, eg_real *deviation);

/** x *= factor */
void eg_scale(size_t n, eg_real factor, eg_real *x);

/** x = max(x, least); a NaN stays. */
void eg_raise(size_t n, eg_real least, eg_real *x);

/** y += x. Arrays [n] must not overlap. */
void eg_accumulate(size_t n, const eg_real *restrict x, eg_real *restrict y);

#endif
