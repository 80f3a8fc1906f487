/** The files a sweep is made of: includes, tables of points, and the text that is kept of them. */
#include "testing.h"

#include "engram/sweep.h"
#include "engram/trial.h"
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static void write_in(const char *directory, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    eg_test_write_file(path, text, strlen(text));
}

static eg_status load_from(const char *directory, const char *name, eg_plan **plan)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return eg_plan_load(plan, path, NULL, 0);
}

static void test_include(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    write_in(
        directory, "common.yaml",
        "base: {stream.epochs: 2, stream.batch: 32}\nseeds: 4\ngrid: {optimizer.lr: [1, 2, 3]}");
    write_in(directory, "more.yaml", "include: common.yaml\nbase: {stream.batch: 16}\n");
    write_in(
        directory, "main.yaml",
        "name: main\ninclude: [more.yaml]\nbase: {stream.epochs: 3}\ngrid: {optimizer.lr: [5]}\n");
    eg_plan *plan = NULL;
    assert_ok(load_from(directory, "main.yaml", &plan));
    assert_column(plan, "optimizer.lr", "5");
    assert_column(plan, "stream.epochs", "3");
    assert_column(plan, "stream.batch", "16");
    assert_int_equal(plan->seed_count, 4);
    /* base is merged, a grid is not: the plan says which one holds. */
    assert_int_equal(plan->note_count, 1);
    assert_non_null(strstr(plan->notes[0], "main.yaml:4: grid replaces that of "));
    assert_non_null(
        strstr(plan->notes[0], "common.yaml:3 (of included files only base is merged)"));
    /* All texts, included ones first, each behind its name. */
    const char *first = strstr(plan->text, "seeds: 4");
    const char *second = strstr(plan->text, "include: common.yaml");
    const char *third = strstr(plan->text, "name: main");
    assert_true(first != NULL && first < second && second < third);
    assert_non_null(strstr(plan->text, "/common.yaml\nbase:"));
    eg_plan_free(plan);

    write_in(directory, "twice.yaml", "name: twice\ninclude: [common.yaml, more.yaml]\n");
    assert_ok(load_from(directory, "twice.yaml", &plan));
    assert_int_equal(plan->note_count, 0);
    eg_plan_free(plan);

    write_in(directory, "a.yaml", "name: a\ninclude: b.yaml\n");
    write_in(directory, "b.yaml", "include: ./a.yaml\n");
    assert_fails(load_from(directory, "a.yaml", &plan), EG_INVALID, "b.yaml:1:10: ");
    assert_fails(load_from(directory, "a.yaml", &plan), EG_INVALID, "includes itself");
    write_in(directory, "c.yaml", "name: c\ninclude: comon.yaml\n");
    assert_fails(load_from(directory, "c.yaml", &plan), EG_INVALID,
                 "comon.yaml does not exist; did you mean common.yaml?");
    write_in(directory, "d.yaml", "name: d\ninclude: e.yaml\n");
    write_in(directory, "e.yaml", "base:\n  optimizer.lr: none\n");
    assert_fails(load_from(directory, "d.yaml", &plan), EG_INVALID,
                 "e.yaml:2:3: optimizer.lr = none: must be a number");
    assert_fails(load_from(directory, "", &plan), EG_INVALID, "is a directory, not a file");
    assert_fails(load_from(directory, "man.yaml", &plan), EG_INVALID, "did you mean main.yaml?");
    assert_fails(load_from("/no/such/folder", "x.yaml", &plan), EG_INVALID,
                 "/no/such/folder/x.yaml does not exist");
    eg_test_remove(directory);
}

