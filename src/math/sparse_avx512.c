/** Sparse matrix times panel with AVX-512: the sums of a row stay in registers, so an entry costs
 *  one broadcast and one fused multiply-add per 16 lanes; see math/sparse_kernel.h. */
#include "math/sparse_kernel.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,fma")))
/* Sums are registers only where the number of them is a constant. */
#define INLINE AVX512 __attribute__((always_inline)) static inline

enum { LANES = 16, NARROW = EG_SPARSE_NARROW, VECTORS_MAX = 4 };

bool eg_sparse_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

/* sum += v row, for the first `vectors` registers of the row. */
INLINE void add(size_t vectors, __m512 *sum, eg_real v, const eg_real *row)
{
    __m512 factor = _mm512_set1_ps(v);
    for (size_t i = 0; i < vectors; i++) {
        sum[i] = _mm512_fmadd_ps(factor, _mm512_loadu_ps(row + i * LANES), sum[i]);
    }
}

/* Adds the entries from k to end to `vectors` registers of a row of the result, or begins it with
 * them. Even and odd entries have sums of their own: one chain of additions would wait for
 * itself. */
INLINE void add_all(size_t vectors, const eg_sparse *list, size_t k, size_t end, size_t width,
                    const eg_real *m, bool begin, eg_real *out)
{
    const uint32_t *column = list->column;
    const eg_real *value = list->value;
    __m512 even[VECTORS_MAX];
    __m512 odd[VECTORS_MAX];
    for (size_t i = 0; i < vectors; i++) {
        even[i] = _mm512_maskz_loadu_ps(begin ? 0 : 0xffff, out + i * LANES);
        odd[i] = _mm512_setzero_ps();
    }
    for (; k + 2 <= end; k += 2) {
        add(vectors, even, value[k], m + column[k] * width);
        add(vectors, odd, value[k + 1], m + column[k + 1] * width);
    }
    if (k < end) {
        add(vectors, even, value[k], m + column[k] * width);
    }
    for (size_t i = 0; i < vectors; i++) {
        _mm512_storeu_ps(out + i * LANES, _mm512_add_ps(even[i], odd[i]));
    }
}

/* `vectors` registers of every row of the result, from lane `first` on. Called with constant
 * `vectors`, so that the sums are registers. */
INLINE void strip(size_t vectors, const eg_sparse *list, size_t width, size_t first,
                  const eg_real *m, eg_real *out)
{
    for (size_t b = 0; b < list->blocks; b++) {
        for (size_t r = 0; r < list->rows; r++) {
            const uint32_t *segment = list->start + r * list->stride + b;
            if (b == 0 || segment[0] < segment[1]) {
                add_all(vectors, list, segment[0], segment[1], width, m + first, b == 0,
                        out + r * width + first);
            }
        }
    }
}

/* A row of half a register has one sum, and rows go four together so that their additions do not
 * wait for each other. A product without the transpose then adds in the same order. */
enum { TOGETHER = 4 };

INLINE __m256 add_narrow(const eg_sparse *list, size_t k, const eg_real *m, __m256 sum)
{
    const __m256 row = _mm256_loadu_ps(m + (size_t)list->column[k] * NARROW);
    return _mm256_fmadd_ps(_mm256_set1_ps(list->value[k]), row, sum);
}

/* `rows` neighbouring rows, a constant. */
INLINE void narrow_rows(size_t rows, const eg_sparse *list, size_t first, const eg_real *m,
                        eg_real *out)
{
    __m256 sum[TOGETHER];
    size_t at[TOGETHER], end[TOGETHER];
    size_t all = SIZE_MAX;
    for (size_t i = 0; i < rows; i++) {
        sum[i] = _mm256_setzero_ps();
        at[i] = eg_sparse_row(list, first + i);
        end[i] = eg_sparse_row_end(list, first + i);
        all = end[i] - at[i] < all ? end[i] - at[i] : all;
    }
    for (size_t k = 0; k < all; k++) {
        for (size_t i = 0; i < rows; i++) {
            sum[i] = add_narrow(list, at[i] + k, m, sum[i]);
        }
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = at[i] + all; k < end[i]; k++) {
            sum[i] = add_narrow(list, k, m, sum[i]);
        }
        _mm256_storeu_ps(out + (first + i) * NARROW, sum[i]);
    }
}

AVX512 static void product_narrow(const eg_sparse *list, const eg_real *m, eg_real *out)
{
    size_t r = 0;
    for (; r + TOGETHER <= list->rows; r += TOGETHER) {
        narrow_rows(TOGETHER, list, r, m, out);
    }
    for (; r < list->rows; r++) {
        narrow_rows(1, list, r, m, out);
    }
}

AVX512 void eg_sparse_product_avx512(const eg_sparse *list, size_t width, const eg_real *m,
                                     eg_real *out)
{
    static_assert((int)LANES == (int)EG_SPARSE_STEP, "a step of a panel is one register");
    const size_t four = (size_t)VECTORS_MAX * LANES;
    const size_t two = (size_t)2 * LANES;
    size_t first = 0;
    if (width == NARROW) {
        product_narrow(list, m, out);
        return;
    }
    for (; first + four <= width; first += four) {
        strip(VECTORS_MAX, list, width, first, m, out);
    }
    for (; first + two <= width; first += two) {
        strip(2, list, width, first, m, out);
    }
    if (width == LANES) {
        strip(1, list, LANES, 0, m, out); /* places of rows are shifts */
    } else if (first < width) {
        strip(1, list, width, first, m, out);
    }
}

#else

bool eg_sparse_has_avx512(void)
{
    return false;
}

void eg_sparse_product_avx512(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out)
{
    (void)list, (void)width, (void)m, (void)out;
    assert(false && "only where eg_sparse_has_avx512()");
}

#endif
