/** Importances in half the bytes: rounding by hand, its bound, and the ends of the range. In float. */
#include "testing.h"

#include "engram/params.h"
#include "engram/random.h"
#include "engram/ufloat16.h"

#include <float.h>
#include <math.h>

static double kept(double x)
{
    return (double)eg_ufloat16_value(eg_ufloat16_from((eg_real)x));
}

/* 8 bits of fraction: 1 and 1 + 1/256 are neighbours, 1 + 1/512 lies between them. */
static void by_hand(void **state)
{
    (void)state;
    const double exact[] = {0, 1, 1.5, 0.25, 3 * 1024.0, 1 + 1 / 256.0};
    for (size_t i = 0; i < EG_COUNT(exact); i++) {
        assert_true(kept(exact[i]) == exact[i]);
    }
    assert_true(kept(1 + 0.9 / 512) == 1);
    assert_true(kept(1 + 1.1 / 512) == 1 + 1 / 256.0);
    assert_true(kept(2 - 0.9 / 512) == 2);
    assert_int_equal(sizeof(eg_ufloat16), 2);
}

static void within_a_512th(void **state)
{
    (void)state;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    double worst = 0;
    for (int i = 0; i < 100000; i++) {
        double x = (double)(eg_real)exp(160 * (eg_rng_uniform(&rng) - 0.5));
        double error = fabs(kept(x) / x - 1);
        worst = error > worst ? error : worst;
    }
    assert_true(worst <= 1 / 512.0);
    assert_true(worst > 0.9 / 512.0);
}

static void ends_of_the_range(void **state)
{
    (void)state;
    assert_true(isfinite(kept((double)FLT_MAX)) && kept((double)FLT_MAX) > 3.3e38);
    assert_true(isinf(kept((double)INFINITY)));
    assert_true(isnan(kept((double)NAN)));
    assert_true(isnan(kept(-(double)NAN)));
    assert_true(kept((double)FLT_MIN) == (double)FLT_MIN);
    assert_true(kept(1e-45) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(within_a_512th),
        cmocka_unit_test(ends_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
