/** How long a plan will take. */
#ifndef CLI_ESTIMATE_H
#define CLI_ESTIMATE_H

#include "engram/status.h"
#include "engram/sweep.h"
#include "engram/trial.h"

#include <stdbool.h>
#include <stddef.h>

/** Seconds that trying out minibatches may take in all, about. */
#define EG_ESTIMATE_SECONDS 2.0

typedef struct eg_estimate {
    bool found;      /**< there are results, and they were read */
    size_t known;    /**< trials of the plan that are finished in them */
    size_t measured; /**< of these, how many have a time */
    size_t kinds;    /**< of points, by what they cost … */
    size_t timed;    /**< … how many were tried out, or have finished trials … */
    double spent;    /**< … in so many seconds */
    bool possible;   /**< there is an estimate; otherwise `why` not */
    const char *why;
    double opening; /**< seconds that each worker needs to open the data, once; 0 if not measured */
    size_t dearest; /**< the point of the kind that takes most of the time; tried out if … */
    eg_trial_timing timing; /**< … its seconds are not 0 */
    double total;           /**< seconds of one core: all trials, none cut by a rule */
    double most, least;     /**< what is left, with as few or as many cuts as there may be */
} eg_estimate;

/** `path`: of the results. `timing`: whether minibatches may be tried out, which takes data that
 *  are `usable`. */
eg_status eg_estimate_make(eg_estimate *out, const eg_plan *plan, const char *path, bool timing,
                           bool usable) EG_WARN_UNUSED;

#endif
