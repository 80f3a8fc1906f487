/** Examples of a dataset as rows of numbers: dense, and in sparse form where the data are mostly
 *  background; their pixels in place or permuted. */
#ifndef STREAM_PIXEL_ROWS_H
#define STREAM_PIXEL_ROWS_H

#include "engram/dataset.h"
#include "engram/sparse.h"

#include <stdbool.h>

typedef struct eg_pixel_rows {
    const eg_dataset *dataset;
    /** [height*width] Pixel i is seen as pixel from[i] of the dataset, in every channel; NULL: as
     * itself. The caller's, as are these numbers. */
    const uint32_t *from;
    /** [height*width] Where a pixel of the dataset is seen: then the entries of a sparse row are
     * listed in the order of the dataset, which is faster; NULL: in the order of the columns. */
    const uint32_t *to;
    uint8_t *seen;              /**< [height*width] one channel of one example, permuted */
    eg_real *x;                 /**< [rows, features] */
    eg_sparse *sparse;          /**< the same, or NULL if the data are dense */
    uint32_t *filled;           /**< [blocks of a sparse row] entries so far */
    eg_real (*difference)[256]; /**< [channels][256] what a byte stands for, less the background */
} eg_pixel_rows;

/** For at most `rows` rows. The dataset is borrowed. *out may be cleared also after a failure. */
eg_status eg_pixel_rows_init(eg_pixel_rows *out, const eg_dataset *dataset,
                             size_t rows) EG_WARN_UNUSED;
void eg_pixel_rows_clear(eg_pixel_rows *self);

/** Makes example `bytes` [features] row r; rows are made from the first to the last. n: entries of
 * the sparse rows before; returns those of them and this one. Without `dense` x stays as it is
 * where the row has a sparse form. */
size_t eg_pixel_rows_load(const eg_pixel_rows *self, size_t r, const uint8_t *bytes, bool dense,
                          size_t n);

#endif
