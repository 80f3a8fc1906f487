/** The pieces of work that are out: given, taken back, kept until they are safe; see
 *  sched/scheduler.h. */
#include "sched/scheduler.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <math.h>
#include <string.h>

/* The round trip to rank 0, where both sides look every few milliseconds, shows in trials that are
 * shorter than this, or than this times the number of workers. */
static const double short_trial_seconds = 2.0;
static const double short_trial_share = 0.010;
/* Then everybody has work ahead for so long. */
static const double ahead_seconds = 0.010;
/* With work ahead nobody waits for an answer, and rank 0 looks only so often, by the length of a
 * trial: what arrives meanwhile shares one sync of the journal and one awakening. Looking every 5
 * ms cost the trials beside it 2 % of a core. */
static const double gather_share = 0.1;
static const double gather_min = 0.001;
static const double gather_max = 0.020;

void eg_scheduler_interrupt(eg_scheduler *me, const eg_attempt *attempt)
{
    me->interrupted++;
    me->client->interrupted(me->client->user, attempt);
}

void eg_scheduler_list(eg_scheduler *me, eg_worker *worker)
{
    if (!worker->wanting) {
        worker->wanting = true;
        me->wanting[me->wanting_count++] = worker->rank;
    }
}

bool eg_scheduler_take_back(eg_scheduler *me, eg_worker *worker, const eg_attempt *attempt)
{
    for (size_t i = 0; i < worker->in_flight_count; i++) {
        if (eg_attempt_is_same(&worker->in_flight[i].attempt, attempt)) {
            worker->in_flight_count--;
            me->in_flight--;
            memmove(&worker->in_flight[i], &worker->in_flight[i + 1],
                    (worker->in_flight_count - i) * sizeof worker->in_flight[0]);
            eg_scheduler_list(me, worker);
            return true;
        }
    }
    return false;
}

void eg_scheduler_forfeit(eg_scheduler *me, eg_worker *worker)
{
    for (size_t i = 0; i < worker->in_flight_count; i++) {
        me->in_flight--;
        eg_scheduler_interrupt(me, &worker->in_flight[i].attempt);
    }
    worker->in_flight_count = 0;
}

static eg_status acknowledge(eg_worker *worker, const eg_attempt *attempts, size_t count)
{
    const eg_message ack = {.kind = EG_MESSAGE_ACK,
                            .as.ack = {.attempts = attempts, .count = count}};
    return eg_worker_send(worker, &ack);
}

eg_status eg_scheduler_take_result(eg_scheduler *me, eg_worker *worker, eg_work_result *result)
{
    if (!eg_scheduler_take_back(me, worker, &result->attempt)) {
        return eg_ok(); /* nobody waits for it any more */
    }
    me->dry = false;
    if (me->failure.code != EG_OK) {
        /* The client failed before: it cannot keep this either. */
        eg_scheduler_interrupt(me, &result->attempt);
        return eg_ok();
    }
    eg_status status = eg_grow(&worker->kept, &worker->kept_capacity, worker->kept_count + 1,
                               sizeof *worker->kept);
    if (status.code != EG_OK) {
        eg_scheduler_interrupt(me, &result->attempt);
        return status;
    }
    result->attempt.rank = worker->rank;
    result->attempt.host = worker->host;
    EG_TRY(me->client->finished(me->client->user, result));
    if (worker->kept_count == 0) {
        me->keeping[me->keeping_count++] = worker->rank;
    }
    worker->kept[worker->kept_count++] = result->attempt;
    me->uncommitted = true;
    return eg_ok();
}

eg_status eg_scheduler_commit(eg_scheduler *me)
{
    if (!me->uncommitted) {
        return eg_ok();
    }
    eg_status status = me->client->commit(me->client->user);
    me->uncommitted = false;
    for (size_t i = 0; i < me->keeping_count; i++) {
        eg_worker *worker = &me->pool.workers[me->keeping[i]];
        if (status.code == EG_OK) {
            status = acknowledge(worker, worker->kept, worker->kept_count);
        }
        worker->kept_count = 0;
    }
    me->keeping_count = 0;
    return status;
}

