/** Points that differ in the order of tasks alone: which they are, by what tasks are known, and stl beside
 *  them. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "store/shared/order_groups.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 8, TASKS = 2, RUNS = 2, COLUMNS = 3 };

static const char *const orders[] = {"A", "B", "C", "A", "B", "C", "A", "A"};
static const char *const learners[] = {"ewc", "ewc", "ewc", "stl", "stl", "stl", "ewc", "ewc"};
static const char *const rates[] = {"0.1", "0.1", "0.1", "0.2", "0.2", "0.2", "0.3", NULL};

/* Accuracies by identity of points 0 to 5, in per cent: the worked example, and what no order changes much. */
static const double accuracy[POINTS][TASKS] = {{60, 70}, {64, 70}, {61, 75}, {80, 90},
                                               {81, 90}, {80, 92}, {10, 20}, {10, 20}};

static const eg_variable matrix = {.name = "accuracy_matrix", .dims = {"train_task", "eval_task"}};
static const eg_variable identity = {.name = "task_identity", .dims = {"task"}};

/* Order B has the tasks the other way round; runs are `away` from the mean on either side. Order A recorded no
 * identities. */
static eg_record *record_of(size_t point, size_t run)
{
    bool turned = strcmp(orders[point], "B") == 0;
    double away = run == 0 ? 3 : -3;
    eg_record *record = NULL;
    eg_array *array = NULL;
    const size_t extent[] = {TASKS, TASKS};
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_declare(record, &matrix, extent, &array));
    array->data[0] = 100; /* after the first task: does not count */
    array->data[1] = 0;
    for (size_t t = 0; t < TASKS; t++) {
        array->data[TASKS + t] = accuracy[point][turned ? 1 - t : t] + away;
    }
    if (strcmp(orders[point], "A") != 0) {
        assert_ok(eg_record_declare(record, &identity, extent, &array));
        array->data[0] = turned ? 1 : 0;
        array->data[1] = turned ? 0 : 1;
    }
    return record;
}

typedef struct scene {
    eg_results results;
    eg_column columns[COLUMNS];
    eg_result trials[POINTS * RUNS];
} scene;

static void open_scene(scene *s)
{
    static char names[COLUMNS][20] = {"stream.order", "learner", "optimizer.lr"};
    static const eg_type types[COLUMNS] = {EG_TYPE_NAME, EG_TYPE_COMPONENT, EG_TYPE_REAL};
    const char *const *texts[COLUMNS] = {orders, learners, rates};
    *s = (scene){.results = {.column_count = COLUMNS,
                             .point_count = POINTS,
                             .trial_count = (size_t)POINTS * RUNS}};
    s->results.columns = s->columns;
    s->results.trials = s->trials;
    for (size_t c = 0; c < COLUMNS; c++) {
        s->columns[c] = (eg_column){.name = names[c], .type = (uint8_t)types[c], .swept = true};
        assert_ok(eg_alloc(&s->columns[c].text, POINTS, sizeof(char *)));
        memcpy(s->columns[c].text, texts[c], POINTS * sizeof(char *));
    }
    for (size_t i = 0; i < (size_t)POINTS * RUNS; i++) {
        s->trials[i] = (eg_result){.point = (uint32_t)(i / RUNS),
                                   .seed = i % RUNS,
                                   .status = EG_TRIAL_DONE,
                                   .stage = EG_STAGE_FIRST,
                                   .record = record_of(i / RUNS, i % RUNS)};
    }
}

static void close_scene(scene *s)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        eg_free(s->columns[c].text);
    }
    for (size_t i = 0; i < (size_t)POINTS * RUNS; i++) {
        eg_record_free(s->trials[i].record);
    }
}

static void the_worked_example(void **state)
{
    (void)state;
    scene s;
    eg_order_groups groups;
    open_scene(&s);
    assert_ok(eg_results_groups_find(&groups, &s.results));
    assert_int_equal(groups.count, 2); /* points 6 and 7 have one order each */
    const eg_order_group *stl = &groups.items[0];
    const eg_order_group *ewc = &groups.items[1];
    assert_int_equal(stl->point[0], 3);
    assert_int_equal(ewc->point[0], 0);
    assert_int_equal(ewc->orders, 3);
    assert_int_equal(ewc->least_runs, RUNS);
    assert_int_equal(ewc->stl, 0);
    eg_order_numbers numbers = eg_results_group_numbers(&groups, 1);
    assert_close(numbers.accuracy, 400.0 / 6, 1e-12);
    assert_close(numbers.mean, 4.5, 1e-12);
    assert_close(numbers.largest, 5, 1e-12);
    assert_close(eg_disparity_of_task(&ewc->disparity, 0), 4, 1e-12);
    numbers = eg_results_group_numbers(&groups, ewc->stl);
    assert_close(numbers.mean, 1.5, 1e-12);
    assert_close(numbers.largest, 2, 1e-12);
    assert_true(isnan(eg_results_group_numbers(&groups, SIZE_MAX).mean));
    eg_results_groups_clear(&groups);
    close_scene(&s);
}

/* What did not end, was removed by an edit, or chose the point that fresh seeds report. */
static void trials_that_do_not_count(void **state)
{
    (void)state;
    scene s;
    eg_order_groups groups;
    open_scene(&s);
    s.trials[0].status = EG_TRIAL_DIVERGED;
    s.trials[2 * RUNS].stage = EG_STAGE_EARLIER;
    s.trials[2 * RUNS + 1].stage = EG_STAGE_EARLIER;
    s.trials[3 * RUNS].stage = EG_STAGE_SECOND;
    assert_ok(eg_results_groups_find(&groups, &s.results));
    const eg_order_group *stl = &groups.items[0];
    const eg_order_group *ewc = &groups.items[1];
    assert_int_equal(ewc->orders, 2);
    assert_int_equal(ewc->least_runs, 1);
    assert_int_equal(ewc->most_runs, 2);
    assert_close(eg_disparity_of_task(&ewc->disparity, 0), 64 - (60 - 3), 1e-12);
    assert_int_equal(stl->least_runs, 1);
    assert_close(eg_disparity_of_task(&stl->disparity, 0), 80 + 3 - 80, 1e-12);
    eg_results_groups_clear(&groups);
    close_scene(&s);
}

static void nothing_to_compare(void **state)
{
    (void)state;
    scene s;
    eg_order_groups groups;
    open_scene(&s);
    for (size_t i = 0; i < s.results.trial_count; i++) {
        s.trials[i].status = EG_TRIAL_FAILED;
    }
    assert_fails(eg_results_groups_find(&groups, &s.results), EG_INVALID, "accuracy_matrix");
    eg_results_groups_clear(&groups);
    s.results.point_count = 1;
    s.results.trial_count = RUNS;
    assert_fails(eg_results_groups_find(&groups, &s.results), EG_INVALID,
                 "no points differ in the order of tasks alone");
    eg_results_groups_clear(&groups);
    s.results.trial_count = (size_t)POINTS * RUNS;
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(trials_that_do_not_count),
        cmocka_unit_test(nothing_to_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
