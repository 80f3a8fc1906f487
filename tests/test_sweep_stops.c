/** The rules `median` and `patience`: cases worked out by hand, and what they take from curves. That they decide the
 *  same in any order is in test_sweep_asha.c. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/trial.h"
#include "plans.h"

#include <math.h>

enum { POINTS = 6, SEEDS = 2, TRIALS = POINTS * SEEDS };

#define SWEEP(stop)                                                                                \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "grid: {optimizer.lr: [1, 2, 3, 4, 5, 6]}\n"                                                   \
    "seeds: 2\n"                                                                                   \
    "stop: " stop "\n"

/** `until` evaluations, or one of these. */
enum { OUT = 1000, WAITS = 1001, TO_ITS_END = 0 };

static size_t fate(const eg_plan *plan, const eg_outcome *outcomes, size_t trial)
{
    eg_budget budget = eg_plan_budget(plan, outcomes, trial);
    return budget.out ? OUT : budget.waits ? WAITS : budget.until;
}

/** The outcome of a trial with these accuracies at its evaluations, of eight that it may have. */
static eg_outcome outcome_of(const eg_plan *plan, eg_trial_status status, size_t count,
                             const double *accuracy)
{
    enum { LENGTH = 8 };
    const size_t length = LENGTH;
    eg_record *record = NULL;
    eg_array *step = NULL;
    eg_array *array = NULL;
    eg_outcome outcome = {.status = (uint8_t)status, .objective = (double)NAN};
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_declare(record, eg_trial_variable("step"), &length, &step));
    assert_ok(eg_record_declare(record, eg_trial_variable("accuracy"), &length, &array));
    for (size_t i = 0; i < count; i++) {
        step->data[i] = (double)i;
        array->data[i] = accuracy[i];
    }
    eg_plan_measure(plan, record, &outcome);
    eg_record_free(record);
    assert_int_equal(outcome.evaluations, count);
    return outcome;
}

#define with(status, ...)                                                                          \
    outcome_of(plan, status, EG_COUNT(((double[]){__VA_ARGS__})), (double[]){__VA_ARGS__})

static void all_pending(eg_outcome *outcomes)
{
    for (size_t i = 0; i < TRIALS; i++) {
        outcomes[i] = (eg_outcome){.status = EG_TRIAL_PENDING, .objective = (double)NAN};
    }
}

/* Points 0 and 1 are the first batch, 2 and 3 the second, 4 and 5 the third. Running averages of the completed trials:
 *
 *      point 0   0.2 0.4 0.6   ->  0.2  0.3  0.4
 *      point 1   0.4 0.6 0.8   ->  0.4  0.5  0.6
 *      median of both              0.3  0.4  0.5
 */
