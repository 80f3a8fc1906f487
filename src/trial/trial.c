/** One trial: dataset → stream → phases → minibatches → learner → record; see engram/trial.h. */
#include "engram/trial.h"

#include "engram/memory.h"
#include "trial/checkpoint.h"
#include "trial/run.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* Checkpoints: how much sooner than otherwise at the end of a phase, where nothing is half done; and
 * their share of the time at most. */
static const double phase_end_share = 1.0 / 6;
static const double save_share = 0.01;

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

eg_status eg_run_open(eg_run *run, const eg_settings *settings, uint64_t seed,
                      eg_dataset_cache *cache)
{
    run->root = eg_settings_root(settings);
    run->selection = eg_protocol_selection(&run->root);
    run->eval_every = eg_view_size(&run->root, "eval.every");
    run->untrained = eg_view_bool(&run->root, "eval.untrained");
    run->eval_tasks = (eg_eval_tasks)eg_view_name(&run->root, "eval.tasks");
    size_t block = eg_view_size(&run->root, "eval.block");
    const eg_dataset *dataset = NULL;
    EG_TRY(eg_dataset_cache_get(cache, &run->root, &dataset));
    run->data = dataset->checksum;
    EG_TRY(
        eg_stream_create(&run->stream, &run->root, dataset, seed, run->selection.holdout, block));
    EG_TRY(eg_selection_check(&run->selection, run->stream->shape.tasks));
    const eg_learner_setup setup = {.root = &run->root,
                                    .shape = run->stream->shape,
                                    .seed = seed,
                                    .block = block,
                                    .stream = run->stream,
                                    .profile = run->profile,
                                    .wanted = eg_run_wanted,
                                    .user = run};
    EG_TRY(eg_learner_create(&run->learner, &setup));
    run->stream->sparse_only = run->learner->reads_sparse;
    EG_TRY(eg_evaluator_init(&run->evaluator, run->learner, run->stream, block));
    EG_TRY(eg_record_create(&run->record));
    eg_run_count(run);
    EG_TRY(eg_run_declare(run));
    run->progress = (eg_progress){.steps = run->steps,
                                  .phases = run->stream->shape.phases,
                                  .loss = (double)NAN,
                                  .accuracy = (double)NAN,
                                  .record = run->record};
    return eg_ok();
}

void eg_run_close(eg_run *run)
{
    eg_writer_free(&run->checkpoint);
    eg_record_free(run->record);
    eg_evaluator_clear(&run->evaluator);
    eg_learner_free(run->learner);
    eg_stream_free(run->stream);
}

/** What polls are told from now on. */
static void note_progress(eg_run *run)
{
    run->progress.step = run->step;
    run->progress.phase = run->phase;
    run->progress.loss = eg_window_mean(&run->losses);
}

static bool poll_after_step(eg_run *run, bool evaluated)
{
    run->progress.evaluated = evaluated;
    bool wanted = eg_run_wanted(run);
    run->progress.evaluated = false;
    return wanted;
}

/** The next minibatch of the phase. *loss tells whether training diverged. */
static eg_status learn(eg_run *run, size_t steps, double *loss)
{
    double start = seconds();
    eg_batch batch;
    eg_profile_part before = eg_profile_enter(run->profile, EG_PROFILE_DATA);
    eg_stream_get(run->stream, run->phase, run->phase_step, &batch);
    (void)eg_profile_enter(run->profile, before);
    EG_TRY(run->learner->ops->step(run->learner, &batch, loss));
    run->step++;
    run->phase_step++;
    if (!isfinite(*loss)) {
        return eg_ok();
    }
    run->examples_seen += batch.size;
    eg_window_add(&run->losses, *loss);
    run->train_seconds += seconds() - start;
    if (run->phase_step == steps && run->learner->ops->end_phase != NULL) {
        run->pending = EG_PENDING_PHASE_END;
    } else {
        run->pending = eg_run_evaluation_due(run) ? EG_PENDING_EVALUATION : EG_PENDING_NOTHING;
    }
    note_progress(run);
    return eg_ok();
}

static eg_status end_phase(eg_run *run)
{
    double start = seconds();
    EG_TRY(run->learner->ops->end_phase(run->learner, run->phase));
    run->train_seconds += seconds() - start;
    run->pending = EG_PENDING_EVALUATION;
    return eg_ok();
}

static eg_status evaluate(eg_run *run, bool phase_end)
{
    double start = seconds();
    eg_profile_part before = eg_profile_enter(run->profile, EG_PROFILE_EVALUATION);
    EG_TRY(eg_run_evaluate(run, phase_end));
    (void)eg_profile_enter(run->profile, before);
    run->evaluation_seconds += seconds() - start;
    run->examples_evaluated = run->evaluator.examples;
    run->pending = EG_PENDING_NOTHING;
    return eg_ok();
}

static eg_status evaluate_untrained(eg_run *run)
{
    double start = seconds();
    eg_profile_part before = eg_profile_enter(run->profile, EG_PROFILE_EVALUATION);
    EG_TRY(eg_run_evaluate_untrained(run));
    (void)eg_profile_enter(run->profile, before);
    run->evaluation_seconds += seconds() - start;
    run->examples_evaluated = run->evaluator.examples;
    return eg_ok();
}

static void save(eg_run *run)
{
    double start = seconds();
    eg_checkpoint_write(run, &run->checkpoint);
    run->saving->save(run->saving->user, &run->checkpoint);
    run->saved = seconds();
    run->save_cost = run->saved - start;
}

static bool save_is_due(const eg_run *run, bool phase_end)
{
    if (run->saving == NULL || run->saving->every <= 0) {
        return false;
    }
    double wanted = run->saving->every * (phase_end ? phase_end_share : 1);
    return seconds() - run->saved >= fmax(wanted, run->save_cost / save_share);
}

