/** Streams of text: parts that are disjoint and together all blocks, sequences within blocks, passes, the
 *  arm of all mega-batches at once, and what does not fit. */
#include "data_settings.h"
#include "made_text.h"

#include <string.h>

enum { SIZE = 1010, SEQUENCES_MAX = 1000, BLOCK = 16 };

static char path[TEXT_PATH_SIZE];
static const char *directory;
static char text[SIZE + 1];

static int make_file(void **state)
{
    (void)state;
    directory = eg_test_directory();
    write_words(text, SIZE);
    write_text_file(path, directory, text, SIZE);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

/* 1010 characters in blocks of 50: 21 blocks, the last one of 10. Sequences of 8: six in a block, which
 * has 50 = 6*8 + 2, and one in the last. 21 blocks: 2 to test, 2 for validation, 17 in 4 mega-batches of
 * 5 4 4 4. */
enum { T = 8, LENGTH = 50, BLOCKS = 21, CHUNKS = 4, TESTED = 2, VALIDATED = 2 };

typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_dataset *data;
    eg_stream *stream;
    eg_cursor *cursor;
} scene;

static eg_status try_open(scene *s, uint64_t seed, double holdout, const char *const *more)
{
    const char *pairs[34] = {"dataset",          "text", "dataset.file", path,
                             "dataset.block",    "50",   "stream.batch", "3",
                             "dataset.sequence", "8",    "stream.steps", "7"};
    size_t count = 12;
    for (size_t i = 0; more[i] != NULL; i += 2) {
        size_t at = 0;
        while (at < count && strcmp(pairs[at], more[i]) != 0) {
            at += 2;
        }
        count = at < count ? count : count + 2;
        assert_true(count + 2 < EG_COUNT(pairs));
        pairs[at] = more[i];
        pairs[at + 1] = more[i + 1];
    }
    *s = (scene){.settings = settings_of(pairs)};
    s->root = eg_settings_root(s->settings);
    EG_TRY(eg_dataset_open(&s->data, &s->root));
    EG_TRY(eg_stream_create(&s->stream, &s->root, s->data, seed, holdout));
    return eg_cursor_open(&s->cursor, s->stream,
                          &(eg_cursor_setup){.trains = true, .block = BLOCK});
}

static void close_scene(scene *s)
{
    eg_cursor_close(s->cursor);
    eg_stream_free(s->stream);
    eg_dataset_free(s->data);
    eg_settings_free(s->settings);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})
#define OPEN(s, seed, holdout, ...) assert_ok(try_open(s, seed, holdout, WORDS(__VA_ARGS__)))

/* The block that sequence `number` of the text is of, and where it begins in the text. */
static size_t block_of(uint32_t number)
{
    return number / 6;
}

static size_t start_of(uint32_t number)
{
    return block_of(number) * LENGTH + number % 6 * T;
}

/* Rows of a batch are the sequences that it says, and labels are what comes next. */
static void check_rows(const scene *s, const eg_batch *batch)
{
    const uint32_t *id = s->data->text.id;
    assert_int_equal(batch->positions, T);
    assert_int_equal(eg_batch_rows(batch), batch->size * T);
    for (size_t b = 0; b < batch->size; b++) {
        const size_t start = start_of(batch->number[b]);
        assert_true(start + T < SIZE);
        assert_int_equal((start + T) / LENGTH, start / LENGTH); /* no sequence crosses a block */
        for (size_t t = 0; t < T; t++) {
            assert_true(batch->x[b * T + t] == (eg_real)id[start + t]);
            assert_int_equal(batch->label[b * T + t], id[start + t + 1]);
        }
    }
}

/* Marks the blocks of a subset in used[BLOCKS] with `mark`: none had one before. */
static size_t mark_set(const scene *s, eg_subset subset, int mark, int *used)
{
    const size_t count = eg_stream_count(s->stream, subset, 0);
    int seen[SEQUENCES_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        eg_batch batch;
        eg_cursor_examples(s->cursor, subset, 0, i, 1, &batch);
        check_rows(s, &batch);
        assert_int_equal(seen[batch.number[0]]++, 0);
        int *of = &used[block_of(batch.number[0])];
        assert_true(*of == 0 || *of == mark);
        *of = mark;
    }
    return count;
}

