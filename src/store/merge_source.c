/** A journal that takes part in a merge; see store/merge.h. */
#include "store/merge.h"

#include "engram/memory.h"
#include "store/store_lock.h"

void eg_merge_source_rewind(eg_merge_source *source)
{
    source->journal.end = 0;
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

eg_status eg_plan_base_size(size_t *out, const eg_frame *plan)
{
    eg_pool pool = {0};
    eg_plan_image image = {0};
    eg_reader reader = eg_reader_make(plan->payload, plan->size);
    eg_status status = eg_plan_read(&image, &pool, &reader);
    *out = plan->size - (status.code == EG_OK ? eg_trials_size(image.trial_count) : 0);
    eg_plan_image_clear(&image);
    eg_pool_clear(&pool);
    return status;
}

static eg_status take_plan(eg_merge_source *source, const eg_frame *frame)
{
    size_t size = 0;
    EG_TRY(eg_plan_base_size(&size, frame));
    uint64_t hash = eg_hash64(frame->payload, size);
    source->older = source->older || (source->base.size > 0 && hash != source->base_hash);
    eg_writer_clear(&source->base);
    eg_write_bytes(&source->base, frame->payload, size);
    source->base_hash = hash;
    source->plan_time = frame->time;
    return eg_writer_status(&source->base);
}

/** Reads all frames once more for what the book does not keep. */
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
    source->start = source->book->box->results.created;
    return eg_ok();
}

static eg_status read_all(eg_merge_source *source, char **note)
{
    char *holder = NULL;
    eg_replay replay = {0};
    eg_path_kind kind = EG_PATH_NONE;
    EG_TRY(eg_path_look(source->paths.journal, &kind));
    if (kind != EG_PATH_FILE) {
        return eg_fail(EG_INVALID, "%s does not exist; merging needs the journals",
                       source->paths.journal);
    }
    EG_TRY(eg_lock_holder(&holder, source->paths.lock));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_journal_open(&source->journal, source->paths.journal, EG_JOURNAL_READ));
    EG_TRY_DONE(status, eg_book_replay(source->book, &source->journal, &replay));
    if (!source->book->has_plan) {
        status = eg_fail(EG_INVALID,
                         "%s holds no sweep yet: its first run was interrupted while it began",
                         source->paths.journal);
        goto done;
    }
    eg_book_forget_running(source->book);
    if (replay.damaged) {
        status = eg_format(note,
                           "%s is damaged at byte %llu: trials whose results stood there "
                           "count as not run",
                           source->paths.journal, (unsigned long long)replay.damaged_at);
    } else if (holder != NULL) {
        status = eg_format(note, "%s is being written by %s: merged as far as it is",
                           source->paths.file, holder);
    }
done:
    eg_free(holder);
    return status;
}

eg_status eg_merge_source_open(eg_merge_source *out, const char *path, char **note)
{
    *out = (eg_merge_source){.journal = EG_JOURNAL_NONE};
    *note = NULL;
    EG_TRY(eg_paths_make(&out->paths, path));
    EG_TRY(eg_book_create(&out->book));
    EG_TRY(read_all(out, note));
    EG_TRY(scan(out));
    return eg_alloc(&out->owned, out->book->box->results.trial_count, sizeof *out->owned);
}

void eg_merge_source_close(eg_merge_source *source)
{
    eg_paths_clear(&source->paths);
    eg_journal_close(&source->journal);
    eg_book_free(source->book);
    eg_writer_free(&source->base);
    eg_free(source->owned);
    *source = (eg_merge_source){.journal = EG_JOURNAL_NONE};
}
