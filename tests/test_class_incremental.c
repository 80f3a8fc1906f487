/** Incremental learning of more and more classes: what is available, held out, active and arrives in an
 *  increment, and settings that do not fit. */
#include "data_settings.h"

#include <string.h>

enum { CLASSES = 10, TRAIN = 8, TESTED = 3, INCREMENTS = 3, EACH = 3, BLOCK = 128 };

static const size_t train_counts[] = {8, 8, 8, 8, 8, 8, 8, 8, 8, 8};
static const size_t test_counts[] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3};

static eg_settings *settings_with(const char *name, const char *value)
{
    return SETTINGS("stream", "class_incremental", "stream.tasks", "3", "stream.classes", "3",
                    "stream.batch", "9", "stream.epochs", "2", name, value);
}

/* Bit c: class c. */
static unsigned classes_in(const eg_batch *batch, const eg_examples *examples)
{
    unsigned bits = 0;
    for (size_t i = 0; i < batch->size; i++) {
        assert_int_equal(batch->label[i], examples->label[number_of(batch, i)]);
        bits |= 1U << batch->label[i];
    }
    return bits;
}

static unsigned active_bits(const eg_active *active)
{
    unsigned bits = 0;
    for (size_t k = 0; k < active->count; k++) {
        assert_true(k == 0 || active->output[k - 1] < active->output[k]);
        bits |= 1U << active->output[k];
    }
    return bits;
}

static unsigned count_bits(unsigned bits)
{
    return (unsigned)__builtin_popcount(bits);
}

/* Examples of the first 9 classes of the order, in 3 increments; a quarter of every class, the first
 * two in the dataset, are held out. */
