/** A sweep being run: the plan, the results file, the queue and the screen behind the scheduler's
 *  callbacks. */
#ifndef CLI_SWEEP_RUN_H
#define CLI_SWEEP_RUN_H

#include "cli/preflight.h"
#include "cli/report/point_columns.h"
#include "cli/report/progress.h"
#include "cli/report/ranking_report.h"
#include "cli/run_queue.h"
#include "engram/sched.h"
#include "engram/store.h"
#include "engram/sweep.h"

/** What a worker that trains has said of its trial. */
typedef struct eg_run_report {
    bool known; /**< false: nothing of the trial it has now */
    size_t trial;
    double first, latest; /**< share of the trial that was done, in its first and latest report */
    double first_time, latest_time; /**< of these reports, on eg_clock */
} eg_run_report;

/** Workers lost on one host. */
typedef struct eg_host_losses {
    char host[64];
    size_t losses;
} eg_host_losses;

/** Trials that run again although they were finished. */
typedef struct eg_run_again {
    size_t lacking;   /**< because they lack what `measures` asks for */
    size_t compared;  /**< that have a new result beside an old one */
    size_t different; /**< of them, that say something else of what both recorded */
    char first[160];  /**< the first such difference */
} eg_run_again;

/** Whose weights stay on disk. */
typedef enum eg_keeping {
    EG_KEEP_NONE,
    EG_KEEP_BEST, /**< of the best point, and of points whose seeds are not all finished */
    EG_KEEP_ALL,
} eg_keeping;

typedef struct eg_sweep_run {
    eg_plan *plan;
    eg_store *store;
    char *path; /**< of the results file */
    eg_data_content data;
    eg_outcome *outcomes;
    size_t capacity; /**< of outcomes: the second stage's trials included */
    eg_run_queue queue;
    eg_run_again again;
    eg_ranking_report ranking; /**< by the objective; its points are `points` */
    eg_ranked_point *points;   /**< [point_count] as eg_sweep_run_rank left them */
    size_t unfinished;         /**< pending, running or paused trials */
    size_t safe;               /**< finished trials whose results are on disk */
    bool
        publishing_failed; /**< the results file could not be written while the sweep ran; it was said */
    size_t before;         /**< trials that were finished when this command began */
    size_t stage_start;       /**< first trial of the second stage; SIZE_MAX before it exists */
    const char *redo;         /**< value of --redo, NULL: none */
    eg_point_columns columns; /**< settings shown */
    char *settings;           /**< text lent to the scheduler until the next call */
    char *checkpoints;        /**< directory, absolute; NULL before it was needed */
    char *checkpoint;         /**< file of the trial handed out last, lent like `settings` */
    double checkpoint_every;  /**< seconds; 0: only when stopped */
    size_t checkpoint_count;  /**< of unfinished trials, when last counted */
    eg_keeping keeping;       /**< --keep-weights */
    char *weights;            /**< directory, absolute; NULL: nothing is kept */
    char *weights_file;       /**< of the trial handed out last, lent like `settings` */
    size_t weights_unpruned; /**< trials finished since the weights of beaten points were removed */
    size_t workers;
    eg_run_report *reports; /**< [report_count] by rank; NULL before anything runs */
    size_t report_count;
    double cost_left;                  /**< of unfinished trials */
    double session_wall, session_cost; /**< of trials finished by this command */
    size_t session_finished, session_failed, session_warnings;
    size_t workers_lost, workers_back; /**< by this command … */
    size_t retried;                    /**< … and the trials that had to be handed out again */
    eg_host_losses *hosts;             /**< where, in order of the first loss */
    size_t host_count, host_capacity;
    double heard;   /**< when the last report or result came, on eg_clock */
    double stop_at; /**< when to ask for a stop, on eg_now; INFINITY: never, or it was asked for */
    char best_words[160];
    size_t by_status[EG_TRIAL_STATUS_COUNT];
    eg_progress_line progress;
} eg_sweep_run;

/** Loads nothing: takes an opened plan, opens the results file and brings everything to where the last
 *  command ended. `session` is written to the journal. */
eg_status eg_sweep_run_open(eg_sweep_run *run, const eg_session *session) EG_WARN_UNUSED;
void eg_sweep_run_clear(eg_sweep_run *run);

/** The callbacks for the scheduler; borrows `run`. */
eg_sched_client eg_sweep_run_client(eg_sweep_run *run);

