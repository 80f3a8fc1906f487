/** Tiles of convolutions with AVX2; see math/convolve_tiles.h. */
#include "math/convolve_kernel.h"

#include <stdbool.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINE AVX2 __attribute__((always_inline)) static inline
#define VECTOR __m256
#define WIDE 8
#define VECTORS_MAX 1
#define WINDOW_VECTORS 1
#define INPUTS_MAX(vectors) 12
#define ROW_VECTORS 1
#define NONZERO(n, p) nonzero_bits(n, p)
#define ZERO() _mm256_setzero_ps()
#define SET(a) _mm256_set1_ps(a)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define STORE_PART(p, n, v) store_part(p, n, v)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MULTIPLY_ADD(a, b, sum) _mm256_fmadd_ps(a, b, sum)

INLINE __m256i first_lanes(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}

INLINE unsigned nonzero_bits(size_t n, const eg_real *p)
{
    const __m256 x = n < WIDE ? _mm256_maskload_ps(p, first_lanes(n)) : LOAD(p);
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NEQ_UQ));
}

INLINE void store_part(eg_real *p, size_t n, VECTOR v)
{
    _mm256_maskstore_ps(p, first_lanes(n), v);
}

#include "math/convolve_tiles.h"

#include "math/convolve_rows.h"

AVX2 static void tile(const eg_tile *t)
{
    eg_tile part = *t;
    for (size_t l = 0; l < t->filters; l += WIDE) {
        part.w = t->w + l;
        part.bias = t->bias != NULL ? t->bias + l : NULL;
        part.y = t->y + l;
        part.filters = t->filters - l < WIDE ? t->filters - l : WIDE;
        tile_of_images(1, &part);
    }
}

AVX2 static void outer(const eg_outer_tile *t)
{
    eg_outer_tile part = *t;
    for (size_t l = 0; l < t->lanes; l += WIDE) {
        part.dy = t->dy + l;
        part.dw = t->dw + l;
        whole_outer(1, &part);
    }
}

AVX2 static void window(const eg_window_tile *t)
{
    eg_window_tile part = *t;
    for (size_t m = 0; m < t->window; m += WIDE) {
        part.dy = t->dy + m;
        part.sum = t->sum + m;
        window_of_inputs(1, &part);
    }
}

AVX2 static void listed(const eg_listed_tile *t)
{
    whole_listed(t);
}

AVX2 static void skipping(const eg_skipping_row *t)
{
    whole_row(t);
}

AVX2 static size_t nonzero(size_t n, const eg_real *x, const eg_entries *out)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        out->value[count] = x[i];
        out->at[count] = (uint32_t)i;
        count += x[i] != 0;
    }
    return count;
}

const eg_convolve_kernels *eg_convolve_avx2(void)
{
    static const eg_convolve_kernels kernels = {.name = "avx2",
                                                .tile = tile,
                                                .outer = outer,
                                                .window = window,
                                                .listed = listed,
                                                .skipping = skipping,
                                                .nonzero = nonzero};
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 ? &kernels
                                                                                     : NULL;
}

#else

const eg_convolve_kernels *eg_convolve_avx2(void)
{
    return NULL;
}

#endif
