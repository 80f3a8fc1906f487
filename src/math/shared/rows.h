/** Products with single vectors, for networks that learn example by example: matrices W [n][width]
 *  by rows, of which only some are named.
 *
 *  A layer of n inputs keeps the weights of input i in row i. Inputs that are 0 (most pixels, units
 *  that are off) add nothing to the output, and change nothing: their rows are not named, so not
 *  read. Nothing is lost by that: every number is summed in the order of the rows, so leaving out a
 *  0 leaves the same bits, as long as the weights are finite.
 *
 *  `row` NULL: rows 0 … count-1. Otherwise rows row[0] … row[count-1], all different. width is a
 *  multiple of EG_ROWS_STEP. Arrays must not overlap. Every instruction set gives the same bits. */
#ifndef ENGRAM_MATH_ROWS_H
#define ENGRAM_MATH_ROWS_H

#include "engram/real.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_ROWS_STEP = 16 };

/** Lists the numbers of x [n] that are not 0 (NaN is not): their places and values, in ascending
 * order. row and value [n]. Returns how many. */
size_t eg_rows_active(size_t n, const eg_real *x, uint32_t *row, eg_real *value);

/** y[l] = sum over k of a[k] W[row k][l], in the order of k. */
void eg_rows_product(size_t count, const uint32_t *row, const eg_real *a, size_t width,
                     const eg_real *w, eg_real *y);

/** dots[row k] = sum over l of W[row k][l] d[l]. */
void eg_rows_dots(size_t count, const uint32_t *row, size_t width, const eg_real *w,
                  const eg_real *d, eg_real *dots);

/** A step of gradient descent on the rows, whose gradient is a[k] d[l]; every product and sum is
 * rounded:
 *
 *      W[row k][l] = shrink W + clip(-lr (a[k] d[l] + decay W), ±bound)
 *
 * shrink 1 and decay 0: neither is there, and a row whose a is 0 stays as it is. */
typedef struct eg_rows_step {
    eg_real lr;
    eg_real bound;  /**< of every element of the step; INFINITY: none */
    eg_real decay;  /**< weight decay as part of the gradient */
    eg_real shrink; /**< weight decay beside it */
} eg_rows_step;
void eg_rows_descend(const eg_rows_step *step, size_t count, const uint32_t *row, const eg_real *a,
                     size_t width, const eg_real *d, eg_real *w);

/** The same of a step with lr alone, to the bit; sum[c] [width] += the change of sum_r |W[r][c]|.
 * Four rows are added up in eg_real, all in double. */
void eg_rows_descend_following(eg_real lr, size_t count, const uint32_t *row, const eg_real *a,
                               size_t width, const eg_real *d, eg_real *w, double *sum);

/** The gradient itself: out[k][l] = a[k] d[l]. */
void eg_rows_outer(size_t count, const eg_real *a, size_t width, const eg_real *d, eg_real *out);

#endif
