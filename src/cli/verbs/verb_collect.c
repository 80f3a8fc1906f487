/** engram collect: the results file from the journal. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <stdio.h>

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    char *kept = NULL;
    EG_TRY(eg_store_repair(&kept, args->operands[0]));
    if (kept != NULL) {
        eg_say(stdout, "the journal of %s was damaged and is written anew; the old one is %s\n",
               args->operands[0], kept);
        eg_free(kept);
    }
    EG_TRY(eg_store_collect(args->operands[0]));
    eg_results *results = NULL;
    EG_TRY(eg_results_load_brief(&results, args->operands[0]));
    size_t by_status[EG_TRIAL_STATUS_COUNT];
    size_t total = eg_results_count(results, by_status);
    size_t open = by_status[EG_TRIAL_PENDING] + by_status[EG_TRIAL_RUNNING];
    eg_say(stdout, "%s: collected, %zu of %zu trial%s finished\n", args->operands[0], total - open,
           total, eg_plural(total));
    eg_results_free(results);
    return eg_ok();
}

const eg_verb eg_verb_collect = {
    .name = "collect",
    .summary = "(re)build the results file from the journal",
    .synopsis = "FILE",
    .description =
        "Writes the HDF5 file anew from the journal beside it: after a crash, or while "
        "the sweep runs. The new file takes the old one's place in one step, so readers "
        "never see half of it. A journal whose header or plan are damaged is written anew "
        "before: from their copies, or from the results file and every record that is "
        "intact.",
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram collect results/quickstart.h5",
    .exits = "0   done\n"
             "2   usage, or there is no journal\n"
             "4   the file could not be written",
    .run = run,
};
