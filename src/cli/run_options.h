/** The options of `engram run`. */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include "cli/cli.h"
#include "cli/sweep_run.h"

enum {
    EG_RUN_OUTPUT,
    EG_RUN_SLICE,
    EG_RUN_REDO,
    EG_RUN_CHECKPOINT_EVERY,
    EG_RUN_KEEP_WEIGHTS,
    EG_RUN_PROGRESS,
    EG_RUN_QUIET,
    EG_RUN_SCHEDULER,
    EG_RUN_TIMEOUT,
    EG_RUN_LOSSES,
    EG_RUN_WORKERS,
    EG_RUN_UNTIL,
    EG_RUN_ACCEPT_DATA,
    EG_RUN_DRY_RUN,
    EG_RUN_OPTIONS
};

extern const eg_option eg_run_options[EG_RUN_OPTIONS];

/** Fills the options of the scheduler, the mode of the progress line, and what `run` takes of them. Errors: EG_INVALID. */
eg_status eg_run_options_read(const eg_args *args, const eg_world *world, eg_sched_options *sched,
                              eg_progress_mode *mode, eg_sweep_run *run) EG_WARN_UNUSED;

#endif
