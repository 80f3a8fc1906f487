/** Disparities over orders of tasks in the result file: of every trial those of its group, beside stl, under
 *  names that give way to all others. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "stores.h"

#include <hdf5.h>
#include <math.h>

enum { TASKS = 4, ORDERS = 3, METHODS = 2, TRIALS = ORDERS * METHODS + 1 };

static const char *const sweep =
    "name: orders\n"
    "base:\n"
    "  dataset: synthetic\n"
    "  dataset.classes: 8\n"
    "  stream: split\n"
    "  stream.tasks: 4\n"
    "  stream.active: task\n"
    "blocks:\n"
    "  both:\n"
    "    grid:\n"
    "      learner: [plain, stl]\n"
    "      stream.task_order: [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1]]\n"
    "  alone:\n"
    "    base: {learner: l2, stream.task_order: [0, 1, 2, 3]}\n"
    "seeds: 1\n";

/* By identity, in 1/128, which single precision has exactly: OPD 4, 5, 0, 0 and 0, 0, 2, 0. */
static const double accuracy[METHODS][TASKS][ORDERS] = {
    {{60, 64, 61}, {70, 70, 75}, {50, 50, 50}, {40, 40, 40}},
    {{80, 80, 80}, {90, 90, 90}, {81, 82, 80}, {70, 70, 70}}};

/* Order r begins with task r. */
static eg_record *record_of(const eg_plan *plan, size_t trial)
{
    eg_record *record = eg_test_record(plan, trial);
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    const eg_array *identity = eg_record_find(record, "task_identity");
    size_t method = trial / ORDERS;
    size_t order = trial % ORDERS;
    assert_int_equal(matrix->extent[1], TASKS);
    for (size_t t = 0; t < TASKS; t++) {
        size_t task = (t + order) % TASKS;
        identity->data[t] = (double)task;
        matrix->data[(matrix->extent[0] - 1) * TASKS + t] =
            method < METHODS ? accuracy[method][task][order] / 128 : 0.5;
    }
    eg_record_set_status(record, EG_TRIAL_DONE, "");
    return record;
}

static void finish(eg_store *store, const eg_plan *plan, size_t trial)
{
    eg_attempt attempt = {.trial = plan->trials[trial].id, .number = 1, .host = "node-a"};
    eg_record *record = record_of(plan, trial);
    assert_ok(eg_store_started(store, &attempt));
    assert_ok(eg_store_finished(store, &attempt, EG_TRIAL_DONE, NULL, record));
    assert_ok(eg_store_commit(store));
    eg_record_free(record);
}

static void run(const char *path, const eg_plan *plan, size_t trials)
{
    eg_store *store = NULL;
    eg_outcome *outcomes = NULL;
    assert_ok(eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    assert_ok(eg_store_open(&store, path, plan, &eg_test_session, outcomes));
    for (size_t i = 0; i < trials; i++) {
        finish(store, plan, i);
    }
    assert_ok(eg_store_publish(store, trials == plan->trial_count));
    assert_ok(eg_store_close(store, "done"));
    eg_free(outcomes);
}

static void assert_column_is(hid_t file, const char *name, const double *expected)
{
    double values[TRIALS];
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(dataset >= 0);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    assert_true(H5Dclose(dataset) >= 0);
    for (size_t i = 0; i < TRIALS; i++) {
        if (isnan(expected[i]) ? !isnan(values[i]) : fabs(values[i] - expected[i]) > 1e-12) {
            fail_msg("%s[%zu] is %g, expected %g", name, i, values[i], expected[i]);
        }
    }
}

static void the_worked_example(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(sweep, NULL);
    const char *path = eg_test_path(eg_test_place, "orders.h5");
    const double none = (double)NAN;
    assert_int_equal(plan->trial_count, TRIALS);
    run(path, plan, TRIALS);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    const double mean = (60 + 64 + 61 + 70 + 70 + 75 + 150 + 120) / 12.0 / 128;
    const double stl = (240 + 270 + 81 + 82 + 80 + 210) / 12.0 / 128;
    const double aopd = 9.0 / 4 / 128;
    const double mopd = 5.0 / 128;
    const double stl_aopd = 2.0 / 4 / 128;
    const double stl_mopd = 2.0 / 128;
    /* The most accurate group is number 0; the last point has one order. */
    assert_column_is(file, "order_group", (const double[]){1, 1, 1, 0, 0, 0, -1});
    assert_column_is(file, "order_accuracy",
                     (const double[]){mean, mean, mean, stl, stl, stl, none});
    assert_column_is(file, "aopd",
                     (const double[]){aopd, aopd, aopd, stl_aopd, stl_aopd, stl_aopd, none});
    assert_column_is(file, "mopd",
                     (const double[]){mopd, mopd, mopd, stl_mopd, stl_mopd, stl_mopd, none});
    assert_column_is(
        file, "stl_aopd",
        (const double[]){stl_aopd, stl_aopd, stl_aopd, stl_aopd, stl_aopd, stl_aopd, none});
    assert_column_is(
        file, "stl_mopd",
        (const double[]){stl_mopd, stl_mopd, stl_mopd, stl_mopd, stl_mopd, stl_mopd, none});
    assert_true(H5Fclose(file) >= 0);
    eg_plan_free(plan);
}

/* The file alone is read as before: what is derived is neither a setting nor a measurement. */
static void readers_see_the_same(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(sweep, NULL);
    const char *path = eg_test_path(eg_test_place, "orders.h5");
    run(path, plan, TRIALS);
    eg_results *whole = eg_test_load(path);
    assert_int_equal(remove(eg_test_path(eg_test_place, "orders.journal")), 0);
    eg_results *alone = eg_test_load(path);
    assert_int_equal(whole->column_count, alone->column_count);
    assert_int_equal(whole->variable_count, alone->variable_count);
    assert_int_equal(alone->trial_count, TRIALS);
    eg_results_free(whole);
    eg_results_free(alone);
    eg_plan_free(plan);
}

/* Until a trial has ended there is nothing to say. */
static void nothing_without_results(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(sweep, NULL);
    const char *path = eg_test_path(eg_test_place, "orders.h5");
    run(path, plan, 0);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(H5Lexists(file, "trial_id", H5P_DEFAULT) > 0);
    assert_int_equal(H5Lexists(file, "aopd", H5P_DEFAULT), 0);
    assert_true(H5Fclose(file) >= 0);
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_worked_example, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(readers_see_the_same, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(nothing_without_results, eg_test_enter, eg_test_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
