/** Omniglot: which drawings are for what, how they are turned, and everything that can be wrong with a file. */
#include "data_settings.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, DRAWINGS = 9, CHARACTERS = 3 };

/* Labels of the file: three characters as they appear, 7, 2 and 5, of which the second has a drawing more. */
static const long long labels[DRAWINGS] = {7, 7, 2, 2, 5, 7, 2, 2, 5};
static const size_t later_of_5 = 8;

static char directory[64];
static char path[128];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    (void)snprintf(path, sizeof path, "%s/omniglot.h5", directory);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return setenv("TMPDIR", directory, 1) != 0 || unsetenv("ENGRAM_DATA") != 0;
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return unsetenv("TMPDIR") != 0 || unsetenv("ENGRAM_DATA") != 0;
}

/* What a file is to be like; zero: as it should be. */
typedef struct wanted {
    hsize_t side, labels;
    long long label; /* of the first drawing */
    bool no_images, bad_type;
} wanted;

static void write_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *extent,
                          hid_t memory, const void *data)
{
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(dataset >= 0);
    assert_true(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    (void)H5Dclose(dataset);
    (void)H5Sclose(space);
}

/* Byte (row, column) of drawing i is 20 i, but for 1 at (0, 1) and 2 at (3, 5). */
static void write_file(const wanted *like)
{
    static uint8_t x[DRAWINGS * PIXELS];
    long long label[DRAWINGS];
    for (size_t i = 0; i < DRAWINGS; i++) {
        memset(x + i * PIXELS, (int)(20 * i), PIXELS);
        x[i * PIXELS + 1] = 1;
        x[i * PIXELS + 3 * SIDE + 5] = 2;
    }
    memcpy(label, labels, sizeof label);
    label[0] = like->label != 0 ? like->label : label[0];
    const hsize_t extent[] = {DRAWINGS, 1, like->side != 0 ? like->side : SIDE, SIDE};
    const hsize_t count = like->labels != 0 ? like->labels : DRAWINGS;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    if (!like->no_images) {
        write_dataset(file, "images", like->bad_type ? H5T_STD_I8LE : H5T_STD_U8LE, 4, extent,
                      H5T_NATIVE_UCHAR, x);
    }
    write_dataset(file, "labels", H5T_STD_I64LE, 1, &count, H5T_NATIVE_LLONG, label);
    (void)H5Fclose(file);
}

static eg_settings *settings_with(const char *characters, const char *train, const char *rotations)
{
    return SETTINGS("dataset", "omniglot", "dataset.path", directory, "dataset.scale", "raw",
                    "dataset.characters", characters, "dataset.train_drawings", train,
                    "dataset.test_drawings", "1", "dataset.rotations", rotations);
}

static eg_status open_with(eg_dataset **data, const char *characters, const char *train,
                           const char *rotations)
{
    eg_settings *settings = settings_with(characters, train, rotations);
    eg_view root = eg_settings_root(settings);
    eg_status status = eg_dataset_open(data, &root);
    eg_settings_free(settings);
    return status;
}

/* The drawing that a row shows is told by its middle, which has no mark. */
static size_t drawing_of(const eg_examples *part, size_t row)
{
    return part->x[row * PIXELS + SIDE / 2 * SIDE + SIDE / 2] / 20;
}

static void drawings_as_they_are(void **state)
{
    (void)state;
    static const size_t train[] = {0, 2, 4}; /* the first one of every character */
    static const size_t test[] = {1, 3, 8};
    eg_dataset *data = NULL;
    write_file(&(wanted){.side = 0});
    assert_ok(open_with(&data, "3", "1", "false"));
    assert_int_equal(data->classes, CHARACTERS);
    assert_int_equal(data->features, PIXELS);
    assert_int_equal(data->train.count, CHARACTERS);
    assert_int_equal(data->test.count, CHARACTERS);
    for (size_t c = 0; c < CHARACTERS; c++) {
        assert_int_equal(data->train.label[c], c);
        assert_int_equal(data->test.label[c], c);
        assert_int_equal(drawing_of(&data->train, c), train[c]);
        assert_int_equal(drawing_of(&data->test, c), test[c]);
        assert_int_equal(data->train.x[c * PIXELS + 1], 1);
    }
    eg_dataset_free(data);
    /* Two drawings of the first two characters; of the second one more is left over. */
    assert_ok(open_with(&data, "2", "2", "false"));
    assert_int_equal(data->train.count, 4);
    assert_int_equal(drawing_of(&data->train, 1), 1);
    assert_int_equal(drawing_of(&data->train, 3), 3);
    assert_int_equal(drawing_of(&data->test, 0), 5);
    assert_int_equal(drawing_of(&data->test, 1), 6);
    eg_dataset_free(data);
}

/* (row, column) goes to (27 - column, row), four times around. */
static void drawings_turned(void **state)
{
    (void)state;
    static const size_t ones[4][2] = {{0, 1}, {26, 0}, {27, 26}, {1, 27}};
    static const size_t twos[4][2] = {{3, 5}, {22, 3}, {24, 22}, {5, 24}};
    eg_dataset *data = NULL;
    write_file(&(wanted){.side = 0});
    assert_ok(open_with(&data, "3", "1", "true"));
    assert_int_equal(data->train.count, 4 * CHARACTERS);
    for (size_t row = 0; row < data->train.count; row++) {
        const uint8_t *x = data->train.x + row * PIXELS;
        assert_int_equal(data->train.label[row], row / 4);
        assert_int_equal(x[ones[row % 4][0] * SIDE + ones[row % 4][1]], 1);
        assert_int_equal(x[twos[row % 4][0] * SIDE + twos[row % 4][1]], 2);
    }
    assert_int_equal(drawing_of(&data->test, 11), later_of_5);
    eg_dataset_free(data);
}

static void assert_refused(const char *characters, const char *train, const char *part)
{
    eg_dataset *data = NULL;
    size_t live = eg_memory_live_blocks();
    assert_fails(open_with(&data, characters, train, "true"), EG_INVALID, part);
    assert_null(data);
    assert_int_equal(eg_memory_live_blocks(), live);
}

static void too_few_drawings(void **state)
{
    (void)state;
    write_file(&(wanted){.side = 0});
    assert_refused("4", "1", "dataset.characters = 4; expected at most 3, the characters of ");
    assert_refused("3", "2",
                   "dataset.train_drawings = 2 and dataset.test_drawings = 1; character 2 (from 0) "
                   "of ");
    assert_refused("3", "2", "omniglot.h5 has 2 drawings, expected at most that in all");
}

static void wrong_files(void **state)
{
    (void)state;
    assert_refused("3", "1", "dataset omniglot: no omniglot.h5 in ");
    write_file(&(wanted){.side = 27});
    assert_refused("3", "1", "'/images' has images of 1 x 27 x 28; expected 1 x 28 x 28");
    write_file(&(wanted){.labels = 8});
    assert_refused("3", "1", "'/labels' has 8 labels for 9 images; expected as many");
    write_file(&(wanted){.label = -1});
    assert_refused("3", "1", "'/labels': label -1 of drawing 0; expected 0 to 65535");
    write_file(&(wanted){.no_images = true});
    assert_refused("3", "1", "has no dataset '/images'");
    write_file(&(wanted){.bad_type = true});
    assert_refused("3", "1", "'/images' does not hold unsigned bytes");
    eg_test_write_file(path, "no HDF5", 7);
    assert_refused("3", "1", "omniglot.h5: is not HDF5");
}

static void out_of_memory(void **state)
{
    (void)state;
    write_file(&(wanted){.side = 0});
    eg_settings *settings = settings_with("3", "1", "true");
    eg_view root = eg_settings_root(settings);
    size_t live = eg_memory_live_blocks();
    for (size_t failures = 0;; failures++) {
        eg_dataset *data = NULL;
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_dataset_open(&data, &root);
        eg_memory_fail_after(0);
        if (eg_is_ok(&status)) {
            assert_true(failures >= 10);
            eg_dataset_free(data);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_null(data);
        assert_int_equal(eg_memory_live_blocks(), live);
    }
    assert_int_equal(eg_memory_live_blocks(), live);
    eg_settings_free(settings);
}

/* A file of 242 characters of 20 drawings at least, where there is one. */
static void real_file(void **state)
{
    (void)state;
    const char *folder = getenv("ENGRAM_TEST_OMNIGLOT");
    if (folder == NULL) {
        print_message("SKIPPED: ENGRAM_TEST_OMNIGLOT names no folder with omniglot-small.h5\n");
        skip();
        return;
    }
    eg_settings *settings =
        SETTINGS("dataset", "omniglot", "dataset.path", folder, "dataset.file", "omniglot-small.h5",
                 "dataset.characters", "242", "stream", "omniglot_rotation");
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    eg_stream *stream = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    assert_int_equal(data->train.count, 242 * 15 * 4);
    assert_int_equal(data->test.count, 242 * 5 * 4);
    assert_ok(eg_stream_create(&stream, &root, data, 1, 0));
    assert_int_equal(stream->shape.tasks, 20);
    for (size_t t = 0; t < 20; t++) {
        assert_int_equal(eg_stream_phase(stream, t).examples, 720);
        assert_int_equal(eg_stream_count(stream, EG_SUBSET_TEST, t), 240);
    }
    eg_stream_free(stream);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(drawings_as_they_are), IN_DIRECTORY(drawings_turned),
        IN_DIRECTORY(too_few_drawings),     IN_DIRECTORY(wrong_files),
        IN_DIRECTORY(out_of_memory),        IN_DIRECTORY(real_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
