/** Receives work, runs it, answers; looks after messages between minibatches. */
#include "sched/worker.h"

#include "sched/backoff.h"
#include "sched/message.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* While a trial runs, messages are looked at this often: a stop is noticed at once for a person,
 * and the cost stays far below a thousandth of the training. */
static const double look_seconds = 0.02;
/* Rank 0 may read a long journal before it answers for the first time. */
static const double patience_at_first = 10;
/* So many heartbeats must be missing before anybody is taken for lost. */
static const double beats_per_timeout = 4;
/* A percent more of a trial is worth a message, but no more than so often: what rank 0 shows is to
 * move, and its work does not grow with the length of the sweep. */
static const uint64_t report_percent = 1;
static const double report_seconds = 1;
/* How often a worker looks whether rank 0 still exists. */
static const double check_seconds = 0.25;

/* A result that is not yet known to be safe on disk. */
typedef struct unacknowledged_result {
    eg_attempt attempt;
    eg_record *record; /* NULL if the trial failed */
    char *checkpoint;  /* file that is of no use once the result is safe; NULL: none */
} unacknowledged_result;

typedef struct worker {
    eg_channel *channel;
    const char *host;
    const eg_runner *runner;
    void *state; /* of the runner */
    bool opened;
    eg_sched_options options;
    eg_backoff backoff;
    eg_pulse *pulse;

    eg_message *waiting; /* WORK, oldest first */
    size_t waiting_count, waiting_capacity;
    unacknowledged_result *unacknowledged;
    size_t unacknowledged_count, unacknowledged_capacity;

    eg_message note;   /* PROGRESS: what is running now */
    uint64_t reported; /* its last step that the scheduler knows of */
    bool stop;         /* told to stop what runs */
    bool leave;        /* told to leave */
    bool reset;        /* taken for lost: all work is to be dropped */
    bool signalled;    /* the scheduler knows of our signal */
    bool contact;      /* the scheduler has opened the conversation */
    double looked, sent, checked;
    double asked; /* when the first message was sent since anything was heard; 0: none is open */
    eg_status status;
} worker;

static eg_status send_message(worker *me, const eg_message *message)
{
    eg_writer bytes = {0};
    eg_status status = eg_message_encode(message, &bytes);
    if (status.code != EG_OK) {
        eg_writer_free(&bytes);
        return status;
    }
    me->sent = eg_clock();
    if (me->asked <= 0) {
        me->asked = me->sent;
    }
    return me->channel->kind->send(me->channel, 0, &bytes);
}

static eg_status send_interrupted(worker *me, const eg_work *work)
{
    eg_message message = {.kind = EG_MESSAGE_INTERRUPTED, .as.interrupted = work->attempt};
    return send_message(me, &message);
}

/* Nothing that waits will be run. */
static eg_status drop_waiting(worker *me)
{
    eg_status status = eg_ok();
    for (size_t i = 0; i < me->waiting_count; i++) {
        eg_status_keep(&status, send_interrupted(me, &me->waiting[i].as.work));
        eg_message_clear(&me->waiting[i]);
    }
    me->waiting_count = 0;
    return status;
}

static void clear_unacknowledged(unacknowledged_result *result)
{
    eg_record_free(result->record);
    eg_free(result->checkpoint);
}

