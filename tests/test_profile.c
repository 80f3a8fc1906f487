/** The clock of a profile. */
#include "testing.h"

#include "engram/profile.h"

#include <string.h>
#include <time.h>

static void wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    (void)nanosleep(&moment, NULL);
}

static void one_hand_runs(void **state)
{
    (void)state;
    eg_profile profile;
    eg_profile_start(&profile);
    assert_int_equal(eg_profile_enter(&profile, EG_PROFILE_FORWARD), EG_PROFILE_OTHER);
    wait_a_moment();
    eg_profile_part before = eg_profile_enter(&profile, EG_PROFILE_UPDATE);
    assert_int_equal(before, EG_PROFILE_FORWARD);
    wait_a_moment();
    assert_int_equal(eg_profile_enter(&profile, before), EG_PROFILE_UPDATE);
    assert_true(profile.seconds[EG_PROFILE_FORWARD] >= 0.002);
    assert_true(profile.seconds[EG_PROFILE_UPDATE] >= 0.002);
    assert_true(profile.seconds[EG_PROFILE_DATA] == 0.0);
    eg_profile_start(&profile);
    assert_true(profile.seconds[EG_PROFILE_UPDATE] == 0.0);
}

static void without_a_profile_nothing_happens(void **state)
{
    (void)state;
    assert_int_equal(eg_profile_enter(NULL, EG_PROFILE_DATA), EG_PROFILE_DATA);
}

static void every_part_has_a_name(void **state)
{
    (void)state;
    for (size_t a = 0; a < EG_PROFILE_COUNT; a++) {
        assert_non_null(eg_profile_names[a]);
        for (size_t b = 0; b < a; b++) {
            assert_string_not_equal(eg_profile_names[a], eg_profile_names[b]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hand_runs),
        cmocka_unit_test(without_a_profile_nothing_happens),
        cmocka_unit_test(every_part_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
