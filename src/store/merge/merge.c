/** Joining results files; see engram/store.h and store/merge/merge.h. */
#include "engram/store.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/hdf5/h5_write.h"
#include "store/merge/merge.h"
#include "store/store_lock.h"
#include "store/store_match.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** The merged file, and what goes into it. */
typedef struct merge {
    eg_paths paths;
    eg_lock lock;
    bool exists; /* the merged file goes on from an earlier merge or run */
    char *temporary;
    eg_journal journal;
    eg_journal_state *state;
    eg_writer payload;
    eg_merge_source *sources;
    size_t source_count;
    eg_merge_groups groups;
    uint64_t base;     /* of the plan that counts now, 0: none yet */
    eg_index sessions; /* hashes of the SESSION frames that are there */
    eg_writer notes;
} merge;

/** --- Writing --------------------------------------------------------------------------------- */

/** Appends a frame and applies it. */
static eg_status put(merge *m, uint32_t type, const void *payload, size_t size, double time)
{
    eg_frame frame;
    eg_writer_reset(&m->payload);
    eg_write_bytes(&m->payload, payload, size);
    EG_TRY(eg_journal_append(&m->journal, (eg_frame_type)type, &m->payload, time, false, &frame));
    return eg_status_wrap(eg_journal_state_apply(m->state, &frame), "%s", m->paths.file);
}

static eg_status put_frame(merge *m, const eg_frame *frame)
{
    return put(m, frame->type, frame->payload, frame->size, frame->time);
}

static bool has_exchanges(const merge *m)
{
    bool any = false;
    for (size_t i = 0; i < m->source_count; i++) {
        any = any || m->sources[i].state->exchange_count > 0;
    }
    return any;
}

/** Of today's format, whatever that of the sources is. */
static eg_status put_header(merge *m, double time)
{
    eg_writer payload = {0};
    eg_header_write(&payload, has_exchanges(m));
    eg_status status = eg_writer_status(&payload);
    if (status.code == EG_OK) {
        status = put(m, EG_FRAME_HEADER, payload.data, payload.size, time);
    }
    eg_writer_clear(&payload);
    return status;
}

/** What a rule cut stays cut: another plan would open it again, but this one has the same rules. */
static eg_status put_skipped(merge *m, uint64_t id, const char *why, double time)
{
    eg_writer payload = {0};
    eg_write_u64(&payload, id);
    eg_write_text(&payload, why);
    eg_status status = eg_writer_status(&payload);
    if (status.code == EG_OK) {
        status = put(m, EG_FRAME_SKIPPED, payload.data, payload.size, time);
    }
    eg_writer_clear(&payload);
    return status;
}

static bool has_second_stage(const eg_journal_state *state, const eg_merge_group *group)
{
    bool same = state->plan_trials - state->base_trials == group->trial_count - group->first_count;
    for (size_t i = group->first_count; same && i < group->trial_count; i++) {
        size_t at = eg_index_get(&state->ids, group->trials[i].id);
        same = at != SIZE_MAX && at >= state->base_trials && at < state->plan_trials;
    }
    return same;
}

/** Makes the group's plan the one that counts, unless it does already. */
static eg_status put_plan(merge *m, const eg_merge_group *group)
{
    const eg_journal_state *state = m->state;
    const eg_results *results = &state->owner->results;
    const eg_writer *plan = &group->plan;
    double time = results->last_activity > group->time ? results->last_activity : group->time;
    size_t count = state->plan_trials;
    size_t cuts = 0;
    eg_result *cut = NULL; /* by a rule; what they point to is the pool's */
    eg_status status = eg_ok();
    bool same = state->has_plan && state->plan_hash == eg_hash64(plan->data, plan->size);
    EG_TRY_DONE(status, eg_alloc(&cut, count, sizeof *cut));
    for (size_t i = 0; i < count && m->base == group->example->base_hash; i++) {
        if (eg_trial_status_is_cut(results->trials[i].status)) {
            cut[cuts++] = results->trials[i];
        }
    }
    if (!same) {
        EG_TRY_DONE(status, put(m, EG_FRAME_PLAN, plan->data, plan->size, time));
    }
    if (!has_second_stage(state, group)) {
        EG_TRY_DONE(status, put(m, EG_FRAME_EXTEND, group->extend.data, group->extend.size, time));
    }
    for (size_t i = 0; i < cuts && !same; i++) {
        EG_TRY_DONE(status, put_skipped(m, cut[i].attempt.trial, cut[i].message, time));
    }
    m->base = group->example->base_hash;
done:
    eg_free(cut);
    return status;
}

