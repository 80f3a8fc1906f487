/** Phases that a learner ends after fewer epochs than they may have: counts, evaluations, checkpoints, pauses. */
#include "testing.h"

#include "saved_trials.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 6, EPOCH = 3, PHASES = 2 }; /* 24 examples of each task in minibatches of 9 */

/** Early stopping that is never content, so that a phase ends after its first epoch without improvement. */
static eg_settings *settings_of(const char *every)
{
    const eg_assignment all[] = {
        {"dataset", "synthetic", {0}},        {"dataset.examples", "60", {0}},
        {"dataset.test_examples", "20", {0}}, {"dataset.side", "8", {0}},
        {"stream.tasks", "2", {0}},           {"stream.batch", "9", {0}},
        {"stream.epochs", "6", {0}},          {"model.hidden", "[6]", {0}},
        {"protocol.fraction", "0.2", {0}},    {"eval.every", every, {0}},
        {"learner", "early_stopping", {0}},   {"learner.patience", "1", {0}},
        {"optimizer.lr", "0.03", {0}},        {"measures", "[default, online]", {0}},
    };
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, EG_COUNT(all)));
    assert_ok(eg_trial_check(settings));
    return settings;
}

static eg_record *run_whole(saved_scene *s)
{
    eg_record *record = NULL;
    bool refused = false;
    assert_ok(saved_scene_run(s, NULL, ENDLESS, 0, &record, &refused));
    assert_int_equal(eg_record_status(record), EG_TRIAL_DONE);
    return record;
}

static void assert_same(const eg_record *a, const eg_record *b)
{
    assert_int_equal(eg_record_count(a), eg_record_count(b));
    for (size_t i = 0; i < eg_record_count(a); i++) {
        const eg_array *x = eg_record_at(a, i);
        if (!eg_trial_variable(x->name)->volatile_) {
            assert_int_equal(eg_array_difference(x, eg_record_find(b, x->name)), SIZE_MAX);
        }
    }
}

/** Whole epochs were made, fewer than there may be; the axis of evaluations ends where the trial did. */
static void counts_follow(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of("4"));
    eg_record *record = run_whole(&s);
    const eg_array *step = eg_record_find(record, "step");
    const eg_array *phase = eg_record_find(record, "phase");
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    size_t steps = (size_t)eg_record_value(record, "steps");
    size_t evaluations = eg_trial_evaluations(record);
    assert_int_equal(steps, s.step);
    assert_int_equal(steps % EPOCH, 0);
    assert_in_range(steps, 2 * PHASES * EPOCH, PHASES * EPOCHS * EPOCH - 1);
    assert_true(evaluations < step->count);
    assert_int_equal(step->data[evaluations - 1], steps);
    assert_int_equal(phase->data[evaluations - 1], PHASES - 1);
    size_t multiples = 0;
    for (size_t i = 0; i < evaluations; i++) {
        multiples += (size_t)step->data[i] % 4 == 0;
    }
    assert_int_equal(multiples, steps / 4);
    for (size_t i = 0; i < matrix->count; i++) {
        assert_true(isfinite(matrix->data[i]));
    }
    assert_true(isfinite(eg_record_value(record, "final_accuracy")));
    assert_true(isfinite(eg_record_value(record, "objective")));
    eg_record_free(record);
    saved_scene_close(&s);
}

/** Minibatches up to the end of the first phase. */
static size_t first_phase_of(const eg_record *record)
{
    const eg_array *step = eg_record_find(record, "step");
    const eg_array *phase = eg_record_find(record, "phase");
    size_t end = 0;
    for (size_t i = 0; i < eg_trial_evaluations(record) && phase->data[i] == 0; i++) {
        end = (size_t)step->data[i];
    }
    assert_true(end < EPOCHS * EPOCH);
    return end;
}

/** Stopped anywhere and continued it is the same, where it ended early and where it has not yet. */
static void continued_everywhere(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of("4"));
    eg_record *whole = run_whole(&s);
    size_t polls = s.polls;
    size_t stops = 0;
    size_t first_phase = first_phase_of(whole);
    for (size_t n = 1; n <= polls; n++) {
        eg_record *record = NULL;
        bool refused = false;
        eg_writer_clear(&s.saved);
        s.saved = (eg_writer){0};
        eg_status status = saved_scene_run(&s, NULL, n, 0, &record, &refused);
        if (status.code == EG_STOPPED && s.saved.size > 0) {
            stops++;
            assert_ok(saved_scene_run(&s, &s.saved, ENDLESS, 0, &record, &refused));
            assert_true(s.continued > 0);
            size_t left_out = s.continued > first_phase ? EPOCHS * EPOCH - first_phase : 0;
            assert_in_range(s.steps, s.continued, PHASES * EPOCHS * EPOCH - left_out);
        }
        if (record != NULL) {
            assert_same(whole, record);
        }
        eg_record_free(record);
    }
    assert_true(stops > 20);
    eg_record_free(whole);
    saved_scene_close(&s);
}

/** A rung counts evaluations; one that is not reached because the trial ended early is no pause. */
static void paused_at_rungs(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of("4"));
    eg_record *whole = run_whole(&s);
    size_t evaluations = eg_trial_evaluations(whole);
    for (size_t until = 1; until <= evaluations + 1; until++) {
        eg_record *record = NULL;
        bool refused = false;
        s.until = until;
        assert_ok(saved_scene_run(&s, NULL, ENDLESS, 0, &record, &refused));
        bool pauses = until < evaluations;
        assert_int_equal(eg_record_status(record), pauses ? EG_TRIAL_PAUSED : EG_TRIAL_DONE);
        assert_int_equal(eg_trial_evaluations(record), pauses ? until : evaluations);
        eg_record_free(record);
        if (pauses) {
            s.until = 0;
            assert_ok(saved_scene_run(&s, &s.saved, ENDLESS, 0, &record, &refused));
            assert_same(whole, record);
            eg_record_free(record);
        }
    }
    eg_record_free(whole);
    saved_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_follow),
        cmocka_unit_test(continued_everywhere),
        cmocka_unit_test(paused_at_rungs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
