/** The product of the transpose of a sparse matrix and a narrow panel, without the transpose: every
 *  listed entry adds to the row of the result that its column names. While the result stays in the
 *  cache, that is faster than sorting the entries first. */
#ifndef ENGRAM_MATH_SHARED_SPARSE_SCATTER_H
#define ENGRAM_MATH_SHARED_SPARSE_SCATTER_H

#include "engram/sparse.h"

#include <stdbool.h>

/** The most lanes of the panel; its width is this or EG_SPARSE_NARROW. */
enum { EG_SCATTER_WIDTH = EG_SPARSE_STEP };

/** Whether this processor has the kernel. It gives the bits that eg_sparse_product makes of
 *  eg_sparse_transpose, if that has all rows of the list in one block. */
bool eg_sparse_scatters(void);

/** Numbers of scratch for so many columns. */
size_t eg_sparse_scatter_room(size_t columns, size_t width);

/** Adds up L' M, L the listed values, M [rows, width]. Only where eg_sparse_scatters(). The arrays
 *  must not overlap. */
void eg_sparse_scatter(const eg_sparse *list, size_t width, const eg_real *m, eg_real *scratch);

/** Rows first … first+count-1 of what was added up, into out [count, width]. `columns` and `width`
 *  as they were. */
void eg_sparse_scattered(size_t columns, size_t width, size_t first, size_t count,
                         const eg_real *scratch, eg_real *out);

#endif
