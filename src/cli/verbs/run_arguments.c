/** Reading the options of `engram run`; see cli/verbs/run_arguments.h. */
#include "cli/verbs/run_arguments.h"

#include "cli/sweep_arguments.h"
#include "cli/time_limit.h"
#include "engram/clock.h"
#include "engram/params.h"

#include <math.h>
#include <stdlib.h>

const eg_option eg_verb_run_options[EG_ARG_OPTIONS] = {
    [EG_ARG_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .value = "FILE",
                       .doc =
                           "Where the results go: FILE.h5 (FILE alone means that, too), and the "
                           "journal beside it. Default: "
                           "results/NAME.h5, NAME being the sweep's name; with --slice I/N "
                           "results/NAME.IofN.h5. Directories of FILE must exist; only the default "
                           "one is made."},
    [EG_ARG_SLICE] = {.name = "slice", .value = "I/N", .doc = EG_SLICE_DOC},
    [EG_ARG_REDO] = {.name = "redo", .value = "WHAT", .doc = EG_REDO_DOC},
    [EG_ARG_CHECKPOINT_EVERY] =
        {.name = "checkpoint-every",
         .value = "SECONDS",
         .doc =
             "Saves running trials every so many seconds (default 60; when a task ends, a sixth of "
             "that is enough) in NAME.checkpoints beside the results, so that a killed sweep loses "
             "no more than that. 0: only when a signal stops the sweep. Takes 1 % of the time at "
             "most and never changes a result."},
    [EG_ARG_KEEP_WEIGHTS] =
        {.name = "keep-weights",
         .value = "WHICH",
         .doc =
             "Writes what each trial has learned to NAME.weights/ID.h5 beside the results (HDF5; "
             "`engram predict` uses such a file, docs/weights.md describes it). all: of every "
             "trial "
             "that is done; best: those of points whose seeds are all finished are removed, except "
             "of "
             "the best one. Trials that were finished before have none, which is said at the "
             "end; --redo runs them again."},
    [EG_ARG_PROGRESS] =
        {.name = "progress",
         .value = "MODE",
         .doc = "What standard error shows: line (default; redrawn twice a second on a "
                "terminal, a line every 30 s elsewhere; in brackets how far the trials "
                "that run are), json (an object per line, every 2 s and at the end, and "
                "for what becomes of a trial's checkpoint), off."},
    [EG_ARG_QUIET] = {.name = "quiet",
                      .letter = 'q',
                      .doc = "No progress and no summary; only errors, and the exit code."},
    [EG_ARG_SCHEDULER] =
        {.name = "scheduler",
         .value = "KIND",
         .doc = "shared: rank 0 trains beside scheduling; dedicated: it only schedules. "
                "Default: shared below 64 ranks."},
    [EG_ARG_TIMEOUT] =
        {.name = "worker-timeout",
         .value = "SECONDS",
         .doc =
             "A worker that has said nothing for so long is taken for lost, and its trials "
             "go to others (default: 120). One that comes back works again. A long minibatch is no "
             "silence."},
    [EG_ARG_LOSSES] =
        {.name = "max-losses",
         .value = "N",
         .doc = "A trial that was running on N workers when they were lost has failed, and is "
                "not tried again (default: 3)."},
    [EG_ARG_WORKERS] =
        {.name = "min-workers",
         .value = "N",
         .doc = "With fewer than N workers left the sweep stops with exit code 4 (default: "
                "1). The same command continues."},
    [EG_ARG_UNTIL] =
        {.name = "until",
         .value = "WHEN",
         .doc = "Stops by itself at that time, as SIGUSR1 would: +90s, +30m, +4h or +1d from "
                "now, or seconds since 1970. Default: a minute before the end of the batch job "
                "where SLURM_JOB_END_TIME tells it (short jobs: a quarter of their time); off: "
                "never."},
    [EG_ARG_NOTIFY] =
        {.name = "notify",
         .value = "COMMAND",
         .doc = "Runs COMMAND with the shell when the sweep has ended: finished, stopped, or by "
                "an error, but not where nothing was begun. It finds in its environment "
                "ENGRAM_MESSAGE (a sentence), ENGRAM_NAME, ENGRAM_RESULTS (the file), ENGRAM_EXIT "
                "(this program's exit code), ENGRAM_TRIALS, ENGRAM_FINISHED, ENGRAM_FAILED and "
                "ENGRAM_DIVERGED (counts). Under mpirun rank 0 runs it, once. It should be quick; "
                "if it fails, that is a warning."},
    [EG_ARG_ACCEPT_DATA] =
        {.name = "accept-data",
         .doc = "Goes on although the data are not those that the results so far were "
                "made with (their checksums are in the file). Results of both are then "
                "mixed, and every verb that reads the file says so."},
    [EG_ARG_ASK] =
        {.name = "ask",
         .value = "COMMAND",
         .doc =
             "Runs COMMAND in a shell and lets it suggest the points: it chooses what `sample` of "
             "the sweep file draws, sample.batch points at a time, until there are sample.count. "
             "It reads lines of JSON from its standard input and answers on its standard output "
             "(docs/ask.md; adapters/optuna_tuner.py is one for Optuna). The same command again "
             "starts it anew and tells it what it was told before."},
    [EG_ARG_ASK_TIMEOUT] =
        {.name = "ask-timeout",
         .value = "SECONDS",
         .doc =
             "A tuner that has not answered for so long ends the sweep with exit code 4; the same "
             "command goes on (default: 3600)."},
    [EG_ARG_DRY_RUN] =
        {.name = "dry-run",
         .letter = 'n',
         .doc = "Validates and says what would run, as `engram plan`; nothing is run or "
                "written."},
};

