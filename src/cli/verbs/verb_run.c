/** engram run: the sweep. */
#include "cli/cli.h"

#include "cli/build.h"
#include "cli/format.h"
#include "cli/preflight.h"
#include "cli/redo.h"
#include "cli/report/plan_report.h"
#include "cli/sweep_arguments.h"
#include "cli/sweep_run.h"
#include "cli/terminal.h"
#include "cli/time_limit.h"
#include "engram/blas.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OUTPUT,
    SLICE,
    REDO,
    CHECKPOINT_EVERY,
    PROGRESS,
    QUIET,
    SCHEDULER,
    TIMEOUT,
    LOSSES,
    WORKERS,
    UNTIL,
    ACCEPT_DATA,
    DRY_RUN
};

static const eg_option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .value = "FILE",
                .doc = "Where the results go: FILE.h5 (FILE alone means that, too), and the "
                       "journal beside it. Default: "
                       "results/NAME.h5, NAME being the sweep's name; with --slice I/N "
                       "results/NAME.IofN.h5. Directories of FILE must exist; only the default "
                       "one is made."},
    [SLICE] = {.name = "slice", .value = "I/N", .doc = EG_SLICE_DOC},
    [REDO] = {.name = "redo", .value = "WHAT", .doc = EG_REDO_DOC},
    [CHECKPOINT_EVERY] =
        {.name = "checkpoint-every",
         .value = "SECONDS",
         .doc =
             "Saves running trials every so many seconds (default 60; when a task ends, a sixth of "
             "that is enough) in NAME.checkpoints beside the results, so that a killed sweep loses "
             "no more than that. 0: only when a signal stops the sweep. Takes 1 % of the time at "
             "most and never changes a result."},
    [PROGRESS] = {.name = "progress",
                  .value = "MODE",
                  .doc = "What standard error shows: line (default; redrawn twice a second on a "
                         "terminal, a line every 30 s elsewhere; in brackets how far the trials "
                         "that run are), json (an object per line, every 2 s and at the end, and "
                         "for what becomes of a trial's checkpoint), off."},
    [QUIET] = {.name = "quiet",
               .letter = 'q',
               .doc = "No progress and no summary; only errors, and the exit code."},
    [SCHEDULER] = {.name = "scheduler",
                   .value = "KIND",
                   .doc = "shared: rank 0 trains beside scheduling; dedicated: it only schedules. "
                          "Default: shared below 64 ranks."},
    [TIMEOUT] =
        {.name = "worker-timeout",
         .value = "SECONDS",
         .doc =
             "A worker that has said nothing for so long is taken for lost, and its trials "
             "go to others (default: 120). One that comes back works again. A long minibatch is no "
             "silence."},
    [LOSSES] = {.name = "max-losses",
                .value = "N",
                .doc =
                    "A trial that was running on N workers when they were lost has failed, and is "
                    "not tried again (default: 3)."},
    [WORKERS] = {.name = "min-workers",
                 .value = "N",
                 .doc = "With fewer than N workers left the sweep stops with exit code 4 (default: "
                        "1). The same command continues."},
    [UNTIL] = {.name = "until",
               .value = "WHEN",
               .doc =
                   "Stops by itself at that time, as SIGUSR1 would: +90s, +30m, +4h or +1d from "
                   "now, or seconds since 1970. Default: a minute before the end of the batch job "
                   "where SLURM_JOB_END_TIME tells it (short jobs: a quarter of their time); off: "
                   "never."},
    [ACCEPT_DATA] = {.name = "accept-data",
                     .doc = "Goes on although the data are not those that the results so far were "
                            "made with (their checksums are in the file). Results of both are then "
                            "mixed, and every verb that reads the file says so."},
    [DRY_RUN] = {.name = "dry-run",
                 .letter = 'n',
                 .doc = "Validates and says what would run, as `engram plan`; nothing is run or "
                        "written."},
};

enum { DEDICATED_FROM = 64 /* ranks: from here on scheduling deserves a core of its own */ };
enum { CHECKPOINT_SECONDS = 60 };