static void test_points_table(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    write_in(directory, "points.csv",
             "\xef\xbb\xbfoptimizer.lr, model.hidden ,stream.epochs\r\n"
             "1e-3,\"[10, 10]\",1\r\n"
             "\r\n"
             "2e-3,20,\r\n"
             "\"3e-3\",\"[30]\",5");
    write_in(directory, "main.yaml",
             "name: t\nseeds: 3\nbase: {stream.epochs: 9}\npoints: points.csv\n"
             "grid: {stream.batch: [1, 2]}\n");
    eg_plan *plan = NULL;
    assert_ok(load_from(directory, "main.yaml", &plan));
    assert_column(plan, "stream.batch", "1 1 1 2 2 2");
    assert_column(plan, "optimizer.lr", "0.001 0.002 0.003 0.001 0.002 0.003");
    assert_column(plan, "stream.epochs", "1 9 5 1 9 5"); /* an empty cell: the base value */
    assert_string_equal(eg_test_value(plan, 0, "model.hidden"), "[10, 10]");
    assert_string_equal(eg_test_value(plan, 1, "model.hidden"), "[20]");
    /* The table is kept too, as comments behind the sweep file. */
    const char *kept = strstr(plan->text, "/points.csv\n# \xef\xbb\xbfoptimizer.lr, model.hidden");
    assert_non_null(kept);
    assert_true(kept > strstr(plan->text, "grid: {stream.batch"));
    assert_non_null(strstr(kept, "\n# 2e-3,20,\r\n# \"3e-3\",\"[30]\",5"));
    eg_plan_free(plan);

    static const struct {
        const char *table, *message;
    } bad[] = {
        {"", "points.csv:1:1: an empty table"},
        {"\n\n", "points.csv:3:1: an empty table"},
        {"optimizer.lr\n", "points.csv:2:1: a table without a point"},
        {"lr\n1\n", "points.csv:1:1: unknown setting 'lr': did you mean optimizer.lr?"},
        {"optimizer.lr,optimizer.lr\n1,2\n", "points.csv:1:14: column optimizer.lr is here twice"},
        {"optimizer.lr,\n1,2\n", "points.csv:1:14: a column without a name"},
        {"optimizer.lr\n1\n1,2\n", "points.csv:3:1: a row of 2 cells under a header of 1"},
        {"optimizer.lr,stream.epochs\n1\n", "points.csv:2:1: a row of 1 cells under a header of 2"},
        {"optimizer.lr\n\"1\n", "points.csv:2:1: a quotation mark that is never closed"},
        {"optimizer.lr\n\"1\"2\n", "points.csv:2:4: a comma or the end of the line"},
        {"optimizer.lr\n1\n-2\n", "points.csv:3:1: optimizer.lr = -2: must be above 0"},
        {"optimizer.lr\n\xff\n", "points.csv:2:1: not UTF-8"},
        {"stream.batch\n1\n",
         "stream.batch is given by the points table and by the grid on line 5"},
    };
    for (size_t i = 0; i < EG_COUNT(bad); i++) {
        write_in(directory, "points.csv", bad[i].table);
        assert_fails(load_from(directory, "main.yaml", &plan), EG_INVALID, bad[i].message);
    }
    eg_test_remove(directory);
}

static void test_one_file_is_kept_as_it_is(void **state)
{
    (void)state;
    static const char text[] = "name: t # a comment\nseeds: 3\n\n# the end";
    eg_plan *plan = plan_of(text, "stream.epochs=2", NULL);
    assert_string_equal(plan->text, text);
    assert_string_equal(plan->overrides, "stream.epochs=2\n");
    assert_string_equal(plan->path, "t.yaml");
    assert_string_equal(plan->doc, "");
    eg_plan_free(plan);
}

/* How often a watched file was opened since it was last asked. The kernel joins events only if they are
 * equal and follow each other, and here every opening is followed by a closing. */
static size_t count_openings(int watch)
{
    _Alignas(struct inotify_event) char events[4096];
    size_t count = 0;
    ssize_t size = 0;
    while ((size = read(watch, events, sizeof events)) > 0) {
        const char *at = events;
        while (at < events + size) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            count += (event->mask & IN_OPEN) != 0 ? 1 : 0;
            at += sizeof *event + event->len;
        }
    }
    return count;
}

static const eg_outcome done = {.status = EG_TRIAL_DONE, .objective = 0.5};

/** An order of examples is read once for all trials of a plan, and once for those that select adds. */
static void test_order_file_is_read_once(void **state)
{
    (void)state;
    enum { POINTS = 3, SEEDS = 2 };
    const char *directory = eg_test_directory();
    const char *const names[] = {"one.csv", "two.csv"};
    char path[2][256];
    char text[1024];
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/%s", directory, names[i]);
        write_in(directory, names[i], i == 0 ? "phase,examples\n0,0\n" : "phase,examples\n0,1\n");
        assert_true(inotify_add_watch(watch, path[i], IN_OPEN | IN_CLOSE) >= 0);
    }
    (void)snprintf(text, sizeof text,
                   "name: t\nseeds: %d\nselect: {best: 2, seeds: 3}\ngrid:\n"
                   "  optimizer.lr: [1, 2, 3]\n  stream.order_file: [%s, %s]\n",
                   SEEDS, path[0], path[1]);
    eg_plan *plan = plan_of(text, NULL);
    assert_int_equal(plan->trial_count, 2 * POINTS * SEEDS);
    assert_int_equal(count_openings(watch), 2);

    /* Both files are of the best points: equal scores leave points 0 and 1. */
    eg_outcome outcomes[2 * POINTS * SEEDS];
    size_t added = 0;
    for (size_t i = 0; i < EG_COUNT(outcomes); i++) {
        outcomes[i] = done;
    }
    assert_ok(eg_plan_select(plan, outcomes, &added));
    assert_int_equal(added, 2 * 3);
    assert_int_equal(count_openings(watch), 2);

    /* The ids are those of trials alone. */
    for (size_t i = 0; i < plan->trial_count; i++) {
        const eg_plan_trial *trial = &plan->trials[i];
        uint64_t id = 0;
        assert_ok(eg_trial_id(&id, plan->points[trial->point].settings, trial->seed));
        assert_true(id == trial->id);
    }
    assert_int_equal(count_openings(watch), plan->trial_count);
    eg_plan_free(plan);
    assert_int_equal(close(watch), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_one_file_is_kept_as_it_is),
        cmocka_unit_test(test_points_table),
        cmocka_unit_test(test_order_file_is_read_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
