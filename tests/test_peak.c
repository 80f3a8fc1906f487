/** The best accuracy of a phase, and the one that held-out examples select, against the curves they are of. */
#include "small_settings.h"

#include "engram/trial.h"

#include <math.h>

enum { PHASES = 5, PHASE_EXAMPLES = 72 };

/** "name", "value", …, NULL; an evaluation after every minibatch of 16 of 72 examples a task. */
static eg_settings *settings_of(const char *const *pairs)
{
    static const eg_assignment small[] = {
        {"dataset", "synthetic", {0}}, {"dataset.examples", "400", {0}},
        {"model.hidden", "[12]", {0}}, {"model.activation", "relu", {0}},
        {"optimizer", "sgd", {0}},     {"optimizer.lr", "0.3", {0}},
        {"stream.batch", "16", {0}},   {"stream.epochs", "3", {0}},
        {"eval.every", "1", {0}},      {"measures", "[default, peak]", {0}},
    };
    return small_settings(small, EG_COUNT(small), pairs);
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

static eg_record *run(const eg_settings *settings)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "mean_peak_accuracy"};
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    eg_dataset_cache_free(cache);
    return record;
}

static const double *data_of(const eg_record *record, const char *name)
{
    const eg_array *array = eg_record_find(record, name);
    assert_non_null(array);
    return array->data;
}

/** Every evaluation of a phase counts, for its own task alone; the first of the largest. */
static void largest_of_the_own_task(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("stream", "split", "eval.tasks", "current");
    eg_record *record = run(settings);
    const double *accuracy = data_of(record, "task_accuracy");
    const double *phase = data_of(record, "phase");
    const double *seen = data_of(record, "examples_seen");
    double best[PHASES] = {0};
    double at[PHASES] = {0};
    double sum = 0;
    for (size_t e = 0; e < eg_record_find(record, "phase")->count; e++) {
        size_t i = (size_t)phase[e];
        if (accuracy[e * PHASES + i] > best[i]) {
            best[i] = accuracy[e * PHASES + i];
            at[i] = seen[e] - (double)i * 3 * PHASE_EXAMPLES;
        }
    }
    for (size_t i = 0; i < PHASES; i++) {
        assert_close(data_of(record, "peak_accuracy")[i], best[i], 0);
        assert_close(data_of(record, "peak_examples")[i], at[i], 0);
        sum += best[i] / PHASES;
    }
    assert_close(eg_record_value(record, "mean_peak_accuracy"), sum, 1e-12);
    assert_close(eg_record_value(record, "objective"), sum, 1e-12);
    eg_record_free(record);
    eg_settings_free(settings);
}

/** In a stream of one phase all held-out examples are those of its task. */
static void the_one_that_held_out_examples_select(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("stream", "iid", "dataset.noise", "1", "optimizer.lr", "1");
    eg_record *record = run(settings);
    const double *accuracy = data_of(record, "accuracy");
    const double *held_out = data_of(record, "validation_accuracy");
    size_t count = eg_record_find(record, "accuracy")->count;
    size_t chosen = 0;
    size_t best = 0;
    for (size_t e = 1; e < count; e++) {
        chosen = held_out[e] > held_out[chosen] ? e : chosen;
        best = accuracy[e] > accuracy[best] ? e : best;
    }
    assert_true(chosen + 1 < count && accuracy[chosen] != accuracy[best]);
    assert_close(data_of(record, "selected_accuracy")[0], accuracy[chosen], 0);
    assert_close(data_of(record, "selected_examples")[0], data_of(record, "examples_seen")[chosen],
                 0);
    assert_close(eg_record_value(record, "mean_selected_accuracy"), accuracy[chosen], 0);
    assert_close(data_of(record, "peak_accuracy")[0], accuracy[best], 0);
    eg_record_free(record);
    eg_settings_free(settings);
}

static void what_is_not_held_out_selects_nothing(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("protocol", "test");
    eg_record *record = run(settings);
    assert_null(eg_record_find(record, "selected_accuracy"));
    assert_null(eg_record_find(record, "mean_selected_accuracy"));
    eg_record_free(record);
    eg_settings_free(settings);
    settings = SETTINGS("optimizer.lr", "1e30", "protocol", "test");
    record = run(settings);
    assert_int_equal(eg_record_status(record), EG_TRIAL_DIVERGED);
    assert_true(isnan(eg_record_value(record, "mean_peak_accuracy")));
    eg_record_free(record);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(largest_of_the_own_task),
        cmocka_unit_test(the_one_that_held_out_examples_select),
        cmocka_unit_test(what_is_not_held_out_selects_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
