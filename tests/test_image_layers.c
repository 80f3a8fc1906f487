/** Layers of images without parameters, in double: cases worked out by hand, and gradients. */
#include "one_layer.h"

#include "nn/layers.h"

#include <math.h>

static void set(eg_real *to, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = (eg_real)values[i];
    }
}

static void assert_values(const eg_real *is, const double *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_close((double)is[i], wanted[i], 1e-12);
    }
}

#define SET(to, ...)                                                                               \
    set(to, (const double[]){__VA_ARGS__}, EG_COUNT(((const double[]){__VA_ARGS__})))
#define ASSERT_VALUES(is, ...)                                                                     \
    assert_values(is, (const double[]){__VA_ARGS__}, EG_COUNT(((const double[]){__VA_ARGS__})))

/* Two images of 1 x 2 places and 3 channels. */
static void orders_of_numbers(void **state)
{
    (void)state;
    one_layer one;
    eg_layer layer;
    eg_layer_image_order(&layer, (eg_shape){1, 2, 3});
    one_layer_init(&one, layer, 2);
    SET(one.x, 1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 1, 10, 100, 2, 20, 200, 3, 30, 300, 4, 40, 400);
    memcpy(one.dy, one.y, 12 * sizeof *one.y);
    one_layer_backward(&one);
    assert_memory_equal(one.dx, one.x, 12 * sizeof *one.x);
    one_layer_clear(&one);

    eg_layer_flatten(&layer, (eg_shape){1, 2, 3});
    assert_true(eg_shape_equal(layer.out, eg_shape_vector(6)));
    one_layer_init(&one, layer, 2);
    SET(one.x, 1, 10, 100, 2, 20, 200, 3, 30, 300, 4, 40, 400);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400);
    memcpy(one.dy, one.y, 12 * sizeof *one.y);
    one_layer_backward(&one);
    assert_memory_equal(one.dx, one.x, 12 * sizeof *one.x);
    one_layer_clear(&one);
}

static void take_max_pool(one_layer *one, eg_shape in, const eg_pool *spec)
{
    eg_layer layer;
    assert_ok(eg_layer_max_pool(&layer, in, spec));
    one_layer_init(one, layer, 1);
}

/* 5 x 5 in windows of 2 x 2: the last row and column are seen by none, as in 2 of 5. Ties: the first
 * in row-major order; all of the first window's numbers are equal. */
static void maximum_of_odd_sizes_and_ties(void **state)
{
    (void)state;
    const eg_pool spec = {.height = 2, .width = 2, .stride = 2};
    one_layer one;
    take_max_pool(&one, (eg_shape){5, 5, 1}, &spec);
    assert_true(eg_shape_equal(one.layer.out, (eg_shape){2, 2, 1}));
    SET(one.x, 7, 7, 1, 2, 9, 7, 7, 2, 0, 9, -5, -4, 0, 0, 9, -4, -6, 0, 3, 9, 9, 9, 9, 9, 9);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 7, 2, -4, 3);
    SET(one.dy, 1, 2, 3, 4);
    one_layer_backward(&one);
    ASSERT_VALUES(one.dx, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0,
                  0);
    one_layer_clear(&one);
}

/* Windows of 3 x 3 with stride 2 over 4 x 4, padded below and right: 2 x 2 outputs, and what is padded
 * never wins over negative numbers. The 9 in the middle wins in all four windows. */
static void maximum_padded_at_one_side(void **state)
{
    (void)state;
    const eg_pool spec = {.height = 3, .width = 3, .stride = 2, .after = 1};
    one_layer one;
    take_max_pool(&one, (eg_shape){4, 4, 1}, &spec);
    assert_true(eg_shape_equal(one.layer.out, (eg_shape){2, 2, 1}));
    SET(one.x, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15, -16);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, -1, -3, -9, -11);
    one.x[10] = 9;
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 9, 9, 9, 9);
    SET(one.dy, 1, 2, 4, 8);
    one_layer_backward(&one);
    for (size_t i = 0; i < 16; i++) {
        assert_close((double)one.dx[i], i == 10 ? 15 : 0, 1e-12);
    }
    one_layer_clear(&one);
}

/* Padded at both sides, two channels: 3 x 3 windows, stride 2, of 3 x 3 places. */
static void maximum_padded_at_both_sides(void **state)
{
    (void)state;
    const eg_pool spec = {.height = 3, .width = 3, .stride = 2, .before = 1, .after = 1};
    one_layer one;
    take_max_pool(&one, (eg_shape){3, 3, 2}, &spec);
    assert_true(eg_shape_equal(one.layer.out, (eg_shape){2, 2, 2}));
    for (size_t p = 0; p < 9; p++) {
        one.x[2 * p] = (eg_real)p;
        one.x[2 * p + 1] = -(eg_real)p;
    }
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 4, 0, 5, -1, 7, -3, 8, -4);
    SET(one.dy, 1, 10, 2, 20, 3, 30, 4, 40);
    one_layer_backward(&one);
    ASSERT_VALUES(one.dx, 0, 10, 0, 20, 0, 0, 0, 30, 1, 40, 2, 0, 0, 0, 3, 0, 4, 0);
    one_layer_clear(&one);
}

