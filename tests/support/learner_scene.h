/** A learner on a small made-up stream: three tasks of two classes, and a network without hidden layer
 *  whose gradients can be written down. */
#ifndef ENGRAM_LEARNER_SCENE_H
#define ENGRAM_LEARNER_SCENE_H

#include "small_settings.h"

#include "engram/dataset.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "learner/fisher.h"
#include "learner/importance.h"
#include "learner/regularised.h"

enum {
    SCENE_CLASSES = 6,
    SCENE_INPUTS = 9,
    SCENE_LANES = 8, /* the weight of input i and class j is parameter i*8 + j, biases follow */
    SCENE_BATCH = 8,
    SCENE_SETTINGS = 32, /* room for the words of a test */
};

typedef struct learner_scene {
    eg_settings *settings;
    eg_view root;
    eg_dataset *dataset;
    eg_stream *stream;
    eg_cursor *cursor; /* dense minibatches */
    eg_learner_setup setup;
    eg_learner *learner;
} learner_scene;

static inline void scene_open_stream(learner_scene *s, uint64_t seed)
{
    assert_ok(eg_stream_create(&s->stream, &s->root, s->dataset, seed, 0));
    assert_ok(eg_cursor_open(&s->cursor, s->stream, &(eg_cursor_setup){.trains = true}));
}

static inline void scene_close_stream(learner_scene *s)
{
    eg_cursor_close(s->cursor);
    eg_stream_free(s->stream);
}

/** Takes the settings. */
static inline learner_scene scene_open_settings(eg_settings *settings, uint64_t seed)
{
    learner_scene s = {.settings = settings};
    s.root = eg_settings_root(s.settings);
    assert_ok(eg_dataset_open(&s.dataset, &s.root));
    scene_open_stream(&s, seed);
    s.setup =
        (eg_learner_setup){.shape = s.stream->shape, .seed = seed, .block = 50, .stream = s.stream};
    return s;
}

/** `more`: "name", "value", …, NULL. */
static inline learner_scene scene_open(const char *const *more, uint64_t seed)
{
    static const eg_assignment small[] = {
        {.name = "dataset", .value = "synthetic"}, {.name = "dataset.classes", .value = "6"},
        {.name = "dataset.side", .value = "3"},    {.name = "dataset.examples", .value = "60"},
        {.name = "dataset.noise", .value = "0.4"}, {.name = "stream.tasks", .value = "3"},
        {.name = "stream.batch", .value = "8"},    {.name = "stream.epochs", .value = "2"},
        {.name = "model.hidden", .value = "[]"},   {.name = "model.weight_norm", .value = "[]"},
        {.name = "model.bias", .value = "true"},   {.name = "model.init", .value = "uniform"},
        {.name = "optimizer", .value = "sgd"},     {.name = "optimizer.lr", .value = "0.05"},
    };
    return scene_open_settings(small_settings(small, EG_COUNT(small), more), seed);
}

/** Creates the learner, where `s` will stay. */
static inline void scene_create(learner_scene *s)
{
    s->setup.root = &s->root;
    assert_ok(eg_learner_create(&s->learner, &s->setup));
}

/** Puts one in the learner's place that goes on from what it writes. */
static inline void scene_replace(learner_scene *s)
{
    eg_writer writer = {0};
    s->learner->ops->write(s->learner, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_learner_free(s->learner);
    scene_create(s);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(s->learner->ops->read(s->learner, &reader));
    assert_ok(eg_reader_status(&reader, true));
    eg_writer_clear(&writer);
}

static inline void scene_close(learner_scene *s)
{
    eg_learner_free(s->learner);
    scene_close_stream(s);
    eg_dataset_free(s->dataset);
    eg_settings_free(s->settings);
}

#define SCENE(...) ((const char *const[]){__VA_ARGS__, NULL})

/** One minibatch; returns the loss. */
static inline double scene_step(learner_scene *s, size_t phase, size_t step)
{
    eg_batch batch;
    eg_step_outcome outcome = {.loss = 0};
    eg_cursor_get(s->cursor, phase, step, &batch);
    assert_ok(s->learner->ops->step(s->learner, &batch, &outcome));
    return outcome.loss;
}

static inline void scene_end(learner_scene *s, size_t phase)
{
    if (s->learner->ops->end_phase != NULL) {
        assert_ok(s->learner->ops->end_phase(s->learner, phase));
    }
}

/** A whole phase. */
static inline void scene_learn(learner_scene *s, size_t phase)
{
    for (size_t step = 0; step < eg_stream_steps(s->stream, phase); step++) {
        (void)scene_step(s, phase, step);
    }
    scene_end(s, phase);
}

/** The learner's common beginning. */
static inline eg_regularised *scene_regularised(const learner_scene *s)
{
    return (eg_regularised *)s->learner;
}

static inline eg_net *scene_net(const learner_scene *s)
{
    return scene_regularised(s)->gradient.net;
}

#endif
