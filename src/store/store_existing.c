/** What is at the place where results are to go; see store/store_existing.h. */
#include "store/store_existing.h"

#include "store/hdf5/h5_read.h"
#include "store/journal/journal_repair.h"
#include "store/store_match.h"

/** The journal is read as far as it goes; without a plan there, it may have lost one. */
static eg_status check_lost(const eg_paths *paths)
{
    eg_path_kind kind = EG_PATH_NONE;
    eg_results_owner *owner = NULL;
    EG_TRY(eg_path_look(paths->file, &kind));
    eg_status status = kind == EG_PATH_FILE ? eg_h5_load(&owner, paths->file, true) : eg_ok();
    size_t count = owner == NULL ? 0 : eg_results_with_results(&owner->results);
    eg_results_free(owner == NULL ? NULL : &owner->results);
    if (status.code != EG_OK && status.code != EG_INVALID) {
        return status;
    }
    return count == 0
               ? eg_ok()
               : eg_fail(EG_INVALID,
                         "%s holds no sweep, but %s has results of %zu trials; `engram collect %s` "
                         "makes the journal anew",
                         paths->journal, paths->file, count, paths->file);
}

static eg_status check_replay(eg_status replayed, const eg_replay *replay, const eg_paths *paths)
{
    if (replayed.code == EG_INVALID && replay->lost) {
        return eg_fail(EG_INVALID, "%.400s (`engram check %s` says the way out)", replayed.message,
                       paths->file);
    }
    EG_TRY(replayed);
    if (replay->damaged) {
        return eg_fail(
            EG_INVALID,
            "%s is damaged at byte %llu, with sound records after it; nothing will be "
            "added to it (what is intact can be read; `engram check %s` says the way out)",
            paths->journal, (unsigned long long)replay->damaged_at, paths->file);
    }
    return replay->lost ? check_lost(paths) : eg_ok();
}

static eg_status read_once(eg_journal_state **state, eg_journal *journal, eg_replay *replay,
                           const eg_paths *paths, bool writes)
{
    EG_TRY(eg_journal_state_create(state));
    EG_TRY(eg_journal_open(journal, paths->journal, writes ? EG_JOURNAL_WRITE : EG_JOURNAL_READ));
    eg_status replayed = eg_journal_replay(*state, journal, replay);
    return check_replay(replayed, replay, paths);
}

eg_status eg_existing_read(eg_journal_state **state, eg_journal *journal, char **kept,
                           const eg_paths *paths, const eg_plan *plan, bool writes)
{
    eg_path_kind kind = EG_PATH_NONE;
    eg_replay replay = {0};
    EG_TRY(eg_path_look(paths->journal, &kind));
    EG_TRY(eg_store_check_file(paths, kind != EG_PATH_NONE));
    if (kind == EG_PATH_NONE) {
        return eg_journal_state_create(state);
    }
    EG_TRY(read_once(state, journal, &replay, paths, writes));
    if (writes && replay.spare_count > 0) {
        eg_journal_close(journal);
        eg_journal_state_free(*state);
        *state = NULL;
        EG_TRY(eg_journal_repair(kept, paths));
        EG_TRY(read_once(state, journal, &replay, paths, writes));
    }
    eg_journal_state_forget_running(*state);
    return eg_store_match(*state, plan, paths->file);
}
