/** The scheduler: which trial next, on which worker. The only room that speaks MPI.
 *
 *  Every rank's main thread owns its MPI calls, and a second one trains, to which an in-memory
 *  queue of the same messages leads. So nothing waits for a minibatch. Rank 0's main thread
 *  schedules, and its second thread may be left out; the others' pass messages on. Nothing blocks
 *  in MPI. */
#ifndef ENGRAM_SCHED_H
#define ENGRAM_SCHED_H

#include "engram/attempt.h"
#include "engram/dataset.h"
#include "engram/predictor.h"
#include "engram/record.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** One piece of work, self-contained: a worker needs nothing else. */
typedef struct eg_work {
    eg_attempt attempt; /**< its trial and number; the rest is filled in when a worker gets it */
    uint64_t seed;
    const char *settings; /**< eg_settings_text of all; borrowed until the next call of `next` */
    const char *objective;
    /** The file of the trial's checkpoint, in a directory that all workers reach and that is made
     *  when needed; NULL or "": there is none. The trial goes on from it, and it is removed once
     *  the result is safe, unless that is a pause. */
    const char *checkpoint;
    double checkpoint_every; /**< seconds, as in eg_checkpointing */
    /** Where the worker writes what the trial has learned before it says that the trial is done, by
     *  eg_sched_options.keep_weights; NULL or "": nowhere. */
    const char *weights;
    uint64_t from;   /**< evaluations that an earlier attempt came back with, paused */
    uint64_t until;  /**< pauses behind this evaluation, as in eg_trial_options */
    uint32_t losses; /**< workers lost so far while they ran it */
    /** Checksum of the dataset where the sweep was begun; a worker that reads another one refuses
     *  the work, which ends the sweep. 0: not known. */
    uint64_t data;
    /** The plug-ins whose components the settings may name, "HASH PATH\n…"; a worker loads them,
     *  and one that finds another file refuses the work, which ends the sweep. NULL or "": none. */
    const char *plugins;
} eg_work;

/** What a worker has to say of a trial while it runs. */
typedef struct eg_work_note {
    eg_attempt attempt; /**< without times */
    bool warning;       /**< something went wrong that the trial survives */
    const char *text;
} eg_work_note;

/** How far a trial is that runs. */
typedef struct eg_work_progress {
    eg_attempt attempt; /**< it has not ended */
    uint64_t step;      /**< minibatches done, those before a checkpoint included */
    uint64_t steps;     /**< … and in all, not 0 */
} eg_work_progress;

/** How a piece of work came back. */
typedef struct eg_work_result {
    eg_attempt attempt;
    eg_trial_status status;  /**< done, diverged, failed, timeout, paused */
    const eg_record *record; /**< NULL when failed; borrowed */
    const char *message;     /**< why it failed, "" otherwise */
} eg_work_result;

/** A worker that is there no more: its process ended, or it said nothing for too long. */
typedef struct eg_worker_loss {
    uint32_t rank;
    const char *host;
    const char *why;
    size_t in_flight;    /**< pieces of work it had */
    size_t host_losses;  /**< of this host in this run of the scheduler, this one included */
    size_t workers_left; /**< not lost */
} eg_worker_loss;

/** A piece of work that was lost with its worker. */
typedef struct eg_work_loss {
    eg_attempt attempt; /**< from when it was handed out until now */
    const char *why;
    /** It counts as a loss of this work; otherwise the work waited for its turn there. */
    bool was_running;
} eg_work_loss;

/** What the scheduler is working for: the plan, the journal, the screen. All but the last are
 *  required, and called on rank 0's main thread. Every piece of work that was `started` ends with
 *  exactly one of `finished`, `lost` and `interrupted`; once the client itself has failed, with the
 *  last. */
typedef struct eg_sched_client {
    void *user;
    /** The next piece of work, or *have = false if nothing can be handed out now (more may come
     * after results). */
    eg_status (*next)(void *user, eg_work *out, bool *have);
    /** Work was given to a worker. */
    eg_status (*started)(void *user, const eg_attempt *attempt);
    /** A result arrived. It need not be safe on disk yet: `commit` follows before its worker is
     * acknowledged. A failure ends the sweep. */
    eg_status (*finished)(void *user, const eg_work_result *result);
    /** Everything that `finished` must be safe on disk when this returns EG_OK; called once for all
     *  results that arrived together, and only then are their workers acknowledged. A failure ends
     *  the sweep, and none of these results is acknowledged. */
    eg_status (*commit)(void *user);
    /** A trial goes on from its checkpoint, or has trouble with it. */
    void (*note)(void *user, const eg_work_note *note);
    /** A worker says how far its trial is: with every heartbeat, and after every percent of the
     *  trial, but not more than once a second. */
    void (*progress)(void *user, const eg_work_progress *progress);
    /** A worker is lost; a `lost` or `finished` (a failure, if the work has taken too many workers
     *  with it) follows for every piece of work it had. */
    eg_status (*worker_lost)(void *user, const eg_worker_loss *loss);
    /** Work was lost with its worker: `next` has to hand it out again, as a new attempt. */
    eg_status (*lost)(void *user, const eg_work_loss *loss);
    /** A worker that was taken for lost has come back and works again; what it did meanwhile is
     *  dropped. */
    void (*worker_back)(void *user, uint32_t rank, const char *host);
    /** A trial was interrupted by a stop; it will be run again by the next command. */
    void (*interrupted)(void *user, const eg_attempt *attempt);
    /** Called at every turn of the loop (at most every few ms): progress line, result file. */
    eg_status (*idle)(void *user);
    /** Mean seconds per trial so far, 0 if unknown: the shorter trials are, the more of them are
     *  handed out ahead. */
    double (*mean_seconds)(void *user);
    /** Nobody gets work ahead that would make it more than so many pieces handed out in all; asked
     *  at every turn. NULL: any number. */
    size_t (*out_max)(void *user);
    /** Something else than a result may bring more work: `idle` looks after it, `next` is asked
     *  again at every turn, and the scheduler does not end meanwhile. NULL: never. */
    bool (*expects)(void *user);
} eg_sched_client;

