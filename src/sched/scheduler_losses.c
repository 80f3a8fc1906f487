/** Workers that end or fall silent, and those that come back; see sched/scheduler.h. */
#include "sched/scheduler.h"

#include <stdio.h>
#include <string.h>

static const double check_seconds = 1;

static size_t count_host_losses(const eg_scheduler *me, const char *host)
{
    size_t count = 0;
    for (size_t i = 0; i < me->crew.count; i++) {
        const eg_member *member = &me->crew.members[i];
        count += strcmp(member->host, host) == 0 ? member->losses : 0;
    }
    return count;
}

static size_t count_workers(const eg_scheduler *me)
{
    size_t count = 0;
    for (size_t i = 0; i < me->crew.count; i++) {
        const eg_member *member = &me->crew.members[i];
        count += member->link != NULL && !member->left && !member->lost ? 1 : 0;
    }
    return count;
}

/* The work has taken too many workers with it: it will not get another one. */
static eg_status fail_work(eg_scheduler *me, const eg_member *member, const eg_held *held,
                           const char *why)
{
    char words[EG_MESSAGE_SIZE];
    (void)snprintf(words, sizeof words,
                   "%u workers were lost while they ran it, the last one rank %u on host %s (%s)",
                   held->losses + 1, member->rank, member->host, why);
    const eg_work_result result = {
        .ticket = held->task.ticket,
        .attempt = held->task.attempt,
        .rank = member->rank,
        .host = member->host,
        .start_time = held->start_time,
        .wall_seconds = eg_sched_date() - held->start_time,
        .status = EG_TRIAL_FAILED,
        .message = words,
    };
    me->uncommitted = true;
    return me->client->finished(me->client->user, &result);
}

static eg_status lose_work(eg_scheduler *me, const eg_member *member, const eg_held *held,
                           bool was_running, const char *why)
{
    if (was_running && held->losses + 1 >= me->crew.options.losses_max) {
        return fail_work(me, member, held, why);
    }
    const eg_work_loss loss = {
        .ticket = held->task.ticket,
        .attempt = held->task.attempt,
        .rank = member->rank,
        .host = member->host,
        .start_time = held->start_time,
        .why = why,
        .was_running = was_running,
    };
    return me->client->lost(me->client->user, &loss);
}

static eg_status tell_client(eg_scheduler *me, const eg_member *member, const char *why)
{
    const eg_worker_loss loss = {
        .rank = member->rank,
        .host = member->host,
        .why = why,
        .held = member->held_count,
        .host_losses = count_host_losses(me, member->host),
        .workers_left = count_workers(me),
    };
    return me->client->worker_lost(me->client->user, &loss);
}

void eg_scheduler_lose(eg_scheduler *me, eg_member *member, const char *why)
{
    if (member->lost) {
        return;
    }
    member->lost = true;
    member->ready = member->recalled = false;
    member->losses++;
    if (me->failure.code == EG_OK) {
        eg_status_keep(&me->failure, tell_client(me, member, why));
    }
    /* A worker runs what it holds in order, and its results arrive in order. */
    for (size_t i = 0; i < member->held_count; i++) {
        const eg_held *held = &member->held[i];
        me->held--;
        if (me->failure.code == EG_OK) {
            eg_status_keep(&me->failure, lose_work(me, member, held, i == 0, why));
        } else {
            eg_scheduler_interrupt(me, held->task.ticket);
        }
    }
    member->held_count = 0;
    me->dry = false;
    size_t left = count_workers(me);
    if (left < me->crew.options.workers_min) {
        eg_status_keep(&me->failure,
                       eg_fail(EG_SYSTEM,
                               "too few workers are left: %zu, at least %zu are wanted; the last "
                               "one lost was rank %u on host %s (%s)",
                               left, me->crew.options.workers_min, member->rank, member->host,
                               why));
    }
}

eg_status eg_scheduler_hear_lost(eg_scheduler *me, eg_member *member, const eg_message *message,
                                 bool *counts)
{
    *counts = message->kind == EG_MESSAGE_LEFT || message->kind == EG_MESSAGE_SIGNALLED;
    if (message->kind == EG_MESSAGE_READY) {
        *counts = true;
        member->lost = false;
        me->client->worker_back(me->client->user, member->rank, member->host);
    }
    if (*counts || member->recalled) {
        return eg_ok();
    }
    const eg_message recall = {.kind = EG_MESSAGE_RECALL};
    member->recalled = true;
    return eg_crew_send(member, &recall);
}

/* The compute thread cannot vanish, but it may end without the memory to say so. */
static void check_thread(eg_scheduler *me, eg_member *member, double now)
{
    if (!atomic_load(&me->crew.compute->ended)) {
        if (me->stopping && now > me->deadline) {
            eg_scheduler_forfeit(me, member);
        }
        return;
    }
    eg_scheduler_receive(me); /* its last words */
    member->left = true;
    eg_scheduler_lose(me, member, me->crew.compute->status.message);
}

static void check_rank(eg_scheduler *me, eg_member *member, double now)
{
    if (eg_crew_gone(member)) {
        eg_scheduler_receive(me); /* its last results */
        me->crew.world->lost = true;
        me->crew.world->presence[member->rank] = EG_ENDED;
        member->left = true;
        eg_scheduler_lose(me, member, "its process has ended");
    } else if (!member->lost && eg_crew_silent(&me->crew, member, now)) {
        char why[64];
        (void)snprintf(why, sizeof why, "not heard of for %.0f s", now - member->heard);
        eg_scheduler_lose(me, member, why);
    } else if (me->stopping && now > me->deadline && member->held_count > 0) {
        eg_scheduler_forfeit(me, member);
    }
}

void eg_scheduler_check(eg_scheduler *me)
{
    double now = eg_sched_now();
    double away = now - me->checked;
    if (away < check_seconds) {
        return;
    }
    me->checked = now;
    for (size_t i = 0; i < me->crew.count; i++) {
        eg_member *member = &me->crew.members[i];
        if (away > 2 * check_seconds) {
            member->heard = now; /* it was this side that did not listen */
        }
        if (member->link == NULL || member->left) {
            continue;
        }
        if (member->link == me->crew.queue) {
            check_thread(me, member, now);
        } else {
            check_rank(me, member, now);
        }
    }
}
