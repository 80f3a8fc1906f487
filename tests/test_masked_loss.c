/** The loss over active outputs: that of a network with these outputs alone, nothing for the others. */
#include "testing.h"

#include "learner/masked_loss.h"

#include <math.h>

enum { B = 3, N = 5 };

static const eg_real y[B * N] = {0.5F, 1.0F,  9.0F, -1.0F, 0.2F, /**/
                                 2.0F, -0.5F, 7.0F, 0.3F,  0.0F, /**/
                                 1.5F, 0.1F,  8.0F, 0.4F,  1.1F};
static const uint32_t places[] = {0, 1, 3};
static const eg_active active = {.count = 3, .output = places};

static const eg_loss *loss_of(const char *name)
{
    return (const eg_loss *)(const void *)eg_family_find(&eg_loss_family, name);
}

static void equals_the_loss_of_the_active_columns(void **state)
{
    (void)state;
    const uint32_t label[B] = {3, 0, 1};
    const uint32_t packed_label[B] = {2, 0, 1};
    const eg_batch batch = {.size = B, .label = label, .active = &active};
    eg_real packed[B * 3];
    eg_real expected[B * 3];
    eg_real dy[B * N];
    for (size_t b = 0; b < B; b++) {
        for (size_t k = 0; k < 3; k++) {
            packed[b * 3 + k] = y[b * N + places[k]];
        }
    }
    for (size_t i = 0; i < (size_t)B * N; i++) {
        dy[i] = (eg_real)NAN;
    }
    const eg_loss *loss = loss_of("cross_entropy");
    double direct = loss->evaluate(B, 3, packed, packed_label, NULL, expected);
    eg_masked_loss masked = {0};
    assert_ok(eg_masked_loss_init(&masked, B, N));
    assert_true(eg_masked_loss_of(&masked, loss, &batch, N, y, dy) == direct);
    for (size_t b = 0; b < B; b++) {
        for (size_t k = 0; k < 3; k++) {
            assert_true(dy[b * N + places[k]] == expected[b * 3 + k]);
        }
        assert_true(dy[b * N + 2] == 0 && dy[b * N + 4] == 0);
    }
    eg_masked_loss_clear(&masked);
}

static void a_label_that_is_not_active_has_no_loss(void **state)
{
    (void)state;
    const uint32_t label[B] = {3, 4, 1};
    const eg_batch batch = {.size = B, .label = label, .active = &active};
    eg_real dy[B * N];
    eg_masked_loss masked = {0};
    assert_ok(eg_masked_loss_init(&masked, B, N));
    assert_true(isnan(eg_masked_loss_of(&masked, loss_of("cross_entropy"), &batch, N, y, dy)));
    eg_masked_loss_clear(&masked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_loss_of_the_active_columns),
        cmocka_unit_test(a_label_that_is_not_active_has_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