/** Zeros are the defaults. */
typedef struct eg_sched_options {
    bool dedicated; /**< rank 0 only schedules */
    /** A worker that has said nothing for so long is lost; 0: 120. One whose process ended is lost
     *  at once if it ran on rank 0's host. */
    double timeout_seconds;
    /** longest silence a worker allows itself; 0: 10, less if timeout is short */
    double heartbeat_seconds;
    /** A worker on another host than rank 0 leaves after so long without an answer (on the same
     *  host it sees whether rank 0 lives); 0: 60. */
    double silence_seconds;
    uint32_t losses_max; /**< work that was running on so many lost workers has failed; 0: 3 */
    size_t workers_min;  /**< with fewer workers the sweep stops; 0: 1 */
    /** On every rank, where any work has `weights`: writes them to `path`, for attempt number
     *  `attempt` at the trial; called on the thread that trains. If it fails that is noted, and the
     *  result stands. */
    eg_status (*keep_weights)(const char *path, uint32_t attempt, const eg_predictor *predictor);
} eg_sched_options;

/** The process's place in the job; make one first thing in main. Without mpirun: one rank, MPI not
 *  even initialised. */
typedef struct eg_world eg_world;
/** Was this process started by a launcher of MPI? Then eg_world_create waits for all the others
 *  that it starts. */
bool eg_world_is_launched(void);
eg_status eg_world_create(eg_world **out, int *argc, char ***argv) EG_WARN_UNUSED;
int eg_world_rank(const eg_world *world);
int eg_world_size(const eg_world *world);
/** Leaves MPI. `code` is the exit code the process is about to return. */
void eg_world_free(eg_world *world, int code);
/** What the job runs on. *line: "4 ranks on 1 host: 4 compute threads, 8 cores allowed". *warnings:
 *  sentences, each with a newline, about hosts with fewer cores than compute threads and about
 *  bindings that squeeze several ranks onto one core; "" if all is well. Rank 0's second, mostly
 *  sleeping thread is not counted. Any rank. Release both with eg_free. */
eg_status eg_world_describe(const eg_world *world, const eg_sched_options *options, char **line,
                            char **warnings) EG_WARN_UNUSED;
/** All ranks: rank 0's exit code reaches every rank (so that bad input ends all of them quietly).
 */
int eg_world_agree(eg_world *world, int code);

/** Rank 0: hands out work until the client has none and all results are in, or a signal asks to
 *  stop (then EG_STOPPED). EG_INVALID: a worker has other data. Loses a worker without ending the
 *  sweep where the launcher permits (Open MPI: mpirun --enable-recovery). EG_SYSTEM when too few
 *  workers are left. */
eg_status eg_sched_run(eg_world *world, const eg_sched_client *client,
                       const eg_sched_options *options) EG_WARN_UNUSED;
/** Ranks above 0: works until told to leave. Heartbeat and silence are as rank 0 says once it has
 *  spoken. */
eg_status eg_sched_work(eg_world *world, const eg_sched_options *options) EG_WARN_UNUSED;
/** Ranks above 0 are told to leave without any work (rank 0 failed before the sweep began). */
void eg_sched_dismiss(eg_world *world);

/** Signals: SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGXCPU ask to stop; a second SIGINT or SIGTERM ends
 *  the process at once. A SIGHUP that is ignored (nohup) stays so. */
eg_status eg_signals_install(void) EG_WARN_UNUSED;
/** Their numbers, without a SIGHUP that is ignored; returns how many. */
enum { EG_STOP_SIGNALS_MAX = 5 };
size_t eg_signals_that_stop(int out[EG_STOP_SIGNALS_MAX]);
/** Number of the signal that asked to stop, 0 if none. */
int eg_signals_pending(void);
/** Asks to stop as SIGUSR1 does, whether signals are handled or not. */
void eg_signals_request(void);
/** No signal has asked to stop, and nobody else; as after eg_signals_install. */
void eg_signals_forget(void);

#endif
