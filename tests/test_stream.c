/** What all streams over a dataset share: epochs, order, jumps, evaluation sets, holdout, memory. */
#include "data_settings.h"

#include "engram/random.h"

#include <string.h>

static const size_t counts[] = {30, 21, 40, 17};
static const size_t test_counts[] = {5, 6, 7, 8};
enum { CLASSES = 4, TRAIN = 108, TEST = 26, BATCH = 8, BATCHES_MAX = 128 };

static eg_settings *small_split(const char *epochs)
{
    return SETTINGS("stream", "split", "stream.tasks", "2", "stream.batch", "8", "stream.epochs",
                    epochs);
}

/* Everything a stream yields in order, as example numbers: batch b of the run is numbers[b][size[b]]. */
typedef struct recording {
    size_t batches;
    size_t size[BATCHES_MAX];
    size_t numbers[BATCHES_MAX][BATCH];
} recording;

static void record_batch(recording *out, size_t b, const eg_batch *batch, const eg_dataset *data)
{
    out->size[b] = batch->size;
    for (size_t i = 0; i < batch->size; i++) {
        out->numbers[b][i] = number_of(batch, i);
        assert_int_equal(batch->label[i], data->train.label[out->numbers[b][i]]);
    }
}

static void record_all(recording *out, eg_cursor *cursor, const eg_dataset *data)
{
    memset(out, 0, sizeof *out);
    for (size_t phase = 0; phase < cursor->stream->shape.phases; phase++) {
        for (size_t step = 0; step < eg_stream_steps(cursor->stream, phase); step++) {
            eg_batch batch;
            eg_cursor_get(cursor, phase, step, &batch);
            assert_true(out->batches < BATCHES_MAX && batch.size <= BATCH);
            record_batch(out, out->batches++, &batch, data);
        }
    }
}

