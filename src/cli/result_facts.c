/** What the verbs that look at results have in common; see cli/result_facts.h. */
#include "cli/result_facts.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void eg_results_count(const eg_results *results, size_t *out)
{
    memset(out, 0, EG_TRIAL_STATUS_COUNT * sizeof *out);
    for (size_t i = 0; i < results->trial_count; i++) {
        out[results->trials[i].status]++;
    }
}

bool eg_result_was_retried(const eg_result *result)
{
    return result->attempt > 1 + result->pauses;
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

eg_status eg_results_tally(eg_tally **out, const eg_results *results, const char *variable)
{
    EG_TRY(eg_alloc(out, results->point_count, sizeof **out));
    for (size_t p = 0; p < results->point_count; p++) {
        (*out)[p].point = p;
    }
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        eg_tally_add(&(*out)[result->point], eg_result_value(result, variable));
    }
    return eg_ok();
}

static bool selected_on_test(const eg_results *results)
{
    const eg_column *protocol = eg_results_column(results, "protocol");
    for (size_t p = 0; protocol != NULL && p < results->point_count; p++) {
        if (protocol->text[p] != NULL && strcmp(protocol->text[p], "test") == 0) {
            return true;
        }
    }
    return false;
}

eg_status eg_results_notes(char **out, const eg_results *results)
{
    eg_writer writer = {0};
    if (selected_on_test(results)) {
        static const char words[] = "selected on test data (protocol test): best values are "
                                    "optimistic\n";
        eg_write_bytes(&writer, words, sizeof words - 1);
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
    eg_writer_free(&writer);
    return status;
}

eg_id_text eg_id(uint64_t id)
{
    eg_id_text out;
    (void)snprintf(out.text, sizeof out.text, "%016" PRIx64, id);
    return out;
}
