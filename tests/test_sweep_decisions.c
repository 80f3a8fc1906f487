/** Decisions on outcomes: the early cut and its independence of order, and the second stage. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/sweep.h"
#include "engram/trial.h"
#include "plans.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eg_outcome done(double objective)
{
    return (eg_outcome){.status = EG_TRIAL_DONE, .objective = objective};
}

static eg_outcome with(eg_trial_status status)
{
    return (eg_outcome){.status = (uint8_t)status, .objective = (double)NAN};
}

/* The rule by itself ----------------------------------------------------------------------------- */

static void test_early_cut_table(void **state)
{
    (void)state;
    const eg_stop_kind *rule =
        (const eg_stop_kind *)(const void *)eg_family_find(&eg_stop_family, "early_cut");
    assert_non_null(rule);
    const double once[] = {2, 0.65, 0};
    const double each[] = {2, 0.65, 1};
    const eg_outcome pending = with(EG_TRIAL_PENDING);
    const eg_outcome running = with(EG_TRIAL_RUNNING);
    const eg_outcome failed = with(EG_TRIAL_FAILED);
    const eg_outcome diverged = {.status = EG_TRIAL_DIVERGED, .objective = 0.1};
    const size_t all = SIZE_MAX;
    /* What may run and where the cut is, with one look and with one after each seed. */
    const struct {
        eg_outcome r[4];
        double sign;
        eg_verdict once, each;
    } rows[] = {
        {{pending, pending, pending, pending}, 1, {2, all}, {2, all}},
        {{done(0.1), pending, pending, pending}, 1, {2, all}, {2, all}},
        {{done(0.1), running, done(0.1), done(0.1)}, 1, {2, all}, {2, all}}, /* no stand-ins */
        {{done(0.6), done(0.6), pending, pending}, 1, {2, 2}, {2, 2}},
        {{done(0.6), done(0.6), done(0.9), done(0.9)}, 1, {2, 2}, {2, 2}}, /* it stays decided */
        {{done(0.65), done(0.65), pending, pending},
         1,
         {all, all},
         {3, all}}, /* not below itself */
        {{done(0.5), done(0.79), pending, pending}, 1, {2, 2}, {2, 2}},
        {{done(0.7), done(0.7), done(0.5), pending}, 1, {all, all}, {3, 3}},
        {{done(0.7), done(0.7), running, done(0.1)}, 1, {all, all}, {3, all}},
        {{done(0.7), done(0.7), done(0.7), pending}, 1, {all, all}, {4, all}},
        {{done(0.7), done(0.7), done(0.7), done(0.1)}, 1, {all, all}, {4, 4}},
        {{done(0.7), done(0.7), done(0.7), done(0.7)}, 1, {all, all}, {all, all}},
        {{done(0.7), done(0.7), diverged, pending}, 1, {all, all}, {3, 3}},
        {{done(0.7), done(0.7), failed, pending}, 1, {all, all}, {all, all}},
        {{done(0.9), diverged, pending, pending}, 1, {2, 2}, {2, 2}}, /* it counts: 0.5 */
        {{done(0.9), failed, pending, pending}, 1, {all, all}, {all, all}},
        {{failed, done(0.1), done(0.1), done(0.1)}, 1, {all, all}, {all, all}},
        {{done((double)NAN), done(0.1), pending, pending}, 1, {all, all}, {all, all}},
        {{done(0.7), done(0.7), pending, pending},
         -1,
         {2, 2},
         {2, 2}}, /* minimising: above is bad */
        {{done(0.6), done(0.6), pending, pending}, -1, {all, all}, {3, all}},
        {{done(0.6), done(0.6), done(0.9), pending}, -1, {all, all}, {3, 3}},
    };
    assert_int_equal(rule->needs(once), 2);
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_verdict v = rule->look(once, rows[i].sign, rows[i].r, 4);
        eg_verdict w = rule->look(each, rows[i].sign, rows[i].r, 4);
        if (v.cleared != rows[i].once.cleared || v.keep != rows[i].once.keep) {
            fail_msg("row %zu, once: cleared %zu, keep %zu", i, v.cleared, v.keep);
        }
        if (w.cleared != rows[i].each.cleared || w.keep != rows[i].each.keep) {
            fail_msg("row %zu, each seed: cleared %zu, keep %zu", i, w.cleared, w.keep);
        }
    }
    assert_true(rule->look(once, 1, rows[3].r, 1).keep == all); /* fewer replicates than it needs */
}

