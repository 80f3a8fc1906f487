/** Rank 0's loop: hands out work, takes in results, listens to signals; see engram/sched.h.
 *
 *  Promise to the client: every piece of work that was `started` ends with exactly one of
 * `finished` and `interrupted`. */
#include "sched/crew.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* A worker that has not stopped by then is given up; a trial looks after messages every minibatch.
 */
static const double stop_seconds = 8;
static const double check_seconds = 1;
/* While trials are shorter than this times the number of workers, the round trip to rank 0 shows.
 */
static const double short_trial_seconds = 0.010;
/* Then everybody has work ahead for so long, and rank 0 looks only so often: what arrives meanwhile shares
 * one sync of the journal and one awakening. */
static const double ahead_seconds = 0.010;
static const double gather_seconds = 0.001;

typedef struct scheduler {
    eg_crew crew;
    const eg_sched_client *client;
    bool dry;      /* the client had nothing to hand out; ask again after the next result */
    bool stopping; /* everybody was told to stop */
    double deadline;
    int signal; /* that asked to stop */
    uint32_t signal_rank;
    size_t held;  /* pieces of work that are out */
    size_t kept;  /* results that wait for the client's commit */
    size_t depth; /* pieces of work that everybody may hold now */
    size_t interrupted;
    double checked;
    eg_status failure; /* the first one ends the sweep */
} scheduler;

static void interrupt(scheduler *me, uint64_t ticket)
{
    me->interrupted++;
    me->client->interrupted(me->client->user, ticket);
}

/* Takes `task` from the member's hands; false if it is not there (an answer to an earlier attempt).
 */
static bool take_back(scheduler *me, eg_member *member, eg_task task)
{
    for (size_t i = 0; i < member->held_count; i++) {
        if (member->held[i].ticket == task.ticket && member->held[i].attempt == task.attempt) {
            member->held_count--;
            me->held--;
            memmove(&member->held[i], &member->held[i + 1],
                    (member->held_count - i) * sizeof member->held[0]);
            member->step = member->steps = 0;
            return true;
        }
    }
    return false;
}

/* What this member holds will not come back. */
static void forfeit(scheduler *me, eg_member *member)
{
    while (member->held_count > 0) {
        eg_task task = member->held[0];
        (void)take_back(me, member, task);
        interrupt(me, task.ticket);
    }
}

/* Nothing more will come from this member. */
static void abandon(scheduler *me, eg_member *member)
{
    member->left = true;
    forfeit(me, member);
}

/* Told once, but tried at every turn until there was memory for the message. */
static void stop_all(scheduler *me)
{
    const eg_message stop = {.kind = EG_MESSAGE_STOP};
    if (!me->stopping) {
        me->stopping = true;
        me->deadline = eg_sched_now() + stop_seconds;
    }
    for (size_t i = 0; i < me->crew.count; i++) {
        eg_member *member = &me->crew.members[i];
        if (member->held_count > 0 && !member->told) {
            eg_status status = eg_crew_send(member, &stop);
            member->told = status.code == EG_OK;
            eg_status_keep(&me->failure, status);
        }
    }
}

static eg_status acknowledge(eg_member *member, const eg_task *tasks, size_t count)
{
    const eg_message ack = {.kind = EG_MESSAGE_ACK, .as.ack = {.tasks = tasks, .count = count}};
    return eg_crew_send(member, &ack);
}

static eg_status take_result(scheduler *me, eg_member *member, eg_work_result *result)
{
    const eg_task task = {result->ticket, result->attempt};
    if (take_back(me, member, task)) {
        me->dry = false;
        if (me->failure.code != EG_OK) {
            /* The client failed before: it cannot keep this either. */
            interrupt(me, task.ticket);
            return eg_ok();
        }
        result->rank = member->rank;
        result->host = member->host;
        EG_TRY(me->client->finished(me->client->user, result));
        member->kept[member->kept_count++] = task;
        me->kept++;
        return eg_ok();
    }
    /* A result nobody waits for: its worker need not keep it. */
    return acknowledge(member, &task, 1);
}

/* Forces what arrived in this turn to disk, then tells the workers. */
static eg_status commit(scheduler *me)
{
    if (me->kept == 0) {
        return eg_ok();
    }
    eg_status status = me->client->commit(me->client->user);
    me->kept = 0;
    for (size_t i = 0; i < me->crew.count; i++) {
        eg_member *member = &me->crew.members[i];
        if (status.code == EG_OK && member->kept_count > 0) {
            status = acknowledge(member, member->kept, member->kept_count);
        }
        member->kept_count = 0;
    }
    return status;
}

