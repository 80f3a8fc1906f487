/** Shrink and perturb in its five forms: what is added to which parameters, and when. In double precision. */
#include "learner_scene.h"

#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { SEED = 6, STEPS = 50, WIDE = 700 };

#define SNP(...)                                                                                   \
    SCENE("learner", "shrink_perturb", "model.hidden", "[700]", "model.activation", "relu",        \
          __VA_ARGS__)
#define TASK(...) SNP("learner.when", "task", __VA_ARGS__)

static learner_scene opened(const char *const *words)
{
    learner_scene s = scene_open(words, SEED);
    return s;
}

static eg_learner_network at(const learner_scene *s)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, 0, &network));
    return network;
}

static eg_net *net_of(const learner_scene *s)
{
    return at(s).net;
}

static eg_real *copy_of(const eg_net *net)
{
    eg_real *copy = NULL;
    assert_ok(eg_alloc(&copy, net->param_count, sizeof *copy));
    memcpy(copy, net->params, net->param_count * sizeof *copy);
    return copy;
}

static void any_step(learner_scene *s, size_t t)
{
    (void)scene_step(s, t / 4 % 3, t % 4);
}

/* 1 where there is a parameter, 0 where padding is. */
static eg_real *used_of(const eg_net *net)
{
    eg_real *used = NULL;
    eg_real *ones = NULL;
    assert_ok(eg_alloc(&used, net->param_count, sizeof *used));
    assert_ok(eg_alloc(&ones, net->param_count, sizeof *ones));
    for (size_t i = 0; i < net->param_count; i++) {
        ones[i] = 1;
    }
    for (size_t b = 0; b < net->table.block_count; b++) {
        eg_net_block_set(net, b, ones, used);
    }
    eg_free(ones);
    return used;
}

/* Mean and mean square of the change of the parameters of one block, or of all (NULL); padding is 0. */
typedef struct spread {
    double count, mean, square;
} spread;

static spread change_of(const eg_net *net, const eg_real *before, const char *block)
{
    const eg_parameter_block *row =
        block != NULL ? eg_parameter_table_find(&net->table, block) : NULL;
    eg_real *used = used_of(net);
    spread s = {0};
    for (size_t i = 0; i < net->param_count; i++) {
        bool within = row == NULL || (i >= row->offset && i < row->offset + row->count);
        double change = (double)(net->params[i] - before[i]);
        assert_true(used[i] != 0 || net->params[i] == 0);
        if (within && used[i] != 0) {
            s.count++;
            s.mean += change;
            s.square += change * change;
        }
    }
    eg_free(used);
    s.mean /= s.count;
    s.square /= s.count;
    return s;
}

/* Without gradients every parameter is a random walk: after t updates its variance is t sigma^2. 11906
 * parameters: the standard error of their variance is 1.3 %. All of them move, the head's and biases too. */
static void the_variance_grows_with_time(void **state)
{
    (void)state;
    learner_scene s = opened(SNP("learner.sigma", "0.01", "optimizer.lr", "1e-12"));
    scene_create(&s);
    eg_real *before = copy_of(net_of(&s));
    for (size_t t = 0; t < STEPS; t++) {
        any_step(&s, t);
    }
    double expected = STEPS * 1e-4;
    spread all = change_of(net_of(&s), before, NULL);
    assert_close(all.count, WIDE * SCENE_INPUTS + WIDE + WIDE * SCENE_CLASSES + SCENE_CLASSES, 0);
    assert_close(all.square / expected, 1, .06);
    assert_close(all.mean / sqrt(expected), 0, .04);
    assert_close(change_of(net_of(&s), before, "layer1.bias").square / expected, 1, .25);
    assert_close(change_of(net_of(&s), before, "layer2.weight").square / expected, 1, .1);
    eg_free(before);
    scene_close(&s);
}

/* -lr sigma N(0,1): with lr .01 and sigma 10 the variance of an update is .01. */
static void noise_can_scale_with_the_step(void **state)
{
    (void)state;
    learner_scene s =
        opened(SNP("learner.sigma", "10", "learner.noise", "step_scaled", "optimizer.lr", "0.01"));
    learner_scene plain =
        opened(SCENE("model.hidden", "[700]", "model.activation", "relu", "optimizer.lr", "0.01"));
    scene_create(&s);
    scene_create(&plain);
    any_step(&s, 0);
    any_step(&plain, 0);
    spread all = change_of(net_of(&s), net_of(&plain)->params, NULL);
    assert_close(all.square / .01, 1, .06);
    scene_close(&s);
    scene_close(&plain);
}

