/** What phases do to the outputs of networks: heads that begin at 0 for every learner, outputs that
 *  arrive, outputs that are not active. In double. */
#include "learner_scene.h"

#include "engram/metric.h"
#include "engram/units.h"
#include "learner/around.h"
#include "optim/object.h"

#include <math.h>
#include <string.h>

static eg_learner_network network_of(const learner_scene *s, size_t index)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, index, &network));
    return network;
}

static const eg_node *head_of(const eg_net *net)
{
    size_t i = 0;
    while (!eg_node_is_head(&net->nodes[i])) {
        i++;
    }
    return &net->nodes[i];
}

/* Copies weights [outputs, inputs] of the head, row by row. */
static size_t head_weights(const eg_net *net, const eg_real *plane, eg_real *out)
{
    const eg_node *head = head_of(net);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        if (block->offset == head->offset[0]) {
            eg_net_block_get(net, b, plane, out);
            return block->fan_in;
        }
    }
    fail_msg("the head has no weights");
    return 0;
}

static void begin(const learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
}

#define PAIRS                                                                                      \
    "stream", "class_pairs", "stream.tasks", "4", "stream.batch", "8", "stream.test_examples",     \
        "16", "model.hidden", "[7]", "model.weight_norm", "[none]", "model.activation", "relu"

/* All scores are 0, so the first of two classes is predicted for all of a balanced test set. */
static void assert_begins_at_zero(learner_scene *s, size_t phase)
{
    eg_cursor *cursor = NULL;
    eg_batch batch;
    eg_real scores[64];
    size_t count = eg_stream_count(s->stream, EG_SUBSET_TEST, phase);
    assert_ok(eg_cursor_open(&cursor, s->stream, &(eg_cursor_setup){.block = 32}));
    assert_in_range(count, 2, 32);
    eg_cursor_examples(cursor, EG_SUBSET_TEST, phase, 0, count, &batch);
    assert_ok(s->learner->ops->predict(s->learner, &batch, scores));
    assert_int_equal(eg_count_correct(count, 2, scores, batch.label, NULL), count / 2);
    assert_int_equal(count % 2, 0);
    eg_cursor_close(cursor);
    assert_float_equal(scene_step(s, phase, 0), log(2), 1e-12);
}

static void heads_begin_at_zero(void **state)
{
    (void)state;
    static const char *const learners[][SCENE_SETTINGS] = {
        {PAIRS},
        {PAIRS, "optimizer", "adam"},
        {PAIRS, "learner", "l2", "learner.lambda", "0.1"},
        {PAIRS, "learner", "ewc", "learner.lambda", "1"},
        {PAIRS, "learner", "replay"},
        {PAIRS, "learner", "shrink_perturb", "learner.sigma", "0.1"},
        {PAIRS, "learner", "l2_init", "learner.lambda", "0.1"},
        {PAIRS, "learner", "continual_backprop", "learner.replacement_rate", "0.1",
         "learner.maturity", "2"},
        {PAIRS, "learner", "reset", "learner.what", "head"},
        {PAIRS, "learner", "reset", "learner.what", "network"},
        {PAIRS, "learner", "ensemble", "learner.members", "2", "learner.of", "early_stopping",
         "learner.of.on", "training"},
        {PAIRS, "model", "linear"},
    };
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        /* The linear model has no hidden layers to be described. */
        bool linear = l + 1 == EG_COUNT(learners);
        static const char *const plain[] = {
            "stream", "class_pairs",          "stream.tasks", "4", "stream.batch",
            "8",      "stream.test_examples", "16",           NULL};
        learner_scene s = scene_open(linear ? plain : learners[l], 5);
        scene_create(&s);
        for (size_t phase = 0; phase < 3; phase++) {
            begin(&s, phase);
            assert_begins_at_zero(&s, phase);
            for (size_t step = 1; step < eg_stream_steps(s.stream, phase); step++) {
                (void)scene_step(&s, phase, step);
            }
            scene_end(&s, phase);
            const eg_net *net = network_of(&s, 0).net;
            assert_true(head_of(net)->params[0][0] != 0); /* it has learned something */
        }
        scene_close(&s);
    }
}

