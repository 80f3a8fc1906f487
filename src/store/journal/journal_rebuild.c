/** A journal out of a results file and a damaged journal; see store/journal/journal_rebuild.h. */
#include "store/journal/journal_rebuild.h"

#include "engram/memory.h"
#include "store/journal/journal_entries.h"
#include "store/journal/journal_state.h"

#include <math.h>
#include <string.h>

typedef struct rebuild {
    eg_journal *out;
    eg_journal_state *state; /* of what `out` holds */
    const eg_results *file;
    eg_index ids; /* of the file's trials */
    eg_writer payload;
    /* the file has trials of earlier versions of the sweep, and the plan that counts is still to
     * come */
    bool earlier;
    bool newer; /* the journal has a plan that was made after the file was written */
} rebuild;

static eg_status put_writer(rebuild *r, uint32_t type, const eg_writer *payload, double time)
{
    EG_TRY(eg_writer_status(payload));
    eg_frame frame = {.type = type,
                      .time = time,
                      .offset = r->out->end,
                      .payload = payload->data,
                      .size = payload->size};
    EG_TRY(eg_journal_state_apply(r->state, &frame));
    return eg_journal_append(r->out, (eg_frame_type)type, payload, time, false, &frame);
}

static eg_status put(rebuild *r, uint32_t type, double time)
{
    return put_writer(r, type, &r->payload, time);
}

/** --- Plans ----------------------------------------------------------------------------------- */

/** The file's trials of the stages first … last; a new list. */
static eg_status list_trials(eg_plan_trial **out, size_t *count, const eg_results *file,
                             eg_stage first, eg_stage last)
{
    *count = 0;
    EG_TRY(eg_alloc(out, file->trial_count, sizeof **out));
    for (size_t i = 0; i < file->trial_count; i++) {
        const eg_result *trial = &file->trials[i];
        if (trial->stage >= first && trial->stage <= last) {
            (*out)[(*count)++] = eg_result_planned(trial);
        }
    }
    return eg_ok();
}

/** How many points the trials of the stages from `first` on have: those of earlier versions come
 *  last. */
static size_t count_points(const eg_results *file, eg_stage first)
{
    size_t points = 0;
    for (size_t i = 0; i < file->trial_count; i++) {
        const eg_result *trial = &file->trials[i];
        if (trial->stage >= first && trial->point >= points) {
            points = (size_t)trial->point + 1;
        }
    }
    return points;
}

static eg_status put_plan(rebuild *r, const char *text, eg_stage first, eg_stage last)
{
    eg_plan_trial *trials = NULL;
    size_t count = 0;
    EG_TRY(list_trials(&trials, &count, r->file, first, last));
    eg_writer_reset(&r->payload);
    eg_status status = eg_journal_plan_write_stored(r->file, text, count_points(r->file, first),
                                                    trials, count, &r->payload);
    eg_free(trials);
    return status.code == EG_OK ? put(r, EG_FRAME_PLAN, r->file->created) : status;
}

static eg_status put_second_stage(rebuild *r)
{
    eg_plan_trial *trials = NULL;
    size_t count = 0;
    EG_TRY(list_trials(&trials, &count, r->file, EG_STAGE_SECOND, EG_STAGE_SECOND));
    eg_writer_reset(&r->payload);
    eg_trials_write(trials, count, &r->payload);
    eg_free(trials);
    return count == 0 ? eg_ok() : put(r, EG_FRAME_EXTEND, r->file->created);
}

/** The plan that counts. */
static eg_status put_current(rebuild *r)
{
    r->earlier = false;
    EG_TRY(put_plan(r, r->file->text, EG_STAGE_FIRST, EG_STAGE_FIRST));
    return put_second_stage(r);
}

static eg_status put_beginning(rebuild *r)
{
    eg_writer_reset(&r->payload);
    eg_header_write(&r->payload, true); /* what follows may have exchanges */
    EG_TRY(put(r, EG_FRAME_HEADER, r->file->created));
    for (size_t i = 0; i < r->file->trial_count; i++) {
        r->earlier = r->earlier || r->file->trials[i].stage == EG_STAGE_EARLIER;
        EG_TRY(eg_index_put(&r->ids, r->file->trials[i].attempt.trial, i));
    }
    /* Of earlier versions only the trials are known: one of another text has them all. */
    return r->earlier ? put_plan(r, "", EG_STAGE_EARLIER, EG_STAGE_SECOND) : put_current(r);
}

