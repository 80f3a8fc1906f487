/** Matrices the other way round; see math/shared/transpose.h. Tile by tile, so that the lines of
 *  both matrices stay in cache while all of them is used. */
#include "math/shared/transpose.h"

enum { TILE = 16 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void eg_transpose(size_t rows, size_t columns, const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t r0 = 0; r0 < rows; r0 += TILE) {
        size_t r1 = least(r0 + TILE, rows);
        for (size_t c0 = 0; c0 < columns; c0 += TILE) {
            size_t c1 = least(c0 + TILE, columns);
            for (size_t c = c0; c < c1; c++) {
                for (size_t r = r0; r < r1; r++) {
                    y[c * rows + r] = x[r * columns + c];
                }
            }
        }
    }
}
