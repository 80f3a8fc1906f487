/** Learners around other learners in which a part of the network begins anew with a phase: resets. On a
 *  small made-up stream of three tasks. */
#include "learner_scene.h"

#include <math.h>
#include <string.h>

enum { SEED = 4 };

static void begin(learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
}

static eg_net *net_of(const learner_scene *s, size_t index)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, index, &network));
    return network.net;
}

#define RESET                                                                                      \
    "learner", "reset", "model.hidden", "[4]", "optimizer", "adagrad", "optimizer.lr", "0.1"

/* Which parameters of the network changed, of all that are some: by block, as a share. */
static double changed(const eg_net *net, const char *block, const eg_real *before)
{
    const eg_parameter_block *b = eg_parameter_table_find(&net->table, block);
    assert_non_null(b);
    size_t count = 0;
    for (size_t i = b->offset; i < b->offset + b->count; i++) {
        count += net->params[i] != before[i] ? 1 : 0;
    }
    return (double)count / (double)(b->units * b->fan_in);
}

static void check_reset(const char *const *words, size_t phase, double trunk, double head)
{
    learner_scene s = scene_open(words, SEED);
    scene_create(&s);
    for (size_t p = 0; p < phase; p++) {
        begin(&s, p);
        scene_learn(&s, p);
    }
    eg_net *net = net_of(&s, 0);
    eg_real *before = NULL;
    assert_ok(eg_alloc(&before, net->param_count, sizeof *before));
    memcpy(before, net->params, net->param_count * sizeof *before);
    begin(&s, phase);
    assert_close(changed(net, "layer1.weight", before), trunk, 0);
    assert_close(changed(net, "layer2.weight", before), head, 1e-9);
    eg_free(before);
    scene_close(&s);
}

static void what_is_reset(void **state)
{
    (void)state;
    check_reset(SCENE(RESET), 0, 0, 0);
    check_reset(SCENE(RESET), 1, 0, 1);
    check_reset(SCENE(RESET, "learner.what", "network"), 2, 1, 1);
    /* Two of the six classes are new; without active outputs, all are there from the beginning. */
    check_reset(SCENE(RESET, "learner.what", "new_outputs", "stream.active", "seen"), 1, 0,
                1.0 / 3);
    check_reset(SCENE(RESET, "learner.what", "new_outputs", "stream.active", "task"), 2, 0,
                1.0 / 3);
    check_reset(SCENE(RESET, "learner.what", "new_outputs"), 1, 0, 0);
}

/* Adagrad's state of the head is that of the beginning again, so that steps are long again. */
static void the_optimizer_forgets_what_is_reset(void **state)
{
    (void)state;
    double mean[2];
    for (int resets = 0; resets < 2; resets++) {
        learner_scene s = resets == 1 ? scene_open(SCENE(RESET, "stream.joint", "false"), SEED)
                                      : scene_open(SCENE(RESET, "learner", "plain"), SEED);
        scene_create(&s);
        for (size_t p = 0; p < 2; p++) {
            begin(&s, p);
            scene_learn(&s, p);
        }
        begin(&s, 2);
        eg_net *net = net_of(&s, 0);
        const eg_parameter_block *b = eg_parameter_table_find(&net->table, "layer2.weight");
        eg_real before[256];
        assert_in_range(b->count, 1, 256);
        memcpy(before, net->params + b->offset, b->count * sizeof *before);
        (void)scene_step(&s, 2, 0);
        mean[resets] = 0;
        for (size_t i = 0; i < b->count; i++) {
            mean[resets] += fabs((double)(net->params[b->offset + i] - before[i]));
        }
        scene_close(&s);
    }
    /* Units whose output is 0 have no gradient. */
    assert_true(mean[1] > 1.5 * mean[0]);
}

/* Adam that counts the updates of every weight: the first one of a head that begins anew is lr,
 * whatever the gradient. With means of 0 and the counts of before it would be about half of that.
 * */
static void updates_of_what_is_reset_are_counted_anew(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE("learner", "reset", "optimizer", "adam",
                                       "optimizer.adam_form", "intended", "optimizer.lr", "0.01"),
                                 SEED);
    scene_create(&s);
    begin(&s, 0);
    scene_learn(&s, 0);
    begin(&s, 1);
    eg_net *net = net_of(&s, 0);
    const eg_parameter_block *biases = eg_parameter_table_find(&net->table, "layer1.bias");
    eg_real before[SCENE_CLASSES];
    memcpy(before, net->params + biases->offset, sizeof before);
    (void)scene_step(&s, 1, 0);
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        assert_close(fabs((double)(net->params[biases->offset + j] - before[j])), 0.01, 1e-6);
    }
    scene_close(&s);
}

