/** Additive parameter decomposition on a small made-up stream: four tasks of two classes, 9 inputs, hidden
 *  layers of 5 and 4 tanh units. */
#ifndef ENGRAM_TESTS_APD_SCENE_H
#define ENGRAM_TESTS_APD_SCENE_H

#include "learner_scene.h"

#include "learner/apd.h"

#include <string.h>

enum { APD_TASKS = 4, APD_INPUTS = 9 };

static const eg_assignment apd_small[] = {
    {.name = "dataset", .value = "synthetic"},
    {.name = "dataset.classes", .value = "8"},
    {.name = "dataset.side", .value = "3"},
    {.name = "dataset.examples", .value = "80"},
    {.name = "dataset.noise", .value = "0.4"},
    {.name = "stream", .value = "split"},
    {.name = "stream.tasks", .value = "4"},
    {.name = "stream.active", .value = "task"},
    {.name = "stream.batch", .value = "5"},
    {.name = "stream.epochs", .value = "2"},
    {.name = "model.hidden", .value = "[5, 4]"},
    {.name = "model.weight_norm", .value = "[]"},
    {.name = "model.bias", .value = "true"},
    {.name = "model.init", .value = "variance_scaling"},
    {.name = "model.activation", .value = "tanh"},
    {.name = "optimizer", .value = "adam"},
    {.name = "optimizer.lr", .value = "0.02"},
    {.name = "learner", .value = "apd"},
};

/** `more`: "name", "value", …, NULL. Where the scene will stay. */
static inline void apd_scene_open(learner_scene *s, const char *const *more)
{
    *s = scene_open_settings(small_settings(apd_small, EG_COUNT(apd_small), more), 1);
    scene_create(s);
}

static inline eg_apd *apd_of(const learner_scene *s)
{
    return (eg_apd *)s->learner;
}

static inline void apd_begin(const learner_scene *s, size_t phase)
{
    assert_ok(s->learner->ops->begin_phase(s->learner, phase));
}

/** A whole phase. */
static inline void apd_learn(learner_scene *s, size_t phase)
{
    apd_begin(s, phase);
    scene_learn(s, phase);
}

/** Scores of the test examples of a task, [examples, outputs] (eg_free). */
static inline eg_real *apd_scores(const learner_scene *s, size_t task, size_t *count)
{
    eg_cursor *cursor = NULL;
    eg_batch batch;
    eg_real *scores = NULL;
    size_t examples = eg_stream_count(s->stream, EG_SUBSET_TEST, task);
    assert_ok(eg_cursor_open(&cursor, s->stream, &(eg_cursor_setup){.block = examples}));
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, examples, &batch);
    assert_int_equal(batch.task, task);
    *count = examples * s->stream->shape.outputs;
    assert_ok(eg_alloc(&scores, *count, sizeof *scores));
    assert_ok(s->learner->ops->predict(s->learner, &batch, scores));
    /* Those of other tasks are nobody's. */
    for (size_t k = 0; k < *count; k++) {
        uint32_t output = (uint32_t)(k % s->stream->shape.outputs);
        bool active = eg_active_place(batch.active, output) < batch.active->count;
        scores[k] = active ? scores[k] : 0;
    }
    eg_cursor_close(cursor);
    return scores;
}

/** Whether two learners have the same weights to the last bit. */
static inline void apd_assert_same(const learner_scene *a, const learner_scene *b)
{
    eg_weights one;
    eg_weights other;
    assert_ok(eg_learner_get_weights(&one, a->learner));
    assert_ok(eg_learner_get_weights(&other, b->learner));
    assert_int_equal(one.count, other.count);
    for (size_t k = 0; k < one.count; k++) {
        assert_string_equal(one.arrays[k].name, other.arrays[k].name);
        assert_int_equal(one.arrays[k].count, other.arrays[k].count);
        assert_memory_equal(one.arrays[k].values, other.arrays[k].values,
                            one.arrays[k].count * sizeof *one.arrays[k].values);
    }
    eg_weights_clear(&one);
    eg_weights_clear(&other);
}

#endif
