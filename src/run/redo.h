/** The value of eg_run_options.redo: which finished trials run again. */
#ifndef RUN_REDO_H
#define RUN_REDO_H

#include "engram/record.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** Whether an item of the list names the trial, which has the given status; used [items], if not
 *  NULL, remembers which items named any. `redo` NULL: none. */
bool eg_run_redo_names(const char *redo, const eg_plan_trial *trial, eg_trial_status status,
                       bool *used);

/** EG_INVALID if an id=HEX named no trial. */
eg_status eg_run_redo_check_used(const char *redo, const bool *used) EG_WARN_UNUSED;

#endif
