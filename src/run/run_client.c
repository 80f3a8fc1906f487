/** What the scheduler asks and tells while a sweep runs. */
#include "run/run_parts.h"

#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/settings.h"

#include <math.h>

/* Share of the time that rewriting the result file may cost. */
static const double publish_share = 0.02;

static eg_status next(void *user, eg_work *out, bool *have)
{
    eg_run *run = user;
    const eg_run_state *state = &run->state;
    size_t trial = eg_run_queue_next(&run->queue);
    *have = trial != SIZE_MAX;
    if (!*have) {
        return eg_ok();
    }
    const eg_plan_trial *planned = &state->plan->trials[trial];
    const eg_settings *settings = state->plan->points[planned->point].settings;
    eg_free(run->settings);
    run->settings = NULL;
    EG_TRY(eg_settings_text(&run->settings, settings, true));
    EG_TRY(eg_run_name_checkpoint(run, trial));
    EG_TRY(eg_run_name_weights(run, trial));
    uint64_t data = 0;
    EG_TRY(eg_run_data_find(&data, &run->data, settings));
    *out = (eg_work){
        .attempt = {.trial = planned->id, .number = eg_store_attempts(run->store, trial) + 1},
        .seed = planned->seed,
        .settings = run->settings,
        .objective = state->plan->objective,
        .checkpoint = run->checkpoints.file,
        .checkpoint_every = run->checkpoints.every,
        .weights = run->weights.file,
        .from = state->outcomes[trial].evaluations,
        .until = eg_plan_budget(state->plan, state->outcomes, trial).until,
        .plugins = run->plugins,
        .losses = eg_store_losses(run->store, trial),
        .data = data,
    };
    eg_run_state_set(&run->state, trial, EG_TRIAL_RUNNING, NULL);
    return eg_ok();
}

/** Index of the trial into the plan. */
static size_t trial_of(const eg_run *run, const eg_attempt *attempt)
{
    return eg_store_find(run->store, attempt->trial);
}

static eg_status started(void *user, const eg_attempt *attempt)
{
    eg_run *run = user;
    return eg_store_started(run->store, attempt);
}

static void tell_result(const eg_run *run, size_t trial, const eg_work_result *result)
{
    const eg_run_observer *observer = &run->reporter.observer;
    if (observer->trial_finished != NULL) {
        const eg_run_result told = {.attempt = result->attempt,
                                    .trial = trial,
                                    .status = result->status,
                                    .objective = run->state.outcomes[trial].objective,
                                    .message = result->message};
        observer->trial_finished(observer->user, &told);
    }
}

static eg_status finished(void *user, const eg_work_result *result)
{
    eg_run *run = user;
    eg_run_state *state = &run->state;
    size_t trial = trial_of(run, &result->attempt);
    if (result->status != EG_TRIAL_PAUSED) {
        EG_TRY(eg_run_compare(run, trial, result->record));
    }
    EG_TRY(eg_store_finished(run->store, &result->attempt, result->status, result->message,
                             result->record));
    eg_run_reporter_forget(&run->reporter, result->attempt.rank, trial);
    eg_run_state_set(state, trial, result->status, result->record);
    if (result->record != NULL) {
        eg_plan_measure(state->plan, result->record, &state->outcomes[trial]);
    }
    state->counts.failed += eg_trial_status_is_failure(result->status) ? 1 : 0;
    tell_result(run, trial, result);
    state->own_seconds += result->attempt.wall_seconds;
    if (result->status != EG_TRIAL_PAUSED) {
        eg_run_state_finish(state, trial);
    }
    EG_TRY(eg_run_decide(run, trial));
    EG_TRY(eg_run_next_stage(run));
    if (eg_run_gives_up(run)) {
        eg_run_stop(run); /* before anything more is handed out */
    }
    run->reporter.heard = eg_clock();
    return eg_ok();
}

static eg_status commit(void *user)
{
    eg_run *run = user;
    EG_TRY(eg_store_commit(run->store));
    run->state.counts.safe = run->state.counts.total - run->state.counts.unfinished;
    return eg_run_prune_weights(run);
}

