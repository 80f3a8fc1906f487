/** Products with single vectors: against plain loops in the same order, to the last bit; and that leaving
 *  out what is 0 changes no bit. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/rows.h"

#include <math.h>
#include <string.h>

enum { N = 45, WIDTH_MAX = 144 };

typedef struct scene {
    size_t width;
    eg_real x[N]; /* every number but each third is 0 */
    eg_real w[N * WIDTH_MAX];
    eg_real d[WIDTH_MAX];
    size_t count;
    uint32_t row[N];
    eg_real value[N];
} scene;

static void draw(scene *s, size_t width)
{
    eg_rng rng = eg_rng_make(11, EG_PURPOSE_TEST, width);
    s->width = width;
    for (size_t i = 0; i < N; i++) {
        s->x[i] = i % 3 == 1 ? (eg_real)eg_rng_normal(&rng) : 0;
    }
    for (size_t i = 0; i < N * width; i++) {
        s->w[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t l = 0; l < width; l++) {
        s->d[l] = l % 4 == 0 ? 0 : (eg_real)eg_rng_normal(&rng);
    }
    s->count = eg_rows_active(N, s->x, s->row, s->value);
}

/* The same numbers; 0 and -0 are. */
static void assert_same(const eg_real *a, const eg_real *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(a[i] == b[i]);
    }
}

static void for_every_width(void (*check)(const scene *s))
{
    static const size_t widths[] = {16, 32, 48, 112, WIDTH_MAX};
    static scene s;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        draw(&s, widths[i]);
        check(&s);
    }
}

static void lists_what_is_not_zero(void **state)
{
    (void)state;
    const eg_real x[] = {0, 2, (eg_real)NAN, (eg_real)-0.0, 0, -1};
    uint32_t row[6];
    eg_real value[6];
    assert_int_equal(eg_rows_active(6, x, row, value), 3);
    assert_int_equal(row[0], 1);
    assert_int_equal(row[1], 2);
    assert_int_equal(row[2], 5);
    assert_true(value[0] == 2 && isnan(value[1]) && value[2] == -1);
}

static void check_product(const scene *s)
{
    eg_real all[WIDTH_MAX];
    eg_real some[WIDTH_MAX];
    eg_real expected[WIDTH_MAX] = {0};
    for (size_t i = 0; i < N; i++) {
        for (size_t l = 0; l < s->width; l++) {
            eg_real term = s->x[i] * s->w[i * s->width + l];
            expected[l] += term;
        }
    }
    eg_rows_product(N, NULL, s->x, s->width, s->w, all);
    eg_rows_product(s->count, s->row, s->value, s->width, s->w, some);
    assert_same(all, expected, s->width);
    assert_same(some, expected, s->width);
}

static void products(void **state)
{
    (void)state;
    for_every_width(check_product);
}

/* 16 sums, then halves onto halves. */
static eg_real dot(const scene *s, size_t i)
{
    eg_real lane[EG_ROWS_STEP] = {0};
    for (size_t l = 0; l < s->width; l++) {
        eg_real term = s->w[i * s->width + l] * s->d[l];
        lane[l % EG_ROWS_STEP] += term;
    }
    for (size_t half = EG_ROWS_STEP / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) {
            lane[l] += lane[l + half];
        }
    }
    return lane[0];
}

static void check_dots(const scene *s)
{
    eg_real all[N];
    eg_real some[N] = {0};
    eg_rows_dots(N, NULL, s->width, s->w, s->d, all);
    eg_rows_dots(s->count, s->row, s->width, s->w, s->d, some);
    for (size_t i = 0; i < N; i++) {
        assert_true(all[i] == dot(s, i));
        assert_true(some[i] == (s->x[i] != 0 ? all[i] : 0));
    }
}

static void dots(void **state)
{
    (void)state;
    for_every_width(check_dots);
}

