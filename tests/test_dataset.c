/** Datasets: finding and checking files, values of bytes, limits, made-up data, the cache. */
#include "data_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, TRAIN = 12, TEST = 3, EXAMPLES_MAX = 16 };

static char directory[64];
static char start[1024];
static char real_files[1024]; /* where MNIST may be */

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    return getcwd(start, sizeof start) == NULL || unsetenv("ENGRAM_DATA") != 0;
}

static int remove_directory(void **state)
{
    (void)state;
    int failed = chdir(start) != 0 || unsetenv("ENGRAM_DATA") != 0;
    eg_test_remove(directory);
    return failed;
}

static void write_idx(const char *name, size_t rank, const size_t *dims, const unsigned char *data)
{
    unsigned char bytes[16 + EXAMPLES_MAX * PIXELS] = {0, 0, 8, (unsigned char)rank};
    size_t at = 4;
    size_t size = 1;
    for (size_t i = 0; i < rank; i++) {
        bytes[at + 2] = (unsigned char)(dims[i] >> 8);
        bytes[at + 3] = (unsigned char)(dims[i] & 255);
        at += 4;
        size *= dims[i];
    }
    assert_true(at + size <= sizeof bytes);
    memcpy(bytes + at, data, size);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    if (strstr(name, ".gz") == NULL) {
        eg_test_write_file(path, bytes, at + size);
        return;
    }
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)(at + size)), at + size);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Pixel p of image i is (i + p) mod 256, plus 100 for the test part; labels go round. */
static void write_images(const char *name, size_t count, size_t side, size_t offset)
{
    unsigned char data[EXAMPLES_MAX * PIXELS];
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < side * side; p++) {
            data[i * side * side + p] = (unsigned char)((i + p + offset) & 255);
        }
    }
    write_idx(name, 3, (const size_t[]){count, side, side}, data);
}

static void write_labels(const char *name, size_t count)
{
    unsigned char data[EXAMPLES_MAX];
    for (size_t i = 0; i < count; i++) {
        data[i] = (unsigned char)(i % 10);
    }
    write_idx(name, 1, &count, data);
}

/* A whole small MNIST in the four spellings that exist. */
static void write_all(void)
{
    write_images("train-images-idx3-ubyte", TRAIN, SIDE, 0);
    write_labels("train-labels-idx1-ubyte.gz", TRAIN);
    write_images("t10k-images.idx3-ubyte", TEST, SIDE, 100);
    write_labels("t10k-labels.idx1-ubyte.gz", TEST);
}

static void remove_file(const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(remove(path), 0);
}

static eg_dataset *open_ok(eg_settings *settings)
{
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    eg_settings_free(settings);
    return data;
}

static void open_fails(eg_settings *settings, const char *part)
{
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    size_t live = eg_memory_live_blocks();
    assert_fails(eg_dataset_open(&data, &root), EG_INVALID, part);
    assert_null(data);
    assert_int_equal(eg_memory_live_blocks(), live);
    eg_settings_free(settings);
}

static void assert_is_the_small_one(const eg_dataset *data)
{
    assert_int_equal(data->shape.channels, 1);
    assert_int_equal(data->shape.height, SIDE);
    assert_int_equal(data->shape.width, SIDE);
    assert_int_equal(data->features, PIXELS);
    assert_int_equal(data->classes, 10);
    assert_int_equal(data->train.count, TRAIN);
    assert_int_equal(data->test.count, TEST);
    assert_int_equal(data->train.x[11 * PIXELS + 300], (11 + 300) & 255);
    assert_int_equal(data->test.x[2 * PIXELS + 7], 109);
    assert_int_equal(data->train.label[11], 1);
    assert_int_equal(data->test.label[2], 2);
}

static void test_four_files(void **state)
{
    (void)state;
    write_all();
    eg_dataset *data = open_ok(SETTINGS("dataset", "mnist", "dataset.path", directory));
    assert_is_the_small_one(data);
    eg_dataset_free(data);
    eg_dataset_free(NULL);
}

/* (0/255 - .1307)/.3081 and so on, worked out by hand. */
static void test_values(void **state)
{
    (void)state;
    write_all();
    static const struct {
        const char *kind, *scale;
        double zero, half, full; /* bytes 0, 51 (one fifth), 255 */
    } rows[] = {
        {"mnist", "standard", -0.42421292, 0.22492697, 2.82148653},
        {"mnist", "unit", 0, 0.2, 1},
        {"mnist", "raw", 0, 51, 255},
        {"mnist", "symmetric", -2, -1.2, 2},
        {"fashion_mnist", "standard", -0.81019830, -0.24362606, 2.02266289},
        {"fashion_mnist", "unit", 0, 0.2, 1},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_dataset *data = open_ok(SETTINGS("dataset", rows[i].kind, "dataset.path", directory,
                                            "dataset.scale", rows[i].scale));
        assert_close((double)data->value[0][0], rows[i].zero, 1e-7);
        assert_close((double)data->value[0][51], rows[i].half, 1e-7);
        assert_close((double)data->value[0][255], rows[i].full, 1e-7);
        eg_dataset_free(data);
    }
}