/** Names the file of a trial's checkpoint: run->checkpoint. */
eg_status eg_sweep_run_checkpoint(eg_sweep_run *run, size_t trial) EG_WARN_UNUSED;
/** Removes the checkpoint of a trial that will not go on. */
eg_status eg_sweep_run_drop_checkpoint(eg_sweep_run *run, size_t trial) EG_WARN_UNUSED;
/** While no trial runs: removes what is left of the checkpoints of finished trials, and the directory
 *  if nothing is in it; counts the others. */
eg_status eg_sweep_run_tidy_checkpoints(eg_sweep_run *run) EG_WARN_UNUSED;
/** `name` with the current directory in front: workers may have been started elsewhere. A new string. */
eg_status eg_sweep_run_absolute(char **out, const char *name) EG_WARN_UNUSED;

/** Names the file for a trial's weights: run->weights_file; NULL: they are not kept. */
eg_status eg_sweep_run_name_weights(eg_sweep_run *run, size_t trial) EG_WARN_UNUSED;
/** With EG_KEEP_BEST: removes the weights of points that another one has beaten, all seeds of both being finished. Called after
 *  every result; looks now and then, or, if `now`, at once. */
eg_status eg_sweep_run_prune_weights(eg_sweep_run *run) EG_WARN_UNUSED;
/** Before and after all trials: the same at once, and what killed workers were writing goes. */
eg_status eg_sweep_run_tidy_weights(eg_sweep_run *run) EG_WARN_UNUSED;
/** Lines on standard output: where weights are, and which are missing. */
eg_status eg_sweep_run_print_weights(eg_sweep_run *run) EG_WARN_UNUSED;

/** Shows what a worker says of a trial; warnings in every mode. */
void eg_sweep_run_note(eg_sweep_run *run, const eg_work_note *note);
/** Callback of run_progress.c: a worker says how far its trial is. Costs the same whatever the number of workers:
 *  the end is estimated when a line is drawn. */
void eg_sweep_run_report(void *user, const eg_work_progress *progress);
/** A trial does not run on this rank any more: what the rank said of it says nothing. */
void eg_sweep_run_drop_report(eg_sweep_run *run, uint32_t rank, size_t trial);
/** Callbacks of run_losses.c; `user` is the eg_sweep_run. */
eg_status eg_sweep_run_worker_lost(void *user, const eg_worker_loss *loss) EG_WARN_UNUSED;
eg_status eg_sweep_run_lost(void *user, const eg_work_loss *loss) EG_WARN_UNUSED;
void eg_sweep_run_worker_back(void *user, uint32_t rank, const char *host);
/** A line on standard output about lost workers and retried trials, if there were any. */
void eg_sweep_run_print_losses(const eg_sweep_run *run);

/** Writes a progress line (or object) now. */
void eg_sweep_run_progress(eg_sweep_run *run);

/** What the trial costs, in the plan's unit. */
double eg_sweep_run_cost(const eg_sweep_run *run, size_t trial);

/** Gives a trial its status, keeping the counts. `record`: what it recorded, NULL: nothing. */
void eg_sweep_run_set(eg_sweep_run *run, size_t trial, eg_trial_status status,
                      const eg_record *record);

/** Makes run->points anew from the outcomes, in the plan's order of trials, so that they depend on
 *  nothing else; they are in the order of points. */
void eg_sweep_run_rank(eg_sweep_run *run);
/** The best of them, made anew; NULL: there is none yet. */
const eg_ranked_point *eg_sweep_run_best(eg_sweep_run *run);

/** Counts a trial that this command brought to its end. */
void eg_sweep_run_count_finished(eg_sweep_run *run, size_t trial);

/** Applies stopping rules to a trial that has a new outcome and to those it is compared with, and starts the second stage
 *  when the first is finished. */
eg_status eg_sweep_run_decide(eg_sweep_run *run, size_t trial) EG_WARN_UNUSED;
eg_status eg_sweep_run_next_stage(eg_sweep_run *run) EG_WARN_UNUSED;

/** Compares the result of a trial that ran again with what it had before. */
eg_status eg_sweep_run_compare(eg_sweep_run *run, size_t trial,
                               const eg_record *record) EG_WARN_UNUSED;
/** A line on standard output about trials that ran again, if there were any. */
void eg_sweep_run_print_again(const eg_sweep_run *run);

/** Marks the trials from `first` on that --redo names, or that lack what `measures` asks for, as pending again. */
eg_status eg_sweep_run_redo(eg_sweep_run *run, size_t first) EG_WARN_UNUSED;

/** What standard output gets at the end: counts, best points, where the file is, what to do next. */
eg_status eg_sweep_run_summary(eg_sweep_run *run, bool stopped) EG_WARN_UNUSED;

#endif
