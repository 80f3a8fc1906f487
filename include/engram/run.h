/** Running sweeps: from a sweep file to a results file, in one process or under MPI. `engram run`
 *  is this header with words around it.
 *
 *  This room prints nothing and knows no terminal. What there is to say while a sweep runs goes to
 *  an observer.
 *
 *      1. A sweep in one call        eg_run_file, eg_run_text
 *      2. Options
 *      3. Watching: the observer, and how far the sweep is
 *      4. Step by step               eg_run_create, open, trials, close, free
 *      5. Checks that run nothing
 *
 *  Units: seconds; times are since 1970 (eg_now) or on eg_clock, as said. */
#ifndef ENGRAM_RUN_H
#define ENGRAM_RUN_H

#include "engram/attempt.h"
#include "engram/ranking.h"
#include "engram/sched.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- 1. A sweep in one call ---------------------------------------------------------------------
 *
 * Every rank calls the same; alone, that is one rank:
 *
 *     eg_world *world = NULL;
 *     eg_run_counts counts;
 *     eg_status status = eg_world_create(&world, &argc, &argv);
 *     if (status.code == EG_OK) {
 *         status = eg_run_file(&counts, world, "sweep.yaml", "results.h5", NULL);
 *     }
 *     int code = status.code == EG_OK ? 0 : 1;
 *     code = world == NULL ? code : eg_world_agree(world, code);    // rank 0 says for all
 *     eg_world_free(world, code);
 *
 * The same call again goes on: finished trials are kept, missing ones run. Results never depend on
 * the number of ranks. One sweep after another may be run in a process that is alone; under MPI one
 * in the life of a world. */

struct eg_run_options;
typedef struct eg_run_options eg_run_options;

/** The trials of a sweep, by how they stand. */
typedef struct eg_run_counts {
    size_t total;   /**< those of the second stage count once it has begun */
    size_t to_come; /**< those of points that a tuner has yet to suggest, at most; not in `total` */
    size_t by_status[EG_TRIAL_STATUS_COUNT]; /**< of all */
    size_t before;                           /**< finished when this run began */
    size_t unfinished;                       /**< pending, running or paused */
    size_t safe;                             /**< finished, and on disk */
    size_t finished;    /**< by this run; those that a rule cut on their way included */
    size_t failed;      /**< … and that failed or timed out in this run */
    size_t retried;     /**< handed out again because their worker was lost */
    size_t checkpoints; /**< unfinished ones that go on from where they stopped */
} eg_run_counts;

/** Runs the sweep file at `sweep` ("-": standard input) into the results file at `results`
 *  (NAME.h5; its directory must exist). options NULL: the defaults. *counts: how it ended, on rank
 *  0 (zeros on others, and if nothing was begun). A trial that failed is no error here: see
 *  counts->by_status. Errors: EG_INVALID: the sweep, the data or an option is wrong, nothing was
 *  written, or the results file is of another sweep or being written by another process, or the
 *  tuner did something wrong before any trial ran;
 *  EG_STOPPED: a signal, a limit of time or max_failures stopped the sweep, the same call goes on;
 *  EG_SYSTEM,
 *  EG_MEMORY: the same call goes on, once that is repaired. On ranks above 0: of the rank
 *  itself. */
eg_status eg_run_file(eg_run_counts *counts, eg_world *world, const char *sweep,
                      const char *results, const eg_run_options *options) EG_WARN_UNUSED;

/** The same from text [size] in memory; `name` stands for the file in messages. */
eg_status eg_run_text(eg_run_counts *counts, eg_world *world, const char *name, const char *text,
                      size_t size, const char *results,
                      const eg_run_options *options) EG_WARN_UNUSED;

/* --- 2. Options ------------------------------------------------------------------------------- */

/** Whose weights stay on disk, in NAME.weights beside the results. */
typedef enum eg_run_keeping {
    EG_RUN_KEEP_NONE,
    EG_RUN_KEEP_BEST, /**< of the best point, and of points whose seeds are not all finished */
    EG_RUN_KEEP_ALL,
} eg_run_keeping;

typedef struct eg_run_observer eg_run_observer;

