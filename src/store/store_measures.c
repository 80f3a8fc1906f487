/** Finished trials without what the setting `measures` asks for now; see store/store_measures.h. */
#include "store/store_measures.h"

#include "engram/trial.h"

eg_status eg_store_lacks_measures(bool *out, const eg_journal_state *state, eg_journal *journal,
                                  size_t index, const eg_settings *settings)
{
    eg_trial_status status = state->owner->results.trials[index].status;
    *out = false;
    if (!eg_trial_status_is_result(status) || !eg_trial_lacks(settings, NULL)) {
        return eg_ok();
    }
    eg_record *record = NULL;
    EG_TRY(eg_journal_state_record(&record, state, journal, index));
    *out = record != NULL && eg_trial_lacks(settings, record);
    eg_record_free(record);
    return eg_ok();
}
