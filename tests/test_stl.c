/** Single-task learning: a network per task, what it has seen, and what is saved. On a small made-up stream
 *  of three tasks. In double precision. */
#include "growing_scene.h"

#include "engram/random.h"

#include <string.h>

enum { SEED = 4, PHASES = 3, TESTS = 20 };

/* Networks with everything that has a state or draws: dropout, running statistics, two moments. */
#define NETWORK                                                                                    \
    "stream.active", "task", "model.hidden", "[5]", "model.activation", "relu", "model.dropout",   \
        "0.2", "model.norm", "online", "optimizer", "adam", "optimizer.lr", "0.01"

#define STL(...) SCENE("learner", "stl", NETWORK, __VA_ARGS__)

/* Scores of tests of a task. */
static void predict(learner_scene *s, size_t task, eg_real *scores)
{
    eg_cursor *cursor = NULL;
    eg_batch batch;
    assert_ok(eg_cursor_open(&cursor, s->stream, &(eg_cursor_setup){.block = TESTS}));
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, TESTS, &batch);
    assert_int_equal(batch.task, task);
    assert_ok(s->learner->ops->predict(s->learner, &batch, scores));
    eg_cursor_close(cursor);
}

static learner_scene open_learned(const char *const *words, size_t phases)
{
    learner_scene s = scene_open(words, SEED);
    scene_create(&s);
    for (size_t phase = 0; phase < phases; phase++) {
        learn(&s, phase);
    }
    return s;
}

/* Network t is the learner inside alone, which starts as member t of an ensemble and sees phase t of the trial's
 * order, and nothing else; it predicts for task t. */
static void check_alone(const char *const *words, const char *const *inside)
{
    learner_scene s = open_learned(words, PHASES);
    assert_int_equal(count_networks(&s), PHASES);
    for (size_t t = 0; t < PHASES; t++) {
        learner_scene alone = scene_open(inside, SEED);
        alone.setup.seed = eg_member_seed(SEED, t);
        scene_create(&alone);
        learn(&alone, t);
        assert_same_net(network_of(&s, t).net, network_of(&alone, 0).net);
        eg_real own[TESTS * SCENE_CLASSES];
        eg_real expected[TESTS * SCENE_CLASSES];
        predict(&s, t, own);
        predict(&alone, t, expected);
        assert_memory_equal(own, expected, sizeof own);
        double share[1];
        double alone_share[1];
        eg_learner_activity(s.learner, share);
        eg_learner_activity(alone.learner, alone_share);
        assert_true(share[0] == alone_share[0]);
        scene_close(&alone);
    }
    scene_close(&s);
}

static void a_network_for_every_task(void **state)
{
    (void)state;
    check_alone(STL("learner.of", "plain"), SCENE(NETWORK));
    check_alone(STL("learner.of", "early_stopping", "learner.of.on", "training", "learner.of.last",
                    "2", "stream.epochs", "4"),
                SCENE("learner", "early_stopping", "learner.on", "training", "learner.last", "2",
                      "stream.epochs", "4", NETWORK));
}