/** Zeros are the defaults. Texts are borrowed until eg_run_free. */
struct eg_run_options {
    const char *const *overrides; /**< [override_count] "name=value", as for eg_plan_load */
    size_t override_count;
    size_t slice, slice_count; /**< run part `slice` of so many, from 1, as eg_plan_slice; 0: all */
    /** Finished trials that run again: "failed", "diverged", "timeout", "all", "status=NAME",
     *  "id=HEX", or several of these separated by commas; NULL: none. */
    const char *redo;
    bool accept_data; /**< also if the results so far were made with other data */
    eg_run_keeping keeping;
    /** Running trials are saved every so many seconds; 0: 60; INFINITY: only when the sweep is
     *  stopped. */
    double checkpoint_every;
    double stop_at; /**< stops by itself at that time, seconds since 1970; 0, INFINITY: never */
    /** Handles SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU, on every rank, as requests to stop
     *  (see eg_signals_install); false: signals are the caller's, and eg_run_stop stops. */
    bool signals;
    const eg_sched_options *sched;   /**< NULL: eg_run_sched_options */
    const eg_run_observer *observer; /**< NULL: nobody watches; borrowed */
    const char *command;             /**< for the provenance in the results; NULL: "" */
    /** Of a plan with a space (eg_run_file and eg_run_text load one): the command of the tuner that
     *  suggests its points, for /bin/sh; docs/ask.md has what is said to it. NULL: none. */
    const char *ask;
    double ask_timeout; /**< seconds that it may take to answer; 0: 3600 */
};

/** The defaults for so many ranks: from 64 on rank 0 only schedules. */
eg_sched_options eg_run_sched_options(const eg_world *world);

/* --- 3. Watching ------------------------------------------------------------------------------ */

/** A sweep that is being run. */
typedef struct eg_run eg_run;

/** What a worker says of the trial it runs: it goes on from its checkpoint, or had trouble with
 *  it. */
typedef struct eg_run_note {
    eg_attempt attempt; /**< without times */
    bool warning;       /**< something went wrong that the trial survives */
    bool expected;      /**< it goes on after a pause for a stopping rule, as planned */
    const char *text;
} eg_run_note;

/** A trial that ended, or paused for a stopping rule (status EG_TRIAL_PAUSED). */
typedef struct eg_run_result {
    eg_attempt attempt;
    size_t trial; /**< index into the plan */
    eg_trial_status status;
    double objective;    /**< NaN: none */
    const char *message; /**< why it failed, "" otherwise */
} eg_run_result;

/** What is told while a sweep runs, on rank 0's main thread. All are optional. Whatever a callback
 *  needs of `run` it may ask with the functions below; it must not free or close it. They should be
 *  quick: workers wait meanwhile. */
struct eg_run_observer {
    void *user; /**< first argument of every callback */
    /** The results file is open and nothing was handed out yet; counts say what is left to run. A
     *  failure ends the run. */
    eg_status (*began)(void *user, eg_run *run);
    /** A second stage has begun: so many trials more. */
    void (*stage_began)(void *user, size_t trials);
    void (*trial_finished)(void *user, const eg_run_result *result);
    void (*note)(void *user, const eg_run_note *note);
    /** Something went wrong that the sweep survives: one sentence. */
    void (*warning)(void *user, const char *text);
    void (*worker_lost)(void *user, const eg_worker_loss *loss);
    void (*worker_back)(void *user, uint32_t rank, const char *host);
    /** eg_run_options.stop_at has come: the sweep is being stopped. */
    void (*time_up)(void *user);
    /** So many trials have failed or timed out, as many as the sweep's max_failures: nothing more
     *  is handed out, the sweep is being stopped. */
    void (*gave_up)(void *user, size_t failures);
    /** Every few milliseconds while trials run: the moment to draw progress. */
    void (*idle)(void *user, eg_run *run);
    /** No trial runs any more, whatever the reason. */
    void (*ended)(void *user, eg_run *run);
    /** A tuner has suggested points, which are in the plan now. A failure ends the run. */
    eg_status (*plan_grew)(void *user, eg_run *run);
};

/** Stops the sweep as SIGUSR1 would; from a callback of the observer. */
void eg_run_stop(eg_run *run);

/** Whether the sweep ended, or did not begin, because of max_failures. */
bool eg_run_gave_up(const eg_run *run);

/** How the trials stand now; lives as long as the run. */
const eg_run_counts *eg_run_counted(const eg_run *run);
const eg_plan *eg_run_plan(const eg_run *run);
/** Of the results file. */
const char *eg_run_path(const eg_run *run);

/** Trials that run again although they were finished, and whether they say the same. */
typedef struct eg_run_repeats {
    size_t lacking;   /**< because they lack what `measures` asks for */
    size_t compared;  /**< that have a new result beside an old one */
    size_t different; /**< of them, that say something else of what both recorded */
    char first[160];  /**< the first such difference, "" */
} eg_run_repeats;
const eg_run_repeats *eg_run_repeated(const eg_run *run);

/** Workers lost on one host. */
typedef struct eg_run_host {
    char host[64];
    size_t losses;
} eg_run_host;

/** The workers of this run. */
typedef struct eg_run_workers {
    size_t count;             /**< at the start */
    size_t lost, back;        /**< how often one was lost, and came back */
    const eg_run_host *hosts; /**< [host_count] where, in order of the first loss */
    size_t host_count;
} eg_run_workers;
eg_run_workers eg_run_workers_of(const eg_run *run);

