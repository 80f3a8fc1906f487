/** How long a plan will take; see cli/estimate.h. */
#include "cli/estimate.h"

#include "cli/run_queue.h"
#include "cli/sweep_words.h"
#include "engram/blas.h"
#include "engram/memory.h"
#include "engram/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct id_row {
    uint64_t id;
    size_t trial;
} id_row;

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

static bool journal_or_file_exists(const char *path)
{
    char journal[1024];
    size_t length = strlen(path);
    size_t stem = length > 3 && strcmp(path + length - 3, ".h5") == 0 ? length - 3 : length;
    int needed = snprintf(journal, sizeof journal, "%.*s.journal", (int)stem, path);
    bool fits = needed > 0 && (size_t)needed < sizeof journal;
    return access(path, R_OK) == 0 || (fits && access(journal, R_OK) == 0);
}

/** Finds the plan's trials among the results: what is finished, and the speed of those that ran. */
static void match_results(eg_estimate *out, const eg_plan *plan, const eg_results *results,
                          const id_row *rows, double *done_cost)
{
    double seconds = 0;
    double cost = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        const id_row key = {.id = result->id};
        const id_row *row = bsearch(&key, rows, plan->trial_count, sizeof *rows, compare_ids);
        if (row == NULL || !eg_trial_is_final(result->status)) {
            continue;
        }
        out->known++;
        *done_cost += cost_of(plan, row->trial);
        if (result->status == EG_TRIAL_DONE && result->wall_seconds > 0) {
            out->measured++;
            seconds += result->wall_seconds;
            cost += cost_of(plan, row->trial);
        }
    }
    if (seconds > 0) {
        out->rate = cost / seconds;
    }
}

static eg_status read_results(eg_estimate *out, const eg_plan *plan, double *done_cost)
{
    eg_results *results = NULL;
    id_row *rows = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_results_load_brief(&results, out->path));
    EG_TRY_DONE(status, eg_alloc(&rows, plan->trial_count, sizeof *rows));
    for (size_t t = 0; t < plan->trial_count; t++) {
        rows[t] = (id_row){.id = plan->trials[t].id, .trial = t};
    }
    qsort(rows, plan->trial_count, sizeof *rows, compare_ids);
    match_results(out, plan, results, rows, done_cost);
    out->found = true;
done:
    eg_free(rows);
    eg_results_free(results);
    return status;
}

eg_status eg_estimate_make(eg_estimate *out, const eg_plan *plan, const char *path)
{
    *out = (eg_estimate){0};
    EG_TRY(eg_sweep_words_path(&out->path, plan, path));
    double total = 0;
    double done = 0;
    for (size_t t = 0; t < plan->trial_count; t++) {
        total += cost_of(plan, t);
    }
    if (journal_or_file_exists(out->path)) {
        EG_TRY(read_results(out, plan, &done));
    }
    if (out->measured == 0) {
        EG_TRY(eg_blas_prepare());
        out->probe_rate = eg_blas_probe();
        out->rate = out->probe_rate * EG_ESTIMATE_EFFICIENCY;
    }
    out->total_seconds = total / out->rate;
    out->left_seconds = (total - done) / out->rate;
    return eg_ok();
}

void eg_estimate_clear(eg_estimate *estimate)
{
    eg_free(estimate->path);
    *estimate = (eg_estimate){0};
}
