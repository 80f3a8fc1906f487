/** Tasks in an order of their own: which classes, permutation and outputs a position has, and how a task
 *  is known. */
#include "data_settings.h"

#include <string.h>

enum { CLASSES = 10, HUNDRED = 100, BLOCK = 60 };

static eg_dataset *dataset_of(size_t classes)
{
    size_t train[HUNDRED];
    size_t test[HUNDRED];
    for (size_t c = 0; c < classes; c++) {
        train[c] = 4;
        test[c] = 2;
    }
    return numbered_dataset(classes, train, test);
}

/* The classes of the test examples of a task are these [count], each twice, and so are those it learns
 * from. */
static void assert_classes(eg_cursor *cursor, size_t task, const size_t *classes, size_t count)
{
    eg_batch batch;
    assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, task), 2 * count);
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, 2 * count, &batch);
    assert_int_equal(batch.active->count, count);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        for (size_t b = 0; b < batch.size; b++) {
            found += batch.label[b] == classes[i];
        }
        assert_int_equal(found, 2);
        assert_true(eg_active_place(batch.active, (uint32_t)classes[i]) < count);
        assert_int_equal(eg_stream_class_tasks(cursor->stream)[classes[i]], task);
    }
    if (!cursor->stream->shape.tasks_are_phases) {
        return;
    }
    eg_cursor_get(cursor, task, 0, &batch);
    assert_int_equal(batch.task, task);
    assert_int_equal(batch.size, 4 * count);
    for (size_t b = 0; b < batch.size; b++) {
        assert_true(eg_active_place(batch.active, batch.label[b]) < count);
    }
}