static void test_limit(void **state)
{
    (void)state;
    write_all();
    static const struct {
        const char *limit;
        size_t train, test;
    } rows[] = {{"0", TRAIN, TEST}, {"1", 1, 1}, {"6", 6, 1}, {"12", 12, 2}, {"1000", TRAIN, TEST}};
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_dataset *data =
            open_ok(SETTINGS("dataset.path", directory, "dataset.limit", rows[i].limit));
        assert_int_equal(data->train.count, rows[i].train);
        assert_int_equal(data->test.count, rows[i].test);
        eg_dataset_free(data);
    }
}

static void test_where_it_looks(void **state)
{
    (void)state;
    char folder[128];
    (void)snprintf(folder, sizeof folder, "%s/data", directory);
    write_all();
    assert_int_equal(chdir(directory), 0);
    open_fails(SETTINGS("dataset", "mnist"),
               "no train-images-idx3-ubyte (nor train-images.idx3-ubyte, nor either with .gz) in "
               "data/mnist (the default; neither dataset.path nor ENGRAM_DATA is set), "
               "which does not exist; jobs/fetch-data.sh mnist gets the files");
    /* $ENGRAM_DATA/mnist, then data/mnist: links to where the files are. */
    assert_int_equal(symlink(".", "mnist"), 0);
    assert_int_equal(symlink(".", "data"), 0);
    eg_dataset *data = open_ok(SETTINGS("dataset", "mnist"));
    assert_is_the_small_one(data);
    eg_dataset_free(data);
    assert_int_equal(remove("data"), 0);
    assert_int_equal(setenv("ENGRAM_DATA", directory, 1), 0);
    data = open_ok(SETTINGS("dataset", "mnist"));
    assert_is_the_small_one(data);
    eg_dataset_free(data);
    open_fails(SETTINGS("dataset", "fashion_mnist"), "from the environment variable ENGRAM_DATA");
    /* The setting wins, and nothing else is tried. */
    open_fails(SETTINGS("dataset", "mnist", "dataset.path", "nowhere"),
               "in nowhere (the setting dataset.path)");
}

static void test_wrong_files(void **state)
{
    (void)state;
    write_all();
    remove_file("train-labels-idx1-ubyte.gz");
    open_fails(SETTINGS("dataset.path", directory), "no train-labels-idx1-ubyte");
    write_labels("train-labels-idx1-ubyte", TRAIN - 1);
    open_fails(SETTINGS("dataset.path", directory), "train-images-idx3-ubyte has 12 images but ");
    open_fails(SETTINGS("dataset.path", directory), "train-labels-idx1-ubyte has 11 labels");
    write_idx("train-labels-idx1-ubyte", 1, (const size_t[]){TRAIN},
              (const unsigned char[TRAIN]){1, 2, 3, 4, 10});
    open_fails(SETTINGS("dataset.path", directory),
               "train-labels-idx1-ubyte: label 10 of example 4; expected 0 to 9");
    write_labels("train-labels-idx1-ubyte", TRAIN);
    write_images("train-images-idx3-ubyte", TRAIN, 20, 0);
    open_fails(SETTINGS("dataset.path", directory),
               "train-images-idx3-ubyte: images of 20 x 20; expected 28 x 28 for mnist");
    write_images("train-images-idx3-ubyte", TRAIN, SIDE, 0);
    remove_file("t10k-images.idx3-ubyte");
    open_fails(SETTINGS("dataset.path", directory), "no t10k-images-idx3-ubyte");
    write_labels("t10k-images-idx3-ubyte", TEST);
    open_fails(SETTINGS("dataset.path", directory),
               "t10k-images-idx3-ubyte: wrong magic number 0x00000801");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    write_all();
    static const char *const kinds[] = {"mnist", "synthetic"};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        eg_settings *settings = SETTINGS("dataset", kinds[k], "dataset.path", directory);
        eg_view root = eg_settings_root(settings);
        size_t live = eg_memory_live_blocks();
        size_t failures = 0;
        for (;; failures++) {
            eg_dataset *data = NULL;
            eg_memory_fail_after(failures + 1);
            eg_status status = eg_dataset_open(&data, &root);
            eg_memory_fail_after(0);
            if (eg_is_ok(&status)) {
                eg_dataset_free(data);
                break;
            }
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(data);
            assert_int_equal(eg_memory_live_blocks(), live);
        }
        assert_true(failures >= 6); /* the dataset, its five blocks */
        assert_int_equal(eg_memory_live_blocks(), live);
        eg_settings_free(settings);
    }
}

