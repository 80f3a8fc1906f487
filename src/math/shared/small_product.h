/** Products of small matrices, of which there are many: of a head of an attention, or of tokens and
 *  routers. No copies are made, so what is called for is the product alone. AVX-512 and AVX2 give
 *  the same bits, plain loops of other processors nearly the same. */
#ifndef ENGRAM_MATH_SMALL_PRODUCT_H
#define ENGRAM_MATH_SMALL_PRODUCT_H

#include "engram/real.h"

#include <stdbool.h>
#include <stddef.h>

/** A matrix whose number (i, j) stands at first[i*row + j*column]. */
typedef struct eg_strided {
    const eg_real *first;
    size_t row, column;
} eg_strided;

/** C (+)= A B for A [m, k], B [k, n] with `b_row` numbers from a row to the next, and C [m, n] with
 *  `c_row`. Fastest where n is a multiple of 16. Sums go through k in order, from 0 on; `add`: the
 *  whole sum is added to C. C overlaps neither A nor B. */
void eg_small_product(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                      bool add, eg_real *c, size_t c_row);

#endif
