/** Which trial next.
 *
 *  Replicate 0 of every point comes first, then replicate 1 …, so that a sweep stopped half way has
 *  half the seeds of every point; within a replicate the most expensive come first, so that nobody
 *  waits long for the last one.
 *
 *  A trial whose fate hangs on an undecided stopping rule waits: other points go first. So which
 *  trials run and which are skipped never depends on how many workers there are or how fast they
 *  are. */
#ifndef RUN_QUEUE_H
#define RUN_QUEUE_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eg_run_queue {
    const eg_plan *plan;        /**< borrowed */
    const eg_outcome *outcomes; /**< borrowed; [capacity] */
    size_t capacity;            /**< trials there can ever be */
    uint32_t *order;            /**< [count] trials in the order of handing out */
    size_t count, at;
    bool *waiting; /**< [capacity] passed over because a rule was undecided */
    uint32_t
        *ready; /**< [capacity] a ring: waited, paused or lost with their worker; may run now */
    size_t ready_count, ready_at;
} eg_run_queue;

eg_status eg_run_queue_init(eg_run_queue *out, const eg_plan *plan, const eg_outcome *outcomes,
                            size_t capacity) EG_WARN_UNUSED;
void eg_run_queue_clear(eg_run_queue *queue);

/** Adds trials first … plan->trial_count-1 behind those already there. */
eg_status eg_run_queue_add(eg_run_queue *queue, size_t first) EG_WARN_UNUSED;

/** The next pending trial that may run, or SIZE_MAX: nothing now. */
size_t eg_run_queue_next(eg_run_queue *queue);

/** What the stopping rules say of a trial, from the outcomes so far. */
typedef enum eg_run_fate { EG_RUN_FATE_RUN, EG_RUN_FATE_WAIT, EG_RUN_FATE_SKIP } eg_run_fate;
eg_run_fate eg_run_fate_of(const eg_budget *budget);
eg_run_fate eg_run_queue_fate(const eg_run_queue *queue, size_t trial);

/** A waiting trial's rule was decided in its favour: it may run. */
void eg_run_queue_release(eg_run_queue *queue, size_t trial);

/** A trial that was handed out is pending again (its worker is lost, or its pause is over): it goes
 *  first. */
void eg_run_queue_again(eg_run_queue *queue, size_t trial);

#endif
