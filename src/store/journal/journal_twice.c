/** Frames that are there twice; see store/journal/journal.h. */
#include "store/journal/journal_frames.h"

#include <string.h>

enum { COPY_PREFIX = 12 /* offset and type of the frame */ };

static bool is_twice(uint32_t type)
{
    return type == EG_FRAME_HEADER || type == EG_FRAME_PLAN || type == EG_FRAME_EXTEND;
}

/** Where the copy of a frame that ends at `end` begins. */
static uint64_t copy_offset(uint64_t end)
{
    uint64_t least = end + EG_FRAME_OVERHEAD; /* the padding is a frame, too */
    return (least + EG_COPY_ALIGNMENT - 1) / EG_COPY_ALIGNMENT * EG_COPY_ALIGNMENT;
}

/** Where the copy of the last frame that is there twice ends. */
static uint64_t copy_end(const eg_twice *twice)
{
    return copy_offset(twice->end) + (twice->end - twice->at) + COPY_PREFIX;
}

static uint64_t frame_end(const eg_frame *frame)
{
    return frame->offset + frame->size + EG_FRAME_OVERHEAD;
}

/** Notes a frame that was read or written, whichever of the two it came from. */
static void note_frame(eg_twice *twice, const eg_frame *frame, bool copied)
{
    if (frame->type == EG_FRAME_HEADER && frame->size >= 4) {
        eg_reader reader = eg_reader_make(frame->payload + frame->size - 4, 4);
        twice->format = eg_read_u32(&reader);
    }
    if (is_twice(frame->type) && twice->format >= EG_JOURNAL_FORMAT_COPIES) {
        twice->at = frame->offset;
        twice->end = frame_end(frame);
        twice->copied = copied;
    }
}

static void note_damage(eg_twice *twice, uint64_t offset)
{
    if (twice->damaged++ == 0) {
        twice->damaged_at = offset;
    }
}

/** --- Reading --------------------------------------------------------------------------------- */

void eg_journal_rewind(eg_journal *journal)
{
    journal->end = 0;
    journal->twice = (eg_twice){0};
}

/** The frame that a COPY holds; false if it is none. */
static bool unwrap(eg_frame *out, const eg_frame *copy)
{
    eg_reader reader = eg_reader_make(copy->payload, copy->size);
    *out = *copy;
    out->offset = eg_read_u64(&reader);
    out->type = eg_read_u32(&reader);
    out->payload = copy->payload + COPY_PREFIX;
    out->size = copy->size - COPY_PREFIX;
    return copy->type == EG_FRAME_COPY && !reader.failed && is_twice(out->type) &&
           copy->offset == copy_offset(frame_end(out));
}

/** After a bad stretch from `from` to `end`: the frame that began there, from its copy. *valid:
 *  there is one. */
static eg_status find_copy(eg_journal *journal, uint64_t from, eg_frame *frame, bool *valid)
{
    eg_frame found = {0};
    uint64_t to = journal->end;
    EG_TRY(eg_journal_load(journal, to, &found, valid));
    if (*valid && found.type == EG_FRAME_PADDING) {
        EG_TRY(eg_journal_load(journal, frame_end(&found), &found, valid));
    }
    *valid = *valid && unwrap(frame, &found) && frame->offset >= from && frame->offset < to;
    if (*valid && frame->offset > from) {
        journal->end = frame->offset; /* what is before it is lost; the frame comes next time */
    } else if (*valid) {
        journal->end = frame_end(&found);
    }
    return eg_ok();
}

/** The bad stretch from `from` to `to` is nothing but padding, or the copy of a frame that was
 *  read. */
static bool is_spare(const eg_twice *twice, uint64_t from, uint64_t to)
{
    return twice->end > 0 && from >= twice->end && to <= copy_end(twice);
}

/** *found becomes FRAME if the one that stood there is known from its copy. *again: nothing is
 *  lost, go on. */
static eg_status repair(eg_journal *journal, eg_frame *frame, eg_found *found, uint64_t from,
                        bool *again)
{
    eg_twice *twice = &journal->twice;
    bool valid = false;
    if (is_spare(twice, from, journal->end)) {
        note_damage(twice, from);
        *again = true;
        return eg_ok();
    }
    EG_TRY(find_copy(journal, from, frame, &valid));
    if (valid && frame->offset == from) {
        note_damage(twice, from);
        note_frame(twice, frame, true);
        *found = EG_FOUND_FRAME;
    } else if (valid && is_spare(twice, from, frame->offset)) {
        note_damage(twice, from); /* the copy of the last one, and this one behind it */
        *again = true;
    }
    return eg_ok();
}

