/** A client that keeps nothing; see support/quiet_client.h. */
#include "quiet_client.h"

static eg_status started(void *user, const eg_attempt *attempt)
{
    (void)user;
    (void)attempt;
    return eg_ok();
}

static eg_status finished(void *user, const eg_work_result *result)
{
    (void)user;
    return result->status == EG_TRIAL_DONE ? eg_ok() : eg_fail(EG_INTERNAL, "%s", result->message);
}

static eg_status do_nothing(void *user)
{
    (void)user;
    return eg_ok();
}

static void note(void *user, const eg_work_note *text)
{
    (void)user;
    (void)text;
}

static void progress(void *user, const eg_work_progress *report)
{
    (void)user;
    (void)report;
}

static eg_status worker_lost(void *user, const eg_worker_loss *loss)
{
    (void)user;
    return eg_fail(EG_SYSTEM, "rank %u was lost: %s", loss->rank, loss->why);
}

static eg_status lost(void *user, const eg_work_loss *loss)
{
    (void)user;
    return eg_fail(EG_SYSTEM, "work of rank %u was lost: %s", loss->attempt.rank, loss->why);
}

static void worker_back(void *user, uint32_t rank, const char *host)
{
    (void)user;
    (void)rank;
    (void)host;
}

static void interrupted(void *user, const eg_attempt *attempt)
{
    (void)user;
    (void)attempt;
}

static double mean_seconds(void *user)
{
    (void)user;
    return 0;
}

eg_sched_client eg_test_quiet_client(void *user,
                                     eg_status (*next)(void *user, eg_work *out, bool *have))
{
    return (eg_sched_client){.user = user,
                             .next = next,
                             .started = started,
                             .finished = finished,
                             .commit = do_nothing,
                             .note = note,
                             .progress = progress,
                             .worker_lost = worker_lost,
                             .lost = lost,
                             .worker_back = worker_back,
                             .interrupted = interrupted,
                             .idle = do_nothing,
                             .mean_seconds = mean_seconds};
}
