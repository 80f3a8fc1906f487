/** Permuted pixels: what is a permutation, whose it is, and that training and test share it. */
#include "data_settings.h"

#include <string.h>

enum { CHANNELS = 2, SIDE = 6, PIXELS = SIDE * SIDE, FEATURES = CHANNELS * PIXELS, EXAMPLES = 4 };

/* Pixel p of channel c has byte p in every example; a byte b of channel c is worth 100 c + b. So a row
 * of a batch is the permutation itself. */
static eg_dataset *pixels_as_values(void)
{
    eg_dataset *data = NULL;
    uint8_t *x = NULL;
    uint16_t *label = NULL;
    assert_ok(eg_alloc(&data, 1, sizeof *data));
    assert_ok(eg_alloc(&x, EXAMPLES, FEATURES));
    assert_ok(eg_alloc(&label, EXAMPLES, sizeof *label));
    assert_ok(eg_alloc(&data->value, CHANNELS, sizeof *data->value));
    for (size_t i = 0; i < (size_t)EXAMPLES * FEATURES; i++) {
        x[i] = (uint8_t)(i % PIXELS);
    }
    for (size_t i = 0; i < EXAMPLES; i++) {
        label[i] = (uint16_t)(i % 2);
    }
    for (size_t b = 0; b < 256; b++) {
        data->value[0][b] = (eg_real)b;
        data->value[1][b] = (eg_real)(100 + b);
    }
    data->storage[0] = x;
    data->storage[1] = label;
    data->storage[4] = data->value;
    data->shape = (eg_shape){SIDE, SIDE, CHANNELS};
    data->features = FEATURES;
    data->classes = 2;
    data->train = (eg_examples){.count = EXAMPLES, .x = x, .label = label};
    data->test = data->train;
    return data;
}

/* The permutation of a task as test examples show it, checked to be that of every row, part and
 * channel. */
static void permutation_of(eg_cursor *cursor, size_t task, size_t out[PIXELS])
{
    eg_batch batch;
    eg_cursor_examples(cursor, EG_SUBSET_TEST, task, 0, EXAMPLES, &batch);
    for (size_t p = 0; p < PIXELS; p++) {
        out[p] = (size_t)batch.x[p];
    }
    for (size_t part = 0; part < 2; part++) {
        for (size_t i = 0; i < batch.size; i++) {
            for (size_t p = 0; p < PIXELS; p++) {
                assert_int_equal((size_t)batch.x[i * FEATURES + p], out[p]);
                assert_int_equal((size_t)batch.x[i * FEATURES + PIXELS + p], 100 + out[p]);
            }
        }
        eg_cursor_get(cursor, task, 0, &batch);
    }
}

enum { TASKS = 5 };

static void permutations(const char *tasks, const char *first, uint64_t seed,
                         size_t out[TASKS][PIXELS])
{
    eg_dataset *data = pixels_as_values();
    eg_settings *settings =
        SETTINGS("stream", "permuted", "stream.tasks", tasks, "stream.first", first);
    eg_cursor *cursor = cursor_of(settings, data, seed, 0, EXAMPLES);
    assert_int_equal(cursor->stream->shape.outputs, 2);
    assert_int_equal(cursor->stream->shape.tasks, cursor->stream->shape.phases);
    assert_true(cursor->stream->shape.tasks_are_phases);
    for (size_t t = 0; t < TASKS; t++) {
        assert_int_equal(eg_stream_count(cursor->stream, EG_SUBSET_TEST, t), EXAMPLES);
        permutation_of(cursor, t, out[t]);
    }
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

static void test_bijections(void **state)
{
    (void)state;
    size_t drawn[TASKS][PIXELS];
    permutations("5", "permuted", 1, drawn);
    for (size_t t = 0; t < TASKS; t++) {
        size_t seen[PIXELS] = {0};
        size_t moved = 0;
        for (size_t p = 0; p < PIXELS; p++) {
            assert_true(drawn[t][p] < PIXELS);
            seen[drawn[t][p]]++;
            moved += drawn[t][p] != p;
        }
        for (size_t p = 0; p < PIXELS; p++) {
            assert_int_equal(seen[p], 1);
        }
        assert_true(moved > PIXELS / 2);
        for (size_t s = 0; s < t; s++) {
            assert_memory_not_equal(drawn[s], drawn[t], sizeof drawn[t]);
        }
    }
}

static void test_keyed_by_seed_and_task(void **state)
{
    (void)state;
    size_t drawn[TASKS][PIXELS];
    size_t longer[TASKS][PIXELS];
    size_t other[TASKS][PIXELS];
    permutations("5", "permuted", 1, drawn);
    permutations("9", "permuted", 1, longer); /* how many follow does not matter */
    permutations("5", "permuted", 2, other);
    assert_memory_equal(drawn, longer, sizeof drawn);
    for (size_t t = 0; t < TASKS; t++) {
        assert_memory_not_equal(drawn[t], other[t], sizeof drawn[t]);
    }
}

static void test_first_identity(void **state)
{
    (void)state;
    size_t drawn[TASKS][PIXELS];
    size_t identity[TASKS][PIXELS];
    permutations("5", "permuted", 1, drawn);
    permutations("5", "identity", 1, identity);
    for (size_t p = 0; p < PIXELS; p++) {
        assert_int_equal(identity[0][p], p);
    }
    assert_memory_equal(drawn[1], identity[1], (TASKS - 1) * sizeof drawn[1]);
}

/* All phases have all examples, each phase in an order of its own. */
static void test_examples_of_phases(void **state)
{
    (void)state;
    static const size_t counts[] = {20, 20};
    eg_dataset *data = numbered_dataset(2, counts, counts);
    eg_settings *settings = SETTINGS("stream", "permuted", "stream.tasks", "3", "stream.batch",
                                     "40", "stream.first", "identity");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0, 40);
    uint32_t labels[3][40];
    for (size_t phase = 0; phase < 3; phase++) {
        size_t seen[40] = {0};
        eg_batch batch;
        assert_int_equal(eg_stream_steps(cursor->stream, phase), 1);
        eg_cursor_get(cursor, phase, 0, &batch);
        assert_int_equal(batch.size, 40);
        for (size_t i = 0; i < 40; i++) {
            /* Numbers below 256 sit in one of the two features, wherever it went; the other is 0. */
            seen[(size_t)(batch.x[2 * i] + batch.x[2 * i + 1])]++;
        }
        for (size_t i = 0; i < 40; i++) {
            assert_int_equal(seen[i], 1);
        }
        memcpy(labels[phase], batch.label, sizeof labels[phase]);
    }
    assert_memory_not_equal(labels[0], labels[1], sizeof labels[0]);
    assert_memory_not_equal(labels[1], labels[2], sizeof labels[0]);
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bijections),
        cmocka_unit_test(test_keyed_by_seed_and_task),
        cmocka_unit_test(test_first_identity),
        cmocka_unit_test(test_examples_of_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