static eg_status read_loss_options(const eg_args *args, size_t workers, eg_sched_options *sched)
{
    const char *const *given = args->option;
    size_t seconds = 0, losses = 0;
    if (given[TIMEOUT] != NULL) {
        EG_TRY(eg_args_count(&seconds, "--worker-timeout", given[TIMEOUT], 1));
    }
    if (given[LOSSES] != NULL) {
        EG_TRY(eg_args_count(&losses, "--max-losses", given[LOSSES], 1));
    }
    if (given[WORKERS] != NULL) {
        EG_TRY(eg_args_count(&sched->workers_min, "--min-workers", given[WORKERS], 1));
    }
    if (sched->workers_min > workers) {
        return eg_fail(EG_INVALID, "--min-workers %zu: there are only %zu", sched->workers_min,
                       workers);
    }
    sched->timeout_seconds = (double)seconds;
    sched->losses_max = (uint32_t)losses;
    return eg_ok();
}

static eg_status read_options(const eg_args *args, const eg_world *world, eg_sched_options *sched,
                              eg_progress_mode *mode, double *checkpoint_every)
{
    static const char *const modes[] = {"line", "json", "off"};
    static const char *const kinds[] = {"shared", "dedicated"};
    size_t choice = eg_world_size(world) >= DEDICATED_FROM;
    if (args->option[SCHEDULER] != NULL) {
        EG_TRY(eg_args_choice(&choice, "--scheduler", args->option[SCHEDULER], kinds,
                              EG_COUNT(kinds)));
    }
    /* Alone there is nobody else to train. */
    *sched = (eg_sched_options){.dedicated = choice == 1 && eg_world_size(world) > 1};
    EG_TRY(
        read_loss_options(args, (size_t)eg_world_size(world) - (sched->dedicated ? 1 : 0), sched));
    choice = args->option[QUIET] == NULL ? EG_PROGRESS_LINE : EG_PROGRESS_OFF;
    if (args->option[PROGRESS] != NULL) {
        EG_TRY(
            eg_args_choice(&choice, "--progress", args->option[PROGRESS], modes, EG_COUNT(modes)));
    }
    *mode = (eg_progress_mode)choice;
    size_t every = CHECKPOINT_SECONDS;
    if (args->option[CHECKPOINT_EVERY] != NULL) {
        EG_TRY(eg_args_count(&every, "--checkpoint-every", args->option[CHECKPOINT_EVERY], 0));
    }
    *checkpoint_every = (double)every;
    return args->option[REDO] == NULL ? eg_ok() : eg_redo_check(args->option[REDO]);
}

/** results/, which is where files go by default. */
static eg_status make_directory(bool *made)
{
    if (mkdir("results", 0777) == 0) {
        *made = true;
    } else if (errno != EEXIST) {
        return eg_preflight_no_directory(errno);
    }
    return eg_ok();
}

static eg_status open_everything(eg_cli *cli, const eg_args *args, eg_sweep_run *run)
{
    EG_TRY(eg_sweep_arguments_plan(&run->plan, args, args->option[SLICE]));
    if (args->option[DRY_RUN] != NULL) {
        return eg_plan_report(run->plan, &(eg_plan_question){.output = args->option[OUTPUT],
                                                             .redo = args->option[REDO],
                                                             .timing = true});
    }
    EG_TRY(eg_blas_prepare());
    bool made = false;
    run->redo = args->option[REDO];
    EG_TRY(eg_sweep_arguments_path(&run->path, run->plan, args->option[OUTPUT]));
    EG_TRY(eg_preflight_redo(run->plan, run->path, run->redo));
    eg_origins origins = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_preflight_data(&run->data, run->plan, run->path, run->redo));
    if (args->option[OUTPUT] == NULL) {
        EG_TRY_DONE(status, make_directory(&made));
    }
    EG_TRY_DONE(status,
                eg_origins_collect(&origins, cli->command, (uint32_t)eg_world_size(cli->world)));
    origins.session.data = run->data.lines;
    origins.session.accept_data = args->option[ACCEPT_DATA] != NULL;
    status = eg_sweep_run_open(run, &origins.session);
done:
    eg_origins_clear(&origins);
    if (status.code != EG_OK && made) {
        (void)rmdir("results"); /* empty unless the file was begun */
    }
    return status;
}

