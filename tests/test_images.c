/** Images in HDF5: every storage gives the same examples, and everything that can be wrong with a file is said. */
#include "data_settings.h"

#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNELS = 2, HEIGHT = 3, WIDTH = 4, FEATURES = CHANNELS * HEIGHT * WIDTH };
enum { TRAIN = 6, TEST = 3, CLASSES = 5 };

typedef enum storage { CONTIGUOUS, COMPACT, CHUNKED, DEFLATED, SZIPPED, IN_OTHER_FILE } storage;

/* What a file is to be like; zero: as it should be. */
typedef struct wanted {
    storage storage;
    hid_t image_type, label_type; /* in the file; 0: bytes */
    int image_rank;
    size_t labels;   /* of the training part */
    long long label; /* of training example 2 */
    size_t names;
    bool no_group, no_images, no_labels, linked, moments, bad_std, even;
} wanted;

static char directory[64];
static char path[128];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    (void)snprintf(path, sizeof path, "%s/images.h5", directory);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return setenv("TMPDIR", directory, 1) != 0 || unsetenv("ENGRAM_DATA") != 0;
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return unsetenv("TMPDIR") != 0 || unsetenv("ENGRAM_DATA") != 0;
}

/* Byte k of example i: i + 40 c + k, the test part 100 more; channel 0 is 9 throughout in an even file. */
static uint8_t byte_of(size_t i, size_t k, bool test)
{
    return (uint8_t)(i + 40 * (k / (HEIGHT * WIDTH)) + k + (test ? 100 : 0));
}

static hid_t properties_of(storage kind)
{
    const hsize_t chunk[4] = {2, CHANNELS, HEIGHT, WIDTH};
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    switch (kind) {
    case CONTIGUOUS:
        break;
    case COMPACT:
        assert_true(H5Pset_layout(properties, H5D_COMPACT) >= 0);
        break;
    case CHUNKED:
    case DEFLATED:
    case SZIPPED:
        assert_true(H5Pset_chunk(properties, 4, chunk) >= 0);
        break;
    case IN_OTHER_FILE:
        assert_true(H5Pset_external(properties, "/etc/passwd", 0, H5F_UNLIMITED) >= 0);
        break;
    }
    if (kind == DEFLATED) {
        assert_true(H5Pset_shuffle(properties) >= 0 && H5Pset_deflate(properties, 6) >= 0);
    }
    if (kind == SZIPPED) {
        assert_true(H5Pset_scaleoffset(properties, H5Z_SO_INT, 0) >= 0);
    }
    return properties;
}

static void write_dataset(hid_t group, const char *name, hid_t type, int rank,
                          const hsize_t *extent, hid_t properties, hid_t memory, const void *data)
{
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    (void)H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    (void)H5Dclose(dataset);
    (void)H5Sclose(space);
}

static void write_part(hid_t file, const wanted *like, const char *name, size_t count, bool test)
{
    uint8_t x[TRAIN * FEATURES];
    long long label[TRAIN + 1] = {0};
    for (size_t i = 0; i < count * FEATURES; i++) {
        bool level = like->even && i % FEATURES < (size_t)HEIGHT * WIDTH;
        x[i] = level ? 9 : byte_of(i / FEATURES, i % FEATURES, test);
    }
    for (size_t i = 0; i < count; i++) {
        label[i] = (long long)(i % CLASSES);
    }
    label[2] = !test && like->label != 0 ? like->label : label[2];
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t extent[4] = {count, CHANNELS, HEIGHT, WIDTH};
    int rank = like->image_rank == 0 ? 4 : like->image_rank;
    hid_t properties = properties_of(like->storage);
    if (!like->no_images && like->linked) {
        assert_true(H5Lcreate_external("/etc/passwd", "/x", group, "images", H5P_DEFAULT,
                                       H5P_DEFAULT) >= 0);
    } else if (!like->no_images) {
        write_dataset(group, "images", like->image_type == 0 ? H5T_STD_U8LE : like->image_type,
                      rank, extent, properties, H5T_NATIVE_UCHAR, x);
    }
    const hsize_t labels = !test && like->labels != 0 ? like->labels : count;
    if (!like->no_labels) {
        write_dataset(group, "labels", like->label_type == 0 ? H5T_STD_U8LE : like->label_type, 1,
                      &labels, H5P_DEFAULT, H5T_NATIVE_LLONG, label);
    }
    (void)H5Pclose(properties);
    (void)H5Gclose(group);
}

