/** One attempt at a trial: which trial, which attempt, where and when it ran.
 *
 *  Everything that is said of an attempt on its way from a worker to a result has this structure
 *  inside: work, progress, notes, losses and results of the scheduler (engram/sched.h), frames of
 *  the journal and rows of a results file (engram/store.h), what an observer is told
 *  (engram/run.h). */
#ifndef ENGRAM_ATTEMPT_H
#define ENGRAM_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct eg_attempt {
    uint64_t trial;      /**< the trial's id */
    uint32_t number;     /**< from 1; 0: the trial has not begun */
    uint32_t rank;       /**< of the worker */
    const char *host;    /**< of the worker; borrowed from what holds the attempt; "": not known */
    double start_time;   /**< when it began, seconds since 1970; NaN: it has not begun */
    double wall_seconds; /**< how long it took, or until it was given up; 0 or NaN while it runs */
} eg_attempt;

/** Whether both are the same attempt at the same trial, whatever else is known of them. */
bool eg_attempt_is_same(const eg_attempt *a, const eg_attempt *b);

#endif