static eg_status announce(const eg_cli *cli, const eg_sweep_run *run, const eg_sched_options *sched)
{
    char *line = NULL;
    char *warnings = NULL;
    EG_TRY(eg_world_describe(cli->world, sched, &line, &warnings));
    size_t total = run->plan->trial_count;
    if (run->before == 0) {
        eg_say(stderr, "%s: %zu trial%s to run, %s\n", run->plan->name, total, eg_plural(total),
               line);
    } else {
        eg_say(stderr, "%s: %zu of %zu trials were finished before, %zu to run, %s\n",
               run->plan->name, run->before, total, run->unfinished, line);
    }
    for (size_t i = 0; i < run->plan->warning_count; i++) {
        eg_say(stderr, "warning: %s\n", run->plan->warnings[i]);
    }
    eg_put_safe(stderr, warnings, strlen(warnings), true);
    if (isfinite(run->stop_at)) {
        (void)fprintf(stderr, "stops by itself at %s\n", eg_time_text(run->stop_at).text);
    }
    eg_free(line);
    eg_free(warnings);
    return eg_ok();
}

/** Writes the final result file and lets go of it. `status` is how the sweep went. */
static eg_status close_store(eg_sweep_run *run, eg_status status)
{
    if (run->store == NULL) {
        return status;
    }
    bool complete = status.code == EG_OK && run->unfinished == 0;
    const char *why = complete ? "done" : status.code == EG_STOPPED ? "stopped" : "error";
    bool meant = status.code == EG_OK || status.code == EG_STOPPED;
    eg_status ended = eg_store_end(run->store, why); /* first: nothing is running in the file */
    eg_status published = eg_store_publish(run->store, complete);
    if (!eg_store_has_journal(run->store)) {
        eg_status_keep(&ended, published); /* the first that failed says where the results are */
        status = meant ? ended : status;
    } else if (meant && published.code == EG_SYSTEM) {
        status = eg_fail(EG_SYSTEM,
                         "%.300s; the journal has everything: engram collect %.100s makes the "
                         "results file from it",
                         published.message, run->path);
    } else if (meant && published.code != EG_OK) {
        status = published;
    }
    eg_status_keep(&status, ended);
    eg_status closed = eg_store_close(run->store, why);
    run->store = NULL;
    eg_status_keep(&status, closed);
    return status;
}

static eg_status run_trials(eg_cli *cli, eg_sweep_run *run, const eg_sched_options *sched,
                            eg_progress_mode mode)
{
    run->workers = (size_t)eg_world_size(cli->world) - (sched->dedicated ? 1 : 0);
    run->progress = eg_progress_make(mode);
    EG_TRY(eg_sweep_run_tidy_checkpoints(run));
    const char *change = eg_store_change(run->store);
    const char *kept = eg_store_kept(run->store);
    if (mode == EG_PROGRESS_LINE && kept != NULL) {
        eg_say(stderr,
               "warning: the journal was damaged in its header or plan, which it holds twice; "
               "nothing is lost, "
               "it was written anew, and the old one is %s\n",
               kept);
    }
    if (mode == EG_PROGRESS_LINE && change[0] != '\0') {
        eg_say(stderr, "note: the sweep was changed since its last run: %s\n", change);
    }
    if (mode == EG_PROGRESS_LINE && run->again.lacking > 0) {
        eg_say(stderr, "note: %zu finished trial%s what `measures` asks for, and run%s again\n",
               run->again.lacking, run->again.lacking == 1 ? " lacks" : "s lack",
               run->again.lacking == 1 ? "s" : "");
    }
    if (run->unfinished == 0) {
        return eg_ok();
    }
    if (mode == EG_PROGRESS_LINE) {
        EG_TRY(announce(cli, run, sched));
    }
    run->report_count = (size_t)eg_world_size(cli->world);
    EG_TRY(eg_alloc(&run->reports, run->report_count, sizeof *run->reports));
    eg_sched_client client = eg_sweep_run_client(run);
    cli->scheduled = true;
    eg_status status = eg_sched_run(cli->world, &client, sched);
    eg_progress_clear(&run->progress);
    if (mode == EG_PROGRESS_JSON) {
        eg_sweep_run_progress(run); /* scripts want to see the end */
    }
    eg_status tidied = eg_sweep_run_tidy_checkpoints(run);
    if (status.code == EG_OK && run->unfinished > 0) {
        return eg_fail(EG_INTERNAL, "the scheduler ended with %zu trials unfinished",
                       run->unfinished);
    }
    eg_status_keep(&status, tidied);
    return status;
}

