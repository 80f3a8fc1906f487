/** PackNet: which weights are pruned, by hand; what learns when, and what stays. */
#include "subnetwork_scene.h"

#include "learner/task_masks.h"

enum { UNITS = 2, WEIGHTS = UNITS * SCENE_INPUTS };

/* A hidden layer of two units; two epochs, of which the last is for retraining. */
static learner_scene opened(void)
{
    return subnetwork_open(SCENE("learner", "packnet", "learner.prune", "0.5",
                                 "learner.retrain_epochs", "1", "model.hidden", "[2]",
                                 "model.activation", "tanh"));
}

static size_t first_layer(const eg_net *net)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, "layer1.weight");
    assert_non_null(block);
    return (size_t)(block - net->table.blocks);
}

/* Raw weights of the hidden layer, row by row. */
static void get(const learner_scene *s, eg_real *out)
{
    const eg_net *net = scene_net(s);
    eg_net_block_get(net, first_layer(net), subnetwork_of(s)->raw, out);
}

static void set(const learner_scene *s, const eg_real *values)
{
    const eg_net *net = scene_net(s);
    eg_net_block_set(net, first_layer(net), values, subnetwork_of(s)->raw);
    eg_subnetwork_changed(subnetwork_of(s));
}

static void end_epoch(const learner_scene *s, size_t phase, size_t epoch)
{
    bool enough = true;
    assert_ok(s->learner->ops->end_epoch(s->learner, phase, epoch, &enough));
    assert_false(enough);
}

/* Of 18 weights the 9 smallest by magnitude go; of the 9 that are free then, 5 (4.5, rounded). */
static void the_smallest_are_pruned(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    eg_real w[WEIGHTS] = {1, -2, 3, -4, 5, -6, 7, -8, 9, 9, -10, 10, 8, 0.1, 2, 1.5, -11, -3};
    const eg_real first[WEIGHTS] = {0, 0, 0, 0, 0, -6, 7, -8, 9, 9, -10, 10, 8, 0, 0, 0, -11, 0};
    eg_real now[WEIGHTS];
    assert_ok(s.learner->ops->begin_phase(s.learner, 0));
    set(&s, w);
    end_epoch(&s, 0, 0);
    get(&s, now);
    assert_memory_equal(now, first, sizeof now);
    end_epoch(&s, 0, 1);
    scene_end(&s, 0);
    get(&s, now);
    assert_memory_equal(now, first, sizeof now);

    assert_ok(s.learner->ops->begin_phase(s.learner, 1));
    memcpy(w, first, sizeof w);
    const eg_real second[] = {1, -2, 3, -4, 5, 0.1, 2, 1.5, -3};
    for (size_t i = 0, k = 0; i < WEIGHTS; i++) {
        w[i] = first[i] == 0 ? second[k++] : w[i];
    }
    set(&s, w);
    end_epoch(&s, 1, 0);
    get(&s, now);
    /* -2 and 2 are equally large, and one of them would be the fifth to go or the fourth to stay: 5, -4, 3 and -3
     * stay. */
    for (size_t i = 0; i < WEIGHTS; i++) {
        bool stays = first[i] != 0 || w[i] == 5 || w[i] == -4 || w[i] == 3 || w[i] == -3;
        assert_true(now[i] == (stays ? w[i] : 0));
    }
    scene_close(&s);
}

/* Pruned weights are 0 while the others are retrained; these move, and those of the task before do not. */
static void what_learns_when(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    eg_real before[WEIGHTS];
    eg_real pruned[WEIGHTS];
    eg_real after[WEIGHTS];
    eg_real later[WEIGHTS];
    size_t half = eg_stream_steps(s.stream, 0) / 2;
    get(&s, before);
    subnetwork_steps(&s, 0, 0, half);
    get(&s, pruned);
    subnetwork_steps(&s, 0, half, 2 * half);
    get(&s, after);
    size_t zeros = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        assert_true(before[i] != pruned[i]);
        assert_true(pruned[i] == 0 ? after[i] == 0 : after[i] != pruned[i]);
        zeros += pruned[i] == 0 ? 1 : 0;
    }
    assert_int_equal(zeros, 9);
    /* The next task learns what is free, from 0, and nothing else; biases were the first one's. */
    const eg_net *net = scene_net(&s);
    const eg_parameter_block *bias = eg_parameter_table_find(&net->table, "layer1.bias");
    const eg_real kept = subnetwork_of(&s)->raw[bias->offset];
    subnetwork_steps(&s, 1, 0, half - 1);
    get(&s, later);
    for (size_t i = 0; i < WEIGHTS; i++) {
        assert_true(after[i] == 0 ? later[i] != 0 : later[i] == after[i]);
    }
    assert_true(kept != 0 && subnetwork_of(&s)->raw[bias->offset] == kept);
    scene_close(&s);
}

/* Who ends a phase before its time prunes at its end. */
static void a_phase_that_ends_early_is_pruned(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    eg_real w[WEIGHTS];
    assert_ok(s.learner->ops->begin_phase(s.learner, 0));
    (void)scene_step(&s, 0, 0);
    scene_end(&s, 0);
    get(&s, w);
    size_t zeros = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        zeros += w[i] == 0 ? 1 : 0;
    }
    assert_int_equal(zeros, 9);
    scene_close(&s);
}

static void retraining_is_part_of_the_phase(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(
        SCENE("learner", "packnet", "learner.retrain_epochs", "2", "stream.epochs", "2"));
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID,
                 "learner.retrain_epochs = 2 are part of the epochs of a phase");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_are_pruned),
        cmocka_unit_test(what_learns_when),
        cmocka_unit_test(a_phase_that_ends_early_is_pruned),
        cmocka_unit_test(retraining_is_part_of_the_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
