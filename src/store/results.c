/** Loading results, and making the result file anew; see engram/store.h. */
#include "engram/store.h"

#include "engram/memory.h"
#include "store/hdf5/h5_read.h"
#include "store/hdf5/h5_write.h"
#include "store/journal/journal_read.h"
#include "store/journal/journal_state.h"
#include "store/leftovers.h"
#include "store/paths.h"
#include "store/store_measures.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static eg_status read_journal(eg_reading *out, const eg_paths *paths)
{
    EG_TRY(eg_journal_reading_init(out, paths));
    if (!out->state->has_plan) {
        return eg_fail(EG_INVALID,
                       "%s holds no sweep yet: its first run was interrupted while it began",
                       paths->journal);
    }
    return eg_journal_state_finish(out->state);
}

static eg_status warn_replay(eg_results_owner *owner, const eg_replay *replay,
                             const eg_paths *paths, bool writing)
{
    if (replay->torn && !writing) {
        EG_TRY(eg_results_owner_warn(
            owner,
            "%s ends with an incomplete record at byte %llu: a run was killed while "
            "writing; the next run cuts it off",
            paths->journal, (unsigned long long)replay->torn_at));
    }
    if (replay->spare_count > 0) {
        EG_TRY(eg_results_owner_warn(
            owner,
            "%s is damaged at byte %llu, in its header or plan, which it holds twice: nothing "
            "is lost, and `engram collect %s` or the next run repairs it",
            paths->journal, (unsigned long long)replay->spare_at, paths->file));
    }
    if (replay->damaged) {
        EG_TRY(eg_results_owner_warn(
            owner,
            "%s is damaged at byte %llu: %llu bytes in %zu places were skipped; "
            "trials whose results stood there count as not run",
            paths->journal, (unsigned long long)replay->damaged_at,
            (unsigned long long)replay->lost_bytes, replay->damaged_count));
    }
    return eg_ok();
}

static eg_status take_results(eg_results_owner **out, eg_reading *reading, const eg_paths *paths,
                              bool brief)
{
    eg_journal_state *state = reading->state;
    eg_results *results = &state->owner->results;
    EG_TRY(warn_replay(state->owner, &reading->replay, paths, reading->writer != NULL));
    if (reading->writer != NULL) {
        EG_TRY(eg_string_pool_add(&state->owner->pool, &results->writer, reading->writer));
    }
    for (size_t i = 0; i < results->trial_count; i++) {
        results->trials[i].losses = state->entries[i].losses;
        results->trials[i].pauses = state->entries[i].pauses;
        if (!brief || results->trials[i].status == EG_TRIAL_STOPPED) {
            EG_TRY(
                eg_journal_state_record(&results->trials[i].record, state, &reading->journal, i));
        }
    }
    *out = state->owner;
    state->owner = NULL;
    return eg_ok();
}

/** From the results file, because the journal cannot be read: `why`, which is the answer if that
 *  has nothing either. */
static eg_status load_instead(eg_results_owner **out, const eg_paths *paths, bool brief,
                              eg_status why)
{
    eg_results_owner *owner = NULL;
    eg_status status = eg_h5_load(&owner, paths->file, brief);
    size_t count = status.code == EG_OK ? eg_results_with_results(&owner->results) : 0;
    if (count > 0) {
        status = eg_results_owner_warn(
            owner,
            "%.300s; shown is what %s held when it was last written (results of %zu "
            "trials); `engram collect %s` makes the journal anew from both",
            why.message, paths->file, count, paths->file);
    }
    if (status.code == EG_OK && count > 0) {
        *out = owner;
        return eg_ok();
    }
    if (owner != NULL) {
        eg_results_free(&owner->results);
    }
    return status.code == EG_OK || status.code == EG_INVALID ? why : status;
}

static eg_status load_journal(eg_results_owner **out, const eg_paths *paths, bool brief,
                              bool has_file)
{
    eg_reading reading = EG_READING_NONE;
    eg_status status = read_journal(&reading, paths);
    if (status.code == EG_OK) {
        status = take_results(out, &reading, paths, brief);
    } else if (status.code == EG_INVALID && reading.replay.lost && has_file) {
        status = load_instead(out, paths, brief, status);
    }
    eg_journal_reading_clear(&reading);
    return status;
}

