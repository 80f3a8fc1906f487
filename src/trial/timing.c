/** What a trial takes, from a few of its minibatches; see eg_trial_time. */
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "trial/trial_state.h"

#include <math.h>

/** Minibatches that are made before the clock starts: the first ones meet cold caches. Those that
 *  take as long as there is for all count: what was cold is little of them. */
enum { WARM_UP = 2, WORTH_WARMING = 8 };

/** Counts polls, and says when the time is up. */
typedef struct limit {
    double until;
    size_t polls;
} limit;

static bool within(void *user, const eg_progress *progress)
{
    limit *self = user;
    (void)progress;
    self->polls++;
    return self->polls == 1 || eg_clock_of_thread() < self->until;
}

/** *each: seconds of a minibatch of `phase`, from its first ones. */
static eg_status time_steps(eg_trial_state *state, size_t phase, double budget, double *each)
{
    eg_learner *learner = state->learner;
    size_t steps = eg_stream_steps(state->stream, phase);
    const size_t warm = steps >= WORTH_WARMING ? WARM_UP : 0;
    double passed = 0;
    eg_step_outcome outcome = {.loss = 0};
    size_t done = 0;
    size_t left_out = 0;
    *each = 0;
    if (learner->ops->begin_phase != NULL) {
        EG_TRY(learner->ops->begin_phase(learner, phase));
    }
    const double begin = eg_clock_of_thread();
    double start = begin;
    while (done < steps && passed < budget && isfinite(outcome.loss)) {
        eg_batch batch;
        eg_cursor_get(state->cursor, phase, done, &batch);
        EG_TRY(learner->ops->step(learner, &batch, &outcome));
        done++;
        const double now = eg_clock_of_thread();
        if (done <= warm && now - begin < budget) {
            start = now;
            left_out = done;
        }
        passed = now - start;
    }
    *each = done > left_out ? passed / (double)(done - left_out) : 0;
    return eg_ok();
}

/** *each: seconds of an example in an evaluation, from blocks of all tasks in turn. */
static eg_status time_evaluation(eg_trial_state *state, double budget, double *each)
{
    const eg_stream_shape *shape = &state->stream->shape;
    double start = eg_clock_of_thread();
    double passed = 0;
    size_t examples = 0;
    size_t most = state->cursor->setup.block;
    *each = 0;
    if (shape->tasks == 0) {
        return eg_ok();
    }
    for (size_t block = 0; block < shape->tasks + 1 && passed < budget; block++) {
        size_t task = block % shape->tasks;
        size_t count = eg_stream_count(state->stream, EG_SUBSET_TEST, task);
        size_t size = count < most ? count : most;
        if (size == 0) {
            continue;
        }
        eg_batch batch;
        eg_cursor_examples(state->cursor, EG_SUBSET_TEST, task, 0, size, &batch);
        EG_TRY(state->learner->ops->predict(state->learner, &batch, state->evaluator.scores));
        passed = eg_clock_of_thread() - start;
        if (block == 0 && passed < budget) {
            start = eg_clock_of_thread(); /* it warmed up */
            continue;
        }
        examples += size;
    }
    *each = examples > 0 ? passed / (double)examples : 0;
    return eg_ok();
}

/** Seconds of something of which `made` polls were seen, if there are `polls`. */
static double scaled(double seconds, size_t made, double polls)
{
    return made > 0 ? seconds * polls / (double)made : seconds;
}

static eg_learner_growth growth_at(const eg_trial_state *state, size_t phase)
{
    return eg_learner_growth_of(&state->outline.root, "learner", phase);
}

/** The first phase after phase 0 that begins with growth; phase 1 if none does. */
static size_t first_grown(const eg_trial_state *state)
{
    for (size_t phase = 1; phase < state->stream->shape.phases; phase++) {
        if (growth_at(state, phase).train > 1 ||
            eg_learner_begin_phase_polls(state->learner, phase) > 0) {
            return phase;
        }
    }
    return 1;
}

/** As much of the growth as minibatches feel: `times` as many operations take 1 + felt (times - 1)
 *  as long. At most 1: parts of networks do not grow, and larger ones are faster for their size. */
static double grown(double felt, double times)
{
    return 1 + felt * (times - 1);
}

