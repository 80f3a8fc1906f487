/** What goes into a store comes out again, from the journal and from the HDF5 file alone. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "store/results_owner.h"
#include "stores.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void check_columns(const eg_results *results, const eg_plan *plan)
{
    assert_int_equal(results->point_count, plan->point_count);
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_settings *settings = plan->points[p].settings;
        size_t present = 0;
        for (size_t i = 0; i < eg_settings_count(settings); i++) {
            const eg_setting *setting = eg_settings_at(settings, i);
            const eg_column *c = eg_test_stored_column(results, setting->name);
            assert_string_equal(c->text[p], setting->value.text);
        }
        for (size_t i = 0; i < results->column_count; i++) {
            present += results->columns[i].text[p] != NULL ? 1 : 0;
        }
        assert_int_equal(present, eg_settings_count(settings));
    }
    assert_true(eg_test_stored_column(results, "optimizer.lr")->swept);
    assert_int_equal(eg_test_stored_column(results, "optimizer.lr")->type, EG_TYPE_REAL);
    assert_false(eg_test_stored_column(results, "stream.batch")->swept);
    assert_int_equal(eg_test_stored_column(results, "stream.batch")->type, EG_TYPE_INT);
    assert_string_equal(eg_test_stored_column(results, "stream.batch")->unit, "examples");
}

static void check_all(const eg_results *results, const eg_plan *plan, bool padded)
{
    assert_string_equal(results->name, "tiny");
    assert_string_equal(results->doc, plan->doc);
    assert_string_equal(results->text, plan->text);
    assert_string_equal(results->objective, plan->objective);
    assert_int_equal(results->maximise, plan->maximise);
    assert_true(results->complete);
    assert_null(results->writer);
    assert_int_equal(results->trial_count, 6);
    assert_int_equal(results->warning_count, 0);
    assert_true(results->created == 1e9);
    assert_true(results->last_activity > 1.7e9);
    assert_int_equal(results->session_count, 1);
    assert_non_null(strstr(results->sessions[0], "processor=Test CPU\n"));
    assert_non_null(strstr(results->sessions[0], "environment.B=two words\n"));
    assert_non_null(strstr(results->sessions[0], "\ndata.text unit=byte_pair=0123456789abcdef\n"));
    assert_non_null(
        strstr(results->sessions[0], "\nvocabulary.text unit=byte_pair={\"pairs\":[[61,97]]}\n"));
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(results->trials[i].session, 0);
        assert_int_equal(results->trials[i].point, plan->trials[i].point);
        eg_test_compare(plan, i, &results->trials[i], padded);
    }
    check_columns(results, plan);
}

static void check_variables(const eg_results *results)
{
    size_t found = 0;
    for (size_t i = 0; i < results->variable_count; i++) {
        const eg_stored_variable *v = &results->variables[i];
        if (strcmp(v->name, "accuracy_matrix") == 0) {
            assert_int_equal(v->rank, 2);
            assert_string_equal(v->dims[0], "train_task");
            assert_string_equal(v->dims[1], "eval_task");
            assert_false(v->wide);
            assert_false(v->volatile_);
            found++;
        } else if (strcmp(v->name, "train_seconds") == 0) {
            assert_int_equal(v->rank, 0);
            assert_true(v->wide);
            assert_true(v->volatile_);
            assert_string_equal(v->unit, "s");
            found++;
        } else if (strcmp(v->name, "objective") == 0 || strcmp(v->name, "loss") == 0) {
            found++;
        }
    }
    assert_int_equal(found, 4);
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 6);

    eg_results *results = eg_test_load(file);
    check_all(results, plan, false);
    check_variables(results);
    eg_results_free(results);
    results = eg_test_load(eg_test_path(eg_test_place, "tiny.journal"));
    check_all(results, plan, false);
    eg_results_free(results);

    /* The file alone, as after a mail. */
    assert_int_equal(unlink(eg_test_path(eg_test_place, "tiny.journal")), 0);
    results = eg_test_load(file);
    check_all(results, plan, true);
    check_variables(results);
    eg_results *brief = NULL;
    assert_ok(eg_results_load_brief(&brief, file));
    for (size_t i = 0; i < 6; i++) {
        assert_null(brief->trials[i].record);
        assert_memory_equal(&brief->trials[i].objective, &results->trials[i].objective,
                            sizeof(double));
        assert_memory_equal(&brief->trials[i].reported, &results->trials[i].reported,
                            sizeof(double));
    }
    eg_results_free(brief);
    eg_results_free(results);
    eg_plan_free(plan);
}

