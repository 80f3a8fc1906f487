/** The journal: an append-only file of checked frames. What is in the frames is the business of
 *  store/journal/journal_entries.h.
 *
 *  Format 2. All numbers little endian. The file is a sequence of frames:
 *
 *      bytes  0…3   magic, 89 45 47 4A
 *             4…7   type (eg_frame_type)
 *             8…15  length of the payload
 *            16…23  time of writing, float64 seconds since 1970
 *            24…    payload
 *      last 4       CRC-32C over everything before, header included
 *
 *  The first frame is a HEADER (text "engram journal", u32 format version). A frame is written by
 *  one write() at the end of the file. A frame that is cut short or fails its checksum is a torn
 *  tail if no valid frame follows it: the next writer cuts it off. If a valid frame follows, the
 *  file is damaged: readers skip to that frame and say so, writers refuse to go on. Nothing before
 *  the end is ever changed.
 *
 *  A HEADER, PLAN or EXTEND gives all results behind it their meaning, and is there twice: behind
 *  it come a frame of zeros (PADDING) and, at the next multiple of EG_COPY_ALIGNMENT bytes that
 *  leaves room for that, so in no block of the disk that holds a part of the first one, a COPY: u64
 *  offset of the frame, u32 its type, its payload; the time is that of the frame. Readers of frames
 *  never see the two: they are given the frame from wherever it is sound. Journals of format 1 have
 *  no copies; runs go on in them, without.
 *
 *  Format 3 is format 2 with frames of type EXCHANGE. A journal has it from its beginning, or
 *  never: only sweeps whose points a tuner suggests have such frames, and all others stay in
 *  format 2. */
#ifndef ENGRAM_STORE_JOURNAL_H
#define ENGRAM_STORE_JOURNAL_H

#include "engram/pack.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

#define EG_JOURNAL_WORDS "engram journal"

enum {
    EG_JOURNAL_FORMAT = 2,
    EG_JOURNAL_FORMAT_COPIES = 2,    /**< the first one with copies */
    EG_JOURNAL_FORMAT_EXCHANGES = 3, /**< with exchanges with a tuner; the newest that is read */
    EG_FRAME_HEADER_SIZE = 24,
    EG_FRAME_CRC_SIZE = 4,
    EG_COPY_ALIGNMENT = 4096
};

/** Values are stored in files: never renumber. */
typedef enum eg_frame_type {
    EG_FRAME_HEADER = 1,
    EG_FRAME_PLAN = 2,
    EG_FRAME_EXTEND = 3,
    EG_FRAME_SESSION = 4,
    EG_FRAME_SESSION_END = 5,
    EG_FRAME_STARTED = 6,
    EG_FRAME_RESULT = 7,
    EG_FRAME_SKIPPED = 8,
    EG_FRAME_REDO = 9,
    EG_FRAME_LOST = 10,
    EG_FRAME_PADDING = 11,
    EG_FRAME_COPY = 12,
    EG_FRAME_EXCHANGE = 13,
} eg_frame_type;

typedef struct eg_frame {
    uint32_t type;
    double time;
    uint64_t offset; /**< of the frame in the file */
    const unsigned char *payload;
    size_t size;
} eg_frame;

/** The last frame that is there twice, as far as it was read or written. */
typedef struct eg_twice {
    uint32_t format;  /**< of the journal; 0: not known yet */
    uint64_t at, end; /**< the frame; both 0: none */
    bool copied;      /**< its copy is sound */
    bool incomplete;  /**< the file ends before the copy does: eg_journal_cut writes it */
    size_t damaged;   /**< stretches of the file that are bad, and of which nothing is lost … */
    uint64_t damaged_at; /**< … the first of them */
} eg_twice;

typedef struct eg_journal {
    int fd; /**< -1: closed */
    char *path;
    uint64_t end;      /**< where the last good frame ends */
    uint64_t size;     /**< of the file when it was opened */
    uint64_t synced;   /**< everything before it was forced to disk */
    uint64_t searched; /**< bytes read while looking for frames behind damage */
    bool broken;       /**< a failed write could not be undone: nothing may follow it */
    unsigned char *buffer;
    size_t capacity;
    unsigned char *window; /**< a stretch of the file, so that short frames need no call each … */
    uint64_t window_at;    /**< … from here … */
    size_t window_size;    /**< … so many bytes; 0: none */
    eg_writer scratch;
    eg_twice twice;
} eg_journal;

#define EG_JOURNAL_NONE ((eg_journal){.fd = -1})

typedef enum eg_journal_use {
    EG_JOURNAL_READ,
    EG_JOURNAL_WRITE,  /**< goes on in one that is there */
    EG_JOURNAL_CREATE, /**< a new one, empty; nothing may be there */
    /** the same, but one that an interrupted command left may be there, and goes */
    EG_JOURNAL_REMAKE,
} eg_journal_use;

/** Opens a journal, for writing locks it: no other process writes it, under whatever name. Errors:
 *  EG_INVALID if one does; EG_SYSTEM. */
eg_status eg_journal_open(eg_journal *journal, const char *path, eg_journal_use use) EG_WARN_UNUSED;
void eg_journal_close(eg_journal *journal);

/** What eg_journal_next found. */
typedef enum eg_found {
    EG_FOUND_FRAME,
    EG_FOUND_END,    /**< the file ends after a whole frame */
    EG_FOUND_TORN,   /**< an incomplete or invalid frame, and nothing valid after it */
    EG_FOUND_DAMAGE, /**< an invalid frame at *offset; `end` moved to the next valid one */
} eg_found;

/** The frames from the first on, once more. */
void eg_journal_rewind(eg_journal *journal);
/** Reads the frame at `end` and moves `end` behind it. Damage of which nothing is lost, because one
 *  of the two is sound, is counted in `twice` and not reported as damage. The payload stays valid
 *  until the next call of a function of this journal. *offset: where a torn or damaged stretch
 *  begins. Errors: EG_SYSTEM, EG_MEMORY; EG_INVALID if it holds so many false beginnings of frames
 *  that looking for the next true one would never end. */
eg_status eg_journal_next(eg_journal *journal, eg_frame *frame, eg_found *found,
                          uint64_t *offset) EG_WARN_UNUSED;
/** Reads the frame at `offset`. Errors: EG_INVALID if there is no valid frame (any more). */
eg_status eg_journal_read(eg_journal *journal, uint64_t offset, eg_frame *frame) EG_WARN_UNUSED;

/** *torn: the file holds nothing but a part of its first frame (or nothing at all). */
eg_status eg_journal_is_torn_header(eg_journal *journal, bool *torn) EG_WARN_UNUSED;

/** Cuts everything after `end`, and writes the copy that the last frame lacks. */
eg_status eg_journal_cut(eg_journal *journal) EG_WARN_UNUSED;
/** Appends one frame, with its copy if it is of a type that is there twice; `sync` forces it to
 *  disk. On failure the journal is as before, or refuses further writing. *frame shows what was
 *  written. */
eg_status eg_journal_append(eg_journal *journal, eg_frame_type type, const eg_writer *payload,
                            double time, bool sync, eg_frame *frame) EG_WARN_UNUSED;

/** Forces what was appended to disk; nothing to do if that has happened already. A failure leaves a
 * journal that refuses further writing. */
eg_status eg_journal_sync(eg_journal *journal) EG_WARN_UNUSED;

#endif
