/** What a sweep would do, before it does it. */
#ifndef CLI_PLAN_REPORT_H
#define CLI_PLAN_REPORT_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** What is asked besides the plan. */
typedef struct eg_plan_question {
    /** Value of --output, NULL: the default. The file is read if it exists, never written. */
    const char *output;
    const char *redo; /**< value of --redo, NULL: none */
    bool timing;      /**< some minibatches may be run, to estimate the time */
    bool json;
} eg_plan_question;

/** Makes the checks of `engram run` and prints the plan to standard output. Errors: EG_INVALID for
 *  what the run would refuse, but for data that cannot be used and a file that somebody is writing:
 *  these are said. */
eg_status eg_plan_report(const eg_plan *plan, const eg_plan_question *ask) EG_WARN_UNUSED;

/** Prints every trial: index, id, point, replicate, seed, swept settings. */
eg_status eg_plan_print_trials(const eg_plan *plan, bool json) EG_WARN_UNUSED;

#endif
