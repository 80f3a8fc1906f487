/** Rows of examples in sparse form that are kept from one epoch to the next, so that their bytes
 *  are looked at once. */
#ifndef STREAM_KEPT_ROWS_H
#define STREAM_KEPT_ROWS_H

#include "engram/sparse.h"

#include <stdbool.h>

/** Entries of all rows that are kept, at most: 18 MB, enough for the test images of MNIST. */
enum { EG_KEPT_ENTRIES_MAX = 9 << 18 };

typedef struct eg_kept_rows {
    size_t examples;
    size_t blocks;             /**< of a row */
    size_t most, most_entries; /**< rows and entries there is room for; 0: nothing is kept */
    size_t count, entries;     /**< so far */
    size_t phase;              /**< the first of which rows were kept since all were dropped */
    uint32_t *place;           /**< [examples] 1 + the row; 0: it is not kept */
    uint32_t *start;           /**< [most][blocks + 1] */
    uint32_t *column;          /**< [most_entries] */
    eg_real *value;            /**< the same */
} eg_kept_rows;

/** For examples 0 … examples-1, of which a phase has `phase_examples` with about `row_entries`
 *  each; keeps nothing if these are too many. *out may be cleared also after a failure. */
eg_status eg_kept_rows_init(eg_kept_rows *out, size_t examples, size_t blocks,
                            size_t phase_examples, double row_entries) EG_WARN_UNUSED;
void eg_kept_rows_clear(eg_kept_rows *self);

/** Whether all of so many examples are kept. */
bool eg_kept_rows_have(const eg_kept_rows *self, size_t count, const uint32_t *example);

/** These, which are kept, as the rows of *out, whose `start` [count][blocks + 1] is the caller's;
 *  its entries are borrowed, until rows are added again. `like`: what else *out is to be. */
void eg_kept_rows_show(const eg_kept_rows *self, size_t count, const uint32_t *example,
                       const eg_sparse *like, eg_sparse *out);

/** Keeps row r of `from` as that of an example, unless it is kept, if there is room: where another
 *  phase filled it, that is dropped. */
void eg_kept_rows_add(eg_kept_rows *self, size_t phase, uint32_t example, size_t r,
                      const eg_sparse *from);

#endif
