/** In what two sweeps differ, in words. */
#ifndef ENGRAM_STORE_DIFFERENCES_H
#define ENGRAM_STORE_DIFFERENCES_H

#include "engram/sweep.h"
#include "store/journal/journal_state.h"

/** "stream.batch is 64 there, 32 here; …": settings that have no value in common, seeds, or that no
 *  trial is in both. A new text. `plan` (may be NULL) is what `here` was made from: it knows which
 *  settings cannot change results and need not be told. Both have at least one trial. */
eg_status eg_store_differences(char **out, const eg_results *there, const eg_results *here,
                               const eg_plan *plan) EG_WARN_UNUSED;

/** "4 of its 12 trials are new; optimizer.lr has now 0.3": how an edited sweep differs from what it
 *  was; "" if in nothing but words. A new text. */
eg_status eg_store_changes(char **out, const eg_journal_state *before,
                           const eg_results *now) EG_WARN_UNUSED;

#endif