/** What a failure of the system means for the results. */
static eg_status say_what_is_safe(const eg_sweep_run *run, eg_status status)
{
    if (status.code != EG_SYSTEM || run->store == NULL || !eg_store_has_journal(run->store)) {
        return status;
    }
    return eg_fail(EG_SYSTEM,
                   "%.300s; %zu of %zu trials are finished and safe; the same command "
                   "continues",
                   status.message, run->safe, run->plan->trial_count);
}

static int code_of(const eg_sweep_run *run)
{
    bool failed = run->by_status[EG_TRIAL_FAILED] > 0;
    return failed ? EG_EXIT_FAILED_TRIALS : EG_EXIT_DONE;
}

static eg_status run_sweep(eg_cli *cli, const eg_args *args, int *code)
{
    eg_sweep_run run = {0};
    eg_sched_options sched = {0};
    eg_progress_mode mode = EG_PROGRESS_LINE;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, read_options(args, cli->world, &sched, &mode, &run.checkpoint_every));
    EG_TRY_DONE(status, eg_time_limit_read(&run.stop_at, args->option[UNTIL],
                                           getenv("SLURM_JOB_END_TIME"), eg_now()));
    EG_TRY_DONE(status, eg_signals_install());
    status = open_everything(cli, args, &run);
    if (status.code == EG_OK && args->option[DRY_RUN] == NULL) {
        status = say_what_is_safe(&run, run_trials(cli, &run, &sched, mode));
    }
    status = close_store(&run, status);
    bool stopped = status.code == EG_STOPPED;
    if (args->option[DRY_RUN] == NULL && (status.code == EG_OK || stopped)) {
        if (args->option[QUIET] == NULL) {
            status = eg_sweep_run_summary(&run, stopped);
        } else {
            status = eg_ok();
        }
        *code = stopped ? EG_EXIT_STOPPED : code_of(&run);
    }
done:
    eg_sweep_run_clear(&run);
    return status;
}

const eg_verb eg_verb_run = {
    .name = "run",
    .summary = "run a sweep, or what is left of it; alone or under mpirun",
    .synopsis = "SWEEP [-o FILE] [option …] [name=value …]",
    .description =
        "Trains every trial (point and seed) of the sweep file SWEEP (-: standard input) and keeps "
        "the results in one "
        "HDF5 file. Under mpirun all ranks take part; alone, one core does. Results never depend "
        "on "
        "the number of ranks.\n\n"
        "The same command again goes on: trials that are finished are kept, missing ones run. "
        "After "
        "the sweep file was edited, only what is new runs. A results file of a different sweep, or "
        "one that another process is writing, is refused. Nothing is ever deleted.\n\n"
        "name=value replaces the value of a setting, and all values it takes in grids. Special "
        "names: seeds=N or seeds=[a, b], protocol=…, objective=…, stop=off, name=…, "
        "only={name: value, …} (of the sweep's points just those that match).\n\n"
        "SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGXCPU (the soft limit of processor time), at any "
        "rank, stop the sweep, and so does the end of a batch job (--until): what is finished is "
        "kept, running trials are saved and go on where "
        "they were when the same command runs again, the file is closed, the exit code is 75. A "
        "second SIGINT or SIGTERM ends at once; nothing that was finished is "
        "lost. Of mpirun only SIGUSR1 is passed on like that: after other signals it gives the "
        "ranks two "
        "seconds and returns a code of its own. engram launch sees to both.\n\n"
        "Under mpirun a rank that waits in MPI_Init for one that is gone, or for more than "
        "ENGRAM_START_TIMEOUT seconds (default 300; 0: no limit), says so and ends with 4.",
    .options = options,
    .option_count = EG_COUNT(options),
    .words_min = 1,
    .words_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram run sweeps/quickstart.yaml\n"
                "mpirun -np 8 engram run sweeps/quickstart.yaml -o /data/quick.h5\n"
                "engram run sweeps/quickstart.yaml seeds=1 stream.epochs=1 name=trial-run\n"
                "engram run sweeps/quickstart.yaml --slice 2/8\n"
                "engram run sweeps/quickstart.yaml --redo failed",
    .exits = "0   all trials are finished (diverged ones and those cut by a rule included)\n"
             "2   usage or bad input; nothing was started\n"
             "3   finished, but some trials failed; see `engram failures FILE`\n"
             "4   the system failed (disk full, too many workers lost); the same command goes on\n"
             "75  stopped by a signal or because its time was up; the same command goes on",
    .run = run_sweep,
};
