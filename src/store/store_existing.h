/** What is at the place where results are to go. */
#ifndef ENGRAM_STORE_EXISTING_H
#define ENGRAM_STORE_EXISTING_H

#include "store/journal/journal_state.h"
#include "store/paths.h"

#include "engram/sweep.h"

/** Reads the journal at `paths`, if there is one (else the journal state is empty and the journal
 *  closed), and checks that the plan may go on in it. `writes`: it is opened for writing; and where
 *  a part that is there twice is damaged, it is written anew first, and the old one has the name
 *  *kept (a new string, else NULL). Errors: EG_INVALID as eg_store_open. */
eg_status eg_existing_read(eg_journal_state **state, eg_journal *journal, char **kept,
                           const eg_paths *paths, const eg_plan *plan, bool writes) EG_WARN_UNUSED;

#endif