static void note(void *user, const eg_work_note *note)
{
    const eg_run *run = user;
    const eg_run_observer *observer = &run->reporter.observer;
    if (observer->note != NULL) {
        size_t trial = trial_of(run, &note->attempt);
        const eg_run_note told = {.attempt = note->attempt,
                                  .warning = note->warning,
                                  .expected =
                                      !note->warning && run->state.outcomes[trial].evaluations > 0,
                                  .text = note->text};
        observer->note(observer->user, &told);
    }
}

static void progress(void *user, const eg_work_progress *progress)
{
    eg_run *run = user;
    eg_run_reporter_hear(&run->reporter, trial_of(run, &progress->attempt), progress);
}

static eg_status worker_lost(void *user, const eg_worker_loss *loss)
{
    eg_run *run = user;
    return eg_run_reporter_lost(&run->reporter, loss);
}

static eg_status lost(void *user, const eg_work_loss *loss)
{
    eg_run *run = user;
    size_t trial = trial_of(run, &loss->attempt);
    EG_TRY(eg_store_lost(run->store, &loss->attempt, loss->was_running, loss->why));
    eg_run_reporter_forget(&run->reporter, loss->attempt.rank, trial);
    eg_run_state_set(&run->state, trial, EG_TRIAL_PENDING, NULL);
    eg_run_queue_again(&run->queue, trial);
    run->state.counts.retried++;
    return eg_ok();
}

static void worker_back(void *user, uint32_t rank, const char *host)
{
    eg_run *run = user;
    eg_run_reporter_back(&run->reporter, rank, host);
}

static void interrupted(void *user, const eg_attempt *attempt)
{
    eg_run *run = user;
    eg_run_state_set(&run->state, trial_of(run, attempt), EG_TRIAL_PENDING, NULL);
}

static double mean_seconds(void *user)
{
    const eg_run_state *state = &((const eg_run *)user)->state;
    size_t count = state->counts.finished;
    return count == 0 ? 0 : state->own_seconds / (double)count;
}

static size_t out_max(void *user)
{
    return eg_run_failures_left(user);
}

void eg_run_stop_in_time(eg_run *run)
{
    const eg_run_observer *observer = &run->reporter.observer;
    if (eg_now() < run->options.stop_at) {
        return;
    }
    run->options.stop_at = INFINITY;
    if (observer->time_up != NULL) {
        observer->time_up(observer->user);
    }
    eg_run_stop(run);
}

/** A results file that cannot be written stops nothing: the journal has everything, and there is
 *  another try later and at the end. */
static eg_status publish(eg_run *run)
{
    eg_status status = eg_store_publish_if_due(run->store, publish_share);
    if (status.code != EG_SYSTEM || !eg_store_has_journal(run->store)) {
        return status;
    }
    if (!run->publishing_failed) {
        eg_run_reporter_warn(&run->reporter, "%s; the journal has everything, the sweep goes on",
                             status.message);
    }
    run->publishing_failed = true;
    return eg_ok();
}

static eg_status idle(void *user)
{
    eg_run *run = user;
    const eg_run_observer *observer = &run->reporter.observer;
    eg_run_stop_in_time(run);
    if (observer->idle != NULL) {
        observer->idle(observer->user, run);
    }
    EG_TRY(eg_run_ask_look(run));
    return publish(run);
}

static bool expects(void *user)
{
    return eg_run_ask_expects(user);
}

eg_sched_client eg_run_client(eg_run *run)
{
    return (eg_sched_client){
        .user = run,
        .next = next,
        .started = started,
        .finished = finished,
        .commit = commit,
        .note = note,
        .progress = progress,
        .worker_lost = worker_lost,
        .lost = lost,
        .worker_back = worker_back,
        .interrupted = interrupted,
        .idle = idle,
        .mean_seconds = mean_seconds,
        .out_max = out_max,
        .expects = expects,
    };
}
