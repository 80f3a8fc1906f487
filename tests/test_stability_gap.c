/** What is lost in the middle of a phase, and how fast a phase is learned: min-ACC on a case worked by hand,
 *  both measures against the curves they are of, and with checkpoints. */
#include "metric/task_minima.h"
#include "saved_trials.h"
#include "small_settings.h"

#include <math.h>
#include <stdio.h>

enum { TASKS = 5, CHUNKS = 4 };

/* Three tasks; task 0 falls to 0.2 within phase 1 and recovers, task 1 to 0.5 at the end. */
static void lowest_of_three_tasks(void **state)
{
    (void)state;
    static const struct {
        size_t phase;
        double accuracy[3];
    } made[] = {
        {0, {0.1, 0.3, 0.3}}, /* before it is learned: does not count */
        {0, {0.9, 0.4, 0.3}}, /* its own end: nor that */
        {1, {0.2, 0.6, 0.3}},       {1, {0.8, 0.9, 0}}, {2, {0.7, 0.6, 0.1}},
        {2, {(double)NAN, 0.5, 1}}, {3, {0, 0, 0}}, /* after the last that counts */
    };
    eg_minima minima;
    assert_ok(eg_minima_init(&minima, 3, 3));
    assert_true(isnan(eg_minima_mean(&minima)));
    for (size_t i = 0; i < EG_COUNT(made); i++) {
        eg_minima_add(&minima, made[i].phase, made[i].accuracy);
    }
    assert_close(minima.lowest[0], 0.2, 0);
    assert_close(minima.lowest[1], 0.5, 0);
    assert_true(isnan(minima.lowest[2]));
    assert_close(eg_minima_mean(&minima), (0.2 + 0.5) / 2, 1e-15);
    eg_minima_clear(&minima);

    /* One task of all phases. */
    assert_ok(eg_minima_init(&minima, 3, 1));
    for (size_t i = 0; i < EG_COUNT(made); i++) {
        eg_minima_add(&minima, made[i].phase, made[i].accuracy);
    }
    assert_close(eg_minima_mean(&minima), 0.2, 0);
    eg_minima_clear(&minima);

    /* A single phase has no earlier task. */
    assert_ok(eg_minima_init(&minima, 1, 1));
    eg_minima_add(&minima, 0, made[1].accuracy);
    assert_true(isnan(eg_minima_mean(&minima)));
    eg_minima_clear(&minima);
}

static eg_settings *settings_of(const char *const *pairs)
{
    static const eg_assignment small[] = {
        {"dataset", "synthetic", {0}},
        {"dataset.examples", "400", {0}},
        {"model.hidden", "[12]", {0}},
        {"model.activation", "relu", {0}},
        {"optimizer", "sgd", {0}},
        {"optimizer.lr", "0.3", {0}},
        {"stream.batch", "16", {0}},
        {"stream.epochs", "3", {0}},
        {"eval.every", "1", {0}},
        {"measures", "[default, min_accuracy, scratch_iterations]", {0}},
    };
    return small_settings(small, EG_COUNT(small), pairs);
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

static eg_record *run(eg_settings *settings, const char *objective)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = objective};
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

static const double *data_of(const eg_record *record, const char *name)
{
    const eg_array *array = eg_record_find(record, name);
    assert_non_null(array);
    return array->data;
}

/* The mean over tasks before the last of the smallest value of a curve [eval, task] in later phases. */
static double min_acc_of(const eg_record *record, size_t tasks, double *lowest)
{
    const double *accuracy = data_of(record, "task_accuracy");
    const double *phase = data_of(record, "phase");
    double sum = 0;
    for (size_t j = 0; j + 1 < tasks; j++) {
        lowest[j] = 1;
        for (size_t e = 0; e < eg_record_find(record, "phase")->count; e++) {
            if (phase[e] > (double)j) {
                lowest[j] = fmin(lowest[j], accuracy[e * tasks + j]);
            }
        }
        sum += lowest[j] / (double)(tasks - 1);
    }
    return sum;
}

static void lowest_of_the_curves(void **state)
{
    (void)state;
    eg_record *record = run(SETTINGS("stream", "split", "protocol", "test"), "min_accuracy");
    double lowest[TASKS - 1];
    const double mean = min_acc_of(record, TASKS, lowest);
    for (size_t j = 0; j + 1 < TASKS; j++) {
        assert_close(data_of(record, "lowest_accuracy")[j], lowest[j], 0);
    }
    assert_true(isnan(data_of(record, "lowest_accuracy")[TASKS - 1]));
    assert_close(eg_record_value(record, "min_accuracy"), mean, 1e-12);
    assert_close(eg_record_value(record, "objective"), mean, 1e-12);
    assert_true(mean < eg_record_value(record, "average_accuracy"));
    eg_record_free(record);
}