static void write_attribute(hid_t file, const char *name, hid_t type, size_t count,
                            const void *values)
{
    hsize_t extent = count;
    hid_t space = H5Screate_simple(1, &extent, NULL);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    assert_true(H5Awrite(attribute, type, values) >= 0);
    (void)H5Aclose(attribute);
    (void)H5Sclose(space);
}

static void write_file(const wanted *like)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    write_part(file, like, "train", TRAIN, false);
    if (!like->no_group) {
        write_part(file, like, "test", TEST, true);
    }
    if (like->names > 0) {
        const char *names[8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
        hid_t text = H5Tcopy(H5T_C_S1);
        assert_true(H5Tset_size(text, H5T_VARIABLE) >= 0);
        write_attribute(file, "class_names", text, like->names, names);
        (void)H5Tclose(text);
    }
    if (like->moments) {
        const double mean[CHANNELS] = {0.25, 0.5};
        const double deviation[CHANNELS] = {0.125, like->bad_std ? 0 : 0.25};
        write_attribute(file, "mean", H5T_NATIVE_DOUBLE, CHANNELS, mean);
        write_attribute(file, "std", H5T_NATIVE_DOUBLE, CHANNELS, deviation);
    }
    assert_true(H5Fclose(file) >= 0);
}

static eg_settings *small_images(const char *scale)
{
    return SETTINGS("dataset", "images", "dataset.path", directory, "dataset.classes", "5",
                    "dataset.channels", "2", "dataset.height", "3", "dataset.width", "4",
                    "dataset.scale", scale);
}

static eg_status open_scaled(eg_dataset **data, const char *scale)
{
    eg_settings *settings = small_images(scale);
    eg_view root = eg_settings_root(settings);
    eg_status status = eg_dataset_open(data, &root);
    eg_settings_free(settings);
    return status;
}

static void check_opened(const eg_dataset *data)
{
    assert_int_equal(data->shape.channels, CHANNELS);
    assert_int_equal(data->shape.height, HEIGHT);
    assert_int_equal(data->shape.width, WIDTH);
    assert_int_equal(data->features, FEATURES);
    assert_int_equal(data->classes, CLASSES);
    assert_int_equal(data->train.count, TRAIN);
    assert_int_equal(data->test.count, TEST);
    for (size_t i = 0; i < (size_t)TRAIN * FEATURES; i++) {
        assert_int_equal(data->train.x[i], byte_of(i / FEATURES, i % FEATURES, false));
    }
    for (size_t i = 0; i < (size_t)TEST * FEATURES; i++) {
        assert_int_equal(data->test.x[i], byte_of(i / FEATURES, i % FEATURES, true));
    }
    for (size_t i = 0; i < TRAIN; i++) {
        assert_int_equal(data->train.label[i], i % CLASSES);
    }
    assert_int_equal(data->test.label[2], 2);
}

static void test_every_storage(void **state)
{
    (void)state;
    const wanted files[] = {
        {.storage = CONTIGUOUS},
        {.storage = CHUNKED, .label_type = H5T_STD_I64BE},
        {.storage = DEFLATED, .label_type = H5T_STD_U16LE, .names = CLASSES},
        {.storage = COMPACT, .label_type = H5T_STD_I8LE},
    };
    size_t live = eg_memory_live_blocks();
    uint64_t checksum = 0;
    for (size_t i = 0; i < EG_COUNT(files); i++) {
        eg_dataset *data = NULL;
        write_file(&files[i]);
        assert_ok(open_scaled(&data, "unit"));
        check_opened(data);
        assert_true(i == 0 || data->checksum == checksum);
        checksum = data->checksum;
        eg_dataset_free(data);
        assert_int_equal(eg_memory_live_blocks(), live);
    }
}

/* Two datasets of a compressed file are the same memory file; another file has another one. */
static void test_decompressed_once(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    eg_dataset *again = NULL;
    write_file(&(wanted){.storage = DEFLATED});
    assert_ok(open_scaled(&data, "unit"));
    assert_ok(open_scaled(&again, "unit"));
    struct stat info;
    assert_int_equal(stat(directory, &info), 0);
    char command[256];
    (void)snprintf(command, sizeof command, "test $(ls %s/engram-*.bytes | wc -l) = 2", directory);
    assert_int_equal(system(command), 0);
    check_opened(again);
    eg_dataset_free(again);
    check_opened(data);
    eg_dataset_free(data);
    assert_int_equal(remove(path), 0);
    write_file(&(wanted){.storage = DEFLATED, .even = true});
    assert_ok(open_scaled(&data, "unit"));
    assert_int_equal(data->train.x[5], 9);
    eg_dataset_free(data);
}