enum { CHECKPOINT_SECONDS = 60 };

static eg_status read_loss_options(const eg_args *args, size_t workers, eg_sched_options *sched)
{
    const char *const *given = args->option;
    size_t seconds = 0, losses = 0;
    if (given[EG_ARG_TIMEOUT] != NULL) {
        EG_TRY(eg_args_count(&seconds, "--worker-timeout", given[EG_ARG_TIMEOUT], 1));
    }
    if (given[EG_ARG_LOSSES] != NULL) {
        EG_TRY(eg_args_count(&losses, "--max-losses", given[EG_ARG_LOSSES], 1));
    }
    if (given[EG_ARG_WORKERS] != NULL) {
        EG_TRY(eg_args_count(&sched->workers_min, "--min-workers", given[EG_ARG_WORKERS], 1));
    }
    if (sched->workers_min > workers) {
        return eg_fail(EG_INVALID, "--min-workers %zu: there are only %zu", sched->workers_min,
                       workers);
    }
    sched->timeout_seconds = (double)seconds;
    sched->losses_max = (uint32_t)losses;
    return eg_ok();
}

static eg_status read_keeping(const eg_args *args, eg_run_keeping *out)
{
    static const char *const names[] = {"best", "all"};
    size_t choice = 0;
    *out = EG_RUN_KEEP_NONE;
    if (args->option[EG_ARG_KEEP_WEIGHTS] == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_args_choice(&choice, "--keep-weights", args->option[EG_ARG_KEEP_WEIGHTS], names,
                          EG_COUNT(names)));
    *out = choice == 0 ? EG_RUN_KEEP_BEST : EG_RUN_KEEP_ALL;
    return eg_ok();
}

static eg_status read_ask(const eg_args *args, eg_run_options *out)
{
    size_t seconds = 0;
    const char *timeout = args->option[EG_ARG_ASK_TIMEOUT];
    out->ask = args->option[EG_ARG_ASK];
    if (out->ask != NULL && args->option[EG_ARG_SLICE] != NULL) {
        return eg_fail(EG_INVALID, "--slice and --ask exclude each other: what a tuner suggests "
                                   "depends on all results");
    }
    if (timeout != NULL && out->ask == NULL) {
        return eg_fail(EG_INVALID, "--ask-timeout says how long the tuner of --ask may take, and "
                                   "there is none");
    }
    if (timeout != NULL) {
        EG_TRY(eg_args_count(&seconds, "--ask-timeout", timeout, 1));
    }
    out->ask_timeout = (double)seconds;
    return eg_ok();
}

eg_status eg_verb_run_read(const eg_args *args, const eg_world *world, eg_sched_options *sched,
                           eg_progress_mode *mode, eg_run_options *out)
{
    static const char *const modes[] = {"line", "json", "off"};
    static const char *const kinds[] = {"shared", "dedicated"};
    size_t choice = eg_run_sched_options(world).dedicated ? 1 : 0;
    if (args->option[EG_ARG_SCHEDULER] != NULL) {
        EG_TRY(eg_args_choice(&choice, "--scheduler", args->option[EG_ARG_SCHEDULER], kinds,
                              EG_COUNT(kinds)));
    }
    /* Alone there is nobody else to train. */
    *sched = (eg_sched_options){.dedicated = choice == 1 && eg_world_size(world) > 1};
    EG_TRY(
        read_loss_options(args, (size_t)eg_world_size(world) - (sched->dedicated ? 1 : 0), sched));
    choice = args->option[EG_ARG_QUIET] == NULL ? EG_PROGRESS_LINE : EG_PROGRESS_OFF;
    if (args->option[EG_ARG_PROGRESS] != NULL) {
        EG_TRY(eg_args_choice(&choice, "--progress", args->option[EG_ARG_PROGRESS], modes,
                              EG_COUNT(modes)));
    }
    *mode = (eg_progress_mode)choice;
    size_t every = CHECKPOINT_SECONDS;
    if (args->option[EG_ARG_CHECKPOINT_EVERY] != NULL) {
        EG_TRY(
            eg_args_count(&every, "--checkpoint-every", args->option[EG_ARG_CHECKPOINT_EVERY], 0));
    }
    out->checkpoint_every = every == 0 ? INFINITY : (double)every;
    EG_TRY(read_keeping(args, &out->keeping));
    out->redo = args->option[EG_ARG_REDO];
    out->accept_data = args->option[EG_ARG_ACCEPT_DATA] != NULL;
    EG_TRY(read_ask(args, out));
    if (out->redo != NULL) {
        EG_TRY(eg_run_check_redo(out->redo));
    }
    return eg_time_limit_read(&out->stop_at, args->option[EG_ARG_UNTIL],
                              getenv("SLURM_JOB_END_TIME"), eg_now());
}
