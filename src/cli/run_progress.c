/** How far a sweep is while it runs: what its workers report, the estimated end, the progress line. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "engram/clock.h"

#include <math.h>

void eg_sweep_run_report(void *user, const eg_work_progress *progress)
{
    eg_sweep_run *run = user;
    if (progress->rank >= run->report_count) {
        return;
    }
    eg_run_report *report = &run->reports[progress->rank];
    size_t trial = (size_t)progress->ticket;
    double share = (double)progress->step / (double)progress->steps;
    double now = eg_clock();
    if (!report->known || report->trial != trial || share < report->latest) {
        *report = (eg_run_report){.known = true, .trial = trial, .first = share, .first_time = now};
    }
    report->latest = share;
    report->latest_time = now;
    run->heard = now;
}

void eg_sweep_run_drop_report(eg_sweep_run *run, uint32_t rank, size_t trial)
{
    if (rank < run->report_count && run->reports[rank].trial == trial) {
        run->reports[rank].known = false;
    }
}

/** What a rank has said of the trial that it runs now; NULL: nothing. */
static const eg_run_report *report_of(const eg_sweep_run *run, size_t rank)
{
    const eg_run_report *report = &run->reports[rank];
    bool runs = report->known && run->outcomes[report->trial].status == EG_TRIAL_RUNNING;
    return runs ? report : NULL;
}

/** Cost that one worker computes per second: of trials that this command finished, and of those that run
 *  between their first and latest report. NaN: unknown. */
static double measure_speed(const eg_sweep_run *run)
{
    double cost = 0;
    double seconds = 0;
    if (run->session_finished > 0) {
        cost = run->session_cost;
        seconds = run->session_wall;
    }
    for (size_t i = 0; i < run->report_count; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            cost += (report->latest - report->first) * eg_sweep_run_cost(run, report->trial);
            seconds += report->latest_time - report->first_time;
        }
    }
    double speed = cost / seconds;
    return speed > 0 && isfinite(speed) ? speed : (double)NAN;
}

/** The end, on eg_clock; NaN: unknown. What is left to compute at the speed seen so far, but at least the rest of
 *  the trial with the longest one. Trials of which nothing was heard are half done on average. */
static double estimate_end(const eg_sweep_run *run)
{
    double speed = measure_speed(run);
    double left = run->cost_left;
    double longest = 0;
    size_t known = 0;
    for (size_t i = 0; i < run->report_count; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            double cost = eg_sweep_run_cost(run, report->trial);
            left -= report->latest * cost;
            longest = fmax(longest, (1 - report->latest) * cost);
            known++;
        }
    }
    size_t running = run->by_status[EG_TRIAL_RUNNING];
    if (run->session_finished > 0 && running > known) {
        double mean_cost = run->session_cost / (double)run->session_finished;
        left -= 0.5 * (double)(running - known) * mean_cost;
    }
    left = fmax(fmax(left, 0) / (double)run->workers, longest);
    return run->heard + left / speed;
}

/** The shares of running trials that are known, in order of the ranks; returns how many, at most
 *  EG_PROGRESS_SHARES_MAX. */
static size_t gather_shares(const eg_sweep_run *run, double shares[EG_PROGRESS_SHARES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < run->report_count && count < EG_PROGRESS_SHARES_MAX; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            shares[count++] = report->latest;
        }
    }
    return count;
}

/** "name=value name=value" of what tells the best point from others, cut to fit. */
static void describe_best(eg_sweep_run *run, size_t point)
{
    const eg_point_columns *columns = &run->columns;
    run->best_words[0] = '\0';
    for (size_t i = 0; i < columns->count; i++) {
        const char *value = eg_point_columns_text(columns, i, point);
        if (value != NULL) {
            eg_append(run->best_words, sizeof run->best_words, "%s%s=%s",
                      run->best_words[0] == '\0' ? "" : " ", eg_point_columns_name(columns, i),
                      value);
        }
    }
}

void eg_sweep_run_progress(eg_sweep_run *run)
{
    double elapsed = eg_clock() - run->progress.start;
    double end = estimate_end(run);
    double shares[EG_PROGRESS_SHARES_MAX];
    size_t share_count = gather_shares(run, shares);
    const eg_ranked_point *best = eg_sweep_run_best(run);
    char values[EG_RANKING_WORDS_SIZE] = "";
    eg_progress_facts facts = {
        .total = run->plan->trial_count,
        .by_status = run->by_status,
        .shares = shares,
        .share_count = share_count,
        .per_minute = run->session_finished == 0 ? (double)NAN
                                                 : 60.0 * (double)run->session_finished / elapsed,
        .seconds_left = fmax(0.0, end - eg_clock()),
        .best = (double)NAN,
        .best_reported = (double)NAN,
        .best_values = values,
        .selected_on = run->ranking.selecting,
        .reported_on = run->ranking.reporting,
        .best_words = "",
        .workers_lost = run->workers_lost,
        .retried = run->retried,
    };
    if (isnan(end)) {
        facts.seconds_left = (double)NAN; /* fmax would have made it 0 */
    }
    if (best != NULL) {
        const eg_stage_sum *reporting = eg_point_reporting(best);
        facts.best = eg_point_selecting(best)->selected.mean;
        if (reporting->reported.n > 0) {
            facts.best_reported = reporting->reported.mean;
        }
        eg_ranking_words(values, sizeof values, &run->ranking, best);
        describe_best(run, best->point);
        facts.best_words = run->best_words;
    }
    eg_progress_write(&run->progress, &facts);
}
