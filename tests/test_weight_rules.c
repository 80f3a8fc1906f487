/** Methods against loss of plasticity that act on weights, by hand: weight clipping and regenerative
 *  regularisation; and how such methods stand around each other. On a small made-up stream, in double. */
#include "learner_look.h"

#include <math.h>

enum { SEED = 4 };

static learner_scene opened(const char *const *words)
{
    learner_scene s = scene_open(words, SEED);
    return s;
}

/* Weight clipping -------------------------------------------------------------------------------- */

#define CLIPPING                                                                                   \
    "learner", "weight_clipping", "dataset.side", "2", "model.hidden", "[3]", STILL,               \
        "learner.zeta", "2"

/* fan_in 4, zeta 2: b = 1/2, and 1.3, -0.7, -1.2 become 1, -0.7, -1; the bias has the same bound. The head has
 * 3 inputs: b = 0.577. */
static void parameters_are_clipped(void **state)
{
    (void)state;
    for (int last = 0; last < 2; last++) {
        learner_scene s =
            opened(SCENE(CLIPPING, "learner.clip_last", last == 1 ? "true" : "false"));
        scene_create(&s);
        eg_net *net = net_of(&s);
        size_t count;
        for (size_t i = 0; i < net->param_count; i++) {
            net->params[i] = 0;
        }
        eg_real *w = block_of(net, "layer1.weight", &count);
        eg_real *bias = block_of(net, "layer1.bias", &count);
        eg_real *head = block_of(net, "layer2.weight", &count);
        eg_real *head_bias = block_of(net, "layer2.bias", &count);
        w[0] = 1.3;
        w[1] = -0.7;
        w[2] = -1.2;
        bias[0] = -1.1;
        head[0] = head_bias[0] = 3;
        eg_net_touch(net);
        (void)scene_step(&s, 0, 0);
        assert_close(w[0], 1, 1e-12);
        assert_close(w[1], -0.7, 1e-12);
        assert_close(w[2], -1, 1e-12);
        assert_close(bias[0], -1, 1e-12);
        assert_close(head[0], last == 1 ? 2 / sqrt(3) : 3, 1e-12);
        assert_close(head_bias[0], last == 1 ? 2 / sqrt(3) : 3, 1e-12);
        /* 3 (4 + 1) parameters, and 6 (3 + 1) of the head. */
        assert_close(curve(&s, "clip_fraction"), last == 1 ? 5.0 / 39 : 3.0 / 15, 1e-12);
        (void)scene_step(&s, 0, 1);
        assert_close(curve(&s, "clip_fraction"), 0, 0);
        scene_close(&s);
    }
}

/* Initial weights uniform in ±1/sqrt(fan_in): with zeta 1 nothing is clipped, and both bounds are the same;
 * those of He's normal distribution are clipped at sqrt(2/fan_in). */
static void bounds_of_initial_weights(void **state)
{
    (void)state;
    static const char *const by[] = {"fan_in", "init"};
    for (size_t b = 0; b < EG_COUNT(by); b++) {
        for (int normal = 0; normal < 2; normal++) {
            learner_scene s = opened(SCENE(CLIPPING, "learner.zeta", "1", "learner.bound", by[b],
                                           "model.init", normal == 1 ? "normal" : "uniform"));
            scene_create(&s);
            size_t count;
            eg_real *w = block_of(net_of(&s), "layer1.weight", &count);
            w[0] = normal == 1 ? 9 : w[0];
            eg_net_touch(net_of(&s));
            (void)scene_step(&s, 0, 0);
            double fraction = curve(&s, "clip_fraction");
            assert_true(normal == 1 ? fraction > 0 : fraction == 0);
            assert_true(normal == 0 || fabs(w[0] - (b == 1 ? sqrt(0.5) : 0.5)) < 1e-12);
            scene_close(&s);
        }
    }
}

/* Momentum, or any optimizer: after a hundred updates at a high rate all are within their bounds. */
static void clipping_follows_any_optimizer(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"sgdm", "adam", "upgd"};
    for (size_t o = 0; o < EG_COUNT(optimizers); o++) {
        learner_scene s =
            opened(SCENE("learner", "weight_clipping", "model.hidden", "[5]", "model.activation",
                         "relu", "optimizer", optimizers[o], "optimizer.lr", "1"));
        scene_create(&s);
        double most = 0;
        for (size_t k = 0; k < 4; k++) {
            (void)scene_step(&s, 0, k);
        }
        size_t count;
        const eg_real *w = block_of(net_of(&s), "layer1.weight", &count);
        for (size_t i = 0; i < count; i++) {
            most = fabs(w[i]) > most ? fabs(w[i]) : most;
        }
        assert_close(most, 1.0 / 3, 1e-12); /* 9 inputs */
        scene_close(&s);
    }
}

/* Regenerative regularisation --------------------------------------------------------------------- */

#define L2_INIT "learner", "l2_init", "optimizer.lr", "0.1", "model.hidden", "[3]"

