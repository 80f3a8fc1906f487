/** Rank 0's loop: hands out work, takes in results, listens to signals; see engram/sched.h.
 *
 *  Promise to the client: every piece of work that was `started` ends with exactly one of
 * `finished`, `lost` and `interrupted`. */
#include "sched/scheduler.h"

#include "engram/clock.h"
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
        me->stopped = eg_clock();
        me->deadline = me->stopped + stop_seconds;
    }
    for (size_t i = 0; i < me->pool.count; i++) {
        eg_worker *worker = &me->pool.workers[i];
        if (worker->in_flight_count > 0 && !worker->stop_sent) {
            eg_status status = eg_worker_send(worker, &stop);
            worker->stop_sent = status.code == EG_OK;
            eg_status_keep(&me->failure, status);
        }
    }
}

/* Only of work that is still the worker's. */
static void take_progress(eg_scheduler *me, const eg_worker *worker, const eg_message *message)
{
    uint64_t step = message->as.progress.step;
    uint64_t steps = message->as.progress.steps;
    bool sound = message->as.progress.working && steps > 0 && step <= steps;
    for (size_t i = 0; sound && i < worker->in_flight_count; i++) {
        const eg_attempt *in_flight = &worker->in_flight[i].attempt;
        if (eg_attempt_is_same(in_flight, &message->as.progress.attempt)) {
            const eg_work_progress progress = {.attempt = *in_flight, .step = step, .steps = steps};
            me->client->progress(me->client->user, &progress);
        }
    }
}

static eg_status handle(eg_scheduler *me, eg_worker *worker, eg_message *message)
{
    if (worker->lost) {
        bool counts = true;
        EG_TRY(eg_scheduler_handle_lost(me, worker, message, &counts));
        if (!counts) {
            return eg_ok();
        }
    }
    switch (message->kind) {
    case EG_MESSAGE_READY:
        worker->ready = true;
        eg_scheduler_list(me, worker);
        worker->pid = message->as.ready.pid;
        (void)strncpy(worker->host, message->as.ready.host, sizeof worker->host - 1);
        return eg_ok();
    case EG_MESSAGE_PROGRESS:
        take_progress(me, worker, message);
        return eg_worker_pool_send_heartbeat(&me->pool, worker);
    case EG_MESSAGE_RESULT:
        return eg_scheduler_take_result(me, worker, &message->as.result);
    case EG_MESSAGE_INTERRUPTED:
        if (eg_scheduler_take_back(me, worker, &message->as.interrupted)) {
            eg_scheduler_interrupt(me, &message->as.interrupted);
        }
        return eg_ok();
    case EG_MESSAGE_NOTE:
        message->as.note.attempt.rank = worker->rank;
        message->as.note.attempt.host = worker->host;
        me->client->note(me->client->user, &message->as.note);
        return eg_ok();
    case EG_MESSAGE_SIGNALLED:
        me->signal = (int)message->as.signal;
        me->signal_rank = worker->rank;
        return eg_ok();
    case EG_MESSAGE_BYE:
        worker->left = true;
        eg_scheduler_lose(me, worker, message->as.reason);
        return eg_ok();
    case EG_MESSAGE_REFUSED:
        return eg_fail(EG_INVALID, "rank %u on host %s: %s", worker->rank, worker->host,
                       message->as.reason);
    case EG_MESSAGE_WORK:
    case EG_MESSAGE_ACK:
    case EG_MESSAGE_HEARTBEAT:
    case EG_MESSAGE_STOP:
    case EG_MESSAGE_SHUTDOWN:
    case EG_MESSAGE_RESET:
        break;
    }
    return eg_fail(EG_INTERNAL, "rank %u sent a message of kind %d", worker->rank,
                   (int)message->kind);
}

/* Everything that has arrived; failures are kept, so that one bad message does not hide the others.
 */
void eg_scheduler_receive(eg_scheduler *me)
{
    eg_channel *const channels[] = {me->pool.queue, me->pool.mpi};
    for (size_t i = 0; i < 2; i++) {
        bool have = channels[i] != NULL;
        while (have) {
            eg_worker *worker = NULL;
            eg_message message;
            eg_status status =
                eg_worker_pool_receive(&me->pool, channels[i], &worker, &message, &have);
            if (have) {
                status = handle(me, worker, &message);
                eg_message_clear(&message);
            } else if (status.code != EG_OK && worker != NULL) {
                eg_scheduler_forfeit(me, worker); /* that may have been a result */
            }
            eg_status_keep(&me->failure, status);
        }
    }
}

/* Of rank 0's own compute thread; the others' ranks say so themselves. */
static void note_long_minibatch(eg_scheduler *me)
{
    char text[EG_COMPLAINT_SIZE];
    eg_work_note note;
    eg_compute *compute = me->pool.compute;
    if (compute != NULL && eg_compute_complains(compute, me->stopped, &note, text)) {
        note.attempt.rank = 0;
        note.attempt.host = me->pool.workers[0].host;
        me->client->note(me->client->user, &note);
    }
}

static bool expects(const eg_scheduler *me)
{
    return me->client->expects != NULL && me->client->expects(me->client->user);
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
    note_long_minibatch(me);
    /* After handing out: who waits for work need not wait for the disk too. */
    eg_status_keep(&me->failure, eg_scheduler_commit(me));
    if (me->failure.code == EG_OK) {
        bool expected = expects(me);
        eg_status_keep(&me->failure, me->client->idle(me->client->user));
        me->dry = me->dry && !expected && !expects(me);
    }
    if (me->failure.code != EG_OK) {
        stop_all(me);
    }
}

static void rest(eg_scheduler *me)
{
    eg_worker_pool_wait(&me->pool, me->stopping ? 0 : me->gather);
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
    EG_TRY(eg_alloc(&me->wanting, me->pool.count, sizeof *me->wanting));
    return eg_alloc(&me->keeping, me->pool.count, sizeof *me->keeping);
}

eg_status eg_sched_run_with(eg_world *world, const eg_sched_client *client,
                            const eg_sched_options *options, const eg_runner *runner)
{
    eg_scheduler me = {.client = client, .checked = eg_clock()};
    if (options->dedicated && world->size == 1) {
        return eg_fail(EG_INVALID, "a dedicated scheduler needs at least 2 ranks: nobody is left "
                                   "to run trials");
    }
    me.failure = eg_worker_pool_open(&me.pool, world, options, options->dedicated ? NULL : runner);
    eg_status_keep(&me.failure, make_lists(&me));
    bool over = me.failure.code != EG_OK;
    while (!over) {
        turn(&me);
        over = me.in_flight == 0 && (me.stopping || me.dry);
        if (!over) {
            rest(&me);
        }
    }
    eg_worker_pool_shut_down(&me.pool);
    eg_worker_pool_close(&me.pool);
    eg_free(me.wanting);
    eg_free(me.keeping);
    return verdict(&me);
}

void eg_sched_dismiss(eg_world *world)
{
    const eg_sched_options options = {0};
    eg_worker_pool pool;
    eg_status status = eg_worker_pool_open(&pool, world, &options, NULL);
    if (status.code != EG_OK) {
        world->lost = world->size > 1;
    }
    eg_worker_pool_shut_down(&pool);
    eg_worker_pool_close(&pool);
}
