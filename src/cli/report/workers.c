/** Who works on a sweep; see cli/report/workers.h. */
#include "cli/report/workers.h"

#include "engram/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** A trial that a worker was given, or finished. */
typedef struct entry {
    const eg_result *result;
    size_t order; /* of the results, so that sorting keeps it */
} entry;

static int compare_workers(const eg_attempt *a, const eg_attempt *b)
{
    int order = strcmp(a->host, b->host);
    return order != 0 ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    int order = compare_workers(&x->result->attempt, &y->result->attempt);
    if (order != 0) {
        return order;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void count_in(eg_worker_state *worker, const eg_result *result)
{
    worker->rank = result->attempt.rank;
    worker->host = result->attempt.host;
    if (result->status != EG_TRIAL_RUNNING) {
        worker->finished++;
        worker->busy_seconds +=
            isfinite(result->attempt.wall_seconds) ? result->attempt.wall_seconds : 0;
        return;
    }
    worker->held++;
    if (worker->running == NULL ||
        result->attempt.start_time < worker->running->attempt.start_time) {
        worker->running = result;
    }
}

eg_status eg_workers_find(eg_worker_state **out, size_t *count, const eg_results *results)
{
    entry *entries = NULL;
    size_t found = 0;
    *count = 0;
    *out = NULL;
    EG_TRY(eg_alloc(&entries, results->trial_count, sizeof *entries));
    for (size_t i = 0; i < results->trial_count && results->writer != NULL; i++) {
        const eg_result *result = &results->trials[i];
        bool now = result->session != SIZE_MAX && result->session + 1 == results->session_count;
        if (now || result->status == EG_TRIAL_RUNNING) {
            entries[found++] = (entry){result, i};
        }
    }
    qsort(entries, found, sizeof *entries, compare_entries);
    eg_status status = eg_alloc(out, found, sizeof **out);
    for (size_t i = 0; i < found && status.code == EG_OK; i++) {
        bool same = i > 0 && compare_workers(&entries[i - 1].result->attempt,
                                             &entries[i].result->attempt) == 0;
        *count += same ? 0 : 1;
        count_in(&(*out)[*count - 1], entries[i].result);
    }
    eg_free(entries);
    return status;
}