/* The same of the minibatches of a phase; returns the different sequences. */
static size_t mark_phase(const scene *s, size_t phase, int mark, int *used)
{
    const eg_phase about = eg_stream_phase(s->stream, phase);
    int seen[SEQUENCES_MAX] = {0};
    size_t different = 0;
    for (size_t step = 0; step < about.steps; step++) {
        eg_batch batch;
        eg_cursor_get(s->cursor, phase, step, &batch);
        check_rows(s, &batch);
        for (size_t b = 0; b < batch.size; b++) {
            different += seen[batch.number[b]]++ == 0;
            int *of = &used[block_of(batch.number[b])];
            assert_true(*of == 0 || *of == mark);
            *of = mark;
        }
    }
    return different;
}

static size_t count_marks(const int *used, int mark)
{
    size_t count = 0;
    for (size_t b = 0; b < BLOCKS; b++) {
        count += used[b] == mark;
    }
    return count;
}

static void parts_are_disjoint_and_together_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        scene s;
        int used[BLOCKS] = {0};
        static const size_t blocks[CHUNKS] = {5, 4, 4, 4};
        OPEN(&s, seed, 0.1, "stream", "text_mega_batches", "stream.steps", "30");
        const eg_stream_shape *shape = &s.stream->shape;
        assert_int_equal(shape->phases, CHUNKS);
        assert_int_equal(shape->chunks, CHUNKS);
        assert_int_equal(shape->tasks, 1);
        assert_int_equal(shape->positions, T);
        assert_int_equal(shape->outputs, 128);
        for (size_t p = 0; p < CHUNKS; p++) {
            const eg_phase about = eg_stream_phase(s.stream, p);
            assert_int_equal(about.steps, 30);
            assert_int_equal(about.examples, 90);
            assert_int_equal(about.arrived, p + 1);
            const size_t different = mark_phase(&s, p, (int)p + 1, used);
            assert_int_equal(count_marks(used, (int)p + 1), blocks[p]);
            /* 90 sequences are three passes: all of them came. Block 20 has one, others six. */
            assert_int_equal(different, 6 * blocks[p] - (used[20] == (int)p + 1 ? 5 : 0));
        }
        (void)mark_set(&s, EG_SUBSET_TEST, 10, used);
        (void)mark_set(&s, EG_SUBSET_VALIDATION, 11, used);
        assert_int_equal(count_marks(used, 10), TESTED);
        assert_int_equal(count_marks(used, 11), VALIDATED);
        assert_int_equal(count_marks(used, 0), 0);
        close_scene(&s);
    }
}

/* Every sequence comes once before any comes twice, and passes have orders of their own. */
static void passes(void **state)
{
    (void)state;
    scene s;
    enum { PASSES = 3 };
    OPEN(&s, 5, 0, "stream", "text_mega_batches", "stream.chunks", "1", "stream.batch", "10",
         "stream.steps", "40");
    int seen[SEQUENCES_MAX] = {0};
    uint32_t order[PASSES * 128] = {0};
    size_t count = 0;
    size_t shown = 0;
    int used[BLOCKS] = {0};
    count = mark_phase(&s, 0, 1, used);
    for (size_t step = 0; shown < PASSES * count; step++) {
        eg_batch batch;
        eg_cursor_get(s.cursor, 0, step, &batch);
        for (size_t b = 0; b < batch.size && shown < PASSES * count; b++, shown++) {
            assert_int_equal(seen[batch.number[b]]++, shown / count);
            order[shown] = batch.number[b];
        }
    }
    assert_true(memcmp(order, order + count, count * sizeof *order) != 0);
    /* A jump back shows the same again. */
    eg_batch batch;
    eg_cursor_get(s.cursor, 0, 1, &batch);
    for (size_t b = 0; b < batch.size; b++) {
        assert_int_equal(batch.number[b], order[batch.size + b]);
    }
    close_scene(&s);
}

