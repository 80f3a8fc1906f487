/** The key `baselines`: which points it adds, which it does not, and that rules and `select` leave them alone. */
#include "testing.h"

#include "engram/params.h"
#include "plans.h"

#include <string.h>

#define HEAD                                                                                       \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "seeds: 2\n"

/** One of each per network and optimizer, whatever learners are compared; behind the others. */
static void of_every_network(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "grid: {optimizer.lr: [1, 2], learner: [ewc, si]}\n"
                                 "baselines: auto\n",
                            NULL);
    assert_int_equal(plan->compared_count, 4);
    assert_int_equal(plan->duplicates, 0);
    assert_column(plan, "optimizer.lr", "1 1 2 2 1 2 1 2 1 2");
    assert_column(plan, "learner", "ewc si ewc si plain plain plain plain plain plain");
    assert_column(plan, "stream", "split split split split split split split split iid iid");
    assert_column(plan, "stream.joint", "false false false false false false true true - -");
    assert_column(plan, "baseline", "none none none none finetune finetune joint joint iid iid");
    eg_plan_free(plan);
}

/** A label is no part of what trials are, and without the key there are none. */
static void ids_stay(void **state)
{
    (void)state;
    eg_plan *with = plan_of(HEAD "grid: {learner: [ewc]}\nbaselines: [finetune]\n", NULL);
    eg_plan *without = plan_of(HEAD "grid: {learner: [ewc, plain]}\n", NULL);
    assert_int_equal(with->point_count, 2);
    assert_int_equal(without->compared_count, 2);
    for (size_t t = 0; t < with->trial_count; t++) {
        assert_int_equal(with->trials[t].id, without->trials[t].id);
    }
    eg_plan_free(with);
    eg_plan_free(without);
    /* One that the sweep has itself is there once, among the compared. */
    with = plan_of(HEAD "grid: {learner: [ewc, plain]}\nbaselines: finetune\n", NULL);
    assert_int_equal(with->point_count, 2);
    eg_plan_free(with);
    with = plan_of(HEAD "grid: {learner: [ewc]}\nbaselines: auto\n", "baselines=off");
    assert_int_equal(with->point_count, 1);
    eg_plan_free(with);
}

static void assert_note(const eg_plan *plan, const char *words)
{
    bool found = false;
    for (size_t i = 0; i < plan->note_count; i++) {
        found = found || strstr(plan->notes[i], words) != NULL;
    }
    if (!found) {
        print_error("no note says \"%s\"\n", words);
        for (size_t i = 0; i < plan->note_count; i++) {
            print_error("note: %s\n", plan->notes[i]);
        }
    }
    assert_true(found);
}

/** Multi-task learning where the task is told; what a stream does not support is left out with a reason. */
static void where_supported(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "grid: {learner: [ewc]}\nbaselines: auto\n", "stream.active=task");
    assert_column(plan, "baseline", "none finetune joint");
    assert_column(plan, "stream.joint_loss", "all all task");
    assert_note(plan,
                "baselines: 1 point without iid: stream split as it is here is not that of iid");
    eg_plan_free(plan);
    plan =
        plan_of(HEAD "grid: {learner: [ewc]}\nbaselines: auto\n", "stream.partition=[[0, 1], [2]]");
    assert_column(plan, "baseline", "none finetune joint"); /* iid has all ten classes */
    eg_plan_free(plan);
    plan = plan_of(HEAD "grid: {learner: [l2]}\nbaselines: auto\n", "stream=class_incremental",
                   "stream.tasks=2");
    assert_column(plan, "baseline", "none finetune");
    assert_note(plan, "baselines: 1 point without joint: ");
    eg_plan_free(plan);
    plan =
        plan_of(HEAD "grid: {learner: [ewc]}\nbaselines: auto\n", "measures=[default, learning]");
    assert_column(plan, "baseline", "none finetune iid");
    assert_note(plan, "without joint: ");
    eg_plan_free(plan);
}

static eg_outcome done(double objective)
{
    return (eg_outcome){.status = EG_TRIAL_DONE, .objective = objective, .reported = objective};
}

/** The best baseline is not selected, none is cut, and none changes what becomes of the others. */
static void left_alone(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "grid: {learner: [ewc, si]}\nbaselines: auto\n"
                                 "select: {best: 1, seeds: 1}\n"
                                 "stop: [{early_cut: {after: 1, below: 0.5}}, {asha: {eta: 2}}]\n",
                            NULL);
    eg_outcome outcomes[16] = {0};
    size_t points = plan->point_count;
    assert_int_equal(points, 5);
    assert_int_equal(eg_plan_budget(plan, outcomes, 0).until, 1);
    assert_int_equal(eg_plan_budget(plan, outcomes, 2).until, 0); /* a baseline, to its end */
    assert_false(eg_plan_compares(plan, 0, 2));
    for (size_t t = 0; t < plan->trial_count; t++) {
        size_t point = plan->trials[t].point;
        outcomes[t] = done(point == 0 ? 0.6 : point == 1 ? 0.7 : point == 2 ? 0.1 : 0.9);
    }
    assert_int_equal(eg_plan_keep(plan, outcomes, 2), SIZE_MAX); /* below 0.5 */
    size_t added = 0;
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 1);
    assert_int_equal(plan->trials[plan->trial_count - 1].point, 1);
    eg_plan_free(plan);
}

static void refused(void **state)
{
    (void)state;
    assert_fails(plan_status(HEAD "baselines: automatic\n", NULL), EG_INVALID,
                 "t.yaml:4:12: baselines = automatic: must be auto, off, or a list");
    assert_fails(plan_status(HEAD "baselines: [joint, auto]\n", NULL), EG_INVALID,
                 "baselines = auto: must be");
    assert_fails(plan_status(HEAD "baseline: auto\n", NULL), EG_INVALID, "baselines");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_every_network), cmocka_unit_test(ids_stay),
        cmocka_unit_test(where_supported),  cmocka_unit_test(left_alone),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
