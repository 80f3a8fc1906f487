/** Writing a sweep's results: every event goes into the journal first and then, by the same code
 *  that reads journals, into the journal state. See engram/store.h. */
#include "engram/store.h"

#include "engram/clock.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "store/hdf5/h5_write.h"
#include "store/journal/journal.h"
#include "store/journal/journal_guard.h"
#include "store/journal/journal_read.h"
#include "store/journal/journal_state.h"
#include "store/paths.h"
#include "store/store_data.h"
#include "store/store_existing.h"
#include "store/store_lock.h"
#include "store/store_match.h"
#include "store/store_measures.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <unistd.h>

/** At most so often, however cheap it is. */
#define PUBLISH_SECONDS_MIN 2.0

struct eg_store {
    eg_paths paths;
    eg_lock lock;
    eg_journal journal;
    eg_guard guard;
    eg_journal_state *state;
    eg_writer payload;
    uint64_t published_end;   /* end of the journal when the result file was last written */
    double published_at;      /* … and when that was finished, monotonic seconds */
    double published_seconds; /* … and how long it took */
    bool created;             /* the journal did not exist before */
    bool ended;               /* the journal says that this run of the command is over */
    char *kept;               /* what the damaged journal is called that was written anew, NULL */
    char *change;             /* how the plan differs from that of the last run, NULL: not at all */
};

/** Appends the payload as a frame and applies it. */
static eg_status append(eg_store *store, eg_frame_type type, bool sync)
{
    eg_frame frame;
    /* A file that was cut would have its old length again behind what is written now. */
    EG_TRY(eg_guard_check(&store->guard, &store->journal, &store->paths));
    EG_TRY(eg_journal_append(&store->journal, type, &store->payload, eg_now(), sync, &frame));
    return eg_journal_state_apply(store->state, &frame);
}

/** A frame for the journal state before it is in the journal: plans that do not fit are found
 *  before anything is written. */
static eg_frame frame_to_try(eg_frame_type type, const eg_writer *payload, double time)
{
    eg_frame frame = {.type = (uint32_t)type,
                      .time = time,
                      .offset = UINT64_MAX,
                      .payload = payload->data,
                      .size = payload->size};
    return frame;
}

/** The first frames: header, exchanges and plan where they are missing, then the session. */
static eg_status write_beginning(eg_store *store, const eg_plan *plan, const eg_session *session)
{
    eg_writer planned = {0};
    eg_frame frame;
    double now = eg_now();
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_journal_plan_write(plan, &planned));
    eg_journal_state *state = store->state;
    bool changed = !state->has_plan || state->plan_hash != eg_hash64(planned.data, planned.size);
    if (changed && state->has_plan) {
        EG_TRY_DONE(status, eg_store_explain_change(&store->change, state, plan));
    }
    if (changed) {
        frame = frame_to_try(EG_FRAME_PLAN, &planned, now);
        EG_TRY_DONE(status,
                    eg_status_wrap(eg_journal_state_apply(state, &frame), "%s", store->paths.file));
    }
    if (store->journal.fd < 0) {
        EG_TRY_DONE(status,
                    eg_journal_open(&store->journal, store->paths.journal, EG_JOURNAL_CREATE));
        store->created = true;
    }
    EG_TRY_DONE(status, eg_journal_cut(&store->journal));
    if (store->journal.end == 0) {
        eg_writer_reset(&store->payload);
        eg_header_write(&store->payload, plan->space != NULL);
        EG_TRY_DONE(status, append(store, EG_FRAME_HEADER, false));
    }
    for (size_t i = 0; i < session->exchange_count; i++) {
        EG_TRY_DONE(status, eg_store_exchanged(store, &session->exchanges[i]));
    }
    if (changed) {
        EG_TRY_DONE(status,
                    eg_journal_append(&store->journal, EG_FRAME_PLAN, &planned, now, true, &frame));
    }
    eg_writer_reset(&store->payload);
    eg_session_write(session, &store->payload);
    EG_TRY_DONE(status, append(store, EG_FRAME_SESSION, true));
    status = eg_sync_directory(store->paths.directory);
done:
    eg_writer_clear(&planned);
    return status;
}

static eg_status fill_rungs(eg_store *store, const eg_plan *plan, size_t trial, eg_outcome *outcome)
{
    eg_record *record = NULL;
    EG_TRY(eg_journal_state_record_at(&record, store->state, &store->journal,
                                      store->state->entries[trial].curves));
    if (record != NULL) {
        eg_plan_measure(plan, record, outcome);
    }
    eg_record_free(record);
    return eg_ok();
}

