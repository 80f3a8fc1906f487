/** An edited sweep keeps what it has: more values, more seeds, trials that are gone from the plan, a
 *  second stage. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "stores.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** More values and seeds: finished trials count, those the plan dropped stay behind the others. */
static void test_edited_sweep(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *first = plan_of(eg_test_sweep, NULL);
    eg_plan *second = plan_of("name: tiny\n"
                              "base: {dataset: synthetic, model.hidden: [8, 4], optimizer.lr: 0.25,"
                              " model.activation: relu}\n"
                              "grid: {stream.batch: [32, 64]}\n"
                              "seeds: 4\n",
                              NULL);
    eg_test_run(file, first, 0, 6);
    eg_store *store = NULL;
    eg_outcome outcomes[8];
    assert_int_equal(second->trial_count, 8);
    assert_ok(eg_store_open(&store, file, second, &eg_test_session, outcomes));
    size_t known = 0;
    for (size_t i = 0; i < 8; i++) {
        known += outcomes[i].status != EG_TRIAL_PENDING ? 1 : 0;
    }
    assert_int_equal(known, 3); /* relu with batch 64, seeds 0, 1, 2 */
    assert_ok(eg_store_publish(store, false));
    assert_ok(eg_store_close(store, "stopped"));

    for (int pass = 0; pass < 2; pass++) { /* from the journal, then from the file alone */
        eg_results *results = eg_test_load(file);
        assert_int_equal(results->trial_count, 8 + 3);
        assert_int_equal(results->point_count, 3);
        for (size_t i = 0; i < 8; i++) {
            assert_true(results->trials[i].attempt.trial == second->trials[i].id);
        }
        for (size_t i = 0; i < 6; i++) {
            const eg_result *result = eg_test_find(results, first, i);
            eg_test_compare(first, i, result, pass == 1);
            const char *activation =
                eg_test_stored_column(results, "model.activation")->text[result->point];
            assert_string_equal(activation,
                                eg_test_value(first, first->trials[i].point, "model.activation"));
        }
        assert_string_equal(eg_test_stored_column(results, "model.activation.alpha")->text[2], "3");
        assert_null(eg_test_stored_column(results, "model.activation.alpha")->text[0]);
        eg_results_free(results);
        if (pass == 0) {
            assert_int_equal(unlink(eg_test_path(eg_test_place, "tiny.journal")), 0);
        }
    }
    eg_plan_free(first);
    eg_plan_free(second);
}

/** Pieces of one sweep have no trial in common and still belong together; other pieces do not. */
static void test_pieces(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "pieces.h5");
    eg_plan *whole = plan_of(eg_test_sweep, NULL);
    const char *activation = eg_test_value(whole, whole->trials[0].point, "model.activation");
    char only[64];
    char others[64];
    (void)snprintf(only, sizeof only, "only={model.activation: %s}", activation);
    (void)snprintf(others, sizeof others, "only={model.activation: {not: %s}}", activation);
    eg_plan *first = plan_of(eg_test_sweep, only);
    eg_plan *second = plan_of(eg_test_sweep, others);
    assert_int_equal(first->trial_count + second->trial_count, whole->trial_count);
    eg_test_run(file, first, 0, first->trial_count);

    eg_plan *changed = plan_of(eg_test_sweep, others, "stream.batch=32");
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_int_equal(whole->trial_count, 6);
    assert_fails(eg_store_open(&store, file, changed, &eg_test_session, outcomes), EG_INVALID,
                 "belongs to another sweep");
    eg_plan_free(changed);

    eg_test_run(file, second, 0, second->trial_count);
    assert_ok(eg_store_open(&store, file, whole, &eg_test_session, outcomes));
    for (size_t i = 0; i < whole->trial_count; i++) {
        assert_int_not_equal(outcomes[i].status, EG_TRIAL_PENDING);
    }
    assert_ok(eg_store_close(store, "done"));
    eg_plan_free(first);
    eg_plan_free(second);
    eg_plan_free(whole);
}

static void test_back_and_forth(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *whole = plan_of(eg_test_sweep, NULL);
    eg_plan *part = plan_of(eg_test_sweep, "seeds=1");
    eg_test_run(file, whole, 0, 6);
    eg_test_run(file, part, 0, 0);
    eg_test_run(file, whole, 0, 0);
    eg_results *results = eg_test_load(file);
    assert_int_equal(results->trial_count, 6);
    for (size_t i = 0; i < 6; i++) {
        eg_test_compare(whole, i, &results->trials[i], false);
    }
    eg_results_free(results);
    eg_plan_free(whole);
    eg_plan_free(part);
}

static void test_second_stage(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    char text[1024];
    (void)snprintf(text, sizeof text, "%sselect: {best: 1, seeds: 2}\n", eg_test_sweep);
    eg_plan *plan = plan_of(text, NULL);
    eg_store *store = NULL;
    eg_outcome outcomes[16];
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    for (size_t i = 0; i < 6; i++) {
        assert_ok(eg_test_finish(store, plan, i));
        outcomes[i].status = (uint8_t)eg_test_status(i);
        outcomes[i].objective = (double)i;
    }
    size_t added = 0;
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 2);
    assert_ok(eg_store_extend(store, plan, outcomes));
    assert_int_equal(outcomes[6].status, EG_TRIAL_PENDING);
    assert_ok(eg_test_finish(store, plan, 6));
    assert_ok(eg_store_close(store, "stopped"));

    /* The next run starts with the first stage and extends again: nothing new is written. */
    eg_plan *again = plan_of(text, NULL);
    assert_ok(eg_store_open(&store, file, again, &eg_test_session, outcomes));
    for (size_t i = 0; i < 6; i++) {
        outcomes[i].objective = (double)i;
    }
    assert_ok(eg_plan_select(again, outcomes, &added));
    assert_ok(eg_store_extend(store, again, outcomes));
    assert_int_equal(outcomes[6].status, EG_TRIAL_DONE);
    assert_int_equal(outcomes[7].status, EG_TRIAL_PENDING);
    assert_ok(eg_store_close(store, "stopped"));
    eg_results *results = eg_test_load(file);
    assert_int_equal(results->trial_count, 8);
    eg_test_compare(plan, 6, &results->trials[6], false);
    eg_results_free(results);
    eg_plan_free(plan);
    eg_plan_free(again);
}

#define plans_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plans_test(test_edited_sweep),
        plans_test(test_pieces),
        plans_test(test_back_and_forth),
        plans_test(test_second_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