/* In a plan: whatever the order in which trials finish, the same ones run ---------------------------- */

enum { POINTS = 2, SEEDS = 3, TRIALS = POINTS * SEEDS, WORKERS = 2 };

/** The first trial in the order of preference that is pending and cleared; what the rules cut is skipped. */
static size_t next_trial(const eg_plan *plan, const size_t *order, eg_outcome *outcomes)
{
    for (size_t i = 0; i < TRIALS; i++) {
        const eg_plan_trial *trial = &plan->trials[order[i]];
        eg_outcome *outcome = &outcomes[order[i]];
        eg_verdict verdict = eg_plan_judge(plan, outcomes, trial->point);
        if (outcome->status != EG_TRIAL_PENDING || trial->replicate < verdict.keep) {
            if (outcome->status == EG_TRIAL_PENDING && trial->replicate < verdict.cleared) {
                return order[i];
            }
            continue;
        }
        *outcome = with(EG_TRIAL_SKIPPED);
    }
    return SIZE_MAX;
}

/** Runs the plan as two workers would that end their trials in turn, in the order of preference `order`. Returns a bit per
 *  trial that ran. */
static unsigned run_in_order(const eg_plan *plan, const size_t *order, const double *objectives)
{
    eg_outcome outcomes[TRIALS];
    size_t working[WORKERS] = {SIZE_MAX, SIZE_MAX};
    unsigned ran = 0;
    for (size_t i = 0; i < TRIALS; i++) {
        outcomes[i] = with(EG_TRIAL_PENDING);
    }
    size_t idle = 0;
    for (size_t w = 0; idle < WORKERS; w = (w + 1) % WORKERS) {
        if (working[w] != SIZE_MAX) {
            outcomes[working[w]] = done(objectives[working[w]]);
        }
        working[w] = next_trial(plan, order, outcomes);
        idle = working[w] == SIZE_MAX ? idle + 1 : 0;
        if (working[w] != SIZE_MAX) {
            outcomes[working[w]] = with(EG_TRIAL_RUNNING);
            ran |= 1U << working[w];
        }
    }
    return ran;
}

typedef struct expectation {
    const double *objectives; /* by trial of the plan */
    unsigned ran;
} expectation;

/** All orders of 0 … n-1 by Heap's algorithm. */
static size_t for_all_orders(const eg_plan *plan, size_t *order, size_t n, const expectation *e)
{
    if (n == 1) {
        assert_int_equal(run_in_order(plan, order, e->objectives), e->ran);
        return 1;
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += for_all_orders(plan, order, n - 1, e);
        size_t other = n % 2 == 0 ? i : 0;
        size_t kept = order[other];
        order[other] = order[n - 1];
        order[n - 1] = kept;
    }
    return count;
}

static void any_order(const char *rule, const double *objectives, unsigned ran)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "name: t\nseeds: 3\nstop: {early_cut: %s}\ngrid: {optimizer.lr: [1, 2]}\n",
                   rule);
    eg_plan *plan = plan_of(text, NULL);
    assert_int_equal(plan->trial_count, TRIALS);
    size_t order[TRIALS] = {0, 1, 2, 3, 4, 5};
    const expectation e = {objectives, ran};
    assert_int_equal(for_all_orders(plan, order, TRIALS, &e), 720);
    eg_plan_free(plan);
}

