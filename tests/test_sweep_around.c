/** The key `around`: one-at-a-time studies. */
#include "testing.h"

#include "engram/params.h"
#include "plans.h"

#define HEAD "name: t\nbase: {dataset: synthetic, model.hidden: [4], stream.batch: 8}\n"

static void each_alone(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "around:\n"
                                 "  at: {optimizer.lr: 0.5}\n"
                                 "  vary: {optimizer.lr: [0.25, 1], stream.batch: [4, 16]}\n",
                            NULL);
    assert_column(plan, "optimizer.lr", "0.5 0.25 1 0.5 0.5");
    assert_column(plan, "stream.batch", "8 8 8 4 16");
    assert_int_equal(plan->duplicates, 0);
    assert_int_equal(plan->swept_count, 2);
    eg_plan_free(plan);
}

/** A value that the reference has is the reference; without `at` it is what base says. */
static void shared_reference(void **state)
{
    (void)state;
    eg_plan *plan =
        plan_of(HEAD "around: {vary: {stream.batch: [4, 8], eval.every: [0, 3]}}\n", NULL);
    assert_column(plan, "stream.batch", "8 4 8");
    assert_column(plan, "eval.every", "0 0 3");
    assert_int_equal(plan->duplicates, 2);
    eg_plan_free(plan);
}

/** Alternatives bring their own parameters, generators their values; grids and blocks multiply and add. */
static void in_company(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "grid: {stream.tasks: [2, 5]}\n"
                                 "around:\n"
                                 "  vary:\n"
                                 "    optimizer: [{sgd: {lr: [1, 2]}}]\n"
                                 "    stream.batch: {range: [1, 2, 1]}\n",
                            NULL);
    assert_column(plan, "stream.tasks", "2 2 2 2 2 5 5 5 5 5");
    assert_column(plan, "optimizer",
                  "adagrad sgd sgd adagrad adagrad adagrad sgd sgd adagrad adagrad");
    assert_column(plan, "stream.batch", "8 8 8 1 2 8 8 8 1 2");
    eg_plan_free(plan);
    plan = plan_of(HEAD "blocks:\n"
                        "  one: {around: {vary: {stream.batch: [4]}}}\n"
                        "  two: {base: {stream.tasks: 2}, grid: {stream.batch: [8, 16]}}\n",
                   NULL);
    assert_column(plan, "stream.batch", "8 4 8 16");
    eg_plan_free(plan);
}

/** A setting of the command line holds everywhere. */
static void overridden(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(HEAD "around: {vary: {stream.batch: [4, 16], eval.every: [3]}}\n",
                            "stream.batch=2");
    assert_column(plan, "stream.batch", "2 2");
    assert_column(plan, "eval.every", "0 3");
    eg_plan_free(plan);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {HEAD "around: {at: {optimizer.lr: 1}}\n", "t.yaml:3:9: around needs vary"},
        {HEAD "around: {vary: {}}\n", "around.vary is empty"},
        {HEAD "around: {vari: {}}\n", "vary"},
        {HEAD "around: {vary: {optimiser.lr: [1]}}\n", "optimizer.lr"},
        {HEAD "around: {vary: {stream.batch: [0]}}\n", "stream.batch"},
        {HEAD "grid: {stream.batch: [1]}\naround: {vary: {stream.batch: [2]}}\n",
         "stream.batch is given by the around and by the grid"},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        assert_fails(plan_status(rows[i].text, NULL), EG_INVALID, rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_alone), cmocka_unit_test(shared_reference),
        cmocka_unit_test(in_company), cmocka_unit_test(overridden),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
