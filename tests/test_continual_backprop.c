/** Continual backpropagation on small networks: when units are replaced, which, and what is left. In double
 *  precision. */
#include "learner_scene.h"

#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { SEED = 5, UNITS_MAX = 128 };

#define NET "model.activation", "relu", "model.hidden"
#define CBP(...) SCENE("learner", "continual_backprop", "model.activation", "relu", __VA_ARGS__)

static learner_scene open_learner(const char *const *words)
{
    learner_scene s = scene_open(words, SEED);
    return s;
}

static eg_net *net_of(const learner_scene *s)
{
    eg_learner_network at;
    assert_true(s->learner->ops->network(s->learner, 0, &at));
    return at.net;
}

static const eg_real *hidden_of(const learner_scene *s, size_t hidden)
{
    eg_learner_network at;
    assert_true(s->learner->ops->network(s->learner, 0, &at));
    return eg_workspace_hidden(at.training, at.net, hidden);
}

/* In the last minibatch. */
static size_t examples_of(const learner_scene *s)
{
    eg_learner_network at;
    assert_true(s->learner->ops->network(s->learner, 0, &at));
    return eg_workspace_batch(at.training);
}

/* Units replaced since the start, of one layer. */
static size_t replaced(const learner_scene *s, size_t hidden)
{
    double counts[4] = {0};
    assert_true(s->learner->hidden_layers <= EG_COUNT(counts));
    assert_true(eg_learner_replaced(s->learner, counts));
    return (size_t)counts[hidden];
}

static void any_step(learner_scene *s, size_t t)
{
    (void)scene_step(s, t / 4 % 3, t % 4);
}

static double parameter(const eg_net *net, const char *name, size_t i)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, name);
    assert_non_null(row);
    return (double)net->params[row->offset + i];
}

static void set_outgoing(eg_net *net, size_t hidden, size_t unit, double value)
{
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_OUTGOING, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            net->params[run.first + i * run.stride] = (eg_real)value;
        }
    }
    eg_net_touch(net);
}

static void set_incoming(eg_net *net, size_t hidden, size_t unit, eg_role role, double value)
{
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_INCOMING, unit, k, &run); k++) {
        for (size_t i = 0; run.role == role && i < run.count; i++) {
            net->params[run.first + i * run.stride] = (eg_real)value;
        }
    }
    eg_net_touch(net);
}

/* Whether all outgoing weights of a unit are 0. */
static bool is_silent(const eg_net *net, size_t hidden, size_t unit)
{
    bool silent = true;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_OUTGOING, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            silent = silent && net->params[run.first + i * run.stride] == 0;
        }
    }
    return silent;
}

/* 100 units, rate 1e-4, maturity 100: at update 101 all are mature, c grows by .01 from there, and a hundred
 * of these are 1.0000000000000007, at update 200. Then 99 units are mature until the new one is, at 301. */
static void the_first_replacement(void **state)
{
    (void)state;
    learner_scene s = open_learner(CBP("model.hidden", "[100]", "optimizer.lr", "0.001"));
    scene_create(&s);
    for (size_t t = 1; t <= 320; t++) {
        any_step(&s, t);
        size_t count = replaced(&s, 0);
        assert_true(count == (t < 200 ? 0 : t < 301 ? 1 : count));
        assert_true(t < 303 || count == 2);
    }
    scene_close(&s);
}

/* Three units, 90 of which are owed per update when all are mature: all that there are, but no more. */
static void no_more_than_there_are(void **state)
{
    (void)state;
    learner_scene s = open_learner(CBP("model.hidden", "[3]", "learner.replacement_rate", "1",
                                       "learner.maturity", "2", "learner.accumulate", "false"));
    scene_create(&s);
    const size_t expected[] = {0, 0, 3, 3, 3, 6};
    for (size_t t = 0; t < EG_COUNT(expected); t++) {
        any_step(&s, t);
        assert_true(replaced(&s, 0) == expected[t]);
    }
    scene_close(&s);
}

/* Four units, rate .125: with all mature .5 are due per update. Of the mature ones: one every second update,
 * and as one of four is young for the two updates after, .375 then; of all: .5 whenever one is mature. */