/* (1 - .25) w + 3 (a fresh draw): uniform in ±1/sqrt 9 for weights and biases of layer 1, ±1/sqrt 700 for
 * layer 2. Around a learner that does not move, so w is the initial value. */
static void fresh_draws_of_everything(void **state)
{
    (void)state;
    learner_scene s = opened(SNP("learner.sigma", "3", "learner.noise", "init", "learner.shrink",
                                 "0.25", "optimizer.lr", "1e-12"));
    scene_create(&s);
    eg_net *net = net_of(&s);
    eg_real *expected = copy_of(net);
    for (size_t i = 0; i < net->param_count; i++) {
        expected[i] *= .75;
    }
    any_step(&s, 0);
    spread first = change_of(net, expected, "layer1.weight");
    spread bias = change_of(net, expected, "layer1.bias");
    spread second = change_of(net, expected, "layer2.weight");
    assert_close(first.square, 9. / 9 / 3, .02);
    assert_close(bias.square, 9. / 9 / 3, .05);
    assert_close(second.square, 9. / 700 / 3, 3e-4);
    eg_free(expected);
    scene_close(&s);
}

/* .9 w + .1 U(±sqrt(6/fan_in)), of weights only, after every third update. */
static void weights_only_and_now_and_then(void **state)
{
    (void)state;
    learner_scene s = opened(SNP("learner.sigma", "0.1", "learner.noise", "he", "learner.shrink",
                                 "0.1", "learner.every", "3", "optimizer.lr", "1e-12"));
    scene_create(&s);
    eg_net *net = net_of(&s);
    for (size_t t = 1; t <= 6; t++) {
        eg_real *before = copy_of(net);
        any_step(&s, t);
        if (t % 3 != 0) {
            assert_close(change_of(net, before, NULL).square, 0, 1e-18);
        } else {
            assert_close(change_of(net, before, "layer1.bias").square, 0, 1e-18);
            for (size_t i = 0; i < net->param_count; i++) {
                before[i] *= .9;
            }
            assert_close(change_of(net, before, "layer1.weight").square, .01 * 6 / 9 / 3, 1e-4);
            assert_close(change_of(net, before, "layer2.weight").square / (.01 * 6 / 700 / 3), 1,
                         .06);
        }
        eg_free(before);
    }
    scene_close(&s);
}

/* At a task start w = .2 w + .8 w0; w 1 and w0 .2 give .36. Not before the first task; nothing between; the
 * optimizer begins anew unless it is not to. */
static void towards_the_first_values_at_task_starts(void **state)
{
    (void)state;
    for (size_t restarts = 0; restarts < 2; restarts++) {
        learner_scene s =
            opened(TASK("learner.noise", "first", "learner.shrink", "0.8", "optimizer", "sgdm",
                        "learner.restart_optimizer", restarts == 1 ? "true" : "false"));
        learner_scene plain =
            opened(SCENE("model.hidden", "[700]", "model.activation", "relu", "optimizer", "sgdm"));
        scene_create(&s);
        scene_create(&plain);
        eg_net *net = net_of(&s);
        eg_real *first = copy_of(net);
        assert_ok(eg_learner_begin_phase(s.learner, 0));
        assert_ok(eg_learner_begin_phase(plain.learner, 0));
        assert_memory_equal(net->params, first, net->param_count * sizeof *first);
        for (size_t t = 0; t < 4; t++) {
            (void)scene_step(&s, 0, t);
            (void)scene_step(&plain, 0, t);
        }
        assert_memory_equal(net->params, net_of(&plain)->params, net->param_count * sizeof *first);
        const eg_parameter_block *row = eg_parameter_table_find(&net->table, "layer2.bias");
        net->params[row->offset] = 1;
        first[row->offset] = (eg_real).36;
        eg_real *before = copy_of(net);
        assert_ok(eg_learner_begin_phase(s.learner, 1));
        for (size_t i = 0; i < net->param_count; i++) {
            bool set = i == row->offset;
            double expected = .2 * (double)before[i] + .8 * (double)first[i];
            assert_true(set || fabs((double)net->params[i] - expected) < 1e-14);
        }
        /* With forgotten momentum the next step is -lr g, otherwise a step goes on from the last. */
        eg_real *g = NULL;
        assert_ok(eg_alloc(&g, net->param_count, sizeof *g));
        eg_real *still = copy_of(net);
        eg_optimizer_step(at(&s).optimizer, net->params, g);
        double moved = change_of(net, still, NULL).square;
        assert_true((moved == 0) == (restarts == 1));
        eg_free(g);
        eg_free(still);
        eg_free(before);
        eg_free(first);
        scene_close(&s);
        scene_close(&plain);
    }
}

