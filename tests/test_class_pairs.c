/** Continual ImageNet's stream: pairs of classes, labels, examples that are used, and settings that do
 *  not fit. */
#include "data_settings.h"

enum { CLASSES = 7, TRAIN = 6, TESTED = 3, PAIRS = 3, TASKS = 8, BLOCK = 16 };

static const size_t train_counts[] = {6, 6, 6, 6, 6, 6, 6};
static const size_t test_counts[] = {3, 3, 3, 3, 3, 3, 3};

/* The classes of a task, by label; checks that minibatches and test set agree. */
static void pair_of(eg_cursor *cursor, const eg_dataset *data, size_t task, size_t pair[2])
{
    eg_batch batch;
    size_t seen[2] = {0, 0};
    pair[0] = pair[1] = CLASSES;
    for (size_t step = 0; step < eg_stream_phase(cursor->stream, task).steps; step++) {
        eg_cursor_get(cursor, task, step, &batch);
        for (size_t i = 0; i < batch.size; i++) {
            size_t class = data->train.label[number_of(&batch, i)];
            assert_true(batch.label[i] < 2);
            assert_int_equal(batch.number[i], number_of(&batch, i));
            assert_true(pair[batch.label[i]] == class || pair[batch.label[i]] == CLASSES);
            pair[batch.label[i]] = class;
            seen[batch.label[i]]++;
        }
        assert_int_equal(batch.task, task);
        assert_null(batch.active);
    }
    assert_int_not_equal(pair[0], pair[1]);
    assert_int_equal(seen[0], TRAIN);
    assert_int_equal(seen[1], TRAIN);
    size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TEST, task);
    assert_int_equal(count, 2 * TESTED);
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, count, &batch);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(data->test.label[number_of(&batch, i)], pair[batch.label[i]]);
        assert_int_equal(batch.label[i], i < TESTED ? 0 : 1);
    }
}

