/** CIFAR-10 and CIFAR-100: small files of their formats, plain and gzip, and everything that can be wrong with them. */
#include "data_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PLANE = 32 * 32, PICTURE = 3 * PLANE, RECORD = 1 + PICTURE, RECORDS_MAX = 4 };
enum { RECORD_100 = 2 + PICTURE };

static char directory[64];
static unsigned char bytes[RECORDS_MAX * RECORD_100];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    return unsetenv("ENGRAM_DATA");
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return unsetenv("ENGRAM_DATA");
}

static void path_of(char *out, size_t size, const char *name)
{
    assert_in_range(snprintf(out, size, "%s/%s", directory, name), 1, size - 1);
}

/* `size` of `bytes`, compressed if the name says so. */
static void write_bytes(const char *name, size_t size)
{
    char path[160];
    path_of(path, sizeof path, name);
    if (strstr(name, ".gz") == NULL) {
        eg_test_write_file(path, bytes, size);
        return;
    }
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

/* Examples first … first+count-1: the label of example i is 2 i, byte p of channel c is i + 50 c + p. */
static void write_examples(const char *name, size_t first, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        unsigned char *record = bytes + k * RECORD;
        record[0] = (unsigned char)(2 * (first + k));
        for (size_t i = 0; i < PICTURE; i++) {
            record[1 + i] = (unsigned char)((first + k + 50 * (i / PLANE) + i % PLANE) & 255);
        }
    }
    write_bytes(name, count * RECORD);
}

static void remove_file(const char *name)
{
    char path[160];
    path_of(path, sizeof path, name);
    assert_int_equal(remove(path), 0);
}

static eg_status open_with(eg_dataset **data, const char *scale)
{
    eg_settings *settings =
        SETTINGS("dataset", "cifar10", "dataset.path", directory, "dataset.scale", scale);
    eg_view root = eg_settings_root(settings);
    eg_status status = eg_dataset_open(data, &root);
    eg_settings_free(settings);
    return status;
}

static void refused(const char *part)
{
    eg_dataset *data = NULL;
    size_t live = eg_memory_live_blocks();
    assert_fails(open_with(&data, "unit"), EG_INVALID, part);
    assert_null(data);
    assert_int_equal(eg_memory_live_blocks(), live);
}

static void write_all(void)
{
    write_examples("data_batch_1.bin", 0, 3);
    write_examples("data_batch_2.bin.gz", 3, 1);
    write_examples("test_batch.bin.gz", 1, 2);
}

static void plain_and_gzip(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_all();
    assert_ok(open_with(&data, "standard"));
    assert_int_equal(data->shape.channels, 3);
    assert_int_equal(data->shape.height, 32);
    assert_int_equal(data->shape.width, 32);
    assert_int_equal(data->features, PICTURE);
    assert_int_equal(data->classes, 10);
    assert_int_equal(data->train.count, 4);
    assert_int_equal(data->test.count, 2);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(data->train.label[i], 2 * i);
        assert_int_equal(data->train.x[i * PICTURE], i);
        assert_int_equal(data->train.x[i * PICTURE + PLANE + 7], i + 57);
        assert_int_equal(data->train.x[i * PICTURE + PICTURE - 1], (i + 100 + 1023) & 255);
    }
    assert_int_equal(data->test.label[1], 4);
    assert_int_equal(data->test.x[PICTURE + 5], 7);
    /* (1 - 0.4914)/0.2470, (1 - 0.4822)/0.2435, (0 - 0.4465)/0.2616 */
    assert_close((double)data->value[0][255], 2.05911, 1e-5);
    assert_close((double)data->value[1][255], 2.12649, 1e-5);
    assert_close((double)data->value[2][0], -1.70680, 1e-5);
    eg_dataset_free(data);
}

/* Byte 3 p + c of a picture is channel c of pixel p; every channel has the mean and the deviation of all three
 * planes together. */
