/** Splitting classes into tasks: groups, order of the classes, and settings that do not fit. */
#include "data_settings.h"

#include <string.h>

enum { CLASSES = 10, BLOCK = 60 };

static const size_t even[] = {6, 6, 6, 6, 6, 6, 6, 6, 6, 6};

/* Bit c of the result: class c is in the minibatches of the phase; checks that the test set agrees. */
static unsigned classes_of(eg_cursor *cursor, size_t phase)
{
    unsigned trained = 0;
    unsigned tested = 0;
    eg_batch batch;
    for (size_t step = 0; step < eg_stream_steps(cursor->stream, phase); step++) {
        eg_cursor_get(cursor, phase, step, &batch);
        for (size_t i = 0; i < batch.size; i++) {
            trained |= 1U << batch.label[i];
        }
    }
    eg_cursor_examples(cursor, EG_SUBSET_TEST, phase, 0,
                       eg_stream_count(cursor->stream, EG_SUBSET_TEST, phase), &batch);
    for (size_t i = 0; i < batch.size; i++) {
        tested |= 1U << batch.label[i];
    }
    assert_int_equal(trained, tested);
    return trained;
}

static void assert_groups(eg_settings *settings, uint64_t seed, const unsigned *groups,
                          size_t count)
{
    eg_dataset *data = numbered_dataset(CLASSES, even, even);
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, BLOCK);
    assert_int_equal(cursor->stream->shape.phases, count);
    assert_int_equal(cursor->stream->shape.tasks, count);
    assert_int_equal(cursor->stream->shape.outputs, CLASSES);
    for (size_t phase = 0; phase < count; phase++) {
        assert_int_equal(classes_of(cursor, phase), groups[phase]);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_equal_groups(void **state)
{
    (void)state;
    static const unsigned five[] = {0x003, 0x00c, 0x030, 0x0c0, 0x300};
    static const unsigned two[] = {0x01f, 0x3e0};
    static const unsigned one[] = {0x3ff};
    assert_groups(SETTINGS("stream", "split"), 1, five, 5);
    assert_groups(SETTINGS("stream", "split", "stream.tasks", "2"), 1, two, 2);
    assert_groups(SETTINGS("stream", "split", "stream.tasks", "1"), 1, one, 1);
}

/* One phase with the classes of all tasks, 8 of 10 here; the tasks stay what is tested. */
static void test_joint(void **state)
{
    (void)state;
    enum { EXAMPLES = 48, BATCH = 7 };
    static const unsigned tested[] = {0x003, 0x01c, 0x0e0};
    eg_dataset *data = numbered_dataset(CLASSES, even, even);
    eg_settings *settings =
        SETTINGS("stream", "split", "stream.partition", "[[0, 1], [2, 3, 4], [5, 6, 7]]",
                 "stream.joint", "true", "stream.batch", "7", "stream.epochs", "2");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    assert_int_equal(cursor->stream->shape.phases, 1);
    assert_int_equal(cursor->stream->shape.tasks, 3);
    assert_false(cursor->stream->shape.tasks_are_phases);
    assert_int_equal(eg_stream_steps(cursor->stream, 0), 2 * ((EXAMPLES + BATCH - 1) / BATCH));
    unsigned seen[CLASSES * 6] = {0};
    eg_batch batch;
    for (size_t step = 0; step < eg_stream_steps(cursor->stream, 0); step++) {
        eg_cursor_get(cursor, 0, step, &batch);
        for (size_t i = 0; i < batch.size; i++) {
            seen[number_of(&batch, i)]++;
        }
    }
    for (size_t i = 0; i < data->train.count; i++) {
        assert_int_equal(seen[i], data->train.label[i] < 8 ? 2 : 0);
    }
    for (size_t task = 0; task < 3; task++) {
        unsigned classes = 0;
        size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TEST, task);
        eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, count, &batch);
        for (size_t i = 0; i < count; i++) {
            classes |= 1U << batch.label[i];
        }
        assert_int_equal(classes, tested[task]);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Any partition; classes left out never appear, but keep their output. */
static void test_partition(void **state)
{
    (void)state;
    static const unsigned groups[] = {0x080, 0x009, 0x206};
    assert_groups(SETTINGS("stream", "split", "stream.partition", "[[7], [0, 3], [9, 1, 2]]"), 1,
                  groups, 3);
    assert_groups(SETTINGS("stream", "split", "stream.partition", "[[7], [0, 3], [9, 1, 2]]",
                           "stream.tasks", "3"),
                  1, groups, 3);
}

/* Class counts of MNIST: 12665, 12089, 11263, 12183 and 11800 examples, 939 minibatches. */
static void test_steps_of_mnist(void **state)
{
    (void)state;
    static const size_t mnist[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    static const size_t steps[] = {198, 189, 176, 191, 185};
    eg_dataset *data = numbered_dataset(CLASSES, mnist, even);
    eg_settings *settings = SETTINGS("stream", "split");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    size_t total = 0;
    for (size_t phase = 0; phase < 5; phase++) {
        assert_int_equal(eg_stream_steps(cursor->stream, phase), steps[phase]);
        total += eg_stream_steps(cursor->stream, phase);
    }
    assert_int_equal(total, 939);
    eg_batch batch;
    eg_cursor_get(cursor, 0, 197, &batch);
    assert_int_equal(batch.size, 12665 - 197 * 64);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void groups_of_seed(const char *partition, uint64_t seed, unsigned groups[5])
{
    eg_dataset *data = numbered_dataset(CLASSES, even, even);
    eg_settings *settings = SETTINGS("stream", "split", "stream.class_order", "shuffled",
                                     "stream.partition", partition);
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, BLOCK);
    for (size_t phase = 0; phase < cursor->stream->shape.phases; phase++) {
        groups[phase] = classes_of(cursor, phase);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static unsigned bits(unsigned set)
{
    unsigned count = 0;
    for (; set != 0; set >>= 1) {
        count += set & 1U;
    }
    return count;
}

static void test_class_order(void **state)
{
    (void)state;
    static const unsigned natural[] = {0x003, 0x00c, 0x030, 0x0c0, 0x300};
    unsigned first[5] = {0};
    unsigned again[5];
    unsigned other[5];
    groups_of_seed("[]", 1, first);
    groups_of_seed("[]", 1, again);
    groups_of_seed("[]", 2, other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    assert_memory_not_equal(first, natural, sizeof first);
    unsigned all = 0;
    for (size_t g = 0; g < 5; g++) {
        assert_int_equal(bits(first[g]), 2);
        all |= first[g];
    }
    assert_int_equal(all, 0x3ff);
    /* The same change of places under a partition that groups the same classes. */
    groups_of_seed("[[1, 0], [2, 3], [4, 5], [6, 7], [8, 9]]", 1, again);
    assert_memory_equal(first, again, sizeof first);
}

static void assert_check_fails(eg_settings *settings, const char *part)
{
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind =
        (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
    assert_fails(kind->check(&view, &(eg_stream_sizes){.outputs = CLASSES}), EG_INVALID, part);
    /* The same message when the stream is created without a check. */
    eg_dataset *data = numbered_dataset(CLASSES, even, even);
    eg_stream *stream = NULL;
    assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID, part);
    assert_null(stream);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

static void test_settings_that_do_not_fit(void **state)
{
    (void)state;
    assert_check_fails(SETTINGS("stream.tasks", "3"),
                       "stream.tasks = 3 does not divide the 10 classes of the dataset; expected a "
                       "divisor, or groups of your own in stream.partition");
    assert_check_fails(SETTINGS("stream.tasks", "20"),
                       "stream.tasks = 20; expected at most the 10 classes");
    assert_check_fails(SETTINGS("stream.partition", "[[0, 1], [2, 10]]"),
                       "stream.partition: class 10 in group 1 (from 0); expected 0 to 9");
    assert_check_fails(SETTINGS("stream.partition", "[[0, 1], [2], [4, 1]]"),
                       "stream.partition: class 1 appears twice, in groups 0 and 2");
    assert_check_fails(SETTINGS("stream.partition", "[[3, 3]]"),
                       "stream.partition: class 3 appears twice, in groups 0 and 0");
    assert_check_fails(SETTINGS("stream.partition", "[[0], [], [2]]"),
                       "stream.partition: group 1 (from 0) is empty");
    assert_check_fails(SETTINGS("stream.tasks", "2", "stream.partition", "[[0], [1], [2]]"),
                       "stream.tasks = 2, but stream.partition has 3 groups");
}

static void test_settings_that_fit(void **state)
{
    (void)state;
    static const char *const good[] = {"[]", "[[0], [9]]", "[[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]"};
    for (size_t i = 0; i < EG_COUNT(good); i++) {
        eg_settings *settings = SETTINGS("stream.partition", good[i]);
        eg_view root = eg_settings_root(settings);
        eg_view view = eg_view_inside(&root, "stream");
        const eg_stream_kind *kind =
            (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
        assert_ok(kind->check(&view, &(eg_stream_sizes){.outputs = CLASSES}));
        eg_settings_free(settings);
    }
}

/* Bit c of the result: output c is active; NULL: all. */
static unsigned bits_of(const eg_active *active)
{
    unsigned bits = active == NULL ? 0x3ff : 0;
    for (size_t k = 0; active != NULL && k < active->count; k++) {
        bits |= 1U << active->output[k];
        assert_true(k == 0 || active->output[k] > active->output[k - 1]);
        assert_int_equal(eg_active_place(active, active->output[k]), k);
    }
    return bits;
}

/* What minibatches and blocks of evaluations say of outputs and tasks. */
static void assert_active(const char *active, const char *joint, const unsigned *trained,
                          const unsigned *tested)
{
    eg_dataset *data = numbered_dataset(CLASSES, even, even);
    eg_settings *settings =
        SETTINGS("stream", "split", "stream.partition", "[[7, 2], [0, 3], [9, 1]]", "stream.active",
                 active, "stream.joint", joint);
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    const eg_stream_shape *shape = &cursor->stream->shape;
    bool told = strcmp(active, "task") == 0;
    assert_true(shape->tells_task == told);
    eg_batch batch;
    const size_t phases = strcmp(joint, "true") == 0 ? 1 : 3;
    assert_int_equal(shape->phases, phases);
    for (size_t phase = 0; phase < phases; phase++) {
        eg_cursor_get(cursor, phase, 0, &batch);
        assert_int_equal(bits_of(batch.active), trained[phase]);
        assert_int_equal(batch.task, phases == 1 ? EG_NO_TASK : phase);
        assert_int_equal(batch.phase, phase);
        assert_true(eg_stream_phase(cursor->stream, phase).active == batch.active);
    }
    for (size_t task = 0; task < 3; task++) {
        eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, 4, &batch);
        assert_int_equal(bits_of(batch.active), tested[task]);
        assert_int_equal(batch.task, told ? task : EG_NO_TASK);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_active_outputs(void **state)
{
    (void)state;
    static const unsigned all[] = {0x3ff, 0x3ff, 0x3ff};
    static const unsigned seen[] = {0x084, 0x08d, 0x28f};
    static const unsigned task[] = {0x084, 0x009, 0x202};
    assert_active("all", "false", all, all);
    assert_active("seen", "false", seen, all);
    assert_active("task", "false", task, task);
    assert_active("seen", "true", all, all);
    assert_active("task", "true", all, task);
    const eg_active few = {.count = 2, .output = (const uint32_t[]){3, 8}};
    assert_int_equal(eg_active_place(&few, 2), 2);
    assert_int_equal(eg_active_place(&few, 5), 2);
    assert_int_equal(eg_active_place(&few, 9), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_groups),      cmocka_unit_test(test_joint),
        cmocka_unit_test(test_partition),         cmocka_unit_test(test_steps_of_mnist),
        cmocka_unit_test(test_class_order),       cmocka_unit_test(test_settings_that_do_not_fit),
        cmocka_unit_test(test_settings_that_fit), cmocka_unit_test(test_active_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