static void test_any_order(void **state)
{
    (void)state;
    /* Point 0 has 0.6 and 0.6: cut, trial 4 (its replicate 2) never runs. Point 1 has 0.8 and 0.7. */
    const double objectives[TRIALS] = {0.6, 0.8, 0.6, 0.7, 0.9, 0.1};
    any_order("{after: 2, below: 0.65}", objectives, 0x2f);
    any_order("{after: 2, below: 0.65, looks: each_seed}", objectives, 0x2f);
    /* With a look from the first seed on, point 0 is out after one and point 1 after two. */
    const double falling[TRIALS] = {0.6, 0.8, 0.9, 0.3, 0.9, 0.9};
    any_order("{after: 1, below: 0.65, looks: once}", falling, 0x2b);
    any_order("{after: 1, below: 0.65, looks: each_seed}", falling, 0x0b);
}

static void test_keep_combines(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 4\nstop:\n"
                            "  - early_cut: {after: 3, below: 0.9}\n"
                            "  - early_cut: {after: 1, below: 0.3}\n",
                            NULL);
    assert_int_equal(plan->stop_count, 2);
    eg_outcome outcomes[4] = {done(0.5), done(0.5), with(EG_TRIAL_PENDING), with(EG_TRIAL_PENDING)};
    assert_true(eg_plan_keep(plan, outcomes, 0) == SIZE_MAX);
    outcomes[2] = done(0.5);
    assert_int_equal(eg_plan_keep(plan, outcomes, 0), 3);
    outcomes[0] = done(0.2);
    assert_int_equal(eg_plan_keep(plan, outcomes, 0), 1);
    eg_plan_free(plan);
    plan = plan_of("name: t\nseeds: 4\n", NULL);
    assert_true(eg_plan_keep(plan, outcomes, 0) == SIZE_MAX);
    eg_plan_free(plan);
    plan = plan_of("name: t\nseeds: 4\nobjective: {variable: forgetting, goal: minimise}\n"
                   "stop: {early_cut: {after: 1, below: 0.3}}\n",
                   NULL);
    outcomes[0] = done(0.4);
    assert_int_equal(eg_plan_keep(plan, outcomes, 0), 1);
    outcomes[0] = done(0.2);
    assert_true(eg_plan_keep(plan, outcomes, 0) == SIZE_MAX);
    eg_plan_free(plan);
}

/** What the rules leave, against numbers counted by hand. */
static void test_bounds(void **state)
{
    (void)state;
    const char nine[] = "name: t\nseeds: 10\ngrid: {optimizer.lr: {range: [1, 90, 1]}}\n";
    const struct {
        const char *rule;
        size_t evaluations;
        double least, most;
    } rows[] = {
        {"stop=off", 27, 1, 1},
        {"stop={early_cut: {after: 2, below: 0.5}}", 27, 0.2, 1},
        {"stop={early_cut: {after: 20, below: 0.5}}", 27, 1, 1},
        {"stop={halving_seeds: {eta: 3}}", 27, 214.0 / 900, 214.0 / 900},
        {"stop={asha: {eta: 3}}", 27, 282.0 / 2430, 282.0 / 2430},
        {"stop={asha: {eta: 3}}", 0, 1, 1},
        {"stop={halving_seeds: {eta: 3, cohort: 30}}", 27, 3 * (30 + 20 + 24 + 2) / 900.0,
         3 * (30 + 20 + 24 + 2) / 900.0},
        {"stop=[{asha: {eta: 3}}, {early_cut: {after: 5, below: 0.5}}]", 27, 141.0 / 2430,
         282.0 / 2430},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_plan *plan = plan_of(nine, rows[i].rule);
        double least = 0;
        double most = 0;
        eg_plan_bounds(plan, rows[i].evaluations, &least, &most);
        assert_close(least, rows[i].least, 1e-12);
        assert_close(most, rows[i].most, 1e-12);
        eg_plan_free(plan);
    }
}

/* Second stage ----------------------------------------------------------------------------------- */