/* Nothing else is reset: not the other layers, not the momentum of the head. */
static void momentum_stays(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE(PAIRS, "optimizer", "sgdm", "optimizer.beta", "0.9"), 5);
    scene_create(&s);
    begin(&s, 0);
    scene_learn(&s, 0);
    eg_learner_network network = network_of(&s, 0);
    const eg_net *net = network.net;
    const eg_node *head = head_of(net);
    eg_real *params = NULL;
    eg_real *slot = NULL;
    assert_ok(eg_alloc(&params, net->param_count, sizeof *params));
    assert_ok(eg_alloc(&slot, net->param_count, sizeof *slot));
    memcpy(params, net->params, net->param_count * sizeof *params);
    memcpy(slot, network.optimizer->slot[0], net->param_count * sizeof *slot);
    size_t moving = 0;
    for (size_t i = 0; i < head->param_count; i++) {
        moving += slot[head->param_offset + i] != 0 ? 1 : 0;
    }
    assert_true(moving > 2);
    begin(&s, 1);
    assert_memory_equal(slot, network.optimizer->slot[0], net->param_count * sizeof *slot);
    assert_memory_equal(params, net->params, head->param_offset * sizeof *params);
    for (size_t i = 0; i < head->param_count; i++) {
        assert_true(net->params[head->param_offset + i] == 0);
    }
    eg_free(params);
    eg_free(slot);
    scene_close(&s);
}

static void heads_go_on(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE(PAIRS, "stream.reset_outputs", "none"), 5);
    scene_create(&s);
    begin(&s, 0);
    assert_true(fabs(scene_step(&s, 0, 0) - log(2)) > 1e-6);
    scene_close(&s);
}

#define GROWING                                                                                    \
    "stream", "class_incremental", "stream.tasks", "3", "stream.classes", "2", "stream.head",      \
        "grow", "optimizer", "sgdm", "optimizer.beta", "0.9", "optimizer.weight_decay", "0.01"

/* Weights of the head [SCENE_CLASSES, SCENE_INPUTS] after three phases. */
static void grow(const char *const *settings, eg_real *out)
{
    eg_real before[SCENE_CLASSES * SCENE_INPUTS];
    eg_real after[SCENE_CLASSES * SCENE_INPUTS];
    eg_real slot[SCENE_CLASSES * SCENE_INPUTS];
    learner_scene s = scene_open(settings, 5);
    scene_create(&s);
    eg_learner_network network = network_of(&s, 0);
    for (size_t phase = 0; phase < 3; phase++) {
        const eg_active *arriving = eg_stream_phase(s.stream, phase).arriving;
        assert_int_equal(arriving->count, phase == 0 ? 0 : 2);
        assert_int_equal(head_weights(network.net, network.net->params, before), SCENE_INPUTS);
        begin(&s, phase);
        (void)head_weights(network.net, network.net->params, after);
        (void)head_weights(network.net, network.optimizer->slot[0], slot);
        for (uint32_t c = 0; c < SCENE_CLASSES; c++) {
            bool arrives = eg_active_place(arriving, c) < arriving->count;
            for (size_t i = 0; i < SCENE_INPUTS; i++) {
                size_t k = c * SCENE_INPUTS + i;
                assert_true((before[k] != after[k]) == arrives);
                assert_true(fabs((double)after[k]) <= 1.0 / 3 || !arrives);
                assert_true(slot[k] == 0 || !arrives);
                out[k] = arrives ? after[k] : out[k];
            }
        }
        scene_learn(&s, phase);
    }
    scene_close(&s);
}

