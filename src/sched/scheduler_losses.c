/** Workers that end or fall silent, and those that come back; see sched/scheduler.h. */
#include "sched/scheduler.h"

#include "engram/clock.h"

#include <stdio.h>
#include <string.h>

static const double check_seconds = 1;

static size_t count_host_losses(const eg_scheduler *me, const char *host)
{
    size_t count = 0;
    for (size_t i = 0; i < me->pool.count; i++) {
        const eg_worker *worker = &me->pool.workers[i];
        count += strcmp(worker->host, host) == 0 ? worker->losses : 0;
    }
    return count;
}

static size_t count_workers(const eg_scheduler *me)
{
    size_t count = 0;
    for (size_t i = 0; i < me->pool.count; i++) {
        const eg_worker *worker = &me->pool.workers[i];
        count += worker->channel != NULL && !worker->left && !worker->lost ? 1 : 0;
    }
    return count;
}

/* The attempt as it ends now, with its worker. */
static eg_attempt given_up(const eg_in_flight *in_flight)
{
    eg_attempt attempt = in_flight->attempt;
    attempt.wall_seconds = eg_now() - attempt.start_time;
    return attempt;
}

/* The work has taken too many workers with it: it will not get another one. */
static eg_status fail_work(eg_scheduler *me, const eg_worker *worker, const eg_in_flight *in_flight,
                           const char *why)
{
    char words[EG_MESSAGE_SIZE];
    (void)snprintf(words, sizeof words,
                   "%u workers were lost while they ran it, the last one rank %u on host %s (%s)",
                   in_flight->losses + 1, worker->rank, worker->host, why);
    const eg_work_result result = {
        .attempt = given_up(in_flight),
        .status = EG_TRIAL_FAILED,
        .message = words,
    };
    me->uncommitted = true;
    return me->client->finished(me->client->user, &result);
}

static eg_status lose_work(eg_scheduler *me, const eg_worker *worker, const eg_in_flight *in_flight,
                           bool was_running, const char *why)
{
    if (was_running && in_flight->losses + 1 >= me->pool.options.losses_max) {
        return fail_work(me, worker, in_flight, why);
    }
    const eg_work_loss loss = {
        .attempt = given_up(in_flight),
        .why = why,
        .was_running = was_running,
    };
    return me->client->lost(me->client->user, &loss);
}

static eg_status notify_client(eg_scheduler *me, const eg_worker *worker, const char *why)
{
    const eg_worker_loss loss = {
        .rank = worker->rank,
        .host = worker->host,
        .why = why,
        .in_flight = worker->in_flight_count,
        .host_losses = count_host_losses(me, worker->host),
        .workers_left = count_workers(me),
    };
    return me->client->worker_lost(me->client->user, &loss);
}

void eg_scheduler_lose(eg_scheduler *me, eg_worker *worker, const char *why)
{
    if (worker->lost) {
        return;
    }
    worker->lost = true;
    worker->ready = worker->reset_sent = false;
    worker->losses++;
    if (me->failure.code == EG_OK) {
        eg_status_keep(&me->failure, notify_client(me, worker, why));
    }
    /* A worker runs what it holds in order, and its results arrive in order. */
    for (size_t i = 0; i < worker->in_flight_count; i++) {
        const eg_in_flight *in_flight = &worker->in_flight[i];
        me->in_flight--;
        if (me->failure.code == EG_OK) {
            eg_status_keep(&me->failure, lose_work(me, worker, in_flight, i == 0, why));
        } else {
            eg_scheduler_interrupt(me, &in_flight->attempt);
        }
    }
    worker->in_flight_count = 0;
    me->dry = false;
    size_t left = count_workers(me);
    if (left < me->pool.options.workers_min) {
        eg_status_keep(&me->failure,
                       eg_fail(EG_SYSTEM,
                               "too few workers are left: %zu, at least %zu are wanted; the last "
                               "one lost was rank %u on host %s (%s)",
                               left, me->pool.options.workers_min, worker->rank, worker->host,
                               why));
    }
}

eg_status eg_scheduler_handle_lost(eg_scheduler *me, eg_worker *worker, const eg_message *message,
                                   bool *counts)
{
    *counts = message->kind == EG_MESSAGE_BYE || message->kind == EG_MESSAGE_SIGNALLED;
    if (message->kind == EG_MESSAGE_READY) {
        *counts = true;
        worker->lost = false;
        me->client->worker_back(me->client->user, worker->rank, worker->host);
    }
    if (*counts || worker->reset_sent) {
        return eg_ok();
    }
    const eg_message reset = {.kind = EG_MESSAGE_RESET};
    worker->reset_sent = true;
    return eg_worker_send(worker, &reset);
}

/* The compute thread cannot vanish, but it may end without the memory to say so. */
static void check_thread(eg_scheduler *me, eg_worker *worker, double now)
{
    if (!atomic_load(&me->pool.compute->ended)) {
        if (me->stopping && now > me->deadline) {
            eg_scheduler_forfeit(me, worker);
        }
        return;
    }
    eg_scheduler_receive(me); /* its last words */
    worker->left = true;
    eg_scheduler_lose(me, worker, me->pool.compute->status.message);
}

static void check_rank(eg_scheduler *me, eg_worker *worker, double now)
{
    if (eg_worker_is_gone(worker)) {
        eg_scheduler_receive(me); /* its last results */
        me->pool.world->lost = true;
        me->pool.world->presence[worker->rank] = EG_ENDED;
        worker->left = true;
        eg_scheduler_lose(me, worker, "its process has ended");
    } else if (!worker->lost && eg_worker_pool_silent(&me->pool, worker, now)) {
        char why[64];
        (void)snprintf(why, sizeof why, "not heard of for %.0f s", now - worker->heard);
        eg_scheduler_lose(me, worker, why);
    } else if (me->stopping && now > me->deadline && worker->in_flight_count > 0) {
        eg_scheduler_forfeit(me, worker);
    }
}

void eg_scheduler_check(eg_scheduler *me)
{
    double now = eg_clock();
    double away = now - me->checked;
    if (away < check_seconds) {
        return;
    }
    me->checked = now;
    for (size_t i = 0; i < me->pool.count; i++) {
        eg_worker *worker = &me->pool.workers[i];
        if (away > 2 * check_seconds) {
            worker->heard = now; /* it was this side that did not listen */
        }
        if (worker->channel == NULL || worker->left) {
            continue;
        }
        if (worker->channel == me->pool.queue) {
            check_thread(me, worker, now);
        } else {
            check_rank(me, worker, now);
        }
    }
}
