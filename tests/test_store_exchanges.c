/** Exchanges with a tuner in the journal, and plans that grow. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/space.h"
#include "plans.h"
#include "store/journal/journal.h"
#include "stores.h"

#include <string.h>

static const char *const text =
    "name: tiny\n"
    "base: {dataset: synthetic, model.hidden: [8, 4], model.activation: relu}\n"
    "sample: {count: 3, settings: {optimizer.lr: {uniform: [0, 1]}}}\n"
    "seeds: 2\n";

static eg_plan *space(void)
{
    eg_plan *plan = NULL;
    assert_ok(eg_plan_parse_space(&plan, "t.yaml", text, strlen(text), NULL, 0));
    return plan;
}

static void suggest(eg_plan *plan, double lr)
{
    const eg_space_value value = {.number = lr};
    size_t point = 0;
    assert_ok(eg_plan_suggest(plan, &value, 1, &point));
}

/** The format in the header of a journal. */
static uint32_t format_of(const char *path)
{
    eg_journal journal;
    eg_frame frame;
    eg_found found;
    uint64_t offset = 0;
    assert_ok(eg_journal_open(&journal, path, EG_JOURNAL_READ));
    assert_ok(eg_journal_next(&journal, &frame, &found, &offset));
    eg_reader reader = eg_reader_make(frame.payload + frame.size - 4, 4);
    uint32_t format = eg_read_u32(&reader);
    eg_journal_close(&journal);
    return format;
}

static void finish(eg_store *store, const eg_plan *plan, size_t trial)
{
    const eg_attempt like = {.number = 1, .host = "host"};
    assert_ok(eg_store_started(store, eg_test_attempt(&like, plan, trial)));
    assert_ok(eg_test_finish(store, plan, trial));
}

static const eg_exchange first[] = {{"{\"vocs\":{}}", "", 0, 3},
                                    {"{\"suggest\":{}}", "[{\"optimizer.lr\":0.5}]", 1, 3}};
static const eg_exchange told = {"{\"ingest\":{}}", "", 0, 3};
static const eg_exchange second = {"{\"suggest\":{}}", "[{\"optimizer.lr\":0.25}]", 1, 3};
static const eg_exchange third = {"{\"suggest\":{}}", "[{\"optimizer.lr\":0.5}]", 1, 3};

/** A run of two points that was killed: the trials of the first are finished, one is skipped. */
static void write_two(const char *path)
{
    eg_plan *plan = space();
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    eg_session session = eg_test_session;
    session.exchanges = first;
    session.exchange_count = 2;
    suggest(plan, 0.5);
    assert_ok(eg_store_open(&store, path, plan, &session, outcomes));
    finish(store, plan, 0);
    assert_ok(eg_store_skipped(store, 1, "cut"));
    assert_ok(eg_store_exchanged(store, &told));
    suggest(plan, 0.25);
    assert_ok(eg_store_exchanged(store, &second));
    outcomes[0].status = EG_TRIAL_STATUS_COUNT; /* left alone */
    assert_ok(eg_store_grow(store, plan, outcomes, 2));
    assert_int_equal(outcomes[0].status, EG_TRIAL_STATUS_COUNT);
    assert_int_equal(outcomes[2].status, EG_TRIAL_PENDING);
    finish(store, plan, 2);
    assert_int_equal(eg_store_find(store, plan->trials[3].id), 3);
    assert_ok(eg_store_close(store, "killed"));
    eg_plan_free(plan);
}

static void test_grows(void **state)
{
    (void)state;
    const char *path = eg_test_path(eg_test_place, "tiny.h5");
    write_two(path);
    assert_int_equal(format_of(eg_test_path(eg_test_place, "tiny.journal")), 3);

    eg_exchanges known;
    assert_ok(eg_store_exchanges(&known, path));
    const eg_exchange *const all[] = {&first[0], &first[1], &told, &second};
    assert_true(known.begun);
    assert_int_equal(known.count, 4);
    for (size_t i = 0; i < known.count; i++) {
        assert_string_equal(known.items[i].sent, all[i]->sent);
        assert_string_equal(known.items[i].answer, all[i]->answer);
        assert_int_equal(known.items[i].suggested, all[i]->suggested);
        assert_int_equal(known.items[i].wanted, 3);
    }
    eg_exchanges_clear(&known);

    eg_results *results = eg_test_load(path);
    assert_int_equal(results->point_count, 2);
    assert_int_equal(results->trial_count, 4);
    assert_int_equal(results->trials[0].status, EG_TRIAL_DONE);
    assert_int_equal(results->trials[1].status, EG_TRIAL_SKIPPED); /* also under the new plan */
    assert_string_equal(results->trials[1].message, "cut");
    assert_int_equal(results->warning_count, 1);
    assert_non_null(strstr(results->warnings[0], "suggested 2 of 3 points so far"));
    assert_false(results->complete);
    assert_string_equal(eg_test_stored_column(results, "optimizer.lr")->text[1], "0.25");
    eg_results_free(results);
}

