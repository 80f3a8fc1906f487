/** The defaults of eg_sched_options. */
#include "sched/worker.h"

#include <math.h>

/* So many heartbeats must be missing before anybody is taken for lost. */
static const double beats_per_timeout = 4;

eg_sched_options eg_sched_complete(const eg_sched_options *options)
{
    eg_sched_options complete = *options;
    if (complete.timeout_seconds <= 0) {
        complete.timeout_seconds = 120;
    }
    if (complete.heartbeat_seconds <= 0) {
        complete.heartbeat_seconds = fmin(10, complete.timeout_seconds / beats_per_timeout);
    }
    if (complete.losses_max == 0) {
        complete.losses_max = 3;
    }
    if (complete.workers_min == 0) {
        complete.workers_min = 1;
    }
    if (complete.silence_seconds <= 0) {
        complete.silence_seconds = 60;
    }
    return complete;
}