/* The result is safe. */
static void acknowledge(worker *me, const eg_attempt *attempt)
{
    for (size_t i = 0; i < me->unacknowledged_count; i++) {
        unacknowledged_result *result = &me->unacknowledged[i];
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

static void forget_work(worker *me)
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
static eg_status handle(worker *me, eg_message *message)
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
static eg_status send_ready(worker *me)
{
    const eg_message ready = {.kind = EG_MESSAGE_READY,
                              .as.ready = {.host = me->host, .pid = (uint64_t)getpid()}};
    me->contact = true;
    return send_message(me, &ready);
}

/* Rank 0 has given all our work to others: nothing of it is of use, and nobody waits for word of
 * it. */
static eg_status start_over(worker *me)
{
    me->reset = false;
    forget_work(me);
    return send_ready(me);
}

static eg_status receive_all(worker *me)
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
static eg_status check_silence(worker *me, double now)
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

static bool heartbeat_due(const worker *me, double now)
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
static eg_status poll_messages(worker *me)
{
    double now = eg_clock();
    double away = now - me->looked;
    me->looked = now;
    EG_TRY(receive_all(me));
    int signal = eg_signals_pending();
    if (signal != 0 && !me->signalled && me->contact) {
        me->signalled = true;
        eg_message message = {.kind = EG_MESSAGE_SIGNALLED, .as.signal = (uint32_t)signal};
        EG_TRY(send_message(me, &message));
    }
    if (away > me->options.heartbeat_seconds && me->asked > 0) {
        me->asked = now;
    }
    if (me->contact && heartbeat_due(me, now)) {
        me->reported = me->note.as.progress.step;
        EG_TRY(send_message(me, &me->note));
    }
    return check_silence(me, now);
}

static bool goes_on(const worker *me)
{
    return !me->stop && !me->reset && me->status.code == EG_OK;
}

static bool poll_trial(void *user, const eg_progress *progress)
{
    worker *me = user;
    double now = eg_clock();
    atomic_store(&me->pulse->since, now);
    me->note.as.progress.step = progress->step;
    me->note.as.progress.steps = progress->steps;
    if (goes_on(me) && now - me->looked >= look_seconds) {
        me->status = poll_messages(me);
    }
    return goes_on(me);
}

static void note_trial(void *user, bool warning, const char *text)
{
    worker *me = user;
    const eg_message message = {
        .kind = EG_MESSAGE_NOTE,
        .as.note = {.attempt = me->note.as.progress.attempt, .warning = warning, .text = text}};
    eg_status_keep(&me->status, send_message(me, &message));
}

static eg_status run_work(worker *me, const eg_work *work, eg_record **out, eg_run_hooks *hooks)
{
    if (!me->opened) {
        EG_TRY(me->runner->open(&me->state));
        me->opened = true;
    }
    return me->runner->run(me->state, work, hooks, out);
}

/* Sends the result and holds it; takes the record, also after a failure, and on success the name of
 * the checkpoint (NULL: there is none). */
static eg_status answer(worker *me, const eg_message *message, eg_record *record, char **checkpoint)
{
    const eg_work_result *result = &message->as.result;
    eg_status status = eg_grow(&me->unacknowledged, &me->unacknowledged_capacity,
                               me->unacknowledged_count + 1, sizeof *me->unacknowledged);
    if (status.code == EG_OK) {
        status = send_message(me, message);
    }
    if (status.code != EG_OK) {
        eg_record_free(record);
        return status;
    }
    me->unacknowledged[me->unacknowledged_count++] =
        (unacknowledged_result){.attempt = result->attempt, .record = record};
    if (checkpoint != NULL) {
        me->unacknowledged[me->unacknowledged_count - 1].checkpoint = *checkpoint;
        *checkpoint = NULL;
    }
    return eg_ok();
}

/* Runs the oldest piece of waiting work. */
static eg_status run_next(worker *me)
{
    eg_message job = me->waiting[0];
    me->waiting_count--;
    memmove(me->waiting, me->waiting + 1, me->waiting_count * sizeof *me->waiting);
    const eg_work *work = &job.as.work;
    me->note.as.progress.working = true;
    me->note.as.progress.attempt = work->attempt;
    me->reported = 0;

    eg_record *record = NULL;
    eg_message message = {.kind = EG_MESSAGE_RESULT};
    eg_work_result *result = &message.as.result;
    result->attempt = work->attempt;
    result->attempt.start_time = eg_now();
    double start = eg_clock();
    atomic_store(&me->pulse->trial, work->attempt.trial);
    atomic_store(&me->pulse->attempt, work->attempt.number);
    atomic_store(&me->pulse->since, start);
    eg_run_hooks hooks = {.poll = poll_trial,
                          .note = note_trial,
                          .user = me,
                          .keep_weights = me->options.keep_weights};
    eg_status run = run_work(me, work, &record, &hooks);
    result->attempt.wall_seconds = eg_clock() - start;
    atomic_store(&me->pulse->since, 0);
    memset(&me->note.as.progress, 0, sizeof me->note.as.progress);

    eg_status status = me->status;
    bool wanted = status.code == EG_OK && !me->reset;
    if (wanted && run.code == EG_STOPPED && me->stop) {
        status = send_interrupted(me, work);
    } else if (wanted && hooks.refused) {
        const eg_message refused = {.kind = EG_MESSAGE_REFUSED, .as.reason = run.message};
        status = send_interrupted(me, work);
        eg_status_keep(&status, send_message(me, &refused));
    } else if (wanted) {
        result->status = run.code == EG_OK ? eg_record_status(record) : EG_TRIAL_FAILED;
        result->message = run.code == EG_OK ? eg_record_message(record) : run.message;
        result->record = record;
        /* A pause goes on from its checkpoint. */
        char **checkpoint = hooks.saved && result->status != EG_TRIAL_PAUSED ? &job.text[2] : NULL;
        status = answer(me, &message, record, checkpoint);
        record = NULL;
        if (status.code == EG_MEMORY && result->record != NULL) {
            /* A result too large to send is a failed trial; saying so takes little memory. */
            run = status;
            result->status = EG_TRIAL_FAILED;
            result->record = NULL;
            result->message = run.message;
            status = answer(me, &message, NULL, checkpoint);
        }
    }
    eg_record_free(record);
    eg_message_clear(&job);
    return status;
}

static eg_status work_until_told(worker *me)
{
    me->looked = me->asked = eg_clock();
    while (true) {
        EG_TRY(poll_messages(me));
        if (me->leave) {
            return eg_ok();
        }
        if (me->reset) {
            EG_TRY(start_over(me));
        }
        if (me->waiting_count > 0) {
            EG_TRY(run_next(me));
            eg_backoff_reset(&me->backoff);
        } else {
            me->channel->kind->wait(me->channel, eg_backoff_next(&me->backoff));
        }
    }
}

eg_sched_options eg_sched_complete(const eg_sched_options *options)
{
    eg_sched_options complete = *options;
    if (complete.timeout_seconds <= 0) {
        complete.timeout_seconds = 120;
    }
    if (complete.heartbeat_seconds <= 0) {
        complete.heartbeat_seconds = fmin(10, complete.timeout_seconds / beats_per_timeout);
    }
    if (complete.losses_max == 0) {
        complete.losses_max = 3;
    }
    if (complete.workers_min == 0) {
        complete.workers_min = 1;
    }
    if (complete.silence_seconds <= 0) {
        complete.silence_seconds = 60;
    }
    return complete;
}

eg_status eg_worker_run(eg_channel *channel, const char *host, const eg_runner *runner,
                        const eg_sched_options *options, eg_pulse *pulse, bool *goodbye)
{
    worker me = {.channel = channel,
                 .host = host,
                 .runner = runner,
                 .pulse = pulse,
                 .options = eg_sched_complete(options),
                 .note.kind = EG_MESSAGE_PROGRESS};
    eg_status status = work_until_told(&me);
    /* The last message, also after a failure: the scheduler need not guess. */
    eg_message left = {.kind = EG_MESSAGE_BYE, .as.reason = status.message};
    eg_status sent = send_message(&me, &left);
    *goodbye = sent.code == EG_OK;
    eg_status_keep(&status, sent);
    forget_work(&me);
    if (me.opened) {
        runner->close(me.state);
    }
    eg_free(me.waiting);
    eg_free(me.unacknowledged);
    return status;
}
