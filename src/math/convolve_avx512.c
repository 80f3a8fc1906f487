/** Tiles of convolutions with AVX-512; see math/convolve_tiles.h. */
#include "math/convolve_kernel.h"

#include <assert.h>
#include <stdbool.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx2,fma")))
#define INLINE AVX512 __attribute__((always_inline)) static inline
#define VECTOR __m512
#define WIDE 16
#define VECTORS_MAX 2
#define WINDOW_VECTORS 3
#define INPUTS_MAX(vectors) ((vectors) == 1 ? EG_TILE_INPUTS : 12)
#define ROW_VECTORS 2
#define NONZERO(n, p) nonzero_bits(n, p)
#define ZERO() _mm512_setzero_ps()
#define SET(a) _mm512_set1_ps(a)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define STORE_PART(p, n, v) _mm512_mask_storeu_ps(p, (__mmask16)((1U << (n)) - 1U), v)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY_ADD(a, b, sum) _mm512_fmadd_ps(a, b, sum)

INLINE unsigned nonzero_bits(size_t n, const eg_real *p)
{
    const unsigned there = n < WIDE ? (1U << n) - 1U : 0xffffU;
    const __m512 x = _mm512_maskz_loadu_ps((__mmask16)there, p);
    return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
}

#include "math/convolve_tiles.h"

#include "math/convolve_rows.h"

AVX512 static void tile(const eg_tile *t)
{
    if (t->lanes < WIDE) {
        eg_convolve_avx2()->tile(t);
    } else if (t->filters <= WIDE) {
        tile_of_images(1, t);
    } else {
        tile_of_images(2, t);
    }
}

AVX512 static void outer(const eg_outer_tile *t)
{
    if (t->lanes < WIDE) {
        eg_convolve_avx2()->outer(t);
    } else if (t->lanes == WIDE) {
        whole_outer(1, t);
    } else {
        whole_outer(2, t);
    }
}

AVX512 static void window(const eg_window_tile *t)
{
    static_assert(WINDOW_VECTORS * WIDE == EG_WINDOW_MAX, "a window is three registers");
    if (t->window <= WIDE) {
        window_of_inputs(1, t);
    } else if (t->window <= (size_t)2 * WIDE) {
        window_of_inputs(2, t);
    } else {
        window_of_inputs(WINDOW_VECTORS, t);
    }
}

AVX512 static void listed(const eg_listed_tile *t)
{
    whole_listed(t);
}

AVX512 static void skipping(const eg_skipping_row *t)
{
    whole_row(t);
}

AVX512 static size_t nonzero(size_t n, const eg_real *x, const eg_entries *out)
{
    const __m512i step = _mm512_set1_epi32(WIDE);
    __m512i at = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t count = 0;
    for (size_t i = 0; i < n; i += WIDE) {
        const unsigned there = n - i < WIDE ? (1U << (n - i)) - 1U : 0xffffU;
        const __m512 value = _mm512_maskz_loadu_ps((__mmask16)there, x + i);
        const __mmask16 kept = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        /* Whole registers are stored: storing a part of one is slow on some processors. */
        _mm512_storeu_ps(out->value + count, _mm512_maskz_compress_ps(kept, value));
        _mm512_storeu_si512(out->at + count, _mm512_maskz_compress_epi32(kept, at));
        count += (size_t)__builtin_popcount(kept);
        at = _mm512_add_epi32(at, step);
    }
    return count;
}

const eg_convolve_kernels *eg_convolve_avx512(void)
{
    static const eg_convolve_kernels kernels = {.name = "avx512",
                                                .tile = tile,
                                                .outer = outer,
                                                .window = window,
                                                .listed = listed,
                                                .skipping = skipping,
                                                .nonzero = nonzero};
    return __builtin_cpu_supports("avx512f") != 0 && eg_convolve_avx2() != NULL ? &kernels : NULL;
}

#else

const eg_convolve_kernels *eg_convolve_avx512(void)
{
    return NULL;
}

#endif
