/** Mega-batches: the partition, what phases have and hold out, replay, augmentation, and settings that do
 *  not fit. */
#include "data_settings.h"

#include <string.h>

enum { CLASSES = 2, TRAIN = 23, TESTED = 5, CHUNKS = 5, BLOCK = 64 };

static const size_t train_counts[] = {12, 11};
static const size_t test_counts[] = {3, 2};

/* 23 examples in 5 chunks: 5 5 5 4 4. A share of 0.25 of each is one example. */
static const size_t chunk_counts[CHUNKS] = {5, 5, 5, 4, 4};

#define STREAM(...)                                                                                \
    SETTINGS("stream", "mega_batches", "stream.chunks", "5", "stream.batch", "3", "stream.epochs", \
             "2", __VA_ARGS__)

/* Which examples a phase trains on in each epoch, each once; those held out: bit 0 and bit 1 of
 * used[TRAIN]. */
static void uses_of(eg_cursor *cursor, size_t phase, unsigned used[TRAIN])
{
    eg_phase about = eg_stream_phase(cursor->stream, phase);
    memset(used, 0, TRAIN * sizeof *used);
    for (size_t epoch = 0; epoch < about.epochs; epoch++) {
        size_t times[TRAIN] = {0};
        size_t examples = 0;
        for (size_t step = 0; step < about.steps; step++) {
            eg_batch batch;
            eg_cursor_get(cursor, phase, epoch * about.steps + step, &batch);
            assert_int_equal(batch.task, 0);
            for (size_t i = 0; i < batch.size; i++) {
                assert_int_equal(times[number_of(&batch, i)]++, 0);
                used[number_of(&batch, i)] |= 1;
            }
            examples += batch.size;
        }
        assert_int_equal(examples, about.examples);
    }
    size_t held = eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, phase);
    for (size_t i = 0; i < held; i++) {
        eg_batch batch;
        eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, phase, i, 1, &batch);
        used[number_of(&batch, 0)] |= 2;
    }
}

static size_t count_uses(const unsigned *used, unsigned bit)
{
    size_t count = 0;
    for (size_t i = 0; i < TRAIN; i++) {
        assert_true(used[i] < 3); /* never both */
        count += (used[i] & bit) != 0;
    }
    return count;
}

/* Without replay phases divide the examples among them; with it they have those of all before. */
static void phases_have_chunks(void **state)
{
    (void)state;
    static const char *const replays[] = {"false", "true"};
    static const size_t waits[] = {1, 2, 5};
    static const char *const wait_texts[] = {"1", "2", "5"};
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    for (size_t variant = 0; variant < 6; variant++) {
        size_t wait = waits[variant / 2];
        bool replay = variant % 2 == 1;
        eg_settings *settings =
            STREAM("stream.wait", wait_texts[variant / 2], "stream.replay", replays[variant % 2]);
        eg_cursor *cursor = cursor_of(settings, data, 7, 0.25, BLOCK);
        const eg_stream_shape *shape = &cursor->stream->shape;
        assert_int_equal(shape->phases, (CHUNKS + wait - 1) / wait);
        assert_int_equal(shape->tasks, 1);
        assert_int_equal(shape->chunks, CHUNKS);
        assert_true(shape->phases_hold_out && !shape->tasks_are_phases);
        unsigned before[TRAIN] = {0};
        size_t trained = 0;
        size_t held = 0;
        for (size_t phase = 0; phase < shape->phases; phase++) {
            eg_phase about = eg_stream_phase(cursor->stream, phase);
            unsigned used[TRAIN];
            size_t end = (phase + 1) * wait < CHUNKS ? (phase + 1) * wait : CHUNKS;
            trained = replay ? trained : 0;
            held = replay ? held : 0;
            for (size_t c = phase * wait; c < end; c++) {
                trained += chunk_counts[c] - 1;
                held += 1;
            }
            assert_int_equal(about.arrived, end);
            assert_int_equal(about.task, 0);
            assert_int_equal(about.steps, (trained + 2) / 3);
            uses_of(cursor, phase, used);
            assert_int_equal(count_uses(used, 1), trained);
            assert_int_equal(count_uses(used, 2), held);
            for (size_t i = 0; i < TRAIN; i++) {
                assert_true(before[i] == 0 || used[i] == (replay ? before[i] : 0));
                before[i] |= used[i];
            }
        }
        for (size_t i = 0; i < TRAIN; i++) {
            assert_true(before[i] != 0);
        }
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, 0), TESTED);
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TRAINING, 0), TRAIN);
        size_t times[TRAIN] = {0};
        eg_batch batch;
        eg_cursor_examples(cursor, EG_SUBSET_TRAINING, 0, 0, TRAIN, &batch);
        for (size_t i = 0; i < TRAIN; i++) {
            assert_int_equal(times[number_of(&batch, i)]++, 0);
        }
        cursor_free(cursor);
        eg_settings_free(settings);
    }
    eg_dataset_free(data);
}

