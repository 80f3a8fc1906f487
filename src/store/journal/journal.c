/** Frames of the journal; format and rules in store/journal/journal.h. */
#include "store/journal/journal.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/journal/journal_frames.h"
#include "store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned char magic[4] = {0x89, 'E', 'G', 'J'};

/* Looking behind damage may read so many times the file, and a few bytes more. */
enum { SEARCH_FACTOR = 16, SEARCH_BYTES = 64 << 20 };
enum { WINDOW = 1 << 20, OVERHEAD = EG_FRAME_OVERHEAD };

static int open_for(const char *path, eg_journal_use use)
{
    switch (use) {
    case EG_JOURNAL_WRITE:
        return eg_open_file(path, O_RDWR);
    case EG_JOURNAL_CREATE:
        return eg_open_file(path, O_RDWR | O_CREAT | O_EXCL);
    case EG_JOURNAL_REMAKE:
        return eg_create_file(path, magic, sizeof magic);
    case EG_JOURNAL_READ:
        break;
    }
    return eg_open_file(path, O_RDONLY);
}

static eg_status take(eg_journal *journal, eg_journal_use use)
{
    struct stat info;
    /* Where the file system knows no such locks there is the lock file alone. */
    if (use != EG_JOURNAL_READ && eg_lock_file(journal->fd) == EWOULDBLOCK) {
        return eg_fail(EG_INVALID,
                       "%s is being written by another process, perhaps under another name",
                       journal->path);
    }
    if (use != EG_JOURNAL_READ) {
        eg_show_lock(journal->fd);
    }
    if (fstat(journal->fd, &info) != 0) {
        return eg_fail_errno(errno, "%s: cannot read the journal", journal->path);
    }
    if (!S_ISREG(info.st_mode)) {
        return eg_fail(EG_INVALID, "%s is not a regular file", journal->path);
    }
    journal->size = (uint64_t)info.st_size;
    return eg_ok();
}

eg_status eg_journal_open(eg_journal *journal, const char *path, eg_journal_use use)
{
    *journal = EG_JOURNAL_NONE;
    EG_TRY(eg_strdup(&journal->path, path)); /* first, for no file is left where memory is short */
    journal->fd = open_for(path, use);
    eg_status status = journal->fd < 0 ? eg_fail_errno(errno, "%s: cannot open the journal", path)
                                       : take(journal, use);
    if (status.code != EG_OK) {
        eg_journal_close(journal);
    }
    return status;
}

void eg_journal_close(eg_journal *journal)
{
    if (journal->fd >= 0) {
        (void)close(journal->fd);
    }
    eg_free(journal->path);
    eg_free(journal->buffer);
    eg_free(journal->window);
    eg_writer_clear(&journal->scratch);
    *journal = EG_JOURNAL_NONE;
}

static bool in_window(const eg_journal *journal, size_t size, uint64_t offset)
{
    return offset >= journal->window_at && offset - journal->window_at <= journal->window_size &&
           size <= journal->window_size - (size_t)(offset - journal->window_at);
}

static eg_status move_window(eg_journal *journal, uint64_t offset)
{
    if (journal->window == NULL) {
        EG_TRY(eg_alloc(&journal->window, WINDOW, 1));
    }
    journal->window_at = offset;
    int error = eg_read_fully(journal->fd, journal->window, WINDOW, offset, &journal->window_size);
    if (error != 0) {
        journal->window_size = 0;
        return eg_fail_errno(error, "%s: cannot read the journal", journal->path);
    }
    return eg_ok();
}

static eg_status read_at(eg_journal *journal, void *data, size_t size, uint64_t offset, size_t *got)
{
    if (size <= WINDOW / 4 && !in_window(journal, size, offset)) {
        EG_TRY(move_window(journal, offset));
    }
    if (in_window(journal, size, offset)) {
        memcpy(data, journal->window + (offset - journal->window_at), size);
        *got = size;
        return eg_ok();
    }
    int error = eg_read_fully(journal->fd, data, size, offset, got);
    return error == 0 ? eg_ok()
                      : eg_fail_errno(error, "%s: cannot read the journal", journal->path);
}