static void pairs_of(const char *pairing, uint64_t seed, size_t pairs[TASKS][2])
{
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = SETTINGS("stream", "class_pairs", "stream.tasks", "8", "stream.pairing",
                                     pairing, "stream.batch", "5", "stream.epochs", "2");
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, BLOCK);
    assert_int_equal(cursor->stream->shape.phases, TASKS);
    assert_int_equal(cursor->stream->shape.tasks, TASKS);
    assert_int_equal(cursor->stream->shape.outputs, 2);
    assert_true(cursor->stream->shape.tasks_are_phases);
    assert_null(eg_stream_class_tasks(cursor->stream));
    for (size_t k = 0; k < TASKS; k++) {
        pair_of(cursor, data, k, pairs[k]);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Seven classes are three pairs, and one is left out. */
static void test_pairs(void **state)
{
    (void)state;
    size_t first[TASKS][2];
    size_t again[TASKS][2];
    size_t repeated[TASKS][2];
    size_t other[TASKS][2];
    pairs_of("reshuffle", 1, first);
    pairs_of("reshuffle", 1, again);
    pairs_of("reshuffle", 2, other);
    pairs_of("repeat", 1, repeated);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    assert_memory_equal(first, repeated, PAIRS * sizeof first[0]);
    assert_memory_not_equal(first, first + PAIRS, PAIRS * sizeof first[0]);
    for (size_t pass = 0; pass < 3; pass++) {
        size_t seen[CLASSES] = {0};
        for (size_t k = PAIRS * pass; k < PAIRS * (pass + 1) && k < TASKS; k++) {
            assert_int_equal(seen[first[k][0]]++, 0);
            assert_int_equal(seen[first[k][1]]++, 0);
            assert_memory_equal(repeated[k], repeated[k % PAIRS], sizeof repeated[k]);
        }
    }
}

/* 12 examples in minibatches of 5: the last one is smaller. Every epoch has an order of its own. */
static void test_epochs(void **state)
{
    (void)state;
    static const size_t sizes[] = {5, 5, 2};
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = SETTINGS("stream", "class_pairs", "stream.tasks", "2", "stream.batch",
                                     "5", "stream.epochs", "3");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    eg_phase phase = eg_stream_phase(cursor->stream, 1);
    assert_int_equal(phase.steps, 3);
    assert_int_equal(phase.epochs, 3);
    assert_int_equal(phase.examples, 2 * TRAIN);
    assert_int_equal(phase.task, 1);
    size_t order[3][2 * TRAIN] = {{0}};
    for (size_t epoch = 0; epoch < 3; epoch++) {
        size_t times[CLASSES * TRAIN] = {0};
        size_t n = 0;
        for (size_t step = 0; step < 3; step++) {
            eg_batch batch;
            eg_cursor_get(cursor, 1, 3 * epoch + step, &batch);
            assert_int_equal(batch.size, sizes[step]);
            for (size_t i = 0; i < batch.size; i++) {
                order[epoch][n++] = number_of(&batch, i);
                assert_int_equal(times[number_of(&batch, i)]++, 0);
            }
        }
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    assert_memory_not_equal(order[1], order[2], sizeof order[0]);
    /* Another member sees the same pair in another order. */
    eg_cursor *member = NULL;
    assert_ok(eg_cursor_open(&member, cursor->stream,
                             &(eg_cursor_setup){.member = 1, .trains = true, .block = BLOCK}));
    size_t theirs[2 * TRAIN] = {0};
    for (size_t step = 0, n = 0; step < 3; step++) {
        eg_batch batch;
        eg_cursor_get(member, 1, step, &batch);
        for (size_t i = 0; i < batch.size; i++) {
            theirs[n++] = number_of(&batch, i);
        }
    }
    assert_memory_not_equal(order[0], theirs, sizeof theirs);
    eg_cursor_close(member);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* The first 4 training and 2 test examples of each class; classes take turns in the dataset. A quarter
 * of the four is held out, all of them can be read. */
static void test_examples_used(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings =
        SETTINGS("stream", "class_pairs", "stream.tasks", "1", "stream.batch", "6",
                 "stream.train_examples", "4", "stream.test_examples", "2");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.25, BLOCK);
    assert_int_equal(eg_stream_phase(cursor->stream, 0).examples, 6);
    static const size_t counts[] = {
        [EG_SUBSET_TEST] = 4, [EG_SUBSET_VALIDATION] = 2, [EG_SUBSET_TRAINING] = 8};
    size_t used[CLASSES * TRAIN] = {0};
    eg_batch batch;
    for (size_t subset = 0; subset < EG_COUNT(counts); subset++) {
        assert_int_equal(eg_stream_count(cursor->stream, (eg_subset)subset, 0), counts[subset]);
        eg_cursor_examples(cursor, (eg_subset)subset, 0, 0, counts[subset], &batch);
        for (size_t i = 0; i < batch.size; i++) {
            size_t most = subset == EG_SUBSET_TEST ? 2 : 4;
            assert_true(number_of(&batch, i) / CLASSES < most);
            used[number_of(&batch, i)] += subset == EG_SUBSET_VALIDATION ? 1 : 0;
        }
    }
    eg_cursor_get(cursor, 0, 0, &batch);
    for (size_t i = 0; i < batch.size; i++) {
        assert_int_equal(used[number_of(&batch, i)]++, 0); /* not held out */
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_outputs(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    static const char *const words[] = {"none", "zero"};
    for (size_t w = 0; w < 2; w++) {
        eg_settings *settings = SETTINGS("stream", "class_pairs", "stream.batch", "5",
                                         "stream.reset_outputs", words[w]);
        eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
        assert_int_equal(cursor->stream->shape.changes_outputs, w);
        assert_int_equal(eg_stream_phase(cursor->stream, 0).outputs,
                         w == 0 ? EG_OUTPUTS_STAY : EG_OUTPUTS_ZERO);
        assert_int_equal(eg_stream_phase(cursor->stream, 1999).outputs,
                         w == 0 ? EG_OUTPUTS_STAY : EG_OUTPUTS_ZERO);
        cursor_free(cursor);
        eg_settings_free(settings);
    }
    eg_dataset_free(data);
}

/* Work of a trial: 5 tasks of 2 classes with 4 (of 6) and 3 examples, 2 epochs. */
static void test_sizes(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("stream", "class_pairs", "stream.tasks", "5", "stream.epochs",
                                     "2", "stream.train_examples", "4");
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind = (const eg_stream_kind *)eg_view_component(&root, "stream");
    eg_stream_sizes sizes = {
        .outputs = CLASSES, .train = CLASSES * TRAIN, .test = CLASSES * TESTED};
    kind->sizes(&view, &sizes);
    assert_int_equal(sizes.phases, 5);
    assert_int_equal(sizes.tasks, 5);
    assert_int_equal(sizes.outputs, 2);
    assert_int_equal(sizes.train, 5 * 2 * 4 * 2);
    assert_int_equal(sizes.test, 5 * 2 * 3);
    assert_true(sizes.changes_outputs);
    eg_settings_free(settings);
}

static void assert_refused(eg_settings *settings, const eg_stream_sizes *sizes, const char *part)
{
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind = (const eg_stream_kind *)eg_view_component(&root, "stream");
    assert_fails(kind->check(&view, sizes), EG_INVALID, part);
    eg_settings_free(settings);
}

static void test_settings_that_do_not_fit(void **state)
{
    (void)state;
    const eg_stream_sizes sizes = {
        .outputs = CLASSES, .train = CLASSES * TRAIN, .test = CLASSES * TESTED};
    assert_refused(SETTINGS("stream", "class_pairs"),
                   &(eg_stream_sizes){.outputs = 1, .train = 9, .test = 9},
                   "a dataset of 1 class; expected at least 2");
    assert_refused(SETTINGS("stream", "class_pairs"), &sizes,
                   "stream.batch = 64; expected at most 12, the training examples of the smallest");
    assert_refused(
        SETTINGS("stream", "class_pairs", "stream.train_examples", "7"), &sizes,
        "stream.train_examples = 7; expected at most 6, the training examples of a class");
    assert_refused(SETTINGS("stream", "class_pairs", "stream.test_examples", "4"), &sizes,
                   "stream.test_examples = 4; expected at most 3, the test examples of a class");
}

/* Classes of different sizes are only known with the data. */
static void test_data_that_do_not_fit(void **state)
{
    (void)state;
    static const size_t uneven[] = {9, 6, 6, 5, 6, 6, 6};
    eg_dataset *data = numbered_dataset(CLASSES, uneven, test_counts);
    static const char *const settings_of_cases[][3] = {
        {"stream.train_examples", "6",
         "stream.train_examples = 6; class 3 has 5 training examples, expected at most that"},
        {"stream.batch", "12", "stream.batch = 12; expected at most 11"},
    };
    for (size_t i = 0; i < EG_COUNT(settings_of_cases); i++) {
        const char *const *c = settings_of_cases[i];
        eg_settings *settings = SETTINGS("stream", "class_pairs", "stream.tasks", "24",
                                         "stream.batch", "4", c[0], c[1]);
        eg_view root = eg_settings_root(settings);
        eg_stream *stream = NULL;
        assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID, c[2]);
        assert_null(stream);
        eg_settings_free(settings);
    }
    eg_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_examples_used),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_settings_that_do_not_fit),
        cmocka_unit_test(test_data_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
