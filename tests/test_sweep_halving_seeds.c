/** Successive halving in cohorts: a case worked out by hand, what counts as a result, other rules beside it, and that
 *  the same trials run in whatever order they end. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"

#include <math.h>
#include <string.h>

enum { POINTS = 6, SEEDS = 4, TRIALS = POINTS * SEEDS, ORDERS = 300 };

#define SWEEP(stop)                                                                                \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "grid: {optimizer.lr: [1, 2, 3, 4, 5, 6]}\n"                                                   \
    "seeds: 4\n"                                                                                   \
    "stop: " stop "\n"

static eg_outcome done(double objective)
{
    return (eg_outcome){.status = EG_TRIAL_DONE, .objective = objective};
}

static eg_outcome without_result(eg_trial_status status)
{
    return (eg_outcome){.status = (uint8_t)status, .objective = (double)NAN};
}

static void all_pending(eg_outcome *outcomes)
{
    for (size_t i = 0; i < TRIALS; i++) {
        outcomes[i] = without_result(EG_TRIAL_PENDING);
    }
}

static void assert_verdict(const eg_plan *plan, const eg_outcome *outcomes, size_t point,
                           size_t cleared, size_t keep)
{
    eg_verdict verdict = eg_plan_judge(plan, outcomes, point);
    assert_true(verdict.cleared == cleared);
    assert_true(verdict.keep == keep);
    assert_true(eg_plan_keep(plan, outcomes, point) == keep);
}

/* Six points in cohorts of at most three: {0, 2, 4} and {1, 3, 5}. Rungs at 1 and 2 seeds; eta = 2: of
 * three points two go on, of two one. */
