/** How far a sweep is; see cli/report/status_facts.h. */
#include "cli/report/status_facts.h"

#include "cli/report/result_facts.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdlib.h>

enum { RECENT = 100 /* finished trials the rate is measured on */ };

static int compare_times(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return first < second ? -1 : first > second;
}

/** Trials per second over the latest finished ones. */
static double measure_rate(const eg_results *results, double *ends)
{
    size_t count = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        if (eg_trial_status_is_finished(result->status) && result->attempt.start_time > 0) {
            ends[count++] = result->attempt.start_time + result->attempt.wall_seconds;
        }
    }
    if (count < 2) {
        return (double)NAN;
    }
    qsort(ends, count, sizeof *ends, compare_times);
    size_t used = count < RECENT ? count : RECENT;
    double span = ends[count - 1] - ends[count - used];
    return span > 0 ? (double)(used - 1) / span : (double)NAN;
}

static int compare_counts(const void *a, const void *b)
{
    size_t first = *(const size_t *)a;
    size_t second = *(const size_t *)b;
    return first < second ? -1 : first > second;
}

/** Where stopping rules stopped trials on their way. */
static eg_status gather_stops(eg_status_facts *out, const eg_results *results)
{
    EG_TRY(eg_alloc(&out->stops, out->by_status[EG_TRIAL_STOPPED], sizeof *out->stops));
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        if (result->status == EG_TRIAL_STOPPED && result->record != NULL &&
            result->stage != EG_STAGE_EARLIER) {
            out->stops[out->stop_count++] = eg_trial_evaluations(result->record);
        }
    }
    qsort(out->stops, out->stop_count, sizeof *out->stops, compare_counts);
    return eg_ok();
}

eg_status eg_status_facts_init(eg_status_facts *out, const eg_results *results)
{
    *out = (eg_status_facts){0};
    out->total = eg_results_count(results, out->by_status);
    for (size_t i = 0; i < results->trial_count; i++) {
        out->retried += eg_result_was_retried(&results->trials[i]);
        out->losses += results->trials[i].losses;
        out->wall_total += isfinite(results->trials[i].attempt.wall_seconds)
                               ? results->trials[i].attempt.wall_seconds
                               : 0;
    }
    size_t open = out->by_status[EG_TRIAL_PENDING] + out->by_status[EG_TRIAL_RUNNING] +
                  out->by_status[EG_TRIAL_PAUSED];
    out->finished = out->total - open;
    double *ends = NULL;
    EG_TRY(eg_alloc(&ends, results->trial_count, sizeof *ends));
    out->per_second = measure_rate(results, ends);
    eg_free(ends);
    EG_TRY(gather_stops(out, results));
    EG_TRY(eg_workers_find(&out->workers, &out->worker_count, results));
    out->seconds_left = results->writer != NULL ? (double)open / out->per_second : (double)NAN;
    return eg_ok();
}

void eg_status_facts_clear(eg_status_facts *facts)
{
    eg_free(facts->stops);
    eg_free(facts->workers);
    *facts = (eg_status_facts){0};
}
