/** Successive halving over evaluations: a case worked out by hand, what counts at a rung, what is taken from curves, and
 *  that the same trials stop at the same places in whatever order they arrive. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/trial.h"
#include "plans.h"

#include <math.h>
#include <string.h>

enum { POINTS = 6, SEEDS = 2, TRIALS = POINTS * SEEDS, ORDERS = 300 };

#define SWEEP(stop)                                                                                \
    "name: t\n"                                                                                    \
    "base: {dataset: synthetic, model.hidden: [4]}\n"                                              \
    "grid: {optimizer.lr: [1, 2, 3, 4, 5, 6]}\n"                                                   \
    "seeds: 2\n"                                                                                   \
    "stop: " stop "\n"

static void all_pending(eg_outcome *outcomes)
{
    for (size_t i = 0; i < TRIALS; i++) {
        outcomes[i] = (eg_outcome){.status = EG_TRIAL_PENDING, .objective = (double)NAN};
    }
}

/** Takes the trial to its next rung. */
static void arrives(eg_outcome *outcome, float value)
{
    outcome->status = EG_TRIAL_PAUSED;
    outcome->rung[outcome->rungs++] = value;
}

/** `until` evaluations, or one of these. */
enum { OUT = 1000, WAITS = 1001, TO_ITS_END = 0 };

/** What is said of all that are compared with a trial is what is said of each by itself. */
static void agree(const eg_plan *plan, const eg_outcome *outcomes, size_t trial)
{
    eg_peer peers[EG_PEERS_MAX];
    size_t count = eg_plan_peers(plan, outcomes, trial, peers);
    bool itself = count == 0; /* several rules */
    for (size_t i = 0; i < count; i++) {
        itself = itself || peers[i].trial == trial;
        if (eg_trial_status_is_open(outcomes[peers[i].trial].status)) {
            eg_budget budget = eg_plan_budget(plan, outcomes, peers[i].trial);
            assert_int_equal(budget.out, peers[i].budget.out);
            assert_int_equal(budget.waits, peers[i].budget.waits);
            assert_int_equal(budget.out || budget.waits ? 0 : budget.until,
                             budget.out || budget.waits ? 0 : peers[i].budget.until);
        }
    }
    assert_true(itself);
}

static size_t fate(const eg_plan *plan, const eg_outcome *outcomes, size_t trial)
{
    eg_budget budget = eg_plan_budget(plan, outcomes, trial);
    if (plan->trials[trial].replicate < plan->seed_count) {
        agree(plan, outcomes, trial);
    }
    return budget.out ? OUT : budget.waits ? WAITS : budget.until;
}

/* Six points in cohorts of at most three: {0, 2, 4} and {1, 3, 5}. Rungs after 1, 2, 4 … evaluations; eta = 2: of three
 * trials two go on, of two one. */
