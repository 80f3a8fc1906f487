/** A run, step by step; see engram/run.h. */
#include "run/run_parts.h"

#include "engram/blas.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "plugin/shared/plugin_load.h"
#include "run/redo.h"
#include "run/run_provenance.h"

#include <math.h>

enum { DEDICATED_FROM = 64 /* ranks: from here on scheduling deserves a core of its own */ };
enum { CHECKPOINT_SECONDS = 60 };

eg_sched_options eg_run_sched_options(const eg_world *world)
{
    return (eg_sched_options){.dedicated = eg_world_size(world) >= DEDICATED_FROM};
}

/** Zeros become what they stand for. */
static void take_options(eg_run *run, const eg_run_options *options)
{
    eg_run_options *mine = &run->options;
    *mine = options == NULL ? (eg_run_options){0} : *options;
    mine->stop_at = mine->stop_at == 0 ? INFINITY : mine->stop_at;
    mine->command = mine->command == NULL ? "" : mine->command;
    double every = mine->checkpoint_every == 0 ? CHECKPOINT_SECONDS : mine->checkpoint_every;
    run->checkpoints.every = isfinite(every) ? every : 0; /* as in eg_work */
    run->weights.keeping = mine->keeping;
    if (mine->observer != NULL) {
        run->reporter.observer = *mine->observer;
    }
}

eg_status eg_run_create(eg_run **out, eg_plan *plan, const char *results,
                        const eg_run_options *options)
{
    *out = NULL;
    eg_status status = eg_alloc(out, 1, sizeof **out);
    if (status.code != EG_OK) {
        eg_plan_free(plan);
        return status;
    }
    eg_run *run = *out;
    take_options(run, options);
    run->state.plan = plan; /* owned from here on */
    EG_TRY(eg_strdup(&run->path, results));
    EG_TRY(eg_plugin_list(&run->plugins));
    if (run->options.redo != NULL) {
        EG_TRY(eg_run_check_redo(run->options.redo));
    }
    EG_TRY(eg_run_ask_begin(run));
    EG_TRY(eg_run_state_init(&run->state, plan));
    EG_TRY(eg_run_queue_init(&run->queue, plan, run->state.outcomes, run->state.capacity));
    EG_TRY(eg_blas_prepare());
    EG_TRY(eg_run_check_ids(plan, run->path, run->options.redo));
    return eg_run_data_init(&run->data, plan, run->path, run->options.redo);
}

eg_status eg_run_open(eg_run *run, const eg_world *world)
{
    eg_run_provenance provenance = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_run_provenance_collect(&provenance, run->options.command,
                                                  (uint32_t)eg_world_size(world)));
    provenance.session.data = run->data.lines;
    provenance.session.vocabularies = run->data.vocabularies;
    provenance.session.accept_data = run->options.accept_data;
    provenance.session.exchanges = run->ask.fresh;
    provenance.session.exchange_count = run->ask.fresh_count;
    EG_TRY_DONE(status, eg_store_open(&run->store, run->path, run->state.plan, &provenance.session,
                                      run->state.outcomes));
    eg_run_ask_opened(run);
    EG_TRY_DONE(status, eg_run_take_on(run, 0));
    EG_TRY_DONE(status, eg_run_next_stage(run));
    run->state.counts.safe = run->state.counts.before;
done:
    eg_run_provenance_clear(&provenance);
    return status;
}

static eg_status schedule(eg_run *run, eg_world *world)
{
    const eg_run_observer *observer = &run->reporter.observer;
    run->reporter.report_count = (size_t)eg_world_size(world);
    EG_TRY(eg_alloc(&run->reporter.reports, run->reporter.report_count,
                    sizeof *run->reporter.reports));
    eg_sched_client client = eg_run_client(run);
    run->scheduled = true;
    eg_run_stop_in_time(run);
    eg_status status = eg_sched_run(world, &client, &run->sched);
    if (observer->ended != NULL) {
        observer->ended(observer->user, run);
    }
    eg_status tidied = eg_run_tidy_checkpoints(run);
    eg_status_keep(&tidied, eg_run_tidy_weights(run));
    if (status.code == EG_OK && run->state.counts.unfinished > 0) {
        return eg_fail(EG_INTERNAL, "the scheduler ended with %zu trials unfinished",
                       run->state.counts.unfinished);
    }
    eg_status_keep(&status, tidied);
    return status;
}

