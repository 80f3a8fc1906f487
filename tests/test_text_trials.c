/** Whole trials of the transformer on a small text: stopped anywhere and continued they leave the same record,
 *  with dropout and while experts are copied; what the measure of experts says. */
#include "made_text.h"
#include "saved_trials.h"
#include "testing.h"

enum { SIZE = 900, WORDS_MAX = 48 };

static char path[TEXT_PATH_SIZE];
static const char *directory;

static int make_file(void **state)
{
    static char text[SIZE + 1];
    (void)state;
    directory = eg_test_directory();
    write_words(text, SIZE);
    write_text_file(path, directory, text, SIZE);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

/** Four mega-batches of a small text, three minibatches of each, a small network; `more`: name, value, …, NULL. */
static eg_settings *settings_with(const char *const *more)
{
    const char *const usual[] = {"dataset",
                                 "text",
                                 "dataset.file",
                                 path,
                                 "dataset.block",
                                 "40",
                                 "stream",
                                 "text_mega_batches",
                                 "stream.batch",
                                 "2",
                                 "stream.steps",
                                 "3",
                                 "dataset.sequence",
                                 "6",
                                 "protocol",
                                 "validation",
                                 "eval.block",
                                 "5",
                                 "model",
                                 "switch_transformer",
                                 "model.width",
                                 "8",
                                 "model.heads",
                                 "2",
                                 "model.experts",
                                 "2",
                                 "model.hidden",
                                 "16",
                                 "optimizer",
                                 "adam",
                                 "optimizer.lr",
                                 "0.01",
                                 NULL};
    eg_assignment all[WORDS_MAX];
    eg_settings *settings = NULL;
    size_t count = 0;
    for (size_t i = 0; usual[i] != NULL; i += 2) {
        all[count++] = (eg_assignment){.name = usual[i], .value = usual[i + 1]};
    }
    for (size_t i = 0; more[i] != NULL; i += 2) {
        all[count++] = (eg_assignment){.name = more[i], .value = more[i + 1]};
    }
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, count));
    return settings;
}

#define SETTINGS(...) settings_with((const char *const[]){__VA_ARGS__, NULL})

static void stopped_and_continued(void **state)
{
    (void)state;
    static const char *const cases[][13] = {
        {"model.dropout", "0.2", "optimizer.schedule", "linear_warmup", "optimizer.clip_norm", "1"},
        {"learner", "growing_experts", "learner.add", "1", "optimizer.restart", "phase"},
        {"learner", "growing_ensemble", "learner.of", "plain"},
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        saved_scene s = saved_scene_open(settings_with(cases[c]));
        saved_scene_interrupt(&s, cases[c][1]);
        saved_scene_close(&s);
    }
}

static eg_record *run(eg_settings *settings)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    const eg_trial_options options = {.objective = "average_accuracy"};
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

/* Of two experts the busiest and the least busy one add up. With room for half of the tokens at least half are
 * dropped, with room for all of them none. */
static void loads_of_two_experts(void **state)
{
    (void)state;
    const char *const capacity[] = {"0.5", "2"};
    for (size_t c = 0; c < EG_COUNT(capacity); c++) {
        eg_record *record =
            run(SETTINGS("measures", "[default, experts]", "model.capacity", capacity[c]));
        const eg_array *largest = eg_record_find(record, "expert_load_largest");
        const eg_array *smallest = eg_record_find(record, "expert_load_smallest");
        const eg_array *dropped = eg_record_find(record, "dropped_tokens");
        assert_true(largest->count == 4 && smallest->count == 4 && dropped->count == 4);
        for (size_t e = 0; e < largest->count; e++) {
            assert_close(largest->data[e] + smallest->data[e], 1, 1e-12);
            assert_true(largest->data[e] >= 0.5);
            assert_true(c == 0 ? dropped->data[e] >= 0.5 && dropped->data[e] < 1
                               : dropped->data[e] == 0);
        }
        eg_record_free(record);
    }
}

static void what_has_no_experts_is_refused(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("measures", "experts", "model.experts", "1");
    assert_fails(eg_trial_check(settings), EG_INVALID, "experts needs a model with Switch layers");
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_and_continued),
        cmocka_unit_test(loads_of_two_experts),
        cmocka_unit_test(what_has_no_experts_is_refused),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
