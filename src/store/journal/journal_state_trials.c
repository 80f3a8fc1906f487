/** The state: frames about trials, and what trials had before they were run again; see
 *  store/journal/journal_state.h. */
#include "store/journal/journal_state.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

/** A trial that was running no longer is: it stands where it was before. */
static void fall_back(eg_journal_state *state, size_t trial)
{
    eg_result *result = &state->owner->results.trials[trial];
    eg_trial_entry *entry = &state->entries[trial];
    if (entry->curves != 0) {
        result->status = EG_TRIAL_PAUSED;
        entry->frame = entry->curves;
    } else {
        eg_result_reset(result, state->owner->empty);
    }
}

void eg_journal_state_forget_running(eg_journal_state *state)
{
    const eg_results *results = &state->owner->results;
    for (size_t i = 0; i < results->trial_count; i++) {
        if (results->trials[i].status == EG_TRIAL_RUNNING) {
            fall_back(state, i);
        }
    }
}

static eg_status find_trial(const eg_journal_state *state, uint64_t id, size_t *out)
{
    *out = eg_index_get(&state->ids, id);
    if (*out == SIZE_MAX) {
        return eg_fail(EG_INVALID, "it is about a trial %016llx that no plan has",
                       (unsigned long long)id);
    }
    return eg_ok();
}

static void count_attempt(eg_trial_entry *entry, const eg_attempt *attempt)
{
    entry->attempts = attempt->number > entry->attempts ? attempt->number : entry->attempts;
}

static void take_attempt(eg_journal_state *state, size_t trial, const eg_attempt *attempt)
{
    state->owner->results.trials[trial].attempt = *attempt;
    count_attempt(&state->entries[trial], attempt);
}

eg_status eg_journal_state_apply_started(eg_journal_state *state, eg_reader *reader)
{
    eg_event event = {0};
    size_t trial = 0;
    EG_TRY(eg_started_read(&event, &state->owner->pool, reader));
    EG_TRY(find_trial(state, event.attempt.trial, &trial));
    eg_result *result = &state->owner->results.trials[trial];
    if (eg_trial_status_is_finished(result->status)) {
        /* A retry of a failed trial: what is known stays until there is something better. */
        eg_trial_entry *entry = &state->entries[trial];
        count_attempt(entry, &event.attempt);
        return eg_ok();
    }
    take_attempt(state, trial, &event.attempt);
    result->status = EG_TRIAL_RUNNING;
    state->entries[trial].frame = 0;
    return eg_ok();
}

static eg_status undeclared(const char *name)
{
    return eg_fail(EG_INVALID, "the variable '%s' is not declared like that in the plan", name);
}

eg_status eg_journal_state_declares(const eg_journal_state *state, const eg_record *record)
{
    const eg_results *results = &state->owner->results;
    for (size_t i = 0; i < eg_record_count(record); i++) {
        const eg_array *array = eg_record_at(record, i);
        const eg_stored_variable *variable = eg_stored_find(results, array->name);
        if (variable == NULL || variable->rank != array->rank || variable->wide != array->wide) {
            return undeclared(array->name);
        }
    }
    return eg_ok();
}

/** A record on its way into the journal state: of its values only the objective and what it is
 *  reported on stay. */
typedef struct skimmed {
    eg_journal_state *state;
    size_t next; /* where the next variable is looked for first: records mostly share their order */
    double objective, reported;
} skimmed;

static const eg_stored_variable *find_variable(skimmed *s, const char *name)
{
    const eg_results *results = &s->state->owner->results;
    for (size_t i = 0; i < results->variable_count; i++) {
        size_t at = (s->next + i) % results->variable_count;
        if (strcmp(results->variables[at].name, name) == 0) {
            s->next = at + 1;
            return &results->variables[at];
        }
    }
    return NULL;
}

static int values_of(eg_trial_status status)
{
    return eg_trial_status_is_result(status) ? 2 : eg_trial_status_has_record(status) ? 1 : 0;
}

/** A new result is there. One that failed has no values, one that ran out of time not all: where
 *  the trial had more before, that counts. */
static void outdate_earlier(const eg_journal_state *state, eg_trial_entry *entry,
                            eg_trial_status status)
{
    if (status == EG_TRIAL_PAUSED || entry->earlier == 0) {
        return;
    }
    eg_trial_status before = state->earlier[entry->earlier - 1].result.status;
    if (!eg_trial_status_is_failure(status) || values_of(status) >= values_of(before)) {
        entry->earlier = 0;
    }
}

/** Keeps what a trial has for as long as there is nothing new. */
static eg_status keep_earlier(eg_journal_state *state, size_t trial)
{
    const eg_result *result = &state->owner->results.trials[trial];
    eg_trial_entry *entry = &state->entries[trial];
    if (entry->earlier != 0 || !(eg_trial_status_is_finished(result->status) ||
                                 eg_trial_status_has_record(result->status))) {
        return eg_ok();
    }
    EG_TRY(eg_grow(&state->earlier, &state->earlier_capacity, state->earlier_count + 1,
                   sizeof *state->earlier));
    state->earlier[state->earlier_count++] = (eg_earlier){*result, entry->frame};
    entry->earlier = state->earlier_count;
    return eg_ok();
}