/** --- Copying --------------------------------------------------------------------------------- */

/** A session of the source that is being copied. */
typedef struct session {
    eg_writer payload;
    double time;
    bool written;
} session;

static eg_status put_session(merge *m, session *current)
{
    if (current->written || current->payload.size == 0) {
        return eg_ok();
    }
    const eg_writer *payload = &current->payload;
    current->written = true;
    EG_TRY(eg_index_put(&m->sessions, eg_hash64(payload->data, payload->size), 1));
    return put(m, EG_FRAME_SESSION, payload->data, payload->size, current->time);
}

/** Sessions that gave nothing are kept too, as part of where the results come from; but one that is
 *  there already, from another copy of the same file, only if it has something to add. */
static eg_status begin_session(merge *m, session *current, const eg_frame *frame)
{
    eg_writer_reset(&current->payload);
    eg_write_bytes(&current->payload, frame->payload, frame->size);
    EG_TRY(eg_writer_status(&current->payload));
    current->time = frame->time;
    current->written = false;
    bool known = eg_index_get(&m->sessions, eg_hash64(frame->payload, frame->size)) != SIZE_MAX;
    return known ? eg_ok() : put_session(m, current);
}

static eg_status copy_plan(merge *m, const eg_merge_source *source, const eg_frame *frame)
{
    size_t size = 0;
    EG_TRY(eg_journal_plan_base_size(&size, frame));
    uint64_t base = eg_hash64(frame->payload, size);
    if (base == source->base_hash) {
        return put_plan(m, &m->groups.items[source->group]);
    }
    m->base = base;
    return put_frame(m, frame);
}

/** An event of a trial that this source gives. */
static eg_status copy_event(merge *m, const eg_merge_source *source, session *current,
                            const eg_frame *frame)
{
    eg_reader reader = eg_reader_make(frame->payload, frame->size);
    uint64_t id = eg_read_u64(&reader);
    size_t there = eg_index_get(&source->state->ids, id);
    size_t here = eg_index_get(&m->state->ids, id);
    if (there == SIZE_MAX || !source->owned[there]) {
        return eg_ok();
    }
    EG_TRY(put_session(m, current));
    if (frame->type == EG_FRAME_SKIPPED && here != SIZE_MAX &&
        eg_trial_status_is_finished(m->state->owner->results.trials[here].status)) {
        /* It failed in what was merged before, and was cut, then run here. */
        EG_TRY(put(m, EG_FRAME_REDO, frame->payload, sizeof id, frame->time));
    }
    return put_frame(m, frame);
}

/** Copies of one file share the beginning of their exchanges: what is new is behind it. */
static eg_status copy_exchange(merge *m, const eg_frame *frame)
{
    eg_exchange exchange;
    eg_reader reader = eg_reader_make(frame->payload, frame->size);
    eg_reader number = reader;
    const eg_journal_state *state = m->state;
    size_t at = eg_read_u32(&number);
    if (at == state->exchange_count) {
        return put_frame(m, frame);
    }
    if (at > state->exchange_count) {
        return eg_ok(); /* behind one that is lost: a run asks anew from there on */
    }
    EG_TRY(eg_exchange_read(&exchange, at, &m->state->owner->pool, &reader));
    bool same = strcmp(exchange.sent, state->exchanges[at].sent) == 0 &&
                strcmp(exchange.answer, state->exchanges[at].answer) == 0;
    return same ? eg_ok()
                : eg_fail(EG_INVALID,
                          "two files have different exchanges with a tuner (number %zu): they "
                          "cannot be one sweep",
                          at + 1);
}

