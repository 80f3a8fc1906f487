/** Disparity over orders of tasks, worked by hand. */
#include "testing.h"

#include "engram/disparity.h"

#include <math.h>

/* P = {60, 64, 61; 70, 70, 75}: OPD 4 and 5. */
static void the_worked_example(void **state)
{
    (void)state;
    static const double accuracy[2][3] = {{60, 64, 61}, {70, 70, 75}};
    eg_disparity disparity;
    assert_ok(eg_disparity_init(&disparity, 3, 2));
    for (size_t t = 0; t < 2; t++) {
        for (size_t r = 0; r < 3; r++) {
            eg_disparity_add(&disparity, r, t, accuracy[t][r]);
        }
    }
    assert_close(eg_disparity_of_task(&disparity, 0), 4, 1e-12);
    assert_close(eg_disparity_of_task(&disparity, 1), 5, 1e-12);
    assert_close(eg_disparity_largest(&disparity), 5, 1e-12);
    assert_close(eg_disparity_mean(&disparity), 4.5, 1e-12);
    assert_close(eg_disparity_accuracy(&disparity), 400.0 / 6, 1e-12);
    assert_close(eg_disparity_task_accuracy(&disparity, 1), 215.0 / 3, 1e-12);
    eg_disparity_clear(&disparity);
}

/* Two runs of each order: 50 and 70 are 60, 66 and 62 are 64. Averaged afterwards it would be 4 to 20. */
static void runs_are_averaged_first(void **state)
{
    (void)state;
    eg_disparity disparity;
    assert_ok(eg_disparity_init(&disparity, 2, 1));
    eg_disparity_add(&disparity, 0, 0, 50);
    eg_disparity_add(&disparity, 0, 0, 70);
    eg_disparity_add(&disparity, 1, 0, 66);
    eg_disparity_add(&disparity, 1, 0, 62);
    assert_close(eg_disparity_mean(&disparity), 4, 1e-12);
    eg_disparity_clear(&disparity);
}

static void what_has_no_run(void **state)
{
    (void)state;
    eg_disparity disparity;
    assert_ok(eg_disparity_init(&disparity, 3, 2));
    assert_true(isnan(eg_disparity_accuracy(&disparity)));
    assert_true(isnan(eg_disparity_largest(&disparity)));
    eg_disparity_add(&disparity, 0, 0, 0.5);
    eg_disparity_add(&disparity, 2, 0, 0.75);
    eg_disparity_add(&disparity, 2, 1, 0.25);
    eg_disparity_add(&disparity, 1, 1, (double)NAN);
    assert_close(eg_disparity_of_task(&disparity, 0), 0.25, 1e-12);
    assert_true(isnan(eg_disparity_of_task(&disparity, 1))); /* one order only */
    assert_true(isnan(eg_disparity_mean(&disparity)));
    assert_true(isnan(eg_disparity_largest(&disparity)));
    assert_close(eg_disparity_accuracy(&disparity), 0.5, 1e-12);
    assert_close(eg_disparity_task_accuracy(&disparity, 1), 0.25, 1e-12);
    eg_disparity_clear(&disparity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(runs_are_averaged_first),
        cmocka_unit_test(what_has_no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
