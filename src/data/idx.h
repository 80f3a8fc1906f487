/** IDX, the format MNIST is published in: a big-endian header and one array of bytes. */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "engram/dataset.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_IDX_RANK_MAX = 3 };

/** An array of unsigned bytes of one to three dimensions. */
typedef struct eg_idx {
    size_t rank;
    size_t dims[EG_IDX_RANK_MAX];
    size_t size;         /**< product of dims */
    const uint8_t *data; /**< [size], inside `block` or `mapping` */
    uint8_t *block;      /**< from eg_alloc: what a gzip file held; NULL for a plain one */
    eg_mapping mapping;  /**< of a plain file: its pages are shared by all processes of a node */
} eg_idx;

/** Reads the file `path`, plain or gzip whatever its name, which must be an array of unsigned bytes
 * with `rank` dimensions (1: labels, 3: images) and nothing else. Errors: EG_INVALID naming the
 * file, what was found and what was expected (not readable, wrong magic, a dimension of 0,
 * truncated, bytes after the end, damaged gzip); EG_MEMORY. A plain file is mapped and must not
 * change while it is in use. On failure out->data is NULL. */
eg_status eg_idx_read(eg_idx *out, const char *path, size_t rank) EG_WARN_UNUSED;

/** Releases what an array holds; an empty one is accepted. */
void eg_idx_clear(eg_idx *idx);

#endif
