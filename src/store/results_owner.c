/** Results in memory; see store/results_owner.h. */
#include "store/results_owner.h"

#include "engram/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

eg_status eg_results_owner_create(eg_results_owner **out)
{
    EG_TRY(eg_alloc(out, 1, sizeof **out));
    eg_results *results = &(*out)->results;
    eg_string_pool *pool = &(*out)->pool;
    eg_status status = eg_string_pool_add(pool, &(*out)->empty, "");
    if (status.code != EG_OK) {
        eg_results_free(results);
        *out = NULL;
        return status;
    }
    char **const texts[] = {&results->name, &results->doc, &results->text, &results->overrides,
                            &results->objective};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        *texts[i] = (*out)->empty;
    }
    return eg_ok();
}

eg_plan_trial eg_result_planned(const eg_result *result)
{
    return (eg_plan_trial){result->attempt.trial, result->point, result->replicate, result->seed};
}

void eg_result_reset(eg_result *result, char *empty)
{
    result->status = EG_TRIAL_PENDING;
    result->attempt = (eg_attempt){.trial = result->attempt.trial,
                                   .host = empty,
                                   .start_time = (double)NAN,
                                   .wall_seconds = (double)NAN};
    result->message = empty;
    result->objective = (double)NAN;
    result->reported = (double)NAN;
    result->session = SIZE_MAX;
}

void eg_results_free(eg_results *results)
{
    if (results == NULL) {
        return;
    }
    for (size_t i = 0; i < results->trial_count; i++) {
        eg_record_free(results->trials[i].record);
    }
    for (size_t i = 0; i < results->column_count; i++) {
        eg_free(results->columns[i].text);
    }
    eg_free(results->trials);
    eg_free(results->columns);
    eg_free(results->variables);
    eg_free(results->warnings);
    eg_free(results->sessions);
    eg_results_owner *owner = (eg_results_owner *)(void *)results;
    eg_string_pool_clear(&owner->pool);
    eg_free(owner);
}

eg_status eg_results_owner_warn(eg_results_owner *owner, const char *format, ...)
{
    char text[EG_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    eg_results *results = &owner->results;
    EG_TRY(eg_grow(&results->warnings, &owner->warning_capacity, results->warning_count + 1,
                   sizeof *results->warnings));
    EG_TRY(eg_string_pool_add(&owner->pool, &results->warnings[results->warning_count], text));
    results->warning_count++;
    return eg_ok();
}

eg_status eg_results_owner_add_session(eg_results_owner *owner, const char *text)
{
    eg_results *results = &owner->results;
    EG_TRY(eg_grow(&results->sessions, &owner->session_capacity, results->session_count + 1,
                   sizeof *results->sessions));
    EG_TRY(eg_string_pool_add(&owner->pool, &results->sessions[results->session_count], text));
    results->session_count++;
    return eg_ok();
}

const eg_stored_variable *eg_stored_find(const eg_results *results, const char *name)
{
    for (size_t i = 0; i < results->variable_count; i++) {
        if (strcmp(results->variables[i].name, name) == 0) {
            return &results->variables[i];
        }
    }
    return NULL;
}

size_t eg_padded_index(const eg_array *array, const size_t *extent, size_t i)
{
    size_t at = 0;
    size_t stride = 1;
    for (size_t k = array->rank; k > 0; k--) {
        at += i % array->extent[k - 1] * stride;
        i /= array->extent[k - 1];
        stride *= extent[k - 1];
    }
    return at;
}

size_t eg_results_finished(const eg_results *results)
{
    size_t count = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        count += eg_trial_status_is_finished(results->trials[i].status) ? 1 : 0;
    }
    return count;
}

size_t eg_results_with_results(const eg_results *results)
{
    size_t count = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        eg_trial_status status = results->trials[i].status;
        count += eg_trial_status_is_finished(status) || eg_trial_status_has_record(status) ? 1 : 0;
    }
    return count;
}

/** The value of the line "KEY=value" of a session, into the pool; NULL if there is none. */
static eg_status session_value(eg_results_owner *owner, const char *session, const char *key,
                               char **out)
{
    *out = NULL;
    size_t length = strlen(key);
    for (const char *line = session; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        if (strncmp(line, key, length) == 0) {
            char *value = NULL;
            EG_TRY(eg_format(&value, "%.*s", (int)(size - length), line + length));
            eg_status status = eg_string_pool_add(&owner->pool, out, value);
            eg_free(value);
            return status;
        }
        line += line[size] == '\n' ? size + 1 : size;
    }
    return eg_ok();
}

/** Compares one key over the sessions that have results. */
static eg_status warn_key(eg_results_owner *owner, const bool *used, const char *key,
                          const char *words)
{
    const char *first = NULL;
    for (size_t i = 0; i < owner->results.session_count; i++) {
        char *value = NULL;
        if (used[i]) {
            EG_TRY(session_value(owner, owner->results.sessions[i], key, &value));
        }
        if (value == NULL) {
            continue;
        }
        if (first != NULL && strcmp(first, value) != 0) {
            return eg_results_owner_warn(
                owner,
                "results of different %s are mixed, '%s' and '%s': they may differ "
                "in the last digits",
                words, first, value);
        }
        first = value;
    }
    return eg_ok();
}

eg_status eg_results_owner_warn_mixed(eg_results_owner *owner)
{
    const eg_results *results = &owner->results;
    bool *used = NULL;
    EG_TRY(eg_alloc(&used, results->session_count, sizeof *used));
    for (size_t i = 0; i < results->trial_count; i++) {
        if (results->trials[i].session < results->session_count) {
            used[results->trials[i].session] = true;
        }
    }
    eg_status status = warn_key(owner, used, "processor=", "processors");
    eg_status_keep(&status, warn_key(owner, used, "blas_core=", "BLAS kernels"));
    eg_status_keep(&status, warn_key(owner, used, "build=", "builds"));
    eg_status_keep(&status, eg_results_owner_warn_data(owner, used));
    eg_free(used);
    return status;
}
