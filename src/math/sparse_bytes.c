/** Listing bytes that are not background, eight at a time; see math/shared/sparse_bytes.h. */
#include "math/shared/sparse_bytes.h"

#include <string.h>

/* Bit i says whether byte i of eight differs from the byte repeated in `empty`. The sum carries
 * into the highest bit of every byte that is not 0, the product gathers these bits at the top. */
static inline uint64_t differing(const uint8_t *byte, uint64_t empty)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = 0;
    memcpy(&word, byte, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word ^= empty;
    uint64_t marks = (((word & low) + low) | word) & ~low;
    return (marks >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t marks_of(size_t count, const uint8_t *byte, uint8_t empty)
{
    const uint64_t repeated = empty * UINT64_C(0x0101010101010101);
    uint64_t marks = 0;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        marks |= differing(byte + i, repeated) << i;
    }
    for (; i < count; i++) {
        marks |= (uint64_t)(byte[i] != empty) << i;
    }
    return marks;
}

uint64_t eg_sparse_marks(size_t count, const uint8_t *byte, uint8_t empty)
{
    return marks_of(count, byte, empty);
}

size_t eg_sparse_bytes_plain(size_t count, const uint8_t *restrict byte, uint8_t empty,
                             uint32_t first, const eg_real *restrict of, uint32_t *restrict column,
                             eg_real *restrict value)
{
    enum { CHUNK = 64 };
    size_t n = 0;
    for (size_t chunk = 0; chunk < count; chunk += CHUNK) {
        size_t left = count - chunk;
        uint64_t marks = marks_of(left < CHUNK ? left : CHUNK, byte + chunk, empty);
        for (; marks != 0; marks &= marks - 1) {
            size_t i = chunk + (size_t)__builtin_ctzll(marks);
            column[n] = first + (uint32_t)i;
            value[n] = of[byte[i]];
            n++;
        }
    }
    return n;
}

size_t eg_sparse_bytes(size_t count, const uint8_t *byte, uint8_t empty, uint32_t first,
                       const eg_real *of, uint32_t *column, eg_real *value)
{
    return (eg_sparse_has_bytes_avx512() ? eg_sparse_bytes_avx512 : eg_sparse_bytes_plain)(
        count, byte, empty, first, of, column, value);
}