/** Length of the payload if a header at `offset` promises a frame that fits into the file. */
static bool header_fits(const eg_journal *journal, const unsigned char *header, uint64_t offset,
                        uint64_t *length)
{
    if (memcmp(header, magic, sizeof magic) != 0) {
        return false;
    }
    eg_reader reader = eg_reader_make(header + 8, 8);
    *length = eg_read_u64(&reader);
    uint64_t left = journal->size - offset;
    return left >= OVERHEAD && *length <= left - OVERHEAD && *length <= SIZE_MAX - OVERHEAD;
}

/** Whether a frame begins at `offset`, as far as its header tells; *length of its payload. */
static eg_status read_header(eg_journal *journal, uint64_t offset, uint64_t *length, bool *begins)
{
    unsigned char header[EG_FRAME_HEADER_SIZE];
    size_t got = 0;
    EG_TRY(read_at(journal, header, sizeof header, offset, &got));
    *begins = got == sizeof header && header_fits(journal, header, offset, length);
    return eg_ok();
}

eg_status eg_journal_load(eg_journal *journal, uint64_t offset, eg_frame *frame, bool *valid)
{
    *valid = false;
    size_t got = 0;
    uint64_t length = 0;
    bool begins = false;
    EG_TRY(read_header(journal, offset, &length, &begins));
    if (!begins) {
        return eg_ok();
    }
    size_t whole = (size_t)length + OVERHEAD;
    EG_TRY(eg_grow(&journal->buffer, &journal->capacity, whole, 1));
    EG_TRY(read_at(journal, journal->buffer, whole, offset, &got));
    if (got < whole) {
        return eg_ok();
    }
    size_t checked = whole - EG_FRAME_CRC_SIZE;
    eg_reader crc = eg_reader_make(journal->buffer + checked, EG_FRAME_CRC_SIZE);
    if (eg_crc32c(0, journal->buffer, checked) != eg_read_u32(&crc)) {
        return eg_ok();
    }
    eg_reader reader = eg_reader_make(journal->buffer + 4, EG_FRAME_HEADER_SIZE - 4);
    frame->type = eg_read_u32(&reader);
    frame->size = (size_t)eg_read_u64(&reader);
    frame->time = eg_read_f64(&reader);
    frame->offset = offset;
    frame->payload = journal->buffer + EG_FRAME_HEADER_SIZE;
    *valid = true;
    return eg_ok();
}

/** Loads the frame at `offset`, if there is one, on account of the search. A file made of
 *  beginnings, each of which promises a long frame, would be read once for each of them. */
static eg_status try_frame(eg_journal *journal, uint64_t offset, bool *found)
{
    eg_frame frame;
    uint64_t length = 0;
    bool begins = false;
    *found = false;
    EG_TRY(read_header(journal, offset, &length, &begins));
    if (!begins) {
        return eg_ok();
    }
    journal->searched += length;
    if (journal->searched / SEARCH_FACTOR > journal->size + SEARCH_BYTES / SEARCH_FACTOR) {
        return eg_fail(
            EG_INVALID,
            "%s is damaged at byte %llu: so much behind it looks like records and is none "
            "that it is not read to its end",
            journal->path, (unsigned long long)journal->end);
    }
    return eg_journal_load(journal, offset, &frame, found);
}

/** Looks for a valid frame behind a bad one: first magic, then everything. */
static eg_status find_next(eg_journal *journal, uint64_t from, uint64_t *offset, bool *found)
{
    unsigned char *window = NULL;
    *found = false;
    EG_TRY(eg_alloc(&window, WINDOW, 1));
    eg_status status = eg_ok();
    while (!*found && from < journal->size) {
        size_t got = 0;
        EG_TRY_DONE(status, read_at(journal, window, WINDOW, from, &got));
        if (got < sizeof magic) {
            break;
        }
        for (size_t i = 0; i + sizeof magic <= got && !*found; i++) {
            if (window[i] == magic[0] && memcmp(window + i, magic, sizeof magic) == 0) {
                EG_TRY_DONE(status, try_frame(journal, from + i, found));
                *offset = from + i;
            }
        }
        from += got - (sizeof magic - 1); /* a magic across the window's end is seen next time */
    }
done:
    eg_free(window);
    return status;
}

