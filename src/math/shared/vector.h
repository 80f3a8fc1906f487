/** Sums over one row. Partial sums in a fixed number of lanes: they vectorise without -ffast-math
 * and their order, so their bits, is the same for every instruction set. */
#ifndef ENGRAM_MATH_VECTOR_H
#define ENGRAM_MATH_VECTOR_H

#include "engram/real.h"

#include <stddef.h>

enum { EG_LANES = 16 };

/** Sum of lane [EG_LANES], halves onto halves. Written out: compilers do not see through a loop
 * over halves. */
static inline eg_real eg_lanes_sum(const eg_real *lane)
{
    enum { EIGHT = EG_LANES / 2, FOUR = EIGHT / 2 };
    eg_real eight[EIGHT];
    eg_real four[FOUR];
    for (size_t l = 0; l < EIGHT; l++) {
        eight[l] = lane[l] + lane[l + EIGHT];
    }
    for (size_t l = 0; l < FOUR; l++) {
        four[l] = eight[l] + eight[l + FOUR];
    }
    return (four[0] + four[2]) + (four[1] + four[3]);
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
