/** From argv to a verb and back to an exit code; the only place that prints errors. */
#include "cli/cli.h"

#include "cli/exit_report.h"
#include "cli/format.h"
#include "cli/startup.h"
#include "cli/terminal.h"
#include "engram/blas.h"
#include "engram/build.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/run.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int eg_exit_code(const eg_status *status)
{
    static const int codes[] = {
        [EG_OK] = EG_EXIT_DONE,         [EG_INVALID] = EG_EXIT_USAGE,
        [EG_MEMORY] = EG_EXIT_SYSTEM,   [EG_SYSTEM] = EG_EXIT_SYSTEM,
        [EG_STOPPED] = EG_EXIT_STOPPED, [EG_INTERNAL] = EG_EXIT_INTERNAL,
    };
    return codes[status->code];
}

eg_status eg_verb_find(const eg_verb **out, const char *name)
{
    eg_nearest nearest = {0};
    for (size_t i = 0; i < eg_verb_count; i++) {
        if (strcmp(eg_verbs[i]->name, name) == 0) {
            *out = eg_verbs[i];
            return eg_ok();
        }
        eg_nearest_offer(&nearest, name, eg_verbs[i]->name);
    }
    return nearest.best != NULL
               ? eg_fail(EG_INVALID, "unknown verb \"%s\"; did you mean %s?", name, nearest.best)
               : eg_fail(EG_INVALID, "unknown verb \"%s\"; see `engram --help`", name);
}

static eg_status run_verb(eg_cli *cli, const eg_verb *verb, int argc, char **argv, int *code)
{
    eg_args args;
    EG_TRY(eg_args_parse(&args, verb, argc, argv));
    if (args.help) {
        eg_help_verb(verb);
        return eg_ok();
    }
    return verb->run(cli, &args, code);
}

/** `engram help`, `engram help VERB`. */
static eg_status run_help(int argc, char **argv)
{
    if (argc < 3) {
        eg_help_all();
        return eg_ok();
    }
    const eg_verb *verb = NULL;
    EG_TRY(eg_verb_find(&verb, argv[2]));
    eg_help_verb(verb);
    return eg_ok();
}

static void print_version(void)
{
    const eg_build *build = eg_build_info();
    (void)printf("engram %s\n", build->version);
    (void)printf("commit    %s\n", build->commit);
    (void)printf("compiler  %s, %s, %s\n", build->compiler, build->type, build->flags);
    (void)printf("BLAS      %s\n", eg_blas_config());
    (void)printf("kernels   %s\n", eg_blas_core());
}

static eg_status dispatch(eg_cli *cli, int argc, char **argv, int *code)
{
    if (argc < 2) {
        eg_help_usage();
        *code = EG_EXIT_USAGE;
        return eg_ok();
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        return run_help(argc, argv);
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        print_version();
        return eg_ok();
    }
    if (word[0] == '-') {
        return eg_fail(EG_INVALID, "unknown option %s; a verb comes first, see `engram --help`",
                       word);
    }
    const eg_verb *verb = NULL;
    eg_status status = eg_verb_find(&verb, word);
    return verb == NULL ? status : run_verb(cli, verb, argc - 1, argv + 1, code);
}

/** Results that did not reach standard output are a failure, except when the reader has left. */
static eg_status flush_output(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return eg_ok();
    }
    int error = errno == 0 ? EIO : errno; /* an earlier write failed and its reason is gone */
    struct stat info;
    bool pipe =
        fstat(STDOUT_FILENO, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
    return pipe ? eg_ok() : eg_fail_errno(error, "cannot write standard output");
}

static void print_failure(const char *message)
{
    eg_say(stderr, "engram: %s\n", message);
}

static int first_rank(eg_world *world, int argc, char **argv)
{
    char *command = NULL;
    eg_cli cli = {.world = world};
    int code = EG_EXIT_DONE;
    eg_status status = eg_world_is_launched() ? eg_supervisor_tell_started() : eg_ok();
    if (status.code == EG_OK) {
        status = eg_command_line(&command, argc, argv);
    }
    if (status.code == EG_OK) {
        cli.command = command;
        status = dispatch(&cli, argc, argv, &code);
    }
    eg_status_keep(&status, flush_output());
    eg_free(command);
    if (status.code != EG_OK) {
        print_failure(status.message);
        code = eg_exit_code(&status);
    }
    if (!cli.scheduled && eg_world_size(world) > 1) {
        eg_sched_dismiss(world);
    }
    return code;
}

/* For the supervisor, which a launcher does not tell: a launcher that is being ended itself kills
 * rank 0 while it leaves MPI, when all else is done. True if there is one. */
static bool report_code(const eg_world *world, int code)
{
    if (eg_world_rank(world) == 0) {
        (void)eg_supervisor_tell(code);
    }
    return getenv(EG_EXIT_CODE_VARIABLE) != NULL;
}

/* Fewer threads run than OpenBLAS believes to have: the system gave it no more. It would wait for
 * the others. */
static bool lacks_threads(void)
{
    enum { LINKS_OF_A_DIRECTORY = 2 };
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 &&
           tasks.st_nlink < LINKS_OF_A_DIRECTORY + (nlink_t)eg_blas_threads();
}

/* OpenBLAS starts its threads when it is loaded, before anybody could tell it not to. engram has no
 * use for them, and where address space is short they would look for their buffers for ever, also
 * after the end of main. */
static void restart_without_threads(char **argv)
{
    /* They take their buffers when they come to run: room for two more is what may be used up until
     * then. */
    int buffers = eg_blas_threads() + 2;
    if (eg_blas_threads() > 1 && getenv("OPENBLAS_NUM_THREADS") == NULL &&
        (lacks_threads() || !eg_blas_has_room(buffers)) &&
        setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

int eg_cli_main(int argc, char **argv)
{
    restart_without_threads(argv);
    (void)setlocale(LC_CTYPE, "");  /* only to know whether the terminal understands UTF-8 */
    (void)signal(SIGPIPE, SIG_IGN); /* a sweep outlives the pager that showed its progress */
    (void)signal(SIGXFSZ, SIG_IGN); /* writing beyond `ulimit -f` fails, as on a full disk */
    if (eg_take_standard_descriptors() != 0) {
        return EG_EXIT_SYSTEM; /* there may be nowhere to say so */
    }
    eg_world *world = NULL;
    eg_startup startup;
    eg_status status = eg_startup_open(&startup);
    if (status.code == EG_OK) {
        status = eg_world_create(&world, &argc, &argv);
    }
    eg_startup_close(&startup);
    if (status.code != EG_OK) {
        print_failure(status.message);
        if (eg_world_is_launched()) { /* the launcher may wait for the other ranks for ever */
            (void)eg_supervisor_tell(eg_exit_code(&status));
        }
        return eg_exit_code(&status);
    }
    int code = EG_EXIT_DONE;
    if (eg_world_rank(world) == 0) {
        code = first_rank(world, argc, argv);
    } else {
        status = eg_run_work(world, true); /* whatever the verb */
        code = eg_exit_code(&status);
    }
    code = eg_world_agree(world, code);
    /* Then the launcher is told that all is well: of another code it makes pages of text. */
    code = report_code(world, code) ? EG_EXIT_DONE : code;
    eg_world_free(world, code);
    return code;
}
