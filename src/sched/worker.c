/** Runs the work that a worker was given, and answers; see sched/worker.h. */
#include "sched/worker.h"

#include "sched/worker_state.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <string.h>

/* While a trial runs, messages are looked at this often: a stop is noticed at once for a person,
 * and the cost stays far below a thousandth of the training. */
static const double look_seconds = 0.02;

static bool goes_on(const eg_worker_state *me)
{
    return !me->stop && !me->reset && me->status.code == EG_OK;
}

static bool poll_trial(void *user, const eg_progress *progress)
{
    eg_worker_state *me = user;
    double now = eg_clock();
    atomic_store(&me->pulse->since, now);
    me->note.as.progress.step = progress->step;
    me->note.as.progress.steps = progress->steps;
    if (goes_on(me) && now - me->looked >= look_seconds) {
        me->status = eg_worker_state_poll(me);
    }
    return goes_on(me);
}

static void note_trial(void *user, bool warning, const char *text)
{
    eg_worker_state *me = user;
    const eg_message message = {
        .kind = EG_MESSAGE_NOTE,
        .as.note = {.attempt = me->note.as.progress.attempt, .warning = warning, .text = text}};
    eg_status_keep(&me->status, eg_worker_state_send(me, &message));
}

static eg_status run_work(eg_worker_state *me, const eg_work *work, eg_record **out,
                          eg_run_hooks *hooks)
{
    if (!me->opened) {
        EG_TRY(me->runner->open(&me->state));
        me->opened = true;
    }
    return me->runner->run(me->state, work, hooks, out);
}

/* Sends the result and holds it; takes the record, also after a failure, and on success the name of
 * the checkpoint (NULL: there is none). */
static eg_status answer(eg_worker_state *me, const eg_message *message, eg_record *record,
                        char **checkpoint)
{
    const eg_work_result *result = &message->as.result;
    eg_status status = eg_grow(&me->unacknowledged, &me->unacknowledged_capacity,
                               me->unacknowledged_count + 1, sizeof *me->unacknowledged);
    if (status.code == EG_OK) {
        status = eg_worker_state_send(me, message);
    }
    if (status.code != EG_OK) {
        eg_record_free(record);
        return status;
    }
    me->unacknowledged[me->unacknowledged_count++] =
        (eg_unacknowledged){.attempt = result->attempt, .record = record};
    if (checkpoint != NULL) {
        me->unacknowledged[me->unacknowledged_count - 1].checkpoint = *checkpoint;
        *checkpoint = NULL;
    }
    return eg_ok();
}

/* Runs the oldest piece of waiting work. */
static eg_status run_next(eg_worker_state *me)
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
        status = eg_worker_state_interrupt(me, work);
    } else if (wanted && hooks.refused) {
        const eg_message refused = {.kind = EG_MESSAGE_REFUSED, .as.reason = run.message};
        status = eg_worker_state_interrupt(me, work);
        eg_status_keep(&status, eg_worker_state_send(me, &refused));
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

static eg_status work_until_told(eg_worker_state *me)
{
    me->looked = me->asked = eg_clock();
    while (true) {
        EG_TRY(eg_worker_state_poll(me));
        if (me->leave) {
            return eg_ok();
        }
        if (me->reset) {
            EG_TRY(eg_worker_state_start_over(me));
        }
        if (me->waiting_count > 0) {
            EG_TRY(run_next(me));
            eg_backoff_reset(&me->backoff);
        } else {
            me->channel->kind->wait(me->channel, eg_backoff_next(&me->backoff));
        }
    }
}

eg_status eg_worker_run(eg_channel *channel, const char *host, const eg_runner *runner,
                        const eg_sched_options *options, eg_pulse *pulse, bool *goodbye)
{
    eg_worker_state me = {.channel = channel,
                          .host = host,
                          .runner = runner,
                          .pulse = pulse,
                          .options = eg_sched_complete(options),
                          .note.kind = EG_MESSAGE_PROGRESS};
    eg_status status = work_until_told(&me);
    /* The last message, also after a failure: the scheduler need not guess. */
    eg_message left = {.kind = EG_MESSAGE_BYE, .as.reason = status.message};
    eg_status sent = eg_worker_state_send(&me, &left);
    *goodbye = sent.code == EG_OK;
    eg_status_keep(&status, sent);
    eg_worker_state_forget(&me);
    if (me.opened) {
        runner->close(me.state);
    }
    eg_free(me.waiting);
    eg_free(me.unacknowledged);
    return status;
}