static eg_status load(eg_results_owner **out, const eg_paths *paths, bool brief)
{
    eg_path_kind journal = EG_PATH_NONE;
    eg_path_kind file = EG_PATH_NONE;
    EG_TRY(eg_path_look(paths->journal, &journal));
    EG_TRY(eg_path_look(paths->file, &file));
    if (journal == EG_PATH_FILE) {
        return load_journal(out, paths, brief, file == EG_PATH_FILE);
    }
    if (journal == EG_PATH_OTHER) {
        return eg_fail(EG_INVALID, "%s is not a regular file", paths->journal);
    }
    if (file == EG_PATH_NONE) {
        return eg_fail(EG_INVALID, "%s does not exist, and neither does %s", paths->file,
                       paths->journal);
    }
    if (file == EG_PATH_OTHER) {
        return eg_fail(EG_INVALID, "%s is not a file", paths->file);
    }
    return eg_h5_load(out, paths->file, brief);
}

static eg_status load_results(eg_results **out, const char *path, bool brief)
{
    *out = NULL;
    eg_paths paths = {0};
    eg_results_owner *owner = NULL;
    EG_TRY(eg_paths_init(&paths, path));
    eg_status status = load(&owner, &paths, brief);
    eg_paths_clear(&paths);
    if (status.code == EG_OK) {
        *out = &owner->results;
    }
    return status;
}

/** The journal at PATH, read into a journal state; NULL if there is none. */
static eg_status replay_journal(eg_journal_state **state, const char *path)
{
    eg_paths paths = {0};
    eg_path_kind kind = EG_PATH_NONE;
    eg_journal journal = EG_JOURNAL_NONE;
    eg_replay replay = {0};
    eg_status status = eg_ok();
    *state = NULL;
    EG_TRY_DONE(status, eg_paths_init(&paths, path));
    EG_TRY_DONE(status, eg_path_look(paths.journal, &kind));
    if (kind != EG_PATH_FILE) {
        goto done;
    }
    EG_TRY_DONE(status, eg_journal_state_create(state));
    EG_TRY_DONE(status, eg_journal_open(&journal, paths.journal, EG_JOURNAL_READ));
    status = eg_journal_replay(*state, &journal, &replay);
    if (status.code == EG_INVALID && replay.lost) {
        status = eg_fail(EG_INVALID, "%.400s (`engram check %s` says the way out)", status.message,
                         paths.file);
    }
done:
    eg_journal_close(&journal);
    eg_paths_clear(&paths);
    return status;
}

eg_status eg_results_begun(bool *out, const char *path)
{
    eg_paths paths = {0};
    eg_path_kind file = EG_PATH_NONE;
    eg_journal_state *state = NULL;
    eg_status status = eg_ok();
    *out = false;
    EG_TRY_DONE(status, eg_paths_init(&paths, path));
    EG_TRY_DONE(status, eg_path_look(paths.file, &file));
    EG_TRY_DONE(status, replay_journal(&state, path));
    *out = state != NULL ? state->has_plan : file != EG_PATH_NONE;
done:
    eg_journal_state_free(state);
    eg_paths_clear(&paths);
    return status;
}

eg_status eg_results_load(eg_results **out, const char *path)
{
    return load_results(out, path, false);
}

eg_status eg_results_load_brief(eg_results **out, const char *path)
{
    return load_results(out, path, true);
}

static eg_status look_up(eg_outcome *outcomes, const eg_journal_state *state, eg_journal *journal,
                         const eg_plan *plan)
{
    for (size_t i = 0; i < plan->trial_count; i++) {
        size_t at = eg_index_get(&state->ids, plan->trials[i].id);
        const eg_result *result = at == SIZE_MAX ? NULL : &state->owner->results.trials[at];
        if (result != NULL && result->status != EG_TRIAL_RUNNING) {
            outcomes[i] = (eg_outcome){.status = (uint8_t)result->status,
                                       .objective = result->objective,
                                       .reported = result->reported};
            EG_TRY(eg_store_lacks_measures(&outcomes[i].lacks_measures, state, journal, at,
                                           plan->points[plan->trials[i].point].settings));
        }
    }
    return eg_ok();
}

eg_status eg_store_look(eg_outcome *outcomes, const char *path, const eg_plan *plan)
{
    eg_journal_state *state = NULL;
    eg_paths paths = {0};
    eg_journal journal = EG_JOURNAL_NONE;
    for (size_t i = 0; i < plan->trial_count; i++) {
        outcomes[i] = (eg_outcome){
            .status = EG_TRIAL_PENDING, .objective = (double)NAN, .reported = (double)NAN};
    }
    eg_status status = replay_journal(&state, path);
    if (status.code == EG_OK && state != NULL) {
        EG_TRY_DONE(status, eg_paths_init(&paths, path));
        EG_TRY_DONE(status, eg_journal_open(&journal, paths.journal, EG_JOURNAL_READ));
        status = look_up(outcomes, state, &journal, plan);
    }
done:
    eg_journal_close(&journal);
    eg_paths_clear(&paths);
    eg_journal_state_free(state);
    return status;
}

