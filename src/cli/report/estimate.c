/** How long a plan will take; see cli/report/estimate.h. */
#include "cli/report/estimate.h"

#include "cli/format.h"
#include "cli/report/point_kinds.h"
#include "engram/blas.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/store.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What one kind gets of the time for trying out: never less, so that it means something. */
static const double least_budget = 0.03;
static const double most_budget = 0.15;
/** On a machine with other work, what it may take by the clock. */
static const double most_waiting = 3 * EG_ESTIMATE_SECONDS;

typedef struct id_row {
    uint64_t id;
    size_t trial;
} id_row;

/** What the results say of a kind. */
typedef struct experience {
    double seconds, cost; /* of finished trials with a time */
} experience;

static int compare_ids(const void *a, const void *b)
{
    const id_row *first = a;
    const id_row *second = b;
    return first->id < second->id ? -1 : first->id > second->id;
}

static double cost_of(const eg_plan *plan, size_t trial)
{
    return plan->points[plan->trials[trial].point].cost;
}

/** Finds the plan's trials among the results: finished [trial_count], and what those that ran
 *  tell. */
static void match_results(eg_estimate *out, const eg_plan *plan, const eg_point_kinds *kinds,
                          const eg_results *results, const id_row *rows, bool *finished,
                          experience *had)
{
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        const id_row key = {.id = result->attempt.trial};
        const id_row *row = bsearch(&key, rows, plan->trial_count, sizeof *rows, compare_ids);
        if (row == NULL || !eg_trial_status_is_final(result->status)) {
            continue;
        }
        const eg_settings *settings = plan->points[plan->trials[row->trial].point].settings;
        if (result->record == NULL || !eg_trial_lacks(settings, result->record)) {
            out->known++;
            finished[row->trial] = true;
        }
        if (result->status == EG_TRIAL_DONE && result->attempt.wall_seconds > 0) {
            experience *of = &had[kinds->of[plan->trials[row->trial].point]];
            out->measured++;
            of->seconds += result->attempt.wall_seconds;
            of->cost += cost_of(plan, row->trial);
        }
    }
}

static eg_status read_results(eg_estimate *out, const eg_plan *plan, const char *path,
                              eg_point_kinds *kinds, bool *finished)
{
    eg_results *results = NULL;
    id_row *rows = NULL;
    experience *had = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_results_load(&results, path));
    EG_TRY_DONE(status, eg_alloc(&had, kinds->count, sizeof *had));
    EG_TRY_DONE(status, eg_alloc(&rows, plan->trial_count, sizeof *rows));
    for (size_t t = 0; t < plan->trial_count; t++) {
        rows[t] = (id_row){.id = plan->trials[t].id, .trial = t};
    }
    qsort(rows, plan->trial_count, sizeof *rows, compare_ids);
    match_results(out, plan, kinds, results, rows, finished, had);
    for (size_t k = 0; k < kinds->count; k++) {
        if (had[k].cost > 0) {
            kinds->items[k].rate = had[k].seconds / had[k].cost;
        }
    }
    out->found = true;
done:
    eg_free(had);
    eg_free(rows);
    eg_results_free(results);
    return status;
}

/** Opens the data of a point, timing the first one. */
static eg_status open_data(eg_estimate *out, const eg_plan *plan, size_t point,
                           eg_dataset_cache *cache)
{
    const eg_dataset *dataset = NULL;
    eg_view root = eg_settings_root(plan->points[point].settings);
    if (!eg_trial_reads_data(plan->points[point].settings)) {
        return eg_ok();
    }
    double start = eg_clock();
    EG_TRY(eg_dataset_cache_get(cache, &root, &dataset));
    out->opening += eg_clock() - start;
    return eg_ok();
}