/* A NaN is the maximum wherever it stands, so that divergence is seen. */
static void a_nan_wins(void **state)
{
    (void)state;
    const eg_pool spec = {.height = 2, .width = 2, .stride = 2};
    one_layer one;
    for (size_t place = 0; place < 4; place++) {
        take_max_pool(&one, (eg_shape){2, 2, 1}, &spec);
        one.x[place] = (eg_real)NAN;
        one_layer_forward(&one, EG_MODE_PREDICT);
        assert_true(isnan(one.y[0]));
        one_layer_clear(&one);
    }
}

/* 3 x 3 with padding above and left: windows of 1, 2, 2 and 4 numbers. */
static void averages_count_what_is_there(void **state)
{
    (void)state;
    const eg_pool spec = {.height = 2, .width = 2, .stride = 2, .before = 1};
    one_layer one;
    eg_layer layer;
    assert_ok(eg_layer_average_pool(&layer, (eg_shape){3, 3, 1}, &spec));
    one_layer_init(&one, layer, 1);
    SET(one.x, 1, 2, 4, 8, 16, 32, 64, 128, 256);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 1, 3, 36, 108);
    SET(one.dy, 1, 2, 4, 8);
    one_layer_backward(&one);
    ASSERT_VALUES(one.dx, 1, 1, 1, 2, 2, 2, 2, 2, 2);
    one_layer_clear(&one);
}

static void global_means(void **state)
{
    (void)state;
    one_layer one;
    eg_layer layer;
    eg_layer_global_pool(&layer, (eg_shape){2, 2, 2});
    assert_true(eg_shape_equal(layer.out, eg_shape_vector(2)));
    one_layer_init(&one, layer, 1);
    SET(one.x, 1, 10, 2, 20, 3, 30, 6, 0);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, 3, 15);
    SET(one.dy, 4, 8);
    one_layer_backward(&one);
    ASSERT_VALUES(one.dx, 1, 2, 1, 2, 1, 2, 1, 2);
    one_layer_clear(&one);
}

/* Whole strips of channels, parts of one, and both; overlapping windows, gaps between them. */
static void gradients_of_poolings(void **state)
{
    (void)state;
    const size_t channels[] = {1, 3, 16, 20};
    const eg_pool specs[] = {
        {.height = 2, .width = 2, .stride = 2},
        {.height = 3, .width = 3, .stride = 2, .after = 1},
        {.height = 3, .width = 2, .stride = 1, .before = 1, .after = 1},
        {.height = 1, .width = 2, .stride = 3},
        {.height = 5, .width = 4, .stride = 1},
    };
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PROBE, EG_MODE_PROBE_BATCH};
    for (size_t s = 0; s < EG_COUNT(specs); s++) {
        for (size_t c = 0; c < EG_COUNT(channels); c++) {
            eg_shape shape = {5, 4, channels[c]};
            for (int average = 0; average < 2; average++) {
                eg_layer layer;
                one_layer one;
                assert_ok((average ? eg_layer_average_pool : eg_layer_max_pool)(&layer, shape,
                                                                                &specs[s]));
                one_layer_init(&one, layer, 2);
                one_layer_assert_gradients(&one, modes[s % EG_COUNT(modes)]);
                one_layer_clear(&one);
            }
        }
    }
}

static void gradients_of_other_layers(void **state)
{
    (void)state;
    const eg_shape shape = {3, 2, 18};
    void (*const makers[])(eg_layer *, eg_shape) = {eg_layer_image_order, eg_layer_flatten,
                                                    eg_layer_global_pool, eg_layer_norm};
    for (size_t kind = 0; kind < EG_COUNT(makers); kind++) {
        eg_layer layer;
        one_layer one;
        makers[kind](&layer, shape);
        one_layer_init(&one, layer, 2);
        one_layer_assert_gradients(&one, EG_MODE_TRAIN);
        one.gives[0] = NULL; /* nobody wants it */
        one_layer_backward(&one);
        one_layer_clear(&one);
    }
}

/* Three channels, one neighbour: s of 1, 2, 3 is 1 + 0.5 (5, 14, 13). */
static void responses_by_hand(void **state)
{
    (void)state;
    const eg_response spec = {.radius = 1, .bias = 1, .alpha = 0.5, .beta = 0.75};
    one_layer one;
    eg_layer layer;
    assert_ok(eg_layer_local_response(&layer, eg_shape_vector(3), &spec));
    one_layer_init(&one, layer, 1);
    SET(one.x, 1, 2, 3);
    one_layer_forward(&one, EG_MODE_TRAIN);
    ASSERT_VALUES(one.y, pow(3.5, -0.75), 2 * pow(8, -0.75), 3 * pow(7.5, -0.75));
    one_layer_clear(&one);
}

