/** What a worker does besides training: it takes in messages and says how it is; see
 *  sched/worker_state.h. */
#include "sched/worker_state.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <math.h>
#include <unistd.h>

/* Rank 0 may read a long journal before it answers for the first time. */
static const double patience_at_first = 10;
/* A percent more of a trial is worth a message, but no more than so often: what rank 0 shows is to
 * move, and its work does not grow with the length of the sweep. */
static const uint64_t report_percent = 1;
static const double report_seconds = 1;
/* How often a worker looks whether rank 0 still exists. */
static const double check_seconds = 0.25;

eg_status eg_worker_state_send(eg_worker_state *me, const eg_message *message)
{
    eg_writer bytes = {0};
    eg_status status = eg_message_encode(message, &bytes);
    if (status.code != EG_OK) {
        eg_writer_clear(&bytes);
        return status;
    }
    me->sent = eg_clock();
    if (me->asked <= 0) {
        me->asked = me->sent;
    }
    return me->channel->kind->send(me->channel, 0, &bytes);
}

eg_status eg_worker_state_interrupt(eg_worker_state *me, const eg_work *work)
{
    eg_message message = {.kind = EG_MESSAGE_INTERRUPTED, .as.interrupted = work->attempt};
    return eg_worker_state_send(me, &message);
}

/* Nothing that waits will be run. */
static eg_status drop_waiting(eg_worker_state *me)
{
    eg_status status = eg_ok();
    for (size_t i = 0; i < me->waiting_count; i++) {
        eg_status_keep(&status, eg_worker_state_interrupt(me, &me->waiting[i].as.work));
        eg_message_clear(&me->waiting[i]);
    }
    me->waiting_count = 0;
    return status;
}

static void clear_unacknowledged(eg_unacknowledged *result)
{
    eg_record_free(result->record);
    eg_free(result->checkpoint);
}

/* The result is safe. */
static void acknowledge(eg_worker_state *me, const eg_attempt *attempt)
{
    for (size_t i = 0; i < me->unacknowledged_count; i++) {
        eg_unacknowledged *result = &me->unacknowledged[i];
        if (eg_attempt_is_same(&result->attempt, attempt)) {
            if (result->checkpoint != NULL) {
                (void)unlink(result->checkpoint); /* rank 0 removes what is left over */
            }
            clear_unacknowledged(result);
            *result = me->unacknowledged[--me->unacknowledged_count];
            return;
        }
    }
}

void eg_worker_state_forget(eg_worker_state *me)
{
    for (size_t i = 0; i < me->waiting_count; i++) {
        eg_message_clear(&me->waiting[i]);
    }
    for (size_t i = 0; i < me->unacknowledged_count; i++) {
        clear_unacknowledged(&me->unacknowledged[i]);
    }
    me->waiting_count = me->unacknowledged_count = 0;
}

/* Takes what it keeps out of *message. */
static eg_status handle(eg_worker_state *me, eg_message *message)
{
    switch (message->kind) {
    case EG_MESSAGE_WORK:
        EG_TRY(eg_grow(&me->waiting, &me->waiting_capacity, me->waiting_count + 1,
                       sizeof *me->waiting));
        me->waiting[me->waiting_count++] = *message;
        *message = (eg_message){0};
        return me->stop ? drop_waiting(me) : eg_ok();
    case EG_MESSAGE_ACK:
        for (size_t i = 0; i < message->as.ack.count; i++) {
            acknowledge(me, &message->as.ack.attempts[i]);
        }
        return eg_ok();
    case EG_MESSAGE_HEARTBEAT:
        me->options.heartbeat_seconds = message->as.heartbeat.heartbeat_seconds;
        me->options.silence_seconds = message->as.heartbeat.silence_seconds;
        return eg_ok();
    case EG_MESSAGE_RESET:
        me->reset = true;
        return eg_ok();
    case EG_MESSAGE_SHUTDOWN:
        me->leave = true;
        me->stop = true;
        return drop_waiting(me);
    case EG_MESSAGE_STOP:
        me->stop = true;
        return drop_waiting(me);
    case EG_MESSAGE_READY:
    case EG_MESSAGE_PROGRESS:
    case EG_MESSAGE_RESULT:
    case EG_MESSAGE_INTERRUPTED:
    case EG_MESSAGE_SIGNALLED:
    case EG_MESSAGE_BYE:
    case EG_MESSAGE_NOTE:
    case EG_MESSAGE_REFUSED:
        break;
    }
    return eg_fail(EG_INTERNAL, "a worker received a message of kind %d", (int)message->kind);
}

