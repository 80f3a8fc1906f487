/** The path of a training run in a file: which examples each minibatch holds, as somebody else has
 *  walked it or as `engram train --trace` has written it.
 *
 *      phase,examples            a line of column names first; other columns are not looked at
 *      0,17 4 230                one line per minibatch, in order: numbers of training
 *      0,8 99                    examples, from 0, as they lie in the dataset */
#ifndef STREAM_ORDER_FILE_H
#define STREAM_ORDER_FILE_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eg_order_file {
    uint32_t *number; /**< the examples of all minibatches in a row */
    size_t *begin;    /**< [batches + 1] where each minibatch begins */
    size_t *phase;    /**< [phases + 1] the first minibatch of each phase */
    size_t batches, phases;
    size_t largest;        /**< examples of the largest minibatch */
    size_t capacity, room; /**< of number and of begin, while it is read */
} eg_order_file;

/** Reads all of the file. Errors, EG_INVALID, with file and line: no such file, no such columns, a
 *  line that is not one minibatch, a phase without minibatches or out of order; EG_SYSTEM,
 *  EG_MEMORY. *out may be cleared after any. */
eg_status eg_order_file_read(eg_order_file *out, const char *path) EG_WARN_UNUSED;
void eg_order_file_clear(eg_order_file *order);

/** The examples of minibatch `batch`, counted over all phases; *size of them. */
const uint32_t *eg_order_file_batch(const eg_order_file *order, size_t batch, size_t *size);

/** A hash of the path: of what the file says, not of how it is written. */
eg_status eg_order_file_hash(uint64_t *out, const eg_order_file *order) EG_WARN_UNUSED;

/** Whether it fits a stream: it has `phases` phases, and each of them as many minibatches as make
 *  `epochs` equal parts. Errors: EG_INVALID. */
eg_status eg_order_file_fits(const eg_order_file *order, const char *path, size_t phases,
                             size_t epochs) EG_WARN_UNUSED;
/** Whether the minibatches of a phase hold nothing but examples of its list [count]; the dataset
 *  has `train` training examples. Errors: EG_INVALID naming the line and the example; EG_MEMORY. */
eg_status eg_order_file_within(const eg_order_file *order, const char *path, size_t phase,
                               const uint32_t *list, size_t count, size_t train) EG_WARN_UNUSED;

#endif
