/** A results file of many finished trials with made-up curves, for measuring the verbs that read one.
 *
 *  Usage: bench_many_results FILE.h5 TRIALS */
#include "engram/memory.h"
#include "engram/sweep.h"
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sweep[] = "name: many\n"
                            "base: {dataset: synthetic, optimizer: sgd}\n"
                            "grid:\n"
                            "  optimizer.lr: {logspace: [1e-5, 1e-1, %zu]}\n"
                            "  model.activation: [relu, sigmoid]\n"
                            "seeds: 5\n";

static eg_status fill(const char *path, const eg_plan *plan)
{
    eg_outcome *outcomes = NULL;
    eg_store *store = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    EG_TRY_DONE(status, eg_store_open(&store, path, plan, &eg_test_session, outcomes));
    for (size_t t = 0; t < plan->trial_count; t++) {
        const eg_attempt attempt = {
            .trial = plan->trials[t].id, .number = 1, .host = "node0", .wall_seconds = 1};
        eg_record *record = eg_test_record(plan, t);
        status = eg_store_started(store, &attempt);
        if (status.code == EG_OK) {
            status = eg_store_finished(store, &attempt, EG_TRIAL_DONE, NULL, record);
        }
        eg_record_free(record);
        EG_TRY_DONE(status, status);
    }
    EG_TRY_DONE(status, eg_store_commit(store));
    status = eg_store_publish(store, true);
done:
    if (store != NULL) {
        eg_status_keep(&status, eg_store_close(store, "done"));
    }
    eg_free(outcomes);
    return status;
}

int main(int argc, char **argv)
{
    size_t trials = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    char text[sizeof sweep + 32];
    eg_plan *plan = NULL;
    if (trials < 20) {
        (void)fprintf(stderr, "usage: bench_many_results FILE.h5 TRIALS (20 or more)\n");
        return 2;
    }
    (void)snprintf(text, sizeof text, sweep, trials / 10);
    eg_status status = eg_plan_parse(&plan, "many.yaml", text, strlen(text), NULL, 0);
    if (status.code == EG_OK) {
        status = fill(argv[1], plan);
    }
    eg_plan_free(plan);
    if (status.code != EG_OK) {
        (void)fprintf(stderr, "%s\n", status.message);
    }
    return status.code == EG_OK ? 0 : 1;
}
