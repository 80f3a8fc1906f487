/** Compressed minibatches: the same numbers as the dense ones, where the data are sparse. */
#include "data_settings.h"

#include "engram/random.h"
#include "stream/kept_rows.h"

#include <string.h>

/* Several blocks of columns and several channels, neither a multiple of the other. */
enum { SIDE = 11, CHANNELS = 3, FEATURES = CHANNELS * SIDE * SIDE, EXAMPLES = 12, EMPTY = 9 };

/* One byte in `period` is drawn, the others are EMPTY; the last example is all EMPTY. A byte b is
 * worth b/2 - 20, so the background is not 0, and drawn ones twice that in the last channel. */
static eg_dataset *made_up(size_t period)
{
    eg_dataset *data = NULL;
    uint8_t *x = NULL;
    uint16_t *label = NULL;
    assert_ok(eg_alloc(&data, 1, sizeof *data));
    assert_ok(eg_alloc(&x, EXAMPLES, FEATURES));
    assert_ok(eg_alloc(&label, EXAMPLES, sizeof *label));
    assert_ok(eg_alloc(&data->value, CHANNELS, sizeof *data->value));
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)EXAMPLES * FEATURES; i++) {
        bool drawn = i % period == 0 && i / FEATURES + 1 < EXAMPLES;
        x[i] = drawn ? (uint8_t)(10 + eg_rng_below(&rng, 200)) : EMPTY;
    }
    for (size_t b = 0; b < 256; b++) {
        eg_real number = (eg_real)b / 2 - 20;
        data->value[0][b] = data->value[1][b] = number;
        data->value[2][b] = b == EMPTY ? number : 2 * number;
    }
    for (size_t i = 0; i < EXAMPLES; i++) {
        label[i] = (uint16_t)(i % 2);
    }
    data->storage[0] = x;
    data->storage[1] = label;
    data->storage[4] = data->value;
    data->shape = (eg_shape){SIDE, SIDE, CHANNELS};
    data->features = FEATURES;
    data->classes = 2;
    data->background = EMPTY;
    data->density = 1.0 / (double)period;
    data->train = (eg_examples){.count = EXAMPLES, .x = x, .label = label};
    data->test = data->train;
    return data;
}

static eg_cursor *sparse_cursor(const char *kind, const eg_dataset *data)
{
    const char *const pairs[] = {"stream", kind, "stream.tasks", "2", "stream.batch", "5", NULL};
    const char *const online[] = {"stream",
                                  kind,
                                  "stream.tasks",
                                  "2",
                                  "stream.batch",
                                  "5",
                                  "stream.change_after",
                                  "12",
                                  "stream.evaluate",
                                  "true",
                                  NULL};
    const char *const plain[] = {"stream", kind, "stream.batch", "5", NULL};
    eg_settings *settings = settings_of(strcmp(kind, "iid") == 0               ? plain
                                        : strcmp(kind, "online_permuted") == 0 ? online
                                                                               : pairs);
    eg_cursor *cursor = cursor_of(settings, data, 3, 0.0, 7);
    eg_settings_free(settings);
    return cursor;
}

/** Background plus what is listed is x; returns the entries. */
static size_t check_batch(const eg_batch *batch)
{
    eg_real row[FEATURES];
    const eg_sparse *sparse = batch->sparse;
    assert_non_null(sparse);
    assert_int_equal(sparse->rows, batch->size);
    assert_int_equal(sparse->columns, FEATURES);
    assert_int_equal(sparse->start[0], 0);
    assert_true(sparse->background == (eg_real)EMPTY / 2 - 20);
    for (size_t r = 0; r < batch->size; r++) {
        for (size_t i = 0; i < FEATURES; i++) {
            row[i] = sparse->background;
        }
        for (size_t k = eg_sparse_row(sparse, r); k < eg_sparse_row(sparse, r + 1); k++) {
            assert_true(sparse->value[k] != 0);
            size_t block = sparse->column[k] / sparse->block;
            assert_in_range(k, sparse->start[r * sparse->blocks + block],
                            sparse->start[r * sparse->blocks + block + 1] - 1);
            row[sparse->column[k]] += sparse->value[k];
        }
        for (size_t i = 0; i < FEATURES; i++) {
            assert_close((double)row[i], (double)batch->x[r * FEATURES + i], 1e-5);
        }
    }
    return eg_sparse_row(sparse, batch->size);
}

