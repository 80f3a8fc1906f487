/** engram check: is everything sound. */
#include "cli/cli.h"

#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/store.h"

#include <stdio.h>
#include <string.h>

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
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
    .summary = "is everything sound, journal and results file",
    .synopsis = "FILE",
    .description =
        "Reads the whole journal and the results file made from it, checks their "
        "checksums and that they agree, and says what it finds, a line each; about damage it "
        "says the way out, in commands. Nothing is changed.",
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram check results/quickstart.h5",
    .exits = "0   sound\n"
             "2   damaged, or it cannot be read",
    .run = run,
};