static eg_status copy_frame(merge *m, const eg_merge_source *source, session *current,
                            const eg_frame *frame)
{
    switch (frame->type) {
    case EG_FRAME_HEADER:
        return m->journal.end > 0 ? eg_ok() : put_header(m, frame->time);
    case EG_FRAME_PLAN:
        return copy_plan(m, source, frame);
    case EG_FRAME_EXTEND:
        return m->base == source->base_hash ? eg_ok() : put_frame(m, frame);
    case EG_FRAME_SESSION:
        return begin_session(m, current, frame);
    case EG_FRAME_SESSION_END:
        return current->written ? put_frame(m, frame) : eg_ok();
    case EG_FRAME_EXCHANGE:
        return copy_exchange(m, frame);
    default:
        return copy_event(m, source, current, frame);
    }
}

static eg_status copy_source(merge *m, eg_merge_source *source)
{
    session current = {0};
    eg_status status = eg_ok();
    bool have = true;
    eg_merge_source_rewind(source);
    while (status.code == EG_OK && have) {
        eg_frame frame = {0};
        EG_TRY_DONE(status, eg_merge_source_next(source, &frame, &have));
        if (have) {
            status = copy_frame(m, source, &current, &frame);
        }
    }
done:
    eg_writer_clear(&current.payload);
    return status;
}

/** --- The whole ------------------------------------------------------------------------------- */

static eg_status add_source(merge *m, const char *path, bool target)
{
    eg_merge_source *source = &m->sources[m->source_count++];
    char *note = NULL;
    char *scratch = NULL;
    EG_TRY(eg_format(&scratch, "%s.source.tmp", m->paths.journal));
    eg_status status = eg_merge_source_open(source, path, target ? NULL : scratch, &note);
    eg_free(scratch);
    EG_TRY(status);
    source->target = target;
    if (note != NULL && !target) {
        eg_write_bytes(&m->notes, note, strlen(note));
        eg_write_u8(&m->notes, '\n');
    }
    eg_free(note);
    return eg_ok();
}

static eg_status open_sources(merge *m, const char *const *files, size_t count)
{
    EG_TRY(eg_alloc(&m->sources, count + 1, sizeof *m->sources));
    if (m->exists) {
        EG_TRY(add_source(m, m->paths.file, true));
    }
    for (size_t i = 0; i < count; i++) {
        EG_TRY(add_source(m, files[i], false));
        if (strcmp(m->sources[m->source_count - 1].paths.journal, m->paths.journal) == 0) {
            return eg_fail(EG_INVALID, "%s is the merged file itself", files[i]);
        }
    }
    return eg_ok();
}

/** Opens the merged file's journal. A new one has another name until it is whole. */
static eg_status open_target(merge *m)
{
    eg_replay replay = {0};
    EG_TRY(eg_journal_state_create(&m->state));
    if (!m->exists) {
        char *name = NULL;
        EG_TRY(eg_format(&name, "%s.tmp", m->paths.journal));
        eg_status status = eg_journal_open(&m->journal, name, EG_JOURNAL_REMAKE);
        if (status.code == EG_OK) {
            m->temporary = name; /* ours to remove */
        } else {
            eg_free(name);
        }
        return status;
    }
    EG_TRY(eg_journal_open(&m->journal, m->paths.journal, EG_JOURNAL_WRITE));
    EG_TRY(eg_journal_replay(m->state, &m->journal, &replay));
    if (replay.damaged) {
        return eg_fail(
            EG_INVALID,
            "%s is damaged at byte %llu; merge it into a new file to keep what is intact",
            m->paths.journal, (unsigned long long)replay.damaged_at);
    }
    eg_journal_state_forget_running(m->state);
    EG_TRY(eg_journal_cut(&m->journal));
    m->base = m->sources[0].base_hash;
    eg_merge_source *target = &m->sources[0];
    eg_merge_source_rewind(target);
    for (bool have = true; have;) {
        eg_frame frame = {0};
        EG_TRY(eg_merge_source_next(target, &frame, &have));
        if (have && frame.type == EG_FRAME_SESSION) {
            EG_TRY(eg_index_put(&m->sessions, eg_hash64(frame.payload, frame.size), 1));
        }
    }
    return eg_ok();
}

