/** Small products with AVX-512; see math/small_product_tiles.h. */
#include "math/small_product_kernel.h"

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE AVX512 __attribute__((always_inline)) static inline
#define VECTOR __m512
#define WIDE 16
#define ROWS 8
#define ZERO() _mm512_setzero_ps()
#define SET(a) _mm512_set1_ps(a)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MULTIPLY_ADD(a, b, sum) _mm512_fmadd_ps(a, b, sum)

#include "math/small_product_tiles.h"

AVX512 static void tiles(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                         bool add, eg_real *c, size_t c_row)
{
    all_tiles(m, n, k, a, b, b_row, add, c, c_row);
}

eg_small_product_tiles *eg_small_product_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0 ? tiles : NULL;
}

#else

eg_small_product_tiles *eg_small_product_avx512(void)
{
    return NULL;
}

#endif