/** *all: seconds of all beginnings of phases at which the learner asks whether it is wanted, from
 *  that of `phase`, or a part of it. *begun: it was made whole. */
static eg_status time_begins(eg_trial_state *state, double budget, size_t phase, double *all,
                             bool *begun)
{
    eg_learner *learner = state->learner;
    const double unit = growth_at(state, phase).begin;
    double polls = 0; /* as many as all take, of the length of those of this phase */
    *all = 0;
    *begun = true;
    for (size_t p = phase; p < state->stream->shape.phases; p++) {
        const double times = unit > 0 ? growth_at(state, p).begin / unit : 1;
        polls += times * (double)eg_learner_begin_phase_polls(learner, p);
    }
    if (eg_learner_begin_phase_polls(learner, phase) == 0) {
        return eg_ok();
    }
    double start = eg_clock_of_thread();
    limit clock = {.until = start + budget};
    state->poll = within;
    state->user = &clock;
    eg_status status = learner->ops->begin_phase(learner, phase);
    state->poll = NULL;
    *begun = status.code == EG_OK;
    *all = scaled(eg_clock_of_thread() - start, *begun ? clock.polls : clock.polls - 1, polls);
    return status.code == EG_STOPPED ? eg_ok() : status;
}

/** The end of an epoch or of a phase, or a part of it. */
typedef struct end_time {
    double seconds;
    size_t made; /* polls that were made */
    bool whole, none;
} end_time;

static eg_status time_end(eg_trial_state *state, bool of_epoch, double budget, end_time *out)
{
    eg_learner *learner = state->learner;
    const eg_learner_ops *ops = learner->ops;
    *out = (end_time){.whole = true, .none = true};
    if (of_epoch ? ops->end_epoch == NULL : ops->end_phase == NULL) {
        return eg_ok();
    }
    double start = eg_clock_of_thread();
    limit clock = {.until = start + budget};
    bool enough = false;
    state->poll = within;
    state->user = &clock;
    eg_status status =
        of_epoch ? ops->end_epoch(learner, 0, 0, &enough) : ops->end_phase(learner, 0);
    state->poll = NULL;
    *out = (end_time){.seconds = eg_clock_of_thread() - start, .whole = status.code == EG_OK};
    out->made = out->whole ? clock.polls : clock.polls - 1; /* the last one stopped it */
    return status.code == EG_STOPPED ? eg_ok() : status;
}

/** Seconds of all ends of epochs, or of phases. */
static double all_ends(const eg_trial_state *state, bool of_epoch, const end_time *end, double felt)
{
    const eg_learner_ops *ops = state->learner->ops;
    size_t (*polls_of)(const eg_learner *, size_t) =
        of_epoch ? ops->end_epoch_polls : ops->end_phase_polls;
    double all = 0;
    for (size_t phase = 0; phase < state->stream->shape.phases && !end->none; phase++) {
        size_t calls = of_epoch ? eg_stream_phase(state->stream, phase).epochs : 1;
        size_t polls = polls_of == NULL ? 0 : polls_of(state->learner, phase);
        all += (double)calls * scaled(end->seconds, end->made, (double)polls) *
               grown(felt, growth_at(state, phase).train);
    }
    return all;
}

/** Seconds of all minibatches, if one takes `first` in phase 0 and `later` in phase `at`. */
static double all_steps(const eg_trial_state *state, double first, size_t at, double later,
                        double felt)
{
    const double unit = grown(felt, growth_at(state, at).train);
    double all = 0;
    for (size_t phase = 0; phase < state->stream->shape.phases; phase++) {
        const double times = grown(felt, growth_at(state, phase).train) / unit;
        all += (double)eg_stream_steps(state->stream, phase) * (phase == 0 ? first : later * times);
    }
    return all;
}

/** As many times as long as at the start an evaluation takes, in the mean over phases. */
static double mean_prediction(const eg_trial_state *state, double felt)
{
    const size_t phases = state->stream->shape.phases;
    double sum = 0;
    for (size_t phase = 0; phase < phases; phase++) {
        sum += grown(felt, growth_at(state, phase).predict);
    }
    return sum / (double)phases;
}

