/** The order of examples from a file: what is walked is what the file says; what is wrong with it is named with its line. */
#include "data_settings.h"

#include "engram/trial.h"
#include "stream/order_file.h"

#include <stdio.h>
#include <string.h>

static char path[256];

static int enter(void **state)
{
    const char *directory = eg_test_directory();
    *state = (void *)(uintptr_t)directory;
    (void)snprintf(path, sizeof path, "%s/order.csv", directory);
    return 0;
}

static int leave(void **state)
{
    eg_test_remove(*state);
    return 0;
}

static void write_text(const char *text)
{
    eg_test_write_file(path, text, strlen(text));
}

static void test_read(void **state)
{
    (void)state;
    eg_order_file order;
    size_t size = 0;
    write_text("loss,phase,examples,more\r\n0.5,0,3 1 2,x\r\n,0,0,\r\n1,1,4 4,y\r\n");
    assert_ok(eg_order_file_read(&order, path));
    assert_int_equal(order.batches, 3);
    assert_int_equal(order.phases, 2);
    assert_int_equal(order.largest, 3);
    assert_true(order.phase[0] == 0 && order.phase[1] == 2 && order.phase[2] == 3);
    const uint32_t *number = eg_order_file_batch(&order, 0, &size);
    assert_true(size == 3 && number[0] == 3 && number[1] == 1 && number[2] == 2);
    number = eg_order_file_batch(&order, 2, &size);
    assert_true(size == 2 && number[0] == 4 && number[1] == 4);
    eg_order_file_clear(&order);
}

/** The hash is of what the file says. */
static void test_hash(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool same;
    } texts[] = {
        {"phase,examples\n0,1 2\n0,3\n1,4\n", true},
        {"examples,step,phase\r\n1 2,9,0\r\n3,8,0\r\n4,7,1", true},
        {"phase,examples\n0,1\n0,2 3\n1,4\n", false},
        {"phase,examples\n0,1 2\n1,3\n1,4\n", false},
        {"phase,examples\n0,2 1\n0,3\n1,4\n", false},
    };
    uint64_t first = 0;
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        eg_order_file order;
        uint64_t hash = 0;
        write_text(texts[i].text);
        assert_ok(eg_order_file_read(&order, path));
        assert_ok(eg_order_file_hash(&hash, &order));
        first = i == 0 ? hash : first;
        assert_int_equal(hash == first, texts[i].same);
        eg_order_file_clear(&order);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ":1: the first line must name the columns"},
        {"phase,number\n0,1\n", ":1: the first line must name the columns"},
        {"phase,examples\n", "no minibatch in it"},
        {"phase,examples\n0,1\n0\n", ":3: this line has fewer columns than the first, not \"0\""},
        {"phase,examples\n0,1,2\n", ":2: this line has more columns than the first"},
        {"phase,examples\n0,\n", ":2: a minibatch has at least one example"},
        {"phase,examples\n0,1  2\n", ":2: examples must be whole numbers with one blank"},
        {"phase,examples\n0,1 x2\n", ":2: examples must be whole numbers with one blank"},
        {"phase,examples\n0,-1\n", ":2: examples must be whole numbers with one blank"},
        {"phase,examples\n0,4294967296\n", ":2: examples must be whole numbers"},
        {"phase,examples\n0,1.5\n", "not \"1.5\""},
        {"phase,examples\na,1\n", ":2: phase must be a whole number, not \"a\""},
        {"phase,examples\n1,1\n", ":2: phase 1 comes first"},
        {"phase,examples\n0,1\n2,1\n", ":3: phase 2 comes after another one"},
        {"phase,examples\n0,1\n1,1\n0,1\n", ":4: phase 0 comes after another one"},
        {"phase,examples\n\n", ":2: "},
    };
    eg_order_file order;
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        write_text(cases[i].text);
        assert_fails(eg_order_file_read(&order, path), EG_INVALID, cases[i].words);
        eg_order_file_clear(&order);
    }
    assert_int_equal(remove(path), 0);
    assert_fails(eg_order_file_read(&order, path), EG_INVALID, "no such file");
}

