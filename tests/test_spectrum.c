/** Singular values, and the ranks told from them, of matrices whose values are known. */
#include "testing.h"

#include "engram/params.h"
#include "engram/random.h"
#include "math/shared/spectrum.h"

#include <math.h>

enum { ROWS = 60, COLUMNS = 50 };

typedef struct ranks {
    double effective, stable, approximate;
} ranks;

static ranks ranks_of(const double *sigma, size_t n)
{
    return (ranks){eg_spectrum_effective_rank(sigma, n), eg_spectrum_stable_rank(sigma, n),
                   eg_spectrum_approximate_rank(sigma, n)};
}

/** By hand: (3, 1) has p = (3/4, 1/4), so ln of the effective rank is 3/4 ln 4/3 + 1/4 ln 4. */
static void ranks_of_known_values(void **state)
{
    (void)state;
    ranks r = ranks_of((const double[]){3, 1}, 2);
    assert_close(r.effective, 1.7548, 5e-5);
    assert_close(r.effective, exp(0.75 * log(4.0 / 3) + 0.25 * log(4.0)), 1e-15);
    assert_close(r.stable, 2, 0);
    assert_close(r.approximate, 2, 0); /* 9 of 10 */
    r = ranks_of((const double[]){99.5, 0.5}, 2);
    assert_close(r.stable, 1, 0);
    assert_close(r.approximate, 1, 0);
    /* 0.9 + 0.05 + 0.05: three of the sum, but 0.81 of 0.815 is more than 99 %. */
    r = ranks_of((const double[]){90, 5, 5}, 3);
    assert_close(r.stable, 3, 0);
    assert_close(r.approximate, 1, 0);
    r = ranks_of((const double[]){2, 0, 0}, 3);
    assert_close(r.effective, 1, 0);
    assert_close(r.stable, 1, 0);
    r = ranks_of((const double[]){0, 0}, 2);
    assert_close(r.effective, 0, 0);
    assert_close(r.stable, 0, 0);
    r = ranks_of((const double[]){(double)NAN, 1}, 2);
    assert_true(isnan(r.effective) && isnan(r.stable) && isnan(r.approximate));
}

static void known_matrices(void **state)
{
    (void)state;
    eg_spectrum spectrum;
    assert_ok(eg_spectrum_init(&spectrum, ROWS, COLUMNS));
    /* Identity 50 x 50: all values are 1. */
    for (size_t i = 0; i < COLUMNS * COLUMNS; i++) {
        spectrum.a[i] = i % (COLUMNS + 1) == 0 ? 1 : 0;
    }
    assert_ok(eg_spectrum_of(&spectrum, COLUMNS, COLUMNS));
    assert_int_equal(spectrum.count, COLUMNS);
    ranks r = ranks_of(spectrum.sigma, spectrum.count);
    assert_close(r.effective, 50, 1e-12);
    assert_close(r.stable, 50, 0);
    assert_close(r.approximate, 50, 0);
    /* An outer product. */
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        spectrum.a[i] = (double)(1 + i / COLUMNS) * (double)(2 + i % COLUMNS);
    }
    assert_ok(eg_spectrum_of(&spectrum, ROWS, COLUMNS));
    r = ranks_of(spectrum.sigma, spectrum.count);
    assert_close(r.effective, 1, 1e-10);
    assert_close(r.stable, 1, 0);
    /* [[3, 0], [0, 1]] turned by 30 degrees on the left and given a row of zeros. */
    const double c = sqrt(0.75);
    const double turned[] = {3 * c, -0.5, 0, 0, 3 * 0.5, c};
    for (size_t i = 0; i < EG_COUNT(turned); i++) {
        spectrum.a[i] = turned[i];
    }
    assert_ok(eg_spectrum_of(&spectrum, 3, 2));
    assert_int_equal(spectrum.count, 2);
    assert_close(spectrum.sigma[0], 3, 1e-14);
    assert_close(spectrum.sigma[1], 1, 1e-14);
    spectrum.a[3] = (double)INFINITY;
    assert_ok(eg_spectrum_of(&spectrum, 3, 2));
    assert_true(isnan(eg_spectrum_effective_rank(spectrum.sigma, 2)));
    eg_spectrum_clear(&spectrum);
}

/** Sum of squares is that of the matrix, and wide and tall ones have the same values. */
static void wide_and_tall(void **state)
{
    (void)state;
    eg_spectrum tall;
    eg_spectrum wide;
    double squares = 0;
    double sum = 0;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    assert_ok(eg_spectrum_init(&tall, ROWS, COLUMNS));
    assert_ok(eg_spectrum_init(&wide, COLUMNS, ROWS));
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            double value = eg_rng_normal(&rng);
            tall.a[i * COLUMNS + j] = value;
            wide.a[j * ROWS + i] = value;
            squares += value * value;
        }
    }
    assert_ok(eg_spectrum_of(&tall, ROWS, COLUMNS));
    assert_ok(eg_spectrum_of(&wide, COLUMNS, ROWS));
    for (size_t k = 0; k < COLUMNS; k++) {
        assert_true(k == 0 || tall.sigma[k] <= tall.sigma[k - 1]);
        assert_close(tall.sigma[k], wide.sigma[k], 1e-12);
        sum += tall.sigma[k] * tall.sigma[k];
    }
    assert_close(sum, squares, 1e-9);
    eg_spectrum_clear(&tall);
    eg_spectrum_clear(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_of_known_values),
        cmocka_unit_test(known_matrices),
        cmocka_unit_test(wide_and_tall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
