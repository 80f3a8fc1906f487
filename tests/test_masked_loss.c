/** The loss over active outputs: that of a network with these outputs alone, nothing for the others. */
#include "testing.h"

#include "learner/masked_loss.h"

#include <math.h>
#include <string.h>

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

/* Rows 0 and 2 are of the task with outputs 0, 1, 3, row 1 of that with 2 and 4: by hand the mean of
 *      log(1 + exp(-0.5) + exp(-2)), log(1 + exp(-7)), log(1 + exp(1.4) + exp(0.3)). */
static const uint32_t rest[] = {2, 4};
static const eg_active tasks[] = {{.count = 3, .output = places}, {.count = 2, .output = rest}};
static const uint32_t row_task[B] = {0, 1, 0};
static const uint32_t mixed_label[B] = {1, 2, 1};

static double mixed_loss_of(const eg_real *of, eg_real *dy)
{
    const eg_batch batch = {
        .size = B, .label = mixed_label, .row_task = row_task, .task_active = tasks};
    eg_masked_loss masked = {0};
    assert_ok(eg_masked_loss_init(&masked, B, N));
    double mean = eg_masked_loss_of(&masked, loss_of("cross_entropy"), &batch, N, of, dy);
    eg_masked_loss_clear(&masked);
    return mean;
}

static void a_minibatch_that_mixes_tasks(void **state)
{
    (void)state;
    eg_real dy[B * N];
    double expected =
        log(1 + exp(-0.5) + exp(-2.0)) + log(1 + exp(-7.0)) + log(1 + exp(1.4) + exp(0.3));
    assert_true(fabs(mixed_loss_of(y, dy) - expected / B) < 1e-6);
    for (size_t b = 0; b < B; b++) {
        for (size_t j = 0; j < N; j++) {
            const eg_real h = (eg_real)1e-5;
            eg_real moved[B * N];
            eg_real unused[B * N];
            memcpy(moved, y, sizeof moved);
            moved[b * N + j] = y[b * N + j] + h;
            double above = mixed_loss_of(moved, unused);
            moved[b * N + j] = y[b * N + j] - h;
            double below = mixed_loss_of(moved, unused);
            double slope = (above - below) / (2 * (double)h);
            assert_true(fabs((double)dy[b * N + j] - slope) < 1e-9);
            bool takes_part =
                eg_active_place(&tasks[row_task[b]], (uint32_t)j) < tasks[row_task[b]].count;
            assert_true(takes_part || dy[b * N + j] == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_loss_of_the_active_columns),
        cmocka_unit_test(a_label_that_is_not_active_has_no_loss),
        cmocka_unit_test(a_minibatch_that_mixes_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