/* The scheduler speaks first, so that no message of one sweep is left over for the next. */
static eg_status send_ready(eg_worker_state *me)
{
    const eg_message ready = {.kind = EG_MESSAGE_READY,
                              .as.ready = {.host = me->host, .pid = (uint64_t)getpid()}};
    me->contact = true;
    return eg_worker_state_send(me, &ready);
}

eg_status eg_worker_state_start_over(eg_worker_state *me)
{
    me->reset = false;
    eg_worker_state_forget(me);
    return send_ready(me);
}

static eg_status receive_all(eg_worker_state *me)
{
    while (true) {
        eg_packet packet = {0};
        bool have = false;
        EG_TRY(me->channel->kind->receive(me->channel, &packet, &have));
        if (!have) {
            return eg_ok();
        }
        eg_backoff_reset(&me->backoff);
        me->asked = 0;
        eg_message message;
        eg_status status = eg_message_decode(&message, packet.data, packet.size);
        eg_free(packet.data);
        if (status.code == EG_OK && !me->contact) {
            status = send_ready(me);
        }
        if (status.code == EG_OK) {
            status = handle(me, &message);
        }
        eg_message_clear(&message);
        if (status.code != EG_OK) {
            return status;
        }
    }
}

/* Silence counts from the first unanswered message, not from the last one heard: a worker that was
 * itself away, in a long step or suspended, has asked nothing meanwhile. */
static eg_status check_silence(eg_worker_state *me, double now)
{
    if (now - me->checked < check_seconds) {
        return eg_ok();
    }
    me->checked = now;
    double limit = me->options.silence_seconds * (me->contact ? 1 : patience_at_first);
    double silent = me->asked > 0 ? now - me->asked : 0;
    if (!me->channel->kind->gone(me->channel, 0, silent > limit)) {
        return eg_ok();
    }
    return eg_fail(EG_STOPPED,
                   "rank 0 is gone, or has not answered for %.1f s; results not acknowledged: %zu",
                   silent, me->unacknowledged_count);
}

static bool heartbeat_due(const eg_worker_state *me, double now)
{
    const eg_message *note = &me->note;
    uint64_t step = note->as.progress.step;
    bool further = step < me->reported || /* it has begun again */
                   (step > me->reported &&
                    100 * (step - me->reported) >= report_percent * note->as.progress.steps);
    double pause = me->options.heartbeat_seconds;
    return now - me->sent >= (further ? fmin(pause, report_seconds) : pause);
}

/* Everything a worker does besides training. */
eg_status eg_worker_state_poll(eg_worker_state *me)
{
    double now = eg_clock();
    double away = now - me->looked;
    me->looked = now;
    EG_TRY(receive_all(me));
    int signal = eg_signals_pending();
    if (signal != 0 && !me->signalled && me->contact) {
        me->signalled = true;
        eg_message message = {.kind = EG_MESSAGE_SIGNALLED, .as.signal = (uint32_t)signal};
        EG_TRY(eg_worker_state_send(me, &message));
    }
    if (away > me->options.heartbeat_seconds && me->asked > 0) {
        me->asked = now;
    }
    if (me->contact && heartbeat_due(me, now)) {
        me->reported = me->note.as.progress.step;
        EG_TRY(eg_worker_state_send(me, &me->note));
    }
    return check_silence(me, now);
}
