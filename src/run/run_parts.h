/** A run and its parts. Each part is a file; this header is what they have in common. */
#ifndef RUN_PARTS_H
#define RUN_PARTS_H

#include "engram/run.h"
#include "engram/store.h"
#include "run/run_ask.h"
#include "run/run_data.h"
#include "run/run_queue.h"
#include "run/run_reporter.h"
#include "run/run_state.h"

/** The files of running trials. */
typedef struct eg_run_checkpoints {
    char *directory; /**< absolute; NULL before it was needed */
    char *file;      /**< of the trial handed out last, lent to the scheduler until the next one */
    double every;    /**< seconds, as in eg_work */
} eg_run_checkpoints;

/** The files of weights that stay. */
typedef struct eg_run_weights {
    eg_run_keeping keeping;
    char *directory; /**< absolute; NULL: nothing is kept, or it was not needed yet */
    char *file;      /**< of the trial handed out last, lent like that of the checkpoint */
    size_t unpruned; /**< trials finished since the weights of beaten points were removed */
} eg_run_weights;

struct eg_run {
    eg_run_options options;
    eg_sched_options sched;
    char *path;
    eg_run_state state;
    eg_run_queue queue;
    eg_run_reporter reporter;
    eg_run_checkpoints checkpoints;
    eg_run_weights weights;
    eg_run_repeats repeats;
    eg_run_data data;
    eg_run_ask ask;
    eg_store *store; /**< NULL unless open */
    char *settings;  /**< text lent to the scheduler until the next call */
    char *plugins;   /**< eg_plugin_list when the run was made */
    /** the results file could not be written while the sweep ran; it was said */
    bool publishing_failed;
    bool scheduled;
    bool gave_up; /**< as many trials failed as max_failures */
};

/** The callbacks for the scheduler; borrows `run`. */
eg_sched_client eg_run_client(eg_run *run);
/** Stops if the time is up; asked at every turn, and before the first one: nothing begins then. */
void eg_run_stop_in_time(eg_run *run);

/** run_checkpoints.c: names the file of a trial's checkpoint: run->checkpoints.file. */
eg_status eg_run_name_checkpoint(eg_run *run, size_t trial) EG_WARN_UNUSED;
/** Removes the checkpoint of a trial that will not go on. */
eg_status eg_run_drop_checkpoint(eg_run *run, size_t trial) EG_WARN_UNUSED;
/** While no trial runs: removes what is left of the checkpoints of finished trials, and the
 *  directory if nothing is in it; counts the others. */
eg_status eg_run_tidy_checkpoints(eg_run *run) EG_WARN_UNUSED;

/** run_weights.c: names the file for a trial's weights: run->weights.file; NULL: they are not
 *  kept. */
eg_status eg_run_name_weights(eg_run *run, size_t trial) EG_WARN_UNUSED;
/** With EG_RUN_KEEP_BEST: removes the weights of points that another one has beaten, all seeds of
 *  both being finished. Called after every result; looks now and then. */
eg_status eg_run_prune_weights(eg_run *run) EG_WARN_UNUSED;
/** Before and after all trials: the same at once, and what killed workers were writing goes. */
eg_status eg_run_tidy_weights(eg_run *run) EG_WARN_UNUSED;
/** eg_sched_options.keep_weights, on every rank. */
eg_status eg_run_keep_weights(const char *path, uint32_t attempt,
                              const eg_predictor *predictor) EG_WARN_UNUSED;

/** run_rules.c: makes trials `first` … a part of the run: what is known of them, what is redone,
 *  what the rules say. */
eg_status eg_run_take_on(eg_run *run, size_t first) EG_WARN_UNUSED;
/** Applies stopping rules to a trial that has a new outcome and to those it is compared with. */
eg_status eg_run_decide(eg_run *run, size_t trial) EG_WARN_UNUSED;
/** Starts the second stage when the first is finished. */
eg_status eg_run_next_stage(eg_run *run) EG_WARN_UNUSED;

/** run_failures.c: whether as many trials have failed as max_failures allows while others are left;
 *  says so once. */
bool eg_run_gives_up(eg_run *run);
/** How many trials may still fail; with no more of them out, one rank never fails more. */
size_t eg_run_failures_left(const eg_run *run);
/** The failure that a run ends with which gave up. */
eg_status eg_run_say_gave_up(const eg_run *run) EG_WARN_UNUSED;

/** run_repeats.c: compares the result of a trial that ran again with what it had before. */
eg_status eg_run_compare(eg_run *run, size_t trial, const eg_record *record) EG_WARN_UNUSED;

/** The 16 hexadecimal digits of a trial id. */
enum { EG_RUN_ID_DIGITS = 16 };
typedef struct eg_run_id {
    char text[EG_RUN_ID_DIGITS + 1];
} eg_run_id;
eg_run_id eg_run_id_of(const eg_run *run, size_t trial);

#endif
