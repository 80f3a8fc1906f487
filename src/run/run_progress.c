/** How far a sweep is while it runs: the shares of running trials, and the estimated end. */
#include "run/run_parts.h"

#include "engram/clock.h"

#include <math.h>

/** What a rank has said of the trial that it runs now; NULL: nothing. */
static const eg_run_report *report_of(const eg_run *run, size_t rank)
{
    const eg_run_report *report = &run->reporter.reports[rank];
    bool runs = report->known && run->state.outcomes[report->trial].status == EG_TRIAL_RUNNING;
    return runs ? report : NULL;
}

/** Cost that one worker computes per second: of trials that this command finished, and of those
 *  that run between their first and latest report. NaN: unknown. */
static double measure_speed(const eg_run *run)
{
    double cost = 0;
    double seconds = 0;
    if (run->state.counts.finished > 0) {
        cost = run->state.own_cost;
        seconds = run->state.own_seconds;
    }
    for (size_t i = 0; i < run->reporter.report_count; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            cost +=
                (report->latest - report->first) * eg_run_state_cost(&run->state, report->trial);
            seconds += report->latest_time - report->first_time;
        }
    }
    double speed = cost / seconds;
    return speed > 0 && isfinite(speed) ? speed : (double)NAN;
}

/** Of points that are yet to be suggested: as the mean of those there are. */
static double cost_to_come(const eg_run *run)
{
    const eg_plan *plan = run->state.plan;
    double cost = 0;
    for (size_t p = 0; run->state.counts.to_come > 0 && p < plan->point_count; p++) {
        cost += plan->points[p].cost / (double)plan->point_count;
    }
    return cost * (double)run->state.counts.to_come;
}

/** The end, on eg_clock; NaN: unknown. What is left to compute at the speed seen so far, but at
 *  least the rest of the trial with the longest one. Trials of which nothing was heard are half
 *  done on average. */
static double estimate_end(const eg_run *run)
{
    double speed = measure_speed(run);
    double left = run->state.cost_left + cost_to_come(run);
    double longest = 0;
    size_t known = 0;
    for (size_t i = 0; i < run->reporter.report_count; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            double cost = eg_run_state_cost(&run->state, report->trial);
            left -= report->latest * cost;
            longest = fmax(longest, (1 - report->latest) * cost);
            known++;
        }
    }
    size_t running = run->state.counts.by_status[EG_TRIAL_RUNNING];
    if (run->state.counts.finished > 0 && running > known) {
        double mean_cost = run->state.own_cost / (double)run->state.counts.finished;
        left -= 0.5 * (double)(running - known) * mean_cost;
    }
    left = fmax(fmax(left, 0) / (double)run->reporter.workers, longest);
    return run->reporter.heard + left / speed;
}

/** The shares of running trials that are known, in order of the ranks; returns how many, at most
 *  EG_RUN_SHARES_MAX. */
static size_t gather_shares(const eg_run *run, double shares[EG_RUN_SHARES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < run->reporter.report_count && count < EG_RUN_SHARES_MAX; i++) {
        const eg_run_report *report = report_of(run, i);
        if (report != NULL) {
            shares[count++] = report->latest;
        }
    }
    return count;
}

void eg_run_look(eg_run_progress *out, const eg_run *run)
{
    double now = eg_clock();
    double end = estimate_end(run);
    size_t finished = run->state.counts.finished;
    out->elapsed = now - run->reporter.start;
    out->per_minute = finished == 0 ? (double)NAN : 60.0 * (double)finished / out->elapsed;
    out->seconds_left = isnan(end) ? end : fmax(0.0, end - now); /* fmax drops NaN */
    out->share_count = gather_shares(run, out->shares);
}
