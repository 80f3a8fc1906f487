/** engram slurm-job: what a batch job of Slurm does: runs a sweep on the ranks of the job, and
 *  puts the job back into the queue when its time is up. */
#include "cli/verbs/slurm.h"

#include "cli/format.h"
#include "cli/mpirun.h"
#include "cli/supervise.h"
#include "cli/verbs/slurm_state.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/store.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAUNCHER, RESTARTS, MERGE };
enum { RESTARTS_MAX = 50 };

static const eg_option options[] = {
    [LAUNCHER] = {.name = "launcher", .value = "NAME", .doc = "mpirun (default) or srun."},
    [RESTARTS] = {.name = "restarts",
                  .value = "N",
                  .doc = "How many times the job may be requeued (default: 50)."},
    [MERGE] = {.name = "merge",
               .value = "N",
               .doc = "First joins the results of N slices, then runs what they left: trials that "
                      "were interrupted, and the second stage (select)."},
};

typedef struct job {
    const char *id;
    eg_slurm_sweep sweep;
    size_t slice, slices; /* of an array; 0: the whole sweep */
    size_t restarts, restarts_max;
    size_t merged; /* slices to be joined first; 0: none */
    bool srun;
    eg_plan *plan;
    char *results;
} job;

/** A number in the environment, `otherwise` if it is not there. */
static size_t number_of(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static eg_status read_job(job *me, const eg_args *args)
{
    static const char *const launchers[] = {"mpirun", "srun"};
    size_t launcher = 0;
    me->id = getenv("SLURM_JOB_ID");
    if (me->id == NULL) {
        return eg_fail(EG_INVALID, "this is no job of Slurm; engram slurm submits one, engram "
                                   "launch runs here");
    }
    me->restarts = number_of("SLURM_RESTART_COUNT", 0);
    me->restarts_max = RESTARTS_MAX;
    if (args->option[RESTARTS] != NULL) {
        EG_TRY(eg_args_count(&me->restarts_max, "--restarts", args->option[RESTARTS], 0));
    }
    if (args->option[LAUNCHER] != NULL) {
        EG_TRY(eg_args_choice(&launcher, "--launcher", args->option[LAUNCHER], launchers,
                              EG_COUNT(launchers)));
    }
    me->srun = launcher == 1;
    if (args->option[MERGE] != NULL) {
        EG_TRY(eg_args_count(&me->merged, "--merge", args->option[MERGE], 1));
    } else if (getenv("SLURM_ARRAY_TASK_ID") != NULL) {
        me->slice = number_of("SLURM_ARRAY_TASK_ID", 0);
        me->slices = number_of("SLURM_ARRAY_TASK_COUNT", 0);
    }
    EG_TRY(eg_slurm_sweep_read(&me->sweep, args));
    return eg_slurm_sweep_plan(&me->plan, &me->results, &me->sweep, me->slice, me->slices);
}

static void say(const job *me, const char *format, ...) EG_PRINTF(2, 3);
static void say(const job *me, const char *format, ...)
{
    va_list values;
    (void)printf("job %s, %s: ", me->id, eg_time_text(eg_now()).text);
    va_start(values, format);
    (void)vprintf(format, values);
    va_end(values);
    (void)printf("\n");
    (void)fflush(stdout);
}

/** The results of a slice, if it has any. */
static eg_status add_part(eg_command *command, const job *me, size_t slice)
{
    eg_plan *plan = NULL;
    char *path = NULL;
    bool begun = false;
    EG_TRY(eg_slurm_sweep_plan(&plan, &path, &me->sweep, slice, me->merged));
    eg_plan_free(plan);
    eg_status status = eg_results_begun(&begun, path);
    if (status.code == EG_OK && begun) {
        status = eg_command_add(command, "%s", path);
    }
    eg_free(path);
    return status;
}

/** Joins what the slices have left; *code is not 0 if that failed, and was said. */
static eg_status join(const job *me, int *code)
{
    enum { FIXED = 3 };
    char *self = NULL;
    eg_command command = {0};
    EG_TRY(eg_command_self(&self));
    eg_status status = eg_command_add(&command, "%s", self);
    eg_free(self);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_command_add(&command, "merge"));
    EG_TRY_DONE(status, eg_command_add(&command, "%s", me->results));
    for (size_t i = 1; i <= me->merged; i++) {
        EG_TRY_DONE(status, add_part(&command, me, i));
    }
    if (command.count == FIXED) {
        status = eg_fail(EG_INVALID, "none of the %zu slices has left results beside %s",
                         me->merged, me->results);
        goto done;
    }
    say(me, "joining %zu of %zu slices", command.count - FIXED, me->merged);
    status = eg_command_run(&command, code);
done:
    eg_command_clear(&command);
    return status;
}

static eg_status add_launcher(eg_command *out, const job *me)
{
    if (me->srun) {
        return eg_command_split(out, "srun --mpi=pmix");
    }
    EG_TRY(eg_mpirun_common(out));
    /* After scancel ranks get TERM from Slurm itself; mpirun would repeat it after one second,
     * and that means at once. Slurm kills what is left after KillWait, 30 s by default. */
    return eg_command_split(out, "--mca odls_base_sigkill_timeout 25");
}

