/** Expansion: hand-counted points, their order, identities, blocks, conditions, overrides, includes. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/sweep.h"
#include "engram/trial.h"
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Products --------------------------------------------------------------------------------------- */

static void test_grid_order(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 2\ngrid:\n"
                            "  optimizer.lr: [0.1, 0.2]\n"
                            "  stream.epochs: [1, 2, 3]\n",
                            NULL);
    assert_int_equal(plan->point_count, 6);
    assert_column(plan, "optimizer.lr",
                  "0.1 0.1 0.1 0.2 0.2 0.2"); /* the first entry varies slowest */
    assert_column(plan, "stream.epochs", "1 2 3 1 2 3");
    assert_int_equal(plan->swept_count, 2);
    assert_string_equal(plan->swept[0], "stream.epochs"); /* the schema's order */
    assert_string_equal(plan->swept[1], "optimizer.lr");

    /* Seeds outermost: replicate 0 of every point, then replicate 1. */
    assert_int_equal(plan->trial_count, 12);
    for (size_t i = 0; i < 12; i++) {
        const eg_plan_trial *trial = &plan->trials[i];
        assert_int_equal(trial->point, i % 6);
        assert_int_equal(trial->replicate, i / 6);
        assert_int_equal(trial->seed, i / 6);
        assert_int_equal(eg_plan_find(plan, i % 6, i / 6), i);
        uint64_t id = 0;
        assert_ok(eg_trial_id(&id, plan->points[i % 6].settings, i / 6));
        assert_true(trial->id == id);
        for (size_t k = 0; k < i; k++) {
            assert_true(plan->trials[k].id != id);
        }
    }
    assert_true(eg_plan_find(plan, 6, 0) == SIZE_MAX);
    assert_true(eg_plan_find(plan, 0, 2) == SIZE_MAX);
    double cost = 0;
    assert_ok(eg_trial_cost(&cost, plan->points[5].settings));
    assert_close(plan->points[5].cost, cost, 0);
    assert_true(plan->points[5].cost > plan->points[3].cost);
    eg_plan_free(plan);
}

/** The published grids: 6 points of hard_ash, 3 of adagrad, 24 of adam … */
static void test_component_alternatives(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 5\ngrid:\n"
                            "  model.activation:\n"
                            "    - hard_ash: {alpha: [3, 4], z_k: [2.2, 2.3, 2.4]}\n"
                            "    - relu\n"
                            "    - topk_subtract: {k: [32, 64], x_max: 2}\n"
                            "  optimizer:\n"
                            "    - adagrad: {lr: [1e-4, 2e-4, 3e-4]}\n"
                            "    - adam: {lr: [8e-6, 1e-5, 1.5e-5], beta1: [.9, .95, .98, .99],\n"
                            "             beta2: [.999, .9995]}\n",
                            NULL);
    assert_int_equal(plan->point_count, (6 + 1 + 2) * (3 + 24));
    assert_int_equal(plan->trial_count, 9 * 27 * 5);
    assert_int_equal(plan->duplicates, 0);
    assert_string_equal(eg_test_value(plan, 0, "model.activation"), "hard_ash");
    assert_string_equal(eg_test_value(plan, 0, "model.activation.alpha"), "3");
    assert_string_equal(eg_test_value(plan, 27, "model.activation.z_k"), "2.3");
    assert_string_equal(eg_test_value(plan, 6 * 27, "model.activation"), "relu");
    assert_string_equal(eg_test_value(plan, 6 * 27, "model.activation.alpha"), "-");
    assert_string_equal(eg_test_value(plan, 9 * 27 - 1, "optimizer.beta1"), "0.99");
    /* Parameters that only later points bring stand with their component, before the optimizer. */
    size_t k = 0;
    size_t optimizer = 0;
    for (size_t i = 0; i < plan->swept_count; i++) {
        k = strcmp(plan->swept[i], "model.activation.k") == 0 ? i : k;
        optimizer = strcmp(plan->swept[i], "optimizer") == 0 ? i : optimizer;
    }
    assert_string_equal(plan->swept[0], "model.activation");
    assert_true(k > 0 && k < optimizer);
    eg_plan_free(plan);
    /* Nor is what the learner does not look at, which makes points that give the same results. */
    plan = plan_of("name: t\nseeds: 3\ngrid:\n"
                   "  learner: [flymodel: {units: [100, 200]}]\n  optimizer.lr: [1, 2]\n",
                   NULL);
    assert_int_equal(plan->point_count, 4);
    assert_int_equal(plan->swept_count, 1);
    assert_string_equal(plan->swept[0], "learner.units");
    assert_int_equal(plan->warning_count, 1);
    assert_non_null(strstr(plan->warnings[0], "2 points differ from others only in settings that"));
    eg_plan_free(plan);
    /* What has one value where it is there at all is not swept. */
    plan = plan_of("name: t\nseeds: 3\ngrid:\n"
                   "  model.activation: [hard_ash: {alpha: [3], z_k: [2.2, 2.3]}, relu]\n",
                   NULL);
    assert_int_equal(plan->swept_count, 2);
    assert_string_equal(plan->swept[0], "model.activation");
    assert_string_equal(plan->swept[1], "model.activation.z_k");
    eg_plan_free(plan);

    /* One alternative as a map, alternatives inside alternatives, nested groups. */
    plan =
        plan_of("name: t\nseeds: 3\ngrid:\n"
                "  optimizer:\n"
                "    sgd: {schedule: [constant, exponential: {gamma: [0.5, 0.7], period: 200}]}\n"
                "  eval: {every: [10, 20]}\n",
                NULL);
    assert_int_equal(plan->point_count, 3 * 2);
    assert_column(plan, "optimizer.schedule.gamma", "- - 0.5 0.5 0.7 0.7");
    assert_column(plan, "eval.every", "10 20 10 20 10 20");
    eg_plan_free(plan);
}

