/** Augmentation: a 4 x 4 image worked out by hand, the three operations one after the other on other shapes, and what
 *  presentations draw. */
#include "testing.h"

#include "data/shared/augmentation.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>
#include <string.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE };
static const eg_shape square = {SIDE, SIDE, 2};
static const double degree = 3.14159265358979323846 / 180;

/* Pixel (i, j) of channel c is 1 + 4 i + j + 100 c. */
static void check(const eg_augmentation *spec, eg_augment_draw draw, const double expected[PIXELS])
{
    eg_real in[2 * PIXELS];
    eg_real out[2 * PIXELS];
    for (size_t k = 0; k < 2 * (size_t)PIXELS; k++) {
        in[k] = (eg_real)(1 + k % PIXELS + 100 * (k / PIXELS));
        out[k] = -1;
    }
    eg_augment_apply(spec, &draw, square, in, out);
    for (size_t k = 0; k < PIXELS; k++) {
        assert_close((double)out[k], expected[k], 1e-7);
        bool pixel = expected[k] >= 1;
        assert_close((double)out[PIXELS + k], expected[k] + (pixel ? 100 : 0), 1e-7);
    }
}

static void test_nothing(void **state)
{
    (void)state;
    const eg_augmentation spec = {0};
    assert_false(eg_augmentation_active(&spec));
    check(&spec, (eg_augment_draw){0},
          (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
}

static void test_flip(void **state)
{
    (void)state;
    const eg_augmentation spec = {.flip = true};
    assert_true(eg_augmentation_active(&spec));
    check(&spec, (eg_augment_draw){.flipped = true},
          (const double[]){4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13});
}

/* Padded by one pixel, the image is
 *       6  5  6  7  8  7
 *       2  1  2  3  4  3
 *       6  5  6  7  8  7
 *      10  9 10 11 12 11
 *      14 13 14 15 16 15
 *      10  9 10 11 12 11 */
static void test_crop(void **state)
{
    (void)state;
    const eg_augmentation spec = {.crop = 1};
    check(&spec, (eg_augment_draw){.row = 0, .column = 0},
          (const double[]){6, 5, 6, 7, 2, 1, 2, 3, 6, 5, 6, 7, 10, 9, 10, 11});
    check(&spec, (eg_augment_draw){.row = 2, .column = 1},
          (const double[]){5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 9, 10, 11, 12});
    check(&spec, (eg_augment_draw){.row = 1, .column = 1},
          (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    /* By three pixels, as far as a mirror image goes: rows and columns 4, 3, 2, 1. */
    const eg_augmentation most = {.crop = 3};
    check(&most, (eg_augment_draw){.row = 0, .column = 0},
          (const double[]){16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
}

static void test_crop_of_constant_padding(void **state)
{
    (void)state;
    const eg_augmentation spec = {
        .crop = 1, .padding = EG_PADDING_CONSTANT, .padding_value = (eg_real)-1.9};
    const double p = -1.9;
    check(&spec, (eg_augment_draw){.row = 0, .column = 0},
          (const double[]){p, p, p, p, p, 1, 2, 3, p, 5, 6, 7, p, 9, 10, 11});
    check(&spec, (eg_augment_draw){.row = 2, .column = 1},
          (const double[]){5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, p, p, p, p});
}

/* At 90 degrees the right column becomes the top row. At 30, with cos 0.866 and sin 0.5, output (0, 1) has dx = -0.5
 * and dy = -1.5, and is seen at column 1.5 + 0.317 and row 1.5 - 1.549: pixel (0, 2). Output (0, 0) is seen at row
 * -0.549, outside. */
static void test_rotation(void **state)
{
    (void)state;
    const eg_augmentation spec = {.rotation = 90};
    check(&spec, (eg_augment_draw){.angle = 90 * degree},
          (const double[]){4, 8, 12, 16, 3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13});
    check(&spec, (eg_augment_draw){.angle = 180 * degree},
          (const double[]){16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
    check(&spec, (eg_augment_draw){.angle = 30 * degree},
          (const double[]){0, 3, 4, 0, 1, 6, 7, 12, 5, 10, 11, 16, 0, 13, 14, 0});
    /* The largest angle of incremental CIFAR-100 leaves so small an image as it is. */
    check(&spec, (eg_augment_draw){.angle = 15 * degree},
          (const double[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
}

/* Mirrored, its corner (0, 0) of the padded image is
 *       7  8  7  6
 *       3  4  3  2
 *       7  8  7  6
 *      11 12 11 10
 * and this is rotated as above. With constant padding that is its first row and column. */
static void test_all_three(void **state)
{
    (void)state;
    const eg_augment_draw draw = {.flipped = true, .angle = 30 * degree};
    const eg_augmentation spec = {.flip = true, .crop = 1, .rotation = 30};
    check(&spec, draw, (const double[]){0, 7, 6, 0, 7, 4, 3, 6, 3, 8, 7, 10, 0, 11, 12, 0});
    const eg_augmentation constant = {.flip = true,
                                      .crop = 1,
                                      .rotation = 30,
                                      .padding = EG_PADDING_CONSTANT,
                                      .padding_value = -3};
    check(&constant, draw, (const double[]){0, -3, -3, 0, -3, 4, 3, 6, -3, 8, 7, 10, 0, -3, 12, 0});
}

/* --- One operation after the other --------------------------------------------------------------------- */

static void flip_plainly(eg_shape shape, const eg_real *in, eg_real *out)
{
    for (size_t k = 0; k < eg_shape_size(shape); k++) {
        size_t j = k % shape.width;
        out[k] = in[k - j + shape.width - 1 - j];
    }
}

static long mirrored(long at, long last)
{
    return at < 0 ? -at : at > last ? 2 * last - at : at;
}

static void crop_plainly(const eg_augmentation *spec, const eg_augment_draw *draw, eg_shape shape,
                         const eg_real *in, eg_real *out)
{
    size_t pixels = shape.height * shape.width;
    for (size_t k = 0; k < eg_shape_size(shape); k++) {
        long last_row = (long)shape.height - 1;
        long last_column = (long)shape.width - 1;
        long i = (long)(k % pixels / shape.width + draw->row) - (long)spec->crop;
        long j = (long)(k % shape.width + draw->column) - (long)spec->crop;
        bool outside = i < 0 || j < 0 || i > last_row || j > last_column;
        size_t from =
            (size_t)(mirrored(i, last_row) * (long)shape.width + mirrored(j, last_column));
        out[k] = outside && spec->padding == EG_PADDING_CONSTANT ? spec->padding_value
                                                                 : in[k / pixels * pixels + from];
    }
}

static void rotate_plainly(double angle, eg_shape shape, const eg_real *in, eg_real *out)
{
    double row = ((double)shape.height - 1) / 2;
    double column = ((double)shape.width - 1) / 2;
    for (size_t c = 0; c < shape.channels; c++) {
        for (size_t i = 0; i < shape.height; i++) {
            for (size_t j = 0; j < shape.width; j++) {
                double dx = (double)j - column;
                double dy = (double)i - row;
                long x = lrint(cos(angle) * dx - sin(angle) * dy + column);
                long y = lrint(sin(angle) * dx + cos(angle) * dy + row);
                bool there = x >= 0 && y >= 0 && x < (long)shape.width && y < (long)shape.height;
                size_t plane = c * shape.height * shape.width;
                out[plane + i * shape.width + j] =
                    there ? in[plane + (size_t)(y * (long)shape.width + x)] : 0;
            }
        }
    }
}

static void check_against_plain(const eg_augmentation *spec, eg_shape shape, uint64_t presentation)
{
    size_t size = eg_shape_size(shape);
    eg_real *block[5];
    for (size_t b = 0; b < EG_COUNT(block); b++) {
        assert_ok(eg_alloc(&block[b], size, sizeof *block[b]));
    }
    for (size_t k = 0; k < size; k++) {
        block[0][k] = (eg_real)(k + 1);
    }
    eg_augment_draw draw = eg_augment_draw_for(spec, 7, 2, presentation);
    if (draw.flipped) {
        flip_plainly(shape, block[0], block[1]);
    } else {
        memcpy(block[1], block[0], size * sizeof *block[0]);
    }
    crop_plainly(spec, &draw, shape, block[1], block[2]);
    rotate_plainly(draw.angle, shape, block[2], block[3]);
    eg_augment(spec, shape, 7, 2, presentation, block[0], block[4]);
    assert_memory_equal(block[3], block[4], size * sizeof *block[0]);
    for (size_t b = 0; b < EG_COUNT(block); b++) {
        eg_free(block[b]);
    }
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    const eg_shape shapes[] = {{32, 32, 3}, {5, 8, 1}, {7, 67, 2}, {129, 130, 1}};
    for (size_t s = 0; s < EG_COUNT(shapes); s++) {
        for (uint64_t n = 0; n < 12; n++) {
            const eg_augmentation spec = {.flip = n % 2 == 0,
                                          .crop = n % 5,
                                          .padding =
                                              n % 3 == 0 ? EG_PADDING_CONSTANT : EG_PADDING_REFLECT,
                                          .padding_value = (eg_real)-1.9,
                                          .rotation = n % 4 == 3 ? 180 : 15};
            check_against_plain(&spec, shapes[s], n);
        }
    }
}

/* --- What is drawn ------------------------------------------------------------------------------------- */

static const eg_augmentation cifar = {.flip = true, .crop = 4, .rotation = 15};

static void test_draws_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 9000 };
    size_t rows[9] = {0};
    size_t columns[9] = {0};
    size_t flips = 0;
    double sum = 0;
    double largest = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        eg_augment_draw draw = eg_augment_draw_for(&cifar, 3, 0, n);
        assert_in_range(draw.row, 0, 8);
        assert_in_range(draw.column, 0, 8);
        assert_true(draw.angle >= 0 && draw.angle <= 15 * degree);
        rows[draw.row]++;
        columns[draw.column]++;
        flips += draw.flipped ? 1 : 0;
        sum += draw.angle / degree;
        largest = fmax(largest, draw.angle / degree);
    }
    /* Within five standard deviations: sqrt(1000 * 8/9) = 30, sqrt(9000)/2 = 47, 15/sqrt(12 * 9000) = 0.046. */
    for (size_t k = 0; k < 9; k++) {
        assert_in_range(rows[k], 850, 1150);
        assert_in_range(columns[k], 850, 1150);
    }
    assert_in_range(flips, 4500 - 237, 4500 + 237);
    assert_true(fabs(sum / DRAWS - 7.5) < 0.23);
    assert_true(largest > 14.9);
}

static void test_draws_have_keys(void **state)
{
    (void)state;
    const eg_augment_draw draw = eg_augment_draw_for(&cifar, 3, 1, 5);
    const eg_augment_draw same = eg_augment_draw_for(&cifar, eg_member_seed(3, 1), 0, 5);
    const eg_augment_draw others[] = {eg_augment_draw_for(&cifar, 4, 1, 5),
                                      eg_augment_draw_for(&cifar, 3, 0, 5),
                                      eg_augment_draw_for(&cifar, 3, 1, 6)};
    assert_true(draw.angle == same.angle && draw.row == same.row && draw.column == same.column);
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        assert_true(draw.angle != others[i].angle);
    }
}

/* Switching one operation off leaves the others as they were. */
static void test_operations_are_independent(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 20; n++) {
        const eg_augmentation no_crop = {.flip = true, .rotation = 15};
        const eg_augmentation only_crop = {.crop = 4};
        const eg_augment_draw draw = eg_augment_draw_for(&cifar, 3, 0, n);
        const eg_augment_draw a = eg_augment_draw_for(&no_crop, 3, 0, n);
        const eg_augment_draw b = eg_augment_draw_for(&only_crop, 3, 0, n);
        assert_true(a.flipped == draw.flipped && a.angle == draw.angle && a.row == 0 &&
                    a.column == 0);
        assert_true(!b.flipped && b.angle == 0 && b.row == draw.row && b.column == draw.column);
    }
}

static void check_settings(const char *crop, const char *padding, eg_shape shape, bool fits)
{
    static const eg_param params[] = {EG_AUGMENTATION_PARAMS};
    const eg_schema schema = {.root = params, .root_count = EG_COUNT(params)};
    const eg_assignment assignments[] = {{.name = "augment_flip", .value = "true"},
                                         {.name = "augment_crop", .value = crop},
                                         {.name = "augment_padding", .value = padding},
                                         {.name = "augment_padding_value", .value = "-1.5"},
                                         {.name = "augment_rotation", .value = "15"}};
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, &schema, assignments, EG_COUNT(assignments)));
    eg_view root = eg_settings_root(settings);
    eg_augmentation spec = eg_augmentation_make(&root);
    assert_true(spec.flip && spec.padding_value == -1.5 && spec.rotation == 15);
    assert_int_equal(spec.padding == EG_PADDING_CONSTANT, strcmp(padding, "constant") == 0);
    if (fits) {
        assert_ok(eg_augmentation_check(&root, shape));
    } else {
        assert_fails(eg_augmentation_check(&root, shape), EG_INVALID,
                     "augment_crop = 4: images of 9 x 4");
    }
    eg_settings_free(settings);
}

static void test_settings(void **state)
{
    (void)state;
    check_settings("4", "reflect", (eg_shape){9, 5, 3}, true);
    check_settings("4", "reflect", (eg_shape){9, 4, 3}, false);
    check_settings("4", "constant", (eg_shape){9, 4, 3}, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_flip),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_crop_of_constant_padding),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_all_three),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_draws_are_uniform),
        cmocka_unit_test(test_draws_have_keys),
        cmocka_unit_test(test_operations_are_independent),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
