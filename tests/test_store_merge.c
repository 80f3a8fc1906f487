/** Joining results files: everything once, from the file that has most to say, whatever their order; and
 *  what cannot be joined. The trials are those of stores.h: 4 diverges, 5 fails, the others are done. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "stores.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *at(const char *name)
{
    return eg_test_path(eg_test_place, name);
}

/** A store whose session has a command and a time of its own. */
static eg_store *open_store(const char *name, const eg_plan *plan, const char *command)
{
    static double time = 1e9;
    eg_session session = eg_test_session;
    eg_outcome outcomes[64];
    eg_store *store = NULL;
    session.command = command;
    session.time = time += 1;
    assert_ok(eg_store_open(&store, at(name), plan, &session, outcomes));
    return store;
}

/** Finishes the trials of `plan` (a bit each) in the file NAME. */
static void run_some(const char *name, const eg_plan *plan, unsigned trials)
{
    eg_store *store = open_store(name, plan, name);
    for (size_t i = 0; i < plan->trial_count; i++) {
        if ((trials >> i & 1U) != 0) {
            assert_ok(eg_test_finish(store, plan, i));
        }
    }
    assert_ok(eg_store_close(store, "stopped"));
}

static eg_status merge(const char *out, const char *const *names, size_t count)
{
    const char *files[8];
    char *notes = NULL;
    for (size_t i = 0; i < count; i++) {
        files[i] = at(names[i]);
    }
    eg_status status = eg_store_merge(&notes, at(out), files, count);
    assert_true((status.code == EG_OK) == (notes != NULL));
    eg_free(notes);
    return status;
}