static void test_values_of_lists(void **state)
{
    (void)state;
    eg_plan *plan =
        plan_of("name: t\nseeds: 3\ngrid:\n  model.hidden: [[1000], [500, 500], 7]\n", NULL);
    assert_int_equal(plan->point_count, 3);
    assert_string_equal(eg_test_value(plan, 1, "model.hidden"), "[500, 500]");
    assert_string_equal(eg_test_value(plan, 2, "model.hidden"), "[7]");
    eg_plan_free(plan);
    plan = plan_of("name: t\nseeds: 3\nbase: {model.hidden: [500, 500]}\n"
                   "grid:\n  stream.partition:\n"
                   "    - [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]\n"
                   "    - [[9, 8, 7, 6, 5], [4, 3, 2, 1, 0]]\n",
                   NULL);
    assert_int_equal(plan->point_count, 2);
    assert_string_equal(eg_test_value(plan, 1, "stream.partition"),
                        "[[9, 8, 7, 6, 5], [4, 3, 2, 1, 0]]");
    eg_plan_free(plan);
}

static void test_zip(void **state)
{
    (void)state;
    eg_plan *plan =
        plan_of("name: t\nseeds: 3\n"
                "zip:\n  size: {model.hidden: [[10], [20, 20]], stream.epochs: [1, 2]}\n"
                "  rate: {optimizer: [sgd, adagrad], optimizer.lr: [0.5, 0.25]}\n"
                "grid: {stream.batch: [8, 16, 32]}\n",
                NULL);
    assert_int_equal(plan->point_count, 3 * 2 * 2);
    assert_column(plan, "stream.epochs", "1 1 2 2 1 1 2 2 1 1 2 2");
    assert_column(plan, "optimizer",
                  "sgd adagrad sgd adagrad sgd adagrad sgd adagrad sgd adagrad sgd "
                  "adagrad");
    assert_column(plan, "optimizer.lr", "0.5 0.25 0.5 0.25 0.5 0.25 0.5 0.25 0.5 0.25 0.5 0.25");
    assert_string_equal(eg_test_value(plan, 2, "model.hidden"), "[20, 20]");
    eg_plan_free(plan);
}