static eg_status appeared(const char *path)
{
    return eg_fail(EG_INVALID, "%s was created by somebody else meanwhile; it is left alone", path);
}

static eg_status finish(merge *m)
{
    EG_TRY(put_plan(m, &m->groups.items[m->groups.count - 1]));
    EG_TRY(eg_journal_sync(&m->journal));
    eg_path_kind kind = EG_PATH_NONE;
    EG_TRY(eg_path_look(m->paths.file, &kind));
    if (m->temporary != NULL && kind != EG_PATH_NONE) {
        return appeared(m->paths.file);
    }
    int error = m->temporary == NULL ? 0 : eg_rename_new(m->temporary, m->paths.journal);
    if (error == EEXIST) {
        return appeared(m->paths.journal);
    }
    if (error != 0) {
        return eg_fail_errno(error, "%s: cannot give the journal its name", m->paths.journal);
    }
    eg_free(m->temporary);
    m->temporary = NULL;
    EG_TRY(eg_sync_directory(m->paths.directory));
    bool complete = eg_journal_state_complete(m->state);
    eg_journal_state_exchange_earlier(m->state);
    return eg_h5_publish(m->state, &m->journal, &m->paths, "tmp", complete);
}

static eg_status run(merge *m, const char *out, const char *const *files, size_t count)
{
    eg_path_kind journal = EG_PATH_NONE;
    EG_TRY(eg_paths_init(&m->paths, out));
    EG_TRY(eg_paths_check(&m->paths));
    EG_TRY(eg_store_lock_take(&m->lock, m->paths.lock, m->paths.file));
    EG_TRY(eg_path_look(m->paths.journal, &journal));
    EG_TRY(eg_store_check_file(&m->paths, journal != EG_PATH_NONE));
    m->exists = journal != EG_PATH_NONE;
    EG_TRY(open_sources(m, files, count));
    EG_TRY(eg_merge_groups_init(&m->groups, m->sources, m->source_count));
    EG_TRY(eg_merge_owners(m->sources, m->source_count));
    EG_TRY(open_target(m));
    for (size_t i = m->exists ? 1 : 0; i < m->source_count; i++) {
        EG_TRY(copy_source(m, &m->sources[i]));
    }
    return finish(m);
}

static void clear(merge *m)
{
    eg_journal_close(&m->journal);
    if (m->temporary != NULL) {
        (void)unlink(m->temporary);
        eg_free(m->temporary);
    }
    eg_store_lock_release(&m->lock);
    eg_paths_clear(&m->paths);
    eg_journal_state_free(m->state);
    eg_writer_clear(&m->payload);
    for (size_t i = 0; i < m->source_count; i++) {
        eg_merge_source_close(&m->sources[i]);
    }
    eg_free(m->sources);
    eg_merge_groups_clear(&m->groups);
    eg_index_clear(&m->sessions);
    eg_writer_clear(&m->notes);
}

eg_status eg_store_merge(char **notes, const char *out, const char *const *files, size_t count)
{
    merge m = {.lock = EG_LOCK_NONE, .journal = EG_JOURNAL_NONE};
    *notes = NULL;
    eg_status status = run(&m, out, files, count);
    eg_write_u8(&m.notes, 0);
    eg_status_keep(&status, eg_writer_status(&m.notes));
    if (status.code == EG_OK) {
        status = eg_strdup(notes, (const char *)m.notes.data);
    }
    clear(&m);
    return status;
}
