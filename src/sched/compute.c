/** The compute thread; see sched/compute.h. */
#include "sched/compute.h"

#include "sched/backoff.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How long a thread that is to leave is waited for. */
static const double end_seconds = 2;
/* A minibatch that takes longer than this is worth a word, as a stop will not wait for one that
 * takes much longer. */
static const double long_seconds = 10;
/* So long after a stop was asked for, a minibatch that has not ended is what it waits for. */
static const double stop_seconds = 2;

static void *compute(void *argument)
{
    eg_compute *me = argument;
    me->status =
        eg_worker_run(me->other_end, me->host, me->runner, &me->options, &me->pulse, &me->goodbye);
    atomic_store(&me->ended, true);
    return NULL;
}

/* It handles no signals: all go to the main thread. */
static eg_status start_thread(eg_compute *me)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        error = pthread_create(&me->thread, NULL, compute, me);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return error == 0 ? eg_ok() : eg_fail_errno(error, "cannot start the compute thread");
}

static void release(eg_compute *me)
{
    if (me->other_end != NULL) {
        me->other_end->kind->close(me->other_end);
    }
    eg_free(me);
}

eg_status eg_compute_start(eg_compute **out, const char *host, const eg_runner *runner,
                           const eg_sched_options *options)
{
    *out = NULL;
    eg_compute *me = NULL;
    EG_TRY(eg_alloc(&me, 1, sizeof *me));
    me->runner = runner;
    me->options = *options;
    atomic_init(&me->ended, false);
    (void)snprintf(me->host, sizeof me->host, "%s", host);
    eg_status status = eg_queue_create(&me->channel, &me->other_end);
    if (status.code == EG_OK) {
        status = start_thread(me);
    }
    if (status.code == EG_OK) {
        *out = me;
        return eg_ok();
    }
    if (me->channel != NULL) {
        me->channel->kind->close(me->channel);
    }
    release(me);
    return status;
}

bool eg_compute_end(eg_compute *me)
{
    if (me == NULL) {
        return true;
    }
    me->channel->kind->close(me->channel);
    double deadline = eg_clock() + end_seconds;
    eg_backoff backoff = {0};
    while (!atomic_load(&me->ended) && eg_clock() < deadline) {
        eg_sched_sleep(eg_backoff_next(&backoff));
    }
    if (!atomic_load(&me->ended)) {
        (void)pthread_detach(me->thread);
        return false;
    }
    (void)pthread_join(me->thread, NULL);
    release(me);
    return true;
}

bool eg_compute_complains(eg_compute *me, double stopped, eg_work_note *out,
                          char text[EG_COMPLAINT_SIZE])
{
    double since = atomic_load(&me->pulse.since);
    double now = eg_clock();
    bool stop = stopped > 0 && now - stopped > stop_seconds && now - since > stop_seconds;
    bool wanted = stop ? !me->said_stop : !me->said_long && now - since > long_seconds;
    if (since <= 0 || !wanted) {
        return false;
    }
    me->said_long = true;
    me->said_stop = stop;
    (void)snprintf(text, EG_COMPLAINT_SIZE,
                   stop ? "the stop waits for a minibatch that has taken %.0f s so far; if it does "
                          "not end soon, the trial goes on from its last checkpoint"
                        : "no minibatch has ended for %.0f s; a stop will not wait for one that "
                          "long, the trial then goes on from its last checkpoint",
                   now - since);
    *out = (eg_work_note){.attempt = {.trial = atomic_load(&me->pulse.trial),
                                      .number = atomic_load(&me->pulse.attempt)},
                          .warning = true,
                          .text = text};
    return true;
}