/* One update of the learner and of the plain one, both from w0 + away at parameter i: what the pull changed. */
static double pull(const char *const *words, const char *const *plain, double away, double *penalty)
{
    double after[2];
    for (int form = 0; form < 2; form++) {
        learner_scene s = opened(form == 0 ? words : plain);
        scene_create(&s);
        eg_net *net = net_of(&s);
        size_t count;
        eg_real *w = block_of(net, "layer2.bias", &count);
        if (form == 0) {
            assert_close(curve(&s, "penalty"), 0, 0);
        }
        w[2] += away;
        eg_net_touch(net);
        if (form == 0) {
            *penalty = curve(&s, "penalty");
        }
        (void)scene_step(&s, 0, 0);
        after[form] = w[2];
        scene_close(&s);
    }
    return after[0] - after[1];
}

/* The example of the specification: w - w0 = 0.3, alpha 0.1, lambda 0.01 pull by 0.0003, without the half by
 * 0.0006; the penalty is what its gradient says. */
static void pulls_by_hand(void **state)
{
    (void)state;
    const char *const *plain = SCENE("optimizer.lr", "0.1", "model.hidden", "[3]");
    double penalty = 0;
    assert_close(pull(SCENE(L2_INIT), plain, 0.3, &penalty), -0.0003, 1e-12);
    assert_close(penalty, 0.00045, 1e-12);
    assert_close(pull(SCENE(L2_INIT), plain, -0.2, &penalty), 0.0002, 1e-12);
    assert_close(pull(SCENE(L2_INIT, "learner.half", "false"), plain, 0.3, &penalty), -0.0006,
                 1e-12);
    assert_close(penalty, 0.0009, 1e-12);
    assert_close(pull(SCENE(L2_INIT, "learner.norm", "l1"), plain, -0.2, &penalty), 0.001, 1e-12);
    assert_close(penalty, 0.002, 1e-12);
    assert_close(pull(SCENE(L2_INIT, "learner.norm", "huber"), plain, 0.3, &penalty), -0.0003,
                 1e-12);
    assert_close(penalty, 0.00045, 1e-12);
    assert_close(pull(SCENE(L2_INIT, "learner.norm", "huber"), plain, 3, &penalty), -0.001, 1e-12);
    assert_close(penalty, 0.025, 1e-12);
}

/* The pull goes through the bound on the norm with the gradient; around a learner that has a penalty of its own
 * both pull, and the curve is of both. */
static void pulls_join(void **state)
{
    (void)state;
    double penalty = 0;
#define OWN "learner.of", "l2", "learner.of.towards", "zero", "learner.of.lambda", "0.5"
    const char *const *inside = SCENE("learner", "l2", "learner.towards", "zero", "learner.lambda",
                                      "0.5", "optimizer.lr", "0.1", "model.hidden", "[3]");
    assert_close(pull(SCENE("learner", "l2", "learner.towards", "initial", "learner.lambda", "0.01",
                            "optimizer.lr", "0.1", "model.hidden", "[3]"),
                      SCENE("optimizer.lr", "0.1", "model.hidden", "[3]"), 0.3, &penalty),
                 -0.0003, 1e-12);
    learner_scene s = opened(SCENE(L2_INIT, OWN));
    scene_create(&s);
    double own = curve(&s, "penalty");
    assert_true(own > 0.01);
    size_t count;
    eg_real *w = block_of(net_of(&s), "layer2.bias", &count);
    double before = w[2];
    w[2] += 0.3;
    assert_close(curve(&s, "penalty"), own + 0.25 * (w[2] * w[2] - before * before) + 0.005 * 0.09,
                 1e-12);
    scene_close(&s);
    learner_scene a = opened(SCENE(L2_INIT, OWN));
    learner_scene b = opened(inside);
    scene_create(&a);
    scene_create(&b);
    block_of(net_of(&a), "layer2.bias", &count)[2] += 0.3;
    block_of(net_of(&b), "layer2.bias", &count)[2] += 0.3;
    (void)scene_step(&a, 0, 0);
    (void)scene_step(&b, 0, 0);
    assert_close(block_of(net_of(&a), "layer2.bias", &count)[2] -
                     block_of(net_of(&b), "layer2.bias", &count)[2],
                 -0.0003, 1e-12);
    scene_close(&a);
    scene_close(&b);
}

/* A head that begins anew is pulled towards its new initial values: its penalty is 0 again. */
static void a_new_head_is_a_new_anchor(void **state)
{
    (void)state;
    learner_scene s = opened(SCENE("learner", "reset", "learner.of", "l2_init", "model.hidden",
                                   "[]", "optimizer.lr", "0.5"));
    scene_create(&s);
    assert_ok(eg_learner_begin_phase(s.learner, 0));
    scene_learn(&s, 0);
    assert_true(curve(&s, "penalty") > 1e-6);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_close(curve(&s, "penalty"), 0, 0);
    scene_close(&s);
}