#define merge_of(out, ...)                                                                         \
    merge((out), (const char *const[]){__VA_ARGS__},                                               \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void assert_trials(const char *name, const eg_plan *plan, unsigned finished)
{
    eg_results *results = eg_test_load(at(name));
    for (size_t i = 0; i < plan->trial_count; i++) {
        const eg_result *result = eg_test_find(results, plan, i);
        if ((finished >> i & 1U) != 0) {
            eg_test_compare(plan, i, result, false);
        } else {
            assert_int_equal(result->status, EG_TRIAL_PENDING);
        }
    }
    eg_results_free(results);
}

static void assert_same_file(const char *one, const char *other)
{
    size_t sizes[2];
    unsigned char *bytes = eg_test_read_file(at(one), &sizes[0]);
    unsigned char *same = eg_test_read_file(at(other), &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes, same, sizes[0]);
    eg_free(bytes);
    eg_free(same);
}

/* Three files that overlap, one of an earlier version of the sweep, one with another point: six orders. */
static void test_any_order(void **state)
{
    (void)state;
    eg_plan *whole = plan_of(eg_test_sweep, NULL);
    eg_plan *small = plan_of(eg_test_sweep, "seeds=2");
    eg_plan *other = plan_of(eg_test_sweep, "model.activation=relu", "optimizer.lr=0.25");
    run_some("a.h5", whole, 0x0b);
    run_some("b.h5", small, 0x05);
    run_some("b.h5", whole, 0x20);
    run_some("c.h5", other, 0x00);
    static const char *const orders[6][3] = {{"a.h5", "b.h5", "c.h5"}, {"a.h5", "c.h5", "b.h5"},
                                             {"b.h5", "a.h5", "c.h5"}, {"b.h5", "c.h5", "a.h5"},
                                             {"c.h5", "a.h5", "b.h5"}, {"c.h5", "b.h5", "a.h5"}};
    for (size_t i = 0; i < 6; i++) {
        char name[2][16];
        (void)snprintf(name[0], sizeof name[0], "m%zu.h5", i);
        (void)snprintf(name[1], sizeof name[1], "m%zu.journal", i);
        assert_ok(merge(name[0], orders[i], 3));
        assert_trials(name[0], whole, 0x2f);
        assert_same_file(name[0], "m0.h5");
        assert_same_file(name[1], "m0.journal");
    }
    eg_results *results = eg_test_load(at("m0.h5"));
    assert_int_equal(results->session_count, 4);
    assert_int_equal(results->trial_count, 6);
    assert_string_equal(results->overrides, ""); /* of the largest plan */
    for (size_t i = 0; i < 6; i++) {
        size_t session = results->trials[i].session;
        const char *command = i == 1 || i == 3 ? "command=a.h5" : "command=b.h5";
        if (i != 4) {
            assert_non_null(strstr(results->sessions[session], command));
        }
    }
    eg_results_free(results);
    run_some("m0.h5", whole, 0x10); /* it goes on */
    assert_trials("m0.h5", whole, 0x3f);
    char *report = NULL;
    bool sound = false;
    assert_ok(eg_store_collect(at("m0.h5")));
    assert_ok(eg_store_check(&report, &sound, at("m0.h5")));
    assert_true(sound);
    eg_free(report);
    eg_plan_free(whole);
    eg_plan_free(small);
    eg_plan_free(other);
}

/** Bit by bit into one file; what is there already adds nothing. */
static void test_again_and_again(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    run_some("a.h5", plan, 0x01);
    run_some("b.h5", plan, 0x32);
    assert_ok(merge_of("m.h5", "a.h5"));
    assert_ok(merge_of("m.h5", "b.h5"));
    assert_trials("m.h5", plan, 0x33);
    size_t size[2];
    eg_free(eg_test_read_file(at("m.journal"), &size[0]));
    assert_ok(merge_of("m.h5", "b.h5", "a.h5"));
    eg_free(eg_test_read_file(at("m.journal"), &size[1]));
    assert_int_equal(size[0], size[1]);
    run_some("a.h5", plan, 0x08);
    assert_ok(merge_of("m.h5", "b.h5", "a.h5"));
    assert_trials("m.h5", plan, 0x3b);
    assert_int_equal(access(at("m.lock"), F_OK), -1);
    eg_plan_free(plan);
}

/** Slices have different trials of one plan; a rule's cuts stay when the plan grows. */
static void test_slices(void **state)
{
    (void)state;
    const char *const rule = "stop={early_cut: {after: 1, below: 99}}";
    eg_plan *whole = plan_of(eg_test_sweep, rule);
    eg_plan *part[2];
    for (size_t i = 0; i < 2; i++) {
        char name[] = {(char)('a' + i), '.', 'h', '5', '\0'};
        part[i] = plan_of(eg_test_sweep, rule);
        assert_ok(eg_plan_slice(part[i], i + 1, 2));
        assert_int_equal(part[i]->trial_count, 3);
        eg_store *store = open_store(name, part[i], name);
        assert_ok(eg_test_finish(store, part[i], 0));
        assert_ok(eg_store_skipped(store, 1, "cut"));
        assert_ok(eg_store_skipped(store, 2, "cut"));
        assert_ok(eg_store_close(store, "done"));
    }
    assert_ok(merge_of("m.h5", "b.h5"));
    assert_ok(merge_of("m.h5", "a.h5"));
    assert_ok(merge_of("n.h5", "b.h5", "a.h5"));
    const char *const names[] = {"m.h5", "n.h5"};
    for (size_t k = 0; k < 2; k++) {
        eg_results *results = eg_test_load(at(names[k]));
        assert_int_equal(results->trial_count, 6);
        assert_true(results->complete);
        for (size_t i = 0; i < 6; i++) {
            assert_true(results->trials[i].attempt.trial ==
                        whole->trials[i].id); /* the plan's order */
            assert_int_equal(results->trials[i].status, i < 2 ? EG_TRIAL_DONE : EG_TRIAL_SKIPPED);
        }
        eg_results_free(results);
    }
    eg_plan_free(whole);
    eg_plan_free(part[0]);
    eg_plan_free(part[1]);
}

static void finish_with(eg_store *store, const eg_plan *plan, size_t trial, const char *variable,
                        double change)
{
    const eg_attempt attempt = {
        .number = 1, .host = "elsewhere", .start_time = 1, .wall_seconds = 1};
    eg_record *record = eg_test_record(plan, trial);
    const eg_array *array = eg_record_find(record, variable);
    assert_non_null(array);
    array->data[0] += change;
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, trial)));
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, trial), EG_TRIAL_DONE, NULL,
                                record));
    assert_ok(eg_store_commit(store));
    eg_record_free(record);
}

