/** How eg_trial_run may be called: what is required, and what is not. */
#include "testing.h"

#include "engram/trial.h"

static eg_settings *small_settings(void)
{
    const eg_assignment wishes[] = {
        {.name = "dataset", .value = "synthetic"},
        {.name = "dataset.examples", .value = "60"},
        {.name = "dataset.test_examples", .value = "20"},
        {.name = "model.hidden", .value = "[4]"},
    };
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), wishes, EG_COUNT(wishes)));
    return settings;
}

static bool count_polls(void *user, const eg_progress *progress)
{
    (void)progress;
    ++*(size_t *)user;
    return true;
}

static void a_trial_without_a_poll_runs_to_its_end(void **state)
{
    (void)state;
    eg_settings *settings = small_settings();
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    eg_record *polled = NULL;
    size_t polls = 0;
    assert_ok(eg_dataset_cache_create(&cache));
    eg_trial_options options = {.objective = "final_accuracy"};
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    assert_int_equal(eg_record_status(record), EG_TRIAL_DONE);
    options.poll = count_polls;
    options.user = &polls;
    assert_ok(eg_trial_run(&polled, settings, 1, cache, &options));
    assert_true(polls > 0);
    assert_true(eg_record_value(record, "objective") == eg_record_value(polled, "objective"));
    eg_record_free(polled);
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

static void names_what_a_call_lacks(void **state)
{
    (void)state;
    eg_settings *settings = small_settings();
    eg_dataset_cache *cache = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options good = {.objective = "final_accuracy"};
    const eg_trial_options aimless = {0};
    eg_checkpointing nowhere = {.every = 1};
    const eg_trial_options unsaved = {.objective = "final_accuracy", .checkpointing = &nowhere};
    const struct {
        const char *missing;
        const eg_settings *settings;
        eg_dataset_cache *cache;
        const eg_trial_options *options;
    } calls[] = {{"settings is NULL", NULL, cache, &good},
                 {"cache is NULL", settings, NULL, &good},
                 {"options is NULL", settings, cache, NULL},
                 {"options->objective is NULL", settings, cache, &aimless},
                 {"options->checkpointing->save is NULL", settings, cache, &unsaved}};
    for (size_t i = 0; i < EG_COUNT(calls); i++) {
        eg_record *record = (eg_record *)&cache; /* must not be left as it is */
        assert_fails(eg_trial_run(&record, calls[i].settings, 1, calls[i].cache, calls[i].options),
                     EG_INVALID, calls[i].missing);
        assert_null(record);
    }
    assert_fails(eg_trial_run(NULL, settings, 1, cache, &good), EG_INVALID, "out is NULL");
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trial_without_a_poll_runs_to_its_end),
        cmocka_unit_test(names_what_a_call_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