static void a_value_of_one_comes_to_36(void **state)
{
    (void)state;
    learner_scene s = opened(TASK("learner.noise", "first", "learner.shrink", "0.8"));
    scene_create(&s);
    eg_net *net = net_of(&s);
    eg_weights weights = {0};
    net->params[3] = (eg_real).2;
    assert_ok(eg_learner_get_weights(&weights, s.learner));
    assert_ok(eg_learner_set_weights(s.learner, &weights)); /* .2 is an initial value from now on */
    net = net_of(&s);
    net->params[3] = 1;
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_close((double)net->params[3], .36, 1e-14);
    eg_weights_clear(&weights);
    scene_close(&s);
}

/* A head reset: the body does not shrink, the head becomes what it was. And the other way round. */
static void the_head_by_itself(void **state)
{
    (void)state;
    for (size_t kept = 0; kept < 2; kept++) {
        learner_scene s =
            opened(TASK("learner.noise", "gaussian", "learner.sigma", kept == 1 ? "0.5" : "0",
                        "learner.head", kept == 1 ? "kept" : "initial"));
        scene_create(&s);
        eg_net *net = net_of(&s);
        eg_real *first = copy_of(net);
        for (size_t t = 0; t < 4; t++) {
            any_step(&s, t);
        }
        eg_real *before = copy_of(net);
        assert_ok(eg_learner_begin_phase(s.learner, 1));
        double body = change_of(net, before, "layer1.weight").square;
        double head = change_of(net, before, "layer2.weight").square;
        double back = change_of(net, first, "layer2.weight").square;
        assert_true(kept == 1 ? head == 0 && back > 0 : head > 0 && back == 0);
        assert_close(body, kept == 1 ? .25 : 0, kept == 1 ? .02 : 0);
        eg_free(first);
        eg_free(before);
        scene_close(&s);
    }
}

/* What is spared stays; the others get the numbers they get without. */
static void what_is_spared(void **state)
{
    (void)state;
    learner_scene all = opened(TASK("learner.sigma", "0.5"));
    learner_scene some = opened(TASK("learner.sigma", "0.5", "learner.spares", "[bias]"));
    scene_create(&all);
    scene_create(&some);
    eg_real *before = copy_of(net_of(&all));
    assert_ok(eg_learner_begin_phase(all.learner, 1));
    assert_ok(eg_learner_begin_phase(some.learner, 1));
    assert_true(change_of(net_of(&all), before, "layer1.bias").square > 0);
    assert_close(change_of(net_of(&some), before, "layer1.bias").square, 0, 0);
    assert_close(change_of(net_of(&some), net_of(&all)->params, "layer1.weight").square, 0, 0);
    eg_free(before);
    scene_close(&all);
    scene_close(&some);
}

static void a_checkpoint_changes_nothing(void **state)
{
    (void)state;
    const char *const *const cases[] = {
        SNP("learner.sigma", "0.01", "optimizer.weight_decay", "0.1"),
        SNP("learner.noise", "init", "learner.shrink", "0.1", "learner.every", "3"),
        TASK("learner.noise", "first", "learner.shrink", "0.5", "learner.of", "ensemble"),
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        learner_scene whole = opened(cases[c]);
        learner_scene parts = opened(cases[c]);
        scene_create(&whole);
        scene_create(&parts);
        for (size_t t = 0; t < 12; t++) {
            scene_replace(&parts);
            if (t % 4 == 0) {
                assert_ok(eg_learner_begin_phase(whole.learner, t / 4));
                assert_ok(eg_learner_begin_phase(parts.learner, t / 4));
            }
            any_step(&whole, t);
            any_step(&parts, t);
        }
        const eg_net *net = net_of(&whole);
        assert_memory_equal(net->params, net_of(&parts)->params,
                            net->param_count * sizeof *net->params);
        scene_close(&whole);
        scene_close(&parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variance_grows_with_time),
        cmocka_unit_test(noise_can_scale_with_the_step),
        cmocka_unit_test(fresh_draws_of_everything),
        cmocka_unit_test(weights_only_and_now_and_then),
        cmocka_unit_test(towards_the_first_values_at_task_starts),
        cmocka_unit_test(a_value_of_one_comes_to_36),
        cmocka_unit_test(the_head_by_itself),
        cmocka_unit_test(what_is_spared),
        cmocka_unit_test(a_checkpoint_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