/** Held-out examples of an evaluation of all tasks, in the mean over phases. */
static double held_out_of(const eg_trial_state *state)
{
    const eg_stream_shape *shape = &state->stream->shape;
    size_t sets = shape->phases_hold_out ? shape->phases : shape->tasks;
    double all = 0;
    for (size_t set = 0; state->selection.holdout > 0 && set < sets; set++) {
        all += (double)eg_stream_count(state->stream, EG_SUBSET_VALIDATION, set);
    }
    return shape->phases_hold_out ? all / (double)sets : all;
}

/** Examples of all evaluations together. */
static double examples_of(const eg_trial_state *state)
{
    const eg_stream_shape *shape = &state->stream->shape;
    double all = held_out_of(state);
    for (size_t task = 0; task < shape->tasks; task++) {
        all += (double)eg_stream_count(state->stream, EG_SUBSET_TEST, task);
        all += (double)eg_stream_count(state->stream, EG_SUBSET_TEST_AUGMENTED, task);
    }
    double share = 1; /* of the tasks that an evaluation covers, in the mean over phases */
    double tasks = (double)shape->tasks;
    if (shape->tasks_are_phases && state->eval_tasks == EG_EVAL_SEEN) {
        share = (tasks + 1) / (2 * tasks);
    } else if (shape->tasks_are_phases && state->eval_tasks == EG_EVAL_FIRST_AND_CURRENT) {
        share = (2 * tasks - 1) / (tasks * tasks);
    } else if (shape->tasks_are_phases && state->eval_tasks >= EG_EVAL_CURRENT) {
        share = 1 / tasks;
    }
    double last = state->untrained ? 2 : 1; /* these cover all tasks */
    last *= state->eval_tasks == EG_EVAL_CURRENT_ONLY ? share : 1;
    return all * (last + share * ((double)state->evals - 1));
}

static eg_status measure(eg_trial_state *state, double budget, eg_trial_timing *out)
{
    const bool several = state->stream->shape.phases > 1;
    const size_t phase = several ? first_grown(state) : 0;
    const double times = growth_at(state, phase).train;
    double first = 0;
    double example = 0;
    double felt = 1;
    end_time epoch_end;
    end_time phase_end;
    EG_TRY(time_steps(state, 0, 0.3 * budget, &first));
    EG_TRY(time_evaluation(state, 0.2 * budget, &example));
    EG_TRY(time_end(state, true, 0.1 * budget, &epoch_end));
    EG_TRY(time_end(state, false, 0.2 * budget, &phase_end));
    double later = first * times;
    bool begun = epoch_end.whole && phase_end.whole && several;
    if (begun) {
        EG_TRY(time_begins(state, 0.2 * budget, phase, &out->phase_begins, &begun));
    }
    if (begun) { /* penalties and memories only begin to cost there */
        EG_TRY(time_steps(state, phase, 0.2 * budget, &later));
        felt = times > 1 && first > 0 ? fmin(1, fmax(0, (later / first - 1) / (times - 1))) : 1;
    }
    out->steps = state->steps;
    out->evaluations = state->evals + (state->untrained ? 1 : 0);
    out->training = all_steps(state, first, phase, later, felt);
    out->evaluation = example * examples_of(state) * mean_prediction(state, felt);
    out->epoch_ends = all_ends(state, true, &epoch_end, felt);
    out->phase_ends = all_ends(state, false, &phase_end, felt);
    return eg_ok();
}

eg_status eg_trial_time(eg_trial_timing *out, const eg_settings *settings, eg_dataset_cache *cache,
                        double budget)
{
    *out = (eg_trial_timing){0};
    eg_trial_state *state = NULL;
    const eg_dataset *dataset = NULL;
    eg_status status = eg_ok();
    eg_view root = eg_settings_root(settings);
    if (eg_trial_reads_data(settings)) {
        EG_TRY(eg_dataset_cache_get(cache, &root, &dataset)); /* its opening does not count */
    }
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    double start = eg_clock_of_thread();
    EG_TRY_DONE(status, eg_trial_state_init(state, settings, 0, cache));
    out->setup = eg_clock_of_thread() - start;
    status = measure(state, budget, out);
done:
    start = eg_clock_of_thread();
    eg_trial_state_clear(state);
    eg_free(state);
    out->setup += eg_clock_of_thread() - start;
    out->seconds = out->setup + out->training + out->evaluation + out->phase_begins +
                   out->epoch_ends + out->phase_ends;
    return status;
}
