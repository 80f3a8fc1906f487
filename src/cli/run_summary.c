/** What a sweep says at its end. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/report/table.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

enum { BEST_SHOWN = 5 };

/** The first points by rank, as `engram top` shows them. */
static eg_status print_best(eg_sweep_run *run)
{
    eg_ranking_report *ranking = &run->ranking;
    size_t count = run->plan->point_count;
    eg_sweep_run_rank(run);
    eg_ranking_sort(run->points, count, &ranking->basis);
    ranking->points = run->points;
    ranking->count = eg_ranking_shown(run->points, count, BEST_SHOWN);
    if (ranking->count == 0) {
        return eg_ok();
    }
    (void)printf("\nbest points, ");
    EG_TRY(eg_ranking_print(ranking));
    if (ranking->on_test) {
        (void)printf("note: " EG_NOTE_ON_TEST "\n");
    }
    return eg_ok();
}

static void print_endings(const eg_sweep_run *run)
{
    for (int s = EG_TRIAL_DIVERGED; s < EG_TRIAL_STATUS_COUNT; s++) {
        if (run->by_status[s] > 0 && eg_trial_status_is_final((eg_trial_status)s)) {
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

eg_status eg_sweep_run_summary(eg_sweep_run *run, bool stopped)
{
    print_counts(run, stopped);
    eg_sweep_run_print_losses(run);
    eg_sweep_run_print_again(run);
    EG_TRY(print_best(run));
    size_t failed = run->by_status[EG_TRIAL_FAILED];
    eg_say(stdout, "\nresults: %s\n", run->path);
    EG_TRY(eg_sweep_run_print_weights(run));
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
