/** The options of `engram run`. */
#ifndef CLI_RUN_ARGUMENTS_H
#define CLI_RUN_ARGUMENTS_H

#include "cli/cli.h"
#include "cli/report/progress.h"
#include "engram/run.h"

enum {
    EG_ARG_OUTPUT,
    EG_ARG_SLICE,
    EG_ARG_REDO,
    EG_ARG_CHECKPOINT_EVERY,
    EG_ARG_KEEP_WEIGHTS,
    EG_ARG_PROGRESS,
    EG_ARG_QUIET,
    EG_ARG_SCHEDULER,
    EG_ARG_TIMEOUT,
    EG_ARG_LOSSES,
    EG_ARG_WORKERS,
    EG_ARG_UNTIL,
    EG_ARG_NOTIFY,
    EG_ARG_ACCEPT_DATA,
    EG_ARG_ASK,
    EG_ARG_ASK_TIMEOUT,
    EG_ARG_DRY_RUN,
    EG_ARG_OPTIONS
};

extern const eg_option eg_verb_run_options[EG_ARG_OPTIONS];

/** Fills the options of the scheduler, the mode of the progress line, and those of the run. Errors:
 *  EG_INVALID. */
eg_status eg_verb_run_read(const eg_args *args, const eg_world *world, eg_sched_options *sched,
                           eg_progress_mode *mode, eg_run_options *out) EG_WARN_UNUSED;

#endif
