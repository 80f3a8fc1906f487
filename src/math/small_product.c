/** Products of small matrices; see math/shared/small_product.h. A tile of C is a few registers, and
 *  every number of A meets whole registers of B. Other processors, double precision, and columns
 *  behind the last whole tile: plain loops. */
#include "math/small_product_kernel.h"

enum { LANES = EG_SMALL_PRODUCT_LANES };

/* Columns first … of C. */
static void columns(size_t m, size_t first, size_t n, size_t k, eg_strided a, const eg_real *b,
                    size_t b_row, bool add, eg_real *c, size_t c_row)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = first; j < n; j++) {
            eg_real sum = 0;
            for (size_t p = 0; p < k; p++) {
                sum += b[p * b_row + j] * a.first[i * a.row + p * a.column];
            }
            c[i * c_row + j] = add ? c[i * c_row + j] + sum : sum;
        }
    }
}

/* The widest that this processor has; NULL: plain loops. */
static eg_small_product_tiles *tiles_here(void)
{
    eg_small_product_tiles *widest = eg_small_product_avx512();
    return widest != NULL ? widest : eg_small_product_avx2();
}

void eg_small_product(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                      bool add, eg_real *c, size_t c_row)
{
    eg_small_product_tiles *tiles = tiles_here();
    size_t done = 0;
    if (tiles != NULL) {
        tiles(m, n, k, a, b, b_row, add, c, c_row);
        done = n / LANES * LANES;
    }
    if (done < n) {
        columns(m, done, n, k, a, b, b_row, add, c, c_row);
    }
}