static void bytes_as_they_are(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_all();
    eg_settings *settings =
        SETTINGS("dataset", "cifar10", "dataset.path", directory, "dataset.layout", "asis");
    eg_view root = eg_settings_root(settings);
    assert_ok(eg_dataset_open(&data, &root));
    eg_settings_free(settings);
    for (size_t i = 0; i < PICTURE; i++) {
        size_t byte = 3 * (i % PLANE) + i / PLANE;
        assert_int_equal(data->train.x[PICTURE + i],
                         (1 + 50 * (byte / PLANE) + byte % PLANE) & 255);
    }
    /* By hand: mean (0.4914 + 0.4822 + 0.4465) / 3 = 0.473367; the squares of deviations and means sum up to
     * 0.862089, and 0.862089 / 3 - 0.473367^2 = 0.063287 = 0.251569^2. */
    const double mean = 0.473367;
    const double deviation = 0.251569;
    for (size_t c = 0; c < 3; c++) {
        assert_close((double)data->value[c][255], (1 - mean) / deviation, 1e-4);
        assert_close((double)data->value[c][0], -mean / deviation, 1e-4);
    }
    eg_dataset_free(data);
}

static void the_usual_folder(void **state)
{
    (void)state;
    write_all();
    eg_dataset *data = NULL;
    eg_settings *settings = SETTINGS("dataset", "cifar10");
    eg_view root = eg_settings_root(settings);
    assert_int_equal(setenv("ENGRAM_DATA", directory, 1), 0);
    eg_status status = eg_dataset_open(&data, &root);
    assert_fails(status, EG_INVALID, "no data_batch_1.bin or data_batch_1.bin.gz in");
    assert_fails(status, EG_INVALID, "/cifar10 (from the environment variable ENGRAM_DATA)");
    assert_fails(status, EG_INVALID, "jobs/fetch-data.sh cifar10 gets the files");
    eg_settings_free(settings);
}

static void missing_files(void **state)
{
    (void)state;
    write_all();
    remove_file("test_batch.bin.gz");
    refused("no test_batch.bin or test_batch.bin.gz");
    write_all();
    write_examples("data_batch_5.bin", 0, 1);
    refused("no data_batch_3.bin or data_batch_3.bin.gz");
    remove_file("data_batch_5.bin");
    remove_file("data_batch_1.bin");
    refused("no data_batch_1.bin");
}

static void wrong_files(void **state)
{
    (void)state;
    write_all();
    write_bytes("data_batch_1.bin", 2 * RECORD - 1);
    refused("data_batch_1.bin: 6145 bytes of data; expected a multiple of 3073");
    write_bytes("data_batch_1.bin", 0);
    refused("data_batch_1.bin: 0 bytes of data");
    write_all();
    write_bytes("test_batch.bin.gz", 5);
    refused("test_batch.bin.gz: 5 bytes of data");
    write_all();
    bytes[RECORD] = 10;
    write_bytes("test_batch.bin.gz", 2 * RECORD);
    refused("test_batch.bin.gz: label 10 of example 1; expected 0 to 9");
    /* A gzip file cut short. */
    write_all();
    char path[160];
    unsigned char head[60];
    path_of(path, sizeof path, "test_batch.bin.gz");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    assert_int_equal(fclose(file), 0);
    eg_test_write_file(path, head, sizeof head);
    refused("test_batch.bin.gz: truncated");
}

/* Two classes a task, 3072 numbers in a row: what the split stream makes of it. */
static void split_and_flat(void **state)
{
    (void)state;
    write_all();
    eg_dataset *data = NULL;
    eg_batch batch;
    assert_ok(open_with(&data, "raw"));
    eg_settings *settings = SETTINGS("dataset", "cifar10", "stream.partition", "[[0, 2], [4, 6]]");
    eg_cursor *cursor = cursor_of(settings, data, 1, 0.0, 4);
    assert_int_equal(cursor->stream->shape.features, PICTURE);
    assert_int_equal(cursor->stream->shape.input.channels, 3);
    eg_cursor_get(cursor, 1, 0, &batch);
    assert_int_equal(batch.size, 2);
    size_t first = batch.label[0] / 2;
    assert_int_equal(first + batch.label[1] / 2, 5);
    assert_true(batch.x[PLANE + 7] == (eg_real)(first + 57));
    cursor_free(cursor);
    eg_settings_free(settings);
    eg_dataset_free(data);
}

/* --- CIFAR-100 ----------------------------------------------------------------------------------------- */

/* Example i has coarse label 5 + i and fine label 90 + 3 i. */
static void write_examples_100(const char *name, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        unsigned char *record = bytes + k * RECORD_100;
        record[0] = (unsigned char)(5 + k);
        record[1] = (unsigned char)(90 + 3 * k);
        for (size_t i = 0; i < PICTURE; i++) {
            record[2 + i] = (unsigned char)((k + 50 * (i / PLANE) + i % PLANE) & 255);
        }
    }
    write_bytes(name, count * RECORD_100);
}

