/** Normal numbers by the vector: pinned bits, the distribution, independence. */
#include "testing.h"

#include "engram/memory.h"
#include "math/shared/normals.h"

#include <math.h>

enum { MANY = 1 << 20 };

/* Deviations that a fair generator exceeds less than once in 10^6 keys; the keys are fixed. */
static const double sigmas = 5.0;

static eg_real *draw(uint64_t index, size_t n)
{
    eg_real *x = NULL;
    assert_ok(eg_alloc(&x, n, sizeof *x));
    eg_normals(2026, EG_PURPOSE_TEST, index, n, x);
    return x;
}

/** Every compiler and instruction set gives these. */
static void test_pinned(void **state)
{
    (void)state;
    static const float pinned[] = {0x1.1af1bcp-4F, -0x1.35497cp+0F, 0x1.a738a2p-4F, -0x1.89586ep-2F,
                                   0x1.1320d2p+0F, -0x1.b898a6p-1F, 0x1.6d48p-3F,   0x1.554ad6p-9F};
    enum { COUNT = sizeof pinned / sizeof pinned[0] };
    eg_real *x = draw(5, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(x[i] == (eg_real)pinned[i]);
    }
    eg_free(x);
}

/** Of n numbers the mean of x^k is E x^k up to sqrt(Var x^k / n): 0, 1, 0, 3, 0, 15, 0, 105. */
static void test_moments(void **state)
{
    (void)state;
    static const double expected[] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
    static const double of_square[] = {1, 1, 3, 15, 105, 945, 10395, 135135, 2027025};
    for (uint64_t index = 0; index < 4; index++) {
        eg_real *x = draw(index, MANY);
        for (size_t k = 1; k <= 8; k++) {
            double sum = 0;
            for (size_t i = 0; i < MANY; i++) {
                sum += pow((double)x[i], (double)k);
            }
            double variance = of_square[k] - expected[k] * expected[k];
            double allowed = sigmas * sqrt(variance / MANY);
            assert_true(fabs(sum / MANY - expected[k]) < allowed);
        }
        eg_free(x);
    }
}

/** Against the distribution function in 64 cells of equal probability: chi squared with 63 degrees of
 * freedom has mean 63 and deviation 11.2. */
static void test_distribution(void **state)
{
    (void)state;
    enum { CELLS = 64 };
    eg_real *x = draw(5, MANY);
    size_t count[CELLS] = {0};
    for (size_t i = 0; i < MANY; i++) {
        double p = 0.5 * erfc(-(double)x[i] / sqrt(2.0));
        count[(size_t)(p * CELLS)]++;
    }
    double chi = 0;
    for (size_t c = 0; c < CELLS; c++) {
        double d = (double)count[c] - (double)MANY / CELLS;
        chi += d * d / ((double)MANY / CELLS);
    }
    assert_true(chi > 63 - sigmas * 11.2 && chi < 63 + sigmas * 11.2);
    eg_free(x);
}

/** Numbers beyond 1, 2, 3, 4 on either side, as many as there should be; the largest. */
static void test_tails(void **state)
{
    (void)state;
    enum { KEYS = 16 };
    double above[5] = {0};
    double below[5] = {0};
    double largest = 0;
    for (uint64_t index = 0; index < KEYS; index++) {
        eg_real *x = draw(index, MANY);
        for (size_t i = 0; i < MANY; i++) {
            for (int k = 1; k <= 4; k++) {
                above[k] += x[i] > (eg_real)k ? 1 : 0;
                below[k] += x[i] < (eg_real)-k ? 1 : 0;
            }
            largest = fmax(largest, fabs((double)x[i]));
        }
        eg_free(x);
    }
    for (int k = 1; k <= 4; k++) {
        double expected = 0.5 * erfc(k / sqrt(2.0)) * KEYS * MANY;
        assert_true(fabs(above[k] - expected) < sigmas * sqrt(expected));
        assert_true(fabs(below[k] - expected) < sigmas * sqrt(expected));
    }
    assert_true(largest > 4.8 && largest < 5.78);
}

/** No correlation with any neighbour up to two rounds away, of the numbers or of their squares; the
 * two coordinates of a point of the plane are 32 apart. */
static void test_neighbours(void **state)
{
    (void)state;
    eg_real *x = draw(9, MANY);
    for (size_t lag = 1; lag <= 128; lag++) {
        double of_x = 0;
        double of_squares = 0;
        size_t n = MANY - lag;
        for (size_t i = 0; i < n; i++) {
            double a = (double)x[i];
            double b = (double)x[i + lag];
            of_x += a * b;
            of_squares += (a * a - 1) * (b * b - 1);
        }
        assert_true(fabs(of_x) < sigmas * sqrt((double)n));
        assert_true(fabs(of_squares) < sigmas * 2 * sqrt((double)n));
    }
    eg_free(x);
}

/** Seeds, purposes and neighbouring indices have nothing in common. */
static void test_keys(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    eg_real *x = draw(9, N);
    eg_real *other[3] = {NULL};
    for (size_t k = 0; k < 3; k++) {
        assert_ok(eg_alloc(&other[k], N, sizeof *other[k]));
    }
    eg_normals(2026, EG_PURPOSE_TEST, 10, N, other[0]);
    eg_normals(2027, EG_PURPOSE_TEST, 9, N, other[1]);
    eg_normals(2026, EG_PURPOSE_PERTURB, 9, N, other[2]);
    for (size_t k = 0; k < 3; k++) {
        double sum = 0;
        for (size_t i = 0; i < N; i++) {
            sum += (double)x[i] * (double)other[k][i];
        }
        assert_true(fabs(sum) < sigmas * sqrt((double)N));
        eg_free(other[k]);
    }
    eg_free(x);
}

/** Fewer numbers are the beginning of more; adding adds exactly the product. */
static void test_prefix_and_add(void **state)
{
    (void)state;
    enum { N = 1000 };
    const eg_real sigma = (eg_real)0.37;
    eg_real *x = draw(3, N);
    for (size_t n = 0; n < 200; n++) {
        eg_real *part = draw(3, n + 1);
        eg_real *w = draw(4, N);
        eg_real *same = draw(4, N);
        eg_normals_add(2026, EG_PURPOSE_TEST, 3, sigma, n, w);
        for (size_t i = 0; i < n; i++) {
            eg_real product = sigma * x[i];
            assert_true(part[i] == x[i]);
            assert_true(w[i] == same[i] + product);
        }
        assert_true(w[n] == same[n]);
        eg_free(part);
        eg_free(w);
        eg_free(same);
    }
    eg_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned),         cmocka_unit_test(test_moments),
        cmocka_unit_test(test_distribution),   cmocka_unit_test(test_tails),
        cmocka_unit_test(test_neighbours),     cmocka_unit_test(test_keys),
        cmocka_unit_test(test_prefix_and_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
