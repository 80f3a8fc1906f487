/** Batches: the examples of one step, or of one block of an evaluation. */
#ifndef ENGRAM_BATCH_H
#define ENGRAM_BATCH_H

#include "engram/real.h"
#include "engram/sparse.h"

#include <stddef.h>
#include <stdint.h>

/** The task of a batch whose task is not known, or that mixes tasks. */
#define EG_NO_TASK SIZE_MAX

/** Outputs that take part in a loss and in predictions: the classes a phase or a task has. */
typedef struct eg_active {
    size_t count;
    const uint32_t *output; /**< [count] ascending */
} eg_active;

/** Place of an output in the list; `count` if it is not active. */
static inline size_t eg_active_place(const eg_active *active, uint32_t output)
{
    size_t low = 0;
    for (size_t end = active->count; low < end;) {
        size_t middle = low + (end - low) / 2;
        if (active->output[middle] < output) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low < active->count && active->output[low] == output ? low : active->count;
}

/** Borrowed from the cursor it was read with, valid until the next call on that cursor. */
typedef struct eg_batch {
    size_t size; /**< examples */
    /** Labels (or targets) of an example, one for each of its positions; 0: one, as almost all
     * have. There are as many rows of outputs: row b*positions + t is of position t of example
     * b. */
    size_t positions;
    const eg_real *x; /**< [size, features]; NULL if only `sparse` was wanted */
    const eg_sparse
        *sparse;           /**< the same numbers in sparse form, where that is faster; else NULL */
    const uint32_t *label; /**< [rows] classes; NULL for regression */
    const eg_real *target; /**< [rows, outputs] for regression; NULL for classification */
    /** [size] which examples of the dataset they are, from 0: of its training set, but in a block
     * of EG_SUBSET_TEST of its test set. NULL where the stream makes its examples itself. */
    const uint32_t *number;
    /** Of a minibatch: the task its phase teaches, if it is one. Of a block of an evaluation: the
     * task that is evaluated, if the stream tells it (shape.tells_task); else EG_NO_TASK. */
    size_t task;
    /** Outputs that take part; NULL: all. The loss is taken over these alone and the others get no
     * gradient; predictions choose among these alone, whatever the scores of the others. */
    const eg_active *active;
    /** Of a minibatch that mixes tasks whose losses are each over outputs of their own: example b
     * is of task row_task[b] [size], whose outputs are task_active[row_task[b]]. Then `active` is
     * NULL. NULL: what is above is said of all examples. */
    const uint32_t *row_task;
    const eg_active *task_active;
    /** Of a minibatch: where it is in the stream; `step` counts all epochs of the phase. */
    size_t phase, step;
} eg_batch;

/** Rows of outputs: size * positions. */
static inline size_t eg_batch_rows(const eg_batch *batch)
{
    return batch->positions > 0 ? batch->size * batch->positions : batch->size;
}

/** The outputs that take part in the losses of example b; NULL: all. */
static inline const eg_active *eg_batch_active(const eg_batch *batch, size_t b)
{
    return batch->row_task != NULL ? &batch->task_active[batch->row_task[b]] : batch->active;
}

#endif
