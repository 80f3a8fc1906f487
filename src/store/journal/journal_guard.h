/** Is the journal that is being written still the file of its name? Otherwise what it holds is
 *  saved beside it. */
#ifndef ENGRAM_STORE_JOURNAL_GUARD_H
#define ENGRAM_STORE_JOURNAL_GUARD_H

#include "store/journal/journal.h"
#include "store/paths.h"

typedef struct eg_guard {
    int directory; /**< the journal's, wherever it is moved; -1: closed */
    bool lost;     /**< the journal was found missing, replaced or changed: it takes no more */
} eg_guard;

#define EG_GUARD_NONE ((eg_guard){.directory = -1})

eg_status eg_guard_open(eg_guard *guard, const eg_paths *paths) EG_WARN_UNUSED;
void eg_guard_close(eg_guard *guard);

/** EG_SYSTEM, saying what happened and where the results are, if the journal was removed, replaced,
 *  cut, or moved with its directory since it was opened. What it held is then in
 *  NAME.rescued.journal beside it, or in the current directory. */
eg_status eg_guard_check(eg_guard *guard, eg_journal *journal,
                         const eg_paths *paths) EG_WARN_UNUSED;

#endif