/* The union of the first k mega-batches, through which passes go on over the ends of phases. */
static void all_at_once(void **state)
{
    (void)state;
    static const char *const firsts[] = {"0", "3", "1"};
    static const size_t phases[] = {CHUNKS, 3, 1};
    for (size_t f = 0; f < EG_COUNT(firsts); f++) {
        scene one, all;
        int used[BLOCKS] = {0};
        int together[BLOCKS] = {0};
        size_t different = 0;
        OPEN(&one, 9, 0.1, "stream", "text_mega_batches", "stream.steps", "30");
        OPEN(&all, 9, 0.1, "stream", "text_iid", "stream.first", firsts[f], "stream.steps", "30");
        assert_int_equal(all.stream->shape.phases, phases[f]);
        assert_int_equal(all.stream->shape.chunks, phases[f]);
        for (size_t p = 0; p < phases[f]; p++) {
            different += mark_phase(&one, p, (int)p + 1, used);
            assert_int_equal(eg_stream_phase(all.stream, p).arrived, p + 1);
        }
        int seen[SEQUENCES_MAX] = {0};
        size_t shown = 0;
        for (size_t p = 0; p < phases[f]; p++) {
            for (size_t step = 0; step < 30; step++) {
                eg_batch batch;
                eg_cursor_get(all.cursor, p, step, &batch);
                check_rows(&all, &batch);
                for (size_t b = 0; b < batch.size; b++, shown++) {
                    assert_int_equal(seen[batch.number[b]]++, shown / different);
                    together[block_of(batch.number[b])] = 1;
                }
            }
        }
        for (size_t b = 0; b < BLOCKS; b++) {
            assert_int_equal(together[b], used[b] != 0);
        }
        /* The same test set. */
        const size_t tested = eg_stream_count(one.stream, EG_SUBSET_TEST, 0);
        assert_int_equal(eg_stream_count(all.stream, EG_SUBSET_TEST, 0), tested);
        for (size_t i = 0; i < tested; i++) {
            eg_batch a, b;
            eg_cursor_examples(one.cursor, EG_SUBSET_TEST, 0, i, 1, &a);
            eg_cursor_examples(all.cursor, EG_SUBSET_TEST, 0, i, 1, &b);
            assert_int_equal(a.number[0], b.number[0]);
        }
        close_scene(&one);
        close_scene(&all);
    }
}

static size_t first_sequence(uint64_t seed, size_t member, const char *partition_seed)
{
    scene s;
    eg_batch batch;
    eg_cursor *other = NULL;
    OPEN(&s, seed, 0, "stream", "text_mega_batches", "stream.partition_seed", partition_seed);
    assert_ok(
        eg_cursor_open(&other, s.stream, &(eg_cursor_setup){.trains = true, .member = member}));
    eg_cursor_get(other, 0, 0, &batch);
    const size_t number = batch.number[0] * 1000000 + batch.number[1] * 1000 + batch.number[2];
    eg_cursor_close(other);
    close_scene(&s);
    return number;
}

/* Orders are the member's own, and the partition the seed's, or its own. */
static void seeds(void **state)
{
    (void)state;
    assert_int_equal(first_sequence(1, 0, "-1"), first_sequence(1, 0, "-1"));
    assert_int_equal(first_sequence(1, 0, "-1"), first_sequence(1, 0, "1"));
    assert_true(first_sequence(1, 0, "-1") != first_sequence(1, 1, "-1"));
    assert_true(first_sequence(1, 0, "-1") != first_sequence(2, 0, "-1"));
    assert_true(first_sequence(1, 0, "3") != first_sequence(1, 0, "4"));
}

