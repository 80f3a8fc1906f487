/** What the stopping rule asha costs rank 0 per result, by the size of the cohort.
 *
 *  Usage: bench_rules. Per result, as a sweep does: what the rule has to know of the trial, then how far all may run
 *  that it is compared with. Trials come in the order of the plan, rung after rung. */
#include "engram/memory.h"
#include "engram/record.h"
#include "engram/sweep.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Every trial of the plan comes to rung after rung, the later ones better, as long as the rule lets it. */
static size_t play(const eg_plan *plan, eg_outcome *outcomes, eg_peer *peers)
{
    static const size_t rungs[] = {1, 3, 9, 27};
    size_t results = 0;
    for (size_t k = 0; k < EG_COUNT(rungs); k++) {
        for (size_t t = 0; t < plan->trial_count; t++) {
            eg_outcome *o = &outcomes[t];
            eg_budget budget = eg_plan_budget(plan, outcomes, t);
            if (k > 0 && (budget.out || budget.waits)) {
                continue;
            }
            o->status = EG_TRIAL_PAUSED;
            o->evaluations = (uint32_t)rungs[k];
            o->rungs = (uint8_t)(k + 1);
            o->rung[k] = (float)((t * 7919) % plan->trial_count);
            (void)eg_plan_peers(plan, outcomes, t, peers);
            results++;
        }
    }
    return results;
}

static eg_status measure(size_t cohort)
{
    char text[512];
    eg_plan *plan = NULL;
    eg_outcome *outcomes = NULL;
    eg_peer *peers = NULL;
    (void)snprintf(text, sizeof text,
                   "name: rules\n"
                   "base: {dataset: synthetic, optimizer: sgd}\n"
                   "grid: {optimizer.lr: {logspace: [1e-5, 1e-1, 10000]}}\n"
                   "stop: {asha: {eta: 3, first: 1, cohort: %zu}}\n",
                   cohort);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_plan_parse(&plan, "rules.yaml", text, strlen(text), NULL, 0));
    EG_TRY_DONE(status, eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    EG_TRY_DONE(status, eg_alloc(&peers, EG_PEERS_MAX, sizeof *peers));
    for (size_t t = 0; t < plan->trial_count; t++) {
        outcomes[t].objective = outcomes[t].reported = (double)NAN;
    }
    double before = cpu_seconds();
    size_t results = play(plan, outcomes, peers);
    (void)printf("asha cohort %4zu: %zu trials, %zu results, %.4f ms each\n", cohort,
                 plan->trial_count, results, 1e3 * (cpu_seconds() - before) / (double)results);
done:
    eg_free(outcomes);
    eg_free(peers);
    eg_plan_free(plan);
    return status;
}

int main(void)
{
    static const size_t cohorts[] = {10, 100, 1000};
    for (size_t i = 0; i < EG_COUNT(cohorts); i++) {
        eg_status status = measure(cohorts[i]);
        if (status.code != EG_OK) {
            (void)fprintf(stderr, "%s\n", status.message);
            return 1;
        }
    }
    return 0;
}
