/** engram slurm: writes a batch script for a sweep, submits it to Slurm, and says how to follow
 *  it. */
#include "cli/verbs/slurm.h"

#include "cli/terminal.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODES, ARRAY, LAUNCHER, RESTARTS, DRY_RUN };

static const eg_option options[] = {
    [NODES] = {.name = "nodes", .value = "N", .doc = "Nodes, all in one MPI job (default: 1)."},
    [ARRAY] = {.name = "array",
               .value = "N",
               .doc =
                   "N independent jobs, each a slice of the sweep, and one more that joins their "
                   "results and runs what they left."},
    [LAUNCHER] = {.name = "launcher",
                  .value = "NAME",
                  .doc = "mpirun (default: the sweep survives the loss of a rank) or srun "
                         "(--mpi=pmix)."},
    [RESTARTS] = {.name = "restarts",
                  .value = "N",
                  .doc = "How many times a job may go back into the queue (default: 50)."},
    [DRY_RUN] = {.name = "dry-run",
                 .letter = 'n',
                 .doc = "Prints the script, or both of an array, and submits nothing."},
};

typedef struct submission {
    const eg_args *args;
    eg_slurm_sweep sweep;
    eg_plan *plan;
    char *results;
    char *base; /**< of the results, without .h5 */
    size_t nodes, tasks;
    bool dry_run;
    char cores[24]; /**< of the smallest node; "": not needed, or unknown */
} submission;

static eg_status read_options(submission *me, const eg_args *args)
{
    static const char *const launchers[] = {"mpirun", "srun"};
    size_t ignored = 0;
    me->args = args;
    me->nodes = 1;
    me->dry_run = args->option[DRY_RUN] != NULL;
    if (args->option[NODES] != NULL) {
        EG_TRY(eg_args_count(&me->nodes, "--nodes", args->option[NODES], 1));
    }
    if (args->option[ARRAY] != NULL) {
        EG_TRY(eg_args_count(&me->tasks, "--array", args->option[ARRAY], 1));
    }
    if (args->option[RESTARTS] != NULL) {
        EG_TRY(eg_args_count(&ignored, "--restarts", args->option[RESTARTS], 0));
    }
    if (args->option[LAUNCHER] != NULL) {
        EG_TRY(eg_args_choice(&ignored, "--launcher", args->option[LAUNCHER], launchers,
                              EG_COUNT(launchers)));
    }
    return eg_slurm_sweep_read(&me->sweep, args);
}

/** The value of --name=value among the options for sbatch, NULL if there is none. */
static const char *given(const submission *me, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < me->args->extra_count; i++) {
        const char *word = me->args->extra[i];
        size_t length = strlen(name);
        if (strncmp(word, name, length) == 0 && word[length] == '=') {
            found = word + length + 1;
        }
    }
    return found;
}

/** Slurm is asked for the cores of a node unless the number of tasks is given. */
static eg_status find_cores(submission *me)
{
    unsigned long cores = 0;
    if (given(me, "--ntasks-per-node") != NULL || given(me, "--ntasks") != NULL ||
        !eg_command_exists("sinfo")) {
        return eg_ok();
    }
    EG_TRY(eg_slurm_smallest_node(&cores, given(me, "--partition")));
    (void)snprintf(me->cores, sizeof me->cores, "%lu", cores);
    return eg_ok();
}

static eg_status set_number(eg_slurm_script *script, const char *name, size_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%zu", value);
    return eg_slurm_script_set(script, name, text);
}

/** Ours, then those given, which replace them. */
static eg_status set_directives(eg_slurm_script *script, const submission *me)
{
    EG_TRY(eg_slurm_script_set(script, "--job-name", me->plan->name));
    EG_TRY(set_number(script, "--nodes", me->nodes));
    if (given(me, "--ntasks") == NULL) {
        EG_TRY(eg_slurm_script_set(script, "--ntasks-per-node",
                                   me->cores[0] == '\0' ? "4" : me->cores));
    }
    EG_TRY(eg_slurm_script_set(script, "--cpus-per-task", "1"));
    EG_TRY(eg_slurm_script_set(script, "--time", "04:00:00"));
    EG_TRY(eg_slurm_script_set(script, "--signal", "B:USR1@180"));
    EG_TRY(eg_slurm_script_set(script, "--requeue", NULL));
    EG_TRY(eg_slurm_script_set(script, "--open-mode", "append"));
    for (size_t i = 0; i < me->args->extra_count; i++) {
        const char *word = me->args->extra[i];
        size_t length = strcspn(word, "=");
        char *name = NULL;
        EG_TRY(eg_format(&name, "%.*s", (int)length, word));
        eg_status status = eg_slurm_script_set(script, name, word + length + 1);
        eg_free(name);
        EG_TRY(status);
    }
    return eg_ok();
}

