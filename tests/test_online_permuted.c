/** Online permuted streams: which examples a task shows, whose permutation it is, and what is not there. */
#include "data_settings.h"

#include <string.h>

enum { CLASSES = 3, EXAMPLES = 12, TASKS = 4 };
static const size_t counts[CLASSES] = {5, 4, 3};

static eg_dataset *dataset(void)
{
    return numbered_dataset(CLASSES, counts, counts);
}

static eg_cursor *open_with(const eg_dataset *data, const char *const *pairs)
{
    const char *all[24] = {"stream", "online_permuted", "stream.tasks", "4"};
    size_t count = 4;
    for (; pairs[count - 4] != NULL; count++) {
        assert_true(count + 1 < EG_COUNT(all));
        all[count] = pairs[count - 4];
    }
    eg_settings *settings = settings_of(all);
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, EXAMPLES);
    eg_settings_free(settings);
    return cursor;
}

#define OPEN(data, ...) open_with(data, (const char *const[]){__VA_ARGS__, NULL})

/* Numbers and labels of the examples of a phase, one after the other; returns how many. */
static size_t read_phase(eg_cursor *cursor, size_t phase, uint32_t *number, uint32_t *label)
{
    size_t count = 0;
    eg_batch batch;
    for (size_t step = 0; step < eg_stream_steps(cursor->stream, phase); step++) {
        eg_cursor_get(cursor, phase, step, &batch);
        assert_int_equal(batch.task, EG_NO_TASK);
        for (size_t i = 0; i < batch.size; i++) {
            number[count] = batch.number[i];
            label[count++] = batch.label[i];
        }
    }
    return count;
}

static void there_is_nothing_to_evaluate(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    eg_cursor *cursor = OPEN(data, "stream.batch", "1", "stream.change_after", "30");
    const eg_stream_shape *shape = &cursor->stream->shape;
    assert_int_equal(shape->phases, TASKS);
    assert_int_equal(shape->tasks, 0);
    assert_int_equal(shape->batch, 1);
    assert_false(shape->tasks_are_phases);
    assert_int_equal(eg_stream_phase(cursor->stream, 0).examples, 30);
    assert_int_equal(eg_stream_steps(cursor->stream, 3), 30);
    cursor_free(cursor);
    cursor = OPEN(data, "stream.evaluate", "true");
    assert_int_equal(cursor->stream->shape.tasks, TASKS);
    assert_true(cursor->stream->shape.tasks_are_phases);
    assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, 2), EXAMPLES);
    cursor_free(cursor);
    eg_dataset_free(data);
}

/* 30 presentations of 12 examples: all of them, the same order again, and half of it. The minibatch does
 * not matter, not even where it goes over the end. */
static void a_task_walks_round_and_round(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    static const char *const batches[] = {"1", "5", "12", "64"};
    uint32_t number[2][TASKS][30];
    uint32_t label[30];
    for (size_t b = 0; b < EG_COUNT(batches); b++) {
        eg_cursor *cursor = OPEN(data, "stream.batch", batches[b], "stream.change_after", "30");
        for (size_t t = 0; t < TASKS; t++) {
            uint32_t *order = number[b > 0][t];
            assert_int_equal(read_phase(cursor, t, order, label), 30);
            size_t seen[EXAMPLES] = {0};
            for (size_t i = 0; i < 30; i++) {
                assert_int_equal(order[i], order[i % EXAMPLES]);
                assert_int_equal(label[i], data->train.label[order[i]]);
                seen[order[i]]++;
            }
            for (size_t i = 0; i < EXAMPLES; i++) {
                assert_true(seen[i] >= 2);
            }
            assert_true(t == 0 || memcmp(order, number[b > 0][t - 1], sizeof label) != 0);
        }
        assert_true(b == 0 || memcmp(number[0], number[1], sizeof number[0]) == 0);
        cursor_free(cursor);
    }
    eg_dataset_free(data);
}

