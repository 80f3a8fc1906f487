/** Reading a journal whole, beside a process that may be writing it. */
#ifndef ENGRAM_STORE_JOURNAL_READ_H
#define ENGRAM_STORE_JOURNAL_READ_H

#include "store/journal/journal_state.h"
#include "store/paths.h"

/** A journal that was read; release with eg_journal_reading_clear, also after a failure. */
typedef struct eg_reading {
    eg_journal_state *state;
    eg_journal journal;
    eg_replay replay;
    /** "host pid" of the process that is writing it; NULL: nobody is, and no trial is running */
    char *writer;
} eg_reading;

#define EG_READING_NONE ((eg_reading){.journal = EG_JOURNAL_NONE})

/** Reads the journal at paths->journal. Errors: as eg_journal_open and eg_journal_replay, whose
 *  *replay is then filled as far as it came. */
eg_status eg_journal_reading_init(eg_reading *out, const eg_paths *paths) EG_WARN_UNUSED;
void eg_journal_reading_clear(eg_reading *reading);

/** Who writes: the holder of the lock file, or, if that was removed, of the open journal's own
 *  lock. NULL: nobody. */
eg_status eg_journal_writer(char **out, const eg_paths *paths, const eg_journal *journal,
                            const eg_journal_state *state) EG_WARN_UNUSED;

#endif
