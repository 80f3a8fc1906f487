/** A journal that takes part in a merge; see store/merge/merge.h. */
#include "store/merge/merge.h"

#include "engram/memory.h"
#include "store/hdf5/h5_read.h"
#include "store/journal/journal_read.h"
#include "store/journal/journal_rebuild.h"

#include <unistd.h>

void eg_merge_source_rewind(eg_merge_source *source)
{
    eg_journal_rewind(&source->journal);
}

eg_status eg_merge_source_next(eg_merge_source *source, eg_frame *frame, bool *have)
{
    eg_found found = EG_FOUND_DAMAGE;
    uint64_t offset = 0;
    while (found == EG_FOUND_DAMAGE) {
        EG_TRY(eg_journal_next(&source->journal, frame, &found, &offset));
    }
    *have = found == EG_FOUND_FRAME;
    return eg_ok();
}

eg_status eg_journal_plan_base_size(size_t *out, const eg_frame *plan)
{
    eg_string_pool pool = {0};
    eg_journal_plan image = {0};
    eg_reader reader = eg_reader_make(plan->payload, plan->size);
    eg_status status = eg_journal_plan_read(&image, &pool, &reader);
    *out = plan->size - (status.code == EG_OK ? eg_trials_size(image.trial_count) : 0);
    eg_journal_plan_clear(&image);
    eg_string_pool_clear(&pool);
    return status;
}

static eg_status take_plan(eg_merge_source *source, const eg_frame *frame)
{
    size_t size = 0;
    EG_TRY(eg_journal_plan_base_size(&size, frame));
    uint64_t hash = eg_hash64(frame->payload, size);
    source->older = source->older || (source->base.size > 0 && hash != source->base_hash);
    eg_writer_reset(&source->base);
    eg_write_bytes(&source->base, frame->payload, size);
    source->base_hash = hash;
    source->plan_time = frame->time;
    return eg_writer_status(&source->base);
}

/** Reads all frames once more for what the journal state does not keep. */
static eg_status scan(eg_merge_source *source)
{
    bool have = true;
    eg_merge_source_rewind(source);
    for (;;) {
        eg_frame frame = {0};
        EG_TRY(eg_merge_source_next(source, &frame, &have));
        if (!have) {
            break;
        }
        const uint64_t chain[] = {source->content, frame.type,
                                  eg_hash64(frame.payload, frame.size)};
        source->content = eg_hash64(chain, sizeof chain);
        if (frame.type == EG_FRAME_PLAN) {
            EG_TRY(take_plan(source, &frame));
        }
    }
    source->start = source->state->owner->results.created;
    return eg_ok();
}

static eg_status lost(const eg_merge_source *source, eg_status why)
{
    return eg_fail(EG_INVALID, "%.400s (`engram check %s` says the way out)", why.message,
                   source->paths.file);
}

/** Reads instead of a journal that lost its header or plan, for which `why`, one made of the
 *  results file and what is intact, in a file that has no name. */
static eg_status read_instead(eg_merge_source *source, const char *scratch, eg_status why,
                              char **note)
{
    eg_results_owner *file = NULL;
    eg_journal journal = EG_JOURNAL_NONE;
    eg_replay replay = {0};
    eg_status status = eg_h5_load(&file, source->paths.file, false);
    if (status.code == EG_INVALID ||
        (status.code == EG_OK && eg_results_with_results(&file->results) == 0)) {
        status = lost(source, why);
    }
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_journal_open(&journal, scratch, EG_JOURNAL_REMAKE));
    (void)unlink(scratch);
    EG_TRY_DONE(status,
                eg_status_wrap(eg_journal_rebuild(&journal, &source->journal, &file->results),
                               "%s and %s", source->paths.journal, source->paths.file));
    eg_journal_close(&source->journal);
    source->journal = journal;
    journal = EG_JOURNAL_NONE;
    eg_journal_state_free(source->state);
    source->state = NULL;
    EG_TRY_DONE(status, eg_journal_state_create(&source->state));
    eg_journal_rewind(&source->journal);
    EG_TRY_DONE(status, eg_journal_replay(source->state, &source->journal, &replay));
    status = eg_format(note,
                       "%s lost its header or plan: what is intact was merged, and what %s held "
                       "when it was last written",
                       source->paths.journal, source->paths.file);
done:
    eg_journal_close(&journal);
    eg_results_free(file == NULL ? NULL : &file->results);
    return status;
}

static eg_status read_journal(eg_merge_source *source, const char *scratch, char **note)
{
    eg_replay replay = {0};
    char *writer = NULL;
    EG_TRY(eg_journal_open(&source->journal, source->paths.journal, EG_JOURNAL_READ));
    eg_status status = eg_journal_replay(source->state, &source->journal, &replay);
    if (status.code == EG_INVALID && replay.lost) {
        return scratch == NULL ? lost(source, status) : read_instead(source, scratch, status, note);
    }
    EG_TRY(status);
    if (!source->state->has_plan) {
        return eg_fail(EG_INVALID,
                       "%s holds no sweep yet: its first run was interrupted while it began",
                       source->paths.journal);
    }
    if (replay.damaged) {
        return eg_format(note,
                         "%s is damaged at byte %llu: trials whose results stood there "
                         "count as not run",
                         source->paths.journal, (unsigned long long)replay.damaged_at);
    }
    EG_TRY(eg_journal_writer(&writer, &source->paths, &source->journal, source->state));
    if (writer != NULL) {
        status = eg_format(note, "%s is being written by %s: merged as far as it is",
                           source->paths.file, writer);
    }
    eg_free(writer);
    return status;
}

static eg_status read_all(eg_merge_source *source, const char *scratch, char **note)
{
    eg_path_kind kind = EG_PATH_NONE;
    EG_TRY(eg_path_look(source->paths.journal, &kind));
    if (kind != EG_PATH_FILE) {
        return eg_fail(EG_INVALID, "%s does not exist; merging needs the journals",
                       source->paths.journal);
    }
    EG_TRY(read_journal(source, scratch, note));
    eg_journal_state_forget_running(source->state);
    return eg_ok();
}

eg_status eg_merge_source_open(eg_merge_source *out, const char *path, const char *scratch,
                               char **note)
{
    *out = (eg_merge_source){.journal = EG_JOURNAL_NONE};
    *note = NULL;
    EG_TRY(eg_paths_init(&out->paths, path));
    EG_TRY(eg_journal_state_create(&out->state));
    EG_TRY(read_all(out, scratch, note));
    EG_TRY(scan(out));
    return eg_alloc(&out->owned, out->state->owner->results.trial_count, sizeof *out->owned);
}

void eg_merge_source_close(eg_merge_source *source)
{
    eg_paths_clear(&source->paths);
    eg_journal_close(&source->journal);
    eg_journal_state_free(source->state);
    eg_writer_clear(&source->base);
    eg_free(source->owned);
    *source = (eg_merge_source){.journal = EG_JOURNAL_NONE};
}
