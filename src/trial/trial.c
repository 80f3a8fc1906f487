/** One trial: dataset → stream → phases → minibatches → learner → record; see engram/trial.h. */
#include "engram/trial.h"

#include "engram/memory.h"
#include "trial/run.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** An evaluation is due after `step` minibatches, or at the end of a phase. */
static bool evaluation_due(const eg_run *run, bool phase_end)
{
    return phase_end || (run->eval_every > 0 && run->step % run->eval_every == 0);
}

static void count_steps(eg_run *run)
{
    size_t step = 0;
    for (size_t phase = 0; phase < run->stream->shape.phases; phase++) {
        size_t steps = eg_stream_steps(run->stream, phase);
        size_t last = step + steps;
        if (run->eval_every > 0) {
            /* multiples of eval_every in (step, last), the phase's end not counted */
            run->evals += (last - 1) / run->eval_every - step / run->eval_every;
        }
        run->evals++;
        step = last;
    }
    run->steps = step;
}

static eg_status run_open(eg_run *run, const eg_settings *settings, uint64_t seed,
                          eg_dataset_cache *cache)
{
    run->root = eg_settings_root(settings);
    run->selection = eg_protocol_selection(&run->root);
    run->eval_every = eg_view_size(&run->root, "eval.every");
    run->eval_tasks = (eg_eval_tasks)eg_view_choice(&run->root, "eval.tasks");
    size_t block = eg_view_size(&run->root, "eval.block");
    const eg_dataset *dataset = NULL;
    EG_TRY(eg_dataset_cache_get(cache, &run->root, &dataset));
    EG_TRY(
        eg_stream_create(&run->stream, &run->root, dataset, seed, run->selection.holdout, block));
    if (run->selection.tasks > run->stream->shape.tasks) {
        return eg_fail(EG_INVALID, "protocol.k = %zu: the stream has only %zu tasks",
                       run->selection.tasks, run->stream->shape.tasks);
    }
    const eg_learner_setup setup = {.root = &run->root,
                                    .shape = run->stream->shape,
                                    .seed = seed,
                                    .block = block,
                                    .profile = run->profile};
    EG_TRY(eg_learner_create(&run->learner, &setup));
    EG_TRY(eg_evaluator_init(&run->evaluator, run->learner, run->stream, block));
    EG_TRY(eg_record_create(&run->record));
    count_steps(run);
    EG_TRY(eg_run_declare(run));
    run->progress = (eg_progress){.steps = run->steps,
                                  .phases = run->stream->shape.phases,
                                  .loss = (double)NAN,
                                  .accuracy = (double)NAN,
                                  .record = run->record};
    return eg_ok();
}

static void run_close(eg_run *run)
{
    eg_record_free(run->record);
    eg_evaluator_clear(&run->evaluator);
    eg_learner_free(run->learner);
    eg_stream_free(run->stream);
}

static bool poll_after_step(eg_run *run, bool evaluated)
{
    run->progress.step = run->step;
    run->progress.phase = run->phase;
    run->progress.loss = eg_window_mean(&run->losses);
    run->progress.evaluated = evaluated;
    bool wanted = run->poll(run->user, &run->progress);
    run->progress.evaluated = false;
    return wanted;
}

/** One minibatch and, where due, an evaluation. *loss tells whether training diverged. */
static eg_status run_step(eg_run *run, size_t step, size_t steps, double *loss)
{
    double start = seconds();
    eg_batch batch;
    eg_profile_part before = eg_profile_enter(run->profile, EG_PROFILE_DATA);
    eg_stream_get(run->stream, run->phase, step, &batch);
    (void)eg_profile_enter(run->profile, before);
    EG_TRY(run->learner->ops->step(run->learner, &batch, loss));
    run->step++;
    if (!isfinite(*loss)) {
        return eg_ok();
    }
    run->examples_seen += batch.size;
    eg_window_add(&run->losses, *loss);
    bool phase_end = step + 1 == steps;
    if (phase_end && run->learner->ops->end_phase != NULL) {
        EG_TRY(run->learner->ops->end_phase(run->learner, run->phase));
    }
    double learned = seconds();
    run->train_seconds += learned - start;
    bool due = evaluation_due(run, phase_end);
    if (due) {
        before = eg_profile_enter(run->profile, EG_PROFILE_EVALUATION);
        EG_TRY(eg_run_evaluate(run, phase_end));
        (void)eg_profile_enter(run->profile, before);
        run->evaluation_seconds += seconds() - learned;
    }
    if (!poll_after_step(run, due)) {
        return eg_fail(EG_STOPPED, "stopped after minibatch %zu of %zu", run->step, run->steps);
    }
    return eg_ok();
}

static eg_status run_phases(eg_run *run, bool *diverged)
{
    for (run->phase = 0; run->phase < run->stream->shape.phases; run->phase++) {
        if (run->learner->ops->begin_phase != NULL) {
            EG_TRY(run->learner->ops->begin_phase(run->learner, run->phase));
        }
        size_t steps = eg_stream_steps(run->stream, run->phase);
        for (size_t step = 0; step < steps; step++) {
            double loss = 0;
            EG_TRY(run_step(run, step, steps, &loss));
            if (!isfinite(loss)) {
                *diverged = true;
                return eg_ok();
            }
        }
    }
    return eg_ok();
}

static eg_status run_finish(eg_run *run, bool diverged)
{
    EG_TRY(eg_run_summarise(run, diverged));
    if (diverged) {
        char message[96];
        (void)snprintf(message, sizeof message, "the loss was not finite at minibatch %zu of %zu",
                       run->step, run->steps);
        eg_record_set_status(run->record, EG_TRIAL_DIVERGED, message);
    } else {
        eg_record_set_status(run->record, EG_TRIAL_DONE, "");
    }
    return eg_ok();
}

eg_status eg_trial_run(eg_record **out, const eg_settings *settings, uint64_t seed,
                       const char *objective, eg_dataset_cache *cache, eg_poll poll, void *user)
{
    return eg_trial_run_profiled(out, settings, seed, objective, cache, poll, user, NULL);
}

eg_status eg_trial_run_profiled(eg_record **out, const eg_settings *settings, uint64_t seed,
                                const char *objective, eg_dataset_cache *cache, eg_poll poll,
                                void *user, eg_profile *profile)
{
    *out = NULL;
    eg_run *run = NULL;
    EG_TRY(eg_alloc(&run, 1, sizeof *run));
    run->objective = objective;
    run->poll = poll;
    run->user = user;
    run->profile = profile;
    bool diverged = false;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, run_open(run, settings, seed, cache));
    if (profile != NULL) {
        eg_profile_start(profile);
    }
    EG_TRY_DONE(status, run_phases(run, &diverged));
    EG_TRY_DONE(status, run_finish(run, diverged));
    (void)eg_profile_enter(profile, EG_PROFILE_OTHER);
    *out = run->record;
    run->record = NULL;
done:
    run_close(run);
    eg_free(run);
    return status;
}
