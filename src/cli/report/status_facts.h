/** How far a sweep is, counted from its results: what `engram status` shows. */
#ifndef ENGRAM_CLI_STATUS_FACTS_H
#define ENGRAM_CLI_STATUS_FACTS_H

#include "cli/report/ranking_report.h"
#include "cli/report/workers.h"
#include "engram/store.h"

/** What there is to tell of a sweep. */
typedef struct eg_status_facts {
    size_t by_status[EG_TRIAL_STATUS_COUNT];
    size_t total, finished, retried, losses;
    size_t *stops;            /**< [stop_count] evaluations of stopped trials, ascending; owned */
    size_t stop_count;        /**< of them */
    eg_worker_state *workers; /**< owned */
    size_t worker_count;
    double per_second, seconds_left; /**< NaN: unknown */
    double wall_total;
    eg_ranking_report ranking; /**< of the best point, if there is one yet */
} eg_status_facts;

/** All but the ranking. What it points to are the results'. Release with eg_status_facts_clear,
 *  also after a failure. */
eg_status eg_status_facts_init(eg_status_facts *out, const eg_results *results) EG_WARN_UNUSED;
void eg_status_facts_clear(eg_status_facts *facts);

#endif