static double squared_distance(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return sum;
}

/* Every channel has a mean near 0. */
static void test_synthetic_channels(void **state)
{
    (void)state;
    eg_dataset *data =
        open_ok(SETTINGS("dataset", "synthetic", "dataset.side", "6", "dataset.channels", "3"));
    assert_true(eg_shape_equal(data->shape, (eg_shape){6, 6, 3}));
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t i = 0; i < data->train.count * 36; i++) {
            sum += (double)data->value[c][data->train.x[i / 36 * 108 + c * 36 + i % 36]];
        }
        sum /= (double)data->train.count * 36;
        assert_true(sum < 0.15 && sum > -0.15);
    }
    eg_dataset_free(data);
}

/* Balanced, always the same, and so separable that the nearest training example has the class. */
static void test_synthetic(void **state)
{
    (void)state;
    eg_dataset *data = open_ok(SETTINGS("dataset", "synthetic", "dataset.examples", "90",
                                        "dataset.test_examples", "30", "dataset.classes", "6",
                                        "dataset.side", "5", "dataset.noise", "0.2"));
    eg_dataset *again = open_ok(SETTINGS("dataset", "synthetic", "dataset.examples", "90",
                                         "dataset.test_examples", "30", "dataset.classes", "6",
                                         "dataset.side", "5", "dataset.noise", "0.2"));
    assert_int_equal(data->features, 25);
    assert_int_equal(data->classes, 6);
    assert_int_equal(data->train.count, 90);
    assert_int_equal(data->test.count, 30);
    assert_memory_equal(data->train.x, again->train.x, (size_t)90 * 25);
    assert_memory_equal(data->test.x, again->test.x, (size_t)30 * 25);
    size_t counts[6] = {0};
    for (size_t i = 0; i < 90; i++) {
        assert_true(data->train.label[i] < 6);
        counts[data->train.label[i]]++;
    }
    for (size_t c = 0; c < 6; c++) {
        assert_int_equal(counts[c], 15);
    }
    for (size_t t = 0; t < 30; t++) {
        size_t nearest = 0;
        double least = 1e30;
        for (size_t i = 0; i < 90; i++) {
            double d = squared_distance(data->test.x + t * 25, data->train.x + i * 25, 25);
            assert_true(d > 0); /* noise, and not the same in both parts */
            if (d < least) {
                least = d;
                nearest = i;
            }
        }
        assert_int_equal(data->train.label[nearest], data->test.label[t]);
    }
    eg_dataset_free(data);
    eg_dataset_free(again);
}

static void assert_sizes(eg_settings *settings, size_t train, size_t test, size_t features,
                         size_t classes)
{
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "dataset");
    const eg_dataset_kind *kind =
        (const eg_dataset_kind *)(const void *)eg_view_component(&root, "dataset");
    size_t got[3];
    eg_shape shape;
    kind->sizes(&view, &got[0], &got[1], &shape, &got[2]);
    assert_int_equal(got[0], train);
    assert_int_equal(got[1], test);
    assert_int_equal(eg_shape_size(shape), features);
    assert_int_equal(got[2], classes);
    eg_settings_free(settings);
}

static void test_sizes(void **state)
{
    (void)state;
    assert_sizes(SETTINGS("dataset", "mnist"), 60000, 10000, 784, 10);
    assert_sizes(SETTINGS("dataset", "fashion_mnist", "dataset.limit", "600"), 600, 100, 784, 10);
    assert_sizes(SETTINGS("dataset", "synthetic", "dataset.side", "3", "dataset.classes", "4"), 600,
                 100, 9, 4);
    assert_sizes(SETTINGS("dataset", "synthetic", "dataset.limit", "30"), 30, 5, 64, 10);
    assert_sizes(SETTINGS("dataset", "cifar100"), 50000, 10000, 3072, 100);
    assert_sizes(SETTINGS("dataset", "cifar100", "dataset.labels", "coarse"), 50000, 10000, 3072,
                 20);
}

