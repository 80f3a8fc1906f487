/** One trial: dataset → stream → phases → minibatches → learner → record; see engram/trial.h. */
#include "engram/trial.h"

#include "engram/clock.h"
#include "engram/memory.h"
#include "trial/checkpoint.h"
#include "trial/trial_state.h"

#include <math.h>
#include <stdio.h>

/* Checkpoints: how much sooner than otherwise at the end of a phase, where nothing is half done;
 * and their share of the time at most. */
static const double phase_end_share = 1.0 / 6;
static const double save_share = 0.01;

/** Before anything is learned: what selects will be known at the end. */
static eg_status check_objective(const eg_trial_state *state, const eg_settings *settings)
{
    const eg_variable *variable = eg_trial_variable(state->objective);
    if (variable == NULL || eg_variable_rank(variable) != 0) {
        return eg_fail(EG_INVALID, "objective '%s' is not a summary variable of this trial",
                       state->objective);
    }
    return eg_trial_records(settings, variable)
               ? eg_ok()
               : eg_fail_setting(
                     "", "measures",
                     "objective '%s' is not recorded with these settings: which measures "
                     "there are says `measures`",
                     state->objective);
}

/** What polls are told from now on. */
static void note_progress(eg_trial_state *state)
{
    state->progress.step = state->step;
    state->progress.steps = state->steps;
    state->progress.phase = state->phase;
    state->progress.loss = eg_window_mean(&state->losses);
}

static bool poll_after_step(eg_trial_state *state, bool evaluated)
{
    state->progress.evaluated = evaluated;
    bool wanted = eg_trial_wanted(state);
    state->progress.evaluated = false;
    return wanted;
}

/** What is to be done after the last epoch was evaluated, if that was due. */
static eg_pending pending_after_epochs(const eg_trial_state *state)
{
    bool phase_ends = state->phase_step == eg_trial_phase_steps(state, state->phase);
    if (phase_ends && state->learner->ops->end_phase != NULL) {
        return EG_PENDING_PHASE_END;
    }
    return eg_trial_evaluation_due(state) ? EG_PENDING_EVALUATION : EG_PENDING_NOTHING;
}

/** What is to be done after the last minibatch, but for the end of its epoch. */
static eg_pending pending_after(const eg_trial_state *state)
{
    return eg_trial_last_epoch_due(state) ? EG_PENDING_LAST_EPOCH : pending_after_epochs(state);
}

static eg_status trace(const eg_trial_state *state, size_t epoch_steps, const eg_batch *batch,
                       double loss)
{
    if (state->trace == NULL) {
        return eg_ok();
    }
    const eg_traced_step step = {.step = state->step + 1,
                                 .phase = state->phase,
                                 .epoch = state->phase_step / epoch_steps,
                                 .loss = loss,
                                 .batch = batch};
    return state->trace(state->trace_user, &step);
}

/** The next minibatch of the phase. *loss tells whether training diverged. */
static eg_status learn(eg_trial_state *state, size_t epoch_steps, double *loss)
{
    double start = eg_clock();
    eg_batch batch;
    eg_step_outcome outcome = {.loss = 0};
    eg_profile_part before = eg_profile_enter(state->profile, EG_PROFILE_DATA);
    eg_cursor_get(state->cursor, state->phase, state->phase_step, &batch);
    (void)eg_profile_enter(state->profile, before);
    EG_TRY(state->learner->ops->step(state->learner, &batch, &outcome));
    *loss = outcome.loss;
    EG_TRY(trace(state, epoch_steps, &batch, *loss));
    state->step++;
    state->phase_step++;
    if (!isfinite(*loss)) {
        return eg_ok();
    }
    state->examples_seen += batch.size;
    eg_window_add(&state->losses, *loss);
    state->train_seconds += eg_clock() - start;
    if (state->measures.step_count > 0) {
        const eg_moment now = eg_trial_moment(state);
        EG_TRY(eg_measures_step(&state->measures, &now, &batch, &outcome));
    }
    bool epoch_ends = state->phase_step % epoch_steps == 0;
    state->pending = epoch_ends && state->learner->ops->end_epoch != NULL ? EG_PENDING_EPOCH_END
                                                                          : pending_after(state);
    note_progress(state);
    return eg_ok();
}

static eg_status end_epoch(eg_trial_state *state, size_t epoch_steps)
{
    double start = eg_clock();
    bool enough = false;
    size_t epoch = state->phase_step / epoch_steps - 1;
    EG_TRY(state->learner->ops->end_epoch(state->learner, state->phase, epoch, &enough));
    if (enough) {
        eg_trial_end_early(state);
        note_progress(state);
    }
    state->train_seconds += eg_clock() - start;
    state->pending = pending_after(state);
    return eg_ok();
}

static eg_status end_phase(eg_trial_state *state)
{
    double start = eg_clock();
    EG_TRY(state->learner->ops->end_phase(state->learner, state->phase));
    state->train_seconds += eg_clock() - start;
    state->pending = EG_PENDING_EVALUATION;
    return eg_ok();
}

