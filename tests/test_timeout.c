/** A limit of training time: nothing of it depends on how fast the machine is, because it is either over at once or
 *  never. */
#include "testing.h"

#include "saved_trials.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

/* Every minibatch takes longer than the one, and no trial as long as the other. */
#define OVER "1e-6"
#define NEVER "1e9"

static void assert_timeout(const eg_record *record)
{
    assert_int_equal(eg_record_status(record), EG_TRIAL_TIMEOUT);
    assert_non_null(strstr(eg_record_message(record), "took longer than max_seconds = 1e-06"));
    assert_true(isnan(eg_record_value(record, "objective")));
    assert_true(isnan(eg_record_value(record, "final_accuracy")));
}

/** It ends when the next minibatch would begin: after the first. */
static void ends_after_a_minibatch(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings("max_seconds", OVER));
    eg_record *record = NULL;
    bool refused = false;
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 0, &record, &refused));
    assert_timeout(record);
    assert_int_equal(eg_record_value(record, "steps"), 1);
    assert_int_equal(eg_trial_evaluations(record), 0);
    eg_record_free(record);
    saved_scene_close(&s);
}

/** A limit that is not reached changes nothing, not even the trial's id. */
static void leaves_others_alone(void **state)
{
    (void)state;
    saved_scene without = saved_scene_open(saved_settings(NULL, NULL));
    saved_scene with = saved_scene_open(saved_settings("max_seconds", NEVER));
    uint64_t ids[2];
    assert_ok(eg_trial_id(&ids[0], without.settings, 0));
    assert_ok(eg_trial_id(&ids[1], with.settings, 0));
    assert_int_equal(ids[0], ids[1]);
    eg_record *a = saved_scene_whole(&without);
    eg_record *b = saved_scene_whole(&with);
    assert_saved_same(a, b, "with a limit", 0);
    eg_record_free(a);
    eg_record_free(b);
    saved_scene_close(&without);
    saved_scene_close(&with);
}

/** What was trained before an interruption counts: continued under a limit that it is already over, a trial makes no
 *  minibatch more, wherever it was interrupted, and keeps the evaluations that it has. */
static void counts_over_interruptions(void **state)
{
    (void)state;
    saved_scene without = saved_scene_open(saved_settings(NULL, NULL));
    size_t kept = 0;
    eg_record *whole = saved_scene_whole(&without);
    size_t steps = (size_t)eg_record_value(whole, "steps");
    eg_record_free(whole);
    bool goes_on = true;
    for (size_t poll = 1; goes_on; poll++) {
        saved_scene with = saved_scene_open(saved_settings("max_seconds", OVER));
        eg_record *record = NULL;
        bool refused = false;
        assert_int_equal(saved_scene_run(&without, NULL, poll, 0, &record, &refused).code,
                         EG_STOPPED);
        size_t step = without.step;
        goes_on = step < steps;
        if (goes_on) {
            assert_ok(saved_scene_run(&with, &without.saved, ENDLESS, 0, &record, &refused));
            assert_false(refused);
            assert_timeout(record);
            assert_int_equal(eg_record_value(record, "steps"), step);
            kept += eg_trial_evaluations(record);
            eg_record_free(record);
        }
        saved_scene_close(&with);
    }
    assert_true(kept > 0);
    saved_scene_close(&without);
}

/** One whose minibatches are all made is done, also where it was interrupted at its last one. */
static void last_minibatch_counts(void **state)
{
    (void)state;
    saved_scene without = saved_scene_open(saved_settings(NULL, NULL));
    eg_record *whole = saved_scene_whole(&without);
    size_t polls = without.polls;
    saved_scene with = saved_scene_open(saved_settings("max_seconds", OVER));
    eg_record *record = NULL;
    bool refused = false;
    assert_int_equal(saved_scene_run(&without, NULL, polls, 0, &record, &refused).code, EG_STOPPED);
    assert_int_equal(without.step, (size_t)eg_record_value(whole, "steps"));
    assert_ok(saved_scene_run(&with, &without.saved, ENDLESS, 0, &record, &refused));
    assert_saved_same(whole, record, "at its last minibatch", polls);
    eg_record_free(whole);
    eg_record_free(record);
    saved_scene_close(&without);
    saved_scene_close(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_after_a_minibatch),
        cmocka_unit_test(leaves_others_alone),
        cmocka_unit_test(counts_over_interruptions),
        cmocka_unit_test(last_minibatch_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
