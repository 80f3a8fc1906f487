/** The scheduler: which trial next, on which worker. The only room that speaks MPI.
 *
 *  Rank 0's main thread schedules and owns all MPI calls; unless told otherwise a second thread of
 * rank 0 trains too, through an in-memory queue of the same messages. Other ranks poll between
 *  minibatches. Nothing blocks in MPI. */
#ifndef ENGRAM_SCHED_H
#define ENGRAM_SCHED_H

#include "engram/dataset.h"
#include "engram/record.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** One piece of work, self-contained: a worker needs nothing else. */
typedef struct eg_work {
    uint64_t ticket;  /**< the caller's number of the trial */
    uint32_t attempt; /**< from 1 */
    uint64_t seed;
    const char *
        settings; /**< eg_settings_text with neutral ones; borrowed until the next call of `next` */
    const char *objective;
    /** The file of the trial's checkpoint, in a directory that all workers reach and that is made when
     *  needed; NULL or "": there is none. The trial goes on from it, and it is removed once the result
     *  is safe. */
    const char *checkpoint;
    double checkpoint_every; /**< seconds, as in eg_saving */
} eg_work;

/** What a worker has to say of a trial while it runs. */
typedef struct eg_work_note {
    uint64_t ticket;
    uint32_t attempt;
    uint32_t rank;
    const char *host;
    bool warning; /**< something went wrong that the trial survives */
    const char *text;
} eg_work_note;

/** How a piece of work came back. */
typedef struct eg_work_result {
    uint64_t ticket;
    uint32_t attempt;
    uint32_t rank;
    const char *host;
    double start_time; /**< seconds since 1970 */
    double wall_seconds;
    eg_trial_status status;  /**< done, diverged, failed */
    const eg_record *record; /**< NULL when failed; borrowed */
    const char *message;     /**< why it failed, "" otherwise */
} eg_work_result;

/** What the scheduler is working for: the plan, the journal, the screen. All are required, and called on
 *  rank 0's main thread. Every piece of work that was `started` ends with exactly one of `finished`
 *  and `interrupted`; once the client itself has failed, with the latter. */
typedef struct eg_sched_client {
    void *user;
    /** The next piece of work, or *have = false if nothing can be handed out now (more may come
     * after results). */
    eg_status (*next)(void *user, eg_work *out, bool *have);
    /** `work` was given to a worker. */
    eg_status (*started)(void *user, const eg_work *work, uint32_t rank, const char *host);
    /** A result arrived. It need not be safe on disk yet: `commit` follows before its worker is
     * acknowledged. A failure ends the sweep. */
    eg_status (*finished)(void *user, const eg_work_result *result);
    /** Everything that `finished` must be safe on disk when this returns EG_OK; called once for all
     * results that arrived together, and only then are their workers acknowledged. A failure ends the
     * sweep, and none of these results is acknowledged. */
    eg_status (*commit)(void *user);
    /** A trial goes on from its checkpoint, or has trouble with it. */
    void (*note)(void *user, const eg_work_note *note);
    /** A trial was interrupted by a stop; it will be run again by the next command. */
    void (*interrupted)(void *user, uint64_t ticket);
    /** Called at every turn of the loop (at most every few ms): progress line, result file. */
    eg_status (*idle)(void *user);
    /** Mean seconds per trial so far, 0 if unknown: the shorter trials are, the more of them are handed
     * out ahead. */
    double (*mean_seconds)(void *user);
} eg_sched_client;

/** Zeros are the defaults. */
typedef struct eg_sched_options {
    bool dedicated;           /**< rank 0 only schedules */
    double heartbeat_seconds; /**< longest silence a worker allows itself; 0: 10 */
    /** A worker on another host than rank 0 leaves after so long without an answer (on the same host it
     *  sees whether rank 0 lives); 0: 60. */
    double silence_seconds;
} eg_sched_options;

/** The process's place in the job; make one first thing in main. Without mpirun: one rank, MPI not
 *  even initialised. */
typedef struct eg_world eg_world;
eg_status eg_world_create(eg_world **out, int *argc, char ***argv) EG_WARN_UNUSED;
int eg_world_rank(const eg_world *world);
int eg_world_size(const eg_world *world);
/** Leaves MPI. `code` is the exit code the process is about to return. */
void eg_world_free(eg_world *world, int code);
/** What the job runs on. *line: "4 ranks on 1 host: 4 compute threads, 8 cores allowed". *warnings: sentences, each
 *  with a newline, about hosts with fewer cores than compute threads and about bindings that squeeze
 *  several ranks onto one core; "" if all is well. Rank 0's second, mostly sleeping thread is not
 *  counted. Any rank. Release both with eg_free. */
eg_status eg_world_describe(const eg_world *world, const eg_sched_options *options, char **line,
                            char **warnings) EG_WARN_UNUSED;
/** All ranks: rank 0's exit code reaches every rank (so that bad input ends all of them quietly).
 */
int eg_world_agree(eg_world *world, int code);

/** Rank 0: hands out work until the client has none and all results are in, or a signal asks to
 * stop (then EG_STOPPED). */
eg_status eg_sched_run(eg_world *world, const eg_sched_client *client,
                       const eg_sched_options *options) EG_WARN_UNUSED;
/** Ranks above 0: works until told to leave. */
eg_status eg_sched_work(eg_world *world, const eg_sched_options *options) EG_WARN_UNUSED;
/** Ranks above 0 are told to leave without any work (rank 0 failed before the sweep began). */
void eg_sched_dismiss(eg_world *world);

/** Signals: SIGINT, SIGTERM, SIGUSR1 ask to stop; a second SIGINT or SIGTERM ends the process at
 * once. */
eg_status eg_signals_install(void) EG_WARN_UNUSED;
/** Number of the signal that asked to stop, 0 if none. */
int eg_signals_pending(void);

#endif
