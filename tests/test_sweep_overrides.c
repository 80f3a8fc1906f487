/** name=value on the command line: what it replaces, and what it may not say. */
#include "testing.h"

#include "engram/sweep.h"
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char small[] = "name: small\nseeds: 3\nobjective: final_accuracy\n"
                            "stop: {early_cut: {after: 2, below: 0.5}}\n"
                            "select: {best: 1, seeds: 2}\n"
                            "base: {stream.epochs: 1}\n"
                            "grid:\n"
                            "  optimizer.lr: [0.1, 0.2]\n"
                            "  model.activation: [relu, hard_ash: {alpha: [3, 4]}]\n"
                            "zip:\n  z: {stream.batch: [8, 16], eval.every: [1, 2]}\n";

static void test_overrides(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(small, NULL);
    assert_int_equal(plan->point_count, 2 * 3 * 2);
    assert_string_equal(plan->overrides, "");
    eg_plan_free(plan);

    plan = plan_of(small, "optimizer.lr=0.5", "stream.epochs=4", "seeds=[7, 9]", "name=other");
    assert_int_equal(plan->point_count, 3 * 2);
    assert_column(plan, "optimizer.lr", "0.5 0.5 0.5 0.5 0.5 0.5");
    assert_column(plan, "stream.epochs", "4 4 4 4 4 4");
    assert_string_equal(plan->name, "other");
    assert_int_equal(plan->seed_count, 2);
    assert_int_equal(plan->seeds[1], 9);
    assert_string_equal(plan->overrides,
                        "optimizer.lr=0.5\nstream.epochs=4\nseeds=[7, 9]\nname=other\n");
    eg_plan_free(plan);

    /* A component with all its alternatives; one member of a zip group; a parameter of an alternative. */
    plan = plan_of(small, "model.activation=swish", "stream.batch=5", NULL);
    assert_int_equal(plan->point_count, 2 * 2);
    assert_column(plan, "eval.every", "1 2 1 2");
    assert_column(plan, "stream.batch", "5 5 5 5");
    eg_plan_free(plan);
    plan = plan_of(small, "model.activation.alpha=7", NULL);
    assert_int_equal(plan->point_count, 2 * 2 * 2);
    assert_column(plan, "model.activation.alpha", "- - 7 7 - - 7 7");
    eg_plan_free(plan);

    /* Several values, a whole component, the last of two. */
    plan = plan_of(small, "optimizer.lr=[1, 2, 3]", "model.activation=relu", "stream.batch=8",
                   "eval.every=0");
    assert_column(plan, "optimizer.lr", "1 2 3");
    eg_plan_free(plan);
    plan = plan_of(small, "model.activation={hard_ash: {alpha: [8, 9]}}", "optimizer.lr=1",
                   "optimizer.lr=2", "eval.every=0", "stream.batch=8");
    assert_column(plan, "model.activation.alpha", "8 9");
    assert_column(plan, "optimizer.lr", "2 2");
    eg_plan_free(plan);

    plan = plan_of(small, "stop=off", "select=off",
                   "objective={variable: forgetting, goal: minimise}");
    assert_int_equal(plan->stop_count, 0);
    assert_int_equal(plan->select_best, 0);
    assert_string_equal(plan->objective, "forgetting");
    assert_false(plan->maximise);
    eg_plan_free(plan);

    /* The other spelling. */
    plan = plan_of(small, "stop=off", "objective={variable: forgetting, goal: minimize}", NULL);
    assert_false(plan->maximise);
    eg_plan_free(plan);
    plan = plan_of(small, "objective={variable: final_accuracy, goal: maximize}", NULL);
    assert_true(plan->maximise);
    eg_plan_free(plan);

    /* Text may have commas. */
    plan = plan_of(small, "dataset=mnist", "dataset.path=a,b", NULL);
    assert_string_equal(eg_test_value(plan, 0, "dataset.path"), "a,b");
    eg_plan_free(plan);

    /* The parameters of a component that the command line replaces lose their meaning silently. */
    plan = plan_of(
        "name: t\nseeds: 3\nbase: {model.activation: hard_ash, model.activation.alpha: 4}\n",
        "model.activation=relu", NULL);
    assert_string_equal(eg_test_value(plan, 0, "model.activation"), "relu");
    eg_plan_free(plan);
}

static void test_override_mistakes(void **state)
{
    (void)state;
    assert_fails(plan_status(small, "optimizer.lr"), EG_INVALID,
                 "command line: 'optimizer.lr' is not of the form name=value");
    assert_fails(plan_status(small, "=3"), EG_INVALID, "not of the form name=value");
    assert_fails(plan_status(small, "lr=3"), EG_INVALID,
                 "command line: unknown setting 'lr': did you mean optimizer.lr?");
    assert_fails(plan_status(small, "seds=3"), EG_INVALID,
                 "command line: unknown setting 'seds': did you mean seeds?");
    assert_fails(plan_status(small, "optimizer.lr=-1"), EG_INVALID,
                 "command line: optimizer.lr = -1: must be above 0");
    assert_fails(plan_status(small, "optimizer.lr="), EG_INVALID, "optimizer.lr = (empty)");
    assert_fails(plan_status(small, "optimizer.lr=[1, "), EG_INVALID,
                 "command line: optimizer.lr: not valid YAML");
    assert_fails(plan_status(small, "model.activation=relu,sigmoid"), EG_INVALID,
                 "command line: model.activation = relu,sigmoid: several values are a list in "
                 "brackets: 'model.activation=[relu, sigmoid]'");
    assert_fails(plan_status(small, "optimizer.lr=1e-3, 1e-2,"), EG_INVALID,
                 "'optimizer.lr=[1e-3, 1e-2]'");
    assert_fails(plan_status(small, "model.hidden=100,50"), EG_INVALID, "'model.hidden=[100, 50]'");
    assert_fails(plan_status(small, "seeds=1,2"), EG_INVALID, "'seeds=[1, 2]'");
    assert_fails(plan_status(small, "optimizer.lr=\"1,2\""), EG_INVALID, "'optimizer.lr=[1, 2]'");
    assert_fails(plan_status(small, "seeds=0"), EG_INVALID, "seeds = 0: must be at least 1");
    assert_fails(plan_status(small, "optimizer.rho=0.9"), EG_INVALID,
                 "command line: no point has this setting: optimizer.rho belongs to adadelta or "
                 "rmsprop, but "
                 "optimizer is adagrad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_override_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
