/** Sparse matrices by rows: what differs from one common value. A minibatch of pictures on an even
 * background is one, and so is a layer of which few units are active. */
#ifndef ENGRAM_SPARSE_H
#define ENGRAM_SPARSE_H

#include "engram/real.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** The matrix with elements `background`, plus value[k] at (r, column[k]) for start[r] <= k <
 * start[r+1]. No element is listed twice; the order of columns within a row is free, but fixes the
 * order of summation. */
typedef struct eg_sparse {
    size_t rows, columns;
    eg_real background;
    uint32_t *start;  /**< [rows + 1] */
    uint32_t *column; /**< [start[rows]] */
    eg_real *value;   /**< [start[rows]] */
} eg_sparse;

/** An empty matrix with memory for `rows` full rows. Release with eg_sparse_free. */
eg_status eg_sparse_create(eg_sparse **out, size_t rows, size_t columns) EG_WARN_UNUSED;
void eg_sparse_free(eg_sparse *matrix);

/** The transpose of `from` into `out`, created for from->columns rows of from->rows columns or
 * more. Within a row, columns ascend. */
void eg_sparse_transpose(const eg_sparse *from, eg_sparse *out);

/** out[rows, width] = L M[columns, width], L the listed values without the background. The arrays
 * must not overlap; width is a multiple of EG_SPARSE_STEP. */
enum { EG_SPARSE_STEP = 16 };
void eg_sparse_product(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out);

#endif