static void test_while_it_runs(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(outcomes[i].status, EG_TRIAL_PENDING);
        assert_true(isnan(outcomes[i].objective));
        assert_int_equal(eg_store_attempts(store, i), 0);
    }
    assert_int_equal(access(file, R_OK), 0); /* from the very start */
    assert_ok(eg_test_finish(store, plan, 0));
    eg_attempt attempt = {.number = 1, .host = "node-c", .wall_seconds = (double)NAN};
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 2)));
    assert_ok(eg_store_skipped(store, 5, "cut"));
    assert_int_equal(eg_store_attempts(store, 2), 1);

    eg_results *results = eg_test_load(file);
    char me[64];
    (void)snprintf(me, sizeof me, " %ld", (long)getpid());
    assert_non_null(strstr(results->writer, me));
    assert_false(results->complete);
    assert_int_equal(results->trials[1].status, EG_TRIAL_PENDING);
    assert_int_equal(results->trials[2].status, EG_TRIAL_RUNNING);
    assert_string_equal(results->trials[2].attempt.host, "node-c");
    assert_int_equal(results->trials[5].status, EG_TRIAL_SKIPPED);
    assert_string_equal(results->trials[5].message, "cut");
    eg_test_compare(plan, 0, &results->trials[0], false);
    eg_results_free(results);

    char *report = NULL;
    bool sound = false;
    assert_ok(eg_store_check(&report, &sound, file));
    assert_true(sound);
    assert_non_null(strstr(report, "being written by"));
    assert_non_null(strstr(report, "older than the journal by 3 trials"));
    eg_free(report);
    /* Anybody may bring the file up to date meanwhile. */
    assert_ok(eg_store_collect(file));
    assert_ok(eg_store_check(&report, &sound, file));
    assert_true(sound);
    assert_null(strstr(report, "older than"));
    eg_free(report);

    assert_ok(eg_store_close(store, "stopped"));
    results = eg_test_load(file);
    assert_null(results->writer);
    assert_int_equal(results->trials[2].status, EG_TRIAL_PENDING);
    assert_non_null(strstr(results->sessions[0], "ended=stopped\n"));
    eg_results_free(results);

    /* The next run gets what is known. */
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_int_equal(outcomes[0].status, EG_TRIAL_DONE);
    assert_true(isfinite(outcomes[0].objective));
    assert_int_equal(outcomes[2].status, EG_TRIAL_PENDING);
    assert_int_equal(outcomes[5].status, EG_TRIAL_SKIPPED);
    assert_int_equal(eg_store_attempts(store, 2), 1);
    assert_ok(eg_store_close(store, "done"));
    eg_plan_free(plan);
}

static void test_finished_once(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_ok(eg_test_finish(store, plan, 0));
    assert_fails(eg_test_finish(store, plan, 0), EG_INTERNAL, "has a result already");
    assert_fails(eg_store_skipped(store, 0, "cut"), EG_INTERNAL, "cannot be skipped");
    /* A failed trial may be tried again. */
    eg_attempt attempt = {.number = 1, .host = "x"};
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 1), EG_TRIAL_FAILED,
                                "killed", NULL));
    assert_ok(eg_test_finish(store, plan, 1));
    /* A record that the plan does not know would poison the journal. */
    const eg_variable stranger = {.name = "stranger"};
    eg_record *record = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_scalar(record, &stranger, 1));
    assert_fails(
        eg_store_finished(store, eg_test_attempt(&attempt, plan, 2), EG_TRIAL_DONE, NULL, record),
        EG_INTERNAL, "'stranger' is not declared");
    eg_record_free(record);
    assert_ok(eg_store_close(store, "done"));
    eg_results *results = eg_test_load(file);
    eg_test_compare(plan, 0, &results->trials[0], false);
    eg_test_compare(plan, 1, &results->trials[1], false);
    assert_int_equal(results->trials[2].status, EG_TRIAL_PENDING);
    eg_results_free(results);
    eg_plan_free(plan);
}