static void test_cache(void **state)
{
    (void)state;
    write_all();
    eg_settings *settings[] = {
        SETTINGS("dataset", "mnist", "dataset.path", directory),
        SETTINGS("dataset", "mnist", "dataset.path", directory, "stream", "iid"),
        SETTINGS("dataset", "mnist", "dataset.path", directory, "dataset.scale", "unit"),
        SETTINGS("dataset", "synthetic"),
        SETTINGS("dataset", "mnist", "dataset.path", "nowhere"),
    };
    size_t live = eg_memory_live_blocks();
    eg_dataset_cache *cache = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_dataset *data[4];
    for (size_t i = 0; i < 4; i++) {
        eg_view root = eg_settings_root(settings[i]);
        assert_ok(eg_dataset_cache_get(cache, &root, &data[i]));
    }
    assert_ptr_equal(data[0], data[1]); /* what is outside `dataset` does not matter */
    assert_ptr_not_equal(data[0], data[2]);
    assert_ptr_not_equal(data[0], data[3]);
    assert_close((double)data[2]->value[0][255], 1.0, 0);
    /* Another path is another dataset, though the path is no part of a trial's identity; what failed
     * is not kept. */
    eg_view elsewhere = eg_settings_root(settings[4]);
    for (size_t i = 0; i < 2; i++) {
        const eg_dataset *none = data[0];
        assert_fails(eg_dataset_cache_get(cache, &elsewhere, &none), EG_INVALID, "in nowhere");
        assert_null(none);
    }
    eg_view first = eg_settings_root(settings[0]);
    size_t kept = eg_memory_live_blocks();
    assert_ok(eg_dataset_cache_get(cache, &first, &data[1]));
    assert_ptr_equal(data[0], data[1]);
    assert_int_equal(eg_memory_live_blocks(), kept);
    eg_dataset_cache_free(cache);
    eg_dataset_cache_free(NULL);
    assert_int_equal(eg_memory_live_blocks(), live);
    for (size_t i = 0; i < EG_COUNT(settings); i++) {
        eg_settings_free(settings[i]);
    }
}

static void test_cache_out_of_memory(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("dataset", "synthetic");
    eg_view root = eg_settings_root(settings);
    eg_dataset_cache *cache = NULL;
    eg_memory_fail_after(1);
    assert_fails(eg_dataset_cache_create(&cache), EG_MEMORY, "");
    assert_null(cache);
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_dataset *data = NULL;
    size_t failures = 0;
    for (;; failures++) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_dataset_cache_get(cache, &root, &data);
        eg_memory_fail_after(0);
        if (eg_is_ok(&status)) {
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_null(data);
    }
    assert_true(failures >= 8); /* key, entries, and all of the dataset */
    assert_int_equal(data->train.count, 600);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

/* The published files, if they are where `engram` would find them from the top of the source tree. */
static void test_real_mnist(void **state)
{
    (void)state;
    static const size_t published[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    if (access(real_files, F_OK) != 0) {
        print_message("SKIPPED: no MNIST in %s; jobs/fetch-data.sh gets it\n", real_files);
        skip();
    }
    eg_dataset *data = open_ok(SETTINGS("dataset", "mnist", "dataset.path", real_files));
    assert_int_equal(data->train.count, 60000);
    assert_int_equal(data->test.count, 10000);
    size_t counts[10] = {0};
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < 60000; i++) {
        counts[data->train.label[i]]++;
        for (size_t p = 0; p < PIXELS; p++) {
            double x = (double)data->value[0][data->train.x[i * PIXELS + p]];
            sum += x;
            squares += x * x;
        }
    }
    assert_memory_equal(counts, published, sizeof counts);
    /* The constants of `scale` are the mean and deviation of these very pixels, to four digits. */
    double n = 60000.0 * PIXELS;
    assert_close(sum / n, 0, 2e-4);
    assert_close(squares / n, 1, 5e-4);
    eg_dataset_free(data);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const char *place = getenv("ENGRAM_DATA"); /* the tests change it */
    (void)snprintf(real_files, sizeof real_files, "%s/mnist",
                   place != NULL ? place : EG_SOURCE_DIR "/data");
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_four_files),
        IN_DIRECTORY(test_values),
        IN_DIRECTORY(test_limit),
        IN_DIRECTORY(test_where_it_looks),
        IN_DIRECTORY(test_wrong_files),
        IN_DIRECTORY(test_out_of_memory),
        cmocka_unit_test(test_synthetic),
        cmocka_unit_test(test_synthetic_channels),
        cmocka_unit_test(test_sizes),
        IN_DIRECTORY(test_cache),
        cmocka_unit_test(test_cache_out_of_memory),
        cmocka_unit_test(test_real_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
