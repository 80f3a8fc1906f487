/** What a sweep says at its end; see cli/report/sweep_summary.h. */
#include "cli/report/sweep_summary.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

enum { BEST_SHOWN = 5 };

/** The first points by rank, as `engram top` shows them. */
static eg_status print_best(eg_screen *screen, eg_run *run)
{
    eg_ranking_report *ranking = &screen->ranking;
    size_t count = eg_run_plan(run)->point_count;
    eg_ranked_point *points = eg_run_points(run);
    eg_ranking_sort(points, count, &ranking->basis);
    ranking->points = points;
    ranking->count = eg_ranking_shown(points, count, BEST_SHOWN);
    if (ranking->count == 0) {
        return eg_ok();
    }
    (void)printf("\nbest points, ");
    EG_TRY(eg_ranking_print(ranking, NULL));
    if (ranking->on_test) {
        (void)printf("note: " EG_NOTE_ON_TEST "\n");
    }
    const char *note = eg_ranking_note(ranking, count);
    if (note != NULL) {
        (void)printf("note: %s\n", note);
    }
    return eg_ok();
}

static void print_endings(const eg_run_counts *counts)
{
    for (int s = EG_TRIAL_DIVERGED; s < EG_TRIAL_STATUS_COUNT; s++) {
        if (counts->by_status[s] > 0 && eg_trial_status_is_final((eg_trial_status)s)) {
            (void)printf(", %zu %s", counts->by_status[s],
                         eg_trial_status_name((eg_trial_status)s));
        }
    }
}

static void print_counts(const eg_screen *screen, const eg_run *run, bool stopped)
{
    const eg_run_counts *counts = eg_run_counted(run);
    const char *name = eg_run_plan(run)->name;
    double elapsed = eg_clock() - screen->progress.start;
    if (counts->finished == 0 && counts->unfinished == 0) {
        eg_say(stdout, "%s: all %zu trials were finished before, nothing to run", name,
               counts->total);
        print_endings(counts);
        (void)printf("\n");
        return;
    }
    eg_say(stdout, "%s: %zu of %zu trials finished%s", name, counts->total - counts->unfinished,
           counts->total, stopped ? ", stopped early" : "");
    print_endings(counts);
    (void)printf("; %zu run now in %s\n", counts->finished, eg_duration(elapsed).text);
}

static void print_losses(const eg_run *run)
{
    eg_run_workers workers = eg_run_workers_of(run);
    size_t retried = eg_run_counted(run)->retried;
    if (workers.lost == 0) {
        return;
    }
    (void)printf("lost %zu worker%s (", workers.lost, eg_plural(workers.lost));
    for (size_t i = 0; i < workers.host_count; i++) {
        eg_say(stdout, "%s%zu on %s", i == 0 ? "" : ", ", workers.hosts[i].losses,
               workers.hosts[i].host);
    }
    (void)printf("), of which %zu came back; retried %zu trial%s\n", workers.back, retried,
                 eg_plural(retried));
}

/** About trials that ran again, if there were any. */
static void print_repeats(const eg_run_repeats *repeats)
{
    if (repeats->compared == 0) {
        return;
    }
    (void)printf("%zu trial%s ran again%s; what %s recorded before ", repeats->compared,
                 eg_plural(repeats->compared), repeats->lacking > 0 ? " for their measures" : "",
                 repeats->compared == 1 ? "it" : "they");
    if (repeats->different == 0) {
        (void)printf("is the same\n");
    } else {
        eg_say(stdout, "differs in %zu of them, first in %s\n", repeats->different, repeats->first);
    }
}

static eg_status print_weights(eg_run *run, eg_run_keeping keeping)
{
    eg_run_weights_found found;
    bool best = keeping == EG_RUN_KEEP_BEST;
    if (keeping == EG_RUN_KEEP_NONE) {
        return eg_ok();
    }
    EG_TRY(eg_run_find_weights(&found, run));
    eg_say(stdout, "weights: %s: of %zu of %zu finished trials%s\n", found.directory, found.there,
           found.wanted, best ? " of the best point" : "");
    if (found.there < found.wanted) {
        eg_say(stdout,
               "note: %zu, such as trial %s, finished without --keep-weights%s, or the files were "
               "removed; --redo all, or id=… of some, runs them again\n",
               found.wanted - found.there, eg_id(found.lacking).text,
               best ? ", or when another point was the best" : "");
    }
    return eg_ok();
}

/** What to do next. */
static void print_next(const eg_run *run, bool stopped)
{
    const eg_run_counts *counts = eg_run_counted(run);
    const char *path = eg_run_path(run);
    size_t slices = eg_run_plan(run)->slice_count;
    if (eg_run_gave_up(run)) {
        eg_say(stdout,
               "next: engram failures %s; then the same command with --redo failed,timeout or with "
               "a larger max_failures runs the other %zu trial%s\n",
               path, counts->unfinished, eg_plural(counts->unfinished));
    } else if (stopped) {
        (void)printf("next: the same command again runs the other %zu trial%s", counts->unfinished,
                     eg_plural(counts->unfinished));
        if (counts->checkpoints > 0) {
            (void)printf(", %zu from where %s stopped", counts->checkpoints,
                         counts->checkpoints == 1 ? "it" : "they");
        }
        (void)printf("\n");
    } else if (counts->by_status[EG_TRIAL_FAILED] > 0) {
        eg_say(stdout, "next: engram failures %s; then the same command with --redo failed\n",
               path);
    } else if (counts->by_status[EG_TRIAL_TIMEOUT] > 0) {
        eg_say(stdout,
               "next: engram failures %s; then the same command with a larger max_seconds and "
               "--redo timeout\n",
               path);
    } else if (slices > 0) {
        (void)printf("next: when all %zu slices are finished, engram merge joins them\n", slices);
    } else {
        eg_say(stdout, "next: engram top %s, engram report %s, engram export %s\n", path, path,
               path);
    }
}

eg_status eg_sweep_summary_print(eg_screen *screen, eg_run *run, eg_run_keeping keeping,
                                 bool stopped)
{
    print_counts(screen, run, stopped);
    print_losses(run);
    print_repeats(eg_run_repeated(run));
    EG_TRY(print_best(screen, run));
    eg_say(stdout, "\nresults: %s\n", eg_run_path(run));
    EG_TRY(print_weights(run, keeping));
    print_next(run, stopped);
    return eg_ok();
}