static void test_when(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 3\n"
                            "grid: {optimizer: [adam, sgd], stream.epochs: [1, 2]}\n"
                            "when:\n"
                            "  - if: {optimizer: adam}\n"
                            "    grid: {optimizer.beta1: [0.9, 0.95, 0.99]}\n"
                            "  - if: {optimizer.beta1: {at_least: 0.95}, stream.epochs: 2}\n"
                            "    grid: {optimizer.beta2: [0.99, 0.999]}\n",
                            NULL);
    /* adam, 1 epoch: 3; adam, 2 epochs: 1 + 2 * 2; sgd: 2. The second entry sees what the first gave. */
    assert_int_equal(plan->point_count, 3 + 5 + 2);
    assert_column(plan, "optimizer.beta1", "0.9 0.95 0.99 0.9 0.95 0.95 0.99 0.99 - -");
    assert_string_equal(eg_test_value(plan, 4, "optimizer.beta2"), "0.99");
    assert_string_equal(eg_test_value(plan, 5, "optimizer.beta2"), "0.999");
    eg_plan_free(plan);

    /* Conditions see defaults too. */
    plan = plan_of("name: t\nseeds: 3\ngrid: {stream.epochs: [1, 2]}\n"
                   "when:\n  - if: {stream: split}\n    grid: {stream.tasks: [2, 5]}\n",
                   NULL);
    assert_int_equal(plan->point_count, 4);
    eg_plan_free(plan);
}

static void test_exclude(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        size_t left; /* of lr 0.1 0.2 0.3 0.4 with adam (beta1 0.9) and sgd */
    } cases[] = {
        {"{optimizer.lr: 0.2}", 6},
        {"{optimizer.lr: 2e-1}", 6},
        {"{optimizer.lr: [0.1, 0.4]}", 4},
        {"{optimizer.lr: {above: 0.2}}", 4},
        {"{optimizer.lr: {at_least: 0.2}}", 2},
        {"{optimizer.lr: {below: 0.2}}", 6},
        {"{optimizer.lr: {at_most: 0.2}}", 4},
        {"{optimizer.lr: {above: 0.1, below: 0.4}}", 4},
        {"{optimizer.lr: {not: 0.1}}", 2},
        {"{optimizer.lr: {not: [0.1, 0.2]}}", 4},
        {"{optimizer: sgd, optimizer.lr: {above: 0.1}}", 5},
        {"{optimizer: [sgd], optimizer.lr: 0.1}", 7},
        {"{optimizer.beta1: 0.9}", 4},        /* sgd has no beta1: never matches */
        {"{optimizer.beta1: {not: 0.5}}", 4}, /* not even a negation */
        {"{model.hidden: [1000], optimizer: adam}", 4},
        {"{model.hidden: [[1000], [5]], optimizer: adam}", 4},
        {"{model.hidden: [5, 5]}", 8},
    };
    /* A single map, and a list of one. */
    for (size_t k = 0; k < 2 * EG_COUNT(cases); k++) {
        size_t i = k / 2;
        char text[400];
        (void)snprintf(text, sizeof text,
                       "name: t\nseeds: 3\nbase: {optimizer.beta1: 0.9}\n"
                       "grid: {optimizer: [adam, sgd], optimizer.lr: [0.1, 0.2, 0.3, 0.4]}\n"
                       "exclude:\n  %s %s\n",
                       k % 2 == 0 ? "" : "-", cases[i].condition);
        eg_plan *plan = plan_of(text, NULL);
        if (plan->point_count != cases[i].left) {
            fail_msg("%s leaves %zu points, expected %zu", cases[i].condition, plan->point_count,
                     cases[i].left);
        }
        assert_int_equal(plan->excluded, 8 - cases[i].left);
        assert_int_equal(plan->warning_count, cases[i].left == 8 ? 1 : 0);
        eg_plan_free(plan);
    }
}

