/** Losses by hand, and their behaviour at the edges of the number range. */
#include "testing.h"

#include "engram/loss.h"

#include <math.h>

static const eg_loss *loss(const char *name)
{
    const eg_component *found = eg_family_find(&eg_loss_family, name);
    assert_non_null(found);
    return (const eg_loss *)found;
}

/* Row 1: y = 1, 2, 3, label 0: softmax 0.0900305732, 0.2447284711, 0.6652409558, loss
 * -log 0.0900305732 = 2.4076059644. Row 2: all equal, label 2: loss log 3 = 1.0986122887.
 * Mean of two; the gradient is (softmax - one-hot)/2. */
static void cross_entropy_by_hand(void **state)
{
    (void)state;
    const eg_real y[] = {1, 2, 3, 5, 5, 5};
    const uint32_t label[] = {0, 2};
    eg_real dy[6];
    double value = loss("cross_entropy")->evaluate(2, 3, y, label, NULL, dy);
    assert_close(value, (2.4076059644 + 1.0986122887) / 2.0, 1e-7);
    const double expected[] = {(0.0900305732 - 1.0) / 2.0,
                               0.2447284711 / 2.0,
                               0.6652409558 / 2.0,
                               1.0 / 6.0,
                               1.0 / 6.0,
                               -1.0 / 3.0};
    for (size_t i = 0; i < 6; i++) {
        assert_close((double)dy[i], expected[i], 1e-7);
    }
}

/* exp(1000) overflows; log(e^1000 + e^0) - 0 = 1000 must not. */
static void cross_entropy_is_stable(void **state)
{
    (void)state;
    const eg_real y[] = {1000, 0};
    const uint32_t wrong[] = {1};
    const uint32_t right[] = {0};
    eg_real dy[2];
    assert_close(loss("cross_entropy")->evaluate(1, 2, y, wrong, NULL, dy), 1000.0, 1e-7);
    assert_close((double)dy[0], 1.0, 1e-7);
    assert_close((double)dy[1], -1.0, 1e-7);
    assert_close(loss("cross_entropy")->evaluate(1, 2, y, right, NULL, dy), 0.0, 1e-7);
}

static void cross_entropy_shows_divergence(void **state)
{
    (void)state;
    const eg_real bad[] = {(eg_real)NAN, (eg_real)INFINITY, (eg_real)-INFINITY};
    for (size_t v = 0; v < EG_COUNT(bad); v++) {
        for (size_t where = 0; where < 3; where++) {
            eg_real y[] = {1, 2, 3};
            y[where] = bad[v];
            const uint32_t label[] = {(uint32_t)where};
            eg_real dy[3];
            double value = loss("cross_entropy")->evaluate(1, 3, y, label, NULL, dy);
            assert_true(isnan(value) || isinf(value));
        }
    }
}

/* Errors 1, -2 and 0, 3: (1 + 4 + 0 + 9) / 2 = 7; the gradient is 2 error / 2. */
static void squared_error_by_hand(void **state)
{
    (void)state;
    const eg_real y[] = {2, 1, -1, 3};
    const eg_real target[] = {1, 3, -1, 0};
    const uint32_t label[] = {0, 1}; /* targets 1, 0 and 0, 1: errors 1, 1, -1, 2 */
    const double expected[] = {1, -2, 0, 3};
    const double of_labels[] = {1, 1, -1, 2};
    eg_real dy[4];
    assert_true(loss("squared_error")->takes_targets);
    assert_close(loss("squared_error")->evaluate(2, 2, y, NULL, target, dy), 7, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_close((double)dy[i], expected[i], 0);
    }
    assert_close(loss("squared_error")->evaluate(2, 2, y, label, NULL, dy), 3.5, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_close((double)dy[i], of_labels[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_by_hand),
        cmocka_unit_test(cross_entropy_is_stable),
        cmocka_unit_test(cross_entropy_shows_divergence),
        cmocka_unit_test(squared_error_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
