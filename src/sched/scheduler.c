/** Rank 0's loop: hands out work, takes in results, listens to signals; see engram/sched.h.
 *
 *  Promise to the client: every piece of work that was `started` ends with exactly one of
 * `finished`, `lost` and `interrupted`. */
#include "sched/scheduler.h"

#include "engram/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* A worker that has not stopped by then is given up; a trial looks after messages every minibatch.
 */
static const double stop_seconds = 8;

/* Told once, but tried at every turn until there was memory for the message. */
static void stop_all(eg_scheduler *me)
{
    const eg_message stop = {.kind = EG_MESSAGE_STOP};
    if (!me->stopping) {
        me->stopping = true;
        me->stopped = eg_sched_now();
        me->deadline = me->stopped + stop_seconds;
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

/* Only of work that is still the member's. */
static void take_progress(eg_scheduler *me, const eg_member *member, const eg_message *message)
{
    const eg_work_progress progress = {.ticket = message->as.progress.task.ticket,
                                       .attempt = message->as.progress.task.attempt,
                                       .rank = member->rank,
                                       .step = message->as.progress.step,
                                       .steps = message->as.progress.steps};
    bool sound =
        message->as.progress.working && progress.steps > 0 && progress.step <= progress.steps;
    for (size_t i = 0; sound && i < member->held_count; i++) {
        const eg_task *held = &member->held[i].task;
        if (held->ticket == progress.ticket && held->attempt == progress.attempt) {
            me->client->progress(me->client->user, &progress);
        }
    }
}

static eg_status take_in(eg_scheduler *me, eg_member *member, eg_message *message)
{
    if (member->lost) {
        bool counts = true;
        EG_TRY(eg_scheduler_hear_lost(me, member, message, &counts));
        if (!counts) {
            return eg_ok();
        }
    }
    eg_held was;
    switch (message->kind) {
    case EG_MESSAGE_READY:
        member->ready = true;
        eg_scheduler_list(me, member);
        member->pid = message->as.ready.pid;
        (void)strncpy(member->host, message->as.ready.host, sizeof member->host - 1);
        return eg_ok();
    case EG_MESSAGE_PROGRESS:
        take_progress(me, member, message);
        return eg_crew_greet(&me->crew, member);
    case EG_MESSAGE_RESULT:
        return eg_scheduler_take_result(me, member, &message->as.result);
    case EG_MESSAGE_INTERRUPTED:
        if (eg_scheduler_take_back(me, member, message->as.task, &was)) {
            eg_scheduler_interrupt(me, message->as.task.ticket);
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
        member->left = true;
        eg_scheduler_lose(me, member, message->as.reason);
        return eg_ok();
    case EG_MESSAGE_REFUSED:
        return eg_fail(EG_INVALID, "rank %u on host %s: %s", member->rank, member->host,
                       message->as.reason);
    case EG_MESSAGE_WORK:
    case EG_MESSAGE_ACK:
    case EG_MESSAGE_ALIVE:
    case EG_MESSAGE_STOP:
    case EG_MESSAGE_LEAVE:
    case EG_MESSAGE_RECALL:
        break;
    }
    return eg_fail(EG_INTERNAL, "rank %u sent a message of kind %d", member->rank,
                   (int)message->kind);
}

/* Everything that has arrived; failures are kept, so that one bad message does not hide the others.
 */
void eg_scheduler_receive(eg_scheduler *me)
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
                eg_scheduler_forfeit(me, member); /* that may have been a result */
            }
            eg_status_keep(&me->failure, status);
        }
    }
}

/* Of rank 0's own compute thread; the others' ranks say so themselves. */
static void say_of_minibatch(eg_scheduler *me)
{
    char text[EG_COMPLAINT_SIZE];
    eg_work_note note;
    eg_compute *compute = me->crew.compute;
    if (compute != NULL && eg_compute_complains(compute, me->stopped, &note, text)) {
        note.rank = 0;
        note.host = me->crew.members[0].host;
        me->client->note(me->client->user, &note);
    }
}

static void turn(eg_scheduler *me)
{
    eg_scheduler_receive(me);
    if (me->signal == 0) {
        me->signal = eg_signals_pending();
    }
    if (me->signal != 0 || me->failure.code != EG_OK) {
        stop_all(me);
    } else {
        eg_status_keep(&me->failure, eg_scheduler_hand_out(me));
    }
    eg_scheduler_check(me);
    say_of_minibatch(me);
    /* After handing out: who waits for work need not wait for the disk too. */
    eg_status_keep(&me->failure, eg_scheduler_commit(me));
    if (me->failure.code == EG_OK) {
        eg_status_keep(&me->failure, me->client->idle(me->client->user));
    }
    if (me->failure.code != EG_OK) {
        stop_all(me);
    }
}

static void rest(eg_scheduler *me)
{
    eg_crew_wait(&me->crew, me->stopping ? 0 : me->gather);
}

static const char *signal_name(int number)
{
    return number == SIGINT    ? "SIGINT"
           : number == SIGTERM ? "SIGTERM"
           : number == SIGUSR1 ? "SIGUSR1"
           : number == SIGHUP  ? "SIGHUP"
           : number == SIGXCPU ? "SIGXCPU"
                               : "a signal";
}

static eg_status verdict(const eg_scheduler *me)
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

static eg_status make_lists(eg_scheduler *me)
{
    EG_TRY(eg_alloc(&me->wanting, me->crew.count, sizeof *me->wanting));
    return eg_alloc(&me->keeping, me->crew.count, sizeof *me->keeping);
}

eg_status eg_sched_run_with(eg_world *world, const eg_sched_client *client,
                            const eg_sched_options *options, const eg_runner *runner)
{
    eg_scheduler me = {.client = client, .checked = eg_sched_now()};
    if (options->dedicated && world->size == 1) {
        return eg_fail(EG_INVALID, "a dedicated scheduler needs at least 2 ranks: nobody is left "
                                   "to run trials");
    }
    me.failure = eg_crew_open(&me.crew, world, options, options->dedicated ? NULL : runner);
    eg_status_keep(&me.failure, make_lists(&me));
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
    eg_free(me.wanting);
    eg_free(me.keeping);
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
