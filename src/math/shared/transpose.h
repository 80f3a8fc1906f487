/** Matrices the other way round. */
#ifndef ENGRAM_MATH_TRANSPOSE_H
#define ENGRAM_MATH_TRANSPOSE_H

#include "engram/real.h"

#include <stddef.h>

/** y[c*rows + r] = x[r*columns + c] for all r < rows, c < columns. Arrays must not overlap. */
void eg_transpose(size_t rows, size_t columns, const eg_real *restrict x, eg_real *restrict y);

#endif
