/** Rank 0's view of its workers: the links to them, what each of them holds, and its own compute
 * thread. */
#ifndef ENGRAM_SCHED_CREW_H
#define ENGRAM_SCHED_CREW_H

#include "sched/backoff.h"
#include "sched/compute.h"
#include "sched/message.h"
#include "sched/worker.h"
#include "sched/world.h"

enum { EG_HELD_MAX = 128 /**< pieces of work: one running, the others ahead */ };

/** Work that a member was given. */
typedef struct eg_held {
    eg_task task;
    uint32_t losses;   /**< earlier ones */
    double start_time; /**< when it was given, seconds since 1970 */
} eg_held;

typedef struct eg_member {
    eg_link *link; /**< NULL: rank 0 when it does not compute */
    uint32_t rank;
    char host[EG_HOST_SIZE];
    uint64_t pid;
    bool ready, left;
    bool told;     /**< to stop */
    bool lost;     /**< nothing it has counts any more; it may come back unless it left */
    bool recalled; /**< lost, and told so */
    size_t losses; /**< how often it was lost */
    eg_held *held; /**< EG_HELD_MAX at most */
    size_t held_count, held_capacity;
    eg_task *kept; /**< results the client has, but not yet on disk */
    size_t kept_count, kept_capacity;
    bool wanting; /**< it is in the scheduler's list of those that may want work */
    double heard; /**< when anything came of it */
} eg_member;

typedef struct eg_crew {
    eg_world *world;
    eg_sched_options options;
    eg_link *queue, *mpi; /**< NULL where there is nobody */
    eg_member *members;   /**< by rank */
    size_t count;
    eg_pacer pacer;
    /* The compute thread. */
    const eg_runner *runner;
    eg_compute *compute; /**< NULL: rank 0 does not compute, or it could not be started */
} eg_crew;

/** Opens the links, greets everybody and starts the compute thread unless `runner` is NULL. After a failure the crew
 * can still be dismissed, and must be closed. */
eg_status eg_crew_open(eg_crew *crew, eg_world *world, const eg_sched_options *options,
                       const eg_runner *runner) EG_WARN_UNUSED;

/** Does nothing for members that left. */
eg_status eg_crew_send(eg_member *member, const eg_message *message) EG_WARN_UNUSED;

/** Says that the scheduler is there: opens the conversation, and answers a heartbeat. */
eg_status eg_crew_greet(const eg_crew *crew, eg_member *member) EG_WARN_UNUSED;

/** The next message of one of the two links, with its sender; eg_message_clear. When a message cannot be
 *  understood, *member is still its sender. */
eg_status eg_crew_receive(eg_crew *crew, eg_link *link, eg_member **member, eg_message *message,
                          bool *have) EG_WARN_UNUSED;

/** Sleeps until a message may have arrived, 5 ms at most; while messages flow at least for `gather` seconds,
 * whatever arrives. */
void eg_crew_wait(eg_crew *crew, double gather);

/** Has the process of this member, another rank, ended? Only seen where processes can be seen. */
bool eg_crew_gone(const eg_member *member);

/** Has it said nothing for too long? */
bool eg_crew_silent(const eg_crew *crew, const eg_member *member, double now);

/** Tells everybody to leave and waits until they have, a few seconds at most; whoever has not makes
 * the world lost. */
void eg_crew_dismiss(eg_crew *crew);

/** Ends the compute thread and closes the links. */
void eg_crew_close(eg_crew *crew);

#endif