static void the_same_numbers(void **state)
{
    (void)state;
    static const char *const kinds[] = {"iid", "split", "permuted", "online_permuted"};
    eg_dataset *data = made_up(3);
    size_t drawn = 0;
    for (size_t i = 0; i < (size_t)EXAMPLES * FEATURES; i++) {
        drawn += data->train.x[i] != EMPTY ? 1 : 0;
    }
    assert_true(drawn > 80);
    for (size_t kind = 0; kind < EG_COUNT(kinds); kind++) {
        eg_cursor *cursor = sparse_cursor(kinds[kind], data);
        size_t learned = 0;
        size_t evaluated = 0;
        eg_batch batch;
        for (size_t phase = 0; phase < cursor->stream->shape.phases; phase++) {
            for (size_t step = 0; step < eg_stream_steps(cursor->stream, phase); step++) {
                eg_cursor_get(cursor, phase, step, &batch);
                learned += check_batch(&batch);
            }
            size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TEST, phase);
            for (size_t first = 0; first < count; first += 7) {
                size_t size = count - first < 7 ? count - first : 7;
                eg_cursor_examples(cursor, EG_SUBSET_TEST, phase, first, size, &batch);
                evaluated += check_batch(&batch);
            }
        }
        size_t times = strstr(kinds[kind], "permuted") != NULL ? 2 : 1;
        assert_int_equal(learned, times * drawn);
        assert_int_equal(evaluated, times * drawn);
        cursor_free(cursor);
    }
    eg_dataset_free(data);
}

/** The numbers are not written twice for somebody who reads them once. */
static void sparse_only(void **state)
{
    (void)state;
    eg_dataset *sparse_data = made_up(3);
    eg_dataset *dense_data = made_up(2);
    eg_cursor *cursor = sparse_cursor("iid", sparse_data);
    eg_batch batch;
    eg_cursor_get(cursor, 0, 0, &batch);
    size_t entries = check_batch(&batch);
    cursor->setup.sparse_only = true;
    eg_cursor_get(cursor, 0, 0, &batch);
    assert_null(batch.x);
    assert_int_equal(eg_sparse_row(batch.sparse, batch.size), entries);
    cursor_free(cursor);
    cursor = sparse_cursor("iid", dense_data);
    cursor->setup.sparse_only = true;
    eg_cursor_get(cursor, 0, 0, &batch);
    assert_non_null(batch.x);
    cursor_free(cursor);
    eg_dataset_free(sparse_data);
    eg_dataset_free(dense_data);
}

static eg_cursor *epochs_cursor(const char *kind, const eg_dataset *data, bool sparse_only)
{
    const char *const pairs[] = {"stream", kind, "stream.batch", "5", "stream.epochs", "3", NULL};
    const char *const tasks[] = {
        "stream", kind, "stream.tasks", "2", "stream.batch", "5", "stream.epochs", "3", NULL};
    eg_settings *settings = settings_of(strcmp(kind, "iid") == 0 ? pairs : tasks);
    eg_cursor *cursor = cursor_of(settings, data, 3, 0.0, 7);
    eg_settings_free(settings);
    cursor->setup.sparse_only = sparse_only;
    return cursor;
}

static void assert_same_rows(const eg_sparse *a, const eg_sparse *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_true(a->background == b->background);
    for (size_t r = 0; r < a->rows; r++) {
        const uint32_t *from = a->start + r * a->stride;
        const uint32_t *of = b->start + r * b->stride;
        for (size_t k = 0; k <= a->blocks; k++) {
            assert_int_equal(from[k] - from[0], of[k] - of[0]);
        }
        size_t count = from[a->blocks] - from[0];
        assert_memory_equal(a->column + from[0], b->column + of[0], count * sizeof *a->column);
        assert_memory_equal(a->value + from[0], b->value + of[0], count * sizeof *a->value);
    }
}

/** Rows that were kept in the first epoch are what the bytes say in the others, too, whatever is
 *  evaluated in between. */
static void epochs_list_the_same(void **state)
{
    (void)state;
    static const char *const kinds[] = {"iid", "split", "permuted"};
    eg_dataset *data = made_up(3);
    for (size_t kind = 0; kind < EG_COUNT(kinds); kind++) {
        eg_cursor *kept = epochs_cursor(kinds[kind], data, true);
        eg_cursor *listed = epochs_cursor(kinds[kind], data, false);
        eg_batch batch;
        eg_batch expected;
        for (size_t phase = 0; phase < kept->stream->shape.phases; phase++) {
            for (size_t step = 0; step < eg_stream_steps(kept->stream, phase); step++) {
                eg_cursor_get(kept, phase, step, &batch);
                eg_cursor_get(listed, phase, step, &expected);
                assert_same_rows(batch.sparse, expected.sparse);
                assert_int_equal(batch.label[0], expected.label[0]);
                eg_cursor_examples(kept, EG_SUBSET_TEST, phase, 0, 2, &batch);
                eg_cursor_examples(listed, EG_SUBSET_TEST, phase, 0, 2, &expected);
                assert_same_rows(batch.sparse, expected.sparse);
            }
        }
        cursor_free(kept);
        cursor_free(listed);
    }
    eg_dataset_free(data);
}

