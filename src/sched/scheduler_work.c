/** The pieces of work that are out: given, taken back, kept until they are safe; see sched/scheduler.h. */
#include "sched/scheduler.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

/* The round trip to rank 0, where both sides look every few milliseconds, shows in trials that are shorter than
 * this, or than this times the number of workers. */
static const double short_trial_seconds = 2.0;
static const double short_trial_share = 0.010;
/* Then everybody has work ahead for so long. */
static const double ahead_seconds = 0.010;
/* With work ahead nobody waits for an answer, and rank 0 looks only so often, by the length of a trial: what arrives
 * meanwhile shares one sync of the journal and one awakening. Looking every 5 ms cost the trials beside it 2 % of a
 * core. */
static const double gather_share = 0.1;
static const double gather_min = 0.001;
static const double gather_max = 0.020;

void eg_scheduler_interrupt(eg_scheduler *me, uint64_t ticket)
{
    me->interrupted++;
    me->client->interrupted(me->client->user, ticket);
}

void eg_scheduler_list(eg_scheduler *me, eg_member *member)
{
    if (!member->wanting) {
        member->wanting = true;
        me->wanting[me->wanting_count++] = member->rank;
    }
}

bool eg_scheduler_take_back(eg_scheduler *me, eg_member *member, eg_task task, eg_held *was)
{
    for (size_t i = 0; i < member->held_count; i++) {
        const eg_task *held = &member->held[i].task;
        if (held->ticket == task.ticket && held->attempt == task.attempt) {
            *was = member->held[i];
            member->held_count--;
            me->held--;
            memmove(&member->held[i], &member->held[i + 1],
                    (member->held_count - i) * sizeof member->held[0]);
            eg_scheduler_list(me, member);
            return true;
        }
    }
    return false;
}

void eg_scheduler_forfeit(eg_scheduler *me, eg_member *member)
{
    for (size_t i = 0; i < member->held_count; i++) {
        me->held--;
        eg_scheduler_interrupt(me, member->held[i].task.ticket);
    }
    member->held_count = 0;
}

static eg_status acknowledge(eg_member *member, const eg_task *tasks, size_t count)
{
    const eg_message ack = {.kind = EG_MESSAGE_ACK, .as.ack = {.tasks = tasks, .count = count}};
    return eg_crew_send(member, &ack);
}

eg_status eg_scheduler_take_result(eg_scheduler *me, eg_member *member, eg_work_result *result)
{
    const eg_task task = {result->ticket, result->attempt};
    eg_held was;
    if (!eg_scheduler_take_back(me, member, task, &was)) {
        return eg_ok(); /* nobody waits for it any more */
    }
    me->dry = false;
    if (me->failure.code != EG_OK) {
        /* The client failed before: it cannot keep this either. */
        eg_scheduler_interrupt(me, task.ticket);
        return eg_ok();
    }
    eg_status status = eg_grow(&member->kept, &member->kept_capacity, member->kept_count + 1,
                               sizeof *member->kept);
    if (status.code != EG_OK) {
        eg_scheduler_interrupt(me, task.ticket);
        return status;
    }
    result->rank = member->rank;
    result->host = member->host;
    EG_TRY(me->client->finished(me->client->user, result));
    if (member->kept_count == 0) {
        me->keeping[me->keeping_count++] = member->rank;
    }
    member->kept[member->kept_count++] = task;
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
        eg_member *member = &me->crew.members[me->keeping[i]];
        if (status.code == EG_OK) {
            status = acknowledge(member, member->kept, member->kept_count);
        }
        member->kept_count = 0;
    }
    me->keeping_count = 0;
    return status;
}

static eg_status give(eg_scheduler *me, eg_member *member, const eg_work *work)
{
    const eg_message message = {.kind = EG_MESSAGE_WORK, .as.work = *work};
    const eg_task task = {work->ticket, work->attempt};
    EG_TRY(eg_grow(&member->held, &member->held_capacity, member->held_count + 1,
                   sizeof *member->held));
    EG_TRY(me->client->started(me->client->user, work, member->rank, member->host));
    member->held[member->held_count++] =
        (eg_held){.task = task, .losses = work->losses, .start_time = eg_sched_date()};
    me->held++;
    eg_status status = eg_crew_send(member, &message);
    eg_held was;
    if (status.code != EG_OK && eg_scheduler_take_back(me, member, task, &was)) {
        eg_scheduler_interrupt(me, work->ticket);
    }
    return status;
}

static eg_status give_next(eg_scheduler *me, eg_member *member)
{
    eg_work work = {0};
    bool have = false;
    EG_TRY(me->client->next(me->client->user, &work, &have));
    me->dry = !have;
    return have ? give(me, member, &work) : eg_ok();
}

/* How many pieces of work everybody may hold, and how often to look after them. */
static void choose_depth(eg_scheduler *me)
{
    double mean = me->client->mean_seconds(me->client->user);
    double share = short_trial_share * (double)me->crew.count;
    me->depth = 1;
    me->gather = 0;
    if (mean > 0 && mean < fmax(short_trial_seconds, share)) {
        double ahead = ceil(ahead_seconds / mean);
        me->depth = ahead < EG_HELD_MAX ? 1 + (size_t)ahead : EG_HELD_MAX;
        me->gather = fmin(fmax(gather_share * mean, gather_min), gather_max);
    }
}

/* Everybody may hold more than when those that had enough were taken off the list. */
static void list_all(eg_scheduler *me)
{
    for (size_t i = 0; i < me->crew.count; i++) {
        if (me->crew.members[i].ready) {
            eg_scheduler_list(me, &me->crew.members[i]);
        }
    }
}

/* Takes those off the list that have enough, or are not there. */
static void keep_wanting(eg_scheduler *me)
{
    size_t kept = 0;
    for (size_t i = 0; i < me->wanting_count; i++) {
        eg_member *member = &me->crew.members[me->wanting[i]];
        member->wanting = member->ready && member->held_count < me->depth;
        if (member->wanting) {
            me->wanting[kept++] = member->rank;
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
            eg_member *member = &me->crew.members[me->wanting[i]];
            if (!member->ready) {
                continue;
            }
            if (member->held_count <= level) {
                EG_TRY(give_next(me, member));
            }
            least = member->held_count < least ? member->held_count : least;
        }
        level = least;
    }
    keep_wanting(me);
    return eg_ok();
}