static eg_status fill_outcomes(eg_store *store, const eg_plan *plan, eg_outcome *outcomes,
                               size_t first)
{
    const eg_results *results = &store->state->owner->results;
    bool rungs = eg_plan_has_rungs(plan);
    for (size_t i = first; i < plan->trial_count; i++) {
        eg_trial_status status = results->trials[i].status;
        outcomes[i] = (eg_outcome){
            .status = (uint8_t)(status == EG_TRIAL_RUNNING ? EG_TRIAL_PENDING : status),
            .objective = results->trials[i].objective,
            .reported = results->trials[i].reported};
        EG_TRY(eg_store_lacks_measures(&outcomes[i].lacks_measures, store->state, &store->journal,
                                       i, plan->points[plan->trials[i].point].settings));
        if (rungs || status == EG_TRIAL_PAUSED || status == EG_TRIAL_STOPPED) {
            EG_TRY(fill_rungs(store, plan, i, &outcomes[i]));
        }
    }
    return eg_ok();
}

static void destroy(eg_store *store)
{
    eg_journal_close(&store->journal);
    eg_guard_close(&store->guard);
    eg_store_lock_release(&store->lock);
    eg_paths_clear(&store->paths);
    eg_free(store->change);
    eg_free(store->kept);
    eg_journal_state_free(store->state);
    eg_writer_clear(&store->payload);
    eg_free(store);
}

/** A store that holds nothing yet; for destroy. */
static eg_status create(eg_store **out)
{
    EG_TRY(eg_alloc(out, 1, sizeof **out));
    (*out)->lock = EG_LOCK_NONE;
    (*out)->journal = EG_JOURNAL_NONE;
    (*out)->guard = EG_GUARD_NONE;
    return eg_ok();
}

eg_status eg_store_open(eg_store **out, const char *path, const eg_plan *plan,
                        const eg_session *session, eg_outcome *outcomes)
{
    *out = NULL;
    eg_store *store = NULL;
    EG_TRY(create(&store));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_paths_init(&store->paths, path));
    EG_TRY_DONE(status, eg_paths_check(&store->paths));
    EG_TRY_DONE(status, eg_store_lock_take(&store->lock, store->paths.lock, store->paths.file));
    EG_TRY_DONE(status, eg_guard_open(&store->guard, &store->paths));
    EG_TRY_DONE(status, eg_existing_read(&store->state, &store->journal, &store->kept,
                                         &store->paths, plan, true));
    EG_TRY_DONE(status, eg_store_check_data(store->state, session, store->paths.file));
    EG_TRY_DONE(status, write_beginning(store, plan, session));
    EG_TRY_DONE(status, fill_outcomes(store, plan, outcomes, 0));
    /* Last: whatever fails before it leaves no results file behind. */
    EG_TRY_DONE(status, eg_store_publish(store, eg_journal_state_complete(store->state)));
    *out = store;
    store = NULL;
done:
    if (store != NULL) {
        if (store->created) {
            (void)unlink(store->paths.journal); /* nothing half-written stays behind */
        }
        destroy(store);
    }
    return status;
}

eg_status eg_store_check_open(char **writer, const char *path, const eg_plan *plan)
{
    *writer = NULL;
    eg_store *store = NULL;
    EG_TRY(create(&store));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_paths_init(&store->paths, path));
    EG_TRY_DONE(status, eg_paths_check(&store->paths));
    EG_TRY_DONE(status, eg_paths_check_writable(&store->paths));
    EG_TRY_DONE(status, eg_existing_read(&store->state, &store->journal, &store->kept,
                                         &store->paths, plan, false));
    status = eg_journal_writer(writer, &store->paths, &store->journal, store->state);
done:
    destroy(store);
    return status;
}

const char *eg_store_change(const eg_store *store)
{
    return store->change == NULL ? "" : store->change;
}

const char *eg_store_kept(const eg_store *store)
{
    return store->kept;
}