/** `engram slurm-job …` on the same sweep. */
static eg_status add_command(eg_slurm_script *script, const submission *me, bool joins)
{
    char *self = NULL;
    EG_TRY(eg_command_self(&self));
    eg_command *command = &script->command;
    eg_status status = eg_command_add(command, "%s", self);
    eg_free(self);
    eg_status_keep(&status, eg_command_add(command, "slurm-job"));
    if (me->args->option[LAUNCHER] != NULL) {
        eg_status_keep(&status,
                       eg_command_add(command, "--launcher=%s", me->args->option[LAUNCHER]));
    }
    if (me->args->option[RESTARTS] != NULL) {
        eg_status_keep(&status,
                       eg_command_add(command, "--restarts=%s", me->args->option[RESTARTS]));
    }
    if (joins) {
        eg_status_keep(&status, eg_command_add(command, "--merge=%zu", me->tasks));
    }
    eg_status_keep(&status,
                   eg_command_add_all(command, me->args->operands, me->args->operand_count));
    return status;
}

/** Writes the script, or prints it, and submits it; job[64]: its number. */
static eg_status submit(const submission *me, const eg_slurm_script *script, const char *suffix,
                        char job[64])
{
    char *text = NULL;
    char *path = NULL;
    char *answer = NULL;
    eg_command sbatch = {0};
    int code = 0;
    eg_status status = eg_slurm_script_text(&text, script);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_format(&path, "%s%s", me->base, suffix));
    (void)snprintf(job, 64, "JOB");
    if (me->dry_run) {
        (void)printf("# %s\n%s", path, text);
        goto done;
    }
    EG_TRY_DONE(status, eg_replace_file(path, "tmp", text, strlen(text), "the batch script"));
    EG_TRY_DONE(status, eg_command_split(&sbatch, "sbatch --parsable"));
    EG_TRY_DONE(status, eg_command_add(&sbatch, "%s", path));
    EG_TRY_DONE(status, eg_command_capture(&sbatch, &answer, &code));
    if (code != 0) {
        status = eg_fail(EG_INVALID, "sbatch refuses %s, see above", path);
        goto done;
    }
    /* NUMBER or NUMBER;CLUSTER */
    (void)snprintf(job, 64, "%.*s", (int)strcspn(answer, ";\n"), answer);
done:
    eg_command_clear(&sbatch);
    eg_free(answer);
    eg_free(path);
    eg_free(text);
    return status;
}

/** Slurm ends a job without a message when it cannot open its log. */
static eg_status prepare_directory(const submission *me)
{
    const char *slash = strrchr(me->base, '/');
    char *directory = NULL;
    EG_TRY(slash == NULL ? eg_strdup(&directory, ".")
                         : eg_format(&directory, "%.*s", (int)(slash - me->base) + 1, me->base));
    if (strcmp(directory, "results/") == 0) {
        (void)mkdir("results", 0777);
    }
    eg_status status =
        access(directory, W_OK) == 0
            ? eg_ok()
            : eg_fail(EG_INVALID, "cannot write to the directory %.*s, where the results go: %s",
                      (int)(strlen(directory) - (slash == NULL ? 0 : 1)), directory,
                      strerror(errno));
    eg_free(directory);
    return status;
}

static eg_status set_output(eg_slurm_script *script, const submission *me, const char *suffix)
{
    char *log = NULL;
    EG_TRY(eg_format(&log, "%s%s", me->base, suffix));
    eg_status status = eg_slurm_script_set(script, "--output", log);
    eg_free(log);
    return status;
}

static eg_status submit_one(const submission *me)
{
    eg_slurm_script script = {0};
    char job[64] = "";
    eg_status status = set_directives(&script, me);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, set_output(&script, me, ".%j.log"));
    EG_TRY_DONE(status, add_command(&script, me, false));
    EG_TRY_DONE(status, submit(me, &script, ".sbatch", job));
    if (!me->dry_run) {
        eg_say(stdout, "submitted job %s: %s on %zu node(s)\n", job, me->plan->name, me->nodes);
        eg_say(stdout, "  queue     squeue --jobs=%s\n", job);
        eg_say(stdout, "  progress  engram status %s --watch\n", me->results);
        eg_say(stdout, "  log       tail -F %s.%s.log\n", me->base, job);
        eg_say(stdout,
               "  stop      scancel %s     (keeps what is done; the same command again "
               "continues)\n",
               job);
    }
done:
    eg_slurm_script_clear(&script);
    return status;
}