/** Room for three rows: a fourth one of the same phase is not kept, and one of another phase drops
 *  them. Too many examples keep nothing. */
static void rows_are_dropped(void **state)
{
    (void)state;
    eg_sparse *from = NULL;
    eg_kept_rows kept;
    assert_ok(eg_sparse_create(&from, 2, 8));
    /* Row 0 has one entry, row 1 has (1, 5) and (2, 6). */
    from->rows = 2;
    from->start[1] = 1;
    from->start[2] = 3;
    for (uint32_t k = 0; k < 3; k++) {
        from->column[k] = k;
        from->value[k] = (eg_real)(4 + k);
    }
    assert_ok(eg_kept_rows_init(&kept, 10, 1, 2, 2.0));
    for (uint32_t example = 0; example < 4; example++) {
        assert_false(eg_kept_rows_have(&kept, 1, &example));
        eg_kept_rows_add(&kept, 0, example, 1, from);
        assert_true(eg_kept_rows_have(&kept, 1, &example) == (example < 3));
    }
    const uint32_t kept_ones[] = {2, 0};
    const uint32_t not_all[] = {2, 3};
    const uint32_t ninth = 9;
    assert_true(eg_kept_rows_have(&kept, 2, kept_ones));
    assert_false(eg_kept_rows_have(&kept, 2, not_all));
    uint32_t start[4];
    eg_sparse shown = {.start = start};
    eg_kept_rows_add(&kept, 0, 2, 0, from); /* it is kept: stays as it was */
    eg_kept_rows_show(&kept, 2, kept_ones, from, &shown);
    assert_int_equal(shown.rows, 2);
    assert_int_equal(shown.columns, 8);
    for (size_t r = 0; r < 2; r++) {
        size_t at = eg_sparse_row(&shown, r);
        assert_int_equal(eg_sparse_row_end(&shown, r), at + 2);
        assert_true(shown.column[at] == 1 && shown.column[at + 1] == 2);
        assert_true(shown.value[at] == 5 && shown.value[at + 1] == 6);
    }
    eg_kept_rows_add(&kept, 1, ninth, 1, from);
    assert_true(eg_kept_rows_have(&kept, 1, &ninth));
    assert_false(eg_kept_rows_have(&kept, 1, kept_ones));
    eg_kept_rows_clear(&kept);
    assert_ok(eg_kept_rows_init(&kept, 10, 1, EG_KEPT_ENTRIES_MAX, 1.0));
    eg_kept_rows_add(&kept, 1, 9, 1, from);
    assert_false(eg_kept_rows_have(&kept, 1, &ninth));
    eg_kept_rows_clear(&kept);
    eg_sparse_free(from);
}

static void dense_data_stay_dense(void **state)
{
    (void)state;
    eg_dataset *data = made_up(2);
    eg_cursor *cursor = sparse_cursor("iid", data);
    eg_batch batch;
    eg_cursor_get(cursor, 0, 0, &batch);
    assert_null(batch.sparse);
    cursor_free(cursor);
    eg_dataset_free(data);
}

static void datasets_know_their_background(void **state)
{
    (void)state;
    const char *const pairs[] = {"dataset", "synthetic", NULL};
    eg_settings *settings = settings_of(pairs);
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    size_t count[256] = {0};
    size_t bytes = data->train.count * data->features;
    for (size_t i = 0; i < bytes; i++) {
        count[data->train.x[i]]++;
    }
    for (size_t b = 0; b < 256; b++) {
        assert_true(count[b] <= count[data->background]);
    }
    assert_close(data->density, 1.0 - (double)count[data->background] / (double)bytes, 1e-12);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_numbers),      cmocka_unit_test(sparse_only),
        cmocka_unit_test(epochs_list_the_same),  cmocka_unit_test(rows_are_dropped),
        cmocka_unit_test(dense_data_stay_dense), cmocka_unit_test(datasets_know_their_background),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