/** --- Sessions -------------------------------------------------------------------------------- */

/** Begins the file's session `k` again, unless it is the one that is open. */
static eg_status begin_session(rebuild *r, size_t k, double *end, char **why)
{
    *end = (double)NAN;
    if (k >= r->file->session_count) {
        return eg_ok();
    }
    eg_session_image wanted = {0};
    const eg_journal_state *state = r->state;
    eg_writer_reset(&r->payload);
    EG_TRY(eg_session_write_stored(r->file->sessions[k], &r->payload, end, why));
    eg_reader reader = eg_reader_make(r->payload.data, r->payload.size);
    EG_TRY(eg_session_read(&wanted, &r->state->owner->pool, &reader));
    if (state->session_count > 0) {
        const eg_session_image *last = &state->sessions[state->session_count - 1];
        if (last->start == wanted.start && last->pid == wanted.pid &&
            strcmp(last->host, wanted.host) == 0) {
            return eg_ok();
        }
    }
    return put(r, EG_FRAME_SESSION, wanted.start);
}

/** The record of the session in which a result came may be lost; the file has it. */
static eg_status begin_session_of(rebuild *r, const eg_frame *frame)
{
    eg_reader reader = eg_reader_make(frame->payload, frame->size);
    size_t at = eg_index_get(&r->ids, eg_read_u64(&reader));
    uint32_t attempt = eg_read_u32(&reader);
    if (at == SIZE_MAX || r->file->trials[at].attempt.number != attempt ||
        !eg_trial_status_is_finished(r->file->trials[at].status)) {
        return eg_ok();
    }
    double end = 0;
    char *why = NULL;
    eg_status status = begin_session(r, r->file->trials[at].session, &end, &why);
    eg_free(why);
    return status;
}

/** --- What the damaged journal has ------------------------------------------------------------ */

static eg_status copy_frame(rebuild *r, const eg_frame *frame)
{
    bool plan = frame->type == EG_FRAME_PLAN || frame->type == EG_FRAME_EXTEND;
    bool newer = frame->time > r->file->last_activity;
    if (frame->type == EG_FRAME_HEADER || (plan && !newer)) {
        return eg_ok(); /* the file's are as new */
    }
    if (newer && r->earlier) {
        EG_TRY(put_current(r));
    }
    if (frame->type == EG_FRAME_RESULT) {
        EG_TRY(begin_session_of(r, frame));
    }
    eg_writer_reset(&r->payload);
    eg_write_bytes(&r->payload, frame->payload, frame->size);
    eg_status status = put(r, frame->type, frame->time);
    r->newer = r->newer || frame->type == EG_FRAME_PLAN;
    /* About a trial of no plan, or of a session whose beginning is lost: it changed nothing. */
    return status.code == EG_INVALID && !plan ? eg_ok() : status;
}

static eg_status copy_frames(rebuild *r, eg_journal *damaged)
{
    eg_found found = EG_FOUND_FRAME;
    eg_journal_rewind(damaged);
    while (found == EG_FOUND_FRAME || found == EG_FOUND_DAMAGE) {
        eg_frame frame = {0};
        uint64_t offset = 0;
        EG_TRY(eg_journal_next(damaged, &frame, &found, &offset));
        if (found == EG_FOUND_FRAME) {
            EG_TRY(copy_frame(r, &frame));
        }
    }
    return eg_ok();
}

/** --- What only the file has ------------------------------------------------------------------ */

static bool is_missing(const rebuild *r, const eg_result *trial)
{
    size_t at = eg_index_get(&r->state->ids, trial->attempt.trial);
    if (at == SIZE_MAX || r->state->entries[at].redone > 0) {
        return false;
    }
    const eg_result *there = &r->state->owner->results.trials[at];
    bool more =
        eg_trial_status_is_finished(trial->status) || eg_trial_status_has_record(trial->status);
    return more && !eg_trial_status_is_finished(there->status) &&
           (eg_trial_status_is_finished(trial->status) || r->state->entries[at].curves == 0);
}

