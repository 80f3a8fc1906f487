/** Listing bytes that are not background with AVX-512: sixteen are compared at once, and a register
 *  of their columns is pushed together; no branch depends on the bytes. See
 *  math/shared/sparse_bytes.h. */
#include "math/shared/sparse_bytes.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__linux__) && !defined(EG_REAL_DOUBLE)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,popcnt")))

enum { LANES = 16 };

bool eg_sparse_has_bytes_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0;
}

/* Pushing into a register and storing that is several times as fast as pushing into memory. The
 * last store is masked: the list has room for `count` only. */
AVX512 size_t eg_sparse_bytes_avx512(size_t count, const uint8_t *restrict byte, uint8_t empty,
                                     uint32_t first, const eg_real *restrict of,
                                     uint32_t *restrict column, eg_real *restrict value)
{
    const __m128i background = _mm_set1_epi8((char)empty);
    const __m512i step = _mm512_set1_epi32(LANES);
    __m512i at =
        _mm512_add_epi32(_mm512_set1_epi32((int)first),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    size_t n = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(byte + i));
        const __mmask16 marks = _mm_cmpneq_epi8_mask(bytes, background);
        /* n <= i: all lanes fit. */
        _mm512_storeu_si512(column + n, _mm512_maskz_compress_epi32(marks, at));
        n += (unsigned)__builtin_popcount(marks);
        at = _mm512_add_epi32(at, step);
    }
    if (i < count) {
        const __mmask16 here = (__mmask16)((1U << (count - i)) - 1);
        const __m128i bytes = _mm_maskz_loadu_epi8(here, byte + i);
        const __mmask16 marks = _mm_mask_cmpneq_epi8_mask(here, bytes, background);
        const unsigned found = (unsigned)__builtin_popcount(marks);
        _mm512_mask_storeu_epi32(column + n, (__mmask16)((1U << found) - 1),
                                 _mm512_maskz_compress_epi32(marks, at));
        n += found;
    }
    for (size_t k = 0; k < n; k++) {
        value[k] = of[byte[column[k] - first]];
    }
    return n;
}

#else

bool eg_sparse_has_bytes_avx512(void)
{
    return false;
}

size_t eg_sparse_bytes_avx512(size_t count, const uint8_t *byte, uint8_t empty, uint32_t first,
                              const eg_real *of, uint32_t *column, eg_real *value)
{
    (void)count, (void)byte, (void)empty, (void)first, (void)of, (void)column, (void)value;
    assert(false && "only where eg_sparse_has_bytes_avx512()");
    return 0;
}

#endif
