/** A worker in a thread of its own, and this thread's end of the queue to it. The thread trains,
 *  and is deaf inside a minibatch, however long that takes; this one goes on meanwhile. */
#ifndef ENGRAM_SCHED_COMPUTE_H
#define ENGRAM_SCHED_COMPUTE_H

#include "sched/placement.h"
#include "sched/worker.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct eg_compute {
    eg_channel *channel; /**< to the thread; its peer is 0 */
    atomic_bool ended;
    eg_status status; /**< how, once it has ended */
    bool goodbye;     /**< as in eg_worker_run */
    eg_pulse pulse;
    /* The thread's own. */
    eg_channel *other_end;
    char host[EG_HOST_SIZE];
    const eg_runner *runner;
    eg_sched_options options;
    pthread_t thread;
    bool said_long, said_stop; /* of a minibatch */
} eg_compute;

eg_status eg_compute_start(eg_compute **out, const char *host, const eg_runner *runner,
                           const eg_sched_options *options) EG_WARN_UNUSED;

/** Lets go of the thread, which leaves at its next look at messages, and waits two seconds for
 *  that. False if it is still inside a minibatch: it keeps what is its own, and the process must
 *  end without exit handlers, which would pull away what it uses. */
bool eg_compute_end(eg_compute *me) EG_WARN_UNUSED;

enum { EG_COMPLAINT_SIZE = 160 };

/** What is to be said of a minibatch that takes long: once ever, and once when a stop waits for it
 *  (`stopped`: since when, 0: none was asked for). *out, all but rank and host, with the words in
 *  `text`; false: nothing. */
bool eg_compute_complains(eg_compute *me, double stopped, eg_work_note *out,
                          char text[EG_COMPLAINT_SIZE]) EG_WARN_UNUSED;

#endif