/** Tries out the dearest kinds that no result tells of, while there is time. */
static eg_status try_out(eg_estimate *out, const eg_plan *plan, eg_point_kinds *kinds)
{
    eg_dataset_cache *cache = NULL;
    double start = eg_clock();
    double used = 0;
    double budget =
        fmin(most_budget, fmax(least_budget, EG_ESTIMATE_SECONDS / (double)kinds->count));
    EG_TRY(eg_dataset_cache_create(&cache));
    eg_blas_set_threads(1);
    eg_status status = eg_ok();
    for (size_t k = 0; k < kinds->count && status.code == EG_OK; k++) {
        eg_point_kind *kind = &kinds->items[kinds->order[k]];
        bool time_left =
            k == 0 || (used < EG_ESTIMATE_SECONDS && eg_clock() - start < most_waiting);
        if (!isnan(kind->rate) || !time_left) {
            continue;
        }
        eg_trial_timing timing = {0};
        EG_TRY_DONE(status, open_data(out, plan, kind->example, cache));
        EG_TRY_DONE(status,
                    eg_trial_time(&timing, plan->points[kind->example].settings, cache, budget));
        used += budget + timing.setup; /* of the processor's time, about */
        kind->rate = timing.seconds / plan->points[kind->example].cost;
        if (out->timing.seconds == 0) {
            out->timing = timing;
            out->dearest = kind->example;
        }
    }
    out->spent = eg_clock() - start;
done:
    eg_dataset_cache_free(cache);
    return status;
}

/** Kinds that are not known take as long for their cost as the others do in the mean. */
static void fill_rates(eg_estimate *out, eg_point_kinds *kinds)
{
    double seconds = 0;
    double cost = 0;
    for (size_t k = 0; k < kinds->count; k++) {
        const eg_point_kind *kind = &kinds->items[k];
        if (!isnan(kind->rate)) {
            out->timed++;
            seconds += kind->rate * kind->cost;
            cost += kind->cost;
        }
    }
    out->possible = out->timed > 0;
    for (size_t k = 0; k < kinds->count && cost > 0; k++) {
        eg_point_kind *kind = &kinds->items[k];
        kind->rate = isnan(kind->rate) ? seconds / cost : kind->rate;
    }
}

static void add_up(eg_estimate *out, const eg_plan *plan, const eg_point_kinds *kinds,
                   const bool *finished)
{
    double done = 0;
    for (size_t t = 0; t < plan->trial_count; t++) {
        double seconds = cost_of(plan, t) * kinds->items[kinds->of[plan->trials[t].point]].rate;
        out->total += seconds;
        done += finished[t] ? seconds : 0;
    }
    double low = 1;
    double high = 1;
    eg_plan_bounds(plan, out->timing.evaluations, &low, &high);
    size_t more = plan->slice_count > 0 ? 0 : plan->select_best * plan->select_seed_count;
    double second = out->total / (double)plan->trial_count * (double)more;
    bool open = out->known < plan->trial_count;
    out->most = fmax(0.0, out->total * high - done) + second + (open ? out->opening : 0);
    out->least = fmax(0.0, out->total * low - done) + second + (open ? out->opening : 0);
    out->total += second;
}

eg_status eg_estimate_make(eg_estimate *out, const eg_plan *plan, const char *path, bool timing,
                           bool usable)
{
    *out = (eg_estimate){0};
    eg_point_kinds kinds = {0};
    bool *finished = NULL;
    bool begun = false;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_point_kinds_find(&kinds, plan));
    EG_TRY_DONE(status, eg_alloc(&finished, plan->trial_count, sizeof *finished));
    EG_TRY_DONE(status, eg_results_begun(&begun, path));
    out->kinds = kinds.count;
    if (begun) {
        EG_TRY_DONE(status, read_results(out, plan, path, &kinds, finished));
    }
    if (timing && usable && out->known < plan->trial_count) {
        EG_TRY_DONE(status, eg_blas_prepare());
        EG_TRY_DONE(status, try_out(out, plan, &kinds));
    }
    fill_rates(out, &kinds);
    if (out->possible) {
        add_up(out, plan, &kinds, finished);
    } else {
        out->why = usable ? "no trial is finished, and no minibatch was tried out"
                          : "no trial is finished, and without data no minibatch can be tried out";
    }
done:
    eg_point_kinds_clear(&kinds);
    eg_free(finished);
    return status;
}
