/** Rank 0's scheduler: what its three files share. scheduler.c is the loop, scheduler_work.c the
 *  pieces of work that are out, scheduler_losses.c the workers that vanish. */
#ifndef ENGRAM_SCHED_SCHEDULER_H
#define ENGRAM_SCHED_SCHEDULER_H

#include "sched/worker_pool.h"

typedef struct eg_scheduler {
    eg_worker_pool pool;
    const eg_sched_client *client;
    bool dry;       /**< the client had nothing to hand out; ask again after the next result */
    bool stopping;  /**< everybody was told to stop */
    double stopped; /**< when that was; 0: not yet */
    double deadline;
    int signal; /**< that asked to stop */
    uint32_t signal_rank;
    size_t in_flight; /**< pieces of work that are out */
    bool uncommitted; /**< results wait for the client's commit */
    size_t depth;     /**< pieces of work that everybody may hold now */
    /* Lists of ranks, so that a turn costs as much as what happened in it, not as there are
     * workers. */
    uint32_t
        *wanting; /**< all that are ready and hold fewer than `listed_depth`, and maybe others */
    size_t wanting_count;
    size_t listed_depth;
    uint32_t *keeping; /**< those with results that are not yet on disk */
    size_t keeping_count;
    double gather; /**< seconds that rank 0 may look away meanwhile */
    size_t interrupted;
    double checked;
    eg_status failure; /**< the first one ends the sweep */
} eg_scheduler;

/** --- Work that is out ------------------------------------------------------------------------ */

/** Tells the client that work will not be finished. */
void eg_scheduler_interrupt(eg_scheduler *me, const eg_attempt *attempt);
/** Interrupts all that this worker holds: it will not come back. */
void eg_scheduler_forfeit(eg_scheduler *me, eg_worker *worker);
/** It may want work: it is ready, or holds less than before. */
void eg_scheduler_list(eg_scheduler *me, eg_worker *worker);
/** Takes `attempt` from the worker's hands; false if it is not there (an answer to an earlier
 *  one). */
bool eg_scheduler_take_back(eg_scheduler *me, eg_worker *worker,
                            const eg_attempt *attempt) EG_WARN_UNUSED;
eg_status eg_scheduler_take_result(eg_scheduler *me, eg_worker *worker,
                                   eg_work_result *result) EG_WARN_UNUSED;
/** Forces what arrived in this turn to disk, then tells the workers. */
eg_status eg_scheduler_commit(eg_scheduler *me) EG_WARN_UNUSED;
eg_status eg_scheduler_hand_out(eg_scheduler *me) EG_WARN_UNUSED;

/** --- Losses ---------------------------------------------------------------------------------- */

/** Nothing that this worker has counts any more: its work goes to others, or fails if it was lost
 *  too often. Failures are kept in me->failure. */
void eg_scheduler_lose(eg_scheduler *me, eg_worker *worker, const char *why);
/** A lost worker spoke: unless it has started over, what it says does not count. False if the
 *  message is to be ignored. */
eg_status eg_scheduler_handle_lost(eg_scheduler *me, eg_worker *worker, const eg_message *message,
                                   bool *counts) EG_WARN_UNUSED;
/** Looks, once a second, for workers that ended or fell silent. */
void eg_scheduler_check(eg_scheduler *me);

/** Takes in everything that has arrived. */
void eg_scheduler_receive(eg_scheduler *me);

#endif