static void test_by_hand(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{halving_seeds: {eta: 2, cohort: 3}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    for (size_t p = 0; p < POINTS; p++) {
        assert_verdict(plan, outcomes, p, 1, SIZE_MAX);
    }
    assert_true(eg_plan_compares(plan, 0, 4) && eg_plan_compares(plan, 2, 2));
    assert_false(eg_plan_compares(plan, 0, 3));
    /* The first rung of the even points: 0.5, 0.7, 0.6. Point 0 is out, the others may run a second seed. The odd
     * ones have not arrived and wait for nobody but each other. */
    outcomes[0] = done(0.5);
    outcomes[4] = done(0.6);
    assert_verdict(plan, outcomes, 4, 1, SIZE_MAX);
    outcomes[2] = done(0.7);
    assert_verdict(plan, outcomes, 0, 1, 1);
    assert_verdict(plan, outcomes, 2, 2, SIZE_MAX);
    assert_verdict(plan, outcomes, 4, 2, SIZE_MAX);
    assert_verdict(plan, outcomes, 1, 1, SIZE_MAX);
    /* The second rung: means of two seeds 0.65 and 0.675; point 4 alone runs all. */
    outcomes[POINTS + 2] = done(0.6);
    assert_verdict(plan, outcomes, 4, 2, SIZE_MAX);
    outcomes[POINTS + 4] = done(0.75);
    assert_verdict(plan, outcomes, 2, 2, 2);
    assert_verdict(plan, outcomes, 4, SIZE_MAX, SIZE_MAX);
    /* Whatever comes later changes nothing. */
    outcomes[2 * POINTS + 4] = done(0.0);
    assert_verdict(plan, outcomes, 2, 2, 2);
    assert_verdict(plan, outcomes, 4, SIZE_MAX, SIZE_MAX);
    eg_plan_free(plan);
}

/* Equal means: the point that comes first in the plan. A failed trial has no result, a point with none is worse
 * than all others; a diverged one counts with what it recorded. Small is good when minimising. */
static void test_what_counts(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{halving_seeds: {eta: 3, cohort: 6}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    outcomes[0] = without_result(EG_TRIAL_FAILED);
    outcomes[1] = done(0.4);
    outcomes[2] = (eg_outcome){.status = EG_TRIAL_DIVERGED, .objective = 0.1};
    outcomes[3] = done(0.4);
    outcomes[4] = done(0.4);
    outcomes[5] = done(-1.0);
    static const size_t keeps[POINTS] = {1, SIZE_MAX, 1, SIZE_MAX, 1, 1};
    for (size_t p = 0; p < POINTS; p++) {
        assert_int_equal(eg_plan_keep(plan, outcomes, p), keeps[p]);
    }
    plan->maximise = false;
    static const size_t reversed[POINTS] = {1, 1, SIZE_MAX, 1, 1, SIZE_MAX};
    for (size_t p = 0; p < POINTS; p++) {
        assert_int_equal(eg_plan_keep(plan, outcomes, p), reversed[p]);
    }
    outcomes[3] = outcomes[4] = without_result(EG_TRIAL_STOPPED); /* no better than failed */
    outcomes[1] = done((double)INFINITY);
    plan->maximise = true;
    assert_int_equal(eg_plan_keep(plan, outcomes, 1), 1);
    eg_plan_free(plan);
}

/* A point that another rule cuts takes no place from others: of the two that remain at the second rung one goes on,
 * and the cohort does not wait for the third. */
static void test_beside_another_rule(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("[{halving_seeds: {eta: 2, first: 2, cohort: 3}}, {early_cut: "
                                  "{after: 1, below: 0.3}}]"),
                            NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    outcomes[0] = done(0.2);
    assert_verdict(plan, outcomes, 0, 1, 1);
    outcomes[POINTS] = without_result(EG_TRIAL_SKIPPED);
    outcomes[2] = outcomes[POINTS + 2] = done(0.8);
    assert_verdict(plan, outcomes, 2, 2, SIZE_MAX);
    outcomes[4] = outcomes[POINTS + 4] = done(0.7);
    assert_verdict(plan, outcomes, 2, SIZE_MAX, SIZE_MAX);
    assert_verdict(plan, outcomes, 4, 2, 2);
    eg_plan_free(plan);
}

/* Any order ------------------------------------------------------------------------------------------------ */

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/** What a scheduler does: skips what is cut and lists what may run now. */
static size_t sort_out(const eg_plan *plan, eg_outcome *outcomes, size_t *ready)
{
    size_t count = 0;
    for (size_t t = 0; t < TRIALS; t++) {
        const eg_plan_trial *trial = &plan->trials[t];
        eg_verdict verdict = eg_plan_judge(plan, outcomes, trial->point);
        if (outcomes[t].status != EG_TRIAL_PENDING) {
            continue;
        }
        if (trial->replicate >= verdict.keep) {
            outcomes[t].status = EG_TRIAL_SKIPPED;
        } else if (trial->replicate < verdict.cleared) {
            ready[count++] = t;
        }
    }
    return count;
}

/** A bit per trial that ran, with up to `workers` at once, which end in any order. */
static unsigned run_at_random(const eg_plan *plan, const double *objectives, uint64_t seed)
{
    eg_outcome outcomes[TRIALS];
    size_t ready[TRIALS];
    size_t running[3];
    size_t workers = 1 + seed % 3;
    size_t busy = 0;
    unsigned ran = 0;
    all_pending(outcomes);
    for (;;) {
        size_t count = sort_out(plan, outcomes, ready);
        if (count > 0 && busy < workers) {
            size_t chosen = ready[draw(&seed) % count];
            outcomes[chosen].status = EG_TRIAL_RUNNING;
            running[busy++] = chosen;
            continue;
        }
        if (busy == 0) {
            break;
        }
        size_t which = draw(&seed) % busy;
        size_t trial = running[which];
        running[which] = running[--busy];
        outcomes[trial] =
            isnan(objectives[trial]) ? without_result(EG_TRIAL_FAILED) : done(objectives[trial]);
        ran |= 1U << trial;
    }
    for (size_t t = 0; t < TRIALS; t++) {
        assert_true(outcomes[t].status != EG_TRIAL_PENDING); /* nobody waits for ever */
    }
    return ran;
}

static void any_order(const char *text)
{
    eg_plan *plan = plan_of(text, NULL);
    assert_int_equal(plan->trial_count, TRIALS);
    bool cut = false;
    for (uint64_t draws = 1; draws <= 5; draws++) {
        double objectives[TRIALS];
        uint64_t state = draws;
        for (size_t t = 0; t < TRIALS; t++) {
            uint64_t level = draw(&state) % 8; /* few levels: ties */
            objectives[t] = level == 0 ? (double)NAN : (double)level / 8;
        }
        unsigned expected = run_at_random(plan, objectives, 1);
        cut = cut || expected != (1U << TRIALS) - 1;
        for (uint64_t order = 2; order < ORDERS; order++) {
            assert_int_equal(run_at_random(plan, objectives, order), expected);
        }
    }
    assert_true(cut);
    eg_plan_free(plan);
}

static void test_any_order(void **state)
{
    (void)state;
    any_order(SWEEP("{halving_seeds: {eta: 2, cohort: 3}}"));
    any_order(SWEEP("{halving_seeds: {eta: 3, cohort: 6}}"));
    any_order(SWEEP("[{halving_seeds: {eta: 2, cohort: 4}}, {early_cut: {after: 2, below: 0.5}}]"));
    any_order(SWEEP("[{early_cut: {after: 1, below: 0.3}}, {halving_seeds: {eta: 2, first: 2}}]"));
}

/* The second stage takes none of the points that were cut, however lucky their first seed was. */
static void test_select(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(
        SWEEP("{halving_seeds: {eta: 2, cohort: 3}}") "select: {best: 3, seeds: 2}\n", NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    for (size_t t = 0; t < TRIALS; t++) {
        size_t ready[TRIALS];
        size_t count = sort_out(plan, outcomes, ready);
        if (count == 0) {
            break;
        }
        /* Large points are good at first; then small ones are. */
        double point = (double)plan->trials[ready[0]].point;
        outcomes[ready[0]] = done(plan->trials[ready[0]].replicate == 0 ? point : -3 * point);
    }
    /* Evens: 0 2 4 -> 2 4 -> 2; odds: 1 3 5 -> 3 5 -> 3. */
    size_t added = 0;
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 4);
    for (size_t i = 0; i < added; i++) {
        uint32_t point = plan->trials[TRIALS + i].point;
        assert_true(point == 2 || point == 3);
    }
    eg_plan_free(plan);
}

static void test_slices(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{halving_seeds: {eta: 2}}"), NULL);
    assert_fails(eg_plan_slice(plan, 1, 2), EG_INVALID, "stop halving_seeds compares points");
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_what_counts),
        cmocka_unit_test(test_beside_another_rule),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
