/** What a sweep would do, before it does it. */
#ifndef CLI_PLAN_REPORT_H
#define CLI_PLAN_REPORT_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** Prints the plan to standard output. `output`: the results file the sweep would use, NULL: the default; it
 *  is read if it exists (what is finished, how long trials took), never written. */
eg_status eg_plan_report(const eg_plan *plan, const char *output, bool json) EG_WARN_UNUSED;

/** Prints every trial: index, id, point, replicate, seed, swept settings. */
eg_status eg_plan_print_trials(const eg_plan *plan, bool json) EG_WARN_UNUSED;

#endif
