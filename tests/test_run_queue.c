/** The order of trials, and waiting for stopping rules. */
#include "testing.h"

#include "engram/memory.h"
#include "run/run_queue.h"

#include <math.h>
#include <string.h>

/* Three points, each twice as expensive as the one before, with four seeds. */
#define SWEEP                                                                                      \
    "name: queue\n"                                                                                \
    "base: {dataset: synthetic, model.hidden: [8]}\n"                                              \
    "grid: {stream.epochs: [1, 2, 4]}\n"                                                           \
    "seeds: 4\n"

typedef struct fixture {
    eg_plan *plan;
    eg_outcome *outcomes;
    eg_run_queue queue;
} fixture;

static void open_fixture(fixture *f, const char *text)
{
    assert_ok(eg_plan_parse(&f->plan, "queue.yaml", text, strlen(text), NULL, 0));
    assert_ok(eg_alloc(&f->outcomes, f->plan->trial_count, sizeof *f->outcomes));
    for (size_t i = 0; i < f->plan->trial_count; i++) {
        f->outcomes[i].objective = (double)NAN;
    }
    assert_ok(eg_run_queue_init(&f->queue, f->plan, f->outcomes, f->plan->trial_count));
    assert_ok(eg_run_queue_add(&f->queue, 0));
}

static void close_fixture(fixture *f)
{
    eg_run_queue_clear(&f->queue);
    eg_free(f->outcomes);
    eg_plan_free(f->plan);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void finish(fixture *f, size_t trial, double objective)
{
    f->outcomes[trial] = (eg_outcome){.status = EG_TRIAL_DONE, .objective = objective};
}

/** The next trial must be this replicate of this point. */
static void assert_next(fixture *f, size_t point, size_t replicate)
{
    size_t trial = eg_run_queue_next(&f->queue);
    assert_int_not_equal(trial, SIZE_MAX);
    assert_int_equal(f->plan->trials[trial].point, point);
    assert_int_equal(f->plan->trials[trial].replicate, replicate);
    f->outcomes[trial].status = EG_TRIAL_RUNNING;
}

static void seeds_are_outermost_and_the_longest_come_first(void **state)
{
    (void)state;
    fixture f = {0};
    open_fixture(&f, SWEEP);
    for (size_t replicate = 0; replicate < 4; replicate++) {
        assert_next(&f, 2, replicate);
        assert_next(&f, 1, replicate);
        assert_next(&f, 0, replicate);
    }
    assert_int_equal(eg_run_queue_next(&f.queue), SIZE_MAX);
    close_fixture(&f);
}

static void finished_trials_are_passed_over(void **state)
{
    (void)state;
    fixture f = {0};
    open_fixture(&f, SWEEP);
    finish(&f, eg_plan_find(f.plan, 2, 0), 0.5);
    finish(&f, eg_plan_find(f.plan, 0, 0), 0.5);
    assert_next(&f, 1, 0);
    assert_next(&f, 2, 1);
    close_fixture(&f);
}

static void replicates_wait_for_the_rule_that_may_cut_them(void **state)
{
    (void)state;
    fixture f = {0};
    open_fixture(&f, SWEEP "stop: {early_cut: {after: 2, below: 0.5}}\n");
    for (size_t replicate = 0; replicate < 2; replicate++) {
        assert_next(&f, 2, replicate);
        assert_next(&f, 1, replicate);
        assert_next(&f, 0, replicate);
    }
    /* Nothing is decided yet: all others wait, however many workers are idle. */
    assert_int_equal(eg_run_queue_next(&f.queue), SIZE_MAX);
    /* One result is not enough for a decision. */
    finish(&f, eg_plan_find(f.plan, 0, 0), 0.1);
    assert_int_equal(eg_run_queue_fate(&f.queue, eg_plan_find(f.plan, 0, 2)), EG_RUN_FATE_WAIT);
    finish(&f, eg_plan_find(f.plan, 0, 1), 0.2);
    assert_int_equal(eg_run_queue_fate(&f.queue, eg_plan_find(f.plan, 0, 2)), EG_RUN_FATE_SKIP);
    assert_int_equal(eg_run_queue_fate(&f.queue, eg_plan_find(f.plan, 0, 3)), EG_RUN_FATE_SKIP);
    /* A good point goes on, with the replicates that waited. */
    finish(&f, eg_plan_find(f.plan, 1, 0), 0.6);
    finish(&f, eg_plan_find(f.plan, 1, 1), 0.7);
    assert_int_equal(eg_run_queue_fate(&f.queue, eg_plan_find(f.plan, 1, 2)), EG_RUN_FATE_RUN);
    eg_run_queue_release(&f.queue, eg_plan_find(f.plan, 1, 2));
    eg_run_queue_release(&f.queue, eg_plan_find(f.plan, 1, 3));
    eg_run_queue_release(&f.queue, eg_plan_find(f.plan, 1, 3)); /* twice is once */
    assert_next(&f, 1, 2);
    assert_next(&f, 1, 3);
    assert_int_equal(eg_run_queue_next(&f.queue), SIZE_MAX);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_outermost_and_the_longest_come_first),
        cmocka_unit_test(finished_trials_are_passed_over),
        cmocka_unit_test(replicates_wait_for_the_rule_that_may_cut_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