/** Attempts, times and hosts may differ between two runs of a trial; results may not. */
static void test_overlaps(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    run_some("a.h5", plan, 0x04);
    const struct {
        const char *variable;
        double change;
        bool agrees;
    } rows[] = {{"final_accuracy", 0, true},
                {"train_seconds", 100, true},
                {"final_accuracy", 1.0 / 1024, false},
                {"accuracy", 1.0 / 1024, false}};
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "b%zu.h5", i);
        eg_store *store = open_store(name, plan, name);
        finish_with(store, plan, 2, rows[i].variable, rows[i].change);
        assert_ok(eg_store_close(store, "stopped"));
        if (rows[i].agrees) {
            assert_ok(merge_of("m.h5", name, "a.h5"));
            assert_trials("m.h5", plan, 0x04); /* the older file's attempt */
            assert_int_equal(unlink(at("m.h5")) + unlink(at("m.journal")), 0);
            continue;
        }
        eg_status status = merge_of("m.h5", name, "a.h5");
        char id[24];
        (void)snprintf(id, sizeof id, "%016llx", (unsigned long long)plan->trials[2].id);
        assert_int_equal(status.code, EG_INVALID);
        assert_non_null(strstr(status.message, id));
        assert_non_null(strstr(status.message, rows[i].variable));
        assert_non_null(strstr(status.message, "a.h5"));
        assert_non_null(strstr(status.message, name));
        assert_int_equal(access(at("m.journal"), F_OK), -1);
        assert_int_equal(access(at("m.journal.tmp"), F_OK), -1);
    }
    eg_plan_free(plan);
}

/** Done counts more than failed, failed more than begun; a trial that was redone is what it is now. */
static void test_best_standing(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const eg_attempt attempt = {.number = 7, .host = "h", .start_time = 1, .wall_seconds = 1};
    eg_store *store = open_store("a.h5", plan, "a");
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 0), EG_TRIAL_FAILED, "lost",
                                NULL));
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 1), EG_TRIAL_FAILED, "lost",
                                NULL));
    assert_ok(eg_store_redo(store, 1));
    assert_ok(eg_test_finish(store, plan, 1));
    assert_ok(eg_store_started(store, eg_test_attempt(&attempt, plan, 2)));
    assert_ok(eg_test_finish(store, plan, 3));
    assert_ok(eg_store_redo(store, 3));
    assert_ok(eg_store_close(store, "stopped"));
    store = open_store("b.h5", plan, "b");
    assert_ok(eg_test_finish(store, plan, 0));
    assert_ok(eg_store_skipped(store, 1, "cut"));
    assert_ok(eg_store_skipped(store, 3, "cut"));
    assert_ok(eg_store_redo(store, 3));
    assert_ok(eg_test_finish(store, plan, 3));
    assert_ok(eg_store_close(store, "stopped"));
    const char *const orders[2][2] = {{"a.h5", "b.h5"}, {"b.h5", "a.h5"}};
    for (size_t i = 0; i < 2; i++) {
        const char *out = i == 0 ? "m.h5" : "n.h5";
        assert_ok(merge(out, &orders[i][0], 1)); /* one after the other into the same file … */
        assert_ok(merge(out, &orders[i][1], 1));
        assert_trials(out, plan, 0x0b);
        store = open_store(out, plan, "look");
        assert_int_equal(eg_store_attempts(store, 2), 7); /* … what only began counts as attempts */
        assert_ok(eg_store_close(store, "stopped"));
    }
    assert_ok(merge_of("o.h5", "b.h5", "a.h5")); /* … and at once */
    assert_trials("o.h5", plan, 0x0b);
    eg_plan_free(plan);
}

