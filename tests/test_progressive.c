/** Progressive networks: which weights there are, by hand; who learns when; capacity. */
#include "subnetwork_scene.h"

#include <math.h>

/* Two hidden layers of four units: columns 0 0 1 2 of both. Task t has classes 2t and 2t + 1. */
enum { UNITS = 4 };

static const size_t column[UNITS] = {0, 0, 1, 2};

#define COLUMNS                                                                                    \
    "learner", "progressive", "learner.first", "0.5", "learner.later", "0.25", "model.hidden",     \
        "[4, 4]", "model.activation", "tanh"

/* Parameters row by row. */
typedef struct parts {
    double w1[UNITS * SCENE_INPUTS], b1[UNITS], w2[UNITS * UNITS], b2[UNITS],
        head[SCENE_CLASSES * UNITS], bias[SCENE_CLASSES];
} parts;

static parts parts_of(const learner_scene *s)
{
    parts p;
    (void)subnetwork_array(s, "network/layer1.weight", p.w1);
    (void)subnetwork_array(s, "network/layer1.bias", p.b1);
    (void)subnetwork_array(s, "network/layer2.weight", p.w2);
    (void)subnetwork_array(s, "network/layer2.bias", p.b2);
    (void)subnetwork_array(s, "network/layer3.weight", p.head);
    (void)subnetwork_array(s, "network/layer3.bias", p.bias);
    return p;
}

/* What exists is as a plain learner begins, but for sqrt(4/2), sqrt(4/3) and 1 by the column that reads. */
static void columns_read_earlier_ones(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE(COLUMNS));
    learner_scene plain =
        subnetwork_open(SCENE("model.hidden", "[4, 4]", "model.activation", "tanh"));
    const double factor[] = {sqrt(2), sqrt(4.0 / 3), 1};
    scene_create(&s);
    scene_create(&plain);
    const parts p = parts_of(&s);
    const parts q = parts_of(&plain);
    assert_memory_equal(p.w1, q.w1, sizeof p.w1);
    assert_memory_equal(p.b1, q.b1, sizeof p.b1);
    for (size_t i = 0; i < UNITS * UNITS; i++) {
        size_t reads = column[i / UNITS];
        assert_close(p.w2[i], column[i % UNITS] <= reads ? q.w2[i] * factor[reads] : 0, 1e-15);
    }
    for (size_t i = 0; i < SCENE_CLASSES * UNITS; i++) {
        size_t reads = i / UNITS / 2;
        assert_close(p.head[i], column[i % UNITS] <= reads ? q.head[i] * factor[reads] : 0, 1e-15);
    }
    scene_close(&s);
    scene_close(&plain);
}

static void assert_moves(double before, double after, bool exists, size_t owner, size_t phase)
{
    assert_true(exists || (before == 0 && after == 0));
    assert_true((after != before) == (exists && owner == phase));
}

static void a_task_learns_its_column(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE(COLUMNS));
    scene_create(&s);
    for (size_t phase = 0; phase < 3; phase++) {
        const parts p = parts_of(&s);
        subnetwork_learn(&s, phase);
        const parts q = parts_of(&s);
        for (size_t i = 0; i < UNITS * SCENE_INPUTS; i++) {
            assert_moves(p.w1[i], q.w1[i], true, column[i / SCENE_INPUTS], phase);
        }
        for (size_t i = 0; i < UNITS * UNITS; i++) {
            size_t owner = column[i / UNITS];
            assert_moves(p.w2[i], q.w2[i], column[i % UNITS] <= owner, owner, phase);
        }
        for (size_t i = 0; i < SCENE_CLASSES * UNITS; i++) {
            size_t owner = i / UNITS / 2;
            assert_moves(p.head[i], q.head[i], column[i % UNITS] <= owner, owner, phase);
        }
        for (size_t u = 0; u < UNITS; u++) {
            assert_moves(p.b1[u], q.b1[u], true, column[u], phase);
            assert_moves(p.b2[u], q.b2[u], true, column[u], phase);
        }
        for (size_t j = 0; j < SCENE_CLASSES; j++) {
            assert_moves(p.bias[j], q.bias[j], true, j / 2, phase);
        }
    }
    scene_close(&s);
}

/* Column 0: 2*9 + 2, 2*2 + 2; its outputs 2*2 + 2. Column 1: 9 + 1, 3 + 1, 2*3 + 2. */
static void capacity_is_what_exists(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        learner_scene s =
            subnetwork_open(SCENE(COLUMNS, "learner.base", first == 1 ? "first" : "model"));
        eg_learner_capacity capacity;
        scene_create(&s);
        assert_true(eg_learner_get_capacity(s.learner, 1, &capacity));
        assert_close(capacity.stored, 20 + 6 + 6, 0);
        assert_close(capacity.base, first == 1 ? 20 + 6 + 6 : 36 + 4 + 16 + 4 + 10, 0);
        assert_true(eg_learner_get_capacity(s.learner, 2, &capacity));
        assert_close(capacity.stored, 32 + 10 + 4 + 8, 0);
        assert_close(capacity.base, first == 1 ? 20 + 6 + 12 : 60 + 20, 0);
        scene_close(&s);
    }
}

/* Without `later` the others divide what the first one leaves: 7 units are 3 + 2 + 2. */
static void later_columns_divide_the_rest(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE("learner", "progressive", "learner.first", "0.4",
                                            "model.hidden", "[7]", "model.activation", "tanh"));
    double before[7];
    double after[7];
    const size_t owner[] = {0, 0, 0, 1, 1, 2, 2};
    scene_create(&s);
    for (size_t phase = 0; phase < 3; phase++) {
        (void)subnetwork_array(&s, "network/layer1.bias", before);
        subnetwork_learn(&s, phase);
        (void)subnetwork_array(&s, "network/layer1.bias", after);
        for (size_t u = 0; u < 7; u++) {
            assert_true((before[u] != after[u]) == (owner[u] == phase));
        }
    }
    scene_close(&s);
}

static void assert_refused(const char *const *more, const char *part)
{
    learner_scene s = subnetwork_open(more);
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, part);
    scene_close(&s);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    assert_refused(SCENE("learner", "progressive", "learner.first", "0.7", "learner.later", "0.2"),
                   "learner.first = 0.7 and 2 times learner.later = 0.2 are more than the network");
    assert_refused(SCENE("learner", "progressive", "model.hidden", "[7, 2]"),
                   "hidden layer 2 has 2 units, and task 3 of 3 gets none");
    assert_refused(
        SCENE("learner", "progressive", "model.activation", "topk_mask", "model.activation.k", "2"),
        "units depend on others");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_read_earlier_ones),
        cmocka_unit_test(a_task_learns_its_column),
        cmocka_unit_test(capacity_is_what_exists),
        cmocka_unit_test(later_columns_divide_the_rest),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
