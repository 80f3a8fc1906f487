/** The data that results were made with; eg_results_owner_warn_data (store/results_owner.h) is here
 *  too. */
#ifndef ENGRAM_STORE_STORE_DATA_H
#define ENGRAM_STORE_STORE_DATA_H

#include "store/journal/journal_state.h"

/** EG_INVALID if the newest results that were made with a dataset of this session had another
 *  content, unless the session accepts that. `path` is for the message. */
eg_status eg_store_check_data(const eg_journal_state *state, const eg_session *session,
                              const char *path) EG_WARN_UNUSED;

#endif
