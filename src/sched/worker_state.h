/** A worker: what its two files share. worker.c runs work, worker_messages.c speaks with the
 *  scheduler. */
#ifndef ENGRAM_SCHED_WORKER_STATE_H
#define ENGRAM_SCHED_WORKER_STATE_H

#include "sched/backoff.h"
#include "sched/message.h"
#include "sched/worker.h"

/** A result that is not yet known to be safe on disk. */
typedef struct eg_unacknowledged {
    eg_attempt attempt;
    eg_record *record; /**< NULL if the trial failed */
    char *checkpoint;  /**< file that is of no use once the result is safe; NULL: none */
} eg_unacknowledged;

typedef struct eg_worker_state {
    eg_channel *channel;
    const char *host;
    const eg_runner *runner;
    void *state; /**< of the runner */
    bool opened;
    eg_sched_options options;
    eg_backoff backoff;
    eg_pulse *pulse;

    eg_message *waiting; /**< WORK, oldest first */
    size_t waiting_count, waiting_capacity;
    eg_unacknowledged *unacknowledged;
    size_t unacknowledged_count, unacknowledged_capacity;

    eg_message note;   /**< PROGRESS: what is running now */
    uint64_t reported; /**< its last step that the scheduler knows of */
    bool stop;         /**< told to stop what runs */
    bool leave;        /**< told to leave */
    bool reset;        /**< taken for lost: all work is to be dropped */
    bool signalled;    /**< the scheduler knows of our signal */
    bool contact;      /**< the scheduler has opened the conversation */
    double looked, sent, checked;
    double asked; /**< when the first message was sent since anything was heard; 0: none is open */
    eg_status status;
} eg_worker_state;

/** To the scheduler. */
eg_status eg_worker_state_send(eg_worker_state *me, const eg_message *message) EG_WARN_UNUSED;
/** Says that `work` was not finished. */
eg_status eg_worker_state_interrupt(eg_worker_state *me, const eg_work *work) EG_WARN_UNUSED;
/** Takes in what has arrived, says what is due, and whether the scheduler is still there. */
eg_status eg_worker_state_poll(eg_worker_state *me) EG_WARN_UNUSED;
/** Drops all work, done or not. */
void eg_worker_state_forget(eg_worker_state *me);
/** After a RESET: rank 0 has given all our work to others. Nothing of it is of use, and nobody
 *  waits for word of it. */
eg_status eg_worker_state_start_over(eg_worker_state *me) EG_WARN_UNUSED;

#endif
