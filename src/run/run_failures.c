/** The end of a sweep of which too many trials fail: `max_failures`. */
#include "run/run_parts.h"

static size_t failures_of(const eg_run *run)
{
    const size_t *by_status = run->state.counts.by_status;
    return by_status[EG_TRIAL_FAILED] + by_status[EG_TRIAL_TIMEOUT];
}

bool eg_run_gave_up(const eg_run *run)
{
    return run->gave_up;
}

size_t eg_run_failures_left(const eg_run *run)
{
    size_t most = eg_plan_max_failures(run->state.plan);
    size_t failures = failures_of(run);
    return failures < most ? most - failures : 0;
}

bool eg_run_gives_up(eg_run *run)
{
    const eg_run_observer *observer = &run->reporter.observer;
    size_t failures = failures_of(run);
    if (run->gave_up || run->state.counts.unfinished == 0 ||
        failures < eg_plan_max_failures(run->state.plan)) {
        return run->gave_up;
    }
    run->gave_up = true;
    if (observer->gave_up != NULL) {
        observer->gave_up(observer->user, failures);
    }
    return true;
}

eg_status eg_run_say_gave_up(const eg_run *run)
{
    return eg_fail(EG_STOPPED,
                   "%zu trials failed or timed out, and max_failures allows %zu: nothing more is "
                   "handed out; the same call goes on when they are run again (redo), or with a "
                   "larger max_failures",
                   failures_of(run), eg_plan_max_failures(run->state.plan));
}
