/** The product of a transpose that is not made, with AVX-512; see math/shared/sparse_scatter.h.
 *
 *  The product of a transpose with a wide panel adds the even and the odd entries of a row to sums
 *  of their own and these in the end (math/sparse_avx512.c). For the same bits a column has two
 *  sums here, too, and its entries go to them in turns; with a narrow panel it has one:
 *
 *      narrow | sums [columns][8]
 *      wide   | next sum of a column [columns] | sums [columns][2][16] */
#include "math/shared/sparse_scatter.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include "math/sparse_kernel.h"

#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,fma")))

enum { LANES = EG_SCATTER_WIDTH, NARROW = EG_SPARSE_NARROW };

bool eg_sparse_scatters(void)
{
    return eg_sparse_has_avx512();
}

/* Up to a whole cache line. */
static size_t whole(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static size_t first_sum(size_t columns, size_t width)
{
    return width == NARROW ? 0 : whole(columns);
}

size_t eg_sparse_scatter_room(size_t columns, size_t width)
{
    return width == NARROW ? whole(columns * NARROW) : whole(columns) + 2 * columns * LANES;
}

AVX512 static void scatter_narrow(const eg_sparse *list, const eg_real *restrict m,
                                  eg_real *restrict sums)
{
    const uint32_t *column = list->column;
    const eg_real *value = list->value;
    memset(sums, 0, list->columns * NARROW * sizeof *sums);
    for (size_t r = 0; r < list->rows; r++) {
        const size_t end = eg_sparse_row_end(list, r);
        const __m256 row = _mm256_loadu_ps(m + r * NARROW);
        for (size_t k = eg_sparse_row(list, r); k < end; k++) {
            eg_real *sum = sums + (size_t)column[k] * NARROW;
            const __m256 factor = _mm256_set1_ps(value[k]);
            _mm256_storeu_ps(sum, _mm256_fmadd_ps(factor, row, _mm256_loadu_ps(sum)));
        }
    }
}

AVX512 static void scatter_wide(const eg_sparse *list, const eg_real *restrict m,
                                uint32_t *restrict next, eg_real *restrict sums)
{
    const uint32_t *column = list->column;
    const eg_real *value = list->value;
    memset(sums, 0, 2 * list->columns * LANES * sizeof *sums);
    for (size_t c = 0; c < list->columns; c++) {
        next[c] = (uint32_t)(2 * c * LANES);
    }
    for (size_t r = 0; r < list->rows; r++) {
        const size_t end = eg_sparse_row_end(list, r);
        const __m512 row = _mm512_loadu_ps(m + r * LANES);
        for (size_t k = eg_sparse_row(list, r); k < end; k++) {
            const uint32_t at = next[column[k]];
            next[column[k]] = at ^ LANES;
            const __m512 sum = _mm512_loadu_ps(sums + at);
            _mm512_storeu_ps(sums + at, _mm512_fmadd_ps(_mm512_set1_ps(value[k]), row, sum));
        }
    }
}

void eg_sparse_scatter(const eg_sparse *list, size_t width, const eg_real *m, eg_real *scratch)
{
    assert((width == NARROW || width == LANES) && list->columns < UINT32_MAX / (2 * LANES));
    eg_real *sums = scratch + first_sum(list->columns, width);
    if (width == NARROW) {
        scatter_narrow(list, m, sums);
    } else {
        scatter_wide(list, m, (uint32_t *)(void *)scratch, sums);
    }
}

AVX512 void eg_sparse_scattered(size_t columns, size_t width, size_t first, size_t count,
                                const eg_real *scratch, eg_real *out)
{
    const eg_real *sums = scratch + first_sum(columns, width);
    if (width == NARROW) {
        memcpy(out, sums + first * NARROW, count * NARROW * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const eg_real *sum = sums + 2 * (first + i) * LANES;
        _mm512_storeu_ps(out + i * LANES,
                         _mm512_add_ps(_mm512_loadu_ps(sum), _mm512_loadu_ps(sum + LANES)));
    }
}

#else

bool eg_sparse_scatters(void)
{
    return false;
}

size_t eg_sparse_scatter_room(size_t columns, size_t width)
{
    (void)columns, (void)width;
    return 0;
}

void eg_sparse_scatter(const eg_sparse *list, size_t width, const eg_real *m, eg_real *scratch)
{
    (void)list, (void)width, (void)m, (void)scratch;
    assert(false && "only where eg_sparse_scatters()");
}

void eg_sparse_scattered(size_t columns, size_t width, size_t first, size_t count,
                         const eg_real *scratch, eg_real *out)
{
    (void)columns, (void)width, (void)first, (void)count, (void)scratch, (void)out;
    assert(false && "only where eg_sparse_scatters()");
}

#endif
