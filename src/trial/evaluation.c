/** Evaluating a learner on the tasks of a stream; see trial/evaluation.h. */
#include "trial/evaluation.h"

#include "engram/memory.h"
#include "engram/metric.h"

#include <math.h>

const char *const eg_eval_tasks_names[] = {
    [EG_EVAL_ALL] = "all",
    [EG_EVAL_SEEN] = "seen",
    [EG_EVAL_FIRST_AND_CURRENT] = "first_and_current",
    [EG_EVAL_CURRENT] = "current",
    [EG_EVAL_CURRENT_ONLY] = "current_only",
    [EG_EVAL_CURRENT_ONLY + 1] = NULL,
};

eg_status eg_evaluator_init(eg_evaluator *evaluator, eg_learner *learner, eg_cursor *cursor)
{
    *evaluator = (eg_evaluator){.learner = learner, .cursor = cursor};
    const eg_stream_shape *shape = &cursor->stream->shape;
    size_t rows = cursor->setup.block * eg_stream_positions(shape);
    size_t layers = learner->hidden_layers;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&evaluator->scores, rows * shape->outputs, sizeof(eg_real)));
    EG_TRY_DONE(status, eg_alloc(&evaluator->activity, layers, sizeof(double)));
    EG_TRY_DONE(status, eg_alloc(&evaluator->activity_block, layers, sizeof(double)));
    EG_TRY_DONE(status, eg_alloc(&evaluator->accuracy, shape->tasks, sizeof(double)));
    EG_TRY_DONE(status, eg_alloc(&evaluator->examples_of, shape->outputs, sizeof(size_t)));
    EG_TRY_DONE(status, eg_alloc(&evaluator->correct_of, shape->outputs, sizeof(size_t)));
    return status;
done:
    eg_evaluator_clear(evaluator);
    return status;
}

void eg_evaluator_clear(eg_evaluator *evaluator)
{
    eg_free(evaluator->scores);
    eg_free(evaluator->activity);
    eg_free(evaluator->activity_block);
    eg_free(evaluator->accuracy);
    eg_free(evaluator->examples_of);
    eg_free(evaluator->correct_of);
    *evaluator = (eg_evaluator){0};
}

static bool covers(const eg_stream_shape *shape, eg_eval_tasks tasks, size_t phase, size_t task)
{
    if (tasks == EG_EVAL_ALL || !shape->tasks_are_phases) {
        return true;
    }
    if (tasks == EG_EVAL_SEEN) {
        return task <= phase;
    }
    return task == phase || (tasks == EG_EVAL_FIRST_AND_CURRENT && task == 0);
}

static void add_activity(eg_evaluator *evaluator, size_t examples)
{
    const eg_learner *learner = evaluator->learner;
    if (learner->ops->activity == NULL) {
        return;
    }
    learner->ops->activity(learner, evaluator->activity_block);
    for (size_t i = 0; i < learner->hidden_layers; i++) {
        evaluator->activity[i] += evaluator->activity_block[i] * (double)examples;
    }
}

/** `set`: where the examples of the task are (eg_stream_set); `active`: of the phase under way, for
 *  streams that do not tell the task. */
static eg_status count_task(eg_evaluator *evaluator, eg_subset subset, size_t task, size_t set,
                            const eg_active *active, eg_evaluation_poll poll, void *user,
                            size_t *correct)
{
    size_t block = evaluator->cursor->setup.block;
    size_t outputs = evaluator->cursor->stream->shape.outputs;
    size_t count = eg_stream_count(evaluator->cursor->stream, subset, set);
    *correct = 0;
    for (size_t first = 0; first < count; first += block) {
        size_t size = count - first < block ? count - first : block;
        eg_batch batch;
        eg_cursor_examples(evaluator->cursor, subset, set, first, size, &batch);
        batch.active = batch.active != NULL ? batch.active : active;
        EG_TRY(evaluator->learner->ops->predict(evaluator->learner, &batch, evaluator->scores));
        *correct +=
            eg_count_correct_of(eg_batch_rows(&batch), outputs, evaluator->scores, batch.label,
                                batch.active, evaluator->examples_of, evaluator->correct_of);
        if (evaluator->wants_nll) {
            evaluator->nll += eg_nll_sum(&batch, outputs, evaluator->scores,
                                         eg_learner_scores(evaluator->learner));
        }
        add_activity(evaluator, size);
        if (evaluator->seen != NULL) {
            const eg_predicted predicted = {.subset = subset,
                                            .task = task,
                                            .batch = &batch,
                                            .scores = evaluator->scores,
                                            .outputs = outputs};
            EG_TRY(evaluator->seen(evaluator->seen_user, &predicted));
        }
        if (!poll(user)) {
            return eg_fail(EG_STOPPED, "stopped during an evaluation");
        }
    }
    return eg_ok();
}

/** Forgets the evaluation before. */
static void reset(eg_evaluator *evaluator)
{
    evaluator->nll = 0;
    for (size_t i = 0; i < evaluator->learner->hidden_layers; i++) {
        evaluator->activity[i] = 0;
    }
    for (size_t c = 0; c < evaluator->cursor->stream->shape.outputs; c++) {
        evaluator->examples_of[c] = evaluator->correct_of[c] = 0;
    }
}

eg_status eg_evaluator_run(eg_evaluator *evaluator, eg_subset subset, eg_eval_tasks tasks,
                           size_t phase, eg_evaluation_poll poll, void *user, double *overall)
{
    const eg_stream_shape *shape = &evaluator->cursor->stream->shape;
    size_t layers = evaluator->learner->hidden_layers;
    const double positions = (double)eg_stream_positions(shape);
    const eg_active *active = eg_stream_phase(evaluator->cursor->stream, phase).active;
    active = shape->tells_task ? NULL : active;
    size_t all_correct = 0;
    size_t all_examples = 0;
    bool complete = true;
    reset(evaluator);
    for (size_t task = 0; task < shape->tasks; task++) {
        evaluator->accuracy[task] = (double)NAN;
        size_t set = eg_stream_set(evaluator->cursor->stream, subset, phase, task);
        size_t examples = eg_stream_count(evaluator->cursor->stream, subset, set);
        if (!covers(shape, tasks, phase, task)) {
            complete = false;
            continue;
        }
        size_t correct = 0;
        EG_TRY(count_task(evaluator, subset, task, set, active, poll, user, &correct));
        if (examples > 0) {
            evaluator->accuracy[task] = (double)correct / ((double)examples * positions);
        }
        all_correct += correct;
        all_examples += examples;
    }
    for (size_t i = 0; i < layers; i++) {
        bool counted = evaluator->learner->ops->activity != NULL && all_examples > 0;
        evaluator->activity[i] =
            counted ? evaluator->activity[i] / (double)all_examples : (double)NAN;
    }
    evaluator->examples += all_examples;
    bool known = evaluator->wants_nll && complete && all_examples > 0;
    evaluator->nll = known ? evaluator->nll / ((double)all_examples * positions) : (double)NAN;
    *overall = complete && all_examples > 0
                   ? (double)all_correct / ((double)all_examples * positions)
                   : (double)NAN;
    return eg_ok();
}
