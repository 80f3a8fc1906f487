/** What the verbs that look at results have in common. */
#ifndef CLI_RESULT_FACTS_H
#define CLI_RESULT_FACTS_H

#include "engram/ranking.h"
#include "engram/store.h"

#include <stdbool.h>
#include <stddef.h>

/** The sweep's trials by status: out[EG_TRIAL_STATUS_COUNT]; how many there are. Those of an
 *  earlier version of it do not count. */
size_t eg_results_count(const eg_results *results, size_t *out);

/** Whether it needed more attempts than pauses for a stopping rule explain. */
bool eg_result_was_retried(const eg_result *result);

/** The column of a setting, or NULL. */
const eg_column *eg_results_column(const eg_results *results, const char *name);

/** The value of a scalar variable for a trial ("objective" included): NaN unless it was
 *  recorded. */
double eg_result_value(const eg_result *result, const char *variable);

/** Refuses a name that is no scalar variable of these results, with the nearest valid one. */
eg_status eg_results_check_scalar(const eg_results *results, const char *name) EG_WARN_UNUSED;

/** All trials as a ranking by `basis` sees them: *out [trial_count]; release with eg_free. */
eg_status eg_results_score(eg_scored_trial **out, const eg_results *results,
                           const eg_ranking_basis *basis) EG_WARN_UNUSED;

/** The points they make: *out [point_count], best first; release with eg_free. */
eg_status eg_results_rank(eg_ranked_point **out, const eg_results *results,
                          const eg_ranking_basis *basis,
                          const eg_scored_trial *trials) EG_WARN_UNUSED;

/** Trials of an earlier version of the sweep, which it does not have any more. */
size_t eg_results_stale(const eg_results *results);

/** What has to be said about these results whenever numbers from them are shown: one sentence per
 *  line of *out (eg_free): selected on test data (if `on_test`), trials no longer in the sweep,
 *  damaged tail, mixed processors. */
eg_status eg_results_notes(char **out, const eg_results *results, bool on_test) EG_WARN_UNUSED;

/** Of that what is about the files alone, on standard error. */
void eg_results_warn(const eg_results *results);

/** The 16 hexadecimal digits of a trial id. */
typedef struct eg_id_text {
    char text[20];
} eg_id_text;
eg_id_text eg_id(uint64_t id);

#endif
