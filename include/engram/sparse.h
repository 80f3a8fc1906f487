/** Sparse matrices by rows: what differs from one common value. A minibatch of pictures on an even
 * background is one, and so is a layer of which few units are active. */
#ifndef ENGRAM_SPARSE_H
#define ENGRAM_SPARSE_H

#include "engram/real.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** The matrix with elements `background`, plus the listed values. A row's entries are grouped into
 * blocks of neighbouring columns, so that products stay within a part of the other matrix that fits
 * the first-level cache: value[k] is at (r, column[k]) for start[r*stride] <= k <
 * start[r*stride + blocks], and those of its columns b*block … (b+1)*block-1 begin at
 * start[r*stride + b]. No element is listed twice; the order of columns within a block is free, but
 * fixes the order of summation. */
typedef struct eg_sparse {
    size_t rows, columns;
    size_t block;  /**< columns of a block; the last one may have fewer */
    size_t blocks; /**< per row, at least 1 */
    /** From row to row of `start`: `blocks` where every row begins at the end of the one before, as
     * eg_sparse_create has it; blocks + 1 where rows stand anywhere in the list. */
    size_t stride;
    eg_real background;
    uint32_t *start; /**< [rows*stride + 1], or [rows*stride] */
    uint32_t *column;
    eg_real *value;
} eg_sparse;

/** An empty matrix with memory for `rows` full rows, in equal blocks of at most EG_SPARSE_BLOCK
 *  columns. Release with eg_sparse_free. */
enum { EG_SPARSE_BLOCK = 256 };
static inline size_t eg_sparse_block_count(size_t columns)
{
    return columns == 0 ? 1 : (columns + EG_SPARSE_BLOCK - 1) / EG_SPARSE_BLOCK;
}
eg_status eg_sparse_create(eg_sparse **out, size_t rows, size_t columns) EG_WARN_UNUSED;
void eg_sparse_free(eg_sparse *matrix);

/** Place of the first entry of row r. */
static inline size_t eg_sparse_row(const eg_sparse *matrix, size_t r)
{
    return matrix->start[r * matrix->stride];
}

/** The place after the last entry of row r. */
static inline size_t eg_sparse_row_end(const eg_sparse *matrix, size_t r)
{
    return matrix->start[r * matrix->stride + matrix->blocks];
}

/** How many entries there are, where rows follow each other. */
static inline size_t eg_sparse_entries(const eg_sparse *matrix)
{
    return matrix->start[matrix->rows * matrix->stride];
}

/** Rows first … first+count-1 of a matrix, borrowed. */
static inline eg_sparse eg_sparse_rows(const eg_sparse *matrix, size_t first, size_t count)
{
    eg_sparse out = *matrix;
    out.start += first * matrix->stride;
    out.rows = count;
    return out;
}

/** The rows of `from` one after the other into `out`, which has as many columns, room for them, and
 *  a value array of its own unless that is NULL: then values are not copied. */
void eg_sparse_copy(const eg_sparse *from, eg_sparse *out);

/** The transpose of `from` into `out`, created for from->columns rows of from->rows columns or
 * more. Within a row, columns ascend. */
void eg_sparse_transpose(const eg_sparse *from, eg_sparse *out);

/** out[rows, width] = L M[columns, width], L the listed values without the background. The arrays
 * must not overlap; width is a multiple of EG_SPARSE_STEP, or EG_SPARSE_NARROW. A narrow panel and
 * the same lanes of a wide one can differ in the last bits: sums are taken in another order. */
enum { EG_SPARSE_STEP = 16, EG_SPARSE_NARROW = EG_SPARSE_STEP / 2 };
void eg_sparse_product(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out);

#endif
