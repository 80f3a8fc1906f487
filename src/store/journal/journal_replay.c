/** Reading a whole journal into a journal state, and what a reader is told about it. */
#include "store/journal/journal_state.h"

#include "engram/memory.h"

static eg_status check_first(const eg_replay *replay, const eg_frame *frame, const char *path)
{
    if (replay->frames == 0 && frame->type != EG_FRAME_HEADER) {
        return eg_fail(EG_INVALID, "%s: its beginning is damaged", path);
    }
    return eg_ok();
}

/** A file without one valid frame is a journal only if it is the torn beginning of one. */
static eg_status check_empty(eg_journal *journal, const eg_replay *replay)
{
    if (replay->frames > 0) {
        return eg_ok();
    }
    bool torn = false;
    EG_TRY(eg_journal_is_torn_header(journal, &torn));
    return torn ? eg_ok()
                : eg_fail(EG_INVALID, "%s is not an engram journal, or its beginning is damaged",
                          journal->path);
}

static void note_damage(eg_replay *replay, uint64_t from, uint64_t to)
{
    if (!replay->damaged) {
        replay->damaged = true;
        replay->damaged_at = from;
    }
    replay->damaged_count++;
    replay->lost_bytes += to - from;
}

/** What is about a trial or a session changes nothing when it is refused, and the plan it is about
 *  may stand on the far side of the damage, or the session have begun in it. */
static bool may_be_dropped(const eg_journal_state *state, uint32_t type)
{
    return state->has_plan && type != EG_FRAME_HEADER && type != EG_FRAME_PLAN &&
           type != EG_FRAME_EXTEND;
}

static eg_status replay_frames(eg_journal_state *state, eg_journal *journal, eg_replay *replay)
{
    for (;;) {
        eg_frame frame = {0};
        eg_found found = EG_FOUND_END;
        uint64_t offset = 0;
        EG_TRY(eg_journal_next(journal, &frame, &found, &offset));
        if (found == EG_FOUND_DAMAGE) {
            note_damage(replay, offset, journal->end);
            continue;
        }
        if (found != EG_FOUND_FRAME) {
            replay->torn = found == EG_FOUND_TORN;
            replay->torn_at = offset;
            return check_empty(journal, replay);
        }
        EG_TRY(check_first(replay, &frame, journal->path));
        replay->frames++;
        eg_status status = eg_journal_state_apply(state, &frame);
        if (status.code == EG_INVALID && replay->damaged && may_be_dropped(state, frame.type)) {
            note_damage(replay, frame.offset, journal->end);
            continue;
        }
        if (status.code == EG_INVALID && replay->damaged) {
            return eg_fail(EG_INVALID,
                           "%s is damaged at byte %llu, and the record at byte %llu means nothing "
                           "without what stood there: %.200s",
                           journal->path, (unsigned long long)replay->damaged_at,
                           (unsigned long long)frame.offset, status.message);
        }
        EG_TRY(eg_status_wrap(status, "%s: the record at byte %llu", journal->path,
                              (unsigned long long)frame.offset));
    }
}

eg_status eg_journal_replay(eg_journal_state *state, eg_journal *journal, eg_replay *replay)
{
    *replay = (eg_replay){0};
    eg_status status = replay_frames(state, journal, replay);
    replay->spare_count = journal->twice.damaged;
    replay->spare_at = journal->twice.damaged_at;
    /* A whole record that means nothing without any damage is not ours to judge: a newer version's.
     * */
    replay->lost = status.code == EG_OK
                       ? !state->has_plan
                       : status.code == EG_INVALID && (replay->damaged || replay->frames == 0);
    return status;
}

/** What is shown is not where these trials stand. */
static eg_status warn_earlier(eg_journal_state *state)
{
    size_t open = 0;
    size_t failed = 0;
    const char *why = "";
    for (size_t i = 0; i < state->owner->results.trial_count; i++) {
        const eg_result *result = &state->owner->results.trials[i];
        bool finished = eg_trial_status_is_finished(result->status);
        if (state->entries[i].earlier != 0) {
            open += finished ? 0 : 1;
            failed += finished ? 1 : 0;
            why = finished ? result->message : why;
        }
    }
    if (open > 0) {
        EG_TRY(eg_results_owner_warn(
            state->owner,
            "%zu finished trials are to be run again (--redo); their earlier results "
            "are shown until the new ones are there",
            open));
    }
    return failed == 0 ? eg_ok()
                       : eg_results_owner_warn(
                             state->owner,
                             "%zu trials failed when they were run again (the last: %.200s); "
                             "their earlier results are shown",
                             failed, why);
}

/** The trials that are known are not all there will be. */
static eg_status warn_suggestions(eg_journal_state *state)
{
    size_t suggested = eg_journal_state_suggested(state);
    size_t wanted = eg_journal_state_wanted(state);
    return suggested >= wanted
               ? eg_ok()
               : eg_results_owner_warn(state->owner,
                                       "the tuner has suggested %zu of %zu points so far",
                                       suggested, wanted);
}

eg_status eg_journal_state_finish(eg_journal_state *state)
{
    for (size_t i = 0; i < state->session_count; i++) {
        char *text = NULL;
        EG_TRY(eg_session_text(&text, &state->sessions[i]));
        eg_status status = eg_results_owner_add_session(state->owner, text);
        eg_free(text);
        EG_TRY(status);
    }
    state->owner->results.complete = eg_journal_state_complete(state);
    EG_TRY(warn_suggestions(state));
    EG_TRY(warn_earlier(state));
    eg_journal_state_exchange_earlier(state);
    return eg_results_owner_warn_mixed(state->owner);
}
