/** Slices of a plan: every trial in exactly one, all of the same weight, and always the same. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/sweep.h"
#include "plans.h"

#include <string.h>

/* Costs 3 : 2 : 1 (epochs); one point is dear enough to fill a slice by itself when there are three. */
static const char *const uneven = "name: t\n"
                                  "base: {dataset: synthetic, model.hidden: [8]}\n"
                                  "grid: {stream.epochs: [1, 2, 3]}\n"
                                  "seeds: 2\n";

static eg_plan *slice_of(const char *text, size_t slice, size_t count, const char *override)
{
    eg_plan *plan = plan_of(text, override);
    assert_ok(eg_plan_slice(plan, slice, count));
    return plan;
}

/** By hand: replicate 0 gives 3 to slice 1, 2 to slice 2, 1 to slice 2 (loads 3, 3); replicate 1 then
 *  gives 3 to slice 1 again (a tie goes to the first), 2 and 1 to slice 2. */
static void test_by_hand(void **state)
{
    (void)state;
    eg_plan *first = slice_of(uneven, 1, 2, NULL);
    eg_plan *second = slice_of(uneven, 2, 2, NULL);
    const struct {
        uint32_t point, replicate;
    } theirs[] = {{2, 0}, {2, 1}}, others[] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
    assert_int_equal(first->trial_count, EG_COUNT(theirs));
    assert_int_equal(second->trial_count, EG_COUNT(others));
    for (size_t i = 0; i < EG_COUNT(theirs); i++) {
        assert_int_equal(first->trials[i].point, theirs[i].point);
        assert_int_equal(first->trials[i].replicate, theirs[i].replicate);
        assert_int_equal(eg_plan_find(first, theirs[i].point, theirs[i].replicate), i);
        assert_true(eg_plan_find(second, theirs[i].point, theirs[i].replicate) == SIZE_MAX);
    }
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        assert_int_equal(second->trials[i].point, others[i].point);
        assert_int_equal(second->trials[i].replicate, others[i].replicate);
        assert_int_equal(eg_plan_find(second, others[i].point, others[i].replicate), i);
    }
    eg_plan_free(first);
    eg_plan_free(second);
}

static const char *const wide =
    "name: t\n"
    "base: {dataset: synthetic}\n"
    "grid: {stream.epochs: [1, 2, 5, 9], model.hidden: [[4], [8], [40]]}\n"
    "seeds: 5\n";

/** A partition, whatever the number of slices; no slice has more than one trial's cost above another. */
static void test_partition(void **state)
{
    (void)state;
    eg_plan *whole = plan_of(wide, NULL);
    double dearest = 0;
    for (size_t p = 0; p < whole->point_count; p++) {
        dearest = whole->points[p].cost > dearest ? whole->points[p].cost : dearest;
    }
    for (size_t count = 1; count <= 60; count += count < 8 ? 1 : 13) {
        unsigned char seen[60] = {0};
        double least = 1e300;
        double most = 0;
        assert_int_equal(whole->trial_count, 60);
        for (size_t slice = 1; slice <= count; slice++) {
            eg_plan *part = slice_of(wide, slice, count, NULL);
            double load = 0;
            assert_true(part->trial_count > 0);
            for (size_t i = 0; i < part->trial_count; i++) {
                const eg_plan_trial *trial = &part->trials[i];
                size_t at = eg_plan_find(whole, trial->point, trial->replicate);
                assert_true(whole->trials[at].id == trial->id);
                seen[at]++;
                load += part->points[trial->point].cost;
            }
            least = load < least ? load : least;
            most = load > most ? load : most;
            eg_plan_free(part);
        }
        for (size_t i = 0; i < 60; i++) {
            assert_int_equal(seen[i], 1);
        }
        assert_true(most - least <= dearest * (1 + 1e-9));
    }
    eg_plan_free(whole);
}

/** More seeds leave every trial in its slice: finished slices go on. */
static void test_more_seeds_move_nothing(void **state)
{
    (void)state;
    const char *const rules[] = {NULL, "stop={early_cut: {after: 2, below: 0.1}}"};
    for (size_t k = 0; k < EG_COUNT(rules); k++) {
        for (size_t slice = 1; slice <= 3; slice++) {
            eg_plan *small = plan_of(wide, rules[k], NULL);
            eg_plan *large =
                rules[k] == NULL ? plan_of(wide, "seeds=8") : plan_of(wide, rules[k], "seeds=8");
            assert_ok(eg_plan_slice(small, slice, 3));
            assert_ok(eg_plan_slice(large, slice, 3));
            for (size_t i = 0; i < small->trial_count; i++) {
                assert_true(eg_plan_find(large, small->trials[i].point,
                                         small->trials[i].replicate) != SIZE_MAX);
            }
            eg_plan_free(small);
            eg_plan_free(large);
        }
    }
}

/** A rule that looks at the replicates of a point has them all in one slice. */
static void test_rules_keep_points_whole(void **state)
{
    (void)state;
    for (size_t slice = 1; slice <= 3; slice++) {
        eg_plan *part = slice_of(uneven, slice, 3, "stop={early_cut: {after: 1, below: 0.1}}");
        assert_int_equal(part->trial_count, 2);
        assert_int_equal(part->trials[0].point, part->trials[1].point);
        eg_outcome outcomes[2] = {{.status = EG_TRIAL_DONE, .objective = 0.05},
                                  {.status = EG_TRIAL_PENDING}};
        assert_int_equal(eg_plan_keep(part, outcomes, part->trials[0].point), 1);
        eg_plan_free(part);
    }
}

static void test_no_second_stage(void **state)
{
    (void)state;
    eg_plan *part = slice_of(uneven, 1, 2, "select={best: 1, seeds: 2}");
    eg_outcome outcomes[6] = {{.status = EG_TRIAL_DONE, .objective = 1},
                              {.status = EG_TRIAL_DONE, .objective = 1}};
    size_t added = 7;
    assert_ok(eg_plan_select(part, outcomes, &added));
    assert_int_equal(added, 0);
    assert_int_equal(part->trial_count, 2);
    eg_plan_free(part);
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        const char *rule;
        size_t slice, count;
        const char *words;
    } rows[] = {
        {NULL, 0, 2, "must be 1 to 2"},
        {NULL, 3, 2, "must be 1 to 2"},
        {NULL, 1, 7, "only 6 trials"},
        {"stop={early_cut: {after: 1, below: 0.1}}", 1, 4, "only 3 points"},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_plan *plan = plan_of(uneven, rows[i].rule);
        eg_status status = eg_plan_slice(plan, rows[i].slice, rows[i].count);
        assert_int_equal(status.code, EG_INVALID);
        assert_non_null(strstr(status.message, rows[i].words));
        assert_int_equal(plan->trial_count, 6); /* untouched */
        eg_plan_free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_more_seeds_move_nothing),
        cmocka_unit_test(test_rules_keep_points_whole),
        cmocka_unit_test(test_no_second_stage),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