void eg_journal_state_exchange_earlier(eg_journal_state *state)
{
    for (size_t i = 0; i < state->owner->results.trial_count; i++) {
        eg_result *result = &state->owner->results.trials[i];
        eg_trial_entry *entry = &state->entries[i];
        if (entry->earlier == 0) {
            continue;
        }
        eg_earlier *earlier = &state->earlier[entry->earlier - 1];
        eg_earlier now = {*result, entry->frame};
        *result = earlier->result;
        result->point = now.result.point; /* a later plan may have numbered them anew */
        result->replicate = now.result.replicate;
        result->seed = now.result.seed;
        result->stage = now.result.stage;
        entry->frame = earlier->frame;
        *earlier = now;
    }
}

static eg_status take_array(void *user, const eg_array_outline *array)
{
    skimmed *s = user;
    const eg_stored_variable *variable = find_variable(s, array->name);
    if (variable == NULL || variable->rank != array->rank || variable->wide != array->wide) {
        return undeclared(array->name);
    }
    for (size_t k = 0; k < array->rank; k++) {
        size_t *longest =
            &s->state->extents[eg_journal_state_dimension(s->state, variable->dims[k])].length;
        *longest = array->extent[k] > *longest ? array->extent[k] : *longest;
    }
    if (array->rank == 0 && strcmp(array->name, "objective") == 0) {
        s->objective = array->first;
    }
    if (array->rank == 0 && strcmp(array->name, s->state->owner->results.objective) == 0) {
        s->reported = array->first;
    }
    return eg_ok();
}

static eg_status take_result(eg_journal_state *state, const eg_event *event, eg_reader *record,
                             uint64_t offset)
{
    size_t trial = 0;
    EG_TRY(find_trial(state, event->attempt.trial, &trial));
    eg_result *result = &state->owner->results.trials[trial];
    if (eg_trial_status_is_result(result->status)) {
        state->repeated++;
        return eg_ok();
    }
    if (!eg_trial_status_is_finished(event->status) && event->status != EG_TRIAL_PAUSED) {
        return eg_fail(EG_INVALID, "a result cannot be '%s'", eg_trial_status_name(event->status));
    }
    skimmed s = {.state = state, .objective = (double)NAN, .reported = (double)NAN};
    if (record != NULL) {
        EG_TRY(eg_record_skim(record, take_array, &s));
        EG_TRY(eg_reader_status(record, true));
    }
    take_attempt(state, trial, &event->attempt);
    outdate_earlier(state, &state->entries[trial], event->status);
    result->status = event->status;
    result->message = event->message;
    result->objective = s.objective;
    result->reported = s.reported;
    result->session = state->session_count == 0 ? SIZE_MAX : state->session_count - 1;
    eg_trial_entry *entry = &state->entries[trial];
    entry->frame = record != NULL ? offset : 0;
    entry->curves = record != NULL ? offset : entry->curves;
    entry->pauses += event->status == EG_TRIAL_PAUSED;
    return eg_ok();
}

eg_status eg_journal_state_apply_result(eg_journal_state *state, eg_reader *reader, uint64_t offset)
{
    eg_event event = {0};
    bool has_record = false;
    EG_TRY(eg_result_read_head(&event, &state->owner->pool, reader, &has_record));
    return take_result(state, &event, has_record ? reader : NULL, offset);
}

eg_status eg_journal_state_apply_skipped(eg_journal_state *state, eg_reader *reader)
{
    uint64_t id = eg_read_u64(reader);
    char *why = NULL;
    size_t trial = 0;
    EG_TRY(eg_string_pool_read(&state->owner->pool, &why, reader));
    EG_TRY(eg_reader_status(reader, true));
    EG_TRY(find_trial(state, id, &trial));
    eg_result *result = &state->owner->results.trials[trial];
    if (eg_trial_status_is_finished(result->status)) {
        return eg_fail(EG_INVALID, "a finished trial cannot be skipped");
    }
    if (result->status == EG_TRIAL_PAUSED || result->status == EG_TRIAL_STOPPED) {
        result->status = EG_TRIAL_STOPPED; /* with the curves that it has */
    } else {
        eg_result_reset(result, state->owner->empty);
        result->status = EG_TRIAL_SKIPPED;
    }
    outdate_earlier(state, &state->entries[trial], result->status);
    result->message = why;
    return eg_ok();
}

eg_status eg_journal_state_apply_lost(eg_journal_state *state, eg_reader *reader)
{
    eg_event event = {0};
    size_t trial = 0;
    EG_TRY(eg_lost_read(&event, &state->owner->pool, reader));
    EG_TRY(find_trial(state, event.attempt.trial, &trial));
    eg_result *result = &state->owner->results.trials[trial];
    state->entries[trial].losses += event.was_running ? 1 : 0;
    if (!eg_trial_status_is_finished(result->status)) {
        fall_back(state, trial);
    }
    return eg_ok();
}

eg_status eg_journal_state_apply_redo(eg_journal_state *state, eg_reader *reader)
{
    uint64_t id = eg_read_u64(reader);
    size_t trial = 0;
    EG_TRY(eg_reader_status(reader, true));
    EG_TRY(find_trial(state, id, &trial));
    EG_TRY(keep_earlier(state, trial));
    eg_result_reset(&state->owner->results.trials[trial], state->owner->empty);
    state->entries[trial].redone++;
    state->entries[trial].frame = state->entries[trial].curves = 0;
    state->entries[trial].losses = state->entries[trial].pauses = 0;
    return eg_ok();
}
