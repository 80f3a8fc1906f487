/** The keys `seeds` and `select` where seeds are pairs: which trials there are, and what is refused. */
#include "testing.h"

#include "engram/params.h"
#include "engram/trial.h"
#include "plans.h"

#define SWEEP(seeds)                                                                               \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "grid: {optimizer.lr: [1, 2]}\n"                                                               \
    "seeds: " seeds "\n"

static eg_trial_seeds pair_of(const eg_plan *plan, size_t trial)
{
    const eg_plan_trial *planned = &plan->trials[trial];
    return eg_trial_seeds_of(plan->points[planned->point].settings, planned->seed);
}

static void every_pair(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{order: 3, init: 5}"), NULL);
    assert_int_equal(plan->seed_count, 15);
    assert_int_equal(plan->trial_count, 30);
    assert_column(plan, "seeding", "order_init order_init");
    for (size_t r = 0; r < 15; r++) {
        eg_trial_seeds pair = pair_of(plan, 2 * r);
        assert_int_equal(pair.order, r % 3);
        assert_int_equal(pair.init, r / 3);
    }
    /* More of either keeps the trials that there were. */
    eg_plan *larger = plan_of(SWEEP("{order: 4, init: 6}"), NULL);
    for (size_t t = 0; t < plan->trial_count; t++) {
        size_t found = 0;
        for (size_t u = 0; u < larger->trial_count; u++) {
            found += larger->trials[u].id == plan->trials[t].id;
        }
        assert_int_equal(found, 1);
    }
    eg_plan_free(larger);
    eg_plan_free(plan);
}

/** A list of either; one that is left out has one seed, 0. */
static void lists(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{init: [7, 9]}"), NULL);
    assert_int_equal(plan->seed_count, 2);
    eg_trial_seeds last = pair_of(plan, 3);
    assert_int_equal(last.order, 0);
    assert_int_equal(last.init, 9);
    eg_plan_free(plan);
    plan = plan_of(SWEEP("2"), "seeds={order: [3], init: 2}");
    assert_int_equal(plan->seed_count, 2);
    last = pair_of(plan, 3);
    assert_int_equal(last.order, 3);
    assert_int_equal(last.init, 1);
    eg_plan_free(plan);
}

static void second_stage(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{order: 2, init: 3}") "select: {best: 1, seeds: 2}\n", NULL);
    assert_int_equal(plan->select_seed_count, 2);
    const eg_settings *settings = plan->points[0].settings;
    eg_trial_seeds pair = eg_trial_seeds_of(settings, plan->select_seeds[1]);
    assert_int_equal(pair.order, 3); /* neither was there before */
    assert_int_equal(pair.init, 4);
    eg_plan_free(plan);
    plan = plan_of(SWEEP("{order: 2, init: 3}") "select: {best: 1, seeds: {order: 2, init: 2}}\n",
                   NULL);
    assert_int_equal(plan->select_seed_count, 4);
    pair = eg_trial_seeds_of(plan->points[0].settings, plan->select_seeds[0]);
    assert_int_equal(pair.order, 2);
    assert_int_equal(pair.init, 3);
    eg_plan_free(plan);
}

/** Seeds that are no pairs are what they were. */
static void plain_seeds(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("[5, 8]") "select: {best: 1, seeds: 2}\n", NULL);
    assert_column(plan, "seeding", "one one");
    assert_int_equal(plan->seeds[1], 8);
    assert_int_equal(plan->select_seeds[0], 9);
    eg_plan_free(plan);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {SWEEP("{order: 3, inti: 5}"), "t.yaml:4:"},
        {SWEEP("{order: 3, inti: 5}"), "init"},
        {SWEEP("{}"), "seeds needs order, init or both"},
        {SWEEP("{order: 0}"), "seeds.order"},
        {SWEEP("{order: [1, 1]}"), "seeds.order: seed 1 is listed twice"},
        {SWEEP("{order: [67108865]}"), "seeds.order"},
        {SWEEP("{order: 10000, init: 10000}"), "more than the 10000000 trials"},
        {SWEEP("2") "select: {best: 1, seeds: {order: 2}}\n", "needs seeds of that kind"},
        {SWEEP("{order: 2}") "select: {best: 1, seeds: [7]}\n", "such a map here, too"},
        {SWEEP("{order: 2}") "select: {best: 1, seeds: {order: [1], init: [0]}}\n",
         "has already run in the first stage"},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        assert_fails(plan_status(rows[i].text, NULL), EG_INVALID, rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair),  cmocka_unit_test(lists),   cmocka_unit_test(second_stage),
        cmocka_unit_test(plain_seeds), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
