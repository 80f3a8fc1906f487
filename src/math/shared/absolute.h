/** Sums of absolute values over the rows and the columns of a matrix, in one pass over it. Partial
 *  sums in a fixed order, so the bits are the same for every instruction set. */
#ifndef ENGRAM_MATH_ABSOLUTE_H
#define ENGRAM_MATH_ABSOLUTE_H

#include "engram/real.h"

#include <stddef.h>

/** Of w [rows, columns], with `pitch` numbers from one row to the next:
 *
 *      row[r]     = sum_c |w[r, c]|     NULL: not wanted
 *      column[c] += sum_r |w[r, c]|     NULL: not wanted
 */
void eg_absolute_sums(size_t rows, size_t columns, size_t pitch, const eg_real *w, eg_real *row,
                      eg_real *column);

#endif
