/** engram check: is everything sound, of a results file or a plug-in. */
#include "cli/cli.h"

#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/store.h"
#include "plugin/shared/plugin_check.h"

#include <stdio.h>
#include <string.h>

enum { SECONDS };
enum { SECONDS_DEFAULT = 60, SECONDS_MOST = 86400 };

static const eg_option options[] = {
    [SECONDS] = {.name = "seconds",
                 .value = "N",
                 .doc = "How long a plug-in may take before it counts as hung (default: 60)."},
};

static eg_status check_plugin(const char *path, const char *limit)
{
    size_t seconds = SECONDS_DEFAULT;
    char *report = NULL;
    if (limit != NULL) {
        EG_TRY(eg_args_count(&seconds, "--seconds", limit, 1));
    }
    seconds = seconds < SECONDS_MOST ? seconds : SECONDS_MOST;
    EG_TRY(eg_plugin_check(&report, path, (unsigned)seconds));
    eg_put_safe(stdout, report, strlen(report), true);
    eg_say(stdout, "%s: sound\n", path);
    eg_free(report);
    return eg_ok();
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    if (eg_plugin_is_object(args->operands[0])) {
        return check_plugin(args->operands[0], args->option[SECONDS]);
    }
    if (args->option[SECONDS] != NULL) {
        return eg_fail(EG_INVALID, "--seconds is for plug-ins, and %s is none", args->operands[0]);
    }
    char *report = NULL;
    bool sound = false;
    EG_TRY(eg_store_check(&report, &sound, args->operands[0]));
    eg_put_safe(stdout, report, strlen(report), true);
    eg_say(stdout, "%s: %s\n", args->operands[0], sound ? "sound" : "damaged");
    eg_free(report);
    *code = sound ? EG_EXIT_DONE : EG_EXIT_USAGE;
    return eg_ok();
}

const eg_verb eg_verb_check = {
    .name = "check",
    .summary = "is everything sound, journal and results file; or a plug-in",
    .synopsis = "FILE [--seconds N]",
    .description =
        "Reads the whole journal and the results file made from it, checks their "
        "checksums and that they agree, and says what it finds, a line each; about damage it "
        "says the way out, in commands. Nothing is changed.\n\n"
        "If FILE is a plug-in (a shared object; docs/plugins.md), it is loaded in a process of its "
        "own and every component is held against its descriptor: gradients against finite "
        "differences, the same result twice, ranges, NaN, terms of learners, nothing written "
        "beyond "
        "arrays. A plug-in is code: check and use only what you would run.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file or a plug-in",
    .examples = "engram check results/quickstart.h5\n"
                "engram check build/wave.so",
    .exits = "0   sound\n"
             "2   damaged, or it cannot be read; a plug-in that breaks a rule",
    .run = run,
};
