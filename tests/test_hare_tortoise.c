/** Hare and tortoise: what slow weights become, when the fast ones are put back, and who predicts. In
 *  double precision. */
#include "learner_scene.h"

#include <string.h>

enum { SEED = 5, STEPS = 4 };

/* Hardly any update: what is set stays. */
#define HARE(...)                                                                                  \
    SCENE("learner", "hare_tortoise", "optimizer.lr", "1e-30", "learner.momentum", "0.9",          \
          __VA_ARGS__)

static eg_net *net_of(const learner_scene *s)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, 0, &network));
    return network.net;
}

/* The bias of class 0. */
static eg_real *fast_of(const learner_scene *s)
{
    const eg_net *net = net_of(s);
    return net->params + eg_parameter_table_find(&net->table, "layer1.bias")->offset;
}

/* Of weights that predict. */
static double predicting(const learner_scene *s)
{
    eg_weights weights = {0};
    assert_ok(eg_learner_get_weights(&weights, s->learner));
    double value = eg_weights_find(&weights, "network/layer1.bias")->values[0];
    eg_weights_clear(&weights);
    return value;
}

/* Fast 1, slow 0.5. */
static void begin(learner_scene *s)
{
    eg_weights weights = {0};
    scene_create(s);
    assert_ok(eg_learner_get_weights(&weights, s->learner));
    eg_weights_find(&weights, "network/layer1.bias")->values[0] = 0.5;
    assert_ok(eg_learner_set_weights(s->learner, &weights));
    eg_weights_clear(&weights);
    assert_close(*fast_of(s), 0.5, 1e-15);
    *fast_of(s) = 1;
    eg_net_touch(net_of(s));
    assert_close(predicting(s), 0.5, 1e-15);
    assert_ok(eg_learner_begin_phase(s->learner, 0));
}

/* Every update takes 0.1 from fast. */
static void update(learner_scene *s, size_t step)
{
    *fast_of(s) -= 0.1;
    eg_net_touch(net_of(s));
    (void)scene_step(s, 0, step);
}

/* Put back after the second update. */
static void by_hand(void **state)
{
    (void)state;
    static const char *const how[] = {"copy", "shared"};
    static const double fast[2][STEPS] = {{0.9, 0.566, 0.466, 0.366}, {0.9, 0.566, 0.466, 0.366}};
    static const double slow[2][STEPS] = {{0.54, 0.566, 0.556, 0.537}, {0.54, 0.566, 0.466, 0.456}};
    for (size_t i = 0; i < EG_COUNT(how); i++) {
        learner_scene s = scene_open(
            HARE("learner.when", "updates", "learner.every", "2", "learner.reset", how[i]), SEED);
        begin(&s);
        for (size_t t = 0; t < STEPS - 1; t++) {
            update(&s, t % 2);
            assert_close(*fast_of(&s), fast[i][t], 1e-12);
            assert_close(predicting(&s), slow[i][t], 1e-12);
            scene_replace(&s);
        }
        update(&s, 1);
        assert_close(*fast_of(&s), slow[i][STEPS - 1], 1e-12); /* put back again */
        assert_close(predicting(&s), slow[i][STEPS - 1], 1e-12);
        scene_close(&s);
    }
}

/* After the first epoch, and every third from there; and when a phase begins. */
static void times_of_resets(void **state)
{
    (void)state;
    bool enough = false;
    learner_scene s = scene_open(HARE("learner.every", "3", "stream.epochs", "9"), SEED);
    begin(&s);
    for (size_t epoch = 0; epoch < 7; epoch++) {
        update(&s, epoch);
        assert_ok(eg_learner_end_epoch(s.learner, 0, epoch, &enough));
        assert_true((*fast_of(&s) == predicting(&s)) == (epoch % 3 == 0));
    }
    scene_close(&s);
    s = scene_open(HARE("learner.when", "phases"), SEED);
    begin(&s);
    update(&s, 0);
    assert_ok(eg_learner_end_epoch(s.learner, 0, 0, &enough));
    assert_ok(eg_learner_end_phase(s.learner, 0));
    assert_close(*fast_of(&s), 0.9, 1e-12);
    assert_close(predicting(&s), 0.54, 1e-12);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_close(*fast_of(&s), 0.54, 1e-12);
    assert_false(enough);
    scene_close(&s);
}