/** Classes 0 and 1 have examples 0, 2, 4, 6 and 1, 3, 5, 7. */
static eg_status walk(eg_stream **out, const char *text, const char *epochs, double holdout)
{
    static const size_t counts[] = {4, 4};
    static eg_dataset *data;
    static eg_settings *settings;
    eg_dataset_free(data);
    eg_settings_free(settings);
    data = NULL;
    settings = NULL;
    if (text == NULL) {
        return eg_ok();
    }
    write_text(text);
    data = numbered_dataset(2, counts, counts);
    settings = SETTINGS("stream", "split", "stream.tasks", "2", "stream.epochs", epochs,
                        "stream.order_file", path);
    eg_view root = eg_settings_root(settings);
    return eg_stream_create(out, &root, data, 7, holdout);
}

static void test_walked(void **state)
{
    (void)state;
    static const char text[] = "phase,examples\n0,6 0\n0,2\n0,0 0 0\n0,4\n1,7\n1,1 3\n";
    static const size_t first[] = {6, 2, 0, 4, 7, 1};
    static const size_t sizes[] = {2, 1, 3, 1, 1, 2};
    eg_stream *stream = NULL;
    assert_ok(walk(&stream, text, "2", 0));
    assert_int_equal(stream->shape.batch, 3);
    eg_phase phase = eg_stream_phase(stream, 0);
    assert_true(phase.steps == 2 && phase.epochs == 2 && phase.examples == 3);
    eg_cursor *cursor = NULL;
    const eg_cursor_setup setup = {.trains = true, .block = 1};
    assert_ok(eg_cursor_open(&cursor, stream, &setup));
    for (size_t turn = 0; turn < 12; turn++) {
        size_t b = turn * 5 % 6; /* in any order */
        eg_batch batch;
        eg_cursor_get(cursor, b < 4 ? 0 : 1, b < 4 ? b : b - 4, &batch);
        assert_int_equal(batch.size, sizes[b]);
        assert_int_equal(number_of(&batch, 0), first[b]);
        assert_int_equal(batch.number[0], first[b]);
    }
    eg_cursor_close(cursor);
    eg_stream_free(stream);
    assert_ok(walk(NULL, NULL, NULL, 0));
}

static void test_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *epochs, *words;
        double holdout;
    } cases[] = {
        {"phase,examples\n0,0\n", "1", "has 1 phase; expected the 2 of the stream", 0},
        {"phase,examples\n0,0\n1,1\n", "2", "phase 0 has 1 minibatches; expected a multiple", 0},
        {"phase,examples\n0,0\n1,8\n", "1", ":3: example 8; expected 0 to 7", 0},
        {"phase,examples\n0,1\n1,1\n", "1", ":2: training example 1 is not one of phase 0", 0},
        {"phase,examples\n0,0 2 4 6\n1,1\n", "1", "or the protocol holds it out", 0.25},
    };
    eg_stream *stream = NULL;
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        assert_fails(walk(&stream, cases[i].text, cases[i].epochs, cases[i].holdout), EG_INVALID,
                     cases[i].words);
    }
    assert_ok(walk(NULL, NULL, NULL, 0));
}

/** The file's contents are part of a trial's id, its name is not. */
static void test_trial_id(void **state)
{
    (void)state;
    uint64_t ids[4];
    char other[300];
    static const char text[] = "phase,examples\n0,0\n";
    (void)snprintf(other, sizeof other, "%s.too", path);
    write_text(text);
    eg_test_write_file(other, text, strlen(text));
    const char *const files[] = {"", path, other, path};
    for (size_t i = 0; i < EG_COUNT(files); i++) {
        const eg_assignment given = {.name = "stream.order_file", .value = files[i]};
        eg_settings *settings = NULL;
        assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), &given, 1));
        if (i == 3) {
            write_text("phase,examples\n0,1\n");
        }
        assert_ok(eg_trial_id(&ids[i], settings, 1));
        eg_settings_free(settings);
    }
    assert_true(ids[0] != ids[1] && ids[1] == ids[2] && ids[3] != ids[1] && ids[3] != ids[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read, enter, leave),
        cmocka_unit_test_setup_teardown(test_hash, enter, leave),
        cmocka_unit_test_setup_teardown(test_refused, enter, leave),
        cmocka_unit_test_setup_teardown(test_walked, enter, leave),
        cmocka_unit_test_setup_teardown(test_does_not_fit, enter, leave),
        cmocka_unit_test_setup_teardown(test_trial_id, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