/* New outputs have initial values and no momentum, and the same values whatever was learned. */
static void outputs_arrive(void **state)
{
    (void)state;
    eg_real plain[SCENE_CLASSES * SCENE_INPUTS] = {0};
    eg_real perturbed[SCENE_CLASSES * SCENE_INPUTS] = {0};
    grow(SCENE(GROWING), plain);
    grow(SCENE(GROWING, "learner", "shrink_perturb", "learner.sigma", "0.1"), perturbed);
    assert_memory_equal(plain, perturbed, sizeof plain);
    size_t fresh = 0;
    for (size_t k = 0; k < EG_COUNT(plain); k++) {
        fresh += plain[k] != 0 ? 1 : 0;
    }
    assert_int_equal(fresh, 4 * SCENE_INPUTS);
}

/* 5 of 100 classes: an untrained head of zeros has loss ln 5, the others get no gradient and decay. */
static void only_active_outputs_learn(void **state)
{
    (void)state;
    enum { CLASSES = 100 };
    static const double lr = 0.05;
    static const double decay = 0.01;
    learner_scene s = scene_open(SCENE("dataset.classes", "100", "dataset.examples", "1000",
                                       "stream", "class_incremental", "stream.tasks", "2",
                                       "stream.classes", "5", "optimizer.weight_decay", "0.01"),
                                 5);
    scene_create(&s);
    eg_net *net = network_of(&s, 0).net;
    eg_real before[CLASSES * SCENE_INPUTS] = {0};
    eg_real after[CLASSES * SCENE_INPUTS] = {0};
    const eg_active *active = eg_stream_phase(s.stream, 0).active;
    assert_int_equal(active->count, 5);
    begin(&s, 0);
    (void)head_weights(net, net->params, before);
    (void)scene_step(&s, 0, 0);
    (void)head_weights(net, net->params, after);
    size_t changed = 0;
    for (uint32_t c = 0; c < CLASSES; c++) {
        bool learns = eg_active_place(active, c) < active->count;
        for (size_t k = c * SCENE_INPUTS; k < (c + 1) * SCENE_INPUTS; k++) {
            double decayed = (double)before[k] - lr * (decay * (double)before[k]);
            bool same = fabs((double)after[k] - decayed) < 1e-16;
            assert_true(same || learns);
            changed += same ? 0 : 1;
        }
    }
    assert_true(changed > 4 * SCENE_INPUTS);
    memset(net->params, 0, net->param_count * sizeof *net->params);
    eg_net_touch(net);
    assert_float_equal(scene_step(&s, 0, 1), log(5), 1e-12);
    (void)head_weights(net, net->params, after);
    for (uint32_t c = 0; c < CLASSES; c++) {
        bool learns = eg_active_place(active, c) < active->count;
        for (size_t k = c * SCENE_INPUTS; k < (c + 1) * SCENE_INPUTS; k++) {
            assert_true(after[k] == 0 || learns);
        }
    }
    scene_close(&s);
}

/* Learners without a network cannot do what the phase does. */
static void refused_without_a_network(void **state)
{
    (void)state;
    static const char *const learners[][SCENE_SETTINGS] = {
        {PAIRS, "learner", "flymodel"},
        {PAIRS, "learner", "ensemble", "learner.of", "flymodel"},
    };
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        learner_scene s = scene_open(learners[l], 5);
        const char *part = "learner flymodel has no network, and stream = class_pairs changes the "
                           "outputs of the network when a phase begins";
        assert_fails(eg_trial_check(s.settings), EG_INVALID, part);
        s.setup.root = &s.root;
        assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, part);
        assert_null(s.learner);
        scene_close(&s);
    }
    learner_scene s =
        scene_open(SCENE(PAIRS, "learner", "flymodel", "stream.reset_outputs", "none"), 5);
    assert_ok(eg_trial_check(s.settings));
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_begin_at_zero),
        cmocka_unit_test(momentum_stays),
        cmocka_unit_test(heads_go_on),
        cmocka_unit_test(outputs_arrive),
        cmocka_unit_test(only_active_outputs_learn),
        cmocka_unit_test(refused_without_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