eg_status eg_journal_next_single(eg_journal *journal, eg_frame *frame, eg_found *found,
                                 uint64_t *offset)
{
    *offset = journal->end;
    if (journal->end >= journal->size) {
        *found = EG_FOUND_END;
        return eg_ok();
    }
    bool valid = false;
    EG_TRY(eg_journal_load(journal, journal->end, frame, &valid));
    if (valid) {
        journal->end += frame->size + OVERHEAD;
        *found = EG_FOUND_FRAME;
        return eg_ok();
    }
    uint64_t next = 0;
    EG_TRY(find_next(journal, journal->end + 1, &next, &valid));
    *found = valid ? EG_FOUND_DAMAGE : EG_FOUND_TORN;
    if (valid) {
        journal->end = next;
    }
    return eg_ok();
}

eg_status eg_journal_read(eg_journal *journal, uint64_t offset, eg_frame *frame)
{
    bool valid = false;
    EG_TRY(eg_journal_load(journal, offset, frame, &valid));
    if (!valid) {
        return eg_fail(EG_INVALID, "%s: the record at byte %llu is damaged", journal->path,
                       (unsigned long long)offset);
    }
    return eg_ok();
}

eg_status eg_journal_is_torn_header(eg_journal *journal, bool *torn)
{
    enum { KNOWN = 16, PAYLOAD = 4 + sizeof EG_JOURNAL_WORDS - 1 + 4 };
    *torn = false;
    if (journal->size >= OVERHEAD + PAYLOAD) {
        return eg_ok();
    }
    eg_writer start = {0};
    eg_write_bytes(&start, magic, sizeof magic);
    eg_write_u32(&start, EG_FRAME_HEADER);
    eg_write_u64(&start, PAYLOAD);
    unsigned char bytes[KNOWN];
    size_t got = 0;
    eg_status status = eg_writer_status(&start);
    eg_status_keep(&status, read_at(journal, bytes, sizeof bytes, 0, &got));
    *torn = status.code == EG_OK && memcmp(bytes, start.data, got) == 0;
    eg_writer_clear(&start);
    return status;
}

eg_status eg_journal_truncate(eg_journal *journal)
{
    if (journal->size == journal->end) {
        return eg_ok();
    }
    journal->window_size = 0;
    int error = eg_truncate_file(journal->fd, journal->end);
    if (error != 0) {
        journal->broken = true;
        return eg_fail_errno(error, "%s: cannot cut the incomplete last record", journal->path);
    }
    journal->size = journal->end;
    return eg_ok();
}

static eg_status check_usable(const eg_journal *journal)
{
    if (journal->broken) {
        return eg_fail(EG_SYSTEM, "%s: an earlier write failed; the journal takes no more",
                       journal->path);
    }
    return eg_ok();
}

eg_status eg_journal_sync(eg_journal *journal)
{
    EG_TRY(check_usable(journal));
    if (journal->synced == journal->end) {
        return eg_ok();
    }
    int error = eg_sync_data(journal->fd);
    if (error != 0) {
        /* After a failed sync nobody knows what is on the disk; trying again could lie. */
        journal->broken = true;
        return eg_fail_errno(error, "%s: cannot force the journal to disk", journal->path);
    }
    journal->synced = journal->end;
    return eg_ok();
}

eg_status eg_journal_append_single(eg_journal *journal, uint32_t type, const eg_file_part *parts,
                                   size_t count, double time, eg_frame *frame)
{
    EG_TRY(check_usable(journal));
    eg_writer *out = &journal->scratch;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    eg_writer_reset(out);
    eg_write_bytes(out, magic, sizeof magic);
    eg_write_u32(out, type);
    eg_write_u64(out, size);
    eg_write_f64(out, time);
    for (size_t i = 0; i < count; i++) {
        eg_write_bytes(out, parts[i].data, parts[i].size);
    }
    eg_write_u32(out, eg_crc32c(0, out->data, out->failed ? 0 : out->size));
    EG_TRY(eg_writer_status(out));
    journal->window_size = 0;
    int error = eg_write_fully(journal->fd, out->data, out->size, journal->end);
    if (error != 0) {
        /* Whatever part arrived goes away again, so that a later record can follow. */
        journal->broken = eg_truncate_file(journal->fd, journal->end) != 0;
        return eg_fail_errno(error, "%s: cannot write the journal", journal->path);
    }
    *frame = (eg_frame){.type = type,
                        .time = time,
                        .offset = journal->end,
                        .payload = out->data + EG_FRAME_HEADER_SIZE,
                        .size = size};
    journal->end += out->size;
    journal->size = journal->end;
    return eg_ok();
}
