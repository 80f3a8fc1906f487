/** The state: applying a journal's frames one after the other; see
 *  store/journal/journal_state.h. */
#include "store/journal/journal_state.h"

#include "engram/memory.h"

eg_status eg_journal_state_create(eg_journal_state **out)
{
    *out = NULL;
    eg_journal_state *state = NULL;
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    eg_status status = eg_results_owner_create(&state->owner);
    if (status.code != EG_OK) {
        eg_journal_state_free(state);
        return status;
    }
    *out = state;
    return eg_ok();
}

void eg_journal_state_free(eg_journal_state *state)
{
    if (state == NULL) {
        return;
    }
    if (state->owner != NULL) {
        eg_results_free(&state->owner->results);
    }
    eg_free(state->entries);
    eg_free(state->earlier);
    eg_free(state->sessions);
    eg_free(state->exchanges);
    eg_index_clear(&state->ids);
    eg_free(state);
}

static eg_status apply_session(eg_journal_state *state, eg_reader *reader)
{
    eg_journal_state_forget_running(state);
    EG_TRY(eg_grow(&state->sessions, &state->session_capacity, state->session_count + 1,
                   sizeof *state->sessions));
    EG_TRY(eg_session_read(&state->sessions[state->session_count], &state->owner->pool, reader));
    if (state->session_count == 0) {
        state->owner->results.created = state->sessions[0].start;
    }
    state->session_count++;
    return eg_ok();
}

static eg_status apply_session_end(eg_journal_state *state, eg_reader *reader, double time)
{
    if (state->session_count == 0) {
        return eg_fail(EG_INVALID, "a session ends that never began");
    }
    eg_journal_state_forget_running(state);
    eg_session_image *session = &state->sessions[state->session_count - 1];
    char *why = NULL;
    EG_TRY(eg_string_pool_read(&state->owner->pool, &why, reader));
    EG_TRY(eg_reader_status(reader, true));
    session->why = why;
    session->end = time;
    return eg_ok();
}

static eg_status apply_exchange(eg_journal_state *state, eg_reader *reader)
{
    eg_exchange exchange;
    EG_TRY(eg_exchange_read(&exchange, state->exchange_count, &state->owner->pool, reader));
    EG_TRY(eg_grow(&state->exchanges, &state->exchange_capacity, state->exchange_count + 1,
                   sizeof *state->exchanges));
    state->exchanges[state->exchange_count++] = exchange;
    return eg_ok();
}

size_t eg_journal_state_suggested(const eg_journal_state *state)
{
    size_t suggested = 0;
    for (size_t i = 0; i < state->exchange_count; i++) {
        suggested += state->exchanges[i].suggested;
    }
    return suggested;
}

size_t eg_journal_state_wanted(const eg_journal_state *state)
{
    return state->exchange_count == 0 ? 0 : state->exchanges[state->exchange_count - 1].wanted;
}

static eg_status dispatch(eg_journal_state *state, const eg_frame *frame, eg_reader *reader)
{
    switch (frame->type) {
    case EG_FRAME_HEADER:
        return frame->offset == 0 ? eg_header_read(reader) : eg_fail(EG_INVALID, "a second header");
    case EG_FRAME_PLAN:
        return eg_journal_state_apply_plan(state, reader);
    case EG_FRAME_EXTEND:
        return eg_journal_state_apply_extend(state, reader);
    case EG_FRAME_SESSION:
        return apply_session(state, reader);
    case EG_FRAME_SESSION_END:
        return apply_session_end(state, reader, frame->time);
    case EG_FRAME_STARTED:
        return eg_journal_state_apply_started(state, reader);
    case EG_FRAME_RESULT:
        return eg_journal_state_apply_result(state, reader, frame->offset);
    case EG_FRAME_SKIPPED:
        return eg_journal_state_apply_skipped(state, reader);
    case EG_FRAME_REDO:
        return eg_journal_state_apply_redo(state, reader);
    case EG_FRAME_LOST:
        return eg_journal_state_apply_lost(state, reader);
    case EG_FRAME_EXCHANGE:
        return apply_exchange(state, reader);
    default:
        return eg_fail(EG_INVALID, "unknown type %u", (unsigned)frame->type);
    }
}

eg_status eg_journal_state_apply(eg_journal_state *state, const eg_frame *frame)
{
    eg_reader reader = eg_reader_make(frame->payload, frame->size);
    EG_TRY(dispatch(state, frame, &reader));
    if (frame->time > state->owner->results.last_activity) {
        state->owner->results.last_activity =
            frame->time; /* merged journals are not in order of time */
    }
    return eg_ok();
}

eg_status eg_journal_state_record(eg_record **out, const eg_journal_state *state,
                                  eg_journal *journal, size_t trial)
{
    return eg_journal_state_record_at(out, state, journal, state->entries[trial].frame);
}

eg_status eg_journal_state_record_at(eg_record **out, const eg_journal_state *state,
                                     eg_journal *journal, uint64_t offset)
{
    *out = NULL;
    if (offset == 0) {
        return eg_ok();
    }
    eg_frame frame;
    EG_TRY(eg_journal_read(journal, offset, &frame));
    eg_reader reader = eg_reader_make(frame.payload, frame.size);
    eg_event event = {0};
    EG_TRY(eg_result_read(&event, &state->owner->pool, &reader));
    *out = event.record;
    return eg_ok();
}

const eg_session_image *eg_journal_state_session(const eg_journal_state *state, size_t trial)
{
    size_t session = state->owner->results.trials[trial].session;
    return session < state->session_count ? &state->sessions[session] : NULL;
}

bool eg_journal_state_complete(const eg_journal_state *state)
{
    for (size_t i = 0; i < state->plan_trials; i++) {
        eg_trial_status status = state->owner->results.trials[i].status;
        if (!eg_trial_status_is_finished(status) && !eg_trial_status_is_cut(status)) {
            return false;
        }
    }
    return state->has_plan && eg_journal_state_suggested(state) >= eg_journal_state_wanted(state);
}
