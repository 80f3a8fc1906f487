/** engram plan: what a sweep would do. */
#include "cli/cli.h"

#include "cli/report/plan_report.h"
#include "cli/sweep_arguments.h"
#include "engram/params.h"

#include <stdint.h>

enum { OUTPUT, SLICE, LIST, NO_TIMING, JSON };

static const eg_option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .value = "FILE",
                .doc = "The results file the sweep would use (default: results/NAME.h5; FILE alone "
                       "means FILE.h5): if it "
                       "exists, finished trials and measured times come from it."},
    [SLICE] = {.name = "slice", .value = "I/N", .doc = EG_SLICE_DOC},
    [LIST] = {.name = "list",
              .letter = 'l',
              .doc =
                  "Lists every trial instead: index, id, point, replicate, seed, swept settings."},
    [NO_TIMING] = {.name = "no-timing",
                   .doc = "Runs no minibatches: without finished trials there is no estimate."},
    [JSON] = {.name = "json", .doc = "The same for scripts; with --list one object per line."},
};

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    eg_plan *plan = NULL;
    EG_TRY(eg_sweep_arguments_plan(&plan, args, args->option[SLICE]));
    bool json = args->option[JSON] != NULL;
    const eg_plan_question ask = {
        .output = args->option[OUTPUT], .timing = args->option[NO_TIMING] == NULL, .json = json};
    eg_status status =
        args->option[LIST] != NULL ? eg_plan_print_trials(plan, json) : eg_plan_report(plan, &ask);
    eg_plan_free(plan);
    return status;
}

const eg_verb eg_verb_plan = {
    .name = "plan",
    .summary = "validate a sweep file and say what would run",
    .synopsis = "SWEEP [--slice I/N] [--list] [--no-timing] [--json] [-o FILE] [name=value …]",
    .description =
        "Reads and validates the sweep file SWEEP (-: standard input) exactly as `engram run` "
        "does, "
        "makes the checks that it makes before it starts (settings that cannot work together, "
        "another sweep's results in the way, a place that cannot be written to), and says how many "
        "points and trials it has, what is swept, which rules apply, and how long it will take on "
        "one core. Nothing is written. Data that are missing and a results file that another "
        "process is writing are said, and are no error here.\n\n"
        "For the time, points are grouped into kinds that cost the same but for numbers such as "
        "rates. Of the kinds that cost most, for 2 seconds in all, a network is set up and a few "
        "minibatches, blocks of an evaluation and part of what the learner does at the end of a "
        "task are run; other kinds count by their operations. Where trials of a kind are finished, "
        "their times are used instead. Stopping rules make a range: as many points are cut as may "
        "be, to none. It is processor time: a machine with other work takes longer.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram plan sweeps/quickstart.yaml\n"
                "engram plan sweeps/quickstart.yaml seeds=10 --list | head",
    .exits = "0   the sweep file is valid\n"
             "2   usage or bad input",
    .run = run,
};