static const eg_rows_step steps[] = {
    {.lr = (eg_real)0.1, .bound = INFINITY, .shrink = 1},
    {.lr = (eg_real)0.1, .bound = (eg_real)0.02, .shrink = 1},
    {.lr = (eg_real)0.1, .bound = INFINITY, .shrink = 1, .decay = (eg_real)0.3},
    {.lr = (eg_real)0.1, .bound = INFINITY, .shrink = (eg_real)0.99},
    {.lr = (eg_real)0.1, .bound = (eg_real)0.02, .shrink = (eg_real)0.99, .decay = (eg_real)0.3},
};

static eg_real descended(const eg_rows_step *step, eg_real w, eg_real a, eg_real d)
{
    eg_real old = step->shrink * w;
    eg_real gradient = a * d;
    eg_real decay = step->decay * old;
    eg_real change = -step->lr * (gradient + decay);
    change = change < -step->bound ? -step->bound : change;
    change = change > step->bound ? step->bound : change;
    return old + change;
}

static void check_descent(const scene *s)
{
    static eg_real all[N * WIDTH_MAX];
    static eg_real some[N * WIDTH_MAX];
    size_t size = N * s->width;
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        memcpy(all, s->w, size * sizeof *all);
        eg_rows_descend(&steps[k], N, NULL, s->x, s->width, s->d, all);
        for (size_t i = 0; i < size; i++) {
            size_t l = i % s->width;
            assert_true(all[i] == descended(&steps[k], s->w[i], s->x[i / s->width], s->d[l]));
        }
        assert_memory_not_equal(all, s->w, size * sizeof *all);
        memcpy(some, s->w, size * sizeof *some);
        eg_rows_descend(&steps[k], s->count, s->row, s->value, s->width, s->d, some);
        for (size_t i = 0; i < size; i++) {
            bool listed = s->x[i / s->width] != 0;
            assert_true(some[i] == (listed ? all[i] : s->w[i]));
        }
        if (k < 2) { /* nothing decays: what is not listed would not have changed */
            assert_same(some, all, size);
        }
    }
}

static void descents(void **state)
{
    (void)state;
    for_every_width(check_descent);
}

/* The same weights; sums of |w| over the rows as before plus the change. */
static void check_following(const scene *s)
{
    static eg_real plain[N * WIDTH_MAX];
    static eg_real followed[N * WIDTH_MAX];
    double sum[WIDTH_MAX];
    double expected[WIDTH_MAX];
    size_t size = N * s->width;
    memcpy(plain, s->w, size * sizeof *plain);
    memcpy(followed, s->w, size * sizeof *followed);
    for (size_t l = 0; l < s->width; l++) {
        sum[l] = expected[l] = 1;
        for (size_t i = 0; i < N; i++) {
            sum[l] += fabs((double)s->w[i * s->width + l]);
        }
    }
    eg_rows_descend(&steps[0], s->count, s->row, s->value, s->width, s->d, plain);
    eg_rows_descend_following(steps[0].lr, s->count, s->row, s->value, s->width, s->d, followed,
                              sum);
    assert_same(followed, plain, size);
    eg_rows_descend(&steps[0], N, NULL, s->x, s->width, s->d, plain);
    eg_rows_descend_following(steps[0].lr, N, NULL, s->x, s->width, s->d, followed, sum);
    assert_same(followed, plain, size);
    for (size_t l = 0; l < s->width; l++) {
        for (size_t i = 0; i < N; i++) {
            expected[l] += fabs((double)plain[i * s->width + l]);
        }
        assert_close(sum[l], expected[l], 1e-6);
    }
}

static void descents_followed(void **state)
{
    (void)state;
    for_every_width(check_following);
}

static void check_outer(const scene *s)
{
    static eg_real out[N * WIDTH_MAX];
    eg_rows_outer(N, s->x, s->width, s->d, out);
    for (size_t i = 0; i < N * s->width; i++) {
        assert_true(out[i] == s->x[i / s->width] * s->d[i % s->width]);
    }
}

static void outer_products(void **state)
{
    (void)state;
    for_every_width(check_outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_what_is_not_zero),
        cmocka_unit_test(products),
        cmocka_unit_test(dots),
        cmocka_unit_test(descents),
        cmocka_unit_test(descents_followed),
        cmocka_unit_test(outer_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
