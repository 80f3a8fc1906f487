/** engram plan: what a sweep would do. */
#include "cli/cli.h"

#include "cli/plan_report.h"
#include "cli/sweep_words.h"
#include "engram/params.h"

#include <stdint.h>

enum { OUTPUT, SLICE, LIST, JSON };

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
    [JSON] = {.name = "json", .doc = "The same for scripts; with --list one object per line."},
};

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    eg_plan *plan = NULL;
    EG_TRY(eg_sweep_words_plan(&plan, args, args->option[SLICE]));
    bool json = args->option[JSON] != NULL;
    eg_status status = args->option[LIST] != NULL
                           ? eg_plan_print_trials(plan, json)
                           : eg_plan_report(plan, args->option[OUTPUT], json);
    eg_plan_free(plan);
    return status;
}

const eg_verb eg_verb_plan = {
    .name = "plan",
    .summary = "validate a sweep file and say what would run",
    .synopsis = "SWEEP [--slice I/N] [--list] [--json] [-o FILE] [name=value …]",
    .description =
        "Reads and validates the sweep file SWEEP (-: standard input) exactly as `engram run` does "
        "and says how many "
        "points and trials it has, what is swept, which rules apply, and how long it will take on "
        "one core. Nothing is run and nothing is written; data files are not opened.\n\n"
        "The time is the cost model's operations divided by the matrix-multiplication rate "
        "measured "
        "now (50 ms), times a fixed efficiency that is printed with it; once trials are finished, "
        "their measured times are used instead.",
    .options = options,
    .option_count = EG_COUNT(options),
    .words_min = 1,
    .words_max = SIZE_MAX,
    .needs = "needs a sweep file",
    .examples = "engram plan sweeps/quickstart.yaml\n"
                "engram plan sweeps/quickstart.yaml seeds=10 --list | head",
    .exits = "0   the sweep file is valid\n"
             "2   usage or bad input",
    .run = run,
};