static void what_the_rate_is_a_share_of(void **state)
{
    (void)state;
    const char *const bases[] = {"eligible", "total"};
    const size_t expected[][6] = {{0, 0, 1, 1, 1, 2}, {0, 0, 1, 1, 2, 2}};
    for (size_t b = 0; b < 2; b++) {
        learner_scene s =
            open_learner(CBP("model.hidden", "[4]", "learner.replacement_rate", "0.125",
                             "learner.maturity", "1", "learner.accum_base", bases[b]));
        scene_create(&s);
        for (size_t t = 0; t < 6; t++) {
            any_step(&s, t);
            assert_true(replaced(&s, 0) == expected[b][t]);
        }
        scene_close(&s);
    }
}

/* Five units, rate .02: a coin of probability .1 per update, about that after 4000 updates. Four standard
 * deviations are 76. What is above a whole number is lost: rate .5 replaces floor 2.5 every time. */
static void by_chance(void **state)
{
    (void)state;
    learner_scene s = open_learner(CBP("model.hidden", "[5]", "learner.replacement_rate", "0.02",
                                       "learner.maturity", "0", "learner.accumulate", "false"));
    scene_create(&s);
    for (size_t t = 0; t < 4000; t++) {
        any_step(&s, t);
    }
    assert_close((double)replaced(&s, 0), 400, 76);
    scene_close(&s);
    s = open_learner(CBP("model.hidden", "[5]", "learner.replacement_rate", "0.5",
                         "learner.maturity", "0", "learner.accumulate", "false"));
    scene_create(&s);
    for (size_t t = 1; t < 8; t++) {
        any_step(&s, t);
        assert_true(replaced(&s, 0) == 2 * t);
    }
    scene_close(&s);
}

/* One unit of both layers at the same update, by the weights that come in: unit 0 of layer 1, and of layer 2
 * the unit that hears unit 0 most (10 against 4 + 4). If layer 1 were written first it would be the other
 * one. The weight between the two stays fresh. */
static void decided_before_anything_is_written(void **state)
{
    (void)state;
    learner_scene s = open_learner(CBP("model.hidden", "[3, 2]", "learner.replacement_rate", "0.5",
                                       "learner.maturity", "0", "learner.utility", "adaptation",
                                       "optimizer.lr", "1e-9"));
    scene_create(&s);
    eg_net *net = net_of(&s);
    set_incoming(net, 0, 0, EG_ROLE_WEIGHT, 3);
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, "layer2.weight");
    const eg_real w[] = {10, 0, 0, 0, 4, 4};
    memcpy(net->params + row->offset, w, sizeof w);
    eg_net_touch(net);
    any_step(&s, 0);
    assert_true(replaced(&s, 0) == 1 && replaced(&s, 1) == 1);
    assert_true(is_silent(net, 1, 0) && !is_silent(net, 1, 1));
    double shared = parameter(net, "layer2.weight", 0);
    assert_true(shared != 0 && fabs(shared) <= 1 / sqrt(3));
    assert_close(parameter(net, "layer2.weight", 3), 0, 0);
    assert_close(parameter(net, "layer2.weight", 4), 4, 1e-6);
    assert_close(parameter(net, "layer1.bias", 0), 0, 0);
    assert_close(parameter(net, "layer2.bias", 0), 0, 0);
    assert_true(parameter(net, "layer2.bias", 1) != 0);
    scene_close(&s);
}

/* Whose bias is -1e6 is dead: no contribution, and the first to go, of several the first; with every
 * utility that has a contribution. */
static void the_dead_go_first(void **state)
{
    (void)state;
    const char *const kinds[] = {"contribution", "zero_contribution", "adaptable_contribution",
                                 "feature_by_input"};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        learner_scene s = open_learner(CBP("model.hidden", "[6]", "learner.replacement_rate", "0.2",
                                           "learner.maturity", "3", "learner.utility", kinds[k]));
        scene_create(&s);
        eg_net *net = net_of(&s);
        for (size_t u = 0; u < 6; u++) {
            set_incoming(net, 0, u, EG_ROLE_BIAS, u == 2 || u == 4 ? -1e6 : 5);
            set_outgoing(net, 0, u, .5);
        }
        for (size_t t = 0; t < 4; t++) {
            assert_true(replaced(&s, 0) == 0 && !is_silent(net, 0, 2));
            any_step(&s, t);
        }
        assert_true(replaced(&s, 0) == 1 && is_silent(net, 0, 2) && !is_silent(net, 0, 4));
        assert_close(parameter(net, "layer1.bias", 2), 0, 0);
        any_step(&s, 5); /* .2 were left, .2 * 5 more are due */
        assert_true(replaced(&s, 0) == 2 && is_silent(net, 0, 4));
        scene_close(&s);
    }
}