static void test_limit(void **state)
{
    (void)state;
    write_file(&(wanted){.storage = CONTIGUOUS});
    eg_settings *settings =
        SETTINGS("dataset", "images", "dataset.path", directory, "dataset.classes", "5",
                 "dataset.channels", "2", "dataset.height", "3", "dataset.width", "4",
                 "dataset.limit", "3", "dataset.scale", "unit");
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    assert_int_equal(data->train.count, 3);
    assert_int_equal(data->test.count, 1);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

/* From the file, else from all training images. */
static void test_moments(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_file(&(wanted){.moments = true});
    assert_ok(open_scaled(&data, "standard"));
    assert_close((double)data->value[0][255], (1 - 0.25) / 0.125, 1e-6);
    assert_close((double)data->value[1][0], -0.5 / 0.25, 1e-6);
    eg_dataset_free(data);
    write_file(&(wanted){.storage = CONTIGUOUS});
    assert_ok(open_scaled(&data, "standard"));
    for (size_t c = 0; c < CHANNELS; c++) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < (size_t)TRAIN * FEATURES; i++) {
            if (i % FEATURES / (HEIGHT * WIDTH) == c) {
                double value = (double)data->value[c][data->train.x[i]];
                sum += value;
                squares += value * value;
            }
        }
        assert_true(fabs(sum) < 1e-4);
        assert_close(squares / (TRAIN * HEIGHT * WIDTH), 1, 1e-5);
    }
    eg_dataset_free(data);
}

static void refused(const wanted *like, const char *part)
{
    eg_dataset *data = NULL;
    size_t live = eg_memory_live_blocks();
    write_file(like);
    eg_status status = open_scaled(&data, "standard");
    assert_fails(status, EG_INVALID, part);
    assert_fails(status, EG_INVALID, "/images.h5: ");
    assert_null(data);
    assert_int_equal(eg_memory_live_blocks(), live);
}

static void test_wrong_files(void **state)
{
    (void)state;
    refused(&(wanted){.no_group = true}, "has no group 'test'");
    refused(&(wanted){.no_images = true}, "has no dataset 'train/images'");
    refused(&(wanted){.no_labels = true}, "has no dataset 'train/labels'");
    refused(&(wanted){.image_rank = 3}, "'train/images' has 3 dimensions; expected 4");
    refused(&(wanted){.image_type = H5T_IEEE_F32LE}, "'train/images' does not hold unsigned bytes");
    refused(&(wanted){.image_type = H5T_STD_U16LE}, "'train/images' does not hold unsigned bytes");
    refused(&(wanted){.image_type = H5T_STD_I8LE}, "'train/images' does not hold unsigned bytes");
    refused(&(wanted){.label_type = H5T_IEEE_F64LE}, "'train/labels' does not hold integers");
    refused(&(wanted){.label = 5}, "'train/labels': label 5 of example 2; expected 0 to 4");
    refused(&(wanted){.label = -1, .label_type = H5T_STD_I32LE},
            "'train/labels': label -1 of example 2; expected 0 to 4");
    refused(&(wanted){.labels = 5}, "'train/labels' has 5 labels for 6 images; expected as many");
    refused(&(wanted){.labels = 7}, "'train/labels' has 7 labels for 6 images; expected as many");
    refused(&(wanted){.names = 4}, "attribute 'class_names' has 4 names; expected 5");
    refused(&(wanted){.linked = true}, "'images' is a link to somewhere else; refused");
    refused(&(wanted){.storage = IN_OTHER_FILE}, "the values of 'images' are in another file");
    refused(&(wanted){.storage = SZIPPED}, "'images' is stored with filter");
    refused(&(wanted){.moments = true, .bad_std = true},
            "attribute 'std' is not what it should be");
    refused(&(wanted){.even = true}, "channel 0 is the same in all training images");
}

static void test_other_shape(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    write_file(&(wanted){.storage = CONTIGUOUS});
    eg_settings *settings =
        SETTINGS("dataset", "images", "dataset.path", directory, "dataset.classes", "5");
    eg_view root = eg_settings_root(settings);
    eg_status status = eg_dataset_open(&data, &root);
    assert_fails(status, EG_INVALID,
                 "'train/images' has images of 2 x 3 x 4; expected 3 x 32 x 32");
    eg_settings_free(settings);
}

