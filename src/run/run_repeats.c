/** Trials that run again: what they had recorded before must come out the same. */
#include "run/run_parts.h"

#include "engram/trial.h"

#include <stdint.h>
#include <stdio.h>

static bool is_comparable(const char *name)
{
    const eg_variable *variable = eg_trial_variable(name);
    return variable != NULL && !variable->volatile_;
}

/** Takes down the first difference in what both recorded. */
static void compare(eg_run_repeats *repeats, const char *id, const eg_record *before,
                    const eg_record *now)
{
    repeats->compared++;
    for (size_t i = 0; i < eg_record_count(before); i++) {
        const eg_array *old = eg_record_at(before, i);
        const eg_array *new = eg_record_find(now, old->name);
        size_t at =
            new == NULL || !is_comparable(old->name) ? SIZE_MAX : eg_array_difference(old, new);
        if (at == SIZE_MAX) {
            continue;
        }
        if (repeats->different++ == 0) {
            (void)snprintf(repeats->first, sizeof repeats->first,
                           "trial %s, %s: %.9g before, %.9g now", id, old->name,
                           at < old->count ? old->data[at] : 0.0,
                           at < new->count ? new->data[at] : 0.0);
        }
        return;
    }
}

eg_status eg_run_compare(eg_run *run, size_t trial, const eg_record *record)
{
    eg_record *before = NULL;
    if (record == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_store_earlier(&before, run->store, trial));
    if (before != NULL) {
        compare(&run->repeats, eg_run_id_of(run, trial).text, before, record);
    }
    eg_record_free(before);
    return eg_ok();
}