/** A failed trial there, the same trial cut and then failed again here: its history fits in. */
static void test_skipped_after_failed(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const eg_attempt attempt = {.number = 1, .host = "h", .start_time = 1, .wall_seconds = 1};
    eg_store *store = open_store("a.h5", plan, "a");
    assert_ok(eg_store_finished(store, eg_test_attempt(&attempt, plan, 0), EG_TRIAL_FAILED, "lost",
                                NULL));
    assert_ok(eg_store_close(store, "stopped"));
    store = open_store("b.h5", plan, "b");
    assert_ok(eg_store_skipped(store, 0, "cut"));
    assert_ok(eg_store_redo(store, 0));
    assert_ok(eg_test_finish(store, plan, 0));
    assert_ok(eg_store_close(store, "stopped"));
    assert_ok(merge_of("m.h5", "a.h5"));
    assert_ok(merge_of("m.h5", "b.h5"));
    assert_trials("m.h5", plan, 0x01);
    eg_plan_free(plan);
}

/** Second stages of the files are the second stage of the merged one. */
static void test_second_stage(void **state)
{
    (void)state;
    char text[1024];
    eg_outcome outcomes[16];
    (void)snprintf(text, sizeof text, "%sselect: {best: 1, seeds: 2}\n", eg_test_sweep);
    for (size_t k = 0; k < 2; k++) {
        eg_plan *plan = plan_of(text, NULL);
        const char *name = k == 0 ? "a.h5" : "b.h5";
        run_some(name, plan, 0x3f);
        eg_store *store = open_store(name, plan, name);
        for (size_t i = 0; i < 6; i++) {
            outcomes[i] =
                (eg_outcome){.status = (uint8_t)eg_test_status(i), .objective = (double)i};
        }
        size_t added = 0;
        assert_ok(eg_plan_select(plan, outcomes, &added));
        assert_ok(eg_store_extend(store, plan, outcomes));
        assert_ok(eg_test_finish(store, plan, 6 + k));
        assert_ok(eg_store_close(store, "stopped"));
        if (k == 1) {
            assert_ok(merge_of("m.h5", "b.h5", "a.h5"));
            assert_trials("m.h5", plan, 0xff);
            eg_results *results = eg_test_load(at("m.h5"));
            assert_true(results->complete);
            eg_results_free(results);
        }
        eg_plan_free(plan);
    }
}

/** Pieces picked with `only` have no trial in common, and join. */
static void test_pieces(void **state)
{
    (void)state;
    eg_plan *whole = plan_of(eg_test_sweep, NULL);
    eg_plan *first = plan_of(eg_test_sweep, "only={model.activation: relu}");
    eg_plan *second = plan_of(eg_test_sweep, "only={model.activation: hard_ash}");
    run_some("a.h5", first, 0x07);
    run_some("b.h5", second, 0x07);
    assert_ok(merge_of("m.h5", "a.h5", "b.h5"));
    eg_results *results = eg_test_load(at("m.h5"));
    assert_int_equal(results->trial_count, 6);
    for (size_t i = 0; i < 3; i++) {
        eg_test_compare(first, i, eg_test_find(results, first, i), false);
        eg_test_compare(second, i, eg_test_find(results, second, i), false);
    }
    eg_results_free(results);
    eg_store *store = open_store("m.h5", whole, "all");
    assert_non_null(
        strstr(eg_store_change(store), "its trials are the same; model.activation has now"));
    assert_ok(eg_store_close(store, "stopped"));
    eg_plan_free(whole);
    eg_plan_free(first);
    eg_plan_free(second);
}