static void test_only(void **state)
{
    (void)state;
    static const struct {
        const char *only;
        size_t left; /* of lr 0.1 0.2 with adam and sgd, and sgd with 0.4 in a block */
    } cases[] = {
        {"{optimizer: sgd}", 3},
        {"{optimizer: sgd, optimizer.lr: 0.1}", 1},
        {"[{optimizer: adam, optimizer.lr: 0.1}, {optimizer.lr: {above: 0.15}}]", 4},
        {"{optimizer.lr: {at_least: 0.1}}", 5},
    };
    const char *file = "name: t\nseeds: 3\n"
                       "grid: {optimizer: [adam, sgd], optimizer.lr: [0.1, 0.2]}\n"
                       "blocks: {more: {base: {optimizer: sgd, optimizer.lr: 0.4}}}\n";
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        char text[400];
        (void)snprintf(text, sizeof text, "%sonly: %s\n", file, cases[i].only);
        eg_plan *plan = plan_of(text, NULL);
        assert_int_equal(plan->point_count, cases[i].left);
        assert_int_equal(plan->excluded, 5 - cases[i].left);
        eg_plan_free(plan);
        char override[200];
        (void)snprintf(override, sizeof override, "only=%s", cases[i].only);
        plan = plan_of(file, override);
        assert_int_equal(plan->point_count, cases[i].left);
        eg_plan_free(plan);
    }
}

static void test_blocks(void **state)
{
    (void)state;
    eg_plan *plan =
        plan_of("name: t\nseeds: 3\nbase: {stream.epochs: 2}\n"
                "exclude: [{optimizer.lr: 0.4}]\n"
                "blocks:\n"
                "  one: {grid: {optimizer.lr: [0.1, 0.2]}}\n"
                "  two: {base: {stream.epochs: 3}, grid: {optimizer.lr: [0.2, 0.3, 0.4]}}\n"
                "  three: {grid: {optimizer.lr: [0.2, 0.3]}, exclude: [{optimizer.lr: 0.3}]}\n"
                "  four: {base: {optimizer.lr: 0.1}}\n",
                NULL);
    /* 0.2 of three and 0.1 of four are in one already; 0.4 and 0.3 of three are excluded. */
    assert_column(plan, "optimizer.lr", "0.1 0.2 0.2 0.3");
    assert_column(plan, "stream.epochs", "2 2 3 3");
    assert_int_equal(plan->duplicates, 2);
    assert_int_equal(plan->excluded, 2);
    eg_plan_free(plan);

    /* A top-level grid is a block of its own, besides the others. */
    plan = plan_of("name: t\nseeds: 3\ngrid: {optimizer.lr: [0.1, 0.2]}\n"
                   "blocks:\n  more: {grid: {optimizer.lr: [0.2, 0.3]}}\n",
                   NULL);
    assert_column(plan, "optimizer.lr", "0.1 0.2 0.3");
    assert_int_equal(plan->duplicates, 1);
    eg_plan_free(plan);

    plan = plan_of("name: t\nseeds: 3\n", NULL); /* a single point of defaults */
    assert_int_equal(plan->point_count, 1);
    assert_int_equal(plan->swept_count, 0);
    eg_plan_free(plan);
}

static void test_base(void **state)
{
    (void)state;
    /* Dotted and nested are the same. */
    eg_plan *dotted = plan_of("name: t\nseeds: 3\nbase: {optimizer: adam, optimizer.lr: 1e-3, "
                              "optimizer.beta1: 0.8, eval.every: 7}\n",
                              NULL);
    eg_plan *nested =
        plan_of("name: t\nseeds: 3\nbase:\n  optimizer: {adam: {lr: 1e-3, beta1: 0.8}}\n"
                "  eval: {every: 7}\n",
                NULL);
    eg_plan *mixed = plan_of("name: t\nseeds: 3\nbase:\n  optimizer.beta1: 0.8\n  optimizer: adam\n"
                             "  eval.every: 7\ngrid: {optimizer: {lr: 0.001}}\n",
                             NULL);
    assert_true(dotted->trials[0].id == nested->trials[0].id);
    assert_true(dotted->trials[0].id == mixed->trials[0].id);
    assert_string_equal(eg_test_value(dotted, 0, "optimizer.beta1"), "0.8");
    eg_plan_free(dotted);
    eg_plan_free(nested);
    eg_plan_free(mixed);

    /* Base parameters of a component apply to the points that choose it. */
    eg_plan *plan = plan_of("name: t\nseeds: 3\nbase: {model.activation.alpha: 5}\n"
                            "grid: {model.activation: [relu, hard_ash]}\n",
                            NULL);
    assert_column(plan, "model.activation.alpha", "- 5");
    eg_plan_free(plan);
}

