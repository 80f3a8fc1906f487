/** What tests of learners have in common that get further networks when a phase begins. */
#ifndef ENGRAM_GROWING_SCENE_H
#define ENGRAM_GROWING_SCENE_H

#include "learner_scene.h"

static inline eg_learner_network network_of(const learner_scene *s, size_t index)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, index, &network));
    return network;
}

static inline size_t count_networks(const learner_scene *s)
{
    eg_learner_network network;
    size_t count = 0;
    while (s->learner->ops->network(s->learner, count, &network)) {
        count++;
    }
    return count;
}

/* Phase `phase`, with ends of epochs. */
static inline void learn(learner_scene *s, size_t phase)
{
    size_t steps = eg_stream_phase(s->stream, phase).steps;
    bool enough = false;
    assert_ok(eg_learner_begin_phase(s->learner, phase));
    for (size_t step = 0; step < eg_stream_steps(s->stream, phase) && !enough; step++) {
        (void)scene_step(s, phase, step);
        if ((step + 1) % steps == 0) {
            assert_ok(eg_learner_end_epoch(s->learner, phase, step / steps, &enough));
        }
    }
    scene_end(s, phase);
}

static inline void assert_same_net(const eg_net *a, const eg_net *b)
{
    assert_int_equal(a->param_count, b->param_count);
    assert_int_equal(a->buffer_count, b->buffer_count);
    assert_int_equal(a->step, b->step);
    assert_memory_equal(a->params, b->params, a->param_count * sizeof *a->params);
    assert_memory_equal(a->buffers, b->buffers, a->buffer_count * sizeof *a->buffers);
}

#endif