eg_status eg_store_trials(eg_plan_trial **out, size_t *count, const char *path)
{
    eg_journal_state *state = NULL;
    *out = NULL;
    *count = 0;
    eg_status status = replay_journal(&state, path);
    if (status.code == EG_OK && state != NULL) {
        status = eg_alloc(out, state->plan_trials, sizeof **out);
    }
    for (; *out != NULL && *count < state->plan_trials; ++*count) {
        (*out)[*count] = eg_result_planned(&state->owner->results.trials[*count]);
    }
    eg_journal_state_free(state);
    return status;
}

eg_status eg_store_exchanges(eg_exchanges *out, const char *path)
{
    eg_journal_state *state = NULL;
    *out = (eg_exchanges){0};
    EG_TRY(replay_journal(&state, path));
    if (state != NULL) {
        *out = (eg_exchanges){.items = state->exchanges,
                              .count = state->exchange_count,
                              .begun = state->has_plan,
                              .owner = state};
    }
    return eg_ok();
}

void eg_exchanges_clear(eg_exchanges *exchanges)
{
    eg_journal_state_free(exchanges->owner);
    *exchanges = (eg_exchanges){0};
}

/** Refuses to replace a file by one that lacks results. */
static eg_status keep_fuller(const eg_paths *paths, const eg_results *journal)
{
    eg_path_kind kind = EG_PATH_NONE;
    eg_results_owner *owner = NULL;
    EG_TRY(eg_path_look(paths->file, &kind));
    eg_status loaded = kind == EG_PATH_NONE ? eg_ok() : eg_h5_load(&owner, paths->file, true);
    if (owner == NULL) {
        return loaded.code == EG_INVALID ? eg_ok() : loaded; /* there is nothing to lose */
    }
    size_t there = eg_results_finished(&owner->results);
    size_t left = eg_results_finished(journal);
    eg_results_free(&owner->results);
    if (there > left) {
        return eg_fail(EG_INVALID,
                       "%s is damaged and has %zu finished trials, %s has %zu: it is left as it is "
                       "(`engram check %s` says the way out)",
                       paths->journal, left, paths->file, there, paths->file);
    }
    return eg_ok();
}

/** Writes the file once. *grew: the journal is longer now than what was written. */
static eg_status collect_once(const eg_paths *paths, bool *grew)
{
    eg_reading reading = EG_READING_NONE;
    eg_journal later = EG_JOURNAL_NONE;
    char suffix[32];
    (void)snprintf(suffix, sizeof suffix, "%ld.tmp", (long)getpid());
    eg_status status = eg_ok();
    EG_TRY_DONE(status, read_journal(&reading, paths));
    const eg_results *results = &reading.state->owner->results;
    if (reading.replay.damaged) {
        EG_TRY_DONE(status, keep_fuller(paths, results));
    }
    EG_TRY_DONE(status,
                eg_h5_publish(reading.state, &reading.journal, paths, suffix, results->complete));
    EG_TRY_DONE(status, eg_journal_open(&later, paths->journal, EG_JOURNAL_READ));
    *grew = later.size > reading.journal.size;
done:
    eg_journal_close(&later);
    eg_journal_reading_clear(&reading);
    return status;
}

eg_status eg_store_collect(const char *path)
{
    enum { TRIES = 8 };
    eg_paths paths = {0};
    eg_path_kind journal = EG_PATH_NONE;
    eg_path_kind file = EG_PATH_NONE;
    bool ours = true;
    eg_status status = eg_ok();
    EG_TRY(eg_paths_init(&paths, path));
    EG_TRY_DONE(status, eg_path_look(paths.journal, &journal));
    EG_TRY_DONE(status, eg_path_look(paths.file, &file));
    if (journal != EG_PATH_FILE) {
        status = eg_fail(EG_INVALID, "%s does not exist: there is nothing to collect from",
                         paths.journal);
        goto done;
    }
    if (file == EG_PATH_FILE) {
        EG_TRY_DONE(status, eg_h5_is_results(paths.file, &ours));
    }
    if (!ours || file == EG_PATH_OTHER) {
        status =
            eg_fail(EG_INVALID, "%s is not a results file of engram; it is left alone", paths.file);
        goto done;
    }
    eg_remove_leftovers(&paths);
    /* The sweep's own last picture may have been replaced by an older one just now: again. */
    bool grew = true;
    for (int i = 0; i < TRIES && grew && status.code == EG_OK; i++) {
        status = collect_once(&paths, &grew);
    }
done:
    eg_paths_clear(&paths);
    return status;
}
