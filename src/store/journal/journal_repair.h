/** A journal written anew, because a part of it cannot be read. The old one is kept beside it. */
#ifndef ENGRAM_STORE_JOURNAL_REPAIR_H
#define ENGRAM_STORE_JOURNAL_REPAIR_H

#include "store/journal/journal.h"
#include "store/paths.h"

/** Writes NAME.journal anew from a journal of which nothing is lost (eg_twice.damaged); the old one
 *  stays as NAME.damaged.journal, with a number if that is taken, *kept (a new string). At every
 *  moment one of the two is at NAME.journal. The caller has the lock. Errors: EG_INVALID if another
 *  process writes the journal; EG_SYSTEM, EG_MEMORY; the journal is as before then. */
eg_status eg_journal_repair(char **kept, const eg_paths *paths) EG_WARN_UNUSED;

/** A journal that is being written to take the place of another one. */
typedef struct eg_remade {
    char *path;      /**< of the old one, with links followed */
    char *temporary; /**< where the new one is meanwhile; NULL: it has its name */
    eg_journal journal;
} eg_remade;

#define EG_REMADE_NONE ((eg_remade){.journal = EG_JOURNAL_NONE})

/** A new journal, empty. Errors: EG_SYSTEM, EG_MEMORY. Release with eg_remade_clear, also after a
 *  failure; that removes one that was not put into place. */
eg_status eg_remade_init(eg_remade *out, const eg_paths *paths) EG_WARN_UNUSED;
/** Forces it to disk and exchanges it for the old one; *kept as above. */
eg_status eg_remade_put(eg_remade *remade, char **kept) EG_WARN_UNUSED;
void eg_remade_clear(eg_remade *remade);

#endif
