/** From bytes to a row of a sparse matrix (engram/sparse.h): those that are not background. */
#ifndef ENGRAM_MATH_SHARED_SPARSE_BYTES_H
#define ENGRAM_MATH_SHARED_SPARSE_BYTES_H

#include "engram/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A list of entries that has room for `count` more. */
typedef size_t eg_sparse_lister(size_t count, const uint8_t *byte, uint8_t empty, uint32_t first,
                                const eg_real *of, uint32_t *column, eg_real *value);

/** For every byte[i] that is not `empty`, in their order: column first + i, value of[byte[i]].
 *  Returns how many there are. byte [count], of [256]; the arrays must not overlap. */
eg_sparse_lister eg_sparse_bytes;

/** The same numbers on every processor, and with AVX-512, where eg_sparse_has_bytes_avx512() is
 *  true. */
eg_sparse_lister eg_sparse_bytes_plain;
eg_sparse_lister eg_sparse_bytes_avx512;
bool eg_sparse_has_bytes_avx512(void);

/** Bit i says whether byte[i] is not `empty`, of at most 64 bytes. */
uint64_t eg_sparse_marks(size_t count, const uint8_t *byte, uint8_t empty);

#endif
