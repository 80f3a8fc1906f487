/** Sums of absolute values; see math/shared/absolute.h. */
#include "math/shared/absolute.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <stdbool.h>

#define PASS __attribute__((always_inline)) static inline

/* Rows are read 16 lanes at a time. The last lanes of a row may be fewer: they are read as 16, too,
 * and what is behind them counts 0 times, where the pitch has room for that; else they are read one
 * by one. */
enum { LANES = EG_LANES };

typedef struct tail {
    size_t whole, rest; /* lanes before, and of the last ones */
    bool fits;
    eg_real counts[LANES]; /* 1 or 0 times */
} tail;

PASS tail tail_of(size_t columns, size_t pitch)
{
    size_t whole = columns / LANES * LANES;
    tail out = {.whole = whole,
                .rest = columns - whole,
                .fits = whole + LANES <= pitch || whole == columns};
    for (size_t l = 0; l < LANES; l++) {
        out.counts[l] = l < out.rest ? 1 : 0;
    }
    return out;
}

/* size [LANES] = |a| of the last lanes, then 0 */
PASS void last_lanes(const tail *t, const eg_real *restrict a, eg_real *restrict size)
{
    for (size_t l = 0; l < LANES; l++) {
        size[l] = eg_magnitude(a[l]) * t->counts[l];
    }
}

PASS eg_real row_sum(const tail *t, const eg_real *restrict w)
{
    eg_real own[LANES] = {0};
    eg_real last[LANES];
    for (size_t s = 0; s < t->whole; s += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            own[l] += eg_magnitude(w[s + l]);
        }
    }
    if (t->rest > 0 && t->fits) {
        last_lanes(t, w + t->whole, last);
        for (size_t l = 0; l < LANES; l++) {
            own[l] += last[l];
        }
    } else {
        for (size_t l = 0; l < t->rest; l++) {
            own[l] += eg_magnitude(w[t->whole + l]);
        }
    }
    return eg_lanes_sum(own);
}

/* Eight rows at a time, so that the sums are read and written less often than the matrix. */
EG_CLONES static void column_sums(size_t rows, size_t columns, size_t pitch,
                                  const eg_real *restrict w, eg_real *restrict column)
{
    size_t r = 0;
    for (; r + 8 <= rows; r += 8) {
        const eg_real *a = w + r * pitch;
        const eg_real *b = a + 4 * pitch;
        for (size_t c = 0; c < columns; c++) {
            eg_real low = (eg_magnitude(a[c]) + eg_magnitude(a[c + pitch])) +
                          (eg_magnitude(a[c + 2 * pitch]) + eg_magnitude(a[c + 3 * pitch]));
            eg_real high = (eg_magnitude(b[c]) + eg_magnitude(b[c + pitch])) +
                           (eg_magnitude(b[c + 2 * pitch]) + eg_magnitude(b[c + 3 * pitch]));
            column[c] += low + high;
        }
    }
    for (; r < rows; r++) {
        const eg_real *a = w + r * pitch;
        for (size_t c = 0; c < columns; c++) {
            column[c] += eg_magnitude(a[c]);
        }
    }
}

/* Four rows at a time: four chains of additions that do not wait for each other. `both`: columns,
 * too. */
PASS void sums(bool both, size_t rows, size_t columns, size_t pitch, const eg_real *restrict w,
               eg_real *restrict row, eg_real *restrict column)
{
    const tail t = tail_of(columns, pitch);
    eg_real behind[LANES] = {0}; /* of the last columns */
    size_t r = 0;
    for (; t.fits && r + 4 <= rows; r += 4) {
        const eg_real *restrict w0 = w + r * pitch;
        const eg_real *restrict w1 = w0 + pitch;
        const eg_real *restrict w2 = w1 + pitch;
        const eg_real *restrict w3 = w2 + pitch;
        eg_real own0[LANES] = {0};
        eg_real own1[LANES] = {0};
        eg_real own2[LANES] = {0};
        eg_real own3[LANES] = {0};
        eg_real last[4][LANES];
        for (size_t s = 0; s < t.whole; s += LANES) {
            for (size_t l = 0; l < LANES; l++) {
                eg_real a0 = eg_magnitude(w0[s + l]);
                eg_real a1 = eg_magnitude(w1[s + l]);
                eg_real a2 = eg_magnitude(w2[s + l]);
                eg_real a3 = eg_magnitude(w3[s + l]);
                own0[l] += a0;
                own1[l] += a1;
                own2[l] += a2;
                own3[l] += a3;
                if (both) {
                    column[s + l] += (a0 + a1) + (a2 + a3);
                }
            }
        }
        if (t.rest > 0) {
            last_lanes(&t, w0 + t.whole, last[0]);
            last_lanes(&t, w1 + t.whole, last[1]);
            last_lanes(&t, w2 + t.whole, last[2]);
            last_lanes(&t, w3 + t.whole, last[3]);
            for (size_t l = 0; l < LANES; l++) {
                own0[l] += last[0][l];
                own1[l] += last[1][l];
                own2[l] += last[2][l];
                own3[l] += last[3][l];
                behind[l] += (last[0][l] + last[1][l]) + (last[2][l] + last[3][l]);
            }
        }
        row[r] = eg_lanes_sum(own0);
        row[r + 1] = eg_lanes_sum(own1);
        row[r + 2] = eg_lanes_sum(own2);
        row[r + 3] = eg_lanes_sum(own3);
    }
    for (size_t l = 0; both && l < t.rest; l++) {
        column[t.whole + l] += behind[l];
    }
    for (; r < rows; r++) {
        row[r] = row_sum(&t, w + r * pitch);
        for (size_t c = 0; both && c < columns; c++) {
            column[c] += eg_magnitude(w[r * pitch + c]);
        }
    }
}

EG_CLONES static void row_sums(size_t rows, size_t columns, size_t pitch, const eg_real *restrict w,
                               eg_real *restrict row)
{
    sums(false, rows, columns, pitch, w, row, NULL);
}

EG_CLONES static void both_sums(size_t rows, size_t columns, size_t pitch,
                                const eg_real *restrict w, eg_real *restrict row,
                                eg_real *restrict column)
{
    sums(true, rows, columns, pitch, w, row, column);
}

void eg_absolute_sums(size_t rows, size_t columns, size_t pitch, const eg_real *w, eg_real *row,
                      eg_real *column)
{
    if (row != NULL && column != NULL) {
        both_sums(rows, columns, pitch, w, row, column);
    } else if (row != NULL) {
        row_sums(rows, columns, pitch, w, row);
    } else if (column != NULL) {
        column_sums(rows, columns, pitch, w, column);
    }
}
