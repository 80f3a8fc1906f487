/** Made-up classes: the formula, one example at a time; the same bytes in every process; what a nearest prototype makes
 *  of them. */
#include "data_settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE, FEATURES = 3 * PIXELS };

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    return setenv("TMPDIR", directory, 1);
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return unsetenv("TMPDIR");
}

static eg_dataset *open_made(const char *classes, const char *train, const char *clutter,
                             const char *seed)
{
    eg_settings *settings =
        SETTINGS("dataset", "synthetic_classes", "dataset.classes", classes, "dataset.train", train,
                 "dataset.test", "5", "dataset.clutter", clutter, "dataset.seed", seed);
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    eg_settings_free(settings);
    return data;
}

static void test_sizes(void **state)
{
    (void)state;
    eg_dataset *data = open_made("4", "20", "0.5", "0");
    assert_int_equal(data->shape.channels, 3);
    assert_int_equal(data->shape.height, SIDE);
    assert_int_equal(data->features, FEATURES);
    assert_int_equal(data->classes, 4);
    assert_int_equal(data->train.count, 80);
    assert_int_equal(data->test.count, 20);
    for (size_t i = 0; i < 80; i++) {
        assert_int_equal(data->train.label[i], i % 4);
    }
    assert_memory_not_equal(data->train.x, data->test.x, FEATURES);
    eg_dataset_free(data);
}

/* More examples of a class leave the first ones as they were; another seed gives other ones. */
static void test_examples_have_keys(void **state)
{
    (void)state;
    eg_dataset *few = open_made("4", "3", "0.5", "0");
    eg_dataset *many = open_made("4", "20", "0.5", "0");
    eg_dataset *other = open_made("4", "3", "0.5", "1");
    assert_memory_equal(few->train.x, many->train.x, (size_t)12 * FEATURES);
    assert_memory_equal(few->test.x, many->test.x, (size_t)20 * FEATURES);
    assert_memory_not_equal(few->train.x, other->train.x, FEATURES);
    eg_dataset_free(few);
    eg_dataset_free(many);
    eg_dataset_free(other);
}

/* `scale: standard` makes their numbers have mean 0 and deviation 1, within what six cosines per class leave to chance. */
static void test_moments(void **state)
{
    (void)state;
    eg_dataset *data = open_made("200", "3", "0.5", "0");
    double sum = 0;
    double squares = 0;
    size_t count = data->train.count * FEATURES;
    for (size_t i = 0; i < count; i++) {
        double value = (double)data->value[0][data->train.x[i]];
        sum += value;
        squares += value * value;
    }
    assert_true(fabs(sum / (double)count) < 0.01);
    assert_close(squares / (double)count, 1, 0.05);
    eg_dataset_free(data);
}

/* The mean of v over pixels y, x with a weight cos or sin of 2 pi (row y + column x)/32: its amplitude, squared. */
static double power(const uint8_t *x, size_t row, size_t column)
{
    double even = 0;
    double odd = 0;
    for (size_t i = 0; i < PIXELS; i++) {
        double angle =
            2 * 3.14159265358979 * (double)(row * (i / SIDE) + column * (i % SIDE)) / SIDE;
        double v = ((double)x[i] - 127.5) / 31.875;
        even += v * cos(angle);
        odd += v * sin(angle);
    }
    return 4 * (even * even + odd * odd) / ((double)PIXELS * PIXELS);
}

/* Without clutter all power but the noise's is at frequencies 1 to 6 in both directions, shifts or not, and an example
 * has the spectrum of its class times the square of a number in [0.7, 1.3). */
static void test_spectrum(void **state)
{
    (void)state;
    eg_dataset *data = open_made("3", "8", "0", "5");
    const double noise_power = 4 * 0.25 / PIXELS;
    for (size_t i = 0; i < data->train.count; i++) {
        const uint8_t *x = data->train.x + i * FEATURES;
        const uint8_t *first = data->train.x + i % 3 * FEATURES;
        double outside = power(x, 0, 0) + power(x, 0, 3) + power(x, 7, 7) + power(x, 9, 1);
        assert_true(outside < 40 * noise_power);
        double own = 0;
        double of_first = 0;
        double product = 0;
        for (size_t row = 1; row <= 6; row++) {
            for (size_t column = 1; column <= 6; column++) {
                double a = sqrt(power(x, row, column));
                double b = sqrt(power(first, row, column));
                own += a * a;
                of_first += b * b;
                product += a * b;
            }
        }
        double cosine = product / sqrt(own * of_first);
        double ratio = sqrt(own / of_first);
        assert_true(cosine > 0.97);
        assert_true(ratio > 0.7 / 1.3 * 0.9 && ratio < 1.3 / 0.7 * 1.1);
    }
    eg_dataset_free(data);
}

static double correlation(const uint8_t *a, const uint8_t *b, size_t down, size_t right)
{
    double sum = 0;
    for (size_t r = 0; r < (size_t)3 * SIDE; r++) {
        for (size_t j = 0; j < SIDE; j++) {
            size_t from = (r / SIDE * SIDE + (r + down) % SIDE) * SIDE + (j + right) % SIDE;
            sum += ((double)a[r * SIDE + j] - 127.5) * ((double)b[from] - 127.5);
        }
    }
    return sum;
}

/* Two examples of a class agree best after a shift of at most 8 rows and columns, and more than with another class. */
static void test_shifted_prototypes(void **state)
{
    (void)state;
    eg_dataset *data = open_made("6", "2", "0.5", "0");
    for (size_t i = 0; i < 6; i++) {
        double best = 0;
        size_t at = 0;
        for (size_t k = 0; k < 6; k++) {
            for (size_t s = 0; s < (size_t)17 * 17; s++) {
                double found =
                    correlation(data->train.x + i * FEATURES, data->train.x + (6 + k) * FEATURES,
                                SIDE - 8 + s / 17, SIDE - 8 + s % 17);
                if (found > best) {
                    best = found;
                    at = k;
                }
            }
        }
        assert_int_equal(at, i);
    }
    eg_dataset_free(data);
}

/* Bytes of today, so that they are those of tomorrow. */
static void test_known_bytes(void **state)
{
    (void)state;
    eg_dataset *data = open_made("4", "3", "0.5", "0");
    assert_int_equal(data->checksum, UINT64_C(0xb5d2fd5055e18a33));
    eg_dataset_free(data);
}

static void test_estimates(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("dataset", "synthetic_classes");
    eg_view root = eg_settings_root(settings);
    eg_view view = eg_view_inside(&root, "dataset");
    const eg_dataset_kind *kind =
        (const eg_dataset_kind *)(const void *)eg_view_component(&root, "dataset");
    size_t got[3];
    eg_shape shape;
    kind->sizes(&view, &got[0], &got[1], &shape, &got[2]);
    assert_int_equal(got[0], 600000);
    assert_int_equal(got[1], 100000);
    assert_int_equal(got[2], 1000);
    assert_int_equal(eg_shape_size(shape), FEATURES);
    eg_settings_free(settings);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_sizes),
        IN_DIRECTORY(test_examples_have_keys),
        IN_DIRECTORY(test_moments),
        IN_DIRECTORY(test_spectrum),
        IN_DIRECTORY(test_shifted_prototypes),
        IN_DIRECTORY(test_known_bytes),
        IN_DIRECTORY(test_estimates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
