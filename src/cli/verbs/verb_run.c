/** engram run: the sweep. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/notify.h"
#include "cli/preflight.h"
#include "cli/report/plan_report.h"
#include "cli/report/screen.h"
#include "cli/report/sweep_summary.h"
#include "cli/sweep_arguments.h"
#include "cli/terminal.h"
#include "cli/verbs/run_arguments.h"
#include "engram/memory.h"
#include "engram/space.h"

#include <errno.h>
#include <stdint.h>
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

/** Opens the results file, for which the default directory is made. */
static eg_status open_results(const eg_cli *cli, const eg_args *args, eg_run *run)
{
    bool made = false;
    if (args->option[EG_ARG_OUTPUT] == NULL) {
        EG_TRY(make_directory(&made));
    }
    eg_status status = eg_run_open(run, cli->world);
    if (status.code != EG_OK && made) {
        (void)rmdir("results"); /* empty unless the file was begun */
    }
    return status;
}

/** *run: eg_run_free, also after a failure; NULL if the sweep was not begun. Takes the plan. */
static eg_status run_plan(eg_cli *cli, const eg_args *args, eg_plan *plan,
                          const eg_run_options *options, eg_run **run)
{
    char *path = NULL;
    eg_status status = eg_sweep_arguments_path(&path, plan, args->option[EG_ARG_OUTPUT]);
    if (status.code != EG_OK) {
        eg_plan_free(plan);
        return status;
    }
    status = eg_run_create(run, plan, path, options);
    eg_free(path);
    if (status.code != EG_OK) {
        eg_run_free(*run);
        *run = NULL;
        return status;
    }
    status = open_results(cli, args, *run);
    if (status.code == EG_OK) {
        status = eg_run_trials(*run, cli->world);
        cli->scheduled = eg_run_was_scheduled(*run);
    }
    return eg_run_close(*run, status);
}

/** What a tuner would be asked for. */
static void show_space(const eg_plan *plan)
{
    size_t count = 0;
    const eg_space_variable *variables = eg_plan_variables(plan, &count);
    eg_say(stdout, "%s: a tuner suggests %zu points, %zu at a time, with %zu seed%s each\n",
           plan->name, plan->suggestions, plan->batch, plan->seed_count,
           eg_plural(plan->seed_count));
    for (size_t i = 0; i < count; i++) {
        const eg_space_variable *variable = &variables[i];
        if (variable->kind != EG_VARIABLE_CHOICE) {
            eg_say(stdout, "  %s: %s from %s to %s%s\n", variable->name,
                   variable->kind == EG_VARIABLE_INTEGER ? "whole numbers" : "numbers",
                   eg_number(variable->low, true).text, eg_number(variable->high, true).text,
                   variable->logarithmic ? ", on a logarithmic scale" : "");
            continue;
        }
        eg_say(stdout, "  %s:", variable->name);
        for (size_t k = 0; k < variable->label_count; k++) {
            eg_say(stdout, "%s %s", k == 0 ? "" : ",", variable->labels[k]);
        }
        (void)printf("\n");
    }
}

static eg_status show_plan(const eg_args *args, eg_plan *plan)
{
    eg_status status = eg_ok();
    if (plan->space != NULL) {
        show_space(plan);
    } else {
        status = eg_plan_report(plan, &(eg_plan_question){.output = args->option[EG_ARG_OUTPUT],
                                                          .redo = args->option[EG_ARG_REDO],
                                                          .timing = true});
    }
    eg_plan_free(plan);
    return status;
}

static int code_of(const eg_run *run)
{
    const size_t *by_status = eg_run_counted(run)->by_status;
    return by_status[EG_TRIAL_FAILED] + by_status[EG_TRIAL_TIMEOUT] > 0 ? EG_EXIT_FAILED_TRIALS
                                                                        : EG_EXIT_DONE;
}

static eg_status run_and_show(eg_cli *cli, const eg_args *args, eg_plan *plan, eg_screen *screen,
                              const eg_run_options *options, int *code)
{
    eg_run *run = NULL;
    eg_status status = run_plan(cli, args, plan, options, &run);
    bool stopped = status.code == EG_STOPPED && run != NULL;
    if (status.code == EG_OK || stopped) {
        status = args->option[EG_ARG_QUIET] == NULL
                     ? eg_sweep_summary_print(screen, run, options->keeping, stopped)
                     : eg_ok();
        *code = stopped && !eg_run_gave_up(run) ? EG_EXIT_STOPPED : code_of(run);
    }
    /* Nothing was begun, and so nothing ended, where bad input was found. */
    if (args->option[EG_ARG_NOTIFY] != NULL && run != NULL && status.code != EG_INVALID) {
        bool failed = status.code != EG_OK;
        eg_notify(args->option[EG_ARG_NOTIFY], run, failed ? eg_exit_code(&status) : *code,
                  failed ? status.message : NULL);
    }
    eg_run_free(run);
    return status;
}

static eg_status run_sweep(eg_cli *cli, const eg_args *args, int *code)
{
    eg_sched_options sched = {0};
    eg_run_options options = {.sched = &sched, .command = cli->command};
    eg_progress_mode mode = EG_PROGRESS_LINE;
    eg_plan *plan = NULL;
    EG_TRY(eg_verb_run_read(args, cli->world, &sched, &mode, &options));
    EG_TRY(eg_signals_install());
    EG_TRY(options.ask != NULL ? eg_sweep_arguments_space(&plan, args)
                               : eg_sweep_arguments_plan(&plan, args, args->option[EG_ARG_SLICE]));
    if (args->option[EG_ARG_DRY_RUN] != NULL) {
        return show_plan(args, plan);
    }
    eg_screen screen;
    eg_screen_init(&screen, mode, cli->world, &sched, options.stop_at);
    const eg_run_observer observer = eg_screen_observer(&screen);
    options.observer = &observer;
    /* One whose points are suggested is shown when it has some. */
    eg_status status = plan->space == NULL ? eg_screen_take_plan(&screen, plan) : eg_ok();
    if (status.code == EG_OK) {
        status = run_and_show(cli, args, plan, &screen, &options, code);
    } else {
        eg_plan_free(plan);
    }
    eg_screen_clear(&screen);
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
        "names: seeds=N or seeds=[a, b], protocol=…, objective=…, stop=off, max_failures=…, "
        "name=…, "
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
    .options = eg_verb_run_options,
    .option_count = EG_ARG_OPTIONS,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples =
        "engram run sweeps/quickstart.yaml\n"
        "mpirun -np 8 engram run sweeps/quickstart.yaml -o /data/quick.h5\n"
        "engram run sweeps/quickstart.yaml seeds=1 stream.epochs=1 name=trial-run\n"
        "engram run sweeps/quickstart.yaml --slice 2/8\n"
        "engram run sweeps/quickstart.yaml --keep-weights best\n"
        "engram run sweeps/quickstart.yaml --redo failed\n"
        "engram run sweeps/quickstart.yaml --notify 'echo \"$ENGRAM_MESSAGE\" | mail -s "
        "engram me'\n"
        "engram run sweeps/tuning/split-mnist.yaml --ask 'python3 adapters/optuna_tuner.py'",
    .exits =
        "0   all trials are finished (diverged ones and those cut by a rule included)\n"
        "2   usage or bad input; nothing was started\n"
        "3   finished, but some trials failed or timed out, or max_failures ended the sweep;\n"
        "    see `engram failures FILE`\n"
        "4   the system failed (disk full, too many workers lost), or the tuner of --ask did;\n"
        "    the same command goes on\n"
        "75  stopped by a signal or because its time was up; the same command goes on",
    .run = run_sweep,
};
