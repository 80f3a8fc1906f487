/** When a sweep has to stop by itself: the end of its batch job, or a time the user gives. */
#ifndef CLI_TIME_LIMIT_H
#define CLI_TIME_LIMIT_H

#include "engram/status.h"

/** *stop: when to begin stopping, in seconds since 1970; INFINITY: never. until: "+N" (seconds from
 *  `now`; after N may come s, m, h or d), "N" (seconds since 1970, as `date +%s` prints them) or
 *  "off"; NULL: one minute before the batch job ends, or a quarter of the time left if that is
 *  less. job_end: SLURM_JOB_END_TIME, NULL if there is no job; not looked at when `until` is given.
 *  Errors: EG_INVALID for anything else. */
eg_status eg_time_limit_read(double *stop, const char *until, const char *job_end,
                             double now) EG_WARN_UNUSED;

#endif
