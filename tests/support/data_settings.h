/** Settings of datasets and streams alone, and made-up datasets whose rows say which example they are. */
#ifndef ENGRAM_DATA_SETTINGS_H
#define ENGRAM_DATA_SETTINGS_H

#include "words.h"

#include "engram/memory.h"
#include "engram/stream.h"

/** The settings "name", "value", …, NULL, completed with defaults; fails the test if they are wrong. */
static inline eg_settings *settings_of(const char *const *pairs)
{
    static const eg_param root[] = {
        {.name = "dataset",
         .type = EG_TYPE_COMPONENT,
         .default_text = "mnist",
         .family = "dataset"},
        {.name = "stream", .type = EG_TYPE_COMPONENT, .default_text = "split", .family = "stream"},
    };
    static const eg_family *const families[] = {&eg_dataset_family, &eg_stream_family};
    static const eg_schema schema = {root, EG_COUNT(root), families, EG_COUNT(families)};
    return settings_from(&schema, pairs);
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL, NULL})

/** A dataset with counts[c] training and test_counts[c] test examples of class c, classes taking turns.
 *  The two features of an example are the low and the high byte of its number; a byte is worth itself.
 *  Release with eg_dataset_free. */
static inline void numbered_examples(size_t classes, const size_t *counts, void **x_block,
                                     void **label_block, eg_examples *out)
{
    size_t total = 0;
    size_t left[128];
    assert_true(classes <= EG_COUNT(left));
    for (size_t c = 0; c < classes; c++) {
        left[c] = counts[c];
        total += counts[c];
    }
    uint8_t *x = NULL;
    uint16_t *label = NULL;
    assert_ok(eg_alloc(&x, total, 2));
    assert_ok(eg_alloc(&label, total, sizeof *label));
    size_t i = 0;
    while (i < total) {
        for (size_t c = 0; c < classes; c++) {
            if (left[c] > 0) {
                left[c]--;
                x[2 * i] = (uint8_t)(i & 255);
                x[2 * i + 1] = (uint8_t)(i >> 8);
                label[i++] = (uint16_t)c;
            }
        }
    }
    *x_block = x;
    *label_block = label;
    *out = (eg_examples){.count = total, .x = x, .label = label};
}

static inline eg_dataset *numbered_dataset(size_t classes, const size_t *counts,
                                           const size_t *test_counts)
{
    eg_dataset *data = NULL;
    assert_ok(eg_alloc(&data, 1, sizeof *data));
    data->shape = (eg_shape){1, 2, 1};
    data->features = 2;
    data->classes = classes;
    numbered_examples(classes, counts, &data->storage[0], &data->storage[1], &data->train);
    numbered_examples(classes, test_counts, &data->storage[2], &data->storage[3], &data->test);
    assert_ok(eg_alloc(&data->value, 1, sizeof *data->value));
    data->storage[4] = data->value;
    for (size_t b = 0; b < 256; b++) {
        data->value[0][b] = (eg_real)b;
    }
    return data;
}

/** The number of the example in row i of a batch over an unpermuted numbered dataset. */
static inline size_t number_of(const eg_batch *batch, size_t i)
{
    return (size_t)batch->x[2 * i] + 256 * (size_t)batch->x[2 * i + 1];
}

/** A cursor that reads minibatches and blocks of evaluations, on a stream of its own. */
static inline eg_cursor *cursor_of(const eg_settings *settings, const eg_dataset *data,
                                   uint64_t seed, double holdout, size_t block)
{
    eg_view root = eg_settings_root(settings);
    eg_stream *stream = NULL;
    eg_cursor *cursor = NULL;
    assert_ok(eg_stream_create(&stream, &root, data, seed, holdout));
    assert_ok(eg_cursor_open(&cursor, stream, &(eg_cursor_setup){.trains = true, .block = block}));
    return cursor;
}

/** Closes the cursor and frees its stream. */
static inline void cursor_free(eg_cursor *cursor)
{
    eg_stream *stream = (eg_stream *)(uintptr_t)cursor->stream;
    eg_cursor_close(cursor);
    eg_stream_free(stream);
}

#endif
