/** Single frames of the journal, as they stand in the file; for store/journal/journal.c and
 *  store/journal/journal_twice.c only. */
#ifndef ENGRAM_STORE_JOURNAL_FRAMES_H
#define ENGRAM_STORE_JOURNAL_FRAMES_H

#include "engram/file.h"
#include "store/journal/journal.h"

enum { EG_FRAME_OVERHEAD = EG_FRAME_HEADER_SIZE + EG_FRAME_CRC_SIZE };

/** As eg_journal_next, PADDING and COPY like all others. */
eg_status eg_journal_next_single(eg_journal *journal, eg_frame *frame, eg_found *found,
                                 uint64_t *offset) EG_WARN_UNUSED;
/** Reads and checks the frame at `offset`; *valid tells whether there is one. */
eg_status eg_journal_load(eg_journal *journal, uint64_t offset, eg_frame *frame,
                          bool *valid) EG_WARN_UNUSED;
/** Appends one frame, whose payload is `parts` [count] one behind the other, and does not force it
 *  to disk. */
eg_status eg_journal_append_single(eg_journal *journal, uint32_t type, const eg_file_part *parts,
                                   size_t count, double time, eg_frame *frame) EG_WARN_UNUSED;
/** Takes everything from `end` on out of the file. Errors: EG_SYSTEM; nothing may follow then. */
eg_status eg_journal_truncate(eg_journal *journal) EG_WARN_UNUSED;

#endif