static void test_increments(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = settings_with("stream.class_order", "natural");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.25, BLOCK);
    const eg_stream_shape *shape = &cursor->stream->shape;
    assert_int_equal(shape->phases, INCREMENTS);
    assert_int_equal(shape->tasks, INCREMENTS);
    assert_int_equal(shape->outputs, CLASSES);
    assert_true(shape->tasks_are_phases && shape->masks_outputs && !shape->tells_task);
    for (size_t n = 0; n < INCREMENTS; n++) {
        size_t classes = EACH * (n + 1);
        unsigned available = (1U << classes) - 1;
        eg_phase phase = eg_stream_phase(cursor->stream, n);
        assert_int_equal(phase.examples, classes * 6);
        assert_int_equal(phase.steps, 2 * (n + 1));
        assert_int_equal(active_bits(phase.active), available);
        assert_int_equal(phase.outputs, EG_OUTPUTS_STAY);
        unsigned trained = 0;
        size_t times[CLASSES * TRAIN] = {0};
        eg_batch batch;
        for (size_t step = 0; step < phase.steps; step++) {
            eg_cursor_get(cursor, n, step, &batch);
            trained |= classes_in(&batch, &data->train);
            assert_int_equal(batch.task, n);
            assert_true(batch.active == phase.active);
            for (size_t i = 0; i < batch.size; i++) {
                times[number_of(&batch, i)]++;
                assert_true(number_of(&batch, i) / CLASSES >= 2);
            }
        }
        assert_int_equal(trained, available);
        for (size_t i = 0; i < CLASSES * TRAIN; i++) {
            bool held = i / CLASSES < 2;
            assert_int_equal(times[i], i % CLASSES < classes && !held ? 1 : 0);
        }
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, n), 2 * classes);
        eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, n, 0, 2 * classes, &batch);
        assert_int_equal(classes_in(&batch, &data->train), available);
        for (size_t i = 0; i < batch.size; i++) {
            assert_true(number_of(&batch, i) / CLASSES < 2);
        }
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, n), TESTED * classes);
        eg_cursor_examples(cursor, EG_SUBSET_TEST, n, 0, TESTED * classes, &batch);
        assert_int_equal(classes_in(&batch, &data->test), available);
        /* A block begins and ends anywhere. */
        eg_cursor_examples(cursor, EG_SUBSET_TEST, n, 2, 5, &batch);
        assert_int_equal(batch.size, 5);
        assert_true(batch.active == phase.active && batch.task == EG_NO_TASK);
        static const uint32_t part[] = {0, 1, 1, 1, 2};
        assert_memory_equal(batch.label, part, sizeof part);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void available_of(uint64_t seed, const char *name, const char *value,
                         unsigned available[INCREMENTS])
{
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = settings_with(name, value);
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, BLOCK);
    for (size_t n = 0; n < INCREMENTS; n++) {
        available[n] = active_bits(eg_stream_phase(cursor->stream, n).active);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_order_of_classes(void **state)
{
    (void)state;
    unsigned first[INCREMENTS];
    unsigned again[INCREMENTS];
    unsigned other[INCREMENTS];
    available_of(1, "stream.head", "masked", first);
    available_of(1, "stream.head", "grow", again);
    available_of(2, "stream.head", "masked", other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    for (size_t n = 0; n < INCREMENTS; n++) {
        assert_int_equal(count_bits(first[n]), EACH * (n + 1));
        assert_true(n == 0 || (first[n] & first[n - 1]) == first[n - 1]);
    }
}

/* The classes of an increment arrive with it, but for those the network begins with. */
static void test_outputs_that_arrive(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = settings_with("stream.head", "grow");
    eg_cursor *cursor = cursor_of(settings, data, 3, 0, BLOCK);
    assert_true(cursor->stream->shape.changes_outputs);
    unsigned before = active_bits(eg_stream_phase(cursor->stream, 0).active);
    for (size_t n = 0; n < INCREMENTS; n++) {
        eg_phase phase = eg_stream_phase(cursor->stream, n);
        unsigned now = active_bits(phase.active);
        assert_int_equal(phase.outputs, EG_OUTPUTS_ARRIVE);
        assert_int_equal(active_bits(phase.arriving), now & ~before);
        before = now;
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Held out at random: as many, the same for every seed, and not the first ones. */
static void test_held_out_at_random(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = settings_with("stream.held_out", "drawn");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.25, BLOCK);
    size_t count = eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, 2);
    size_t first = 0;
    eg_batch batch;
    assert_int_equal(count, 2 * EACH * INCREMENTS);
    eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, 2, 0, count, &batch);
    for (size_t i = 0; i < count; i++) {
        first += number_of(&batch, i) / CLASSES < 2 ? 1 : 0;
    }
    assert_true(first < count);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* 3 + 6 + 9 classes of 8 (then 5) and 3 examples, 2 epochs. */
static void test_sizes(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"stream.head", "grow"}, {"stream.train_examples", "5"}};
    for (size_t w = 0; w < 2; w++) {
        eg_settings *settings = settings_with(words[w][0], words[w][1]);
        eg_view root = eg_settings_root(settings);
        eg_view view = eg_view_inside(&root, "stream");
        const eg_stream_kind *kind = (const eg_stream_kind *)eg_view_component(&root, "stream");
        eg_stream_sizes sizes = {
            .outputs = CLASSES, .train = CLASSES * TRAIN, .test = CLASSES * TESTED};
        kind->sizes(&view, &sizes);
        assert_int_equal(sizes.phases, INCREMENTS);
        assert_int_equal(sizes.tasks, INCREMENTS);
        assert_int_equal(sizes.outputs, CLASSES);
        assert_int_equal(sizes.train, 18 * (w == 0 ? TRAIN : 5) * 2);
        assert_int_equal(sizes.test, 18 * TESTED);
        assert_int_equal(sizes.changes_outputs, w == 0);
        eg_settings_free(settings);
    }
}

static void assert_refused(eg_settings *settings, const char *part)
{
    const eg_stream_sizes sizes = {
        .outputs = CLASSES, .train = CLASSES * TRAIN, .test = CLASSES * TESTED};
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind = (const eg_stream_kind *)eg_view_component(&root, "stream");
    assert_fails(kind->check(&view, &sizes), EG_INVALID, part);
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_stream *stream = NULL;
    assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID, part);
    assert_null(stream);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

static void test_settings_that_do_not_fit(void **state)
{
    (void)state;
    assert_refused(SETTINGS("stream", "class_incremental"),
                   "stream.tasks = 20 of stream.classes = 5 each; expected at most the 10 "
                   "classes of the dataset in all");
    assert_refused(settings_with("stream.batch", "25"), "stream.batch = 25; expected at most 24");
    assert_refused(settings_with("stream.train_examples", "9"),
                   "stream.train_examples = 9; expected at most 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_increments),
        cmocka_unit_test(test_order_of_classes),
        cmocka_unit_test(test_outputs_that_arrive),
        cmocka_unit_test(test_held_out_at_random),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_settings_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
