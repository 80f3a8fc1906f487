/** The words of --redo. */
#include "testing.h"

#include "engram/params.h"
#include "engram/run.h"
#include "run/redo.h"

#include <string.h>

static void test_known_words(void **state)
{
    (void)state;
    const struct {
        const char *words, *error;
    } rows[] = {
        {"failed", NULL},
        {"failed,diverged,all", NULL},
        {"status=failed,id=0", NULL},
        {"timeout,status=timeout", NULL},
        {"status=", "must be"},
        {"id=0123456789abcdef", NULL},
        {"id=0123456789abcdef0", "--redo id=0123456789abcdef0: must be"},
        {"id=", "--redo id=: must be"},
        {"id=XY", "--redo id=XY: must be"},
        {"status=pending", "--redo status=pending: must be"},
        {"status=skipped", "must be"},
        {"failed,fail", "--redo fail: must be"},
        {"failed,,all", "--redo : must be"},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_status status = eg_run_check_redo(rows[i].words);
        if (rows[i].error == NULL) {
            assert_ok(status);
        } else {
            assert_fails(status, EG_INVALID, rows[i].error);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    const eg_plan_trial trial = {.id = 0x00ab000000000001ULL};
    const struct {
        const char *words;
        unsigned statuses; /* a bit for each that is named */
    } rows[] = {
        {NULL, 0},
        {"failed", 1U << EG_TRIAL_FAILED},
        {"diverged", 1U << EG_TRIAL_DIVERGED},
        {"timeout", 1U << EG_TRIAL_TIMEOUT},
        {"status=timeout", 1U << EG_TRIAL_TIMEOUT},
        {"status=done,status=failed", 1U << EG_TRIAL_DONE | 1U << EG_TRIAL_FAILED},
        {"id=00ab", 0x1ff},
        {"id=00ac", 0},
        {"all", 0x1ff},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        for (int s = 0; s < EG_TRIAL_STATUS_COUNT; s++) {
            bool wanted = (rows[i].statuses >> s & 1U) != 0;
            assert_int_equal(eg_run_redo_names(rows[i].words, &trial, (eg_trial_status)s, NULL),
                             wanted);
        }
    }
}

static void test_ids_must_exist(void **state)
{
    (void)state;
    const eg_plan_trial trial = {.id = 0x00ab000000000001ULL};
    bool used[3] = {false};
    assert_true(eg_run_redo_names("failed,id=00ab,id=01", &trial, EG_TRIAL_DONE, used));
    assert_false(used[0]);
    assert_true(used[1]);
    assert_fails(eg_run_redo_check_used("failed,id=00ab,id=01", used), EG_INVALID,
                 "--redo id=01: the sweep has no trial with that id");
    used[2] = true;
    assert_ok(eg_run_redo_check_used("failed,id=00ab,id=01", used));
    assert_ok(eg_run_redo_check_used(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_words),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ids_must_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