static void test_redo(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    eg_test_run(file, plan, 0, 6);
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_int_equal(outcomes[5].status, EG_TRIAL_FAILED);
    assert_ok(eg_store_redo(store, 5));
    assert_ok(eg_store_redo(store, 0));
    assert_int_equal(eg_store_attempts(store, 5), 6);
    assert_ok(eg_store_close(store, "stopped"));

    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_int_equal(outcomes[5].status, EG_TRIAL_PENDING);
    assert_int_equal(outcomes[0].status, EG_TRIAL_PENDING);
    assert_int_equal(outcomes[1].status, EG_TRIAL_DONE);
    eg_results *results = eg_test_load(file);
    /* What was is shown until there is something new. */
    eg_test_compare(plan, 0, &results->trials[0], false);
    eg_test_compare(plan, 5, &results->trials[5], false);
    assert_int_equal(results->trials[0].session, 0);
    assert_false(results->complete);
    assert_int_equal(results->warning_count, 1);
    assert_non_null(strstr(results->warnings[0], "2 finished trials are to be run again"));
    eg_results_free(results);
    assert_ok(eg_test_finish(store, plan, 0));
    assert_ok(eg_store_close(store, "stopped"));
    results = eg_test_load(file);
    eg_test_compare(plan, 0, &results->trials[0], false);
    assert_int_equal(results->trials[0].session, 2);
    eg_results_free(results);
    eg_plan_free(plan);
}

/** A trial that fails when it is run again keeps the values it had; so does one that leaves the sweep meanwhile. */
static void test_redo_brings_nothing(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const eg_attempt attempt = {.number = 9, .host = "here"};
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    eg_test_run(file, plan, 0, 6);
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    for (size_t t = 0; t < 3; t++) {
        assert_ok(eg_store_redo(store, t));
    }
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 0)));
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 0), EG_TRIAL_FAILED,
                                "it broke", NULL));
    assert_ok(
        eg_store_finished(store, eg_test_attempt(&attempt, plan, 1), EG_TRIAL_PAUSED, NULL, NULL));
    assert_ok(eg_store_skipped(store, 2, "cut"));
    assert_ok(eg_store_close(store, "stopped"));
    eg_results *results = eg_test_load(file);
    eg_test_compare(plan, 0, &results->trials[0], false);
    eg_test_compare(plan, 1, &results->trials[1], false);
    assert_int_equal(results->trials[2].status, EG_TRIAL_SKIPPED);
    assert_int_equal(results->warning_count, 2);
    assert_non_null(strstr(results->warnings[1], "(the last: it broke)"));
    eg_results_free(results);

    /* Trial 1 was on its way. */
    const eg_plan_trial dropped = plan->trials[1];
    eg_plan *fewer = plan_of(eg_test_sweep, "seeds=1");
    assert_ok(eg_store_open(&store, file, fewer, &eg_test_session, outcomes));
    assert_ok(eg_store_close(store, "done"));
    results = eg_test_load(file);
    const eg_result *kept = NULL;
    for (size_t i = 0; i < results->trial_count; i++) {
        kept = results->trials[i].attempt.trial == dropped.id ? &results->trials[i] : kept;
    }
    assert_non_null(kept);
    assert_int_equal(kept->status, EG_TRIAL_DONE);
    assert_non_null(kept->record);
    eg_results_free(results);
    eg_plan_free(fewer);
    eg_plan_free(plan);
}