static void split_in_an_order(void **state)
{
    (void)state;
    static const uint32_t order[] = {3, 0, 4, 1, 2};
    eg_dataset *data = dataset_of(CLASSES);
    eg_settings *settings = SETTINGS("stream", "split", "stream.active", "task",
                                     "stream.task_order", "[3, 0, 4, 1, 2]");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    for (size_t t = 0; t < 5; t++) {
        const size_t classes[] = {(size_t)2 * order[t], (size_t)2 * order[t] + 1};
        assert_classes(cursor, t, classes, 2);
    }
    assert_memory_equal(eg_stream_task_identities(cursor->stream), order, sizeof order);
    cursor_free(cursor);
    eg_settings_free(settings);
    settings = SETTINGS("stream", "split", "stream.active", "task", "stream.partition",
                        "[[9], [0, 1], [5]]", "stream.task_order", "[1, 2, 0]");
    cursor = cursor_of(settings, data, 1, 0, BLOCK);
    assert_classes(cursor, 0, (const size_t[]){0, 1}, 2);
    assert_classes(cursor, 1, (const size_t[]){5}, 1);
    assert_classes(cursor, 2, (const size_t[]){9}, 1);
    assert_int_equal(eg_stream_class_tasks(cursor->stream)[2], -1);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* No order, and the natural one by name, are the same stream. */
static void natural_order(void **state)
{
    (void)state;
    eg_dataset *data = dataset_of(CLASSES);
    eg_settings *natural = SETTINGS("stream", "split");
    eg_settings *named = SETTINGS("stream", "split", "stream.task_order", "[0, 1, 2, 3, 4]");
    eg_cursor *a = cursor_of(natural, data, 1, 0, BLOCK);
    eg_cursor *b = cursor_of(named, data, 1, 0, BLOCK);
    assert_null(eg_stream_task_identities(a->stream));
    assert_non_null(eg_stream_task_identities(b->stream));
    for (size_t phase = 0; phase < 5; phase++) {
        eg_batch x;
        eg_batch y;
        eg_cursor_get(a, phase, 0, &x);
        eg_cursor_get(b, phase, 0, &y);
        assert_int_equal(x.size, y.size);
        assert_memory_equal(x.number, y.number, x.size * sizeof *x.number);
    }
    cursor_free(a);
    cursor_free(b);
    eg_settings_free(natural);
    eg_settings_free(named);
    eg_dataset_free(data);
}

static void assert_refused(eg_settings *settings, size_t classes, const char *part)
{
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind =
        (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
    eg_dataset *data = dataset_of(classes);
    eg_stream *stream = NULL;
    assert_fails(kind->check(&view, &(eg_stream_sizes){.outputs = classes, .train = 4 * classes}),
                 EG_INVALID, part);
    assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID, part);
    assert_null(stream);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

static void orders_that_are_none(void **state)
{
    (void)state;
    assert_refused(SETTINGS("stream.task_order", "[0, 1, 2, 3]"), CLASSES,
                   "stream.task_order has 4 tasks; expected each of 5 tasks once");
    assert_refused(SETTINGS("stream.task_order", "[0, 1, 2, 3, 1]"), CLASSES,
                   "stream.task_order: task 1 comes twice; expected each of 5 tasks once");
    assert_refused(SETTINGS("stream.task_order", "[0, 1, 5, 3, 2]"), CLASSES,
                   "stream.task_order: task 5 at position 2 (from 0); expected 0 to 4");
    assert_refused(SETTINGS("stream.partition", "[[0], [1]]", "stream.task_order", "[0]"), CLASSES,
                   "stream.task_order has 1 tasks; expected each of 2 tasks once");
    assert_refused(
        SETTINGS("stream", "permuted", "stream.tasks", "2", "stream.task_order", "[1, 2]"), CLASSES,
        "stream.task_order: task 2 at position 1 (from 0); expected 0 to 1");
    assert_refused(SETTINGS("stream", "permuted", "stream.tasks", "10000", "stream.heads", "task"),
                   CLASSES, "stream.tasks = 10000 with stream.heads = task");
    assert_refused(SETTINGS("stream", "permuted", "stream.joint", "true", "stream.order_file", "x"),
                   CLASSES, "stream.joint = true with stream.order_file");
    assert_refused(SETTINGS("stream", "cifar100_split", "stream.order", "B", "stream.task_order",
                            "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"),
                   HUNDRED, "stream.order = B and stream.task_order; expected only one");
    assert_refused(SETTINGS("stream", "cifar100_split"), CLASSES,
                   "stream = cifar100_split with a dataset of 10 classes; expected 100");
    assert_refused(SETTINGS("stream", "cifar100_superclass"), CLASSES,
                   "stream = cifar100_superclass with a dataset of 10 classes; expected 100");
    assert_refused(SETTINGS("stream", "omniglot_rotation"), CLASSES, "expected at least 12");
    assert_refused(SETTINGS("stream", "omniglot_rotation", "stream.tasks", "9"), HUNDRED,
                   "stream.tasks = 9 of 12 characters each; expected at most 8");
    assert_refused(SETTINGS("stream", "split", "stream.joint", "true", "stream.joint_loss", "task"),
                   CLASSES, "stream.joint_loss = task with stream.active = all");
}

/* The permutation and the head of a task go with it, wherever it stands. */
static void permuted_in_an_order(void **state)
{
    (void)state;
    enum { TASKS = 3, PIXELS = 64 };
    static const uint32_t order[TASKS] = {2, 0, 1};
    eg_dataset *data = dataset_of(CLASSES);
    data->shape = (eg_shape){1, PIXELS, 1}; /* of which the examples have too few: not looked at */
    data->features = PIXELS;
    eg_settings *natural =
        SETTINGS("stream", "permuted", "stream.tasks", "3", "stream.first", "identity");
    eg_settings *ordered =
        SETTINGS("stream", "permuted", "stream.tasks", "3", "stream.first", "identity",
                 "stream.task_order", "[2, 0, 1]", "stream.heads", "task");
    eg_view natural_root = eg_settings_root(natural);
    eg_view ordered_root = eg_settings_root(ordered);
    eg_stream *a = NULL;
    eg_stream *b = NULL;
    assert_ok(eg_stream_create(&a, &natural_root, data, 7, 0));
    assert_ok(eg_stream_create(&b, &ordered_root, data, 7, 0));
    for (size_t t = 0; t < TASKS; t++) {
        assert_memory_equal(eg_stream_pixels(b) + t * PIXELS,
                            eg_stream_pixels(a) + order[t] * PIXELS, PIXELS * sizeof(uint32_t));
    }
    assert_int_equal(eg_stream_pixels(b)[PIXELS + 5], 5); /* task 0 stays as it is */
    assert_int_equal(a->shape.outputs, CLASSES);
    assert_int_equal(b->shape.outputs, CLASSES * TASKS);
    assert_false(a->shape.tells_task);
    assert_true(b->shape.tells_task);
    assert_null(eg_stream_task_identities(a));
    assert_memory_equal(eg_stream_task_identities(b), order, sizeof order);
    for (size_t o = 0; o < (size_t)CLASSES * TASKS; o++) {
        assert_int_equal(order[eg_stream_class_tasks(b)[o]], o / CLASSES);
    }
    eg_stream_free(a);
    eg_stream_free(b);
    eg_settings_free(natural);
    eg_settings_free(ordered);
    eg_dataset_free(data);
}

static void heads_of_permuted(void **state)
{
    (void)state;
    enum { TASKS = 3 };
    static const uint32_t order[TASKS] = {2, 0, 1};
    eg_dataset *data = dataset_of(CLASSES);
    eg_settings *settings = SETTINGS("stream", "permuted", "stream.tasks", "3", "stream.heads",
                                     "task", "stream.task_order", "[2, 0, 1]");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, 20);
    for (size_t turn = 0; turn < (size_t)2 * TASKS; turn++) {
        size_t t = turn % TASKS;
        uint32_t first = order[t] * CLASSES;
        eg_batch batch;
        eg_cursor_get(cursor, t, 0, &batch);
        assert_int_equal(batch.task, t);
        for (size_t part = 0; part < 2; part++) {
            const eg_examples *from = part == 0 ? &data->train : &data->test;
            assert_int_equal(batch.active->count, CLASSES);
            assert_int_equal(batch.active->output[0], first);
            assert_int_equal(batch.active->output[CLASSES - 1], first + CLASSES - 1);
            for (size_t i = 0; i < batch.size; i++) {
                assert_int_equal(batch.label[i], first + from->label[batch.number[i]]);
            }
            eg_cursor_examples(cursor, EG_SUBSET_TEST, t, 0, 20, &batch);
            assert_int_equal(batch.task, t);
        }
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* One phase has every example as each task sees it, and its loss is over the head of the task. */
static void permuted_jointly(void **state)
{
    (void)state;
    enum { TASKS = 3, EXAMPLES = 4 * CLASSES };
    static const uint32_t order[TASKS] = {2, 0, 1};
    eg_dataset *data = dataset_of(CLASSES);
    eg_settings *settings =
        SETTINGS("stream", "permuted", "stream.tasks", "3", "stream.heads", "task", "stream.joint",
                 "true", "stream.task_order", "[2, 0, 1]", "stream.batch", "50");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, 2 * CLASSES);
    const uint32_t *from = eg_stream_pixels((eg_stream *)(uintptr_t)cursor->stream);
    size_t seen[TASKS][EXAMPLES] = {{0}};
    assert_int_equal(cursor->stream->shape.phases, 1);
    assert_int_equal(cursor->stream->shape.tasks, TASKS);
    assert_int_equal(eg_stream_phase(cursor->stream, 0).examples, TASKS * EXAMPLES);
    assert_int_equal(eg_stream_steps(cursor->stream, 0), 3);
    for (size_t step = 0; step < 3; step++) {
        eg_batch batch;
        eg_cursor_get(cursor, 0, step, &batch);
        assert_int_equal(batch.task, EG_NO_TASK);
        for (size_t b = 0; b < batch.size; b++) {
            uint32_t example = batch.number[b];
            size_t task = batch.row_task[b];
            const uint8_t *x = data->train.x + (size_t)2 * example;
            seen[task][example]++;
            assert_int_equal(batch.label[b], order[task] * CLASSES + data->train.label[example]);
            assert_int_equal(eg_batch_active(&batch, b)->output[0], order[task] * CLASSES);
            for (size_t p = 0; p < 2; p++) {
                assert_true(batch.x[2 * b + p] == (eg_real)x[from[task * 2 + p]]);
            }
        }
    }
    for (size_t t = 0; t < TASKS; t++) {
        for (size_t i = 0; i < EXAMPLES; i++) {
            assert_int_equal(seen[t][i], 1);
        }
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static eg_cursor *named(const char *stream, const char *order, eg_dataset *data, uint64_t seed)
{
    eg_settings *settings = SETTINGS("stream", stream, "stream.order", order);
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, BLOCK);
    eg_settings_free(settings);
    return cursor;
}

/* Orders and classes as the spec of the paper has them. */
static void orders_of_cifar100(void **state)
{
    (void)state;
    eg_dataset *data = dataset_of(HUNDRED);
    eg_cursor *cursor = named("cifar100_split", "C", data, 1);
    static const uint32_t c[] = {7, 0, 5, 1, 8, 4, 3, 6, 2, 9};
    assert_memory_equal(eg_stream_task_identities(cursor->stream), c, sizeof c);
    for (size_t t = 0; t < 10; t++) {
        size_t classes[10];
        for (size_t i = 0; i < 10; i++) {
            classes[i] = (size_t)10 * c[t] + i;
        }
        assert_classes(cursor, t, classes, 10);
    }
    cursor_free(cursor);
    cursor = named("cifar100_superclass", "B", data, 1);
    static const uint32_t b[] = {15, 12, 5,  9,  7,  16, 18, 17, 1,  0,
                                 3,  8,  11, 14, 10, 6,  2,  4,  13, 19};
    assert_memory_equal(eg_stream_task_identities(cursor->stream), b, sizeof b);
    assert_classes(cursor, 0, (const size_t[]){27, 29, 44, 78, 93}, 5);
    assert_classes(cursor, 9, (const size_t[]){4, 30, 55, 72, 95}, 5);
    assert_classes(cursor, 19, (const size_t[]){41, 69, 81, 85, 89}, 5);
    cursor_free(cursor);
    eg_dataset_free(data);
}

/* Every order has every task once, A in its place, and all five differ. */
static void assert_permutations(const char *stream, size_t classes, size_t tasks)
{
    uint32_t seen[5][20];
    eg_dataset *data = dataset_of(classes);
    for (size_t o = 0; o < 5; o++) {
        const char name[] = {(char)('A' + o), '\0'};
        eg_cursor *cursor = named(stream, name, data, o);
        const uint32_t *order = eg_stream_task_identities(cursor->stream);
        size_t found[20] = {0};
        assert_int_equal(cursor->stream->shape.tasks, tasks);
        for (size_t t = 0; t < tasks; t++) {
            assert_true(order[t] < tasks);
            found[order[t]]++;
            assert_true(o > 0 || order[t] == t);
        }
        for (size_t t = 0; t < tasks; t++) {
            assert_int_equal(found[t], 1);
        }
        memcpy(seen[o], order, tasks * sizeof *order);
        for (size_t p = 0; p < o; p++) {
            assert_memory_not_equal(seen[p], order, tasks * sizeof *order);
        }
        cursor_free(cursor);
        cursor = named(stream, name, data, 17); /* whatever the seed */
        assert_memory_equal(eg_stream_task_identities(cursor->stream), seen[o],
                            tasks * sizeof *order);
        cursor_free(cursor);
    }
    eg_dataset_free(data);
}

static void named_orders(void **state)
{
    (void)state;
    assert_permutations("cifar100_split", HUNDRED, 10);
    assert_permutations("cifar100_superclass", HUNDRED, 20);
    assert_permutations("omniglot_rotation", HUNDRED, 8);
}

/* The classes of all tasks of Superclass are those of the dataset; the last four of 100 are in no task of
 * twelve. */
static void classes_of_all_tasks(void **state)
{
    (void)state;
    eg_dataset *data = dataset_of(HUNDRED);
    eg_cursor *cursor = named("cifar100_superclass", "A", data, 1);
    size_t each[20] = {0};
    for (size_t c = 0; c < HUNDRED; c++) {
        each[eg_stream_class_tasks(cursor->stream)[c]]++;
    }
    for (size_t t = 0; t < 20; t++) {
        assert_int_equal(each[t], 5);
    }
    cursor_free(cursor);
    cursor = named("omniglot_rotation", "A", data, 1);
    for (size_t c = 0; c < HUNDRED; c++) {
        assert_int_equal(eg_stream_class_tasks(cursor->stream)[c], c < 96 ? (int32_t)(c / 12) : -1);
    }
    cursor_free(cursor);
    eg_dataset_free(data);
}

static void joint_training_says_whose_an_example_is(void **state)
{
    (void)state;
    eg_dataset *data = dataset_of(CLASSES);
    eg_settings *settings =
        SETTINGS("stream", "split", "stream.active", "task", "stream.joint", "true",
                 "stream.joint_loss", "task", "stream.task_order", "[4, 3, 2, 1, 0]");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, BLOCK);
    eg_batch batch;
    assert_int_equal(cursor->stream->shape.phases, 1);
    eg_cursor_get(cursor, 0, 0, &batch);
    assert_null(batch.active);
    assert_int_equal(batch.size, 40);
    for (size_t b = 0; b < batch.size; b++) {
        const eg_active *active = eg_batch_active(&batch, b);
        assert_int_equal(batch.row_task[b], 4 - batch.label[b] / 2);
        assert_int_equal(active->count, 2);
        assert_int_equal(active->output[0], batch.label[b] / 2 * 2);
    }
    eg_cursor_examples(cursor, EG_SUBSET_TEST, 1, 0, 4, &batch);
    assert_null(batch.row_task);
    assert_int_equal(batch.active->output[0], 6);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void sizes_before_anything_is_opened(void **state)
{
    (void)state;
    static const struct {
        const char *stream, *joint;
        size_t phases, tasks, train, test;
    } cases[] = {
        {"cifar100_split", "false", 10, 10, 800, 200},
        {"cifar100_superclass", "true", 1, 20, 800, 200},
        {"omniglot_rotation", "false", 8, 8, 768, 192},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_settings *settings = SETTINGS("stream", cases[i].stream, "stream.epochs", "2",
                                         "stream.joint", cases[i].joint);
        eg_view root = eg_settings_root(settings);
        eg_view view = eg_view_inside(&root, "stream");
        const eg_stream_kind *kind =
            (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
        eg_stream_sizes sizes = {.outputs = HUNDRED, .train = 400, .test = 200};
        kind->sizes(&view, &sizes);
        assert_int_equal(sizes.phases, cases[i].phases);
        assert_int_equal(sizes.tasks, cases[i].tasks);
        assert_int_equal(sizes.train, cases[i].train);
        assert_int_equal(sizes.test, cases[i].test);
        assert_int_equal(sizes.outputs, HUNDRED);
        eg_settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_in_an_order),
        cmocka_unit_test(natural_order),
        cmocka_unit_test(orders_that_are_none),
        cmocka_unit_test(permuted_in_an_order),
        cmocka_unit_test(heads_of_permuted),
        cmocka_unit_test(permuted_jointly),
        cmocka_unit_test(orders_of_cifar100),
        cmocka_unit_test(named_orders),
        cmocka_unit_test(classes_of_all_tasks),
        cmocka_unit_test(joint_training_says_whose_an_example_is),
        cmocka_unit_test(sizes_before_anything_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