/* 51 = 6*8 + 3 examples in phase 0, 57 = 7*8 + 1 in phase 1. */
static void test_each_example_once_per_epoch(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("2");
    eg_cursor *cursor = cursor_of(settings, data, 7, 0, 10);
    static const size_t steps[] = {7, 8};
    static const size_t last[] = {3, 1};
    assert_int_equal(cursor->stream->shape.phases, 2);
    assert_int_equal(cursor->stream->shape.batch, BATCH);
    assert_int_equal(cursor->stream->shape.epochs, 2);
    for (size_t phase = 0; phase < 2; phase++) {
        assert_int_equal(eg_stream_steps(cursor->stream, phase), 2 * steps[phase]);
        for (size_t epoch = 0; epoch < 2; epoch++) {
            size_t seen[TRAIN] = {0};
            for (size_t step = 0; step < steps[phase]; step++) {
                eg_batch batch;
                eg_cursor_get(cursor, phase, epoch * steps[phase] + step, &batch);
                assert_int_equal(batch.size, step + 1 < steps[phase] ? BATCH : last[phase]);
                assert_null(batch.target);
                for (size_t i = 0; i < batch.size; i++) {
                    seen[number_of(&batch, i)]++;
                }
            }
            for (size_t i = 0; i < TRAIN; i++) {
                assert_int_equal(seen[i], data->train.label[i] / 2 == phase ? 1 : 0);
            }
        }
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* The order belongs to (seed, phase, epoch): the same again for the same seed, another for each epoch
 * and for another seed. */
static void test_order(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("2");
    recording all[3];
    static const uint64_t seeds[] = {7, 7, 8};
    for (size_t s = 0; s < 3; s++) {
        eg_cursor *cursor = cursor_of(settings, data, seeds[s], 0, 10);
        record_all(&all[s], cursor, data);
        cursor_free(cursor);
    }
    assert_int_equal(all[0].batches, 30);
    assert_memory_equal(&all[0], &all[1], sizeof all[0]);
    assert_memory_not_equal(all[0].numbers[0], all[2].numbers[0], sizeof all[0].numbers[0]);
    /* Epoch 1 of phase 0 begins at batch 7. */
    assert_memory_not_equal(all[0].numbers[0], all[0].numbers[7], sizeof all[0].numbers[0]);
    size_t ascending = 0;
    for (size_t i = 1; i < BATCH; i++) {
        ascending += all[0].numbers[0][i] > all[0].numbers[0][i - 1];
    }
    assert_true(ascending < BATCH - 1); /* shuffled at all */
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Members of an ensemble have orders of their own; member 0 has the trial's, whatever is read in between. */
static void test_members(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("2");
    eg_cursor *cursor = cursor_of(settings, data, 7, 0, 10);
    eg_cursor *other = NULL;
    recording all[3];
    static const size_t members[] = {0, 1, 1};
    for (size_t m = 0; m < 3; m++) {
        const eg_cursor_setup setup = {.member = members[m], .trains = true};
        assert_ok(eg_cursor_open(&other, cursor->stream, &setup));
        record_all(&all[m], other, data);
        eg_cursor_close(other);
    }
    recording trial;
    record_all(&trial, cursor, data);
    assert_memory_equal(&trial, &all[0], sizeof trial);
    assert_memory_equal(&all[1], &all[2], sizeof trial);
    assert_memory_not_equal(all[0].numbers[0], all[1].numbers[0], sizeof all[0].numbers[0]);
    assert_int_equal(eg_member_seed(7, 0), 7);
    assert_true(eg_member_seed(7, 1) != eg_member_seed(7, 2));
    assert_true(eg_member_seed(7, 1) != eg_member_seed(8, 1));
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_jump_equals_sequence(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("3");
    eg_cursor *cursor = cursor_of(settings, data, 3, 0, 10);
    recording sequence;
    record_all(&sequence, cursor, data);
    assert_int_equal(sequence.batches, 45);
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    recording *jumps = NULL;
    assert_ok(eg_alloc(&jumps, 1, sizeof *jumps));
    for (size_t i = 0; i < 500; i++) {
        size_t b = eg_rng_below(&rng, (uint32_t)sequence.batches);
        size_t phase = b < 21 ? 0 : 1;
        eg_batch batch;
        if (i % 3 == 0) { /* an evaluation in between changes nothing */
            eg_cursor_examples(cursor, EG_SUBSET_TEST, 1 - phase, 2, 5, &batch);
        }
        eg_cursor_get(cursor, phase, b - phase * 21, &batch);
        record_batch(jumps, b, &batch, data);
        assert_int_equal(jumps->size[b], sequence.size[b]);
        assert_memory_equal(jumps->numbers[b], sequence.numbers[b], sizeof sequence.numbers[b]);
    }
    eg_free(jumps);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Each test example in the task of its class, once, whatever the blocks. */
static void test_evaluation_sets(void **state)
{
    (void)state;
    enum { BLOCK = 4 };
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("1");
    eg_cursor *cursor = cursor_of(settings, data, 3, 0, BLOCK);
    assert_int_equal(cursor->stream->shape.tasks, 2);
    assert_true(cursor->stream->shape.tasks_are_phases);
    size_t seen[TEST] = {0};
    for (size_t task = 0; task < 2; task++) {
        size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TEST, task);
        assert_int_equal(count, task == 0 ? 11 : 15);
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, task), 0);
        for (size_t first = 0; first < count; first += BLOCK) {
            size_t size = count - first < BLOCK ? count - first : BLOCK;
            eg_batch batch;
            eg_cursor_examples(cursor, EG_SUBSET_TEST, task, first, size, &batch);
            assert_int_equal(batch.size, size);
            for (size_t i = 0; i < size; i++) {
                size_t number = number_of(&batch, i);
                assert_int_equal(batch.label[i], data->test.label[number]);
                assert_int_equal(batch.label[i] / 2, task);
                seen[number]++;
            }
        }
    }
    for (size_t i = 0; i < TEST; i++) {
        assert_int_equal(seen[i], 1);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void mark_validation(eg_cursor *cursor, const eg_dataset *data, size_t *marks)
{
    for (size_t task = 0; task < cursor->stream->shape.tasks; task++) {
        size_t count = eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, task);
        for (size_t i = 0; i < count; i++) {
            eg_batch batch;
            eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, task, i, 1, &batch);
            assert_int_equal(batch.label[0], data->train.label[number_of(&batch, 0)]);
            marks[number_of(&batch, 0)]++;
        }
    }
}

/* A quarter of 30, 21, 40 and 17 examples, rounded: 8, 5, 10 and 4. */
static void test_holdout(void **state)
{
    (void)state;
    static const size_t expected[] = {8, 5, 10, 4};
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("1");
    eg_settings *iid = SETTINGS("stream", "iid", "stream.batch", "8");
    size_t held[3][TRAIN] = {{0}};
    static const uint64_t seeds[] = {1, 2, 1};
    for (size_t s = 0; s < 3; s++) {
        eg_cursor *cursor = cursor_of(s < 2 ? settings : iid, data, seeds[s], 0.25, 10);
        mark_validation(cursor, data, held[s]);
        recording trained;
        record_all(&trained, cursor, data);
        size_t total[TRAIN];
        memcpy(total, held[s], sizeof total);
        for (size_t b = 0; b < trained.batches; b++) {
            for (size_t i = 0; i < trained.size[b]; i++) {
                total[trained.numbers[b][i]]++;
            }
        }
        for (size_t i = 0; i < TRAIN; i++) {
            assert_int_equal(total[i], 1); /* in training or held out, never both */
        }
        cursor_free(cursor);
    }
    /* The same examples for every seed and stream; stratified; not simply the first ones. */
    assert_memory_equal(held[0], held[1], sizeof held[0]);
    assert_memory_equal(held[0], held[2], sizeof held[0]);
    size_t of_class[CLASSES] = {0};
    size_t among_first = 0;
    for (size_t i = 0; i < TRAIN; i++) {
        of_class[data->train.label[i]] += held[0][i];
        among_first += i < 27 ? held[0][i] : 0;
    }
    assert_memory_equal(of_class, expected, sizeof expected);
    assert_true(among_first < 20);
    eg_settings_free(settings);
    eg_settings_free(iid);
    eg_dataset_free(data);
}

/* All examples of a task, first those that it learns from, then those held out, in pieces of 7. */
static void test_training_examples(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("1");
    static const double holdouts[] = {0, 0.25};
    for (size_t h = 0; h < EG_COUNT(holdouts); h++) {
        eg_cursor *cursor = cursor_of(settings, data, 1, holdouts[h], 10);
        size_t held[TRAIN] = {0};
        size_t seen[TRAIN] = {0};
        mark_validation(cursor, data, held);
        for (size_t task = 0; task < cursor->stream->shape.tasks; task++) {
            size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TRAINING, task);
            size_t learned = eg_stream_phase(cursor->stream, task).examples;
            for (size_t first = 0; first < count; first += 7) {
                size_t size = count - first < 7 ? count - first : 7;
                eg_batch batch;
                eg_cursor_examples(cursor, EG_SUBSET_TRAINING, task, first, size, &batch);
                for (size_t i = 0; i < size; i++) {
                    size_t number = number_of(&batch, i);
                    assert_int_equal(batch.label[i], data->train.label[number]);
                    assert_int_equal(held[number], first + i >= learned);
                    seen[number]++;
                }
            }
        }
        for (size_t i = 0; i < TRAIN; i++) {
            assert_int_equal(seen[i], 1);
        }
        cursor_free(cursor);
    }
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* A share too small for one example still holds one out; a class's only example stays in training. */
static void test_holdout_of_few(void **state)
{
    (void)state;
    static const size_t few[] = {1, 2, 3, 1};
    eg_dataset *data = numbered_dataset(CLASSES, few, test_counts);
    eg_settings *settings = small_split("1");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.01, 10);
    for (size_t task = 0; task < 2; task++) {
        eg_batch batch;
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, task), 1);
        eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, task, 0, 1, &batch);
        assert_int_equal(batch.label[0], task + 1);
    }
    eg_cursor_get(cursor, 1, 0, &(eg_batch){0});
    assert_int_equal(cursor->stream->shape.batch, 3); /* no minibatch is larger: 1 + 2 + 1 - 1 */
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void create_fails(const size_t *train, const size_t *test, double holdout, const char *part)
{
    eg_dataset *data = numbered_dataset(CLASSES, train, test);
    eg_settings *settings = small_split("1");
    eg_view root = eg_settings_root(settings);
    size_t live = eg_memory_live_blocks();
    eg_stream *stream = NULL;
    assert_fails(eg_stream_create(&stream, &root, data, 1, holdout), EG_INVALID, part);
    assert_null(stream);
    assert_int_equal(eg_memory_live_blocks(), live);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_tasks_without_examples(void **state)
{
    (void)state;
    static const size_t no_first[] = {0, 0, 3, 3};
    static const size_t single[] = {5, 5, 1, 1};
    create_fails(no_first, test_counts, 0, "task 0 (from 0) has no training examples");
    create_fails(counts, no_first, 0, "task 0 (from 0) has no test examples");
    create_fails(single, test_counts, 0.5, "task 1 (from 0) has no validation examples");
}

static void test_iid(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = SETTINGS("stream", "iid", "stream.batch", "8");
    eg_cursor *cursor = cursor_of(settings, data, 5, 0, 100);
    assert_int_equal(cursor->stream->shape.phases, 1);
    assert_int_equal(cursor->stream->shape.tasks, 1);
    assert_true(cursor->stream->shape.tasks_are_phases);
    assert_int_equal(cursor->stream->shape.outputs, CLASSES);
    assert_int_equal(eg_stream_steps(cursor->stream, 0), 14);
    assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, 0), TEST);
    recording all;
    record_all(&all, cursor, data);
    size_t seen[TRAIN] = {0};
    size_t in_first_half[CLASSES] = {0};
    for (size_t b = 0; b < all.batches; b++) {
        for (size_t i = 0; i < all.size[b]; i++) {
            seen[all.numbers[b][i]]++;
            in_first_half[data->train.label[all.numbers[b][i]]] += b < 7;
        }
    }
    for (size_t i = 0; i < TRAIN; i++) {
        assert_int_equal(seen[i], 1);
    }
    for (size_t c = 0; c < CLASSES; c++) {
        assert_true(in_first_half[c] > 0 && in_first_half[c] < counts[c]); /* mixed */
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    static const char *const kinds[] = {"iid", "online_permuted", "permuted", "split"};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        eg_settings *settings =
            k == 0 ? SETTINGS("stream", "iid") : SETTINGS("stream", kinds[k], "stream.tasks", "2");
        eg_view root = eg_settings_root(settings);
        size_t live = eg_memory_live_blocks();
        size_t failures = 0;
        for (;; failures++) {
            eg_stream *stream = NULL;
            eg_memory_fail_after(failures + 1);
            eg_status status = eg_stream_create(&stream, &root, data, 1, 0.2);
            eg_cursor *cursor = NULL;
            if (eg_is_ok(&status)) {
                status = eg_cursor_open(&cursor, stream,
                                        &(eg_cursor_setup){.trains = true, .block = 10});
                if (!eg_is_ok(&status)) {
                    assert_null(cursor);
                    eg_stream_free(stream);
                    stream = NULL;
                }
            }
            eg_memory_fail_after(0);
            if (eg_is_ok(&status)) {
                cursor_free(cursor);
                break;
            }
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(stream);
            assert_int_equal(eg_memory_live_blocks(), live);
        }
        assert_true(failures >= 10);
        assert_int_equal(eg_memory_live_blocks(), live);
        eg_settings_free(settings);
    }
    eg_stream_free(NULL);
    eg_dataset_free(data);
}

