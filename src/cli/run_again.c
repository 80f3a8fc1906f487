/** Trials that run again: what they had recorded before must come out the same. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/trial.h"

#include <stdint.h>
#include <stdio.h>

static bool is_comparable(const char *name)
{
    const eg_variable *variable = eg_trial_variable(name);
    return variable != NULL && !variable->volatile_;
}

/** Takes down the first difference in what both recorded. */
static void compare(eg_run_again *again, uint64_t id, const eg_record *before, const eg_record *now)
{
    again->compared++;
    for (size_t i = 0; i < eg_record_count(before); i++) {
        const eg_array *old = eg_record_at(before, i);
        const eg_array *new = eg_record_find(now, old->name);
        size_t at =
            new == NULL || !is_comparable(old->name) ? SIZE_MAX : eg_array_difference(old, new);
        if (at == SIZE_MAX) {
            continue;
        }
        if (again->different++ == 0) {
            (void)snprintf(again->first, sizeof again->first, "trial %s, %s: %.9g before, %.9g now",
                           eg_id(id).text, old->name, at < old->count ? old->data[at] : 0.0,
                           at < new->count ? new->data[at] : 0.0);
        }
        return;
    }
}

eg_status eg_sweep_run_compare(eg_sweep_run *run, size_t trial, const eg_record *record)
{
    eg_record *before = NULL;
    if (record == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_store_earlier(&before, run->store, trial));
    if (before != NULL) {
        compare(&run->again, run->plan->trials[trial].id, before, record);
    }
    eg_record_free(before);
    return eg_ok();
}

void eg_sweep_run_print_again(const eg_sweep_run *run)
{
    const eg_run_again *again = &run->again;
    if (again->compared == 0) {
        return;
    }
    (void)printf("%zu trial%s ran again%s; what %s recorded before ", again->compared,
                 eg_plural(again->compared), again->lacking > 0 ? " for their measures" : "",
                 again->compared == 1 ? "it" : "they");
    if (again->different == 0) {
        (void)printf("is the same\n");
    } else {
        eg_say(stdout, "differs in %zu of them, first in %s\n", again->different, again->first);
    }
}