/* The set of held-out examples is the phase's, that of test examples the task's. */
static void sets_of_subsets(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = STREAM("stream.wait", "2");
    eg_cursor *cursor = cursor_of(settings, data, 7, 0.25, BLOCK);
    assert_int_equal(eg_stream_set(cursor->stream, EG_SUBSET_VALIDATION, 2, 0), 2);
    assert_int_equal(eg_stream_set(cursor->stream, EG_SUBSET_TEST, 2, 0), 0);
    assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_VALIDATION, 2), 1);
    cursor_free(cursor);
    eg_settings_free(settings);
    settings = SETTINGS("stream", "iid");
    cursor = cursor_of(settings, data, 7, 0.25, BLOCK);
    assert_int_equal(eg_stream_set(cursor->stream, EG_SUBSET_VALIDATION, 0, 0), 0);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* What every phase uses, and the first minibatch of the last. */
typedef struct seen {
    unsigned used[3][TRAIN];
    size_t first[3];
} seen;

static seen seen_of(eg_settings *settings, const eg_dataset *data, uint64_t seed)
{
    seen out = {.first = {0}};
    eg_cursor *cursor = cursor_of(settings, data, seed, 0.25, BLOCK);
    for (size_t phase = 0; phase < 3; phase++) {
        uses_of(cursor, phase, out.used[phase]);
    }
    eg_batch batch;
    eg_cursor_get(cursor, 0, 0, &batch);
    for (size_t i = 0; i < 3; i++) {
        out.first[i] = number_of(&batch, i);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    return out;
}

/* The partition is the trial's seed's unless it has its own; the order is the trial's anyway. */
static void partition_has_its_own_seed(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    seen one = seen_of(STREAM("stream.wait", "2"), data, 1);
    seen two = seen_of(STREAM("stream.wait", "2"), data, 2);
    seen given = seen_of(STREAM("stream.wait", "2", "stream.partition_seed", "1"), data, 2);
    seen same = seen_of(STREAM("stream.wait", "2", "stream.partition_seed", "1"), data, 1);
    assert_memory_not_equal(one.used, two.used, sizeof one.used);
    assert_memory_equal(one.used, given.used, sizeof one.used);
    assert_memory_not_equal(one.first, given.first, sizeof one.first);
    assert_memory_equal(&one, &same, sizeof one);
    eg_dataset_free(data);
}

/* Waiting for all is the same with replay and without; a subset is the beginning of the permutation. */
static void waits_for_all(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    unsigned used[2][TRAIN];
    eg_settings *settings[] = {STREAM("stream.wait", "5"),
                               STREAM("stream.wait", "5", "stream.replay", "true")};
    for (size_t i = 0; i < 2; i++) {
        eg_cursor *cursor = cursor_of(settings[i], data, 3, 0.25, BLOCK);
        uses_of(cursor, 0, used[i]);
        cursor_free(cursor);
        eg_settings_free(settings[i]);
    }
    assert_memory_equal(used[0], used[1], sizeof used[0]);
    /* The first 5 of the permutation: all of the first chunk. */
    eg_settings *first = STREAM("stream.wait", "1");
    eg_settings *subset = SETTINGS("stream", "mega_batches", "stream.chunks", "1", "stream.subset",
                                   "5", "stream.batch", "3", "stream.epochs", "2");
    eg_settings *both[] = {first, subset};
    for (size_t i = 0; i < 2; i++) {
        eg_cursor *cursor = cursor_of(both[i], data, 3, 0, BLOCK);
        uses_of(cursor, 0, used[i]);
        assert_int_equal(count_uses(used[i], 1), 5);
        cursor_free(cursor);
        eg_settings_free(both[i]);
    }
    assert_memory_equal(used[0], used[1], sizeof used[0]);
    eg_dataset_free(data);
}

/* A minibatch depends on (seed, member, phase, epoch) only: the members' orders differ, and a jump
 * finds the same examples. */
static void order_is_keyed(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = STREAM("stream.wait", "5");
    eg_cursor *cursor = cursor_of(settings, data, 3, 0, BLOCK);
    eg_cursor *jumps = NULL;
    eg_cursor *member = NULL;
    assert_ok(eg_cursor_open(&jumps, cursor->stream, &(eg_cursor_setup){.trains = true}));
    assert_ok(
        eg_cursor_open(&member, cursor->stream, &(eg_cursor_setup){.trains = true, .member = 1}));
    size_t differ = 0;
    for (size_t step = 0; step < 16; step++) {
        eg_batch a;
        eg_batch b;
        eg_cursor_get(cursor, 0, step, &a);
        eg_cursor_get(jumps, 0, 15 - step, &b);
        eg_cursor_get(jumps, 0, step, &b);
        assert_int_equal(a.size, step % 8 == 7 ? 2 : 3);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.number, b.number, a.size * sizeof *a.number);
        eg_cursor_get(member, 0, step, &b);
        differ += memcmp(a.number, b.number, a.size * sizeof *a.number) != 0 ? 1 : 0;
    }
    assert_true(differ > 8);
    eg_cursor_close(jumps);
    eg_cursor_close(member);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* Training examples of all epochs with the constant in them, and those that are mirrored. */
static void count_augmented(eg_cursor *cursor, size_t *padded, size_t *flipped)
{
    *padded = 0;
    *flipped = 0;
    for (size_t step = 0; step < eg_stream_steps(cursor->stream, 0); step++) {
        eg_batch batch;
        eg_cursor_get(cursor, 0, step, &batch);
        for (size_t i = 0; i < batch.size; i++) {
            const eg_real *x = batch.x + 2 * i;
            *padded += x[0] == (eg_real)-1.9 || x[1] == (eg_real)-1.9;
            *flipped += batch.number[i] > 0 && x[0] == 0 && x[1] == (eg_real)batch.number[i];
        }
    }
    eg_batch batch;
    eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, 0, 0, 5, &batch);
    for (size_t i = 0; i < batch.size; i++) {
        assert_int_equal(number_of(&batch, i), batch.number[i]);
    }
}

