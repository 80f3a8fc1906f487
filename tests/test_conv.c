/** The kernels of convolutions against the reference, and against each other bit by bit. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "math/convolve_kernel.h"

#include <math.h>
#include <string.h>

static eg_real *array(size_t count)
{
    eg_real *out = NULL;
    assert_ok(eg_alloc(&out, count, sizeof *out));
    return out;
}

static eg_real *drawn(size_t count, uint64_t index)
{
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, index);
    eg_real *out = array(count);
    for (size_t i = 0; i < count; i++) {
        out[i] = (eg_real)(2.0 * eg_rng_uniform(&rng) - 1.0);
    }
    return out;
}

/** What was there before shows where it is not overwritten. */
static eg_real *spoilt(size_t count)
{
    eg_real *out = array(count);
    for (size_t i = 0; i < count; i++) {
        out[i] = (eg_real)NAN;
    }
    return out;
}

/** The three products of one shape. */
typedef struct products {
    eg_real *y, *dx, *dw;
} products;

typedef struct scene {
    eg_convolution c;
    size_t batch, x_count, y_count, w_count;
    eg_real *x, *w, *bias, *dy;
} scene;

static void products_free(products *p)
{
    eg_free(p->y);
    eg_free(p->dx);
    eg_free(p->dw);
}

static scene scene_of(const eg_convolution *form, size_t batch)
{
    scene s = {.c = *form, .batch = batch};
    eg_convolution *c = &s.c;
    c->out_height = (c->height + 2 * c->padding - c->kernel_height) / c->stride + 1;
    c->out_width = (c->width + 2 * c->padding - c->kernel_width) / c->stride + 1;
    c->lanes = eg_convolve_lanes(c->filters);
    const size_t lanes = eg_convolve_panels(c) * c->lanes;
    const size_t fan_in = c->kernel_height * c->kernel_width * c->channels;
    s.x_count = batch * c->height * c->width * c->channels;
    s.y_count = batch * c->out_height * c->out_width * c->filters;
    s.w_count = fan_in * lanes;
    s.x = drawn(s.x_count, 1);
    s.dy = drawn(s.y_count, 2);
    s.w = drawn(s.w_count, 3);
    s.bias = drawn(lanes, 4);
    for (size_t i = 0; i < s.w_count; i++) {
        const size_t filter = i / (c->lanes * fan_in) * c->lanes + i % c->lanes;
        s.w[i] = filter < c->filters ? s.w[i] : 0;
    }
    return s;
}

static void scene_free(scene *s)
{
    eg_free(s->x);
    eg_free(s->w);
    eg_free(s->bias);
    eg_free(s->dy);
}

/** By these kernels; NULL: by the reference. */
static products products_of(const scene *s, const eg_convolve_kernels *kernels)
{
    const products p = {
        .y = spoilt(s->y_count), .dx = spoilt(s->x_count), .dw = spoilt(s->w_count)};
    if (kernels == NULL) {
        eg_convolve_plain(&s->c, s->batch, s->x, s->w, s->bias, p.y);
        eg_convolve_input_plain(&s->c, s->batch, s->dy, s->w, p.dx);
        eg_convolve_weights_plain(&s->c, s->batch, s->x, s->dy, p.dw);
        return p;
    }
    eg_real *scratch = spoilt(eg_convolve_scratch(&s->c));
    eg_convolve_tiled(kernels, &s->c, s->batch, s->x, s->w, s->bias, p.y);
    eg_convolve_input_tiled(kernels, &s->c, s->batch, s->dy, s->w, scratch, p.dx);
    eg_convolve_weights_tiled(kernels, &s->c, s->batch, s->x, s->dy, scratch, p.dw);
    eg_free(scratch);
    return p;
}

/** Within rounding of the largest. */
static void assert_near(size_t count, const eg_real *a, const eg_real *b)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)b[i]));
    }
    for (size_t i = 0; i < count; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= 2e-5 * largest)) {
            fail_msg("number %zu: %g instead of %g", i, (double)a[i], (double)b[i]);
        }
    }
}

/** Seven of eight numbers of dy become 0. */
static void thin_out(scene *s)
{
    for (size_t i = 0; i < s->y_count; i++) {
        s->dy[i] = i * 2654435761U % 4096 < 512 ? s->dy[i] : 0;
    }
}