static eg_status put_result(rebuild *r, const eg_result *trial, eg_trial_status status,
                            const eg_record *record)
{
    const char *message = status == trial->status ? trial->message : "";
    eg_writer_reset(&r->payload);
    eg_result_write(&trial->attempt, status, message, record, &r->payload);
    return put(r, EG_FRAME_RESULT, r->file->last_activity);
}

static eg_status put_trial(rebuild *r, const eg_result *trial)
{
    bool finished = eg_trial_status_is_finished(trial->status);
    size_t at = eg_index_get(&r->state->ids, trial->attempt.trial);
    uint32_t pauses = finished ? trial->pauses : trial->pauses - (trial->pauses > 0 ? 1 : 0);
    for (uint32_t i = r->state->entries[at].pauses; i < pauses; i++) {
        EG_TRY(put_result(r, trial, EG_TRIAL_PAUSED, NULL));
    }
    return put_result(r, trial, finished ? trial->status : EG_TRIAL_PAUSED, trial->record);
}

/** The results of one session, SIZE_MAX: of none. */
static eg_status put_results(rebuild *r, size_t session)
{
    double end = (double)NAN;
    char *why = NULL;
    bool any = false;
    eg_status status = eg_ok();
    for (size_t i = 0; i < r->file->trial_count; i++) {
        const eg_result *trial = &r->file->trials[i];
        if (trial->session != session || !is_missing(r, trial)) {
            continue;
        }
        if (!any) {
            EG_TRY_DONE(status, begin_session(r, session, &end, &why));
            any = true;
        }
        EG_TRY_DONE(status, put_trial(r, trial));
    }
    if (any && !isnan(end)) {
        eg_writer_reset(&r->payload);
        eg_write_text(&r->payload, why);
        status = put(r, EG_FRAME_SESSION_END, end);
    }
done:
    eg_free(why);
    return status;
}

/** What a rule cut. Under an earlier plan it may have cut what the file shows open. */
static eg_status put_cuts(rebuild *r)
{
    bool again = r->earlier;
    if (r->newer) {
        return eg_ok(); /* its rules decide anew */
    }
    for (size_t i = 0; i < r->file->trial_count && !again; i++) {
        size_t at = eg_index_get(&r->state->ids, r->file->trials[i].attempt.trial);
        again = at != SIZE_MAX &&
                eg_trial_status_is_cut(r->state->owner->results.trials[at].status) &&
                !eg_trial_status_is_cut(r->file->trials[i].status);
    }
    if (again) {
        EG_TRY(put_current(r));
    }
    for (size_t i = 0; i < r->file->trial_count; i++) {
        const eg_result *trial = &r->file->trials[i];
        size_t at = eg_index_get(&r->state->ids, trial->attempt.trial);
        if (!eg_trial_status_is_cut(trial->status) || at == SIZE_MAX ||
            r->state->entries[at].redone > 0) {
            continue;
        }
        eg_trial_status there = r->state->owner->results.trials[at].status;
        if (!eg_trial_status_is_cut(there) && !eg_trial_status_is_finished(there)) {
            eg_writer_reset(&r->payload);
            eg_write_u64(&r->payload, trial->attempt.trial);
            eg_write_text(&r->payload, trial->message);
            EG_TRY(put(r, EG_FRAME_SKIPPED, r->file->last_activity));
        }
    }
    return eg_ok();
}

eg_status eg_journal_rebuild(eg_journal *out, eg_journal *damaged, const eg_results *file)
{
    rebuild r = {.out = out, .file = file};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_journal_state_create(&r.state));
    EG_TRY_DONE(status, put_beginning(&r));
    EG_TRY_DONE(status, copy_frames(&r, damaged));
    EG_TRY_DONE(status, put_results(&r, SIZE_MAX));
    for (size_t i = 0; i < file->session_count; i++) {
        EG_TRY_DONE(status, put_results(&r, i));
    }
    status = put_cuts(&r);
done:
    eg_journal_state_free(r.state);
    eg_index_clear(&r.ids);
    eg_writer_clear(&r.payload);
    return status;
}