static void test_other_sweeps(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_plan *batch = plan_of(eg_test_sweep, "stream.batch=7");
    eg_plan *name = plan_of(eg_test_sweep, "name=huge");
    run_some("a.h5", plan, 0x03);
    run_some("b.h5", batch, 0x03);
    run_some("c.h5", name, 0x03);
    assert_fails(merge_of("m.h5", "a.h5", "b.h5"), EG_INVALID, "stream.batch is");
    assert_fails(merge_of("m.h5", "a.h5", "c.h5"), EG_INVALID, "belongs to another sweep");
    assert_fails(merge_of("m.h5", "a.h5", "d.h5"), EG_INVALID, "d.journal does not exist");
    assert_fails(merge_of("a.h5", "a.h5"), EG_INVALID, "is the merged file itself");
    eg_store *store = open_store("m.h5", plan, "m");
    eg_status status = merge_of("m.h5", "a.h5");
    assert_fails(status, EG_INVALID, "is being written by process");
    assert_ok(eg_store_close(store, "stopped"));
    /* One of another version of engram: same settings, other ids. */
    for (size_t i = 0; i < plan->trial_count; i++) {
        plan->trials[i].id++;
    }
    run_some("d.h5", plan, 0x03);
    assert_fails(merge_of("n.h5", "a.h5", "d.h5"), EG_INVALID, "another version of engram");
    eg_plan_free(plan);
    eg_plan_free(batch);
    eg_plan_free(name);
}

/** What is intact in a damaged journal is saved by merging it into a new file, which can go on. */
static void test_damaged_source(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    run_some("a.h5", plan, 0x03);
    run_some("a.h5", plan, 0x0c);
    size_t size = 0;
    unsigned char *bytes = eg_test_read_file(at("a.journal"), &size);
    bytes[size - 200] ^= 1; /* in the result of trial 3 */
    eg_test_write_file(at("a.journal"), bytes, size);
    eg_free(bytes);
    char *notes = NULL;
    const char *file = at("a.h5");
    assert_ok(eg_store_merge(&notes, at("m.h5"), &file, 1));
    assert_non_null(strstr(notes, "a.journal is damaged at byte"));
    eg_free(notes);
    assert_trials("m.h5", plan, 0x07);
    run_some("m.h5", plan, 0x38);
    assert_trials("m.h5", plan, 0x3f);
    eg_plan_free(plan);
}

/** Every allocation fails once: nothing leaks, nothing is left behind. */
static void test_no_memory(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_plan *small = plan_of(eg_test_sweep, "seeds=2");
    run_some("a.h5", plan, 0x13);
    run_some("b.h5", small, 0x06);
    size_t live = eg_memory_live_blocks();
    for (size_t n = 1;; n += 1 + n / 100) {
        eg_memory_fail_after(n);
        eg_status status = merge_of("m.h5", "a.h5", "b.h5");
        eg_memory_fail_after(0);
        assert_int_equal(eg_memory_live_blocks(), live);
        if (status.code == EG_OK) {
            assert_true(n > 300);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_int_equal(access(at("m.journal.tmp"), F_OK), -1);
        assert_int_equal(access(at("m.lock"), F_OK), -1);
        if (access(at("m.journal"), F_OK) == 0) {
            assert_trials("m.h5", plan, 0x17); /* only its picture is missing */
            assert_int_equal(unlink(at("m.journal")), 0);
            (void)unlink(at("m.h5"));
        }
    }
    assert_trials("m.h5", plan, 0x17);
    eg_plan_free(plan);
    eg_plan_free(small);
}

#define merge_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        merge_test(test_any_order),     merge_test(test_again_and_again),
        merge_test(test_slices),        merge_test(test_overlaps),
        merge_test(test_best_standing), merge_test(test_skipped_after_failed),
        merge_test(test_second_stage),  merge_test(test_pieces),
        merge_test(test_other_sweeps),  merge_test(test_damaged_source),
        merge_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