/* Fresh anchors: the penalty is never 0 at the start of an update, and the pull differs from one to the next
 * though the parameter does not move. */
static void anchors_may_be_drawn_anew(void **state)
{
    (void)state;
    learner_scene s = opened(SCENE("learner", "l2_init", "learner.target", "resample",
                                   "optimizer.lr", "1e-30", "model.hidden", "[3]"));
    scene_create(&s);
    double last = 0;
    for (size_t k = 0; k < 4; k++) {
        (void)scene_step(&s, 0, k);
        double now = curve(&s, "penalty");
        assert_true(now > 1e-6 && now != last);
        last = now;
    }
    scene_close(&s);
}

/* Scales and shifts of normalised units are neither clipped nor pulled: with zeta 0.01 a scale of 1 stays, and
 * a scale away from its start has no penalty, while a bias has. */
static void normalised_units_are_spared(void **state)
{
    (void)state;
#define NORMALISED "model.hidden", "[3]", "model.norm", "layer", "optimizer.lr", "1e-30"
    learner_scene s = opened(SCENE("learner", "weight_clipping", "learner.zeta", "0.01",
                                   "learner.of", "l2_init", NORMALISED));
    scene_create(&s);
    eg_net *net = net_of(&s);
    size_t spared = 0;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        bool is_spared = block->role == EG_ROLE_SCALE || block->role == EG_ROLE_SHIFT;
        double before = curve(&s, "penalty");
        net->params[block->offset] += 0.5;
        assert_close(curve(&s, "penalty") - before, is_spared ? 0 : 0.00125, 1e-12);
        spared += is_spared ? 1 : 0;
    }
    assert_int_equal(spared, 2);
    eg_net_touch(net);
    (void)scene_step(&s, 0, 0);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        double first = net->params[block->offset];
        assert_true(block->role != EG_ROLE_SCALE || fabs(first - 1.5) < 1e-12);
        assert_true(block->role != EG_ROLE_SHIFT || fabs(first - 0.5) < 1e-12);
        assert_true(block->role == EG_ROLE_SCALE || block->role == EG_ROLE_SHIFT || first < 0.01);
    }
    scene_close(&s);
}

/* Around each other, and what cannot work --------------------------------------------------------- */

static void refused(const char *const *words, const char *part)
{
    learner_scene s = opened(words);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, part);
    scene_close(&s);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const names[] = {"redo", "snr", "weight_clipping", "l2_init"};
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        refused(SCENE("learner", names[i], "learner.of", "flymodel"), "has no network");
    }
    refused(SCENE("learner", "redo", "learner.reset_state", "weights"),
            "optimizer sgd remembers nothing");
    refused(SCENE("learner", "snr", "learner.reset_state", "unit_and_count", "optimizer", "adam"),
            "does not count the updates");
    refused(SCENE("learner", "redo", "learner.rate", "0.3"), "learner.end");
    refused(SCENE("learner", "snr", "learner.threshold", "30000"), "learner.horizon = 20000");
    for (size_t i = 0; i < 2; i++) {
        learner_scene s = opened(SCENE("learner", names[i], "model.hidden", "[]"));
        s.setup.root = &s.root;
        assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "no hidden units");
        scene_close(&s);
    }
}

/* All of them around each other and an ensemble: units of both members are reset, all are within bounds. */
static void they_combine(void **state)
{
    (void)state;
    learner_scene s =
        opened(SCENE("model.hidden", "[6]", "model.activation", "relu", "optimizer.lr", "0.5",
                     "learner", "redo", "learner.period", "2", "learner.tau", "0.8", "learner.of",
                     "snr", "learner.of.of", "weight_clipping", "learner.of.of.of", "l2_init",
                     "learner.of.of.of.of", "ensemble", "learner.of.of.of.of.members", "2"));
    assert_ok(eg_trial_check(s.settings));
    scene_create(&s);
    for (size_t phase = 0; phase < 2; phase++) {
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        scene_learn(&s, phase);
    }
    assert_true(resets_of(&s, 0) > 2);
    assert_true(curve(&s, "penalty") > 0);
    for (size_t n = 0; n < 2; n++) {
        eg_learner_network network;
        assert_true(s.learner->ops->network(s.learner, n, &network));
        size_t count;
        const eg_real *w = block_of(network.net, "layer1.weight", &count);
        for (size_t i = 0; i < count; i++) {
            assert_true(fabs(w[i]) <= 1.0 / 3 + 1e-12);
        }
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_clipped),
        cmocka_unit_test(bounds_of_initial_weights),
        cmocka_unit_test(clipping_follows_any_optimizer),
        cmocka_unit_test(pulls_by_hand),
        cmocka_unit_test(pulls_join),
        cmocka_unit_test(a_new_head_is_a_new_anchor),
        cmocka_unit_test(anchors_may_be_drawn_anew),
        cmocka_unit_test(normalised_units_are_spared),
        cmocka_unit_test(refusals),
        cmocka_unit_test(they_combine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