static eg_status take_in(scheduler *me, eg_member *member, eg_message *message)
{
    switch (message->kind) {
    case EG_MESSAGE_READY:
        member->ready = true;
        member->pid = message->as.ready.pid;
        (void)strncpy(member->host, message->as.ready.host, sizeof member->host - 1);
        return eg_ok();
    case EG_MESSAGE_PROGRESS:
        member->step = message->as.progress.step;
        member->steps = message->as.progress.steps;
        return eg_crew_greet(member);
    case EG_MESSAGE_RESULT:
        return take_result(me, member, &message->as.result);
    case EG_MESSAGE_INTERRUPTED:
        if (take_back(me, member, message->as.task)) {
            interrupt(me, message->as.task.ticket);
        }
        return eg_ok();
    case EG_MESSAGE_NOTE:
        message->as.note.rank = member->rank;
        message->as.note.host = member->host;
        me->client->note(me->client->user, &message->as.note);
        return eg_ok();
    case EG_MESSAGE_SIGNALLED:
        me->signal = (int)message->as.signal;
        me->signal_rank = member->rank;
        return eg_ok();
    case EG_MESSAGE_LEFT:
        abandon(me, member);
        return eg_fail(EG_SYSTEM, "rank %u on host %s gave up: %s", member->rank, member->host,
                       message->as.reason);
    case EG_MESSAGE_WORK:
    case EG_MESSAGE_ACK:
    case EG_MESSAGE_ALIVE:
    case EG_MESSAGE_STOP:
    case EG_MESSAGE_LEAVE:
        break;
    }
    return eg_fail(EG_INTERNAL, "rank %u sent a message of kind %d", member->rank,
                   (int)message->kind);
}

/* Everything that has arrived; failures are kept, so that one bad message does not hide the others.
 */
static void receive_all(scheduler *me)
{
    eg_link *const links[] = {me->crew.queue, me->crew.mpi};
    for (size_t i = 0; i < 2; i++) {
        bool have = links[i] != NULL;
        while (have) {
            eg_member *member = NULL;
            eg_message message;
            eg_status status = eg_crew_receive(&me->crew, links[i], &member, &message, &have);
            if (have) {
                status = take_in(me, member, &message);
                eg_message_clear(&message);
            } else if (status.code != EG_OK && member != NULL) {
                forfeit(me, member); /* that may have been a result */
            }
            eg_status_keep(&me->failure, status);
        }
    }
}

static eg_status give(scheduler *me, eg_member *member, const eg_work *work)
{
    const eg_message message = {.kind = EG_MESSAGE_WORK, .as.work = *work};
    EG_TRY(me->client->started(me->client->user, work, member->rank, member->host));
    member->held[member->held_count++] = (eg_task){work->ticket, work->attempt};
    me->held++;
    eg_status status = eg_crew_send(member, &message);
    if (status.code != EG_OK) {
        (void)take_back(me, member, (eg_task){work->ticket, work->attempt});
        interrupt(me, work->ticket);
    }
    return status;
}

static eg_status give_next(scheduler *me, eg_member *member)
{
    eg_work work = {0};
    bool have = false;
    EG_TRY(me->client->next(me->client->user, &work, &have));
    me->dry = !have;
    return have ? give(me, member, &work) : eg_ok();
}

/* How many pieces of work everybody may hold. */
static size_t choose_depth(const scheduler *me)
{
    double mean = me->client->mean_seconds(me->client->user);
    if (mean <= 0 || mean >= short_trial_seconds * (double)me->crew.count) {
        return 1;
    }
    double ahead = ceil(ahead_seconds / mean);
    return ahead < EG_HELD_MAX ? 1 + (size_t)ahead : EG_HELD_MAX;
}

/* Everybody gets one piece before anybody gets one ahead, and so on. */
static eg_status hand_out(scheduler *me)
{
    me->depth = choose_depth(me);
    size_t level = 0; /* what somebody holds least */
    while (level < me->depth && !me->dry) {
        size_t least = me->depth;
        for (size_t i = 0; i < me->crew.count && !me->dry; i++) {
            eg_member *member = &me->crew.members[i];
            if (!member->ready || member->left) {
                continue;
            }
            if (member->held_count <= level) {
                EG_TRY(give_next(me, member));
            }
            least = member->held_count < least ? member->held_count : least;
        }
        level = least;
    }
    return eg_ok();
}

