/** Learners whose tasks use parts of one network, on the stream of learner_scene.h with a head per task: three
 *  tasks of two classes, two hidden layers. */
#ifndef ENGRAM_TESTS_SUBNETWORK_SCENE_H
#define ENGRAM_TESTS_SUBNETWORK_SCENE_H

#include "learner_scene.h"

#include "learner/subnetwork.h"

#include <string.h>

enum { SUBNETWORK_TEST = 40 /* room for the scores of a task's test examples */ };

/** Everything that could move a fixed parameter is on. */
#define SUBNETWORK_SETTINGS                                                                        \
    "stream.active", "task", "model.hidden", "[7, 5]", "model.activation", "relu", "optimizer",    \
        "sgdm", "optimizer.beta", "0.9", "optimizer.weight_decay", "0.01"

/** `more`: "name", "value", …, NULL, the learner among them. */
static inline learner_scene subnetwork_open(const char *const *more)
{
    const char *words[SCENE_SETTINGS] = {SUBNETWORK_SETTINGS};
    size_t count = 0;
    while (words[count] != NULL) {
        count++;
    }
    for (size_t i = 0; more[i] != NULL; i++) {
        assert_true(count + 1 < SCENE_SETTINGS);
        words[count++] = more[i];
    }
    return scene_open(words, 5);
}

static inline eg_subnetwork *subnetwork_of(const learner_scene *s)
{
    return (eg_subnetwork *)s->learner;
}

/** Minibatches `from` … `to`-1 of a phase, with what stands at their ends: 0 the beginning, all of them the end. */
static inline void subnetwork_steps(learner_scene *s, size_t phase, size_t from, size_t to)
{
    const eg_phase about = eg_stream_phase(s->stream, phase);
    if (from == 0) {
        assert_ok(s->learner->ops->begin_phase(s->learner, phase));
    }
    for (size_t step = from; step < to; step++) {
        (void)scene_step(s, phase, step);
        bool enough = false;
        if ((step + 1) % about.steps == 0) {
            assert_ok(eg_learner_end_epoch(s->learner, phase, step / about.steps, &enough));
        }
    }
    if (to == eg_stream_steps(s->stream, phase)) {
        scene_end(s, phase);
    }
}

static inline void subnetwork_learn(learner_scene *s, size_t phase)
{
    subnetwork_steps(s, phase, 0, eg_stream_steps(s->stream, phase));
}

/** Mean loss of a minibatch at weights theta [param_count], which the network then has. */
static inline double subnetwork_loss(learner_scene *s, const eg_batch *batch, const eg_real *theta)
{
    eg_gradient_learner *gradient = &subnetwork_of(s)->gradient;
    memcpy(gradient->net->params, theta, gradient->net->param_count * sizeof *theta);
    eg_net_touch(gradient->net);
    subnetwork_of(s)->shown = EG_NO_TASK;
    const eg_real *y = eg_net_forward(gradient->net, gradient->evaluation, EG_MODE_PREDICT,
                                      batch->size, batch->x, batch->sparse);
    return eg_gradient_learner_loss(gradient, batch, y);
}

/** A copy of an array that the learner's weights op gives, row by row: the count; out has room for it. */
static inline size_t subnetwork_array(const learner_scene *s, const char *name, double *out)
{
    eg_weights weights = {0};
    assert_ok(eg_learner_get_weights(&weights, s->learner));
    const eg_weights_array *array = eg_weights_find(&weights, name);
    assert_non_null(array);
    size_t count = array->count;
    memcpy(out, array->values, count * sizeof *out);
    eg_weights_clear(&weights);
    return count;
}

/** Scores of a task's own outputs for its test examples, into out [SUBNETWORK_TEST]; returns how many. */
static inline size_t subnetwork_scores(learner_scene *s, size_t task, eg_real *out)
{
    eg_real scores[SUBNETWORK_TEST * SCENE_CLASSES];
    eg_cursor *cursor = NULL;
    eg_batch batch;
    size_t size = eg_stream_count(s->stream, EG_SUBSET_TEST, task);
    size_t count = 0;
    size = size * 2 <= SUBNETWORK_TEST ? size : SUBNETWORK_TEST / 2;
    assert_true(size > 0);
    assert_ok(eg_cursor_open(&cursor, s->stream, &(eg_cursor_setup){.block = size}));
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, size, &batch);
    assert_int_equal(batch.active->count, 2);
    assert_ok(s->learner->ops->predict(s->learner, &batch, scores));
    for (size_t b = 0; b < size; b++) {
        out[count++] = scores[b * SCENE_CLASSES + batch.active->output[0]];
        out[count++] = scores[b * SCENE_CLASSES + batch.active->output[1]];
    }
    eg_cursor_close(cursor);
    return count;
}

#endif
