/** The scheduler with real trials: what comes back is what eg_trial_run gives, and a broken one harms nobody. */
#include "quiet_client.h"
#include "testing.h"

#include "engram/memory.h"
#include "engram/sched.h"
#include "engram/trial.h"

#include <string.h>

enum { TRIALS = 4, BROKEN = 2 };

/* Small and quick: made-up classes, 16 hidden units. */
static eg_settings *make_settings(void)
{
    static const eg_assignment assignments[] = {
        {.name = "dataset", .value = "synthetic"},     {.name = "model.hidden", .value = "[16]"},
        {.name = "model.activation", .value = "relu"}, {.name = "optimizer", .value = "sgd"},
        {.name = "optimizer.lr", .value = "0.1"},      {.name = "protocol", .value = "test"},
    };
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), assignments,
                                  sizeof assignments / sizeof assignments[0]));
    return settings;
}

typedef struct ledger {
    char *text; /* canonical settings */
    uint64_t next;
    eg_writer record[TRIALS]; /* as it came back */
    char message[EG_MESSAGE_SIZE];
} ledger;

static eg_status next(void *user, eg_work *out, bool *have)
{
    ledger *all = user;
    *have = all->next < TRIALS;
    *out = (eg_work){.attempt = {.trial = all->next, .number = 1},
                     .seed = 100 + all->next,
                     .settings = all->next == BROKEN ? "dataset=nowhere\n" : all->text,
                     .objective = "final_accuracy"};
    all->next++;
    return eg_ok();
}

static eg_status finished(void *user, const eg_work_result *result)
{
    ledger *all = user;
    if (result->record != NULL) {
        eg_record_write(result->record, &all->record[result->attempt.trial]);
    } else {
        strncpy(all->message, result->message, sizeof all->message - 1);
    }
    return eg_ok();
}

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

/* Equal in everything but times and memory. `bytes` is the record as it came back; a round trip through the binary
 * form narrows the numbers of `direct` in the same way. */
static void assert_same(const eg_writer *bytes, const eg_record *direct)
{
    eg_writer narrow = {0};
    eg_record *a = NULL, *b = NULL;
    eg_record_write(direct, &narrow);
    eg_reader reader = eg_reader_make(bytes->data, bytes->size);
    assert_ok(eg_record_read(&a, &reader));
    reader = eg_reader_make(narrow.data, narrow.size);
    assert_ok(eg_record_read(&b, &reader));
    assert_int_equal(eg_record_status(a), EG_TRIAL_DONE);
    assert_int_equal(eg_record_count(a), eg_record_count(b));
    for (size_t i = 0; i < eg_record_count(a); i++) {
        const eg_array *x = eg_record_at(a, i);
        const eg_array *y = eg_record_find(b, x->name);
        assert_non_null(y);
        if (!eg_trial_variable(x->name)->volatile_) {
            assert_memory_equal(x->data, y->data, x->count * sizeof(double));
        }
    }
    eg_record_free(a);
    eg_record_free(b);
    eg_writer_clear(&narrow);
}

static void test_real_trials(void **state)
{
    (void)state;
    ledger all = {0};
    eg_world *world = NULL;
    eg_settings *settings = make_settings();
    const eg_sched_options options = {0};
    eg_sched_client client = eg_test_quiet_client(&all, next);
    client.finished = finished;
    assert_ok(eg_signals_install());
    assert_ok(eg_settings_text(&all.text, settings, true));
    assert_ok(eg_world_create(&world, NULL, NULL));
    assert_ok(eg_sched_run(world, &client, &options));
    eg_world_free(world, 0);
    assert_non_null(strstr(all.message, "nowhere"));
    eg_dataset_cache *cache = NULL;
    const eg_trial_options plain = {.objective = "final_accuracy", .poll = go_on};
    assert_ok(eg_dataset_cache_create(&cache));
    for (uint64_t i = 0; i < TRIALS; i++) {
        if (i == BROKEN) {
            assert_int_equal(all.record[i].size, 0);
            continue;
        }
        eg_record *direct = NULL;
        assert_ok(eg_trial_run(&direct, settings, 100 + i, cache, &plain));
        assert_same(&all.record[i], direct);
        eg_record_free(direct);
        eg_writer_clear(&all.record[i]);
    }
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    eg_free(all.text);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_real_trials)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