/* Old networks have nothing to learn with, and no bit of what they say changes. */
static void old_tasks_stay(void **state)
{
    (void)state;
    eg_real before[TESTS * SCENE_CLASSES];
    eg_real after[TESTS * SCENE_CLASSES];
    learner_scene s = open_learned(STL("learner.of", "plain"), 1);
    predict(&s, 0, before);
    learn(&s, 1);
    assert_null(network_of(&s, 0).optimizer);
    assert_non_null(network_of(&s, 1).optimizer);
    learn(&s, 2);
    predict(&s, 0, after);
    assert_memory_equal(before, after, sizeof before);
    /* Of those that are frozen, one at a time has memory for predictions. */
    assert_null(network_of(&s, 0).net->grads);
    size_t blocks = eg_memory_live_blocks();
    predict(&s, 1, after);
    predict(&s, 0, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(eg_memory_live_blocks(), blocks);
    assert_memory_not_equal(network_of(&s, 1).net->params, network_of(&s, 2).net->params,
                            16 * sizeof(eg_real));
    scene_close(&s);
}

/* A task that is yet to come is the newest network's. */
static void tasks_to_come(void **state)
{
    (void)state;
    eg_real scores[TESTS * SCENE_CLASSES];
    eg_real expected[TESTS * SCENE_CLASSES];
    learner_scene s = open_learned(STL("learner.of", "plain"), 1);
    learner_scene alone = scene_open(SCENE(NETWORK), SEED);
    alone.setup.seed = eg_member_seed(SEED, 0);
    scene_create(&alone);
    learn(&alone, 0);
    predict(&s, 2, scores);
    predict(&alone, 2, expected);
    assert_memory_equal(scores, expected, sizeof scores);
    scene_close(&alone);
    scene_close(&s);
}

/* Saving ----------------------------------------------------------------------------------------- */

/* Stopped in the middle of the second and third phase, into a learner just made. */
static void networks_come_back(void **state)
{
    (void)state;
    learner_scene s = open_learned(STL("learner.of", "plain"), 1);
    learner_scene other = open_learned(STL("learner.of", "plain"), 1);
    for (size_t phase = 1; phase < PHASES; phase++) {
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        assert_ok(eg_learner_begin_phase(other.learner, phase));
        for (size_t step = 0; step < eg_stream_steps(s.stream, phase); step++) {
            (void)scene_step(&s, phase, step);
            (void)scene_step(&other, phase, step);
            scene_replace(&other);
        }
        scene_end(&s, phase);
        scene_end(&other, phase);
    }
    assert_int_equal(count_networks(&other), PHASES);
    for (size_t n = 0; n < PHASES; n++) {
        assert_same_net(network_of(&s, n).net, network_of(&other, n).net);
        assert_true((network_of(&other, n).optimizer == NULL) == (n < PHASES - 1));
    }
    scene_close(&s);
    scene_close(&other);
}

/* A group per task; a task whose group is missing is forgotten, and the others do not notice. */
static void weights_of_tasks(void **state)
{
    (void)state;
    learner_scene s = open_learned(STL("learner.of", "plain"), PHASES);
    for (size_t forgotten = 0; forgotten <= PHASES; forgotten++) {
        learner_scene other = scene_open(STL("learner.of", "plain"), SEED + 1);
        eg_weights weights = {0};
        eg_real a[TESTS * SCENE_CLASSES];
        eg_real b[TESTS * SCENE_CLASSES];
        size_t numbers = EG_COUNT(a);
        scene_create(&other);
        assert_ok(eg_learner_get_weights(&weights, s.learner));
        assert_non_null(eg_weights_find(&weights, "task002/network/layer1.weight"));
        size_t left = 0;
        for (size_t i = 0; i < weights.count; i++) {
            bool gone = strncmp(weights.arrays[i].name, "task00", 6) == 0 &&
                        (size_t)(weights.arrays[i].name[6] - '0') == forgotten;
            if (gone) {
                eg_free(weights.arrays[i].values);
            } else {
                weights.arrays[left++] = weights.arrays[i];
            }
        }
        weights.count = left;
        assert_ok(eg_learner_set_weights(other.learner, &weights));
        for (size_t t = 0; t < PHASES; t++) {
            predict(&s, t, a);
            predict(&other, t, b);
            assert_true((memcmp(a, b, numbers * sizeof *a) == 0) == (t != forgotten));
        }
        eg_weights_clear(&weights);
        scene_close(&other);
    }
    scene_close(&s);
}

/* A trial begins with its first task: networks of several have no place in it. */
static void weights_of_several_tasks_do_not_begin(void **state)
{
    (void)state;
    for (size_t tasks = 1; tasks <= 2; tasks++) {
        learner_scene s = open_learned(STL("learner.of", "plain"), tasks);
        learner_scene other = scene_open(STL("learner.of", "plain"), SEED);
        eg_weights weights = {0};
        scene_create(&other);
        assert_ok(eg_learner_get_weights(&weights, s.learner));
        assert_ok(eg_learner_set_weights(other.learner, &weights));
        if (tasks == 1) {
            assert_ok(eg_learner_begin_phase(other.learner, 0));
        } else {
            assert_fails(eg_learner_begin_phase(other.learner, 0), EG_INVALID,
                         "networks of 2 tasks when task 0");
        }
        eg_weights_clear(&weights);
        scene_close(&other);
        scene_close(&s);
    }
}

/* Costs and refusals ------------------------------------------------------------------------------ */

/* One network learns and predicts, and all are kept. */
static void operations(void **state)
{
    (void)state;
    learner_scene s = open_learned(STL("learner.of", "plain"), PHASES);
    const eg_net *net = network_of(&s, 0).net;
    eg_net_work work = eg_net_macs(net);
    double parameters = (double)eg_parameter_table_size(&net->table, EG_ROLE_COUNT);
    double examples = 0;
    for (size_t phase = 0; phase < PHASES; phase++) {
        eg_phase about = eg_stream_phase(s.stream, phase);
        examples += (double)(about.examples * about.epochs);
    }
    eg_learner_costs costs = {.parameters = 0};
    assert_true(eg_learner_add_costs(s.learner, &costs));
    assert_close(costs.parameters, PHASES * parameters, 0);
    assert_close(costs.predict_macs, work.forward, 0);
    assert_close(costs.train_macs, examples * work.forward, 1e-12);
    assert_close(costs.train_flops, examples * 2 * (work.forward + work.backward), 1e-12);
    assert_close(s.learner->ops->flops(s.learner), eg_net_flops(net), 0);
    assert_close(s.learner->ops->extra_flops(s.learner), 0, 0);
    scene_close(&s);
}

/* A trunk of 9*5 weights and 5 biases, and 2 outputs of 6 numbers for a task: a trunk
 * and a head for every task, in percent of a trunk and these heads. */
static void a_trunk_for_every_task(void **state)
{
    (void)state;
    learner_scene s =
        open_learned(SCENE("learner", "stl", "stream.active", "task", "model.hidden", "[5]",
                           "learner.of", "early_stopping", "learner.of.on", "training"),
                     PHASES);
    for (size_t learned = 1; learned <= PHASES; learned++) {
        eg_learner_capacity capacity = {.stored = 0};
        double tasks = (double)learned;
        assert_true(eg_learner_get_capacity(s.learner, learned, &capacity));
        assert_true(capacity.base == 50 + 12 * tasks);
        assert_true(capacity.stored == 50 * tasks + 12 * tasks);
    }
    scene_close(&s);
}

static void damaged_numbers(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 2, UINT64_MAX - 1};
    for (size_t i = 0; i < EG_COUNT(counts); i++) {
        learner_scene s = scene_open(STL("learner.of", "plain"), SEED);
        eg_writer writer = {0};
        scene_create(&s);
        s.learner->ops->write(s.learner, &writer);
        memcpy(writer.data, &counts[i], sizeof counts[i]);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_fails(s.learner->ops->read(s.learner, &reader), EG_INVALID, "saved");
        eg_writer_clear(&writer);
        scene_close(&s);
    }
}

