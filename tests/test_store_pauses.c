/** Trials that pause: what the journal and the result file know of them while they wait, go on, are lost, fail, are stopped
 *  by a rule, and when the rules change. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/trial.h"
#include "plans.h"
#include "stores.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SWEEP                                                                                      \
    "name: tiny\n"                                                                                 \
    "base: {dataset: synthetic, model.hidden: [8, 4], protocol: test}\n"                           \
    "grid: {optimizer.lr: [0.25, 0.5]}\n"                                                          \
    "seeds: 2\n"
#define HALVED SWEEP "stop: {asha: {eta: 2}}\n"

enum { TRIALS = 4, LENGTH = 6 };

static eg_store *open_store(const char *text, eg_plan **plan, eg_outcome *outcomes)
{
    eg_store *store = NULL;
    *plan = plan_of(text, NULL);
    assert_ok(eg_store_open(&store, eg_test_path(eg_test_place, "p.h5"), *plan, &eg_test_session,
                            outcomes));
    return store;
}

static const eg_attempt attempt = {.number = 1, .rank = 1, .host = "h", .start_time = 1};

static void pauses(eg_store *store, const eg_plan *plan, size_t trial, size_t evaluations)
{
    const size_t length = LENGTH;
    eg_record *record = NULL;
    eg_array *step = NULL;
    eg_array *accuracy = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_declare(record, eg_trial_variable("step"), &length, &step));
    assert_ok(eg_record_declare(record, eg_trial_variable("accuracy"), &length, &accuracy));
    for (size_t i = 0; i < evaluations; i++) {
        step->data[i] = (double)i;
        accuracy->data[i] = (double)(i + 1) / 8;
    }
    eg_record_set_status(record, EG_TRIAL_PAUSED, "paused");
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, trial)));
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, trial), EG_TRIAL_PAUSED,
                                "paused", record));
    eg_record_free(record);
}

/** The same in a journal that is made of the file and of what is behind a bad block; then it is as it was. */
static void assert_remade(const eg_plan *plan, size_t trial, eg_trial_status status,
                          size_t evaluations)
{
    enum { BAD = 13000 }; /* header, plan, their copies */
    const char *file = eg_test_path(eg_test_place, "p.h5");
    const char *journal = eg_test_path(eg_test_place, "p.journal");
    size_t size = 0;
    char *kept = NULL;
    unsigned char *bytes = eg_test_read_file(journal, &size);
    unsigned char *bad = eg_test_read_file(journal, &size);
    memset(bad, 0, size < BAD ? size : BAD);
    eg_test_write_file(journal, bad, size);
    assert_ok(eg_store_repair(&kept, file));
    eg_results *results = eg_test_load(file);
    const eg_result *result = eg_test_find(results, plan, trial);
    assert_non_null(kept);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(result->status, status);
    assert_int_equal(eg_trial_evaluations(result->record), evaluations);
    eg_results_free(results);
    eg_test_write_file(journal, bytes, size);
    eg_free(kept);
    eg_free(bytes);
    eg_free(bad);
}

/** Status, and evaluations that are shown: in the journal, and in the file alone. */
static void assert_shown(const eg_plan *plan, size_t trial, eg_trial_status status,
                         size_t evaluations)
{
    const char *file = eg_test_path(eg_test_place, "p.h5");
    bool sound = false;
    char *report = NULL;
    assert_ok(eg_store_collect(file));
    assert_ok(eg_store_check(&report, &sound, file));
    assert_true(sound);
    eg_free(report);
    for (int pass = 0; pass < 2; pass++) {
        eg_results *brief = NULL;
        if (pass == 1) {
            assert_int_equal(rename(eg_test_path(eg_test_place, "p.journal"),
                                    eg_test_path(eg_test_place, "away")),
                             0);
        }
        eg_results *results = eg_test_load(file);
        const eg_result *result = eg_test_find(results, plan, trial);
        assert_int_equal(result->status, status);
        assert_true(isnan(result->objective));
        assert_int_equal(result->record == NULL ? 0 : eg_trial_evaluations(result->record),
                         evaluations);
        eg_results_free(results);
        /* Without curves, but for what a rule stopped. */
        assert_ok(eg_results_load_brief(&brief, file));
        result = eg_test_find(brief, plan, trial);
        assert_int_equal(result->status, status);
        assert_int_equal(result->record == NULL ? 0 : eg_trial_evaluations(result->record),
                         status == EG_TRIAL_STOPPED ? evaluations : 0);
        eg_results_free(brief);
    }
    const char *journal = eg_test_path(eg_test_place, "p.journal");
    assert_int_equal(rename(eg_test_path(eg_test_place, "away"), journal), 0);
    if (evaluations > 0) {
        assert_remade(plan, trial, status, evaluations);
    }
}

static void test_course(void **state)
{
    (void)state;
    eg_outcome outcomes[TRIALS];
    eg_plan *plan = NULL;
    eg_store *store = open_store(HALVED, &plan, outcomes);
    for (size_t t = 0; t < TRIALS; t++) {
        pauses(store, plan, t, 1);
    }
    pauses(store, plan, 1, 2);
    pauses(store, plan, 0, 3);
    /* 0 is on its way when its worker is lost, 1 when all ends, 2 is stopped, 3 fails. */
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 0)));
    assert_ok(eg_store_lost(store, eg_test_attempt(&attempt, plan, 0), true, "gone"));
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 1)));
    assert_ok(eg_store_skipped(store, 2, "stopped by a rule"));
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 3)));
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 3), EG_TRIAL_FAILED,
                                "no file", NULL));
    assert_ok(eg_store_close(store, "stopped"));
    assert_shown(plan, 0, EG_TRIAL_PAUSED, 3);
    assert_shown(plan, 1, EG_TRIAL_PAUSED, 2);
    assert_shown(plan, 2, EG_TRIAL_STOPPED, 1);
    assert_shown(plan, 3, EG_TRIAL_FAILED, 0);
    eg_plan_free(plan);
    /* What they did at the rungs is known, also of the one that failed later. */
    store = open_store(HALVED, &plan, outcomes);
    static const eg_trial_status statuses[TRIALS] = {EG_TRIAL_PAUSED, EG_TRIAL_PAUSED,
                                                     EG_TRIAL_STOPPED, EG_TRIAL_FAILED};
    static const size_t rungs[TRIALS] = {2, 2, 1, 1};
    for (size_t t = 0; t < TRIALS; t++) {
        assert_int_equal(outcomes[t].status, statuses[t]);
        assert_int_equal(outcomes[t].rungs, rungs[t]);
        assert_true(outcomes[t].rung[0] == 0.125F);
    }
    assert_int_equal(outcomes[0].evaluations, 3);
    assert_true(outcomes[0].rung[1] == 0.25F);
    /* A trial that is redone starts from nothing, and meanwhile shows what it was. */
    assert_ok(eg_store_redo(store, 3));
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 3)));
    assert_ok(eg_store_close(store, "stopped"));
    assert_shown(plan, 3, EG_TRIAL_FAILED, 0);
    eg_plan_free(plan);
    /* Under other rules nobody is stopped, and nothing of it is lost. */
    store = open_store(SWEEP, &plan, outcomes);
    assert_int_equal(outcomes[2].status, EG_TRIAL_PAUSED);
    assert_int_equal(outcomes[2].evaluations, 1);
    assert_int_equal(outcomes[3].evaluations, 0);
    assert_ok(eg_store_close(store, "stopped"));
    assert_shown(plan, 2, EG_TRIAL_PAUSED, 1);
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_course, eg_test_enter, eg_test_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