static eg_status open_100(eg_dataset **data, const char *labels, const char *path)
{
    eg_settings *settings =
        SETTINGS("dataset", "cifar100", "dataset.path", path, "dataset.labels", labels);
    eg_view root = eg_settings_root(settings);
    eg_status status = eg_dataset_open(data, &root);
    eg_settings_free(settings);
    return status;
}

static void both_labels(void **state)
{
    (void)state;
    write_examples_100("train.bin", 3);
    write_examples_100("test.bin.gz", 2);
    eg_dataset *data = NULL;
    assert_ok(open_100(&data, "fine", directory));
    assert_int_equal(data->classes, 100);
    assert_int_equal(data->train.count, 3);
    assert_int_equal(data->test.count, 2);
    assert_int_equal(data->train.label[2], 96);
    assert_int_equal(data->test.label[1], 93);
    assert_int_equal(data->train.x[2 * PICTURE], 2);
    assert_int_equal(data->test.x[PICTURE + PLANE + 7], 58);
    /* (1 - 0.5071)/0.2673, (1 - 0.4865)/0.2564, (0 - 0.4409)/0.2762 */
    assert_close((double)data->value[0][255], 1.84400, 1e-5);
    assert_close((double)data->value[1][255], 2.00273, 1e-5);
    assert_close((double)data->value[2][0], -1.59631, 1e-5);
    eg_dataset_free(data);
    assert_ok(open_100(&data, "coarse", directory));
    assert_int_equal(data->classes, 20);
    assert_int_equal(data->train.label[2], 7);
    assert_int_equal(data->train.x[2 * PICTURE], 2);
    eg_dataset_free(data);
}

static void wrong_files_100(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_examples_100("train.bin", 3);
    assert_fails(open_100(&data, "fine", directory), EG_INVALID,
                 "dataset cifar100: no test.bin or test.bin.gz in");
    write_bytes("test.bin", 2 * RECORD_100 - 1);
    assert_fails(open_100(&data, "fine", directory), EG_INVALID,
                 "test.bin: 6147 bytes of data; expected a multiple of 3074, two labels and");
}

static void labels_of_100(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_examples_100("train.bin.gz", 3);
    write_examples_100("test.bin", 1);
    bytes[1] = 100;
    write_bytes("test.bin", RECORD_100);
    assert_fails(open_100(&data, "fine", directory), EG_INVALID,
                 "test.bin: label 100 of example 0; expected 0 to 99");
    bytes[0] = 20;
    write_bytes("test.bin", RECORD_100);
    assert_fails(open_100(&data, "coarse", directory), EG_INVALID,
                 "test.bin: label 20 of example 0; expected 0 to 19");
}

/* A part of the real files, where there is one. */
static void real_files_100(void **state)
{
    (void)state;
    const char *folder = getenv("ENGRAM_TEST_CIFAR100");
    if (folder == NULL) {
        print_message("SKIPPED: ENGRAM_TEST_CIFAR100 names no folder with train.bin and test.bin "
                      "of CIFAR-100\n");
        skip();
        return;
    }
    eg_dataset *data = NULL;
    assert_ok(open_100(&data, "fine", folder));
    size_t counts[100] = {0};
    for (size_t i = 0; i < data->train.count; i++) {
        counts[data->train.label[i]]++;
    }
    for (size_t c = 0; c < 100; c++) {
        assert_int_equal(counts[c], data->train.count / 100);
    }
    /* Normalised with the published moments, they have a mean near 0 and a deviation near 1. */
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < data->train.count * PLANE; i++) {
            uint8_t byte = data->train.x[i / PLANE * PICTURE + c * PLANE + i % PLANE];
            double value = (double)data->value[c][byte];
            sum += value;
            squares += value * value;
        }
        double count = (double)(data->train.count * PLANE);
        assert_close(sum / count, 0, 0.02);
        assert_close(squares / count, 1, 0.02);
    }
    eg_dataset_free(data);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(plain_and_gzip),  IN_DIRECTORY(the_usual_folder),
        IN_DIRECTORY(missing_files),   IN_DIRECTORY(wrong_files),
        IN_DIRECTORY(split_and_flat),  IN_DIRECTORY(both_labels),
        IN_DIRECTORY(wrong_files_100), IN_DIRECTORY(labels_of_100),
        IN_DIRECTORY(real_files_100),  IN_DIRECTORY(bytes_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