/* One of three units is replaced at the first update, so the running mean is the mean of its minibatch. Those
 * that used it get what it gave on average. */
static void biases_can_compensate(void **state)
{
    (void)state;
    learner_scene with = open_learner(CBP("model.hidden", "[3]", "learner.replacement_rate", "0.5",
                                          "learner.maturity", "0", "learner.utility", "weight",
                                          "learner.bias_compensation", "true"));
    learner_scene plain = open_learner(SCENE(NET, "[3]"));
    scene_create(&with);
    scene_create(&plain);
    set_outgoing(net_of(&with), 0, 1, .25);
    set_outgoing(net_of(&plain), 0, 1, .25);
    for (size_t u = 0; u < 3; u += 2) {
        set_outgoing(net_of(&with), 0, u, 1);
        set_outgoing(net_of(&plain), 0, u, 1);
    }
    set_incoming(net_of(&with), 0, 1, EG_ROLE_BIAS, 2);
    set_incoming(net_of(&plain), 0, 1, EG_ROLE_BIAS, 2);
    (void)scene_step(&with, 0, 0);
    (void)scene_step(&plain, 0, 0);
    double mean = 0;
    for (size_t b = 0; b < SCENE_BATCH; b++) {
        mean += (double)hidden_of(&with, 0)[b * 3 + 1] / SCENE_BATCH;
    }
    assert_true(mean > .5 && is_silent(net_of(&with), 0, 1));
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        double given = parameter(net_of(&plain), "layer2.weight", 3 * j + 1) * mean;
        assert_close(parameter(net_of(&with), "layer2.bias", j),
                     parameter(net_of(&plain), "layer2.bias", j) + given, 1e-12);
    }
    scene_close(&with);
    scene_close(&plain);
}

static void assert_same_network(const learner_scene *a, const learner_scene *b)
{
    const eg_net *net = net_of(a);
    assert_memory_equal(net->params, net_of(b)->params, net->param_count * sizeof *net->params);
}

/* Rate 0 is the learner inside, to the bit; so is the other one of two learners in a process. */
static void nothing_is_replaced_at_rate_0(void **state)
{
    (void)state;
    learner_scene none = open_learner(
        CBP("model.hidden", "[7, 5]", "learner.replacement_rate", "0", "learner.maturity", "0"));
    learner_scene some = open_learner(
        CBP("model.hidden", "[7, 5]", "learner.replacement_rate", "0.5", "learner.maturity", "0"));
    learner_scene plain = open_learner(SCENE(NET, "[7, 5]"));
    scene_create(&none);
    scene_create(&some);
    scene_create(&plain);
    double flops = 0;
    for (size_t t = 0; t < 12; t++) {
        any_step(&none, t);
        any_step(&some, t);
        any_step(&plain, t);
        /* 9*7 + 7*5 weights come in and 7*5 + 5*6 go out, two operations each. */
        flops += 2 * (63 + 35 + 35 + 30) + (4 * (double)examples_of(&some) + 8) * 12;
    }
    assert_same_network(&none, &plain);
    assert_true(replaced(&none, 0) == 0 && replaced(&some, 1) > 0);
    double nothing = 0;
    assert_false(eg_learner_replaced(plain.learner, &nothing));
    assert_close(none.learner->ops->extra_flops(none.learner), 0, 0);
    assert_close(some.learner->ops->extra_flops(some.learner), flops, 0);
    scene_close(&none);
    scene_close(&some);
    scene_close(&plain);
}

/* Learners inside with one network, several, none that is updated at a step. */
static void around_other_learners(void **state)
{
    (void)state;
    /* The learner, and one more setting. */
    const char *const inside[][3] = {{"ensemble", "learner.of.members", "2"},
                                     {"replay", "optimizer.lr", "0.05"},
                                     {"online_ewc", "optimizer.lr", "0.05"},
                                     {"early_stopping", "learner.of.on", "training"},
                                     {"reset", "learner.of.what", "network"}};
    for (size_t i = 0; i < EG_COUNT(inside); i++) {
        learner_scene s = open_learner(CBP("model.hidden", "[7, 5]", "learner.replacement_rate",
                                           "0.1", "learner.maturity", "2", "learner.of",
                                           inside[i][0], inside[i][1], inside[i][2]));
        scene_create(&s);
        for (size_t phase = 0; phase < 2; phase++) {
            assert_ok(eg_learner_begin_phase(s.learner, phase));
            scene_learn(&s, phase);
        }
        assert_true(replaced(&s, 0) > 0 && replaced(&s, 1) > 0);
        scene_close(&s);
    }
}