/** The gradients by lists, of a dy that is mostly 0 and of one that is not. */
static void compare_listed(scene *s, const eg_convolve_kernels *const *all)
{
    for (size_t thin = 0; thin < 2; thin++) {
        if (thin == 1) {
            thin_out(s);
        }
        products right = products_of(s, NULL);
        products first = {0};
        for (size_t k = 0; k < 2 && all[k] != NULL; k++) {
            const products p = {.y = spoilt(1), .dx = spoilt(s->x_count), .dw = spoilt(s->w_count)};
            eg_real *scratch = spoilt(eg_convolve_listed_scratch(&s->c));
            eg_convolve_weights_listed(all[k], &s->c, s->batch, s->x, s->dy, scratch, p.dw);
            eg_convolve_input_listed(all[k], &s->c, s->batch, s->dy, s->w, scratch, p.dx);
            eg_free(scratch);
            assert_near(s->x_count, p.dx, right.dx);
            assert_near(s->w_count, p.dw, right.dw);
            if (first.y != NULL) {
                assert_memory_equal(p.dx, first.dx, s->x_count * sizeof *p.dx);
                assert_memory_equal(p.dw, first.dw, s->w_count * sizeof *p.dw);
                products_free(&first);
            }
            first = p;
        }
        products_free(&first);
        products_free(&right);
    }
}

/** Two of five numbers of x and dy become 0: what skips them gives the bits of what does not. */
static void compare_skipping(scene *s, const eg_convolve_kernels *const *all)
{
    const eg_convolution *c = &s->c;
    if (c->kernel_height != EG_TAPS || c->kernel_width != EG_TAPS || c->stride != 1 ||
        c->padding != 1) {
        return;
    }
    for (size_t i = 0; i < s->x_count; i++) {
        s->x[i] = i * 2654435761U % 5 < 2 ? 0 : s->x[i];
    }
    for (size_t i = 0; i < s->y_count; i++) {
        s->dy[i] = i * 2654435761U % 5 < 2 ? 0 : s->dy[i];
    }
    for (size_t k = 0; k < 2 && all[k] != NULL; k++) {
        products right = products_of(s, all[k]);
        eg_real *y = spoilt(s->y_count);
        eg_real *dx = spoilt(s->x_count);
        eg_real *scratch = spoilt(eg_convolve_skipping_scratch(c));
        eg_convolve_skipping(all[k], c, s->batch, s->x, s->w, s->bias, scratch, y);
        eg_convolve_input_skipping(all[k], c, s->batch, s->dy, s->w, scratch, dx);
        assert_memory_equal(y, right.y, s->y_count * sizeof *y);
        assert_memory_equal(dx, right.dx, s->x_count * sizeof *dx);
        eg_free(y);
        eg_free(dx);
        eg_free(scratch);
        products_free(&right);
    }
}

static void compare(const eg_convolution *form, size_t batch)
{
    const eg_convolve_kernels *const all[] = {eg_convolve_avx2(), eg_convolve_avx512()};
    scene s = scene_of(form, batch);
    products right = products_of(&s, NULL);
    products first = {0};
    for (size_t k = 0; k < 2; k++) {
        if (all[k] == NULL) {
            continue;
        }
        products p = products_of(&s, all[k]);
        assert_near(s.y_count, p.y, right.y);
        assert_near(s.x_count, p.dx, right.dx);
        assert_near(s.w_count, p.dw, right.dw);
        if (first.y == NULL) {
            first = p;
            continue;
        }
        assert_memory_equal(p.y, first.y, s.y_count * sizeof *p.y);
        assert_memory_equal(p.dx, first.dx, s.x_count * sizeof *p.dx);
        assert_memory_equal(p.dw, first.dw, s.w_count * sizeof *p.dw);
        products_free(&p);
    }
    products_free(&first);
    products_free(&right);
    compare_skipping(&s, all);
    compare_listed(&s, all);
    scene_free(&s);
}

static void skip_without_kernels(void)
{
    if (eg_convolve_avx2() == NULL) {
        print_message("this processor has no AVX2: there are no kernels but the reference\n");
        skip();
    }
}

/* Every 11th of all combinations, with another batch every time; 11 divides no number of choices, so
 * all of them meet. */
static void odd_shapes(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {7, 6}, {5, 13}};
    static const size_t channels[] = {1, 3, 5, 17, 33};
    static const size_t filters[] = {1, 5, 9, 17, 33};
    static const size_t kernels[][2] = {{1, 1}, {3, 3}, {5, 5}, {2, 3}};
    enum { SIZES = 5, CHANNELS = 5, FILTERS = 5, KERNELS = 4, STRIDES = 3, PADDINGS = 4 };
    enum { ALL = SIZES * CHANNELS * FILTERS * KERNELS * STRIDES * PADDINGS, BATCHES = 7 };
    skip_without_kernels();
    size_t made = 0;
    for (size_t i = 0; i < ALL; i += 11 * eg_test_stride(5)) {
        size_t rest = i;
        eg_convolution c = {.stride = rest % STRIDES + 1};
        rest /= STRIDES;
        c.padding = rest % PADDINGS;
        rest /= PADDINGS;
        c.kernel_height = kernels[rest % KERNELS][0];
        c.kernel_width = kernels[rest % KERNELS][1];
        rest /= KERNELS;
        c.channels = channels[rest % CHANNELS];
        rest /= CHANNELS;
        c.filters = filters[rest % FILTERS];
        rest /= FILTERS;
        c.height = sizes[rest][0];
        c.width = sizes[rest][1];
        if (c.kernel_height <= c.height + 2 * c.padding &&
            c.kernel_width <= c.width + 2 * c.padding) {
            compare(&c, 1 + i % BATCHES);
            made++;
        }
    }
    assert_true(made > 0);
}

