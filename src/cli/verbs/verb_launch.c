/** engram launch: `engram run` on several ranks, with what mpirun needs here, signals and the exit
 *  code seen to. */
#include "cli/cli.h"

#include "cli/mpirun.h"
#include "cli/supervise.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RANKS, HOSTS, PROGRAM };

static const eg_option options[] = {
    [RANKS] = {.name = "ranks",
               .letter = 'n',
               .value = "N",
               .doc = "So many ranks on this machine. Default: one for every core this process may "
                      "use. 1: without mpirun."},
    [HOSTS] = {.name = "hosts",
               .value = "HOST[:N],HOST[:N]…",
               .doc =
                   "N ranks (default 1) on each of these machines instead; the first one is this "
                   "machine. ssh must reach the others without asking, and they must see the "
                   "program, the data and this folder under the same paths. When a machine is "
                   "lost, the others go on and do again what was lost there."},
    [PROGRAM] = {.name = "program",
                 .value = "FILE",
                 .doc = "What the ranks run instead of this program: a script that starts it in a "
                        "profiler, say."},
};

/** The arguments of `engram run …`. */
static eg_status add_run(eg_command *out, const eg_args *args)
{
    char *self = NULL;
    EG_TRY(eg_command_self(&self));
    const char *program = args->option[PROGRAM] == NULL ? self : args->option[PROGRAM];
    eg_status status = eg_command_add(out, "%s", program);
    eg_free(self);
    eg_status_keep(&status, eg_command_add(out, "run"));
    eg_status_keep(&status, eg_command_add_all(out, args->operands, args->operand_count));
    return status;
}

static eg_status make_command(eg_command *out, const eg_args *args, size_t ranks)
{
    if (args->option[HOSTS] != NULL) {
        EG_TRY(eg_mpirun_common(out));
        EG_TRY(eg_mpirun_hosts(out, args->option[HOSTS]));
    } else if (ranks > 1) {
        EG_TRY(eg_mpirun_common(out));
        EG_TRY(eg_mpirun_here(out, ranks));
    }
    return add_run(out, args);
}

/** Becomes `engram run`: there is nothing to watch over. */
static eg_status become(const eg_command *command)
{
    (void)execvp(command->arguments[0], command->arguments);
    return eg_fail(EG_INVALID, "%s cannot be started", command->arguments[0]);
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    if (eg_world_size(cli->world) > 1) {
        return eg_fail(EG_INVALID, "launch starts mpirun itself; under mpirun it is engram run");
    }
    if (args->option[RANKS] != NULL && args->option[HOSTS] != NULL) {
        return eg_fail(EG_INVALID, "-n and --hosts exclude each other: a host's ranks are written "
                                   "HOST:N");
    }
    const char *program = args->option[PROGRAM];
    if (program != NULL && access(program, X_OK) != 0) {
        return eg_fail(EG_INVALID, "--program %s is not a program", program);
    }
    size_t ranks = eg_mpirun_cores();
    if (args->option[RANKS] != NULL) {
        EG_TRY(eg_args_count(&ranks, "-n", args->option[RANKS], 1));
    }
    eg_command command = {.reads_input = strcmp(args->operands[0], "-") == 0};
    eg_supervised end = {0};
    EG_TRY(eg_mpirun_set_threads());
    eg_status status = make_command(&command, args, ranks);
    if (status.code == EG_OK && ranks == 1 && args->option[HOSTS] == NULL) {
        status = become(&command);
    } else if (status.code == EG_OK) {
        status = eg_supervise(&end, &command, "launch");
    }
    *code = end.code;
    eg_command_clear(&command);
    return status;
}

const eg_verb eg_verb_launch = {
    .name = "launch",
    .summary = "run a sweep with mpirun, on all cores of this machine or on several",
    .synopsis = "[-n N | --hosts HOST:N,…] SWEEP [option or word of run …]",
    .description =
        "Runs `engram run SWEEP …` with mpirun and the options it needs here. Options of launch "
        "stand before SWEEP; what follows is for run. The same command again continues where the "
        "last one stopped.\n\n"
        "The first Ctrl-C (or TERM, HUP, USR1) hands out no more trials, keeps every result, saves "
        "what runs, and ends with 75. The second one ends the ranks within two seconds; what the "
        "journal has is kept. Ctrl-C, TERM and HUP end everything within 20 s, by force if need "
        "be; "
        "USR1 waits. A rank that is lost costs the trial it had. The exit code is that of "
        "engram run, which mpirun would not tell. In a terminal the progress line is drawn as "
        "without mpirun.\n\n"
        "A rank that is killed or suspended while the job starts would make MPI wait for ever: the "
        "job ends with 4 and says which rank it is, if need be after ENGRAM_START_TIMEOUT.\n\n"
        "Environment: ENGRAM_START_TIMEOUT, seconds that the ranks may take to find each other "
        "(default 300; 0: no limit); ENGRAM_RSH, what to call instead of `ssh -o BatchMode=yes -o "
        "ServerAliveInterval=15`; OMPI_MCA_btl_tcp_if_include, the network to use where machines "
        "have several, such as 10.1.0.0/16.",
    .options = options,
    .option_count = EG_COUNT(options),
    .options_first = true,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram launch sweeps/quickstart.yaml\n"
                "engram launch -n 4 sweeps/quickstart.yaml seeds=1 --progress json\n"
                "engram launch --hosts here:8,there:8 sweeps/quickstart.yaml",
    .exits = "those of engram run; 4 also if rank 0 was lost or the job could not start",
    .run = run,
};
