/** Sums of absolute values; see math/shared/absolute.h. */
#include "math/shared/absolute.h"

#include "math/shared/clones.h"
#include "math/shared/vector.h"

#include <math.h>

/* A call that every compiler replaces by one instruction, unlike a comparison. */
static inline eg_real magnitude(eg_real x)
{
#ifdef EG_REAL_DOUBLE
    return fabs(x);
#else
    return fabsf(x);
#endif
}

EG_CLONES static eg_real row_sum(size_t n, const eg_real *w)
{
    eg_real lane[EG_LANES] = {0};
    size_t i = 0;
    for (; i + EG_LANES <= n; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] += magnitude(w[i + l]);
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        lane[l] += magnitude(w[i + l]);
    }
    return eg_lanes_sum(lane);
}

/* Four rows at a time, so that the sums are read and written less often than the matrix. */
EG_CLONES static void column_sums(size_t rows, size_t columns, size_t pitch,
                                  const eg_real *restrict w, eg_real *restrict column)
{
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const eg_real *a = w + r * pitch;
        for (size_t c = 0; c < columns; c++) {
            column[c] += (magnitude(a[c]) + magnitude(a[c + pitch])) +
                         (magnitude(a[c + 2 * pitch]) + magnitude(a[c + 3 * pitch]));
        }
    }
    for (; r < rows; r++) {
        const eg_real *a = w + r * pitch;
        for (size_t c = 0; c < columns; c++) {
            column[c] += magnitude(a[c]);
        }
    }
}

EG_CLONES static eg_real row_and_columns(size_t n, const eg_real *restrict w,
                                         eg_real *restrict column)
{
    eg_real lane[EG_LANES] = {0};
    size_t i = 0;
    for (; i + EG_LANES <= n; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            eg_real a = magnitude(w[i + l]);
            lane[l] += a;
            column[i + l] += a;
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        eg_real a = magnitude(w[i + l]);
        lane[l] += a;
        column[i + l] += a;
    }
    return eg_lanes_sum(lane);
}

void eg_absolute_sums(size_t rows, size_t columns, size_t pitch, const eg_real *w, eg_real *row,
                      eg_real *column)
{
    if (row == NULL && column != NULL) {
        column_sums(rows, columns, pitch, w, column);
        return;
    }
    for (size_t r = 0; row != NULL && r < rows; r++) {
        const eg_real *a = w + r * pitch;
        row[r] = column != NULL ? row_and_columns(columns, a, column) : row_sum(columns, a);
    }
}
