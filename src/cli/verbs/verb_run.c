/** engram run: the sweep. */
#include "cli/cli.h"

#include "cli/build.h"
#include "cli/format.h"
#include "cli/preflight.h"
#include "cli/report/plan_report.h"
#include "cli/run_options.h"
#include "cli/sweep_arguments.h"
#include "cli/terminal.h"
#include "cli/time_limit.h"
#include "engram/blas.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    EG_TRY(eg_sweep_arguments_plan(&run->plan, args, args->option[EG_RUN_SLICE]));
    if (args->option[EG_RUN_DRY_RUN] != NULL) {
        return eg_plan_report(run->plan, &(eg_plan_question){.output = args->option[EG_RUN_OUTPUT],
                                                             .redo = args->option[EG_RUN_REDO],
                                                             .timing = true});
    }
    EG_TRY(eg_blas_prepare());
    bool made = false;
    run->redo = args->option[EG_RUN_REDO];
    EG_TRY(eg_sweep_arguments_path(&run->path, run->plan, args->option[EG_RUN_OUTPUT]));
    EG_TRY(eg_preflight_redo(run->plan, run->path, run->redo));
    eg_provenance provenance = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_preflight_data(&run->data, run->plan, run->path, run->redo));
    if (args->option[EG_RUN_OUTPUT] == NULL) {
        EG_TRY_DONE(status, make_directory(&made));
    }
    EG_TRY_DONE(status, eg_provenance_collect(&provenance, cli->command,
                                              (uint32_t)eg_world_size(cli->world)));
    provenance.session.data = run->data.lines;
    provenance.session.accept_data = args->option[EG_RUN_ACCEPT_DATA] != NULL;
    status = eg_sweep_run_open(run, &provenance.session);
done:
    eg_provenance_clear(&provenance);
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
    EG_TRY(eg_sweep_run_tidy_weights(run));
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
    eg_status_keep(&tidied, eg_sweep_run_tidy_weights(run));
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
    EG_TRY_DONE(status, eg_run_options_read(args, cli->world, &sched, &mode, &run));
    EG_TRY_DONE(status, eg_time_limit_read(&run.stop_at, args->option[EG_RUN_UNTIL],
                                           getenv("SLURM_JOB_END_TIME"), eg_now()));
    EG_TRY_DONE(status, eg_signals_install());
    status = open_everything(cli, args, &run);
    if (status.code == EG_OK && args->option[EG_RUN_DRY_RUN] == NULL) {
        status = say_what_is_safe(&run, run_trials(cli, &run, &sched, mode));
    }
    status = close_store(&run, status);
    bool stopped = status.code == EG_STOPPED;
    if (args->option[EG_RUN_DRY_RUN] == NULL && (status.code == EG_OK || stopped)) {
        if (args->option[EG_RUN_QUIET] == NULL) {
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
    .options = eg_run_options,
    .option_count = EG_RUN_OPTIONS,
    .words_min = 1,
    .words_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram run sweeps/quickstart.yaml\n"
                "mpirun -np 8 engram run sweeps/quickstart.yaml -o /data/quick.h5\n"
                "engram run sweeps/quickstart.yaml seeds=1 stream.epochs=1 name=trial-run\n"
                "engram run sweeps/quickstart.yaml --slice 2/8\n"
                "engram run sweeps/quickstart.yaml --keep-weights best\n"
                "engram run sweeps/quickstart.yaml --redo failed",
    .exits = "0   all trials are finished (diverged ones and those cut by a rule included)\n"
             "2   usage or bad input; nothing was started\n"
             "3   finished, but some trials failed; see `engram failures FILE`\n"
             "4   the system failed (disk full, too many workers lost); the same command goes on\n"
             "75  stopped by a signal or because its time was up; the same command goes on",
    .run = run_sweep,
};