static eg_status evaluate(eg_trial_state *state, bool phase_end)
{
    double start = eg_clock();
    eg_profile_part before = eg_profile_enter(state->profile, EG_PROFILE_EVALUATION);
    EG_TRY(eg_trial_evaluate(state, phase_end));
    (void)eg_profile_enter(state->profile, before);
    state->evaluation_seconds += eg_clock() - start;
    state->examples_evaluated = state->evaluator.examples;
    state->pending =
        state->pending == EG_PENDING_LAST_EPOCH ? pending_after_epochs(state) : EG_PENDING_NOTHING;
    return eg_ok();
}

static eg_status evaluate_untrained(eg_trial_state *state)
{
    double start = eg_clock();
    eg_profile_part before = eg_profile_enter(state->profile, EG_PROFILE_EVALUATION);
    EG_TRY(eg_trial_evaluate_untrained(state));
    (void)eg_profile_enter(state->profile, before);
    state->evaluation_seconds += eg_clock() - start;
    state->examples_evaluated = state->evaluator.examples;
    return eg_ok();
}

static void save(eg_trial_state *state)
{
    double start = eg_clock();
    state->checkpoint.borrows = state->checkpointing->takes_parts;
    eg_checkpoint_write(state, &state->checkpoint);
    state->checkpointing->save(state->checkpointing->user, &state->checkpoint);
    state->saved = eg_clock();
    state->save_cost = state->saved - start;
}

static bool save_is_due(const eg_trial_state *state, bool phase_end)
{
    if (state->checkpointing == NULL || state->checkpointing->every <= 0) {
        return false;
    }
    double wanted = state->checkpointing->every * (phase_end ? phase_end_share : 1);
    return eg_clock() - state->saved >= fmax(wanted, state->save_cost / save_share);
}

/** It has got as far as it may for now. */
static bool pause_is_due(const eg_trial_state *state)
{
    bool goes_on = state->step < state->steps || state->pending != EG_PENDING_NOTHING;
    return state->until > 0 && state->eval >= state->until && goes_on;
}

/** No further minibatch may begin. What was read from a checkpoint counts, so that a trial that is
 *  interrupted has no more time than another. */
static bool time_is_up(const eg_trial_state *state)
{
    return state->max_seconds > 0 && state->train_seconds > state->max_seconds;
}

/** *end becomes how the trial ended if it did. */
static eg_status run_phase(eg_trial_state *state, eg_trial_status *end)
{
    if (state->phase_step == 0 && time_is_up(state)) {
        *end = EG_TRIAL_TIMEOUT;
        return eg_ok();
    }
    size_t epoch_steps = eg_stream_phase(state->stream, state->phase).steps;
    if (state->phase_step == 0 && state->learner->ops->begin_phase != NULL) {
        EG_TRY(state->learner->ops->begin_phase(state->learner, state->phase));
    }
    if (state->phase_step == 0) {
        const eg_moment now = eg_trial_moment(state);
        EG_TRY(eg_measures_begin_phase(&state->measures, &now));
    }
    while (state->pending != EG_PENDING_NOTHING ||
           state->phase_step < eg_trial_phase_steps(state, state->phase)) {
        if (state->pending == EG_PENDING_NOTHING && time_is_up(state)) {
            *end = EG_TRIAL_TIMEOUT;
            return eg_ok();
        }
        if (state->pending == EG_PENDING_NOTHING) {
            double loss = 0;
            EG_TRY(learn(state, epoch_steps, &loss));
            if (!isfinite(loss)) {
                *end = EG_TRIAL_DIVERGED;
                return eg_ok();
            }
        }
        if (state->pending == EG_PENDING_EPOCH_END) {
            EG_TRY(end_epoch(state, epoch_steps));
        }
        if (state->pending == EG_PENDING_PHASE_END) {
            EG_TRY(end_phase(state));
        }
        bool phase_end = state->phase_step == eg_trial_phase_steps(state, state->phase);
        bool last_epoch = state->pending == EG_PENDING_LAST_EPOCH;
        bool evaluated = last_epoch || state->pending == EG_PENDING_EVALUATION;
        if (evaluated) {
            EG_TRY(evaluate(state, phase_end && !last_epoch));
        }
        if (!poll_after_step(state, evaluated)) {
            return eg_fail(EG_STOPPED, "stopped after minibatch %zu of %zu", state->step,
                           state->steps);
        }
        if (evaluated && pause_is_due(state)) {
            *end = EG_TRIAL_PAUSED;
            return eg_ok();
        }
        if (save_is_due(state, phase_end)) {
            save(state);
        }
    }
    return eg_ok();
}

static eg_status run_phases(eg_trial_state *state, eg_trial_status *end)
{
    size_t phases = state->stream->shape.phases;
    /* An earlier attempt may have come this far, and its message been lost. */
    *end = pause_is_due(state) ? EG_TRIAL_PAUSED : EG_TRIAL_DONE;
    if (state->step == 0) {
        EG_TRY(eg_measures_begin_trial(&state->measures));
        EG_TRY(state->untrained ? evaluate_untrained(state) : eg_ok());
    }
    for (; state->phase < phases && *end == EG_TRIAL_DONE; state->phase++) {
        eg_status status = run_phase(state, end);
        bool leaves = status.code == EG_STOPPED || *end == EG_TRIAL_PAUSED;
        if (leaves && state->checkpointing != NULL) {
            save(state);
        }
        EG_TRY(status);
        state->phase_step = 0;
    }
    return eg_ok();
}