/** It has got as far as it may for now. */
static bool pause_is_due(const eg_run *run)
{
    return run->until > 0 && run->eval >= run->until && run->step < run->steps;
}

/** *end becomes how the trial ended if it did. */
static eg_status run_phase(eg_run *run, eg_trial_status *end)
{
    size_t steps = eg_stream_steps(run->stream, run->phase);
    if (run->phase_step == 0 && run->learner->ops->begin_phase != NULL) {
        EG_TRY(run->learner->ops->begin_phase(run->learner, run->phase));
    }
    while (run->pending != EG_PENDING_NOTHING || run->phase_step < steps) {
        if (run->pending == EG_PENDING_NOTHING) {
            double loss = 0;
            EG_TRY(learn(run, steps, &loss));
            if (!isfinite(loss)) {
                *end = EG_TRIAL_DIVERGED;
                return eg_ok();
            }
        }
        if (run->pending == EG_PENDING_PHASE_END) {
            EG_TRY(end_phase(run));
        }
        bool phase_end = run->phase_step == steps;
        bool evaluated = run->pending == EG_PENDING_EVALUATION;
        if (evaluated) {
            EG_TRY(evaluate(run, phase_end));
        }
        if (!poll_after_step(run, evaluated)) {
            return eg_fail(EG_STOPPED, "stopped after minibatch %zu of %zu", run->step, run->steps);
        }
        if (evaluated && pause_is_due(run)) {
            *end = EG_TRIAL_PAUSED;
            return eg_ok();
        }
        if (save_is_due(run, phase_end)) {
            save(run);
        }
    }
    return eg_ok();
}

static eg_status run_phases(eg_run *run, eg_trial_status *end)
{
    size_t phases = run->stream->shape.phases;
    /* An earlier attempt may have come this far, and its word of it was lost. */
    *end = pause_is_due(run) ? EG_TRIAL_PAUSED : EG_TRIAL_DONE;
    if (run->untrained && run->step == 0) {
        EG_TRY(evaluate_untrained(run));
    }
    for (; run->phase < phases && *end == EG_TRIAL_DONE; run->phase++) {
        eg_status status = run_phase(run, end);
        bool leaves = status.code == EG_STOPPED || *end == EG_TRIAL_PAUSED;
        if (leaves && run->saving != NULL) {
            save(run);
        }
        EG_TRY(status);
        run->phase_step = 0;
    }
    return eg_ok();
}

/** Brings a run that was just opened to where the checkpoint was written. */
static eg_status restore(eg_run *run)
{
    eg_saving *saving = run->saving;
    saving->refused = false;
    if (saving->from == NULL) {
        return eg_ok();
    }
    eg_status status = eg_checkpoint_read(run, saving->from, saving->from_size);
    if (status.code == EG_OK && run->until > 0 && run->eval > run->until) {
        status = eg_fail(EG_INVALID, "it has %zu evaluations, only %zu are wanted", run->eval,
                         run->until);
    }
    saving->refused = status.code == EG_INVALID;
    EG_TRY(status);
    note_progress(run);
    if (saving->continued != NULL) {
        saving->continued(saving->user, run->step, run->steps);
    }
    return eg_ok();
}

static eg_status run_finish(eg_run *run, eg_trial_status end)
{
    char message[96] = "";
    EG_TRY(eg_run_summarise(run, end == EG_TRIAL_DIVERGED));
    if (end == EG_TRIAL_DIVERGED) {
        (void)snprintf(message, sizeof message, "the loss was not finite at minibatch %zu of %zu",
                       run->step, run->steps);
    } else if (end == EG_TRIAL_PAUSED) {
        (void)snprintf(message, sizeof message, "paused after %zu of %zu evaluations", run->eval,
                       run->evals);
    }
    eg_record_set_status(run->record, end, message);
    return eg_ok();
}

static eg_status check_call(const eg_settings *settings, const eg_dataset_cache *cache,
                            const eg_trial_options *options)
{
    const char *missing = settings == NULL             ? "settings"
                          : cache == NULL              ? "cache"
                          : options == NULL            ? "options"
                          : options->objective == NULL ? "options->objective"
                          : options->saving != NULL && options->saving->save == NULL
                              ? "options->saving->save"
                              : NULL;
    return missing == NULL ? eg_ok()
                           : eg_fail(EG_INVALID, "eg_trial_run: %s is NULL, and required", missing);
}

eg_status eg_trial_run(eg_record **out, const eg_settings *settings, uint64_t seed,
                       eg_dataset_cache *cache, const eg_trial_options *options)
{
    if (out == NULL) {
        return eg_fail(EG_INVALID, "eg_trial_run: out is NULL, and required");
    }
    *out = NULL;
    EG_TRY(check_call(settings, cache, options));
    eg_run *run = NULL;
    EG_TRY(eg_alloc(&run, 1, sizeof *run));
    run->objective = options->objective;
    run->poll = options->poll;
    run->user = options->user;
    run->profile = options->profile;
    run->saving = options->saving;
    run->until = options->until;
    eg_trial_status end = EG_TRIAL_DONE;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_run_open(run, settings, seed, cache));
    if (run->saving != NULL) {
        EG_TRY_DONE(status, eg_trial_id(&run->id, settings, seed));
        EG_TRY_DONE(status, restore(run));
    }
    if (run->profile != NULL) {
        eg_profile_start(run->profile);
    }
    run->saved = seconds();
    EG_TRY_DONE(status, run_phases(run, &end));
    EG_TRY_DONE(status, run_finish(run, end));
    (void)eg_profile_enter(run->profile, EG_PROFILE_OTHER);
    *out = run->record;
    run->record = NULL;
done:
    eg_run_close(run);
    eg_free(run);
    return status;
}
