/** What a sweep says at its end. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

enum { BEST_SHOWN = 5 };

static eg_status add_heading(eg_table *table, const eg_sweep_run *run)
{
    EG_TRY(eg_table_cell(table, "rank"));
    EG_TRY(eg_table_cell(table, "%s", run->plan->objective));
    EG_TRY(eg_table_cell(table, "n"));
    return eg_point_columns_head(&run->columns, table);
}

static eg_status add_point(eg_table *table, const eg_sweep_run *run, const eg_tally *tally,
                           size_t rank)
{
    EG_TRY(eg_table_cell(table, "%zu", rank));
    EG_TRY(eg_table_cell(table, "%s", eg_mean_text(tally->mean, eg_tally_interval(tally)).text));
    EG_TRY(eg_table_cell(table, "%zu", tally->n));
    return eg_point_columns_row(&run->columns, table, tally->point);
}

static eg_status print_best(const eg_sweep_run *run)
{
    const eg_plan *plan = run->plan;
    eg_table table = eg_table_make(3 + eg_point_columns_width(&run->columns));
    eg_tally *sorted = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&sorted, plan->point_count, sizeof *sorted));
    memcpy(sorted, run->tallies, plan->point_count * sizeof *sorted);
    eg_tally_sort(sorted, plan->point_count, plan->maximise);
    EG_TRY_DONE(status, add_heading(&table, run));
    for (size_t i = 0; i < plan->point_count && i < BEST_SHOWN && sorted[i].n > 0; i++) {
        EG_TRY_DONE(status, add_point(&table, run, &sorted[i], i + 1));
    }
    (void)printf("\nbest points, mean %s 1.96 s/sqrt(n) over n seeds:\n", eg_utf8() ? "±" : "+/-");
    status = eg_table_print(&table, stdout);
done:
    eg_table_clear(&table);
    eg_free(sorted);
    return status;
}

static void print_endings(const eg_sweep_run *run)
{
    for (int s = EG_TRIAL_DIVERGED; s < EG_TRIAL_STATUS_COUNT; s++) {
        if (run->by_status[s] > 0 && eg_trial_is_final((unsigned)s)) {
            (void)printf(", %zu %s", run->by_status[s], eg_trial_status_name((eg_trial_status)s));
        }
    }
}

static void print_counts(const eg_sweep_run *run, bool stopped)
{
    size_t total = run->plan->trial_count;
    double elapsed = eg_clock() - run->progress.start;
    if (run->session_finished == 0 && run->unfinished == 0) {
        eg_say(stdout, "%s: all %zu trials were finished before, nothing to run", run->plan->name,
               total);
        print_endings(run);
        (void)printf("\n");
        return;
    }
    eg_say(stdout, "%s: %zu of %zu trials finished%s", run->plan->name, total - run->unfinished,
           total, stopped ? ", stopped early" : "");
    print_endings(run);
    (void)printf("; %zu run now in %s\n", run->session_finished, eg_duration(elapsed).text);
}

eg_status eg_sweep_run_summary(const eg_sweep_run *run, bool stopped)
{
    print_counts(run, stopped);
    eg_sweep_run_print_losses(run);
    if (eg_tally_best(run->tallies, run->plan->point_count, run->plan->maximise) != NULL) {
        EG_TRY(print_best(run));
    }
    size_t failed = run->by_status[EG_TRIAL_FAILED];
    eg_say(stdout, "\nresults: %s\n", run->path);
    if (stopped) {
        (void)printf("next: the same command again runs the other %zu trial%s", run->unfinished,
                     eg_plural(run->unfinished));
        if (run->checkpoint_count > 0) {
            (void)printf(", %zu from where %s stopped", run->checkpoint_count,
                         run->checkpoint_count == 1 ? "it" : "they");
        }
        (void)printf("\n");
    } else if (failed == 0 && run->plan->slice_count > 0) {
        (void)printf("next: when all %zu slices are finished, engram merge joins them\n",
                     run->plan->slice_count);
    } else if (failed > 0) {
        eg_say(stdout, "next: engram failures %s; then the same command with --redo failed\n",
               run->path);
    } else {
        eg_say(stdout, "next: engram top %s, engram export %s\n", run->path, run->path);
    }
    return eg_ok();
}