static const char with_select[] = "name: t\nseeds: [3, 5]\nselect: {best: 2, seeds: 3}\n"
                                  "grid: {optimizer.lr: [1, 2, 3, 4]}\n";

static void test_select(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(with_select, NULL);
    size_t added = 9;
    /* Means 0.5, 0.7, 0.7 (of one: the other failed), none. */
    eg_outcome outcomes[8] = {
        done(0.4), done(0.6), with(EG_TRIAL_FAILED), with(EG_TRIAL_FAILED), done(0.6),
        done(0.8), done(0.7), with(EG_TRIAL_RUNNING)};
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 0); /* one is running still */
    assert_false(plan->selected);
    outcomes[7] = with(EG_TRIAL_FAILED);
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 2 * 3);
    assert_int_equal(plan->trial_count, 8 + 6);
    assert_true(plan->selected);
    for (size_t i = 0; i < 6; i++) {
        const eg_plan_trial *trial = &plan->trials[8 + i];
        assert_int_equal(trial->point, i % 2 == 0 ? 1 : 2); /* a tie: the smaller index first */
        assert_int_equal(trial->replicate, 2 + i / 2);
        assert_int_equal(trial->seed, 6 + i / 2); /* behind the largest seed of the first stage */
        uint64_t id = 0;
        assert_ok(eg_trial_id(&id, plan->points[trial->point].settings, trial->seed));
        assert_true(trial->id == id);
        assert_int_equal(eg_plan_find(plan, trial->point, trial->replicate), 8 + i);
    }
    assert_true(eg_plan_find(plan, 0, 2) == SIZE_MAX);
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 0); /* once only */
    eg_plan_free(plan);
}

static void test_select_minimises_and_lists(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 1\nselect: {best: 1, seeds: [10, 20]}\n"
                            "objective: {variable: forgetting, goal: minimise}\n"
                            "grid: {optimizer.lr: [1, 2, 3]}\n",
                            NULL);
    size_t added = 0;
    const eg_outcome outcomes[3] = {done(0.4), done(-0.1), done(0.0)};
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 2);
    assert_int_equal(plan->trials[3].point, 1);
    assert_int_equal(plan->trials[4].seed, 20);
    eg_plan_free(plan);
}

/** Trials that the rules have ruled out are not waited for. */
static void test_select_after_cuts(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 2\nselect: {best: 1, seeds: 1}\n"
                            "stop: {early_cut: {after: 1, below: 0.5}}\n"
                            "grid: {optimizer.lr: [1, 2]}\n",
                            NULL);
    size_t added = 0;
    eg_outcome outcomes[4] = {done(0.1), done(0.9), with(EG_TRIAL_PENDING), with(EG_TRIAL_PENDING)};
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 0);
    outcomes[3] = done(0.8);
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 1);
    assert_int_equal(plan->trials[4].point, 1);
    eg_plan_free(plan);
}

static void test_select_out_of_memory(void **state)
{
    (void)state;
    const eg_outcome outcomes[8] = {done(0.4), done(0.6), done(0.1), done(0.2),
                                    done(0.6), done(0.8), done(0.7), done(0.2)};
    size_t before = eg_memory_live_blocks();
    for (size_t n = 1;; n++) {
        eg_plan *plan = plan_of(with_select, NULL);
        size_t added = 0;
        eg_memory_fail_after(n);
        eg_status status = eg_plan_select(plan, outcomes, &added);
        eg_memory_fail_after(0);
        assert_int_equal(plan->trial_count, status.code == EG_OK ? 14 : 8);
        assert_true(plan->selected == (status.code == EG_OK));
        eg_plan_free(plan);
        assert_int_equal(eg_memory_live_blocks(), before);
        if (status.code == EG_OK) {
            assert_true(n > 3);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_early_cut_table),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_keep_combines),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_select_minimises_and_lists),
        cmocka_unit_test(test_select_after_cuts),
        cmocka_unit_test(test_select_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