/** What a failure of the system means for the results. */
static eg_status say_what_is_safe(const eg_run *run, eg_status status)
{
    if (status.code != EG_SYSTEM || !eg_store_has_journal(run->store)) {
        return status;
    }
    return eg_fail(EG_SYSTEM,
                   "%.300s; %zu of %zu trials are finished and safe; the same command continues",
                   status.message, run->state.counts.safe, run->state.counts.total);
}

static eg_status run_trials(eg_run *run, eg_world *world)
{
    const eg_run_observer *observer = &run->reporter.observer;
    run->sched = run->options.sched == NULL ? eg_run_sched_options(world) : *run->options.sched;
    run->sched.keep_weights = eg_run_keep_weights;
    /* Alone there is nobody else to train. */
    run->sched.dedicated = run->sched.dedicated && eg_world_size(world) > 1;
    run->reporter.workers = (size_t)eg_world_size(world) - (run->sched.dedicated ? 1 : 0);
    run->reporter.start = eg_clock();
    EG_TRY(eg_run_tidy_checkpoints(run));
    EG_TRY(eg_run_tidy_weights(run));
    if (observer->began != NULL) {
        EG_TRY(observer->began(observer->user, run));
    }
    if (run->state.counts.unfinished == 0 && !eg_run_is_asking(run)) {
        return eg_ok();
    }
    eg_status status = eg_run_gives_up(run) ? eg_ok() : schedule(run, world);
    bool as_asked = status.code == EG_OK || status.code == EG_STOPPED;
    return run->gave_up && as_asked ? eg_run_say_gave_up(run) : status;
}

eg_status eg_run_trials(eg_run *run, eg_world *world)
{
    return say_what_is_safe(run, run_trials(run, world));
}

eg_status eg_run_close(eg_run *run, eg_status status)
{
    if (run->store == NULL) {
        return status;
    }
    bool complete = status.code == EG_OK && run->state.counts.unfinished == 0;
    const char *why = complete ? "done" : status.code == EG_STOPPED ? "stopped" : "error";
    bool meant = status.code == EG_OK || status.code == EG_STOPPED;
    eg_status ended = eg_store_end(run->store, why); /* first: nothing is running in the file */
    eg_status published = eg_store_publish(run->store, complete);
    if (!eg_store_has_journal(run->store)) {
        eg_status_keep(&ended, published); /* the first that failed says where the results are */
        status = meant ? ended : status;
    } else if (meant && published.code == EG_SYSTEM) {
        status = eg_fail(EG_SYSTEM,
                         "%.300s; the journal has everything: engram collect %.100s makes the "
                         "results file from it",
                         published.message, run->path);
    } else if (meant && published.code != EG_OK) {
        status = published;
    }
    eg_status_keep(&status, ended);
    eg_status closed = eg_store_close(run->store, why);
    run->store = NULL;
    eg_status_keep(&status, closed);
    return status;
}

void eg_run_free(eg_run *run)
{
    if (run == NULL) {
        return;
    }
    eg_run_ask_clear(&run->ask);
    eg_run_queue_clear(&run->queue);
    eg_run_data_clear(&run->data);
    eg_run_reporter_clear(&run->reporter);
    eg_free(run->settings);
    eg_free(run->plugins);
    eg_free(run->checkpoints.directory);
    eg_free(run->checkpoints.file);
    eg_free(run->weights.directory);
    eg_free(run->weights.file);
    eg_free(run->path);
    eg_run_state_clear(&run->state);
    eg_free(run);
}

bool eg_run_was_scheduled(const eg_run *run)
{
    return run->scheduled;
}

eg_status eg_run_work(eg_world *world, bool signals)
{
    /* Rank 0 either sends work or sends everybody home. */
    const eg_sched_options options = {.keep_weights = eg_run_keep_weights};
    eg_status status = signals ? eg_signals_install() : eg_ok();
    eg_status_keep(&status, eg_sched_work(world, &options));
    return status;
}
