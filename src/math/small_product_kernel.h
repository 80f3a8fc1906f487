/** Who makes products of small matrices; see math/shared/small_product.h. */
#ifndef ENGRAM_MATH_SMALL_PRODUCT_KERNEL_H
#define ENGRAM_MATH_SMALL_PRODUCT_KERNEL_H

#include "math/shared/small_product.h"

enum { EG_SMALL_PRODUCT_LANES = 16 };

/** The columns of C up to the last multiple of EG_SMALL_PRODUCT_LANES. */
typedef void eg_small_product_tiles(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b,
                                    size_t b_row, bool add, eg_real *c, size_t c_row);

/** NULL where this processor, or this build, has none. */
eg_small_product_tiles *eg_small_product_avx512(void);
eg_small_product_tiles *eg_small_product_avx2(void);

#endif