eg_status eg_store_extend(eg_store *store, const eg_plan *plan, eg_outcome *outcomes)
{
    eg_journal_state *state = store->state;
    const eg_results *results = &state->owner->results;
    assert(plan->trial_count >= state->base_trials);
    bool known = plan->trial_count == state->plan_trials;
    for (size_t i = state->base_trials; known && i < plan->trial_count; i++) {
        known = results->trials[i].attempt.trial == plan->trials[i].id;
    }
    if (!known) {
        eg_writer *payload = &store->payload;
        eg_writer_reset(payload);
        eg_trials_write(plan->trials + state->base_trials, plan->trial_count - state->base_trials,
                        payload);
        EG_TRY(eg_writer_status(payload));
        double now = eg_now();
        eg_frame frame = frame_to_try(EG_FRAME_EXTEND, payload, now);
        EG_TRY(eg_status_wrap(eg_journal_state_apply(state, &frame), "%s", store->paths.file));
        EG_TRY(eg_journal_append(&store->journal, EG_FRAME_EXTEND, payload, now, true, &frame));
    }
    return fill_outcomes(store, plan, outcomes, 0);
}

/** What rules have cut [*count]; eg_free. What it points to is the pool's. */
static eg_status list_cut(eg_result **out, size_t *count, const eg_journal_state *state)
{
    const eg_results *results = &state->owner->results;
    *count = 0;
    EG_TRY(eg_alloc(out, state->plan_trials, sizeof **out));
    for (size_t i = 0; i < state->plan_trials; i++) {
        if (eg_trial_status_is_cut(results->trials[i].status)) {
            (*out)[(*count)++] = results->trials[i];
        }
    }
    return eg_ok();
}

static eg_status put_skipped(eg_store *store, uint64_t id, const char *why)
{
    eg_writer_reset(&store->payload);
    eg_write_u64(&store->payload, id);
    eg_write_text(&store->payload, why);
    return append(store, EG_FRAME_SKIPPED, false);
}

static eg_status append_plan(eg_store *store, const eg_plan *plan)
{
    double now = eg_now();
    EG_TRY(eg_guard_check(&store->guard, &store->journal, &store->paths));
    eg_writer_reset(&store->payload);
    EG_TRY(eg_journal_plan_write(plan, &store->payload));
    eg_frame frame = frame_to_try(EG_FRAME_PLAN, &store->payload, now);
    EG_TRY(eg_status_wrap(eg_journal_state_apply(store->state, &frame), "%s", store->paths.file));
    return eg_journal_append(&store->journal, EG_FRAME_PLAN, &store->payload, now, false, &frame);
}

eg_status eg_store_grow(eg_store *store, const eg_plan *plan, eg_outcome *outcomes, size_t first)
{
    eg_result *cut = NULL;
    size_t count = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, list_cut(&cut, &count, store->state));
    EG_TRY_DONE(status, append_plan(store, plan));
    /* A new plan opens them again. */
    for (size_t i = 0; i < count; i++) {
        EG_TRY_DONE(status, put_skipped(store, cut[i].attempt.trial, cut[i].message));
    }
    status = fill_outcomes(store, plan, outcomes, first);
done:
    eg_free(cut);
    return status;
}

eg_status eg_store_exchanged(eg_store *store, const eg_exchange *exchange)
{
    eg_writer_reset(&store->payload);
    eg_exchange_write(exchange, store->state->exchange_count, &store->payload);
    return append(store, EG_FRAME_EXCHANGE, false);
}

size_t eg_store_find(const eg_store *store, uint64_t id)
{
    size_t trial = eg_index_get(&store->state->ids, id);
    return trial < store->state->plan_trials ? trial : SIZE_MAX;
}

static uint64_t id_of(const eg_store *store, size_t trial)
{
    assert(trial < store->state->plan_trials);
    return store->state->owner->results.trials[trial].attempt.trial;
}

uint32_t eg_store_attempts(const eg_store *store, size_t trial)
{
    assert(trial < store->state->plan_trials);
    return store->state->entries[trial].attempts;
}

eg_status eg_store_started(eg_store *store, const eg_attempt *attempt)
{
    assert(eg_store_find(store, attempt->trial) != SIZE_MAX);
    eg_writer_reset(&store->payload);
    eg_started_write(attempt, &store->payload);
    return append(store, EG_FRAME_STARTED, false);
}

