/** Products of small matrices; see math/shared/small_product.h. A tile of C is a few registers, and
 *  every number of A meets a whole register of B. */
#include "math/shared/small_product.h"

#include "math/shared/clones.h"

enum { LANES = 16, ROWS = 8 };

/* LANES neighbours, wherever they stand. */
typedef eg_real lanes
    __attribute__((vector_size(LANES * sizeof(eg_real)), aligned(sizeof(eg_real)), may_alias));

/* Constant `rows`: the sums are registers. */
__attribute__((always_inline)) static inline void tile(const size_t rows, size_t k, eg_strided a,
                                                       const eg_real *b, size_t b_row, bool add,
                                                       eg_real *c, size_t c_row)
{
    lanes sum[ROWS] = {{0}};
    for (size_t p = 0; p < k; p++) {
        const lanes weight = *(const lanes *)(b + p * b_row);
        const eg_real *value = a.first + p * a.column;
        for (size_t r = 0; r < rows; r++) {
            sum[r] += weight * value[r * a.row];
        }
    }
    for (size_t r = 0; r < rows; r++) {
        lanes *to = (lanes *)(c + r * c_row);
        if (add) {
            *to += sum[r];
        } else {
            *to = sum[r];
        }
    }
}

/* One column of C. */
static inline void column(size_t m, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                          bool add, eg_real *c, size_t c_row)
{
    for (size_t i = 0; i < m; i++) {
        eg_real sum = 0;
        for (size_t p = 0; p < k; p++) {
            sum += b[p * b_row] * a.first[i * a.row + p * a.column];
        }
        c[i * c_row] = add ? c[i * c_row] + sum : sum;
    }
}

EG_CLONES void eg_small_product(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b,
                                size_t b_row, bool add, eg_real *c, size_t c_row)
{
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        eg_strided left = a;
        size_t i = 0;
        for (; i + ROWS <= m; i += ROWS) {
            tile(ROWS, k, left, b + j, b_row, add, c + i * c_row + j, c_row);
            left.first += ROWS * a.row;
        }
        for (; i < m; i++) {
            tile(1, k, left, b + j, b_row, add, c + i * c_row + j, c_row);
            left.first += a.row;
        }
    }
    for (; j < n; j++) {
        column(m, k, a, b + j, b_row, add, c + j, c_row);
    }
}
