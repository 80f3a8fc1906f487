/** A rank above 0: its main thread owns MPI, which only one thread may use, and passes messages on
 *  between rank 0 and the compute thread. So heartbeats, signals and the end of the job do not wait
 *  for a minibatch. */
#include "sched/backoff.h"
#include "sched/compute.h"
#include "sched/message.h"
#include "sched/world.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <math.h>

/* While a trial runs, rank 0 is listened to this often; what the compute thread says is passed on
 * at once. */
static const double look_seconds = 0.02;
/* Rank 0 may read a long journal before it speaks for the first time. */
static const double patience_at_first = 10;
/* The compute thread sends heartbeats itself between minibatches: only when one is so much late,
 * this thread does. */
static const double heartbeat_patience = 1.25;
/* How often to look whether rank 0 still exists. */
static const double check_seconds = 0.25;
/* How long the compute thread may take to leave when rank 0 says so. */
static const double leave_seconds = 3;

typedef struct relay {
    eg_channel *mpi;
    eg_compute *compute;
    eg_sched_options options;
    eg_backoff backoff;
    bool contact;    /* rank 0 has opened the conversation */
    bool signalled;  /* rank 0 knows of our signal */
    double stopped;  /* when rank 0 asked to stop; 0: it did not */
    double leave_by; /* INFINITY until rank 0 says so */
    double looked, sent, checked;
    double asked; /* when the first message was sent since rank 0 was heard; 0: none is open */
    bool leaves;  /* without the compute thread */
} relay;

static eg_status forward_up(relay *me, eg_writer *bytes)
{
    me->sent = eg_clock();
    if (me->asked <= 0) {
        me->asked = me->sent;
    }
    return me->mpi->kind->send(me->mpi, 0, bytes);
}

static eg_status send_message(relay *me, const eg_message *message)
{
    eg_writer bytes = {0};
    eg_status status = eg_message_encode(message, &bytes);
    if (status.code != EG_OK) {
        eg_writer_clear(&bytes);
        return status;
    }
    return forward_up(me, &bytes);
}

/* What concerns this thread too. Whether a message is sound is for the worker to say. */
static void handle(relay *me, const eg_packet *packet)
{
    eg_message message;
    if (eg_message_decode(&message, packet->data, packet->size).code != EG_OK) {
        return;
    }
    double now = eg_clock();
    if (message.kind == EG_MESSAGE_HEARTBEAT) {
        me->options.heartbeat_seconds = message.as.heartbeat.heartbeat_seconds;
        me->options.silence_seconds = message.as.heartbeat.silence_seconds;
    } else if (message.kind == EG_MESSAGE_STOP && me->stopped <= 0) {
        me->stopped = now;
    } else if (message.kind == EG_MESSAGE_SHUTDOWN) {
        me->leave_by = now + leave_seconds;
    }
    eg_message_clear(&message);
}

static eg_status forward_down(relay *me)
{
    while (true) {
        eg_packet packet = {0};
        bool have = false;
        EG_TRY(me->mpi->kind->receive(me->mpi, &packet, &have));
        if (!have) {
            return eg_ok();
        }
        eg_backoff_reset(&me->backoff);
        me->asked = 0;
        me->contact = true;
        handle(me, &packet);
        eg_writer bytes = {.data = packet.data, .size = packet.size};
        eg_channel *channel = me->compute->channel;
        EG_TRY(channel->kind->send(channel, 0, &bytes));
    }
}

/* Passes on what the thread has said; *over: it has ended, and those were its last words. */
static eg_status receive_all(relay *me, bool *over)
{
    eg_channel *channel = me->compute->channel;
    *over = atomic_load(&me->compute->ended);
    for (bool have = true; have;) {
        eg_packet packet = {0};
        EG_TRY(channel->kind->receive(channel, &packet, &have));
        if (have) {
            eg_backoff_reset(&me->backoff);
            eg_writer bytes = {.data = packet.data, .size = packet.size};
            EG_TRY(forward_up(me, &bytes));
        }
    }
    return eg_ok();
}

/* What the thread cannot say itself while it is deaf. */
static eg_status send_for_thread(relay *me, double now)
{
    int signal = eg_signals_pending();
    if (signal != 0 && !me->signalled) {
        me->signalled = true;
        const eg_message message = {.kind = EG_MESSAGE_SIGNALLED, .as.signal = (uint32_t)signal};
        EG_TRY(send_message(me, &message));
    }
    char text[EG_COMPLAINT_SIZE];
    eg_message note = {.kind = EG_MESSAGE_NOTE};
    if (eg_compute_complains(me->compute, me->stopped, &note.as.note, text)) {
        EG_TRY(send_message(me, &note));
    }
    if (now - me->sent >= heartbeat_patience * me->options.heartbeat_seconds) {
        const eg_message heartbeat = {.kind = EG_MESSAGE_PROGRESS};
        EG_TRY(send_message(me, &heartbeat));
    }
    if (now > me->leave_by) {
        const eg_message left = {.kind = EG_MESSAGE_BYE, .as.reason = "inside a minibatch"};
        me->leaves = true;
        EG_TRY(send_message(me, &left));
    }
    return eg_ok();
}

/* Silence counts from the first unanswered message, and not while this process was suspended. */
static eg_status check_silence(relay *me, double now)
{
    bool away = now - me->looked > me->options.heartbeat_seconds;
    me->looked = now;
    if (away && me->asked > 0) {
        me->asked = now;
    }
    if (now - me->checked < check_seconds) {
        return eg_ok();
    }
    me->checked = now;
    double limit = me->options.silence_seconds * (me->contact ? 1 : patience_at_first);
    double silent = me->asked > 0 ? now - me->asked : 0;
    if (!me->mpi->kind->gone(me->mpi, 0, silent > limit)) {
        return eg_ok();
    }
    return eg_fail(EG_STOPPED, "rank 0 is gone, or has not answered for %.1f s", silent);
}

static eg_status forward(relay *me)
{
    me->looked = me->asked = eg_clock();
    while (!me->leaves) {
        bool over = false;
        double now = eg_clock();
        EG_TRY(forward_down(me));
        EG_TRY(receive_all(me, &over));
        if (over) {
            return me->compute->status;
        }
        EG_TRY(me->contact ? send_for_thread(me, now) : eg_ok());
        EG_TRY(check_silence(me, now));
        bool busy = atomic_load(&me->compute->pulse.since) > 0;
        me->compute->channel->kind->wait(me->compute->channel,
                                         busy ? look_seconds : eg_backoff_next(&me->backoff));
    }
    return eg_ok();
}

eg_status eg_sched_work_with(eg_world *world, const eg_sched_options *options,
                             const eg_runner *runner)
{
    relay me = {.options = eg_sched_complete(options), .leave_by = (double)INFINITY};
    EG_TRY(eg_mpi_channel_create(&me.mpi, world));
    eg_status status =
        eg_compute_start(&me.compute, world->processes[world->rank].host, runner, options);
    if (status.code == EG_OK) {
        status = forward(&me);
    }
    bool goodbye = me.leaves || (me.compute != NULL && me.compute->goodbye);
    /* Rank 0 vanished, or will never hear that this rank left. */
    if (!goodbye || me.leaves || status.code == EG_STOPPED || status.code == EG_SYSTEM) {
        world->lost = true;
    }
    world->computes = !eg_compute_end(me.compute);
    world->lost = world->lost || world->computes;
    me.mpi->kind->close(me.mpi);
    return status;
}