/* Another epoch is another order of the same pixels; a short task shows some examples only. */
static void epochs_and_short_tasks(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    uint32_t number[24];
    uint32_t label[24];
    eg_cursor *cursor =
        OPEN(data, "stream.batch", "1", "stream.change_after", "12", "stream.epochs", "2");
    assert_int_equal(read_phase(cursor, 1, number, label), 24);
    assert_memory_not_equal(number, number + 12, 12 * sizeof *number);
    cursor_free(cursor);
    cursor = OPEN(data, "stream.batch", "1", "stream.change_after", "5");
    size_t ever[EXAMPLES] = {0};
    for (size_t t = 0; t < TASKS; t++) {
        size_t here[EXAMPLES] = {0};
        assert_int_equal(read_phase(cursor, t, number, label), 5);
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(here[number[i]]++, 0);
            ever[number[i]]++;
        }
    }
    size_t shown = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        shown += ever[i] > 0;
    }
    assert_true(shown > 5); /* each task has a choice of its own */
    cursor_free(cursor);
    eg_dataset_free(data);
}

static void replacement_draws_from_all(void **state)
{
    (void)state;
    enum { LONG = 6000 };
    eg_dataset *data = dataset();
    static uint32_t number[2][LONG];
    static uint32_t label[LONG];
    eg_cursor *cursor = OPEN(data, "stream.batch", "1", "stream.change_after", "6000",
                             "stream.sampling", "replace");
    size_t seen[EXAMPLES] = {0};
    for (size_t t = 0; t < 2; t++) {
        assert_int_equal(read_phase(cursor, t, number[t], label), LONG);
        for (size_t i = 0; i < LONG; i++) {
            assert_int_equal(label[i], data->train.label[number[t][i]]);
            seen[number[t][i]]++;
        }
    }
    /* 1000 of each expected, deviation 30.3 */
    for (size_t i = 0; i < EXAMPLES; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    assert_memory_not_equal(number[0], number[1], sizeof number[0]);
    /* A jump comes to the same. */
    eg_batch batch;
    for (size_t step = 17; step < LONG; step += 1013) {
        eg_cursor_get(cursor, 1, step, &batch);
        assert_int_equal(batch.number[0], number[1][step]);
    }
    cursor_free(cursor);
    eg_dataset_free(data);
}

/* A bijection of the names, the same for training and test; pixels stay. */
static void classes_are_renamed(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    static const char *const firsts[] = {"permuted", "identity"};
    size_t moved = 0;
    for (size_t f = 0; f < 2; f++) {
        eg_cursor *cursor =
            OPEN(data, "stream.batch", "4", "stream.change_after", "12", "stream.permutes",
                 "classes", "stream.first", firsts[f], "stream.evaluate", "true");
        for (size_t t = 0; t < TASKS; t++) {
            uint32_t name[CLASSES] = {CLASSES, CLASSES, CLASSES};
            eg_batch batch;
            for (size_t step = 0; step < 3; step++) {
                eg_cursor_get(cursor, t, step, &batch);
                for (size_t i = 0; i < batch.size; i++) {
                    uint16_t own = data->train.label[batch.number[i]];
                    assert_true(name[own] == CLASSES || name[own] == batch.label[i]);
                    name[own] = batch.label[i];
                    assert_int_equal(number_of(&batch, i), batch.number[i]);
                }
            }
            assert_true(name[0] != name[1] && name[0] != name[2] && name[1] != name[2]);
            bool identity = name[0] == 0 && name[1] == 1;
            assert_true(t > 0 || f == 0 || identity);
            moved += !identity;
            /* The test set is asked for the same names. */
            eg_cursor_examples(cursor, EG_SUBSET_TEST, t, 0, EXAMPLES, &batch);
            for (size_t i = 0; i < EXAMPLES; i++) {
                assert_int_equal(batch.label[i], name[data->test.label[i]]);
            }
        }
        cursor_free(cursor);
    }
    assert_true(moved > 2);
    eg_dataset_free(data);
}

static void labels_are_shuffled_among_the_examples(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    uint32_t number[30];
    uint32_t label[30];
    uint32_t of[TASKS][EXAMPLES];
    eg_cursor *cursor = OPEN(data, "stream.batch", "1", "stream.change_after", "15",
                             "stream.epochs", "2", "stream.permutes", "labels");
    for (size_t t = 0; t < TASKS; t++) {
        size_t each[CLASSES] = {0};
        bool known[EXAMPLES] = {false};
        assert_int_equal(read_phase(cursor, t, number, label), 30);
        for (size_t i = 0; i < 30; i++) {
            assert_true(!known[number[i]] || of[t][number[i]] == label[i]); /* all epochs agree */
            of[t][number[i]] = label[i];
            known[number[i]] = true;
        }
        for (size_t i = 0; i < EXAMPLES; i++) {
            assert_true(known[i] && of[t][i] < CLASSES);
            each[of[t][i]]++;
        }
        assert_memory_equal(each, counts, sizeof each);
        assert_true(t == 0 || memcmp(of[t], of[t - 1], sizeof of[t]) != 0);
    }
    cursor_free(cursor);
    eg_dataset_free(data);
    eg_settings *settings = SETTINGS("stream", "online_permuted", "stream.permutes", "labels",
                                     "stream.evaluate", "true");
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind = (const eg_stream_kind *)eg_view_component(&root, "stream");
    assert_fails(kind->check(&view, NULL), EG_INVALID, "no label of a test example");
    eg_settings_free(settings);
}

static void a_subset_is_the_same_in_all_tasks(void **state)
{
    (void)state;
    eg_dataset *data = dataset();
    uint32_t number[5] = {0};
    uint32_t label[5];
    bool wanted[EXAMPLES] = {false};
    eg_cursor *cursor =
        OPEN(data, "stream.batch", "1", "stream.change_after", "5", "stream.subset", "5");
    for (size_t t = 0; t < TASKS; t++) {
        size_t seen[EXAMPLES] = {0};
        assert_int_equal(read_phase(cursor, t, number, label), 5);
        for (size_t i = 0; i < 5; i++) {
            assert_true(t == 0 || wanted[number[i]]);
            wanted[number[i]] = true;
            assert_int_equal(seen[number[i]]++, 0);
        }
    }
    cursor_free(cursor);
    eg_dataset_free(data);
}

/* With the test set of `permuted`, which has its own tests, tasks are the same functions. */
static void pixels_are_those_of_permuted(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("dataset", "synthetic", "dataset.scale", "unit", "stream", "online_permuted",
                 "stream.evaluate", "true", "stream.tasks", "3");
    eg_settings *others = SETTINGS("dataset", "synthetic", "dataset.scale", "unit", "stream",
                                   "permuted", "stream.tasks", "3");
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    eg_cursor *cursor = cursor_of(settings, data, 7, 0, 10);
    eg_cursor *other = cursor_of(others, data, 7, 0, 10);
    for (size_t t = 0; t < 3; t++) {
        eg_batch a;
        eg_batch b;
        eg_cursor_examples(cursor, EG_SUBSET_TEST, t, 20, 10, &a);
        eg_cursor_examples(other, EG_SUBSET_TEST, t, 20, 10, &b);
        assert_memory_equal(a.x, b.x, 10 * data->features * sizeof *a.x);
        assert_memory_equal(a.label, b.label, 10 * sizeof *a.label);
    }
    cursor_free(cursor);
    cursor_free(other);
    eg_dataset_free(data);
    eg_settings_free(settings);
    eg_settings_free(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_nothing_to_evaluate),
        cmocka_unit_test(a_task_walks_round_and_round),
        cmocka_unit_test(epochs_and_short_tasks),
        cmocka_unit_test(replacement_draws_from_all),
        cmocka_unit_test(classes_are_renamed),
        cmocka_unit_test(labels_are_shuffled_among_the_examples),
        cmocka_unit_test(a_subset_is_the_same_in_all_tasks),
        cmocka_unit_test(pixels_are_those_of_permuted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