/* New weights are those of learner reset. What the optimizer remembers stays, unless it is to go: with
 * momentum .9 the first update differs by .9 times the last one before. */
static void a_new_head_keeps_its_momentum(void **state)
{
    (void)state;
#define MOMENTUM "model.hidden", "[4]", "optimizer", "sgdm", "optimizer.beta", "0.9"
    const char *const *const learners[] = {
        SCENE("learner", "reset", MOMENTUM),
        SCENE("learner", "head_reset", MOMENTUM),
        SCENE("learner", "head_reset", "learner.reset_momentum", "true", MOMENTUM),
    };
    double first[3][SCENE_CLASSES]; /* update of the new biases */
    double last[SCENE_CLASSES];     /* of the old ones */
    eg_real values[3][SCENE_CLASSES];
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        learner_scene s = scene_open(learners[k], SEED);
        scene_create(&s);
        eg_net *net = net_of(&s, 0);
        const eg_real *bias =
            net->params + eg_parameter_table_find(&net->table, "layer2.bias")->offset;
        eg_real before[SCENE_CLASSES];
        begin(&s, 0);
        for (size_t step = 0; step < 4; step++) {
            memcpy(before, bias, sizeof before);
            (void)scene_step(&s, 0, step);
        }
        for (size_t j = 0; j < SCENE_CLASSES; j++) {
            last[j] = (double)bias[j] - (double)before[j];
        }
        begin(&s, 1);
        memcpy(values[k], bias, sizeof values[k]);
        (void)scene_step(&s, 1, 0);
        for (size_t j = 0; j < SCENE_CLASSES; j++) {
            first[k][j] = (double)bias[j] - (double)values[k][j];
        }
        scene_close(&s);
    }
    assert_memory_equal(values[0], values[1], sizeof values[0]);
    assert_memory_equal(values[0], values[2], sizeof values[0]);
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        assert_true(fabs(last[j]) > 1e-4);
        assert_close(first[1][j], first[0][j] + 0.9 * last[j], 1e-7);
        assert_close(first[2][j], first[0][j], 0);
    }
}

/* In full a network that is retrained is that of learner reset. As in the program it has the same new
 * weights, and keeps its running statistics and momentum. */
static void what_retrained_networks_keep(void **state)
{
    (void)state;
#define STATISTICS MOMENTUM, "model.norm", "online", "stream.batch", "1"
    const char *const *const learners[] = {
        SCENE("learner", "reset", "learner.what", "network", STATISTICS),
        SCENE("learner", "retrained", STATISTICS),
        SCENE("learner", "retrained", "learner.full", "false", STATISTICS),
    };
    learner_scene s[EG_COUNT(learners)];
    eg_net *net[EG_COUNT(learners)];
    double *before = NULL;
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        s[k] = scene_open(learners[k], SEED);
        scene_create(&s[k]);
        net[k] = net_of(&s[k], 0);
        begin(&s[k], 0);
        for (size_t step = 0; step < 5; step++) {
            (void)scene_step(&s[k], 0, step);
        }
    }
    size_t buffers = net[2]->buffer_count;
    assert_in_range(buffers, 1, 1000);
    assert_ok(eg_alloc(&before, buffers, sizeof *before));
    memcpy(before, net[2]->buffers, buffers * sizeof *before);
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        begin(&s[k], 1);
        assert_memory_equal(net[0]->params, net[k]->params,
                            net[0]->param_count * sizeof *net[0]->params);
        assert_true(net[k]->step == (k < 2 ? 0 : 5));
    }
    assert_memory_equal(net[1]->buffers, net[0]->buffers, buffers * sizeof *before);
    assert_memory_equal(net[2]->buffers, before, buffers * sizeof *before);
    assert_memory_not_equal(net[1]->buffers, before, buffers * sizeof *before);
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        (void)scene_step(&s[k], 1, 0);
    }
    assert_memory_equal(net[0]->params, net[1]->params,
                        net[0]->param_count * sizeof *net[0]->params);
    const eg_parameter_block *bias = eg_parameter_table_find(&net[0]->table, "layer2.bias");
    assert_memory_not_equal(net[0]->params + bias->offset, net[2]->params + bias->offset,
                            SCENE_CLASSES * sizeof(eg_real));
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        scene_close(&s[k]);
    }
    eg_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reset),
        cmocka_unit_test(the_optimizer_forgets_what_is_reset),
        cmocka_unit_test(updates_of_what_is_reset_are_counted_anew),
        cmocka_unit_test(a_new_head_keeps_its_momentum),
        cmocka_unit_test(what_retrained_networks_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