/* Sizes at which the drivers go on to another block of images, of inputs, of panels. */
static void several_blocks(void **state)
{
    (void)state;
    skip_without_kernels();
    const eg_convolution many_images = {.height = 4,
                                        .width = 4,
                                        .channels = 13,
                                        .filters = 40,
                                        .kernel_height = 3,
                                        .kernel_width = 3,
                                        .stride = 1,
                                        .padding = 1};
    compare(&many_images, 250);
    const eg_convolution large_images = {.height = 41,
                                         .width = 40,
                                         .channels = 3,
                                         .filters = 8,
                                         .kernel_height = 3,
                                         .kernel_width = 3,
                                         .stride = 1,
                                         .padding = 1};
    compare(&large_images, 4);
    const eg_convolution many_windows = {.height = 9,
                                         .width = 10,
                                         .channels = 11,
                                         .filters = 7,
                                         .kernel_height = 3,
                                         .kernel_width = 5,
                                         .stride = 1,
                                         .padding = 2};
    compare(&many_windows, 40);
    const eg_convolution one_tap = {.height = 9,
                                    .width = 8,
                                    .channels = 70,
                                    .filters = 300,
                                    .kernel_height = 1,
                                    .kernel_width = 1,
                                    .stride = 2};
    compare(&one_tap, 45);
    const eg_convolution many_inputs = {.height = 6,
                                        .width = 5,
                                        .channels = 150,
                                        .filters = 130,
                                        .kernel_height = 3,
                                        .kernel_width = 3,
                                        .stride = 2,
                                        .padding = 1};
    compare(&many_inputs, 4);
}

static void the_widest_kernels_run(void **state)
{
    (void)state;
    const char *name = eg_convolve_avx512() != NULL ? "avx512"
                       : eg_convolve_avx2() != NULL ? "avx2"
                                                    : "plain";
    assert_string_equal(eg_convolve_kernel(), name);
}

/* By hand: 2 images of 1 x 2 pixels and 1 channel, 2 filters. */
static void sums_of_biases(void **state)
{
    (void)state;
    const eg_convolution c = {
        .out_height = 1, .out_width = 2, .filters = 2, .lanes = eg_convolve_lanes(2)};
    const eg_real dy[] = {1, 10, 2, 20, 3, 30, 4, 40};
    eg_real sum[8];
    eg_convolve_bias(&c, 2, dy, sum);
    const eg_real right[8] = {10, 100};
    assert_memory_equal(sum, right, sizeof right);
}

/** A dense dy goes through tiles, one behind max pooling through lists; a NaN in dy is not lost. */
static void lists_are_for_zeros(void **state)
{
    (void)state;
    skip_without_kernels();
    const eg_convolution form = {.height = 14,
                                 .width = 14,
                                 .channels = 32,
                                 .filters = 64,
                                 .kernel_height = 3,
                                 .kernel_width = 3,
                                 .stride = 1};
    scene s = scene_of(&form, 9);
    assert_false(eg_convolve_listed_pays(&s.c, s.batch, s.dy));
    thin_out(&s);
    assert_true(eg_convolve_listed_pays(&s.c, s.batch, s.dy));
    eg_real *scratch = spoilt(eg_convolve_scratch(&s.c));
    eg_real *dw = spoilt(s.w_count);
    eg_real *dx = spoilt(s.x_count);
    s.dy[(size_t)64 * 5 + 33] = (eg_real)NAN; /* of filter 33 */
    eg_convolve_weights(&s.c, s.batch, s.x, s.dy, scratch, dw);
    eg_convolve_input(&s.c, s.batch, s.dy, s.w, scratch, dx);
    const eg_real *of_filters = dw + (size_t)9 * 32 * 32; /* 32 … 63, under the first tap */
    assert_true(isnan((double)of_filters[1]));
    assert_true(!isnan((double)of_filters[2]));
    assert_true(isnan((double)dx[(size_t)5 * 32]));
    eg_free(dx);
    eg_free(dw);
    eg_free(scratch);
    scene_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(the_widest_kernels_run),
        cmocka_unit_test(sums_of_biases),
        cmocka_unit_test(lists_are_for_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
