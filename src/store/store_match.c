/** Tells an edited sweep from another one; see store/store_match.h. */
#include "store/store_match.h"

#include "engram/memory.h"
#include "store/differences.h"
#include "store/hdf5/h5_read.h"

#include <string.h>

/** A state that holds nothing but the plan. */
static eg_status plan_alone(eg_journal_state **out, const eg_plan *plan)
{
    eg_writer writer = {0};
    eg_status status = eg_journal_state_create(out);
    if (status.code == EG_OK) {
        status = eg_journal_plan_write(plan, &writer);
    }
    if (status.code == EG_OK) {
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        status = eg_journal_state_apply_plan(*out, &reader);
    }
    eg_writer_clear(&writer);
    return status;
}

/** "…; …": in what the results so far and the plan differ. A new text. */
static eg_status explain(char **out, const eg_journal_state *state, const eg_plan *plan)
{
    eg_journal_state *planned = NULL;
    *out = NULL;
    eg_status status = plan_alone(&planned, plan);
    if (status.code == EG_OK) {
        status = eg_store_differences(out, &state->owner->results, &planned->owner->results, plan);
    }
    eg_journal_state_free(planned);
    return status;
}

eg_status eg_store_explain_change(char **out, const eg_journal_state *state, const eg_plan *plan)
{
    eg_journal_state *planned = NULL;
    *out = NULL;
    eg_status status = plan_alone(&planned, plan);
    if (status.code == EG_OK) {
        status = eg_store_changes(out, state, &planned->owner->results);
    }
    eg_journal_state_free(planned);
    return status;
}

/** The same sweep, but no point with the same replicate: the file holds another slice of it. */
static eg_status other_slice(const eg_journal_state *state, const eg_plan *plan, bool *other)
{
    const eg_results *results = &state->owner->results;
    eg_index places = {0};
    eg_status status = eg_ok();
    *other =
        strcmp(results->text, plan->text) == 0 && strcmp(results->overrides, plan->overrides) == 0;
    for (size_t i = 0; i < results->trial_count && *other; i++) {
        const eg_result *trial = &results->trials[i];
        EG_TRY_DONE(status,
                    eg_index_put(&places, (uint64_t)trial->point << 32U | trial->replicate, i));
    }
    for (size_t i = 0; i < plan->trial_count && *other; i++) {
        const eg_plan_trial *trial = &plan->trials[i];
        uint64_t place = (uint64_t)trial->point << 32U | trial->replicate;
        *other = eg_index_get(&places, place) == SIZE_MAX;
    }
done:
    eg_index_clear(&places);
    return status;
}

/** The next of "name=value\n…" that does more than pick points, or the end; *length without
 *  "\n". */
static const char *next_override(const char *at, size_t *length)
{
    static const char only[] = "only=";
    *length = strcspn(at, "\n");
    while (strncmp(at, only, sizeof only - 1) == 0 && at[*length] != '\0') {
        at += *length + 1;
        *length = strcspn(at, "\n");
    }
    return at;
}

bool eg_store_are_pieces(const char *text, const char *there, const char *other_text,
                         const char *here)
{
    bool same = strcmp(text, other_text) == 0 && strcmp(there, here) != 0;
    while (same && (there[0] != '\0' || here[0] != '\0')) {
        size_t length_there = 0;
        size_t length_here = 0;
        there = next_override(there, &length_there);
        here = next_override(here, &length_here);
        same = length_there == length_here && memcmp(there, here, length_here) == 0;
        there += length_there + (there[length_there] != '\0' ? 1 : 0);
        here += length_here + (here[length_here] != '\0' ? 1 : 0);
    }
    return same;
}

eg_status eg_store_match(const eg_journal_state *state, const eg_plan *plan, const char *file)
{
    const eg_results *results = &state->owner->results;
    if (!state->has_plan) {
        return eg_ok();
    }
    if (state->exchange_count > 0 && plan->space == NULL) {
        return eg_fail(EG_INVALID,
                       "the points of %s were suggested by a tuner: go on with --ask COMMAND, or "
                       "choose another file with -o",
                       file);
    }
    if (state->exchange_count == 0 && plan->space != NULL) {
        return eg_fail(EG_INVALID,
                       "%s holds points that no tuner has suggested; choose another file with -o",
                       file);
    }
    if (strcmp(results->name, plan->name) != 0) {
        return eg_fail(EG_INVALID,
                       "%s belongs to another sweep: its name is '%s' there, '%s' here; choose "
                       "another file with -o",
                       file, results->name, plan->name);
    }
    for (size_t i = 0; i < plan->trial_count; i++) {
        if (eg_index_get(&state->ids, plan->trials[i].id) != SIZE_MAX) {
            return eg_ok();
        }
    }
    bool finished = false;
    for (size_t i = 0; i < results->trial_count && !finished; i++) {
        finished = eg_trial_status_is_finished(results->trials[i].status) ||
                   state->entries[i].earlier != 0;
    }
    if (!finished) {
        return eg_ok();
    }
    bool slice = false;
    EG_TRY(other_slice(state, plan, &slice));
    if (slice) {
        return eg_fail(EG_INVALID,
                       "%s holds another slice of this sweep; every slice needs a file of its own "
                       "(engram merge joins them)",
                       file);
    }
    if (eg_store_are_pieces(results->text, results->overrides, plan->text, plan->overrides)) {
        return eg_ok();
    }
    char *words = NULL;
    EG_TRY(explain(&words, state, plan));
    eg_status status = eg_fail(
        EG_INVALID, "%s belongs to another sweep: %s; choose another file with -o", file, words);
    eg_free(words);
    return status;
}

eg_status eg_store_check_file(const eg_paths *paths, bool has_journal)
{
    eg_path_kind kind = EG_PATH_NONE;
    EG_TRY(eg_path_look(paths->file, &kind));
    if (kind == EG_PATH_NONE) {
        return eg_ok();
    }
    bool ours = false;
    EG_TRY(eg_h5_is_results(paths->file, &ours));
    if (!ours) {
        return eg_fail(EG_INVALID,
                       "%s exists and is not a results file of engram; choose another name",
                       paths->file);
    }
    if (!has_journal) {
        return eg_fail(EG_INVALID,
                       "%s has no journal (%s) beside it: it can be read but not continued; choose "
                       "another name",
                       paths->file, paths->journal);
    }
    return eg_ok();
}
