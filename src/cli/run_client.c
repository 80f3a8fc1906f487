/** What the scheduler asks and tells while a sweep runs. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/settings.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>

/* Share of the time that rewriting the result file may cost. */
static const double publish_share = 0.02;

static eg_status next(void *user, eg_work *out, bool *have)
{
    eg_sweep_run *run = user;
    size_t trial = eg_run_queue_next(&run->queue);
    *have = trial != SIZE_MAX;
    if (!*have) {
        return eg_ok();
    }
    const eg_plan_trial *planned = &run->plan->trials[trial];
    eg_free(run->settings);
    run->settings = NULL;
    EG_TRY(eg_settings_text(&run->settings, run->plan->points[planned->point].settings, true));
    EG_TRY(eg_sweep_run_checkpoint(run, trial));
    EG_TRY(eg_sweep_run_name_weights(run, trial));
    uint64_t data = 0;
    EG_TRY(eg_data_content_find(&data, &run->data, run->plan->points[planned->point].settings));
    *out = (eg_work){
        .ticket = trial,
        .attempt = eg_store_attempts(run->store, trial) + 1,
        .seed = planned->seed,
        .settings = run->settings,
        .objective = run->plan->objective,
        .checkpoint = run->checkpoint,
        .checkpoint_every = run->checkpoint_every,
        .weights = run->weights_file,
        .from = run->outcomes[trial].evaluations,
        .until = eg_plan_budget(run->plan, run->outcomes, trial).until,
        .losses = eg_store_losses(run->store, trial),
        .data = data,
    };
    eg_sweep_run_set(run, trial, EG_TRIAL_RUNNING, NULL);
    return eg_ok();
}

static eg_status started(void *user, const eg_work *work, uint32_t rank, const char *host)
{
    eg_sweep_run *run = user;
    const eg_attempt attempt = {
        .attempt = work->attempt, .rank = rank, .host = host, .start_time = eg_now()};
    return eg_store_started(run->store, (size_t)work->ticket, &attempt);
}

/** Says at once why a trial failed; after a few, `engram failures` is the better place. */
static void say_failure(eg_sweep_run *run, const eg_work_result *result)
{
    enum { SAID_MAX = 5 };
    bool wanted = result->status == EG_TRIAL_FAILED && run->progress.mode == EG_PROGRESS_LINE;
    if (!wanted || run->session_failed++ >= SAID_MAX) {
        return;
    }
    eg_progress_clear(&run->progress);
    eg_say(stderr, "trial %s failed on rank %" PRIu32 " (%s): %s\n",
           eg_id(run->plan->trials[result->ticket].id).text, result->rank, result->host,
           result->message);
    if (run->session_failed == SAID_MAX) {
        eg_say(stderr, "further failures are not shown; see `engram failures %s`\n", run->path);
    }
}

static eg_status finished(void *user, const eg_work_result *result)
{
    eg_sweep_run *run = user;
    size_t trial = (size_t)result->ticket;
    const eg_attempt attempt = {.attempt = result->attempt,
                                .rank = result->rank,
                                .host = result->host,
                                .start_time = result->start_time,
                                .wall_seconds = result->wall_seconds};
    if (result->status != EG_TRIAL_PAUSED) {
        EG_TRY(eg_sweep_run_compare(run, trial, result->record));
    }
    EG_TRY(eg_store_finished(run->store, trial, &attempt, result->status, result->message,
                             result->record));
    eg_sweep_run_drop_report(run, result->rank, trial);
    eg_sweep_run_set(run, trial, result->status, result->record);
    if (result->record != NULL) {
        eg_plan_measure(run->plan, result->record, &run->outcomes[trial]);
    }
    say_failure(run, result);
    run->session_wall += result->wall_seconds;
    if (result->status != EG_TRIAL_PAUSED) {
        eg_sweep_run_count_finished(run, trial);
    }
    EG_TRY(eg_sweep_run_decide(run, trial));
    EG_TRY(eg_sweep_run_next_stage(run));
    run->heard = eg_clock();
    return eg_ok();
}

static eg_status commit(void *user)
{
    eg_sweep_run *run = user;
    EG_TRY(eg_store_commit(run->store));
    run->safe = run->plan->trial_count - run->unfinished;
    return eg_sweep_run_prune_weights(run);
}

static void note(void *user, const eg_work_note *words)
{
    eg_sweep_run_note(user, words);
}

static void interrupted(void *user, uint64_t ticket)
{
    eg_sweep_run_set(user, (size_t)ticket, EG_TRIAL_PENDING, NULL);
}

static double mean_seconds(void *user)
{
    const eg_sweep_run *run = user;
    return run->session_finished == 0 ? 0 : run->session_wall / (double)run->session_finished;
}

/** Time is up: stops the sweep as SIGUSR1 from outside would. */
static void stop_in_time(eg_sweep_run *run)
{
    run->stop_at = INFINITY;
    if (run->progress.mode == EG_PROGRESS_LINE) {
        eg_progress_clear(&run->progress);
        (void)fprintf(stderr, "the time is up: stopping\n");
    }
    (void)raise(SIGUSR1);
}

/** A results file that cannot be written stops nothing: the journal has everything, and there is another try
 *  later and at the end. */
static eg_status publish(eg_sweep_run *run)
{
    eg_status status = eg_store_publish_if_due(run->store, publish_share);
    if (status.code != EG_SYSTEM || !eg_store_has_journal(run->store)) {
        return status;
    }
    if (!run->publishing_failed) {
        eg_progress_clear(&run->progress);
        eg_say(stderr, "warning: %s; the journal has everything, the sweep goes on\n",
               status.message);
    }
    run->publishing_failed = true;
    return eg_ok();
}

static eg_status idle(void *user)
{
    eg_sweep_run *run = user;
    if (eg_now() >= run->stop_at) {
        stop_in_time(run);
    }
    if (eg_progress_due(&run->progress)) {
        eg_sweep_run_progress(run);
    }
    return publish(run);
}

eg_sched_client eg_sweep_run_client(eg_sweep_run *run)
{
    return (eg_sched_client){
        .user = run,
        .next = next,
        .started = started,
        .finished = finished,
        .commit = commit,
        .note = note,
        .progress = eg_sweep_run_report,
        .worker_lost = eg_sweep_run_worker_lost,
        .lost = eg_sweep_run_lost,
        .worker_back = eg_sweep_run_worker_back,
        .interrupted = interrupted,
        .idle = idle,
        .mean_seconds = mean_seconds,
    };
}
