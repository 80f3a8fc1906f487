/** Rank 0's view of its workers: the channels to them, the work that each of them
 *  has in flight, and its own compute thread. */
#ifndef ENGRAM_SCHED_WORKER_POOL_H
#define ENGRAM_SCHED_WORKER_POOL_H

#include "sched/backoff.h"
#include "sched/compute.h"
#include "sched/message.h"
#include "sched/worker.h"
#include "sched/world.h"

enum { EG_IN_FLIGHT_MAX = 128 /**< pieces of work: one running, the others ahead */ };

/** A piece of work that was sent to a worker and has not come back. */
typedef struct eg_in_flight {
    eg_attempt attempt; /**< began when it was given */
    uint32_t losses;    /**< earlier ones */
} eg_in_flight;

typedef struct eg_worker {
    eg_channel *channel; /**< NULL: rank 0 when it does not compute */
    uint32_t rank;
    char host[EG_HOST_SIZE];
    uint64_t pid;
    bool ready, left;
    bool stop_sent;
    bool lost;               /**< nothing it has counts any more; it may come back unless it left */
    bool reset_sent;         /**< since it was declared lost */
    size_t losses;           /**< how often it was lost */
    eg_in_flight *in_flight; /**< EG_IN_FLIGHT_MAX at most */
    size_t in_flight_count, in_flight_capacity;
    eg_attempt *kept; /**< results the client has, but not yet on disk */
    size_t kept_count, kept_capacity;
    bool wanting; /**< it is in the scheduler's list of those that may want work */
    double heard; /**< when anything came of it */
} eg_worker;

typedef struct eg_worker_pool {
    eg_world *world;
    eg_sched_options options;
    eg_channel *queue, *mpi; /**< NULL where there is nobody */
    eg_worker *workers;      /**< by rank */
    size_t count;
    eg_backoff backoff;
    /* The compute thread. */
    const eg_runner *runner;
    eg_compute *compute; /**< NULL: rank 0 does not compute, or it could not be started */
} eg_worker_pool;

/** Opens the channels, sends everybody a heartbeat and starts the compute thread unless `runner` is
 *  NULL. After a failure the pool can still be shut down, and must be closed. */
eg_status eg_worker_pool_open(eg_worker_pool *pool, eg_world *world,
                              const eg_sched_options *options,
                              const eg_runner *runner) EG_WARN_UNUSED;

/** Does nothing for workers that left. */
eg_status eg_worker_send(eg_worker *worker, const eg_message *message) EG_WARN_UNUSED;

/** Opens the connection, and answers PROGRESS. */
eg_status eg_worker_pool_send_heartbeat(const eg_worker_pool *pool,
                                        eg_worker *worker) EG_WARN_UNUSED;

/** The next message of one of the two channels, with its sender; eg_message_clear. When a message
 *  cannot be understood, *worker is still its sender. */
eg_status eg_worker_pool_receive(eg_worker_pool *pool, eg_channel *channel, eg_worker **worker,
                                 eg_message *message, bool *have) EG_WARN_UNUSED;

/** Sleeps until a message may have arrived, 5 ms at most; while messages flow at least for `gather`
 *  seconds, whatever arrives. */
void eg_worker_pool_wait(eg_worker_pool *pool, double gather);

/** Has the process of this worker, another rank, ended? Only seen where processes can be seen. */
bool eg_worker_is_gone(const eg_worker *worker);

/** Nothing has been heard of it for longer than options.timeout_seconds. */
bool eg_worker_pool_silent(const eg_worker_pool *pool, const eg_worker *worker, double now);

/** Sends SHUTDOWN to every worker and waits for BYE, a few seconds at most; a missing one makes the
 *  world lost. */
void eg_worker_pool_shut_down(eg_worker_pool *pool);

/** Ends the compute thread and closes the channels. */
void eg_worker_pool_close(eg_worker_pool *pool);

#endif