/* Windows inside the channels, wider than they are, and of one; the exponent that has roots, and others. */
static void gradients_of_responses(void **state)
{
    (void)state;
    const eg_response specs[] = {{.radius = 4, .bias = 1, .alpha = 0.001 / 9, .beta = 0.75},
                                 {.radius = 2, .bias = 2, .alpha = 0.7, .beta = 0.75},
                                 {.radius = 7, .bias = 0.5, .alpha = 0.3, .beta = 0.5},
                                 {.radius = 0, .bias = 1, .alpha = 1, .beta = 1.25}};
    for (size_t s = 0; s < EG_COUNT(specs); s++) {
        eg_layer layer;
        one_layer one;
        assert_ok(eg_layer_local_response(&layer, (eg_shape){5, 4, 6}, &specs[s]));
        one_layer_init(&one, layer, 2);
        one_layer_assert_gradients(&one, EG_MODE_TRAIN);
        one_layer_clear(&one);
    }
}

/* Whole channels of an example, from one draw each; as often as they should, and the rest larger. */
static void dropped_maps(void **state)
{
    (void)state;
    enum { EXAMPLES = 50, PLACES = 6, CHANNELS = 40 };
    one_layer one;
    eg_layer layer;
    size_t dropped = 0;
    assert_ok(eg_layer_dropout_maps(&layer, 0.25, 3, (eg_shape){2, 3, CHANNELS}));
    assert_int_equal(layer.cache_per_example, CHANNELS);
    one_layer_init(&one, layer, EXAMPLES);
    one_layer_forward(&one, EG_MODE_TRAIN);
    one_layer_backward(&one);
    for (size_t b = 0; b < EXAMPLES; b++) {
        for (size_t c = 0; c < CHANNELS; c++) {
            size_t first = b * PLACES * CHANNELS + c;
            double factor = one.y[first] == 0 ? 0 : 4.0 / 3;
            dropped += factor == 0 ? 1 : 0;
            for (size_t i = first; i < first + PLACES * (size_t)CHANNELS; i += CHANNELS) {
                assert_close((double)one.y[i], factor * (double)one.x[i], 1e-12);
                assert_close((double)one.dx[i], factor * (double)one.dy[i], 1e-12);
            }
        }
    }
    /* of 2000, deviation sqrt(2000 * 3/16) = 19.4 */
    assert_in_range(dropped, 500 - 97, 500 + 97);
    for (eg_mode mode = EG_MODE_PREDICT; mode <= EG_MODE_PROBE; mode++) {
        one_layer_forward(&one, mode);
        assert_memory_equal(one.y, one.x, EXAMPLES * one.inputs * sizeof *one.x);
    }
    one_layer_clear(&one);
}

static void windows_that_do_not_fit(void **state)
{
    (void)state;
    const eg_shape shape = {4, 6, 2};
    const struct {
        eg_pool spec;
        const char *says;
    } cases[] = {
        {{.height = 2, .width = 2}, "stride 0"},
        {{.height = 5, .width = 2, .stride = 1}, "height 5 in an image of 4"},
        {{.height = 2, .width = 0, .stride = 1}, "width 0 in an image of 6"},
        {{.height = 2, .width = 2, .stride = 1, .before = 2}, "padding 2 and 0"},
        {{.height = 2, .width = 2, .stride = 1, .after = 2}, "padding 0 and 2"},
        {{.height = 18, .width = 18, .stride = 1, .before = 17, .after = 17}, "324 places"},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_layer layer;
        assert_fails(eg_layer_max_pool(&layer, shape, &cases[i].spec), EG_INVALID, cases[i].says);
        assert_null(layer.ops);
        assert_fails(eg_layer_average_pool(&layer, shape, &cases[i].spec), EG_INVALID,
                     cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_of_numbers),
        cmocka_unit_test(maximum_of_odd_sizes_and_ties),
        cmocka_unit_test(maximum_padded_at_one_side),
        cmocka_unit_test(maximum_padded_at_both_sides),
        cmocka_unit_test(a_nan_wins),
        cmocka_unit_test(averages_count_what_is_there),
        cmocka_unit_test(global_means),
        cmocka_unit_test(gradients_of_poolings),
        cmocka_unit_test(gradients_of_other_layers),
        cmocka_unit_test(responses_by_hand),
        cmocka_unit_test(gradients_of_responses),
        cmocka_unit_test(dropped_maps),
        cmocka_unit_test(windows_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