/* A network that begins anew has new units and owes none, whichever of the two learners is around
 * the other. Three units, rate .3, maturity 4: .9 of a unit is owed at update 5, one is replaced at
 * update 6. With a reset after three or five updates, that is at the sixth one after it. */
static void a_new_network_has_new_units(void **state)
{
    (void)state;
    const char *const *const orders[] = {
        CBP("model.hidden", "[3]", "learner.replacement_rate", "0.3", "learner.maturity", "4",
            "learner.of", "reset", "learner.of.what", "network"),
        SCENE("learner", "reset", "learner.what", "network", NET, "[3]", "learner.of",
              "continual_backprop", "learner.of.replacement_rate", "0.3", "learner.of.maturity",
              "4"),
    };
    for (size_t i = 0; i < EG_COUNT(orders); i++) {
        for (size_t before = 3; before <= 5; before += 2) {
            learner_scene s = open_learner(orders[i]);
            scene_create(&s);
            for (size_t t = 0; t < before; t++) {
                any_step(&s, t);
            }
            assert_ok(eg_learner_begin_phase(s.learner, 1));
            for (size_t t = 0; t < 6; t++) {
                assert_true(replaced(&s, 0) == 0);
                any_step(&s, t);
            }
            assert_true(replaced(&s, 0) == 1);
            scene_close(&s);
        }
    }
}

/* A learner that goes on from a checkpoint ends in the same bits: with every source of chance, and whatever
 * the optimizer keeps. */
static void a_checkpoint_changes_nothing(void **state)
{
    (void)state;
    const char *const *const cases[] = {
        CBP("model.hidden", "[9, 6]", "learner.replacement_rate", "0.07", "learner.maturity", "3"),
        CBP("model.hidden", "[9, 6]", "learner.replacement_rate", "0.07", "learner.maturity", "3",
            "learner.accumulate", "false", "learner.utility", "random", "learner.fresh", "initial"),
        CBP("model.hidden", "[9, 6]", "learner.replacement_rate", "0.07", "learner.maturity", "3",
            "learner.of", "ensemble", "optimizer", "adam", "optimizer.adam_form", "released",
            "learner.bias_compensation", "true"),
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        learner_scene whole = open_learner(cases[c]);
        scene_create(&whole);
        for (size_t t = 0; t < 40; t++) {
            any_step(&whole, t);
        }
        learner_scene parts = open_learner(cases[c]);
        scene_create(&parts);
        for (size_t t = 0; t < 40; t++) {
            scene_replace(&parts);
            any_step(&parts, t);
        }
        assert_same_network(&whole, &parts);
        assert_true(replaced(&whole, 0) == replaced(&parts, 0) && replaced(&parts, 1) > 3);
        assert_close(whole.learner->ops->extra_flops(whole.learner),
                     parts.learner->ops->extra_flops(parts.learner), 0);
        scene_close(&whole);
        scene_close(&parts);
    }
}

static void what_cannot_be(void **state)
{
    (void)state;
    const struct {
        const char *const *words;
        const char *part;
    } cases[] = {
        {CBP("learner.reset_state", "unit"), "sgd remembers nothing"},
        {CBP("learner.of", "flymodel"), "no network"},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        learner_scene s = open_learner(cases[i].words);
        assert_fails(eg_trial_check(s.settings), EG_INVALID, cases[i].part);
        scene_close(&s);
    }
    learner_scene s = open_learner(
        CBP("model.hidden", "[4]", "model.bias", "false", "learner.bias_compensation", "true"));
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "layer2 has no biases");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_replacement),
        cmocka_unit_test(no_more_than_there_are),
        cmocka_unit_test(what_the_rate_is_a_share_of),
        cmocka_unit_test(by_chance),
        cmocka_unit_test(decided_before_anything_is_written),
        cmocka_unit_test(the_dead_go_first),
        cmocka_unit_test(biases_can_compensate),
        cmocka_unit_test(nothing_is_replaced_at_rate_0),
        cmocka_unit_test(around_other_learners),
        cmocka_unit_test(a_new_network_has_new_units),
        cmocka_unit_test(a_checkpoint_changes_nothing),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