/* Held-out examples select, and only the leading tasks if the protocol says so. */
static void what_selects_is_apart(void **state)
{
    (void)state;
    eg_record *record = run(
        SETTINGS("stream", "split", "protocol", "first_tasks", "protocol.k", "2"), "min_accuracy");
    const double *accuracy = data_of(record, "task_accuracy");
    const double *phase = data_of(record, "phase");
    double lowest = 1;
    for (size_t e = 0; e < eg_record_find(record, "phase")->count; e++) {
        lowest = phase[e] == 1 ? fmin(lowest, accuracy[e * TASKS]) : lowest;
    }
    assert_close(eg_record_value(record, "objective"), lowest, 0);
    eg_record_free(record);
}

/* Minibatches of phase i at its first evaluation of `reference` or more; NaN: none. */
static double reached(const eg_record *record, size_t i, size_t tasks, double reference)
{
    const double *accuracy = data_of(record, "task_accuracy");
    const double *phase = data_of(record, "phase");
    const double *step = data_of(record, "step");
    const size_t count = eg_record_find(record, "phase")->count;
    double start = 0;
    for (size_t e = 0; e < count; e++) {
        start = phase[e] < (double)i ? step[e] : start;
        if (phase[e] == (double)i && accuracy[e * tasks + (tasks > 1 ? i : 0)] >= reference) {
            return step[e] - start;
        }
    }
    return (double)NAN;
}

static void assert_reached(const eg_record *record, size_t tasks, size_t phases, double reference)
{
    double sum = 0;
    double count = 0;
    for (size_t i = 1; i < phases; i++) {
        const double expected = reached(record, i, tasks, reference);
        const double found = data_of(record, "scratch_iterations")[i];
        assert_true(isnan(expected) ? isnan(found) : found == expected);
        sum += isnan(expected) ? 0 : expected;
        count += isnan(expected) ? 0 : 1;
    }
    assert_true(count > 0);
    assert_close(eg_record_value(record, "mean_scratch_iterations"), sum / count, 1e-12);
    assert_close(eg_record_value(record, "scratch_reached"), count / (double)(phases - 1), 1e-12);
}

/* The last evaluation of phase 0 says what is to be reached. */
static void first_minibatch_that_is_as_good_as_the_first_phase(void **state)
{
    (void)state;
    eg_record *record = run(SETTINGS("stream", "split", "eval.tasks", "current"), "final_accuracy");
    const double *phase = data_of(record, "phase");
    size_t end = 0;
    while (phase[end + 1] == 0) {
        end++;
    }
    assert_reached(record, TASKS, TASKS, data_of(record, "task_accuracy")[end * TASKS]);
    assert_close(data_of(record, "scratch_iterations")[0], data_of(record, "step")[end], 0);
    eg_record_free(record);

    record = run(SETTINGS("stream", "split", "measures.scratch_iterations.accuracy", "0.7"),
                 "mean_scratch_iterations");
    assert_reached(record, TASKS, TASKS, 0.7);
    assert_close(data_of(record, "scratch_iterations")[0], reached(record, 0, TASKS, 0.7), 0);
    eg_record_free(record);
}

/* All phases of mega-batches share one task. */
static void mega_batches_share_a_task(void **state)
{
    (void)state;
    eg_record *record = run(SETTINGS("stream", "mega_batches", "stream.chunks", "4", "optimizer.lr",
                                     "0.05", "protocol.fraction", "0.2"),
                            "min_accuracy");
    const double *accuracy = data_of(record, "task_accuracy");
    const double *phase = data_of(record, "phase");
    double lowest = 1;
    size_t end = 0;
    for (size_t e = 0; e < eg_record_find(record, "phase")->count; e++) {
        lowest = phase[e] > 0 ? fmin(lowest, accuracy[e]) : lowest;
        end = phase[e] == 0 ? e : end;
    }
    assert_close(eg_record_value(record, "min_accuracy"), lowest, 0);
    assert_reached(record, 1, CHUNKS, accuracy[end]);
    eg_record_free(record);
}

static void they_go_on_where_they_were(void **state)
{
    (void)state;
    saved_scene s =
        saved_scene_open(saved_settings("measures", "[default, min_accuracy, scratch_iterations]"));
    saved_scene_interrupt(&s, "min_accuracy, scratch_iterations");
    saved_scene_close(&s);
}

static void what_they_need_is_named(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("stream", "online_permuted", "eval.every", "0", "measures", "min_accuracy");
    assert_fails(eg_trial_check(settings), EG_INVALID,
                 "measures: min_accuracy needs a stream whose phases are tasks, or share one");
    eg_settings_free(settings);
    eg_record *record = run(SETTINGS("stream", "split", "optimizer.lr", "1e30", "protocol", "test"),
                            "final_accuracy");
    assert_int_equal(eg_record_status(record), EG_TRIAL_DIVERGED);
    assert_true(isnan(eg_record_value(record, "min_accuracy")));
    assert_true(isnan(eg_record_value(record, "mean_scratch_iterations")));
    eg_record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowest_of_three_tasks),
        cmocka_unit_test(lowest_of_the_curves),
        cmocka_unit_test(what_selects_is_apart),
        cmocka_unit_test(first_minibatch_that_is_as_good_as_the_first_phase),
        cmocka_unit_test(mega_batches_share_a_task),
        cmocka_unit_test(they_go_on_where_they_were),
        cmocka_unit_test(what_they_need_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
