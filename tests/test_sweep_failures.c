/** The keys `max_failures` and `max_seconds` of a sweep file. */
#include "testing.h"

#include "engram/params.h"
#include "plans.h"

/** Ten trials. */
#define SWEEP(more)                                                                                \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "grid: {optimizer.lr: [1, 2]}\n"                                                               \
    "seeds: 5\n" more "\n"

static void assert_allows(const char *text, const char *override, size_t failures)
{
    eg_plan *plan = plan_of(text, override);
    assert_int_equal(eg_plan_max_failures(plan), failures);
    eg_plan_free(plan);
}

static void counts_and_shares(void **state)
{
    (void)state;
    assert_allows(SWEEP(""), NULL, SIZE_MAX);
    assert_allows(SWEEP("max_failures: off"), NULL, SIZE_MAX);
    assert_allows(SWEEP("max_failures: 3"), NULL, 3);
    assert_allows(SWEEP("max_failures: 30%"), NULL, 3);
    assert_allows(SWEEP("max_failures: 31 %"), NULL, 4); /* more than three */
    assert_allows(SWEEP("max_failures: 0.1%"), NULL, 1);
    assert_allows(SWEEP("max_failures: 100%"), NULL, 10);
    assert_allows(SWEEP("max_failures: 3"), "max_failures=7", 7);
    assert_allows(SWEEP("max_failures: 3"), "max_failures=off", SIZE_MAX);
}

static void refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        SWEEP("max_failures: 0"),   SWEEP("max_failures: 0.5"),  SWEEP("max_failures: 0%"),
        SWEEP("max_failures: -1"),  SWEEP("max_failures: 101%"), SWEEP("max_failures: many"),
        SWEEP("max_failures: 3 x"), SWEEP("max_failures: nan"),  SWEEP("max_failures: ''"),
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        assert_fails(plan_status(rows[i], NULL), EG_INVALID, "t.yaml:5:15: max_failures = ");
    }
    assert_fails(plan_status(SWEEP("max_failures: [3]"), NULL), EG_INVALID, "t.yaml:5:15:");
    assert_fails(plan_status(SWEEP("max_failure: 3"), NULL), EG_INVALID, "max_failures");
}

/** It is a setting of every point, with a key of its own, and no part of a trial's id. */
static void seconds(void **state)
{
    (void)state;
    eg_plan *without = plan_of(SWEEP(""), NULL);
    eg_plan *with = plan_of(SWEEP("max_seconds: 60"), NULL);
    assert_column(without, "max_seconds", "0 0");
    assert_column(with, "max_seconds", "60 60");
    for (size_t t = 0; t < with->trial_count; t++) {
        assert_int_equal(with->trials[t].id, without->trials[t].id);
    }
    eg_plan_free(with);
    eg_plan_free(without);
    with = plan_of(SWEEP("max_seconds: 60"), "max_seconds=5");
    assert_column(with, "max_seconds", "5 5");
    eg_plan_free(with);
    assert_fails(plan_status(SWEEP("max_seconds: -1"), NULL), EG_INVALID, "t.yaml:5:14:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_shares),
        cmocka_unit_test(refused),
        cmocka_unit_test(seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