static void test_no_file(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_fails(open_scaled(&data, "unit"), EG_INVALID, "dataset images: no images.h5 in ");
    eg_test_write_file(path, "no HDF5 at all", 14);
    assert_fails(open_scaled(&data, "unit"), EG_INVALID, "/images.h5: is not HDF5");
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(open_scaled(&data, "unit"), EG_INVALID, "/images.h5: is not HDF5");
    assert_int_equal(rmdir(path), 0);
}

static size_t read_file(unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, size, file);
    assert_in_range(got, 1, size - 1);
    assert_int_equal(fclose(file), 0);
    return got;
}

/* Whatever is in a file, it is refused with words or opened. */
static void opens_or_says_why(void)
{
    eg_dataset *data = NULL;
    size_t live = eg_memory_live_blocks();
    eg_status status = open_scaled(&data, "symmetric");
    if (eg_is_ok(&status)) {
        unsigned sum = 0;
        for (size_t i = 0; i < data->train.count * FEATURES; i++) {
            sum += data->train.x[i];
        }
        for (size_t i = 0; i < data->train.count; i++) {
            sum += data->train.label[i];
            assert_true(data->train.label[i] < CLASSES);
        }
        assert_true(sum < UINT32_MAX);
        eg_dataset_free(data);
    } else {
        assert_true(status.code == EG_INVALID || status.code == EG_MEMORY);
        assert_non_null(strstr(status.message, "images.h5"));
        assert_null(data);
    }
    assert_int_equal(eg_memory_live_blocks(), live);
}

static unsigned char bytes[1 << 16];

static void test_truncated(void **state)
{
    (void)state;
    static const storage kinds[] = {CONTIGUOUS, DEFLATED};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        write_file(&(wanted){.storage = kinds[k], .names = CLASSES});
        size_t size = read_file(bytes, sizeof bytes);
        for (size_t cut = 1; cut < size; cut += eg_test_full() ? 97 : 3001) {
            eg_dataset *data = NULL;
            eg_test_write_file(path, bytes, size - cut);
            assert_fails(open_scaled(&data, "symmetric"), EG_INVALID, "images.h5: ");
        }
    }
}

static void test_flipped_bits(void **state)
{
    (void)state;
    static const storage kinds[] = {CONTIGUOUS, DEFLATED};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        write_file(&(wanted){.storage = kinds[k], .names = CLASSES, .moments = true});
        size_t size = read_file(bytes, sizeof bytes);
        size_t stride = eg_test_full() ? 1 : 487;
        for (size_t at = 0; at < size; at += stride) {
            const unsigned char kept = bytes[at];
            bytes[at] ^= (unsigned char)(at % 2 == 0 ? 0xff : 1U << (at / 2 % 8));
            eg_test_write_file(path, bytes, size);
            opens_or_says_why();
            bytes[at] = kept;
        }
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    write_file(&(wanted){.storage = DEFLATED, .moments = true});
    eg_settings *settings = small_images("standard");
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
            assert_int_equal(eg_memory_live_blocks(), live);
            break;
        }
        assert_int_equal(eg_memory_live_blocks(), live);
        assert_int_equal(status.code, EG_MEMORY);
        assert_null(data);
    }
    eg_settings_free(settings);
}

/* A file that another program has written, where there is one. */
static void test_real_file(void **state)
{
    (void)state;
    const char *folder = getenv("ENGRAM_TEST_IMAGES");
    if (folder == NULL) {
        print_message(
            "SKIPPED: ENGRAM_TEST_IMAGES names no folder with tiny-imagenet32-subset.h5\n");
        skip();
        return;
    }
    eg_settings *settings = SETTINGS("dataset", "images", "dataset.path", folder, "dataset.file",
                                     "tiny-imagenet32-subset.h5", "dataset.classes", "24");
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    assert_int_equal(data->train.count, 12000);
    assert_int_equal(data->test.count, 1200);
    assert_int_equal(data->train.label[11999], 23);
    assert_int_equal(data->test.label[50], 1);
    eg_dataset_free(data);
    eg_settings_free(settings);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_every_storage), IN_DIRECTORY(test_decompressed_once),
        IN_DIRECTORY(test_limit),         IN_DIRECTORY(test_moments),
        IN_DIRECTORY(test_wrong_files),   IN_DIRECTORY(test_other_shape),
        IN_DIRECTORY(test_no_file),       IN_DIRECTORY(test_truncated),
        IN_DIRECTORY(test_flipped_bits),  IN_DIRECTORY(test_out_of_memory),
        IN_DIRECTORY(test_real_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
