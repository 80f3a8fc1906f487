/** A limit around the start of a job. MPI_Init waits for every rank, and waits for ever for one
 *  that was killed, or ends the process without a message; nobody else would notice. While a rank
 *  is in there, a thread of it looks after the others and after signals. */
#ifndef CLI_STARTUP_H
#define CLI_STARTUP_H

#include "cli/neighbours.h"
#include "engram/status.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/** Seconds that a start may take, a number; 0: as long as it takes. */
#define EG_START_TIMEOUT_VARIABLE "ENGRAM_START_TIMEOUT"

typedef struct eg_startup {
    pthread_t thread;
    pid_t process;
    bool watched; /**< there is the thread */
    bool speaks;  /**< this rank says why those of this host leave */
    atomic_bool over;
    atomic_bool ending; /**< MPI has called exit */
    double limit;       /**< seconds; INFINITY: none */
    sigset_t stops, before;
    eg_neighbours here;
} eg_startup;

/** *out: the limit, INFINITY for none. Errors: EG_INVALID if the variable is no number. */
eg_status eg_startup_limit(double *out) EG_WARN_UNUSED;

/** From here to eg_startup_close the process ends by itself
 *  - with EG_EXIT_SYSTEM and a message when a rank of this host is gone, the launcher is gone, MPI
 *    ends the process, or the limit has passed;
 *  - with EG_EXIT_STOPPED when a signal asks to stop: nothing has begun that could be kept.
 *  Nothing happens in a process that no launcher started. Errors: EG_INVALID for a limit that is no
 *  number. */
eg_status eg_startup_open(eg_startup *me) EG_WARN_UNUSED;
/** Does nothing for one that did not begin. */
void eg_startup_close(eg_startup *me);

#endif
