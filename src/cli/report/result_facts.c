/** What the verbs that look at results have in common; see cli/report/result_facts.h. */
#include "cli/report/result_facts.h"

#include "cli/format.h"
#include "cli/report/ranking_report.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

size_t eg_results_count(const eg_results *results, size_t *out)
{
    size_t total = 0;
    memset(out, 0, EG_TRIAL_STATUS_COUNT * sizeof *out);
    for (size_t i = 0; i < results->trial_count; i++) {
        if (results->trials[i].stage != EG_STAGE_EARLIER) {
            out[results->trials[i].status]++;
            total++;
        }
    }
    return total;
}

bool eg_result_was_retried(const eg_result *result)
{
    return result->attempt.number > 1 + result->pauses;
}

const eg_column *eg_results_column(const eg_results *results, const char *name)
{
    for (size_t i = 0; i < results->column_count; i++) {
        if (strcmp(results->columns[i].name, name) == 0) {
            return &results->columns[i];
        }
    }
    return NULL;
}

double eg_result_value(const eg_result *result, const char *variable)
{
    if (strcmp(variable, "objective") == 0) {
        return result->objective;
    }
    return result->record == NULL ? (double)NAN : eg_record_value(result->record, variable);
}

eg_status eg_results_check_scalar(const eg_results *results, const char *name)
{
    eg_nearest nearest = {0};
    if (strcmp(name, "objective") == 0) {
        return eg_ok();
    }
    for (size_t i = 0; i < results->variable_count; i++) {
        const eg_stored_variable *variable = &results->variables[i];
        if (variable->rank == 0 && strcmp(variable->name, name) == 0) {
            return eg_ok();
        }
        if (variable->rank == 0) {
            eg_nearest_offer(&nearest, name, variable->name);
        }
    }
    if (nearest.best != NULL) {
        return eg_fail(EG_INVALID, "the trials recorded no number \"%s\"; did you mean %s?", name,
                       nearest.best);
    }
    return eg_fail(EG_INVALID, "the trials recorded no number \"%s\"", name);
}

eg_status eg_results_score(eg_scored_trial **out, const eg_results *results,
                           const eg_ranking_basis *basis)
{
    EG_TRY(eg_alloc(out, results->trial_count, sizeof **out));
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        /* Of the objective's own variable the results know the value without the records. */
        double recorded = strcmp(basis->reported, results->objective) == 0
                              ? result->reported
                              : eg_result_value(result, basis->reported);
        (*out)[i] =
            (eg_scored_trial){.point = result->point,
                              .seed = result->seed,
                              .status = (uint8_t)result->status,
                              .stage = (uint8_t)result->stage,
                              .selected = basis->by_objective ? result->objective : recorded,
                              .reported = recorded};
    }
    return eg_ok();
}

eg_status eg_results_rank(eg_ranked_point **out, const eg_results *results,
                          const eg_ranking_basis *basis, const eg_scored_trial *trials)
{
    EG_TRY(eg_ranking_create(out, results->point_count));
    for (size_t i = 0; i < results->trial_count; i++) {
        eg_ranking_add(*out, basis, &trials[i]);
    }
    eg_ranking_sort(*out, results->point_count, basis);
    return eg_ok();
}

size_t eg_results_stale(const eg_results *results)
{
    size_t count = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        count += results->trials[i].stage == EG_STAGE_EARLIER;
    }
    return count;
}

eg_status eg_results_notes(char **out, const eg_results *results, bool on_test)
{
    eg_writer writer = {0};
    size_t stale = eg_results_stale(results);
    char text[160];
    if (on_test) {
        (void)snprintf(text, sizeof text, "%s\n", EG_NOTE_ON_TEST);
        eg_write_bytes(&writer, text, strlen(text));
    }
    if (stale > 0) {
        (void)snprintf(text, sizeof text,
                       "%zu finished trial%s of an earlier version of the sweep, which was edited "
                       "since: not counted in any of its points\n",
                       stale, eg_plural(stale));
        eg_write_bytes(&writer, text, strlen(text));
    }
    for (size_t i = 0; i < results->warning_count; i++) {
        eg_write_bytes(&writer, results->warnings[i], strlen(results->warnings[i]));
        eg_write_bytes(&writer, "\n", 1);
    }
    eg_write_bytes(&writer, "", 1);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}

void eg_results_warn(const eg_results *results)
{
    for (size_t i = 0; i < results->warning_count; i++) {
        eg_say(stderr, "warning: %s\n", results->warnings[i]);
    }
}

eg_id_text eg_id(uint64_t id)
{
    eg_id_text out;
    (void)snprintf(out.text, sizeof out.text, "%016" PRIx64, id);
    return out;
}