static eg_status give(eg_scheduler *me, eg_worker *worker, const eg_work *work)
{
    const eg_message message = {.kind = EG_MESSAGE_WORK, .as.work = *work};
    eg_attempt attempt = work->attempt;
    attempt.rank = worker->rank;
    attempt.host = worker->host;
    attempt.start_time = eg_now();
    EG_TRY(eg_grow(&worker->in_flight, &worker->in_flight_capacity, worker->in_flight_count + 1,
                   sizeof *worker->in_flight));
    EG_TRY(me->client->started(me->client->user, &attempt));
    worker->in_flight[worker->in_flight_count++] =
        (eg_in_flight){.attempt = attempt, .losses = work->losses};
    me->in_flight++;
    eg_status status = eg_worker_send(worker, &message);
    if (status.code != EG_OK && eg_scheduler_take_back(me, worker, &attempt)) {
        eg_scheduler_interrupt(me, &attempt);
    }
    return status;
}

static eg_status give_next(eg_scheduler *me, eg_worker *worker)
{
    eg_work work = {0};
    bool have = false;
    EG_TRY(me->client->next(me->client->user, &work, &have));
    me->dry = !have;
    return have ? give(me, worker, &work) : eg_ok();
}

/* How many pieces of work everybody may hold, and how often to look after them. */
static void choose_depth(eg_scheduler *me)
{
    double mean = me->client->mean_seconds(me->client->user);
    double share = short_trial_share * (double)me->pool.count;
    me->depth = 1;
    me->gather = 0;
    if (mean > 0 && mean < fmax(short_trial_seconds, share)) {
        double ahead = ceil(ahead_seconds / mean);
        me->depth = ahead < EG_IN_FLIGHT_MAX ? 1 + (size_t)ahead : EG_IN_FLIGHT_MAX;
        me->gather = fmin(fmax(gather_share * mean, gather_min), gather_max);
    }
    if (me->client->out_max != NULL && me->depth > 1) {
        size_t each = me->client->out_max(me->client->user) / me->pool.count;
        me->depth = each < 1 ? 1 : each < me->depth ? each : me->depth;
    }
}

/* Everybody may hold more than when those that had enough were taken off the list. */
static void list_all(eg_scheduler *me)
{
    for (size_t i = 0; i < me->pool.count; i++) {
        if (me->pool.workers[i].ready) {
            eg_scheduler_list(me, &me->pool.workers[i]);
        }
    }
}

/* Takes those off the list that have enough, or are not there. */
static void keep_wanting(eg_scheduler *me)
{
    size_t kept = 0;
    for (size_t i = 0; i < me->wanting_count; i++) {
        eg_worker *worker = &me->pool.workers[me->wanting[i]];
        worker->wanting = worker->ready && worker->in_flight_count < me->depth;
        if (worker->wanting) {
            me->wanting[kept++] = worker->rank;
        }
    }
    me->wanting_count = kept;
    me->listed_depth = me->depth;
}

/* Everybody gets one piece before anybody gets one ahead, and so on. */
eg_status eg_scheduler_hand_out(eg_scheduler *me)
{
    choose_depth(me);
    if (me->depth > me->listed_depth) {
        list_all(me);
        me->listed_depth = me->depth;
    }
    if (me->dry || me->wanting_count == 0) {
        return eg_ok();
    }
    size_t level = 0; /* what somebody holds least */
    while (level < me->depth && !me->dry) {
        size_t least = me->depth;
        for (size_t i = 0; i < me->wanting_count && !me->dry; i++) {
            eg_worker *worker = &me->pool.workers[me->wanting[i]];
            if (!worker->ready) {
                continue;
            }
            if (worker->in_flight_count <= level) {
                EG_TRY(give_next(me, worker));
            }
            least = worker->in_flight_count < least ? worker->in_flight_count : least;
        }
        level = least;
    }
    keep_wanting(me);
    return eg_ok();
}