/** engram run on the sweep, or on the job's slice of it. */
static eg_status add_run(eg_command *out, const job *me)
{
    char *self = NULL;
    EG_TRY(eg_command_self(&self));
    eg_status status = eg_command_add(out, "%s", self);
    eg_free(self);
    EG_TRY(status);
    EG_TRY(eg_command_add(out, "run"));
    EG_TRY(eg_command_add_all(out, me->sweep.arguments.arguments, me->sweep.arguments.count));
    if (me->slices > 0) {
        EG_TRY(eg_command_add(out, "--slice"));
        EG_TRY(eg_command_add(out, "%zu/%zu", me->slice, me->slices));
    }
    if (me->sweep.output != NULL) {
        EG_TRY(eg_command_add(out, "-o"));
        EG_TRY(eg_command_add(out, "%s", me->results));
    }
    return eg_ok();
}

static eg_status run_ranks(eg_supervised *out, const job *me)
{
    eg_command command = {0};
    EG_TRY(eg_mpirun_set_threads());
    eg_status status = add_launcher(&command, me);
    eg_status_keep(&status, add_run(&command, me));
    if (status.code == EG_OK) {
        status = eg_supervise(out, &command, "slurm-job");
    }
    eg_command_clear(&command);
    return status;
}

/** After an end that is not the sweep's own: back into the queue, or why not. */
static eg_status requeue(const job *me, const eg_supervised *end, const eg_slurm_state *before)
{
    eg_slurm_state after;
    EG_TRY(eg_slurm_state_read(&after, me->plan, me->results));
    if (end->terminated) {
        /* Being cancelled and being preempted look alike; Slurm itself requeues what it
         * preempts. */
        say(me, "cancelled; submit it again to continue");
        return eg_ok();
    }
    if (eg_slurm_state_same(before, &after)) {
        say(me, "nothing was achieved since the start: not requeued; give it more time (--time)");
        return eg_ok();
    }
    if (me->restarts >= me->restarts_max) {
        say(me, "restarted %zu times: not requeued; submit it again to continue", me->restarts);
        return eg_ok();
    }
    eg_command command = {0};
    int code = 0;
    eg_status status = eg_command_split(&command, "scontrol requeue");
    eg_status_keep(&status, eg_command_add(&command, "%s", me->id));
    if (status.code == EG_OK) {
        status = eg_command_run(&command, &code);
    }
    eg_command_clear(&command);
    say(me, "%s",
        status.code == EG_OK && code == 0
            ? "requeued"
            : "Slurm does not requeue it; submit it again to continue");
    return status;
}

static eg_status run_job(const job *me, int *code)
{
    eg_supervised end = {0};
    eg_slurm_state before;
    bool reclaimed = false;
    EG_TRY(eg_slurm_tell_end(me->id));
    /* A parallel file system without locks is no reason not to read a result file. */
    (void)setenv("HDF5_USE_FILE_LOCKING", "BEST_EFFORT", 0);
    if (me->merged > 0) {
        EG_TRY(join(me, code));
        if (*code != 0) {
            return eg_ok();
        }
    }
    EG_TRY(eg_slurm_state_read(&before, me->plan, me->results));
    const char *nodes = getenv("SLURM_JOB_NUM_NODES");
    const char *list = getenv("SLURM_JOB_NODELIST");
    say(me, "start %zu on %s node(s), %s", me->restarts + 1, nodes == NULL ? "1" : nodes,
        list == NULL ? "?" : list);
    EG_TRY(eg_slurm_mark(&reclaimed, me->id, me->results, me->restarts));
    if (reclaimed) {
        say(me, "the lock of its last start, on another host, is removed");
    }
    eg_status status = run_ranks(&end, me);
    eg_slurm_unmark(me->results);
    *code = end.code;
    if (status.code == EG_OK && (end.code == EG_EXIT_STOPPED || end.code == EG_EXIT_SYSTEM)) {
        status = requeue(me, &end, &before);
    }
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    job me = {0};
    eg_status status = read_job(&me, args);
    if (status.code == EG_OK) {
        status = run_job(&me, code);
    }
    eg_plan_free(me.plan);
    eg_free(me.results);
    eg_slurm_sweep_clear(&me.sweep);
    return status;
}

const eg_verb eg_verb_slurm_job = {
    .name = "slurm-job",
    .summary = "the body of a job that engram slurm submits",
    .synopsis = "[option …] SWEEP [-o FILE] [name=value …]",
    .description =
        "Runs inside a job of Slurm (sbatch, salloc): `engram run SWEEP …` on the tasks of the "
        "job; in task I of an array of N tasks, --slice I/N of it.\n\n"
        "When engram stops early (exit code 75: the warning signal before the time limit, or the "
        "end of the job is near) or the system failed (4: ranks lost, disk full), the job is "
        "requeued and goes on where it stopped, under the same number. Not if nothing was achieved "
        "since the last start, nor after --restarts restarts, nor if somebody cancelled the job: "
        "then the exit code is engram's, and submitting it again continues.",
    .options = options,
    .option_count = EG_COUNT(options),
    .options_first = true,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "sbatch --ntasks=32 --requeue --wrap \"exec engram slurm-job SWEEP\"",
    .exits = "those of engram run",
    .run = run,
};