/** At the end of the file: is the last copy there, whole? */
static void look_at_end(eg_journal *journal, eg_found *found, uint64_t *offset)
{
    eg_twice *twice = &journal->twice;
    if (twice->end == 0 || twice->copied || journal->end >= copy_end(twice)) {
        return;
    }
    twice->incomplete = true;
    if (journal->size > twice->end) {
        *found = EG_FOUND_TORN;
        *offset = twice->end;
        journal->end = twice->end;
    }
}

eg_status eg_journal_next(eg_journal *journal, eg_frame *frame, eg_found *found, uint64_t *offset)
{
    for (bool again = true; again;) {
        again = false;
        EG_TRY(eg_journal_next_single(journal, frame, found, offset));
        if (*found == EG_FOUND_DAMAGE) {
            EG_TRY(repair(journal, frame, found, *offset, &again));
        } else if (*found != EG_FOUND_FRAME) {
            look_at_end(journal, found, offset);
        } else if (frame->type == EG_FRAME_PADDING || frame->type == EG_FRAME_COPY) {
            journal->twice.copied = journal->twice.copied || frame->type == EG_FRAME_COPY;
            again = true;
        } else {
            note_frame(&journal->twice, frame, false);
        }
    }
    return eg_ok();
}

/** --- Writing --------------------------------------------------------------------------------- */

/** Appends padding and the copy of the frame that was read or appended last, in which *frame is
 *  afterwards. */
static eg_status append_copy(eg_journal *journal, eg_frame *frame)
{
    static const unsigned char zeros[EG_COPY_ALIGNMENT] = {0};
    eg_frame written;
    eg_writer prefix = {0};
    uint64_t padding = copy_offset(journal->end) - journal->end - EG_FRAME_OVERHEAD;
    eg_write_u64(&prefix, frame->offset);
    eg_write_u32(&prefix, frame->type);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_writer_status(&prefix));
    const eg_file_part nothing = {zeros, (size_t)padding};
    const eg_file_part parts[] = {{prefix.data, prefix.size}, {frame->payload, frame->size}};
    EG_TRY_DONE(status, eg_journal_append_single(journal, EG_FRAME_PADDING, &nothing, 1,
                                                 frame->time, &written));
    EG_TRY_DONE(status,
                eg_journal_append_single(journal, EG_FRAME_COPY, parts, 2, frame->time, &written));
    frame->payload = written.payload + COPY_PREFIX;
    journal->twice.copied = true;
    journal->twice.incomplete = false;
done:
    eg_writer_clear(&prefix);
    return status;
}

eg_status eg_journal_cut(eg_journal *journal)
{
    eg_frame frame = {0};
    bool valid = false;
    EG_TRY(eg_journal_truncate(journal));
    if (!journal->twice.incomplete) {
        return eg_ok();
    }
    EG_TRY(eg_journal_load(journal, journal->twice.at, &frame, &valid));
    if (!valid) {
        return eg_fail(EG_INVALID, "%s: the record at byte %llu is damaged", journal->path,
                       (unsigned long long)journal->twice.at);
    }
    return append_copy(journal, &frame);
}

eg_status eg_journal_append(eg_journal *journal, eg_frame_type type, const eg_writer *payload,
                            double time, bool sync, eg_frame *frame)
{
    uint64_t before = journal->end;
    EG_TRY(eg_writer_status(payload));
    const eg_file_part whole = {payload->data, payload->size};
    EG_TRY(eg_journal_append_single(journal, type, &whole, 1, time, frame));
    note_frame(&journal->twice, frame, false);
    if (is_twice(frame->type) && journal->twice.format >= EG_JOURNAL_FORMAT_COPIES) {
        frame->payload = payload->data;
        eg_status status = append_copy(journal, frame);
        if (status.code != EG_OK) {
            journal->end = before;
            eg_status_keep(&status, eg_journal_truncate(journal));
            return status;
        }
    }
    return sync ? eg_journal_sync(journal) : eg_ok();
}