static eg_status vanished(const eg_member *member)
{
    char where[EG_MESSAGE_SIZE] = "";
    if (member->held_count > 0) {
        (void)snprintf(where, sizeof where, "; its trial had reached step %llu of %llu",
                       (unsigned long long)member->step, (unsigned long long)member->steps);
    }
    return eg_fail(EG_SYSTEM, "rank %u (process %llu on host %s) has vanished%s", member->rank,
                   (unsigned long long)member->pid, member->host, where);
}

/* The compute thread cannot vanish, but it may end without the memory to say so. */
static void check_thread(scheduler *me, eg_member *member)
{
    if (atomic_load(&me->crew.thread_ended)) {
        receive_all(me); /* its last words */
        abandon(me, member);
        eg_status_keep(&me->failure,
                       eg_status_wrap(me->crew.thread_status, "the compute thread gave up"));
    }
}

static void check_rank(scheduler *me, eg_member *member, double now)
{
    bool gone = eg_crew_gone(&me->crew, member, now);
    bool late = me->stopping && now > me->deadline && member->held_count > 0;
    if (gone) {
        eg_status_keep(&me->failure, vanished(member));
    }
    if (gone || late) {
        me->crew.world->lost = true;
        abandon(me, member);
    }
}

/* Looks for workers that vanished without a word. */
static void check_members(scheduler *me)
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
            check_thread(me, member);
        } else {
            check_rank(me, member, now);
        }
    }
}

static void turn(scheduler *me)
{
    receive_all(me);
    if (me->signal == 0) {
        me->signal = eg_signals_pending();
    }
    if (me->signal != 0 || me->failure.code != EG_OK) {
        stop_all(me);
    } else {
        eg_status_keep(&me->failure, hand_out(me));
    }
    check_members(me);
    /* After handing out: who waits for work need not wait for the disk too. */
    eg_status_keep(&me->failure, commit(me));
    if (me->failure.code == EG_OK) {
        eg_status_keep(&me->failure, me->client->idle(me->client->user));
    }
    if (me->failure.code != EG_OK) {
        stop_all(me);
    }
}

/* With work ahead nobody waits for an answer. */
static void rest(scheduler *me)
{
    eg_crew_wait(&me->crew, me->depth > 1 && !me->stopping ? gather_seconds : 0);
}

static const char *signal_name(int number)
{
    return number == SIGINT    ? "SIGINT"
           : number == SIGTERM ? "SIGTERM"
           : number == SIGUSR1 ? "SIGUSR1"
                               : "a signal";
}

static eg_status verdict(const scheduler *me)
{
    if (me->failure.code != EG_OK) {
        return me->failure;
    }
    if (me->signal == 0) {
        return eg_ok();
    }
    return eg_fail(EG_STOPPED, "stopped by %s (rank %u); %zu trials interrupted",
                   signal_name(me->signal), me->signal_rank, me->interrupted);
}

eg_status eg_sched_run_with(eg_world *world, const eg_sched_client *client,
                            const eg_sched_options *options, const eg_runner *runner)
{
    scheduler me = {.client = client, .checked = eg_sched_now()};
    if (options->dedicated && world->size == 1) {
        return eg_fail(EG_INVALID, "a dedicated scheduler needs at least 2 ranks: nobody is left "
                                   "to run trials");
    }
    me.failure = eg_crew_open(&me.crew, world, options, options->dedicated ? NULL : runner);
    bool over = me.failure.code != EG_OK;
    while (!over) {
        turn(&me);
        over = me.held == 0 && (me.stopping || me.dry);
        if (!over) {
            rest(&me);
        }
    }
    eg_crew_dismiss(&me.crew);
    eg_crew_close(&me.crew);
    return verdict(&me);
}

void eg_sched_dismiss(eg_world *world)
{
    const eg_sched_options options = {0};
    eg_crew crew;
    eg_status status = eg_crew_open(&crew, world, &options, NULL);
    if (status.code != EG_OK) {
        world->lost = world->size > 1;
    }
    eg_crew_dismiss(&crew);
    eg_crew_close(&crew);
}
