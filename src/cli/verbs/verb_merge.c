/** engram merge: several results files of one sweep become one. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <stdint.h>
#include <stdio.h>

static void print_notes(const char *notes)
{
    while (*notes != '\0') {
        const char *end = notes;
        while (*end != '\n' && *end != '\0') {
            end++;
        }
        eg_say(stderr, "note: %.*s\n", (int)(end - notes), notes);
        notes = *end == '\0' ? end : end + 1;
    }
}

static eg_status print_summary(const char *path, size_t files)
{
    eg_results *results = NULL;
    EG_TRY(eg_results_load_brief(&results, path));
    size_t by_status[EG_TRIAL_STATUS_COUNT];
    size_t total = eg_results_count(results, by_status);
    size_t open = by_status[EG_TRIAL_PENDING] + by_status[EG_TRIAL_RUNNING];
    eg_say(stdout, "%s: %zu of %zu trial%s finished, from %zu file%s\n", path, total - open, total,
           eg_plural(total), files, eg_plural(files));
    if (open > 0) {
        eg_say(stdout, "next: engram run SWEEP -o %s runs the other %zu\n", path, open);
    }
    eg_results_free(results);
    return eg_ok();
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    char *notes = NULL;
    size_t files = args->operand_count - 1;
    EG_TRY(eg_store_merge(&notes, args->operands[0], (const char *const *)(args->operands + 1),
                          files));
    print_notes(notes);
    eg_free(notes);
    return print_summary(args->operands[0], files);
}

const eg_verb eg_verb_merge = {
    .name = "merge",
    .summary = "join results files of one sweep: slices of a job array, several allocations",
    .synopsis = "OUT FILE …",
    .description =
        "Writes everything that the results files FILE … hold into OUT, with a journal of its own: "
        "OUT can be looked at, checked and continued like any other. The files may be slices of a "
        "sweep (engram run --slice), of versions of it with fewer or more seeds and values, or "
        "copies that went on in different places; what is in several of them is in OUT once. Their "
        "order does not matter, and they are only read; each needs its journal.\n\n"
        "A trial that was finished in several files must have the same results in all of them, "
        "times apart; otherwise nothing is written and trial and variable are named.\n\n"
        "If OUT exists it gets what it lacks and keeps what it has: after more slices have "
        "finished "
        "the same command again brings it up to date. A file that is being written is merged as "
        "far "
        "as it is; a damaged one gives what is intact.",
    .operands_min = 2,
    .operands_max = SIZE_MAX,
    .needs = "needs the merged file's name and the files to merge",
    .examples = "engram merge results/quickstart.h5 results/quickstart.*of8.h5\n"
                "engram merge all.h5 monday.h5 tuesday.h5",
    .exits = "0   done\n"
             "2   usage, or the files cannot be merged; nothing was written\n"
             "4   OUT could not be written",
    .run = run,
};
