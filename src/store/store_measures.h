/** Finished trials without what the setting `measures` asks for now. */
#ifndef ENGRAM_STORE_STORE_MEASURES_H
#define ENGRAM_STORE_STORE_MEASURES_H

#include "store/journal/journal_state.h"

/** Whether the journal state's trial `index`, one of a point with these settings, is done or
 *  diverged and lacks something. Reads its record only if the settings name measures. */
eg_status eg_store_lacks_measures(bool *out, const eg_journal_state *state, eg_journal *journal,
                                  size_t index, const eg_settings *settings) EG_WARN_UNUSED;

#endif
