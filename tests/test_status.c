/** Status: codes, words, wrapping and truncation. */
#include "testing.h"

#include "engram/status.h"

#include <errno.h>
#include <string.h>

static void test_words(void **state)
{
    (void)state;
    eg_status ok = eg_ok();
    assert_true(eg_is_ok(&ok));
    assert_string_equal(ok.message, "");
    assert_fails(eg_fail(EG_INVALID, "%s:%d: bad", "a.yaml", 3), EG_INVALID, "a.yaml:3: bad");
    assert_fails(eg_fail_memory(123), EG_MEMORY, "could not allocate 123 bytes");
    assert_fails(eg_fail_errno(ENOENT, "cannot open %s", "x"), EG_SYSTEM,
                 "cannot open x: No such file or directory");
}

static void test_wrap_and_keep(void **state)
{
    (void)state;
    assert_fails(eg_status_wrap(eg_fail(EG_SYSTEM, "inner"), "outer %d", 7), EG_SYSTEM,
                 "outer 7: inner");
    assert_ok(eg_status_wrap(eg_ok(), "outer"));
    eg_status first = eg_ok();
    eg_status_keep(&first, eg_ok());
    assert_int_equal(first.code, EG_OK);
    eg_status_keep(&first, eg_fail(EG_INVALID, "one"));
    eg_status_keep(&first, eg_fail(EG_SYSTEM, "two"));
    assert_int_equal(first.code, EG_INVALID);
    assert_string_equal(first.message, "one");
}

static void test_truncation(void **state)
{
    (void)state;
    char longer[2 * EG_MESSAGE_SIZE];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    eg_status status = eg_fail(EG_INVALID, "%s", longer);
    assert_int_equal(strlen(status.message), EG_MESSAGE_SIZE - 1);
    status = eg_status_wrap(status, "outer");
    assert_int_equal(strlen(status.message), EG_MESSAGE_SIZE - 1);
    assert_memory_equal(status.message, "outer: xxx", 10);
    status = eg_fail_errno(ENOENT, "%s", longer);
    assert_int_equal(strlen(status.message), EG_MESSAGE_SIZE - 1);
}

static void test_settings(void **state)
{
    (void)state;
    assert_string_equal(eg_fail(EG_INVALID, "x").settings, "");
    eg_status status = eg_fail_setting("model.", "k hidden", "k = %d", 3);
    assert_int_equal(status.code, EG_INVALID);
    assert_string_equal(status.message, "k = 3");
    assert_string_equal(status.settings, "model.k model.hidden");
    status = eg_status_wrap(eg_fail_setting("", "groups", "no"), "in layer 1");
    status = eg_status_about(eg_status_inside(status, "model.", "activation"), "model.", "hidden");
    assert_string_equal(status.message, "in layer 1: no");
    assert_string_equal(status.settings, "model.activation.groups model.activation model.hidden");
    eg_status ok = eg_status_inside(eg_status_about(eg_ok(), "", "a"), "", "b");
    assert_string_equal(ok.settings, "");
    /* What does not fit is left out whole, what comes behind it may still fit. */
    char longer[EG_STATUS_SETTINGS_SIZE];
    memset(longer, 'x', sizeof longer - 2);
    longer[sizeof longer - 2] = '\0';
    status = eg_status_about(eg_fail_setting("", "a", "no"), "", longer);
    assert_string_equal(eg_status_about(status, "b.", "c").settings, "a b.c");
}

static eg_status try_it(eg_status inner, int *reached)
{
    EG_TRY(inner);
    *reached = 1;
    return eg_ok();
}

static eg_status try_done(eg_status inner, int *released)
{
    eg_status status = eg_ok();
    EG_TRY_DONE(status, inner);
    *released += 10;
done:
    *released += 1;
    return status;
}

static void test_try(void **state)
{
    (void)state;
    int reached = 0;
    assert_fails(try_it(eg_fail(EG_STOPPED, "signal"), &reached), EG_STOPPED, "signal");
    assert_int_equal(reached, 0);
    assert_ok(try_it(eg_ok(), &reached));
    assert_int_equal(reached, 1);
    int released = 0;
    assert_fails(try_done(eg_fail(EG_INVALID, "no"), &released), EG_INVALID, "no");
    assert_int_equal(released, 1);
    assert_ok(try_done(eg_ok(), &released));
    assert_int_equal(released, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),      cmocka_unit_test(test_wrap_and_keep),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