static void median_of_two(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{median: {batch: 2}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    assert_int_equal(fate(plan, outcomes, 0), TO_ITS_END);
    assert_int_equal(fate(plan, outcomes, 1), TO_ITS_END);
    assert_int_equal(fate(plan, outcomes, 2), 1);
    assert_int_equal(fate(plan, outcomes, POINTS), TO_ITS_END); /* of the other seed */
    outcomes[2] = with(EG_TRIAL_PAUSED, 0.29);
    outcomes[3] = with(EG_TRIAL_PAUSED, 0.31);
    outcomes[0] = with(EG_TRIAL_DONE, 0.2, 0.4, 0.6);
    assert_int_equal(fate(plan, outcomes, 2), WAITS); /* for point 1 */
    outcomes[1] = with(EG_TRIAL_DONE, 0.4, 0.6, 0.8);
    assert_int_equal(fate(plan, outcomes, 2), OUT); /* 0.29 < 0.3 */
    assert_int_equal(fate(plan, outcomes, 3), 2);   /* 0.31 */
    /* The best counts, not the newest: 0.41 against 0.4, and then against 0.5. */
    outcomes[3] = with(EG_TRIAL_PAUSED, 0.41, 0.1);
    assert_int_equal(fate(plan, outcomes, 3), 3);
    outcomes[3] = with(EG_TRIAL_PAUSED, 0.41, 0.1, 0.1);
    assert_int_equal(fate(plan, outcomes, 3), OUT);
    /* Strictly worse stops: equal does not. In binary: 0.25 and 0.5 have the median 0.375. */
    outcomes[0] = with(EG_TRIAL_DONE, 0.25);
    outcomes[1] = with(EG_TRIAL_DONE, 0.5);
    outcomes[2] = with(EG_TRIAL_PAUSED, 0.375);
    assert_int_equal(fate(plan, outcomes, 2), 2);
    eg_plan_free(plan);
}

/* The third batch waits for the second, too; of what has ended only the trials that are done count. */
static void median_of_what_is_done(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{median: {batch: 2}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    outcomes[0] = with(EG_TRIAL_DONE, 0.5, 0.5);
    outcomes[1] = (eg_outcome){.status = EG_TRIAL_FAILED};
    outcomes[2] = with(EG_TRIAL_STOPPED, 0.1);
    outcomes[3] = with(EG_TRIAL_PAUSED, 0.9);
    outcomes[4] = with(EG_TRIAL_PAUSED, 0.6);
    assert_int_equal(fate(plan, outcomes, 4), WAITS);
    outcomes[3] = with(EG_TRIAL_DONE, 0.9, 0.9);
    assert_int_equal(fate(plan, outcomes, 4), OUT); /* median of 0.5 and 0.9 */
    outcomes[3] = with(EG_TRIAL_DIVERGED, 0.9);
    assert_int_equal(fate(plan, outcomes, 4), 2); /* of 0.5 alone */
    outcomes[0] = (eg_outcome){.status = EG_TRIAL_SKIPPED};
    assert_int_equal(fate(plan, outcomes, 4), 2); /* nothing to compare with */
    eg_plan_free(plan);
}

/* Looks after 2, 5, 8 … evaluations; a done trial that has fewer counts with all it has; cohorts are by themselves. */
static void median_rungs(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{median: {batch: 1, first: 2, every: 3, cohort: 3}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    assert_true(eg_plan_compares(plan, 0, 4) && !eg_plan_compares(plan, 0, 1));
    assert_int_equal(fate(plan, outcomes, 0), TO_ITS_END);
    assert_int_equal(fate(plan, outcomes, 1), TO_ITS_END); /* the first of the other cohort */
    assert_int_equal(fate(plan, outcomes, 2), 2);
    outcomes[0] = with(EG_TRIAL_DONE, 0.25, 0.5, 0.75); /* averages 0.375 and 0.5 */
    outcomes[2] = with(EG_TRIAL_PAUSED, 0.25, 0.4);
    assert_int_equal(fate(plan, outcomes, 2), 5);
    outcomes[2] = with(EG_TRIAL_PAUSED, 0.25, 0.4, 0.4, 0.49, 0.4);
    assert_int_equal(fate(plan, outcomes, 2), OUT);
    outcomes[2] = with(EG_TRIAL_PAUSED, 0.25, 0.4, 0.4, 0.51, 0.4);
    assert_int_equal(fate(plan, outcomes, 2), 8);
    eg_plan_free(plan);
}

/* Two evaluations without an improvement of more than an eighth. */
static void patience_by_hand(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{patience: {evaluations: 2, min_delta: 0.125}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    assert_int_equal(fate(plan, outcomes, 0),
                     3); /* the first improves: at the earliest two later */
    outcomes[0] = with(EG_TRIAL_PAUSED, 0.25, 0.25, 0.375); /* not more than an eighth */
    assert_int_equal(fate(plan, outcomes, 0), OUT);
    outcomes[0] = with(EG_TRIAL_PAUSED, 0.25, 0.25, 0.5);
    assert_int_equal(fate(plan, outcomes, 0), 5);
    outcomes[0] = with(EG_TRIAL_PAUSED, 0.25, 0.5, 0.25);
    assert_int_equal(fate(plan, outcomes, 0), 4);
    /* Small steps do not add up: each is compared with the best one that improved. */
    outcomes[0] = with(EG_TRIAL_PAUSED, 0.25, 0.3, 0.38);
    assert_int_equal(fate(plan, outcomes, 0), 5); /* 0.38 > 0.25 + 0.125 */
    /* Where it went farther, under another rule, it is out for what it was at evaluation 3. */
    outcomes[0] = with(EG_TRIAL_PAUSED, 0.25, 0.25, 0.25, 0.9);
    assert_int_equal(fate(plan, outcomes, 0), OUT);
    assert_false(eg_plan_compares(plan, 0, 1));
    eg_plan_free(plan);
}

static void share_of_the_work(void **state)
{
    (void)state;
    double least = 0;
    double most = 0;
    eg_plan *plan = plan_of(SWEEP("{median: {batch: 2, first: 2}}"), NULL);
    eg_plan_bounds(plan, 8, &least, &most); /* two of six whole, four a quarter */
    assert_true(least == 0.5 && most == 1);
    eg_plan_free(plan);
    plan = plan_of(SWEEP("{patience: {evaluations: 3}}"), NULL);
    eg_plan_bounds(plan, 8, &least, &most);
    assert_true(least == 0.5 && most == 1);
    eg_plan_free(plan);
}

static void refused(void **state)
{
    (void)state;
    static const char *const rules[] = {SWEEP("median"), SWEEP("patience")};
    for (size_t i = 0; i < EG_COUNT(rules); i++) {
        const char *text = rules[i];
        assert_fails(plan_status(text, "objective=average_accuracy"), EG_INVALID,
                     "only known when a trial ends");
        assert_fails(plan_status(text, "protocol=first_tasks"), EG_INVALID, "t.yaml:5:");
        assert_fails(plan_status(text, "eval.tasks=seen"), EG_INVALID, "must cover all tasks");
        assert_fails(plan_status(text, "objective={variable: final_accuracy, goal: minimise}"),
                     EG_INVALID, "the goal is to minimise");
    }
    assert_fails(plan_status(SWEEP("[{median: {}}, {patience: {}}]"), NULL), EG_INVALID,
                 "another rule that looks into trials");
    eg_plan *plan = plan_of(SWEEP("median"), NULL);
    assert_fails(eg_plan_slice(plan, 1, 2), EG_INVALID, "stop median compares points");
    eg_plan_free(plan);
    plan = plan_of(SWEEP("patience"), NULL);
    assert_ok(eg_plan_slice(plan, 1, 2));
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_two),     cmocka_unit_test(median_of_what_is_done),
        cmocka_unit_test(median_rungs),      cmocka_unit_test(patience_by_hand),
        cmocka_unit_test(share_of_the_work), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