/** Brings a trial that was just opened to where the checkpoint was written. */
static eg_status restore(eg_trial_state *state)
{
    eg_checkpointing *checkpointing = state->checkpointing;
    checkpointing->refused = false;
    if (checkpointing->from == NULL) {
        return eg_ok();
    }
    eg_status status = eg_checkpoint_read(state, checkpointing->from, checkpointing->from_size);
    if (status.code == EG_OK && state->until > 0 && state->eval > state->until) {
        status = eg_fail(EG_INVALID, "it has %zu evaluations, only %zu are wanted", state->eval,
                         state->until);
    }
    checkpointing->refused = status.code == EG_INVALID;
    EG_TRY(status);
    note_progress(state);
    if (checkpointing->continued != NULL) {
        checkpointing->continued(checkpointing->user, state->step, state->steps);
    }
    return eg_ok();
}

static eg_status run_finish(eg_trial_state *state, eg_trial_status end)
{
    char message[128] = "";
    eg_moment now = eg_trial_moment(state);
    now.diverged = end == EG_TRIAL_DIVERGED;
    EG_TRY(eg_measures_end_trial(&state->measures, &now));
    if (end == EG_TRIAL_DIVERGED) {
        (void)snprintf(message, sizeof message, "the loss was not finite at minibatch %zu of %zu",
                       state->step, state->steps);
    } else if (end == EG_TRIAL_TIMEOUT) {
        (void)snprintf(
            message, sizeof message,
            "training took longer than max_seconds = %g: ended after minibatch %zu of %zu",
            state->max_seconds, state->step, state->steps);
    } else if (end == EG_TRIAL_PAUSED) {
        (void)snprintf(message, sizeof message, "paused after %zu of %zu evaluations", state->eval,
                       eg_trial_count_evaluations(state));
    }
    eg_record_set_status(state->record, end, message);
    return eg_ok();
}

static eg_status check_call(const eg_settings *settings, const eg_dataset_cache *cache,
                            const eg_trial_options *options)
{
    const char *missing = settings == NULL             ? "settings"
                          : cache == NULL              ? "cache"
                          : options == NULL            ? "options"
                          : options->objective == NULL ? "options->objective"
                          : options->checkpointing != NULL && options->checkpointing->save == NULL
                              ? "options->checkpointing->save"
                              : NULL;
    return missing == NULL ? eg_ok()
                           : eg_fail(EG_INVALID, "eg_trial_run: %s is NULL, and required", missing);
}

/** Before anything is learned that could then not be given. */
static eg_status check_gives(const eg_trial_state *state, const eg_trial_options *options)
{
    bool gives = options->begun != NULL || options->learned != NULL;
    return !gives || state->learner->ops->weights != NULL
               ? eg_ok()
               : eg_fail_setting("", "learner",
                                 "learner = %s has no weights that could be taken out of it",
                                 eg_view_component(&state->outline.root, "learner")->name);
}

eg_status eg_trial_run(eg_record **out, const eg_settings *settings, uint64_t seed,
                       eg_dataset_cache *cache, const eg_trial_options *options)
{
    if (out == NULL) {
        return eg_fail(EG_INVALID, "eg_trial_run: out is NULL, and required");
    }
    *out = NULL;
    EG_TRY(check_call(settings, cache, options));
    eg_trial_state *state = NULL;
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    state->objective = options->objective;
    state->poll = options->poll;
    state->user = options->user;
    state->profile = options->profile;
    state->checkpointing = options->checkpointing;
    state->until = options->until;
    state->trace = options->trace;
    state->trace_user = options->trace_user;
    state->initial = options->initial;
    eg_trial_status end = EG_TRIAL_DONE;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, check_objective(state, settings));
    EG_TRY_DONE(status, eg_trial_state_init(state, settings, seed, cache));
    EG_TRY_DONE(status, check_gives(state, options));
    if (state->checkpointing != NULL) {
        EG_TRY_DONE(status, eg_trial_id(&state->id, settings, seed));
        EG_TRY_DONE(status, restore(state));
    }
    if (state->step == 0) {
        EG_TRY_DONE(status, eg_trial_give(state, options->begun, options->learned_user));
    }
    if (state->profile != NULL) {
        eg_profile_start(state->profile);
    }
    state->saved = eg_clock();
    EG_TRY_DONE(status, run_phases(state, &end));
    EG_TRY_DONE(status, run_finish(state, end));
    if (end == EG_TRIAL_DONE) {
        EG_TRY_DONE(status, eg_trial_give(state, options->learned, options->learned_user));
    }
    (void)eg_profile_enter(state->profile, EG_PROFILE_OTHER);
    *out = state->record;
    state->record = NULL;
done:
    eg_trial_state_clear(state);
    eg_free(state);
    return status;
}
