/** BLAS layer, sums over rows, elementary functions. */
#include "testing.h"

#include "engram/blas.h"
#include "engram/random.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Every combination of transpositions against three loops, with rows longer than they need be and
 * a C that counts (beta 0.5). */
static void gemm_matches_loops(void **state)
{
    (void)state;
    enum { M = 3, N = 4, K = 5, LD = 7 };
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    eg_real a[LD * LD];
    eg_real b[LD * LD];
    for (size_t i = 0; i < LD * LD; i++) {
        a[i] = (eg_real)eg_rng_normal(&rng);
        b[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (int transpose = 0; transpose < 4; transpose++) {
        bool ta = (transpose & 1) != 0;
        bool tb = (transpose & 2) != 0;
        eg_real c[M * LD];
        for (size_t i = 0; i < M * LD; i++) {
            c[i] = (eg_real)i;
        }
        eg_gemm(ta, tb, M, N, K, 2, a, LD, b, LD, (eg_real)0.5, c, LD);
        for (size_t i = 0; i < M; i++) {
            for (size_t j = 0; j < LD; j++) {
                double expected = (double)(i * LD + j);
                if (j < N) {
                    double sum = 0.0;
                    for (size_t k = 0; k < K; k++) {
                        double left = (double)(ta ? a[k * LD + i] : a[i * LD + k]);
                        double right = (double)(tb ? b[j * LD + k] : b[k * LD + j]);
                        sum += left * right;
                    }
                    expected = 2.0 * sum + 0.5 * expected;
                }
                assert_close((double)c[i * LD + j], expected, 1e-5);
            }
        }
    }
}

static void dot_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {1, 2, 3};
    const eg_real y[] = {4, -5, 6};
    assert_close((double)eg_dot(3, x, y), 4.0 - 10.0 + 18.0, 0.0);
}

/* x = 2, 4, 4, 4, 5, 5, 7, 9: mean 40/8 = 5, squared deviations 9+1+1+1+0+0+4+16 = 32, so the
 * population deviation is sqrt(32/8) = 2 (with n - 1 it would be 2.138). */
static void moments_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {2, 4, 4, 4, 5, 5, 7, 9};
    eg_real mean = 0;
    eg_real deviation = 0;
    eg_moments(8, x, &mean, &deviation);
    assert_close((double)mean, 5.0, 0.0);
    assert_close((double)deviation, 2.0, 1e-7);
}

/* Lengths around the lane count: 1 + 2 + … + n = n (n + 1) / 2. */
static void sums_of_any_length(void **state)
{
    (void)state;
    eg_real x[5 * EG_LANES];
    for (size_t n = 0; n < 5 * EG_LANES; n++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = (eg_real)(i + 1);
        }
        double squares = 0.0;
        for (size_t i = 1; i <= n; i++) {
            squares += ((double)i - 3.0) * ((double)i - 3.0);
        }
        assert_close((double)eg_sum(n, x), (double)(n * (n + 1) / 2), 0.0);
        assert_close((double)eg_sum_squares(n, x, 3), squares, 1e-6);
    }
}

static void accumulate_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {1, 2, 3};
    eg_real y[] = {10, 20, 30};
    eg_accumulate(3, x, y);
    assert_close((double)y[0], 11.0, 0.0);
    assert_close((double)y[2], 33.0, 0.0);
}

static void exponential_is_accurate(void **state)
{
    (void)state;
    double worst = 0.0;
    for (double x = -87.33; x < 88.37; x += 0.00137) {
        double argument = (double)(eg_real)x;
        double error = fabs((double)eg_exp((eg_real)x) / exp(argument) - 1.0);
        worst = fmax(worst, error);
    }
    assert_true(worst < 2.0 * FLT_EPSILON);
    assert_true(eg_exp(0) == 1);
    assert_true(eg_exp(-1000) == 0);
    assert_true(isinf(eg_exp(1000)));
    assert_true(eg_exp((eg_real)-INFINITY) == 0);
    assert_true(isinf(eg_exp((eg_real)INFINITY)));
}

static void nan_stays_nan(void **state)
{
    (void)state;
    eg_real nan = (eg_real)NAN;
    assert_true(isnan(eg_exp(nan)));
    assert_true(isnan(eg_sigmoid(nan)));
    assert_true(isnan(eg_clip(nan, -1, 1)));
    assert_true(isnan(eg_hard_sigmoid(nan)));
}

static void sigmoids_by_hand(void **state)
{
    (void)state;
    assert_close((double)eg_sigmoid(0), 0.5, 0.0);
    assert_close((double)eg_sigmoid((eg_real)0.5), 0.62245933120, 1e-7);
    assert_close((double)eg_sigmoid(-200), 0.0, 0.0);
    assert_close((double)eg_sigmoid(200), 1.0, 0.0);
    /* (1.5 + 3)/6 = 0.75; clipped at -3 and 3. */
    assert_close((double)eg_hard_sigmoid((eg_real)1.5), 0.75, 1e-7);
    assert_close((double)eg_hard_sigmoid(-4), 0.0, 0.0);
    assert_true(eg_hard_sigmoid(3) == 1 && eg_hard_sigmoid(5) == 1);
    assert_close((double)eg_hard_sigmoid_slope(1), 1.0 / 6.0, 1e-7);
    assert_close((double)eg_hard_sigmoid_slope(4), 0.0, 0.0);
    assert_close((double)eg_clip(5, -1, 2), 2.0, 0.0);
    assert_close((double)eg_clip(-5, -1, 2), -1.0, 0.0);
}

static void blas_describes_itself(void **state)
{
    (void)state;
    eg_blas_set_threads(1);
    assert_true(strlen(eg_blas_core()) > 0);
    assert_non_null(strstr(eg_blas_config(), "OpenBLAS"));
    double rate = eg_blas_probe();
    /* A wrong unit of time or a forgotten factor would leave this range on any machine. */
    assert_true(rate > 1e6 && rate < 1e13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_matches_loops),    cmocka_unit_test(dot_by_hand),
        cmocka_unit_test(moments_by_hand),       cmocka_unit_test(sums_of_any_length),
        cmocka_unit_test(accumulate_by_hand),    cmocka_unit_test(exponential_is_accurate),
        cmocka_unit_test(nan_stays_nan),         cmocka_unit_test(sigmoids_by_hand),
        cmocka_unit_test(blas_describes_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