eg_status eg_store_finished(eg_store *store, const eg_attempt *attempt, eg_trial_status status,
                            const char *message, const eg_record *record)
{
    size_t trial = eg_store_find(store, attempt->trial);
    assert(trial != SIZE_MAX);
    assert(eg_trial_status_is_finished(status) || status == EG_TRIAL_PAUSED);
    const eg_result *result = &store->state->owner->results.trials[trial];
    if (eg_trial_status_is_result(result->status)) {
        return eg_fail(EG_INTERNAL, "the trial %016llx has a result already",
                       (unsigned long long)attempt->trial);
    }
    if (record != NULL) {
        eg_status declared = eg_journal_state_declares(store->state, record);
        if (declared.code != EG_OK) {
            return eg_fail(EG_INTERNAL, "%s", declared.message);
        }
    }
    if (message == NULL) {
        message = record != NULL ? eg_record_message(record) : "";
    }
    eg_writer_reset(&store->payload);
    eg_result_write(attempt, status, message, record, &store->payload);
    return append(store, EG_FRAME_RESULT, false);
}

eg_status eg_store_commit(eg_store *store)
{
    EG_TRY(eg_guard_check(&store->guard, &store->journal, &store->paths));
    return eg_journal_sync(&store->journal);
}

bool eg_store_has_journal(const eg_store *store)
{
    return !store->guard.lost;
}

uint32_t eg_store_losses(const eg_store *store, size_t trial)
{
    assert(trial < store->state->plan_trials);
    return store->state->entries[trial].losses;
}

eg_status eg_store_lost(eg_store *store, const eg_attempt *attempt, bool was_running,
                        const char *why)
{
    assert(eg_store_find(store, attempt->trial) != SIZE_MAX);
    eg_writer_reset(&store->payload);
    eg_lost_write(attempt, was_running, why, &store->payload);
    return append(store, EG_FRAME_LOST, false);
}

eg_status eg_store_skipped(eg_store *store, size_t trial, const char *why)
{
    uint64_t id = id_of(store, trial);
    if (eg_trial_status_is_finished(store->state->owner->results.trials[trial].status)) {
        return eg_fail(EG_INTERNAL, "the trial %016llx has a result and cannot be skipped",
                       (unsigned long long)id);
    }
    return put_skipped(store, id, why);
}

eg_status eg_store_redo(eg_store *store, size_t trial)
{
    eg_writer_reset(&store->payload);
    eg_write_u64(&store->payload, id_of(store, trial));
    return append(store, EG_FRAME_REDO, false);
}

eg_status eg_store_earlier(eg_record **out, eg_store *store, size_t trial)
{
    const eg_journal_state *state = store->state;
    size_t earlier = state->entries[trial].earlier;
    uint64_t frame = earlier == 0 ? 0 : state->earlier[earlier - 1].frame;
    return eg_journal_state_record_at(out, state, &store->journal, frame);
}

eg_status eg_store_publish(eg_store *store, bool complete)
{
    double start = eg_clock();
    uint64_t end = store->journal.end;
    EG_TRY(eg_guard_check(&store->guard, &store->journal, &store->paths));
    eg_journal_state_exchange_earlier(store->state);
    eg_status status = eg_h5_publish(store->state, &store->journal, &store->paths, "tmp", complete);
    eg_journal_state_exchange_earlier(store->state);
    store->published_at = eg_clock();
    store->published_seconds = store->published_at - start;
    if (status.code == EG_OK) {
        store->published_end = end;
    } else if (status.code == EG_INVALID && store->published_end > 0) {
        /* What this process wrote does not read back. */
        EG_TRY(eg_guard_check(&store->guard, &store->journal, &store->paths));
        store->guard.lost = store->journal.broken = true;
        status = eg_fail(EG_SYSTEM, "%.400s: somebody changed the journal while the sweep ran",
                         status.message);
    }
    return status;
}

eg_status eg_store_publish_if_due(eg_store *store, double share)
{
    double wait = fmax(PUBLISH_SECONDS_MIN, store->published_seconds / share);
    if (store->journal.end == store->published_end || eg_clock() - store->published_at < wait) {
        return eg_ok();
    }
    return eg_store_publish(store, eg_journal_state_complete(store->state));
}

eg_status eg_store_end(eg_store *store, const char *why)
{
    eg_writer_reset(&store->payload);
    eg_write_text(&store->payload, why);
    store->ended = true;
    return append(store, EG_FRAME_SESSION_END, true);
}

eg_status eg_store_close(eg_store *store, const char *why)
{
    if (store == NULL) {
        return eg_ok();
    }
    eg_status status = store->ended ? eg_ok() : eg_store_end(store, why);
    destroy(store);
    return status;
}