static eg_status submit_array(const submission *me)
{
    eg_slurm_script slices = {0};
    eg_slurm_script joins = {0};
    char array[64] = "";
    char job[64] = "";
    char after[96];
    char tasks[32];
    (void)snprintf(tasks, sizeof tasks, "1-%zu", me->tasks);
    eg_status status = set_directives(&slices, me);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, set_directives(&joins, me));
    EG_TRY_DONE(status, eg_slurm_script_set(&slices, "--nodes", "1"));
    EG_TRY_DONE(status, eg_slurm_script_set(&slices, "--array", tasks));
    EG_TRY_DONE(status, set_output(&slices, me, ".%A_%a.log"));
    EG_TRY_DONE(status, add_command(&slices, me, false));
    EG_TRY_DONE(status, submit(me, &slices, ".array.sbatch", array));
    (void)snprintf(after, sizeof after, "afterany:%s", array);
    EG_TRY_DONE(status, set_output(&joins, me, ".%j.log"));
    EG_TRY_DONE(status, eg_slurm_script_set(&joins, "--dependency", after));
    EG_TRY_DONE(status, add_command(&joins, me, true));
    EG_TRY_DONE(status, submit(me, &joins, ".merge.sbatch", job));
    if (!me->dry_run) {
        eg_say(stdout, "submitted array %s (%zu slices of %s), and job %s that joins them\n", array,
               me->tasks, me->plan->name, job);
        eg_say(stdout, "  queue     squeue --jobs=%s,%s\n", array, job);
        eg_say(stdout,
               "  progress  engram status %s.1of%zu.h5 --watch     (a file for each slice)\n",
               me->base, me->tasks);
        eg_say(stdout, "  log       tail -F %s.%s_1.log %s.%s.log\n", me->base, array, me->base,
               job);
        eg_say(stdout,
               "  stop      scancel %s %s     (keeps what is done; the same command again "
               "continues)\n",
               array, job);
    }
done:
    eg_slurm_script_clear(&slices);
    eg_slurm_script_clear(&joins);
    return status;
}

/** There are as many slices as trials at most: found here, not after hours in a queue. */
static eg_status check_slices(const submission *me)
{
    eg_plan *plan = NULL;
    char *results = NULL;
    if (me->tasks == 0) {
        return eg_ok();
    }
    eg_status status = eg_slurm_sweep_plan(&plan, &results, &me->sweep, me->tasks, me->tasks);
    eg_plan_free(plan);
    eg_free(results);
    return status;
}

static eg_status find_slurm(const submission *me)
{
    static const char *const programs[] = {"sbatch", "scontrol", "squeue"};
    for (size_t i = 0; !me->dry_run && i < EG_COUNT(programs); i++) {
        if (!eg_command_exists(programs[i])) {
            return eg_fail(EG_INVALID,
                           "%s not found: this is no login node of a Slurm cluster (engram launch "
                           "runs here, --dry-run prints the script)",
                           programs[i]);
        }
    }
    return eg_ok();
}

static eg_status submit_all(submission *me)
{
    size_t finished = 0;
    EG_TRY(check_slices(me));
    EG_TRY(eg_slurm_sweep_plan(&me->plan, &me->results, &me->sweep, 0, 0));
    EG_TRY(eg_format(&me->base, "%.*s", (int)(strlen(me->results) - strlen(".h5")), me->results));
    EG_TRY(eg_slurm_count_finished(&finished, me->plan, me->results));
    if (finished == me->plan->trial_count && me->plan->select_best == 0) {
        eg_say(stdout, "%s: all %zu trials are finished, see %s\n", me->plan->name, finished,
               me->results);
        return eg_ok();
    }
    EG_TRY(find_slurm(me));
    EG_TRY(find_cores(me));
    EG_TRY(me->dry_run ? eg_ok() : prepare_directory(me));
    return me->tasks > 0 ? submit_array(me) : submit_one(me);
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    submission me = {0};
    eg_status status = read_options(&me, args);
    if (status.code == EG_OK) {
        status = submit_all(&me);
    }
    eg_plan_free(me.plan);
    eg_free(me.results);
    eg_free(me.base);
    eg_slurm_sweep_clear(&me.sweep);
    return status;
}

const eg_verb eg_verb_slurm = {
    .name = "slurm",
    .summary = "submit a sweep to Slurm: one job, several nodes, or a job array",
    .synopsis = "[option …] [--NAME=VALUE …] SWEEP [-o FILE] [name=value …]",
    .description =
        "Submits `engram run SWEEP …`: on one node, on several (--nodes), or as a job array "
        "(--array). The job puts itself back into the queue before its time limit and goes on "
        "where it stopped, until the sweep is finished. The batch script is kept beside the "
        "results.\n\n"
        "--NAME=VALUE is any other option of sbatch, such as --time=1-00:00:00 (default: 4 hours), "
        "--partition=…, --account=…, --mem-per-cpu=2G, --ntasks-per-node=16 (default: the cores of "
        "the partition's smallest node). ENGRAM_DATA as it is now is what the job gets; nodes must "
        "see it and this program under the same path.",
    .options = options,
    .option_count = EG_COUNT(options),
    .options_first = true,
    .extra = true,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram slurm sweeps/quickstart.yaml\n"
                "engram slurm --nodes 4 --time=12:00:00 SWEEP\n"
                "engram slurm --array 16 --partition=short SWEEP\n"
                "engram slurm --dry-run SWEEP",
    .exits = "0   submitted, or nothing is left to run\n"
             "2   usage, bad input, no Slurm, or Slurm refuses",
    .run = run,
};