static void test_by_hand(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{asha: {eta: 2, cohort: 3}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    for (size_t t = 0; t < TRIALS; t++) {
        assert_int_equal(fate(plan, outcomes, t), 1);
    }
    assert_true(eg_plan_compares(plan, 0, 4) && eg_plan_compares(plan, 2, 2));
    assert_false(eg_plan_compares(plan, 0, 3));
    /* 0.6 may turn out the third of three; once 0.7 is there, that one is among the best two whatever comes. */
    arrives(&outcomes[4], 0.6F);
    assert_int_equal(fate(plan, outcomes, 4), WAITS);
    arrives(&outcomes[2], 0.7F);
    assert_int_equal(fate(plan, outcomes, 2), 2);
    assert_int_equal(fate(plan, outcomes, 4), WAITS);
    /* The other cohort and the other seed are not concerned. */
    arrives(&outcomes[1], 0.9F);
    arrives(&outcomes[POINTS], 0.9F);
    assert_int_equal(fate(plan, outcomes, 4), WAITS);
    assert_int_equal(fate(plan, outcomes, 1), WAITS);
    assert_int_equal(fate(plan, outcomes, POINTS), WAITS);
    /* All three: 0.7, 0.6, 0.5. */
    arrives(&outcomes[0], 0.5F);
    assert_int_equal(fate(plan, outcomes, 0), OUT);
    assert_int_equal(fate(plan, outcomes, 4), 2);
    /* The second rung is for those two: 0.65 waits, 0.66 is better and has nobody left to be compared with. */
    arrives(&outcomes[2], 0.65F);
    assert_int_equal(fate(plan, outcomes, 2), WAITS);
    arrives(&outcomes[4], 0.66F);
    assert_int_equal(fate(plan, outcomes, 2), OUT);
    assert_int_equal(fate(plan, outcomes, 4), TO_ITS_END);
    /* Whatever becomes of it changes nothing. */
    outcomes[4].status = EG_TRIAL_FAILED;
    assert_int_equal(fate(plan, outcomes, 2), OUT);
    assert_int_equal(fate(plan, outcomes, 0), OUT);
    eg_plan_free(plan);
}

/* One known to be beaten by as many as may go on need not wait for the others. */
static void test_out_early(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{asha: {eta: 6, cohort: 6, first: 3}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    assert_int_equal(fate(plan, outcomes, 0), 3);
    arrives(&outcomes[0], 0.2F);
    assert_int_equal(fate(plan, outcomes, 0), WAITS);
    arrives(&outcomes[5], 0.3F);
    assert_int_equal(fate(plan, outcomes, 0), OUT);
    assert_int_equal(fate(plan, outcomes, 5), WAITS);
    eg_plan_free(plan);
}

/* Equal values: the point that comes first in the plan. Failed and diverged trials come last, in the order of the plan,
 * but count where they were before; one that another rule skips does not take part. */
static void test_what_counts(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{asha: {eta: 3, cohort: 6}}"), NULL);
    eg_outcome outcomes[TRIALS];
    all_pending(outcomes);
    outcomes[0].status = EG_TRIAL_FAILED;
    arrives(&outcomes[1], 0.4F);
    arrives(&outcomes[2], NAN);
    outcomes[2].status = EG_TRIAL_DIVERGED;
    for (size_t t = 3; t < 5; t++) {
        arrives(&outcomes[t], 0.4F);
    }
    arrives(&outcomes[5], -1.0F);
    assert_int_equal(fate(plan, outcomes, 1), 3);
    assert_int_equal(fate(plan, outcomes, 3), 3);
    assert_int_equal(fate(plan, outcomes, 4), OUT);
    assert_int_equal(fate(plan, outcomes, 5), OUT);
    plan->maximise = false; /* then -1 is best, and failures are still worst */
    assert_int_equal(fate(plan, outcomes, 5), 3);
    assert_int_equal(fate(plan, outcomes, 1), 3);
    assert_int_equal(fate(plan, outcomes, 3), OUT);
    plan->maximise = true;
    outcomes[3].status = EG_TRIAL_FAILED; /* on its way to the next rung */
    assert_int_equal(fate(plan, outcomes, 4), OUT);
    /* Of three one goes on, of four two. */
    outcomes[0].status = outcomes[1].status = outcomes[2].status = EG_TRIAL_SKIPPED;
    outcomes[3].status = EG_TRIAL_PAUSED;
    assert_int_equal(fate(plan, outcomes, 3), TO_ITS_END);
    assert_int_equal(fate(plan, outcomes, 4), OUT);
    outcomes[2].status = EG_TRIAL_FAILED;
    assert_int_equal(fate(plan, outcomes, 4), 3);
    eg_plan_free(plan);
}

/* Curves ------------------------------------------------------------------------------------------------------ */

/** A record with `length` places for evaluations, of which `count` were made; the caller's. */
static eg_record *record_of(const char *curve, size_t length, size_t count, const double *values)
{
    eg_record *record = NULL;
    eg_array *step = NULL;
    eg_array *array = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_declare(record, eg_trial_variable("step"), &length, &step));
    assert_ok(eg_record_declare(record, eg_trial_variable(curve), &length, &array));
    for (size_t i = 0; i < count; i++) {
        step->data[i] = (double)i;
        array->data[i] = values[i];
    }
    return record;
}

static eg_outcome measured(const eg_plan *plan, eg_record *record, eg_trial_status status)
{
    eg_outcome outcome = {.status = (uint8_t)status, .objective = (double)NAN};
    eg_plan_measure(plan, record, &outcome);
    eg_record_free(record);
    return outcome;
}

static void test_curves(void **state)
{
    (void)state;
    static const double values[] = {0.125, 0.25, 0.375, 0.5, 0.625};
    eg_plan *plan = plan_of(SWEEP("{asha: {eta: 2, first: 2}}"), NULL);
    assert_true(eg_plan_has_rungs(plan));
    eg_outcome o = measured(plan, record_of("accuracy", 9, 1, values), EG_TRIAL_PAUSED);
    assert_true(o.evaluations == 1 && o.rungs == 0);
    o = measured(plan, record_of("accuracy", 9, 4, values), EG_TRIAL_PAUSED);
    assert_true(o.evaluations == 4 && o.rungs == 2);
    assert_true(o.rung[0] == 0.25F && o.rung[1] == 0.5F);
    o = measured(plan, record_of("validation_accuracy", 9, 3, values), EG_TRIAL_PAUSED);
    assert_true(o.rungs == 1 && o.rung[0] == 0.25F);
    /* One that has ended stands at every rung: with its last value, or with none if it diverged. */
    o = measured(plan, record_of("accuracy", 5, 5, values), EG_TRIAL_DONE);
    assert_true(o.evaluations == 5 && o.rungs == EG_RUNGS_MAX);
    assert_true(o.rung[1] == 0.5F && o.rung[2] == 0.625F && o.rung[EG_RUNGS_MAX - 1] == 0.625F);
    o = measured(plan, record_of("accuracy", 9, 2, values), EG_TRIAL_DIVERGED);
    assert_true(o.rungs == EG_RUNGS_MAX && o.rung[0] == 0.25F && isnan(o.rung[1]));
    eg_plan_free(plan);
    plan = plan_of(SWEEP("off"), NULL);
    assert_false(eg_plan_has_rungs(plan));
    o = measured(plan, record_of("accuracy", 9, 4, values), EG_TRIAL_PAUSED);
    assert_true(o.evaluations == 4 && o.rungs == 0);
    assert_int_equal(fate(plan, &o, 0), TO_ITS_END);
    eg_plan_free(plan);
}

/* Any order ------------------------------------------------------------------------------------------------ */

enum { EVALUATIONS = 9 };

/** What becomes of a trial if nobody stops it. */
typedef struct course {
    double accuracy[EVALUATIONS];
    size_t length; /* evaluations until it ends */
    eg_trial_status end;
} course;

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static course course_of(uint64_t *state)
{
    static const eg_trial_status ends[] = {EG_TRIAL_DIVERGED, EG_TRIAL_FAILED};
    course c = {.length = EVALUATIONS, .end = EG_TRIAL_DONE};
    uint64_t bad = draw(state) % 6;
    if (bad < 2) {
        c.end = ends[bad];
        c.length = draw(state) % EVALUATIONS;
    }
    for (size_t i = 0; i < EVALUATIONS; i++) {
        c.accuracy[i] = (double)(draw(state) % 4) / 4; /* few levels: ties */
    }
    return c;
}

/** Cuts, and lists what may run now. *changed becomes true if any was cut. */
static size_t sort_out_once(const eg_plan *plan, eg_outcome *outcomes, size_t *ready, bool *changed)
{
    size_t count = 0;
    for (size_t t = 0; t < TRIALS; t++) {
        const eg_plan_trial *trial = &plan->trials[t];
        eg_verdict verdict = eg_plan_judge(plan, outcomes, trial->point);
        if (outcomes[t].status != EG_TRIAL_PENDING && outcomes[t].status != EG_TRIAL_PAUSED) {
            continue;
        }
        size_t next = fate(plan, outcomes, t);
        if (trial->replicate >= verdict.keep) {
            assert_int_equal(outcomes[t].evaluations, 0);
            outcomes[t].status = EG_TRIAL_SKIPPED;
            *changed = true;
        } else if (next == OUT) {
            outcomes[t].status = EG_TRIAL_STOPPED;
            *changed = true;
        } else if (next != WAITS && trial->replicate < verdict.cleared) {
            ready[count++] = t;
        }
    }
    return count;
}

/** What a scheduler does: one rule may have something to say about what another one cut. */
static size_t sort_out(const eg_plan *plan, eg_outcome *outcomes, size_t *ready)
{
    size_t count = 0;
    bool changed = true;
    while (changed) {
        changed = false;
        count = sort_out_once(plan, outcomes, ready, &changed);
    }
    return count;
}

/** One comes back: it got as far as it may, or ended. */
static void comes_back(const eg_plan *plan, const course *c, eg_outcome *outcome, size_t until)
{
    bool pauses = until != TO_ITS_END && until < EVALUATIONS && until <= c->length;
    size_t count = pauses ? until : c->length;
    eg_trial_status status = pauses ? EG_TRIAL_PAUSED : c->end;
    outcome->status = (uint8_t)status;
    if (status == EG_TRIAL_FAILED) {
        return;
    }
    eg_record *record = record_of("accuracy", EVALUATIONS, count, c->accuracy);
    eg_plan_measure(plan, record, outcome);
    eg_record_free(record);
    bool ended = status != EG_TRIAL_PAUSED;
    outcome->objective = !ended ? (double)NAN : count > 0 ? c->accuracy[count - 1] : 0;
}

/** Runs all with up to `workers` at once, which end in any order; how each trial ended. */
static void run_at_random(const eg_plan *plan, const course *courses, uint64_t seed,
                          uint32_t ended[TRIALS])
{
    eg_outcome outcomes[TRIALS];
    size_t ready[TRIALS];
    size_t running[5];
    size_t until[5];
    size_t workers = 1 + seed % 5;
    size_t busy = 0;
    all_pending(outcomes);
    for (;;) {
        size_t count = sort_out(plan, outcomes, ready);
        if (count > 0 && busy < workers && draw(&seed) % 3 > 0) {
            size_t chosen = ready[draw(&seed) % count];
            until[busy] = fate(plan, outcomes, chosen);
            running[busy++] = chosen;
            outcomes[chosen].status = EG_TRIAL_RUNNING;
            continue;
        }
        if (busy == 0 && count == 0) {
            break;
        }
        if (busy > 0) {
            size_t which = draw(&seed) % busy;
            size_t trial = running[which];
            comes_back(plan, &courses[trial], &outcomes[trial], until[which]);
            busy--;
            running[which] = running[busy];
            until[which] = until[busy];
        }
    }
    for (size_t t = 0; t < TRIALS; t++) {
        assert_false(eg_trial_status_is_open(outcomes[t].status)); /* nobody waits for ever */
        ended[t] = outcomes[t].status * 100U + outcomes[t].evaluations;
    }
}

/** `least`: so many trials are stopped, or it would show nothing. */
static void any_order(const char *text, size_t least)
{
    eg_plan *plan = plan_of(text, NULL);
    assert_int_equal(plan->trial_count, TRIALS);
    size_t stopped = 0;
    for (uint64_t draws = 1; draws <= 10; draws++) {
        course courses[TRIALS];
        uint64_t state = draws;
        uint32_t expected[TRIALS];
        for (size_t t = 0; t < TRIALS; t++) {
            courses[t] = course_of(&state);
        }
        run_at_random(plan, courses, 1, expected);
        for (size_t t = 0; t < TRIALS; t++) {
            stopped += expected[t] / 100U == EG_TRIAL_STOPPED;
        }
        for (uint64_t order = 2; order < ORDERS; order++) {
            uint32_t ended[TRIALS];
            run_at_random(plan, courses, order, ended);
            assert_memory_equal(ended, expected, sizeof ended);
        }
    }
    assert_true(stopped >= least);
    eg_plan_free(plan);
}

static void test_any_order(void **state)
{
    (void)state;
    any_order(SWEEP("{asha: {eta: 2, cohort: 3}}"), TRIALS + 1);
    any_order(SWEEP("{asha: {eta: 3, cohort: 6}}"), TRIALS + 1);
    any_order(SWEEP("{asha: {eta: 2, cohort: 6, first: 2}}"), TRIALS + 1);
    any_order(SWEEP("[{asha: {eta: 2, cohort: 6}}, {early_cut: {after: 1, below: 0.5}}]"),
              TRIALS + 1);
    any_order(SWEEP("[{halving_seeds: {eta: 2}}, {asha: {eta: 2, cohort: 4}}]"), TRIALS + 1);
    any_order(SWEEP("{median: {batch: 1}}"), 1);
    any_order(SWEEP("{median: {batch: 2, cohort: 3, first: 2}}"), 1);
    any_order(SWEEP("[{median: {batch: 2, every: 2}}, {early_cut: {after: 1, below: 0.5}}]"), 1);
    any_order(SWEEP("{patience: {evaluations: 2}}"), TRIALS + 1);
}

/* The second stage prefers points of which fewer trials were stopped, and is not halved itself. */
static void test_select(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(SWEEP("{asha: {}}") "select: {best: 2, seeds: 1}\n", NULL);
    eg_outcome outcomes[TRIALS + 2];
    all_pending(outcomes);
    for (size_t t = 0; t < TRIALS; t++) {
        outcomes[t].status = EG_TRIAL_STOPPED;
    }
    static const size_t done[] = {1, 2, 3, POINTS + 3};
    for (size_t i = 0; i < EG_COUNT(done); i++) {
        outcomes[done[i]] =
            (eg_outcome){.status = EG_TRIAL_DONE, .objective = 1.0 - (double)i / 10};
    }
    size_t added = 0;
    outcomes[0].status = EG_TRIAL_PAUSED;
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 0); /* one has not ended */
    outcomes[0].status = EG_TRIAL_STOPPED;
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 2);
    assert_int_equal(plan->trials[TRIALS].point, 3);
    assert_int_equal(plan->trials[TRIALS + 1].point, 1);
    outcomes[TRIALS] = (eg_outcome){.status = EG_TRIAL_PENDING};
    assert_int_equal(fate(plan, outcomes, TRIALS), TO_ITS_END);
    eg_plan_free(plan);
}

static void test_refused(void **state)
{
    (void)state;
    assert_fails(plan_status(SWEEP("{asha: {}}") "objective: average_accuracy\n", NULL), EG_INVALID,
                 "only known when a trial ends");
    assert_fails(plan_status(SWEEP("{asha: {}}"), "protocol=first_tasks"), EG_INVALID, "t.yaml:5:");
    assert_fails(plan_status(SWEEP("{asha: {}}"), "eval.tasks=seen"), EG_INVALID,
                 "must cover all tasks");
    assert_fails(plan_status(SWEEP("[{asha: {}}, {asha: {eta: 2}}]"), NULL), EG_INVALID,
                 "there is another rule that looks into trials");
    eg_plan *plan = plan_of(SWEEP("{asha: {eta: 2}}"), NULL);
    assert_fails(eg_plan_slice(plan, 1, 2), EG_INVALID, "stop asha compares points");
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_out_early),
        cmocka_unit_test(test_what_counts), cmocka_unit_test(test_curves),
        cmocka_unit_test(test_any_order),   cmocka_unit_test(test_select),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