/** Equal journals give equal files, to the byte, whenever they are made. */
static void test_file_is_a_function_of_the_journal(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 6);
    size_t size[2];
    unsigned char *bytes[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(eg_store_collect(file));
        bytes[i] = eg_test_read_file(file, &size[i]);
        if (i == 0) {
            struct timespec second = {.tv_sec = 1, .tv_nsec = 50000000};
            (void)nanosleep(&second, NULL); /* a time stamp in the file would differ now */
        }
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    eg_free(bytes[0]);
    eg_free(bytes[1]);
    eg_plan_free(plan);
}

static void test_mixed_processors(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 3);
    eg_session other = eg_test_session;
    other.blas_core = "Otherwell";
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_ok(eg_store_open(&store, file, plan, &other, outcomes));
    eg_results *results = eg_test_load(file);
    assert_int_equal(results->warning_count, 0); /* nothing finished there yet */
    eg_results_free(results);
    assert_ok(eg_test_finish(store, plan, 3));
    assert_ok(eg_store_publish(store, false));
    assert_ok(eg_store_close(store, "stopped"));
    for (int pass = 0; pass < 2; pass++) {
        results = eg_test_load(file);
        assert_int_equal(results->warning_count, 1);
        assert_non_null(strstr(results->warnings[0], "'Testwell' and 'Otherwell'"));
        eg_results_free(results);
        (void)unlink(eg_test_path(eg_test_place, "tiny.journal"));
    }
    eg_plan_free(plan);
}

static void test_check_finds_a_changed_file(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 6);
    char *report = NULL;
    bool sound = false;
    assert_ok(eg_store_check(&report, &sound, file));
    assert_true(sound);
    assert_non_null(strstr(report, "6 trials agree with the journal value by value"));
    eg_free(report);

    size_t size = 0;
    unsigned char *bytes = eg_test_read_file(file, &size);
    eg_test_write_file(file, bytes, size / 2);
    assert_ok(eg_store_check(&report, &sound, file));
    assert_false(sound);
    assert_non_null(strstr(report, "damaged or cut short"));
    eg_free(report);
    assert_ok(eg_store_collect(file)); /* makes it anew */
    assert_ok(eg_store_check(&report, &sound, file));
    assert_true(sound);
    eg_free(report);

    /* Another sweep's results under this name: other values for the same trials. */
    const char *other = eg_test_path(eg_test_place, "other.h5");
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_ok(eg_store_open(&store, other, plan, &eg_test_session, outcomes));
    eg_attempt attempt = {.number = 1, .host = ""};
    for (size_t i = 0; i < 6; i++) {
        eg_record *record = eg_test_record(plan, i);
        eg_array *accuracy = (eg_array *)(uintptr_t)eg_record_find(record, "accuracy");
        accuracy->data[0] = i == 3 ? 0.125 : accuracy->data[0];
        assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, i), eg_test_status(i),
                                    NULL, record));
        eg_record_free(record);
    }
    assert_ok(eg_store_publish(store, true));
    assert_ok(eg_store_close(store, "done"));
    assert_int_equal(rename(other, file), 0);
    assert_ok(eg_store_check(&report, &sound, file));
    assert_false(sound);
    assert_non_null(strstr(report, "differs from the journal in accuracy"));
    eg_free(report);
    eg_free(bytes);
    eg_plan_free(plan);
}

/** Hand-worked: a [2, 3, 2] array inside one of [2, 4, 5]. */
static void test_padding(void **state)
{
    (void)state;
    const eg_array array = {.rank = 3, .extent = {2, 3, 2}, .count = 12};
    const size_t extent[3] = {2, 4, 5};
    static const size_t want[12] = {0, 1, 5, 6, 10, 11, 20, 21, 25, 26, 30, 31};
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(eg_padded_index(&array, extent, i), want[i]);
    }
    const eg_array scalar = {.rank = 0, .count = 1};
    assert_int_equal(eg_padded_index(&scalar, extent, 0), 0);
}

#define results_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padding),
        results_test(test_round_trip),
        results_test(test_while_it_runs),
        results_test(test_finished_once),
        results_test(test_redo),
        results_test(test_redo_brings_nothing),

        results_test(test_file_is_a_function_of_the_journal),
        results_test(test_mixed_processors),
        results_test(test_check_finds_a_changed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
