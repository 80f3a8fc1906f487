/** The product of a transpose that is not made, with AVX-512; see math/shared/sparse_scatter.h.
 *
 *  The product of a transpose adds the even and the odd entries of a row to sums of their own and
 *  these in the end (math/sparse_avx512.c). For the same bits a column has two sums here, too, and
 *  its entries go to them in turns:
 *
 *      up to 8 units | sums of a column [columns][2][8]: the next one first
 *      more          | next sum of a column [columns] | sums [columns][2][16] */
#include "math/shared/sparse_scatter.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include "math/sparse_kernel.h"

#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f")))

enum { LANES = EG_SCATTER_WIDTH, HALF = LANES / 2, UPPER = 0xff00 };

bool eg_sparse_scatters(void)
{
    return eg_sparse_has_avx512();
}

size_t eg_sparse_scatter_room(size_t columns)
{
    size_t next = (columns + LANES - 1) / LANES * LANES; /* sums are whole cache lines */
    return next + 2 * columns * LANES;
}

/* Both sums of a column are one register. They change places, and the one that is second then
 * grows: nobody has to know which it is. */
AVX512 static void scatter_half(const eg_sparse *list, const eg_real *restrict m,
                                eg_real *restrict sums)
{
    const uint32_t *column = list->column;
    const eg_real *value = list->value;
    memset(sums, 0, list->columns * LANES * sizeof *sums);
    for (size_t r = 0; r < list->rows; r++) {
        const size_t end = eg_sparse_row(list, r + 1);
        const __m512 row = _mm512_maskz_expandloadu_ps(UPPER, m + r * LANES);
        for (size_t k = eg_sparse_row(list, r); k < end; k++) {
            eg_real *sum = sums + (size_t)column[k] * LANES;
            __m512 both = _mm512_loadu_ps(sum);
            both = _mm512_shuffle_f32x4(both, both, _MM_SHUFFLE(1, 0, 3, 2));
            both = _mm512_mask3_fmadd_ps(_mm512_set1_ps(value[k]), row, both, UPPER);
            _mm512_storeu_ps(sum, both);
        }
    }
}

AVX512 static void scatter_full(const eg_sparse *list, const eg_real *restrict m,
                                uint32_t *restrict next, eg_real *restrict sums)
{
    const uint32_t *column = list->column;
    const eg_real *value = list->value;
    memset(sums, 0, 2 * list->columns * LANES * sizeof *sums);
    for (size_t c = 0; c < list->columns; c++) {
        next[c] = (uint32_t)(2 * c * LANES);
    }
    for (size_t r = 0; r < list->rows; r++) {
        const size_t end = eg_sparse_row(list, r + 1);
        const __m512 row = _mm512_loadu_ps(m + r * LANES);
        for (size_t k = eg_sparse_row(list, r); k < end; k++) {
            const uint32_t at = next[column[k]];
            next[column[k]] = at ^ LANES;
            const __m512 sum = _mm512_loadu_ps(sums + at);
            _mm512_storeu_ps(sums + at, _mm512_fmadd_ps(_mm512_set1_ps(value[k]), row, sum));
        }
    }
}

static size_t first_sum(size_t columns, size_t units)
{
    return units <= HALF ? 0 : eg_sparse_scatter_room(columns) - 2 * columns * LANES;
}

void eg_sparse_scatter(const eg_sparse *list, size_t units, const eg_real *m, eg_real *scratch)
{
    assert(units <= LANES && list->columns < UINT32_MAX / (2 * LANES));
    eg_real *sums = scratch + first_sum(list->columns, units);
    if (units <= HALF) {
        scatter_half(list, m, sums);
    } else {
        scatter_full(list, m, (uint32_t *)(void *)scratch, sums);
    }
}

AVX512 void eg_sparse_scattered(size_t columns, size_t units, size_t first, size_t count,
                                const eg_real *scratch, eg_real *out)
{
    const eg_real *sums = scratch + first_sum(columns, units);
    for (size_t i = 0; i < count && units <= HALF; i++) {
        __m512 even = _mm512_loadu_ps(sums + (first + i) * LANES);
        __m512 odd = _mm512_shuffle_f32x4(even, even, _MM_SHUFFLE(1, 0, 3, 2));
        _mm512_storeu_ps(out + i * LANES, _mm512_maskz_add_ps((__mmask16)~UPPER, even, odd));
    }
    for (size_t i = 0; i < count && units > HALF; i++) {
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

size_t eg_sparse_scatter_room(size_t columns)
{
    (void)columns;
    return 0;
}

void eg_sparse_scatter(const eg_sparse *list, size_t units, const eg_real *m, eg_real *scratch)
{
    (void)list, (void)units, (void)m, (void)scratch;
    assert(false && "only where eg_sparse_scatters()");
}

void eg_sparse_scattered(size_t columns, size_t units, size_t first, size_t count,
                         const eg_real *scratch, eg_real *out)
{
    (void)columns, (void)units, (void)first, (void)count, (void)scratch, (void)out;
    assert(false && "only where eg_sparse_scatters()");
}

#endif