/* Blocks of validation are kept whether the protocol looks at them or not. */
static void what_the_protocol_holds_out(void **state)
{
    (void)state;
    scene with, without;
    OPEN(&with, 2, 0.1, "stream", "text_mega_batches");
    OPEN(&without, 2, 0, "stream", "text_mega_batches");
    assert_true(eg_stream_count(with.stream, EG_SUBSET_VALIDATION, 0) > 0);
    assert_int_equal(eg_stream_count(without.stream, EG_SUBSET_VALIDATION, 0), 0);
    assert_int_equal(eg_stream_count(with.stream, EG_SUBSET_TRAINING, 0),
                     eg_stream_count(without.stream, EG_SUBSET_TRAINING, 0));
    assert_int_equal(eg_stream_set(with.stream, EG_SUBSET_VALIDATION, 3, 0), 0);
    close_scene(&with);
    close_scene(&without);
}

static void assert_refused(uint64_t seed, double holdout, const char *const *more,
                           const char *message)
{
    scene s;
    assert_fails(try_open(&s, seed, holdout, more), EG_INVALID, message);
    close_scene(&s);
}

/* Each kind of stream needs its kind of data. */
static void data_that_are_no_text(void **state)
{
    (void)state;
    eg_stream *stream = NULL;
    eg_dataset *data = NULL;
    eg_settings *of_text = SETTINGS("dataset", "text", "dataset.file", path, "stream", "iid");
    eg_settings *of_images = SETTINGS("dataset", "synthetic", "stream", "text_iid");
    eg_view root = eg_settings_root(of_text);
    assert_ok(eg_dataset_open(&data, &root));
    assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID,
                 "stream = iid is one of labelled examples, and dataset = text is a text");
    assert_fails(eg_stream_check_data(&root), EG_INVALID, "expected a stream such as text_mega");
    eg_dataset_free(data);
    root = eg_settings_root(of_images);
    assert_ok(eg_dataset_open(&data, &root));
    assert_fails(eg_stream_create(&stream, &root, data, 1, 0), EG_INVALID,
                 "stream = text_iid is one of a text, and dataset = synthetic is none");
    assert_fails(eg_stream_check_data(&root), EG_INVALID, "expected dataset = text");
    eg_dataset_free(data);
    eg_settings_free(of_text);
    eg_settings_free(of_images);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    const char *const seq = "text_mega_batches";
    assert_refused(1, 0, WORDS("stream", seq, "stream.chunks", "18"),
                   "the text has 21 blocks: 2 of them to be tested on, 2 for validation and 17 for "
                   "stream.chunks = 18 mega-batches");
    assert_refused(1, 0, WORDS("stream", seq, "stream.evaluation", "0.01"),
                   "the text has 21 blocks: 0 of them to be tested on");
    assert_refused(1, 0.2, WORDS("stream", seq),
                   "protocol.fraction = 0.2 and stream.validation = 0.1");
    assert_refused(1, 0, WORDS("stream", seq, "stream.epochs", "2"),
                   "stream.epochs: stream.steps says how long");
    assert_refused(1, 0, WORDS("stream", seq, "stream.order_file", "x.csv"), "stream.order_file");
    assert_refused(1, 0, WORDS("stream", "text_iid", "stream.first", "5"),
                   "stream.first = 5; expected at most stream.chunks = 4");
}

/* Wherever memory ends while a stream is made and a cursor is opened, all of it is released. */
static void out_of_memory(void **state)
{
    (void)state;
    scene s;
    OPEN(&s, 1, 0.1, "stream", "text_mega_batches");
    const size_t before = eg_memory_live_blocks();
    for (size_t n = 1;; n++) {
        eg_stream *stream = NULL;
        eg_cursor *cursor = NULL;
        eg_memory_fail_after(n);
        eg_status status = eg_stream_create(&stream, &s.root, s.data, 1, 0.1);
        if (status.code == EG_OK) {
            status =
                eg_cursor_open(&cursor, stream, &(eg_cursor_setup){.trains = true, .block = 4});
        }
        eg_memory_fail_after(0);
        eg_cursor_close(cursor);
        eg_stream_free(stream);
        assert_int_equal(eg_memory_live_blocks(), before);
        if (status.code == EG_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_disjoint_and_together_all),
        cmocka_unit_test(passes),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(seeds),
        cmocka_unit_test(what_the_protocol_holds_out),
        cmocka_unit_test(data_that_are_no_text),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