/** It goes on, with a point that is there already; all is complete when the last exchange says so. */
static void test_continues(void **state)
{
    (void)state;
    const char *path = eg_test_path(eg_test_place, "tiny.h5");
    write_two(path);
    eg_plan *plan = space();
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    suggest(plan, 0.5);
    suggest(plan, 0.25);
    assert_ok(eg_store_open(&store, path, plan, &eg_test_session, outcomes));
    assert_string_equal(eg_store_change(store), "");
    assert_int_equal(outcomes[1].status, EG_TRIAL_SKIPPED);
    assert_int_equal(outcomes[3].status, EG_TRIAL_PENDING);
    finish(store, plan, 3);
    assert_ok(eg_store_exchanged(store, &told));
    suggest(plan, 0.5);
    assert_int_equal(plan->trial_count, 4);
    assert_ok(eg_store_exchanged(store, &third));
    assert_ok(eg_store_close(store, "done"));
    eg_results *results = eg_test_load(path);
    assert_true(results->complete);
    assert_int_equal(results->warning_count, 0);
    eg_results_free(results);
    bool sound = false;
    char *report = NULL;
    assert_ok(eg_store_check(&report, &sound, path));
    assert_true(sound);
    eg_free(report);
    eg_plan_free(plan);
}

/** Points of a tuner and points of a file do not mix, and other journals keep their format. */
static void test_refused(void **state)
{
    (void)state;
    const char *path = eg_test_path(eg_test_place, "tiny.h5");
    const char *drawn = eg_test_path(eg_test_place, "drawn.h5");
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    eg_plan *plan = plan_of(text, NULL);
    write_two(path);
    assert_fails(eg_store_open(&store, path, plan, &eg_test_session, outcomes), EG_INVALID,
                 "suggested by a tuner");
    assert_ok(eg_store_open(&store, drawn, plan, &eg_test_session, outcomes));
    assert_ok(eg_store_close(store, "done"));
    assert_int_equal(format_of(eg_test_path(eg_test_place, "drawn.journal")), 2);
    eg_plan_free(plan);
    plan = space();
    suggest(plan, 0.5);
    assert_fails(eg_store_open(&store, drawn, plan, &eg_test_session, outcomes), EG_INVALID,
                 "no tuner has suggested");
    eg_exchanges known;
    assert_ok(eg_store_exchanges(&known, drawn));
    assert_true(known.begun);
    assert_int_equal(known.count, 0);
    eg_exchanges_clear(&known);
    assert_ok(eg_store_exchanges(&known, eg_test_path(eg_test_place, "none.h5")));
    assert_false(known.begun);
    eg_exchanges_clear(&known);
    eg_plan_free(plan);
}

/** A merged file has the exchanges, once, and two that contradict each other are no sweep. */
static void test_merged(void **state)
{
    (void)state;
    const char *path = eg_test_path(eg_test_place, "tiny.h5");
    const char *merged = eg_test_path(eg_test_place, "merged.h5");
    const char *other = eg_test_path(eg_test_place, "other.h5");
    const char *const twice[] = {path, path};
    const char *const two[] = {path, other};
    char *notes = NULL;
    write_two(path);
    assert_ok(eg_store_merge(&notes, merged, twice, 1));
    eg_free(notes);
    assert_ok(eg_store_merge(&notes, merged, twice, 1));
    eg_free(notes);
    assert_int_equal(format_of(eg_test_path(eg_test_place, "merged.journal")), 3);
    eg_exchanges known;
    assert_ok(eg_store_exchanges(&known, merged));
    assert_int_equal(known.count, 4);
    assert_string_equal(known.items[3].answer, second.answer);
    eg_exchanges_clear(&known);

    eg_plan *plan = space();
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    eg_session session = eg_test_session;
    const eg_exchange odd[] = {first[0], {first[1].sent, "[{\"optimizer.lr\":0.50}]", 1, 3}};
    session.exchanges = odd;
    session.exchange_count = 2;
    suggest(plan, 0.5);
    assert_ok(eg_store_open(&store, other, plan, &session, outcomes));
    finish(store, plan, 0);
    assert_ok(eg_store_close(store, "stopped"));
    assert_fails(eg_store_merge(&notes, eg_test_path(eg_test_place, "both.h5"), two, 2), EG_INVALID,
                 "different exchanges with a tuner (number 2)");
    eg_free(notes);
    eg_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_grows, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_continues, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_refused, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_merged, eg_test_enter, eg_test_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
