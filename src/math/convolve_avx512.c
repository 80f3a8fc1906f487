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
#define ZERO() _mm512_setzero_ps()
#define SET(a) _mm512_set1_ps(a)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define STORE_PART(p, n, v) _mm512_mask_storeu_ps(p, (__mmask16)((1U << (n)) - 1U), v)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY_ADD(a, b, sum) _mm512_fmadd_ps(a, b, sum)

#include "math/convolve_tiles.h"

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

const eg_convolve_kernels *eg_convolve_avx512(void)
{
    static const eg_convolve_kernels kernels = {
        .name = "avx512", .tile = tile, .outer = outer, .window = window};
    return __builtin_cpu_supports("avx512f") != 0 && eg_convolve_avx2() != NULL ? &kernels : NULL;
}

#else

const eg_convolve_kernels *eg_convolve_avx512(void)
{
    return NULL;
}

#endif
