/** engram report: one page about results. The page is made by the Python package in analysis/; this
 *  verb finds it and becomes it. */
#include "cli/cli.h"

#include "cli/command.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT, INTERVAL };

static const eg_option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .value = "FILE",
                .doc = "The page (default: the first FILE with the ending .html)."},
    [INTERVAL] = {.name = "interval",
                  .value = "NAME",
                  .doc = "student (default): 95 % interval of Student's distribution; paper: 1.96 "
                         "s/sqrt(n), s with divisor n, as the Hard ASH paper reports it."},
};

/** Where the package may be, seen from the directory of this program: installed, or in the checkout
 *  that build/PRESET/engram belongs to. */
static const char *const places[] = {"../share/engram/analysis", "../../analysis"};

static bool holds_package(const char *directory)
{
    char *file = NULL;
    eg_status status = eg_format(&file, "%s/engram_results/__main__.py", directory);
    bool there = status.code == EG_OK && access(file, R_OK) == 0;
    eg_free(file);
    return there;
}

static eg_status find_package(char **out, const char *self)
{
    const char *named = getenv("ENGRAM_ANALYSIS");
    if (named != NULL && *named != '\0') {
        return holds_package(named) ? eg_strdup(out, named)
                                    : eg_fail(EG_INVALID,
                                              "ENGRAM_ANALYSIS=%s: there is no package "
                                              "engram_results in this directory",
                                              named);
    }
    const char *slash = strrchr(self, '/');
    int length = slash == NULL ? 0 : (int)(slash - self);
    for (size_t i = 0; i < EG_COUNT(places); i++) {
        EG_TRY(eg_format(out, "%.*s/%s", length, self, places[i]));
        if (holds_package(*out)) {
            return eg_ok();
        }
        eg_free(*out);
        *out = NULL;
    }
    return eg_fail(EG_INVALID,
                   "the Python package engram_results was not found beside %s: name the directory "
                   "that holds it, `analysis` of the sources, in the variable ENGRAM_ANALYSIS",
                   self);
}

/** The distribution's Python has the distribution's packages, whatever else is first on PATH. */
static eg_status find_python(const char **out)
{
    *out = getenv("ENGRAM_PYTHON");
    if (*out != NULL && **out != '\0') {
        return eg_ok();
    }
    *out = access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";
    return strcmp(*out, "python3") != 0 || eg_command_exists("python3")
               ? eg_ok()
               : eg_fail(EG_INVALID, "the report is made by Python, and there is no python3: "
                                     "jobs/install-dependencies.sh installs it");
}

/** The package asks this very program for rankings. */
static eg_status set_environment(const char *self, const char *package)
{
    char *path = NULL;
    const char *before = getenv("PYTHONPATH");
    bool more = before != NULL && *before != '\0';
    EG_TRY(eg_format(&path, "%s%s%s", package, more ? ":" : "", more ? before : ""));
    bool set = setenv("PYTHONPATH", path, 1) == 0 && setenv("ENGRAM", self, 1) == 0;
    int error = errno;
    eg_free(path);
    return set ? eg_ok() : eg_fail_errno(error, "cannot change the environment");
}

static eg_status make_command(eg_command *out, const eg_args *args)
{
    const char *python = NULL;
    EG_TRY(find_python(&python));
    EG_TRY(eg_command_add(out, "%s", python));
    EG_TRY(eg_command_split(out, "-m engram_results report"));
    if (args->option[OUTPUT] != NULL) {
        EG_TRY(eg_command_add(out, "--output=%s", args->option[OUTPUT]));
    }
    if (args->option[INTERVAL] != NULL) {
        static const char *const names[] = {"student", "paper"};
        size_t which = 0;
        EG_TRY(
            eg_args_choice(&which, "--interval", args->option[INTERVAL], names, EG_COUNT(names)));
        EG_TRY(eg_command_add(out, "--interval=%s", names[which]));
    }
    EG_TRY(eg_command_add(out, "--"));
    return eg_command_add_all(out, args->operands, args->operand_count);
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    char *self = NULL, *package = NULL;
    eg_command command = {0};
    eg_status status = eg_command_self(&self);
    EG_TRY_DONE(status, find_package(&package, self));
    EG_TRY_DONE(status, make_command(&command, args));
    EG_TRY_DONE(status, set_environment(self, package));
    (void)fflush(stdout);
    (void)execvp(command.arguments[0], command.arguments);
    status = eg_fail(EG_INVALID, "%s cannot be started: %s", command.arguments[0], strerror(errno));
done:
    eg_command_clear(&command);
    eg_free(package);
    eg_free(self);
    return status;
}

const eg_verb eg_verb_report = {
    .name = "report",
    .summary = "one page to look at, compare and send: curves, measures, settings, statistics",
    .synopsis = "FILE… [-o OUT.html] [--interval NAME]",
    .description =
        "Writes one self-contained page about the results in FILE, or in several files looked at "
        "together. It needs no network and no server, opens in any browser and can be sent by "
        "mail. Its views: the best point of every method with what it was selected on and what is "
        "reported; learning curves; accuracy matrices; forgetting and transfer; plasticity; error "
        "against compute and memory; what the order of tasks does; which settings matter, main "
        "effects and pairs of settings; parallel coordinates; statistical comparisons; failures, "
        "times and missing seeds; and the command that runs any row again. Each has its numbers in "
        "a table to copy. A view that FILE has nothing for is left out, and the page says why.\n\n"
        "Points are ranked as `engram top` ranks them. The file of a running sweep is fine.\n\n"
        "The page is made by the Python package engram_results: of $ENGRAM_ANALYSIS, or where this "
        "program was installed or built; by $ENGRAM_PYTHON, or /usr/bin/python3, or python3.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs results files",
    .examples = "engram report results/quickstart.h5\n"
                "engram report results/ewc.h5 results/si.h5 -o methods.html",
    .exits = "0   the page is written, and its path printed\n"
             "2   usage; a file cannot be read or written; Python or a package is missing\n"
             "4   the system failed",
    .run = run,
};
