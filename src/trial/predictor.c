/** What a trial has learned, and predicting with it; see engram/predictor.h and engram/trial.h. */
#include "engram/predictor.h"

#include "engram/memory.h"
#include "trial/trial_state.h"

#include <math.h>
#include <string.h>

void eg_predictor_clear(eg_predictor *predictor)
{
    eg_weights_clear(&predictor->weights);
    eg_free(predictor->settings);
    eg_free(predictor->byte_value);
    eg_free(predictor->pixel_order);
    eg_free(predictor->class_task);
    eg_free(predictor->vocabulary);
    *predictor = (eg_predictor){0};
}

/** What a byte of each channel stands for; a text has none. */
static eg_status copy_values(double **out, const eg_dataset *dataset)
{
    enum { BYTES = 256 };
    if (dataset->value == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(out, dataset->shape.channels, BYTES * sizeof **out));
    for (size_t c = 0; c < dataset->shape.channels; c++) {
        for (size_t b = 0; b < BYTES; b++) {
            (*out)[c * BYTES + b] = (double)dataset->value[c][b];
        }
    }
    return eg_ok();
}

static eg_status copy_order(eg_predictor *out, const uint32_t *pixels, size_t tasks)
{
    if (pixels == NULL) {
        return eg_ok();
    }
    size_t count = out->height * out->width;
    EG_TRY(eg_alloc(&out->pixel_order, tasks, count * sizeof *out->pixel_order));
    memcpy(out->pixel_order, pixels, tasks * count * sizeof *pixels);
    out->ordered_tasks = tasks;
    return eg_ok();
}

static eg_status copy_class_tasks(eg_predictor *out, const int32_t *task)
{
    if (task == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&out->class_task, out->outputs, sizeof *out->class_task));
    memcpy(out->class_task, task, out->outputs * sizeof *task);
    return eg_ok();
}

static eg_status fill(eg_predictor *out, const eg_trial_state *state)
{
    const eg_settings *settings = state->outline.root.settings;
    const eg_stream_shape *shape = &state->stream->shape;
    *out = (eg_predictor){.seed = state->seed,
                          .is_trial = state->initial == NULL && state->step == state->steps,
                          .data = state->data,
                          .step = state->step,
                          .channels = shape->input.channels,
                          .height = shape->input.height,
                          .width = shape->input.width,
                          .outputs = shape->outputs};
    EG_TRY(eg_learner_get_weights(&out->weights, state->learner));
    EG_TRY(eg_settings_text(&out->settings, settings, true));
    if (out->is_trial) {
        EG_TRY(eg_trial_id(&out->trial_id, settings, state->seed));
    }
    EG_TRY(copy_order(out, eg_stream_pixels(state->stream), shape->tasks));
    EG_TRY(copy_class_tasks(out, eg_stream_class_tasks(state->stream)));
    if (state->dataset == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_dataset_vocabulary(&out->vocabulary, state->dataset));
    return copy_values(&out->byte_value, state->dataset);
}

eg_status eg_trial_give(eg_trial_state *state,
                        eg_status (*take)(void *user, const eg_predictor *predictor), void *user)
{
    if (take == NULL) {
        return eg_ok();
    }
    eg_predictor predictor = {0};
    eg_status status = fill(&predictor, state);
    if (status.code == EG_OK) {
        status = take(user, &predictor);
    }
    eg_predictor_clear(&predictor);
    return status;
}

/** --- Predicting ------------------------------------------------------------------------------ */

static eg_status predict(eg_prediction *out, eg_trial_state *state, eg_subset subset)
{
    const eg_stream_shape *shape = &state->stream->shape;
    eg_evaluator *evaluator = &state->evaluator;
    *out = (eg_prediction){.tasks = shape->tasks, .data = state->data, .overall = (double)NAN};
    EG_TRY(eg_alloc(&out->examples, shape->tasks, sizeof *out->examples));
    EG_TRY(eg_alloc(&out->accuracy, shape->tasks, sizeof *out->accuracy));
    EG_TRY(eg_evaluator_run(evaluator, subset, EG_EVAL_ALL, shape->phases - 1, eg_trial_wanted,
                            state, &out->overall));
    for (size_t task = 0; task < shape->tasks; task++) {
        size_t set = eg_stream_set(state->stream, subset, shape->phases - 1, task);
        out->examples[task] = eg_stream_count(state->stream, subset, set);
        out->accuracy[task] = evaluator->accuracy[task];
    }
    return eg_ok();
}

/** Tasks see pixels in the order that the predictor has learned them in, where the stream permutes
 *  them at all. Permutations are keyed by the task, so more or fewer tasks than were learned are
 *  the same ones. */
static eg_status order_pixels(eg_trial_state *state, const eg_predictor *predictor)
{
    const eg_stream_shape *shape = &state->stream->shape;
    size_t pixels = eg_shape_positions(shape->input);
    uint32_t *order = eg_stream_pixels(state->stream);
    if (order == NULL || predictor->pixel_order == NULL) {
        return eg_ok();
    }
    if (predictor->height * predictor->width != pixels) {
        return eg_fail(EG_INVALID,
                       "the pixels of %zu x %zu images are in an order of their own; "
                       "these images have %zu pixels",
                       predictor->height, predictor->width, pixels);
    }
    size_t tasks =
        shape->tasks < predictor->ordered_tasks ? shape->tasks : predictor->ordered_tasks;
    memcpy(order, predictor->pixel_order, tasks * pixels * sizeof *order);
    return eg_ok();
}

eg_status eg_trial_predict(eg_prediction *out, const eg_settings *settings, eg_dataset_cache *cache,
                           eg_predictor *predictor, eg_subset subset,
                           eg_status (*seen)(void *user, const eg_predicted *block), void *user)
{
    eg_trial_state *state = NULL;
    *out = (eg_prediction){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    state->initial = &predictor->weights;
    eg_status status = eg_trial_state_init(state, settings, predictor->seed, cache);
    if (status.code == EG_OK) {
        status = order_pixels(state, predictor);
    }
    if (status.code == EG_OK) {
        state->evaluator.seen = seen;
        state->evaluator.seen_user = user;
        status = predict(out, state, subset);
    }
    eg_trial_state_clear(state);
    eg_free(state);
    if (status.code != EG_OK) {
        eg_prediction_clear(out);
    }
    return status;
}

void eg_prediction_clear(eg_prediction *prediction)
{
    eg_free(prediction->examples);
    eg_free(prediction->accuracy);
    *prediction = (eg_prediction){0};
}