/* Identity --------------------------------------------------------------------------------------- */

static void assert_same_ids(const char *a, const char *b, bool same)
{
    eg_plan *first = plan_of(a, NULL);
    eg_plan *second = plan_of(b, NULL);
    assert_int_equal(first->trial_count, second->trial_count);
    for (size_t i = 0; i < first->trial_count; i++) {
        bool found = false;
        for (size_t k = 0; k < second->trial_count; k++) {
            found = found || first->trials[i].id == second->trials[k].id;
        }
        assert_true(found == same);
    }
    eg_plan_free(first);
    eg_plan_free(second);
}

static void test_identity(void **state)
{
    (void)state;
    static const char plain[] = "name: t\nseeds: 3\ngrid: {optimizer.lr: [1e-4, 2e-4], "
                                "stream.epochs: [1, 2]}\n";
    assert_same_ids(
        plain, "name: u\nseeds: 3\ngrid: {stream.epochs: [2, 1], optimizer.lr: [0.0002, 0.0001]}\n",
        true);
    assert_same_ids(plain,
                    "name: t\nseeds: [2, 0, 1]\nbase: {stream: split, optimizer: adagrad, "
                    "model.hidden: [1000], stream.batch: 64, model.bias: false}\n"
                    "grid: {optimizer.lr: [1e-4, 2e-4], stream.epochs: [1, 2]}\n",
                    true);
    /* Another name of a component is the same component. */
    assert_same_ids(plain,
                    "name: t\nseeds: 3\nbase: {learner: finetune}\nonly: {learner: finetune}\n"
                    "grid: {optimizer.lr: [1e-4, 2e-4], stream.epochs: [1, 2]}\n",
                    true);
    eg_plan *both = plan_of("name: t\ngrid: {learner: [plain, finetune]}\n", NULL);
    assert_int_equal(both->point_count, 1);
    eg_plan_free(both);
    /* A setting that keeps results is no part of a trial's id, every other is. */
    assert_same_ids(plain,
                    "name: t\nseeds: 3\nbase: {eval.block: 100}\n"
                    "grid: {optimizer.lr: [1e-4, 2e-4], stream.epochs: [1, 2]}\n",
                    true);
    assert_same_ids(plain,
                    "name: t\nseeds: 3\nbase: {stream.batch: 65}\n"
                    "grid: {optimizer.lr: [1e-4, 2e-4], stream.epochs: [1, 2]}\n",
                    false);
    assert_same_ids(
        plain,
        "name: t\nseeds: [3, 4, 5]\ngrid: {optimizer.lr: [1e-4, 2e-4], stream.epochs: [1, 2]}\n",
        false);
}

static void test_warnings(void **state)
{
    (void)state;
    eg_plan *plan =
        plan_of("name: t\nseeds: 2\nprotocol: test\nobjective: train_seconds\n"
                "stop: {early_cut: {after: 2, below: 0.5}}\nselect: {best: 2, seeds: 3}\n",
                NULL);
    static const char *const parts[] = {"train_seconds differs between identical runs",
                                        "selection uses the test set", "2 seeds per point",
                                        "early_cut never cuts", "select takes the best 2 points"};
    assert_int_equal(plan->warning_count, EG_COUNT(parts));
    for (size_t i = 0; i < EG_COUNT(parts); i++) {
        assert_non_null(strstr(plan->warnings[i], parts[i]));
    }
    assert_string_equal(eg_test_value(plan, 0, "protocol"), "test");
    eg_plan_free(plan);
    plan = plan_of("name: t\nseeds: 3\nprotocol: {first_tasks: {k: 2}}\n", NULL);
    assert_int_equal(plan->warning_count, 0);
    assert_string_equal(eg_test_value(plan, 0, "protocol.k"), "2");
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid_order),
        cmocka_unit_test(test_component_alternatives),
        cmocka_unit_test(test_values_of_lists),
        cmocka_unit_test(test_zip),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_exclude),
        cmocka_unit_test(test_only),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