/* The next allocation would fail; it must still be pending after a whole run. */
static void test_no_allocation_after_create(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, counts, test_counts);
    eg_settings *settings = small_split("2");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.1, 10);
    recording all;
    eg_memory_fail_after(1);
    record_all(&all, cursor, data);
    eg_batch batch;
    eg_cursor_examples(cursor, EG_SUBSET_TEST, 0, 0, 10, &batch);
    void *block = NULL;
    eg_status status = eg_alloc(&block, 1, 1);
    eg_memory_fail_after(0);
    assert_int_equal(status.code, EG_MEMORY);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void assert_sizes(eg_settings *settings, size_t phases, size_t tasks, size_t train,
                         size_t test)
{
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "stream");
    const eg_stream_kind *kind =
        (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
    eg_stream_sizes got = {.train = 1000, .test = 100};
    kind->sizes(&view, &got);
    assert_int_equal(got.phases, phases);
    assert_int_equal(got.tasks, tasks);
    assert_int_equal(got.train, train);
    assert_int_equal(got.test, test);
    eg_settings_free(settings);
}

static void test_sizes(void **state)
{
    (void)state;
    assert_sizes(SETTINGS("stream", "split"), 5, 5, 1000, 100);
    assert_sizes(SETTINGS("stream", "split", "stream.joint", "true"), 1, 5, 1000, 100);
    assert_sizes(
        SETTINGS("stream", "split", "stream.partition", "[[1, 2], [0], [7]]", "stream.epochs", "3"),
        3, 3, 3000, 100);
    assert_sizes(SETTINGS("stream", "permuted"), 100, 100, 100000, 10000);
    assert_sizes(SETTINGS("stream", "online_permuted"), 800, 0, 48000000, 0);
    assert_sizes(SETTINGS("stream", "online_permuted", "stream.evaluate", "true", "stream.tasks",
                          "3", "stream.change_after", "7"),
                 3, 3, 21, 300);
    assert_sizes(SETTINGS("stream", "permuted", "stream.tasks", "4", "stream.epochs", "2"), 4, 4,
                 8000, 400);
    assert_sizes(SETTINGS("stream", "iid", "stream.epochs", "2"), 1, 1, 2000, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_example_once_per_epoch),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_jump_equals_sequence),
        cmocka_unit_test(test_evaluation_sets),
        cmocka_unit_test(test_holdout),
        cmocka_unit_test(test_training_examples),
        cmocka_unit_test(test_holdout_of_few),
        cmocka_unit_test(test_tasks_without_examples),
        cmocka_unit_test(test_iid),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_no_allocation_after_create),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