/* Training examples are augmented anew in every epoch, held-out ones never. */
static void training_is_augmented(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings[] = {STREAM("stream.wait", "5", "stream.augment_flip", "true"),
                               STREAM("stream.wait", "5", "stream.augment_crop", "1",
                                      "stream.augment_padding", "constant",
                                      "stream.augment_padding_value", "-1.9")};
    for (size_t i = 0; i < 2; i++) {
        eg_cursor *cursor = cursor_of(settings[i], data, 3, 0.25, BLOCK);
        size_t padded = 0;
        size_t flipped = 0;
        count_augmented(cursor, &padded, &flipped);
        assert_true(i == 0 ? padded == 0 && flipped > 0 : padded > 0);
        /* Not for who wants them plain. */
        eg_cursor *plain = NULL;
        const eg_cursor_setup reading = {.trains = true, .block = BLOCK, .plain = true};
        assert_ok(eg_cursor_open(&plain, cursor->stream, &reading));
        count_augmented(plain, &padded, &flipped);
        assert_int_equal(padded + flipped, 0);
        eg_cursor_close(plain);
        cursor_free(cursor);
        eg_settings_free(settings[i]);
    }
    eg_dataset_free(data);
}

/* What settings say of the work: 23 examples, or with replay 10 + 19 + 23, in two epochs. */
static void sizes_are_those_of_the_stream(void **state)
{
    (void)state;
    static const char *const replays[] = {"false", "true"};
    static const size_t examples[] = {23, 10 + 19 + 23};
    for (size_t i = 0; i < 2; i++) {
        eg_settings *settings = STREAM("stream.wait", "2", "stream.replay", replays[i]);
        eg_view root = eg_settings_root(settings);
        eg_view view = eg_view_inside(&root, "stream");
        const eg_stream_kind *kind =
            (const eg_stream_kind *)(const void *)eg_view_component(&root, "stream");
        eg_stream_sizes sizes = {.outputs = CLASSES, .train = TRAIN, .test = TESTED};
        kind->sizes(&view, &sizes);
        assert_int_equal(sizes.train, 2 * examples[i]);
        assert_int_equal(sizes.phases, 3);
        assert_int_equal(sizes.tasks, 1);
        assert_int_equal(sizes.test, TESTED);
        assert_int_equal(sizes.chunks, CHUNKS);
        assert_true(sizes.phases_hold_out);
        eg_settings_free(settings);
    }
}

static void assert_refused(eg_settings *settings, double holdout, const char *what)
{
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_view root = eg_settings_root(settings);
    eg_stream *stream = NULL;
    assert_fails(eg_stream_create(&stream, &root, data, 1, holdout), EG_INVALID, what);
    assert_null(stream);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void bad_settings(void **state)
{
    (void)state;
    assert_refused(SETTINGS("stream", "mega_batches", "stream.chunks", "24"), 0,
                   "stream.chunks = 24; expected at most 23, the training examples");
    assert_refused(STREAM("stream.wait", "6"), 0,
                   "stream.wait = 6; expected at most stream.chunks = 5");
    assert_refused(STREAM("stream.subset", "24"), 0,
                   "stream.subset = 24; expected at most 23, the training examples of the dataset");
    assert_refused(STREAM("stream.wait", "1"), 0.2,
                   "a share of 0.2 of a mega-batch is less than one example, so phase 3");
    assert_refused(STREAM("stream.augment_crop", "1"), 0, "stream.augment_crop = 1");
}

static void out_of_memory(void **state)
{
    (void)state;
    eg_dataset *data = numbered_dataset(CLASSES, train_counts, test_counts);
    eg_settings *settings = STREAM("stream.wait", "2");
    eg_view root = eg_settings_root(settings);
    size_t before = eg_memory_live_blocks();
    size_t failures = 0;
    eg_stream *stream = NULL;
    while (stream == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_stream_create(&stream, &root, data, 1, 0.25);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_true(failures > 8);
    eg_stream_free(stream);
    assert_int_equal(eg_memory_live_blocks(), before);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_have_chunks),
        cmocka_unit_test(sets_of_subsets),
        cmocka_unit_test(partition_has_its_own_seed),
        cmocka_unit_test(waits_for_all),
        cmocka_unit_test(order_is_keyed),
        cmocka_unit_test(training_is_augmented),
        cmocka_unit_test(sizes_are_those_of_the_stream),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