/* Predictions of the slow weights are those of a network that has them, and nothing moves. */
static void who_predicts(void **state)
{
    (void)state;
    static const char *const predicts[] = {"slow", "fast"};
    for (size_t i = 0; i < EG_COUNT(predicts); i++) {
        learner_scene s =
            scene_open(SCENE("learner", "hare_tortoise", "learner.predicts", predicts[i],
                             "model.hidden", "[5]", "model.norm", "online"),
                       SEED);
        learner_scene alone =
            scene_open(SCENE("model.hidden", "[5]", "model.norm", "online"), SEED + 1);
        eg_weights weights = {0};
        eg_real a[SCENE_BATCH * SCENE_CLASSES];
        eg_real b[SCENE_BATCH * SCENE_CLASSES];
        eg_batch batch;
        scene_create(&s);
        scene_create(&alone);
        assert_ok(eg_learner_begin_phase(s.learner, 0));
        scene_learn(&s, 0);
        eg_real *before = NULL;
        assert_ok(eg_alloc(&before, net_of(&s)->param_count, sizeof *before));
        memcpy(before, net_of(&s)->params, net_of(&s)->param_count * sizeof *before);
        assert_ok(eg_learner_get_weights(&weights, s.learner));
        assert_ok(eg_learner_set_weights(alone.learner, &weights));
        eg_cursor_get(s.cursor, 1, 0, &batch);
        assert_ok(s.learner->ops->predict(s.learner, &batch, a));
        assert_ok(alone.learner->ops->predict(alone.learner, &batch, b));
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(before, net_of(&s)->params, net_of(&s)->param_count * sizeof *before);
        bool same =
            memcmp(before, net_of(&alone)->params, net_of(&s)->param_count * sizeof *before) == 0;
        assert_true(same == (i == 1));
        eg_free(before);
        eg_weights_clear(&weights);
        scene_close(&s);
        scene_close(&alone);
    }
}

/* With momentum 0 the slow weights are the fast ones: the learner inside, whatever it is. */
static void without_momentum_it_is_the_learner_inside(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE("learner", "hare_tortoise", "learner.momentum", "0",
                                       "learner.of", "replay", "model.hidden", "[5]"),
                                 SEED);
    learner_scene alone = scene_open(SCENE("learner", "replay", "model.hidden", "[5]"), SEED);
    scene_create(&s);
    scene_create(&alone);
    for (size_t phase = 0; phase < 3; phase++) {
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        assert_ok(eg_learner_begin_phase(alone.learner, phase));
        scene_learn(&s, phase);
        scene_learn(&alone, phase);
    }
    assert_memory_equal(net_of(&s)->params, net_of(&alone)->params,
                        net_of(&s)->param_count * sizeof(eg_real));
    assert_close(predicting(&s), *fast_of(&alone), 0);
    scene_close(&s);
    scene_close(&alone);
}

/* A network that begins anew begins anew for both; a head that a phase puts to 0, too. */
static void both_begin_anew(void **state)
{
    (void)state;
    learner_scene s = scene_open(
        HARE("learner.of", "reset", "learner.of.what", "network", "learner.when", "phases"), SEED);
    begin(&s);
    update(&s, 0);
    assert_true(predicting(&s) > 0.5);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_true(*fast_of(&s) < 0.5);
    assert_close(predicting(&s), *fast_of(&s), 0);
    scene_close(&s);
    s = scene_open(HARE("stream", "class_pairs", "stream.tasks", "2", "stream.train_examples", "8",
                        "stream.test_examples", "4"),
                   SEED);
    begin(&s);
    update(&s, 0);
    assert_close(*fast_of(&s), -0.1, 1e-12);
    assert_close(predicting(&s), -0.01, 1e-12);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_close(*fast_of(&s), 0, 0);
    assert_close(predicting(&s), 0, 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(times_of_resets),
        cmocka_unit_test(who_predicts),
        cmocka_unit_test(without_momentum_it_is_the_learner_inside),
        cmocka_unit_test(both_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