static void assert_refused(const char *const *words, const char *message)
{
    learner_scene s = scene_open(words, SEED);
    s.setup.root = &s.root;
    assert_fails(eg_trial_check(s.settings), EG_INVALID, message);
    eg_status status = eg_learner_create(&s.learner, &s.setup);
    assert_fails(status, EG_INVALID, message);
    scene_close(&s);
}

static void refusals(void **state)
{
    (void)state;
    assert_refused(SCENE("learner", "stl"),
                   "learner stl predicts for a task that it is told, and stream = split does not "
                   "tell it (split: use stream.active = task)");
    assert_refused(SCENE("learner", "ensemble", "learner.of", "stl", "stream.active", "seen"),
                   "learner stl predicts for a task that it is told");
    assert_refused(SCENE("learner", "stl", "stream", "permuted"),
                   "stream = permuted does not tell");
    assert_refused(SCENE("learner", "stl", "stream.active", "task", "stream.joint", "true"),
                   "learner stl learns a task in every phase, and stream = split teaches several");
    learner_scene s = scene_open(
        SCENE("learner", "early_stopping", "learner.of", "stl", "stream.active", "task"), SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "put that one inside stl");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_for_every_task),
        cmocka_unit_test(old_tasks_stay),
        cmocka_unit_test(tasks_to_come),
        cmocka_unit_test(networks_come_back),
        cmocka_unit_test(weights_of_tasks),
        cmocka_unit_test(weights_of_several_tasks_do_not_begin),
        cmocka_unit_test(operations),
        cmocka_unit_test(a_trunk_for_every_task),
        cmocka_unit_test(damaged_numbers),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
