/** When a sweep stops by itself. */
#include "testing.h"

#include "cli/time_limit.h"
#include "engram/params.h"

#include <math.h>

static const double now = 1000000;

static double limit(const char *until, const char *job_end)
{
    double stop = -1;
    assert_ok(eg_time_limit_read(&stop, until, job_end, now));
    return stop;
}

static void without_a_job_there_is_no_limit(void **state)
{
    (void)state;
    assert_true(isinf(limit(NULL, NULL)));
    assert_true(isinf(limit("off", NULL)));
    assert_true(isinf(limit("off", "1000100")));
}

static void a_job_is_left_a_minute(void **state)
{
    (void)state;
    assert_true(limit(NULL, "1007200") == 1007140);
    assert_true(limit(NULL, "1000240") == 1000180);
    /* In a short one a minute would be too much: a quarter. */
    assert_true(limit(NULL, "1000100") == 1000075);
    /* It is over: at once. */
    assert_true(limit(NULL, "999000") == 999000);
}

static void times_of_ones_own(void **state)
{
    (void)state;
    assert_true(limit("+90", NULL) == now + 90);
    assert_true(limit("+1.5s", NULL) == now + 1.5);
    assert_true(limit("+30m", "1000100") == now + 1800);
    assert_true(limit("+4h", NULL) == now + 14400);
    assert_true(limit("+1d", NULL) == now + 86400);
    assert_true(limit("1234567", "1000100") == 1234567);
}

static void anything_else_is_an_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "+",    "soon", "+h",   "+4w",  "+4hm", "-5",
                                      "+-5", "+0x5", "4h",   "+nan", "+1e3", "1.2.3"};
    double stop = 0;
    for (size_t i = 0; i < EG_COUNT(bad); i++) {
        assert_fails(eg_time_limit_read(&stop, bad[i], NULL, now), EG_INVALID, "--until");
    }
    assert_fails(eg_time_limit_read(&stop, NULL, "Unknown", now), EG_INVALID,
                 "SLURM_JOB_END_TIME=Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_job_there_is_no_limit),
        cmocka_unit_test(a_job_is_left_a_minute),
        cmocka_unit_test(times_of_ones_own),
        cmocka_unit_test(anything_else_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
