/** The kernels behind eg_sparse_product: one for every processor, one for AVX-512. */
#ifndef ENGRAM_MATH_SPARSE_KERNEL_H
#define ENGRAM_MATH_SPARSE_KERNEL_H

#include "engram/sparse.h"

#include <stdbool.h>

typedef void eg_sparse_kernel(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out);

/** The reference. */
eg_sparse_kernel eg_sparse_product_plain;

/** With fused multiply-add, so equal to the reference within rounding and not bit by bit; only
 *  where eg_sparse_has_avx512() is true. */
eg_sparse_kernel eg_sparse_product_avx512;
bool eg_sparse_has_avx512(void);

#endif