enum { EG_RUN_SHARES_MAX = 1024 };

/** How far a sweep is. Unknown numbers are NaN. */
typedef struct eg_run_progress {
    double elapsed;      /**< since the first trial could run */
    double per_minute;   /**< trials finished per minute by this run */
    double seconds_left; /**< estimated from the speed seen so far */
    /** [share_count] done, 0 to 1, of the trials that run, in the order of ranks: those of which it
     *  is known. */
    double shares[EG_RUN_SHARES_MAX];
    size_t share_count;
} eg_run_progress;
/** Costs time in proportion to the number of ranks. */
void eg_run_look(eg_run_progress *out, const eg_run *run);

/** What the sweep's points are ranked by. */
const eg_ranking_basis *eg_run_basis(const eg_run *run);
/** The points as they stand, in the order of points; [eg_run_plan(run)->point_count], made anew.
 *  The caller may sort them: they are valid until the next call of this or of eg_run_best. */
eg_ranked_point *eg_run_points(eg_run *run);
/** The best of them, NULL: there is none yet. */
const eg_ranked_point *eg_run_best(eg_run *run);

/** What changed in the sweep since the file's last run, "" if nothing did; see eg_store_change.
 *  Once open. */
const char *eg_run_change(const eg_run *run);
/** Where a damaged journal was put when it was written anew, NULL if it was not; see eg_store_kept.
 *  Once open. */
const char *eg_run_kept_journal(const eg_run *run);

/** Where weights are kept; the directory and how many finished trials have theirs there. */
typedef struct eg_run_weights_found {
    const char *directory; /**< NULL: nothing is kept */
    size_t wanted, there;  /**< finished trials that should have weights, and that do */
    uint64_t lacking;      /**< the id of one that does not, if there < wanted */
} eg_run_weights_found;
eg_status eg_run_find_weights(eg_run_weights_found *out, eg_run *run) EG_WARN_UNUSED;

/* --- 4. Step by step -----------------------------------------------------------------------------
 *
 * What eg_run_file does, for those who want to do something in between. Rank 0:
 *
 *     eg_run_create, eg_run_open, eg_run_trials, eg_run_close, eg_run_free
 *
 * and eg_sched_dismiss(world) unless eg_run_was_scheduled; the other ranks: eg_run_work. */

/** Checks everything that can be checked before a file is written: redo, and that all data can be
 *  opened. A tuner is started, told what it was told before, and asked for the first points. `plan`
 *  belongs to the run from here on, also after a failure; `options` and what it
 *  points to are borrowed. Release with eg_run_free, also after a failure (*out NULL: only the plan
 *  was freed). Errors: EG_INVALID, EG_MEMORY, EG_SYSTEM. */
eg_status eg_run_create(eg_run **out, eg_plan *plan, const char *results,
                        const eg_run_options *options) EG_WARN_UNUSED;
/** Opens or makes the results file, and finds out what is left to run. Errors: as eg_store_open. */
eg_status eg_run_open(eg_run *run, const eg_world *world) EG_WARN_UNUSED;
/** Runs all trials that are left. Errors: EG_STOPPED, and what eg_sched_run and the results file
 *  may say. */
eg_status eg_run_trials(eg_run *run, eg_world *world) EG_WARN_UNUSED;
/** Writes the final results file and lets go of it. `status`: how the steps before went; returned,
 *  or what went wrong here if that says more. Does nothing for a run that was not opened. */
eg_status eg_run_close(eg_run *run, eg_status status) EG_WARN_UNUSED;
/** NULL is accepted. */
void eg_run_free(eg_run *run);

/** Whether the scheduler ran: then it has sent the other ranks home itself. */
bool eg_run_was_scheduled(const eg_run *run);

/** Ranks above 0: works for rank 0 until told to leave. `signals` as in eg_run_options. */
eg_status eg_run_work(eg_world *world, bool signals) EG_WARN_UNUSED;

/* --- 5. Checks that run nothing --------------------------------------------------------------- */

/** EG_INVALID, naming the item, unless `redo` is a value of eg_run_options.redo. */
eg_status eg_run_check_redo(const char *redo) EG_WARN_UNUSED;
/** Refuses ids in `redo` (NULL: none) that no trial has, neither of the plan nor of what the file
 *  at `results` holds. */
eg_status eg_run_check_ids(const eg_plan *plan, const char *results,
                           const char *redo) EG_WARN_UNUSED;
/** Opens every dataset that unfinished trials ask for once, so that a missing or damaged file is
 *  one error now and not a thousand failed trials. Trials that `redo` names count as unfinished. */
eg_status eg_run_check_data(const eg_plan *plan, const char *results,
                            const char *redo) EG_WARN_UNUSED;

#endif
