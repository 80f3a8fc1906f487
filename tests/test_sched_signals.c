/** Signals, each case in a process of its own, by a clock that the test moves. */
#include "testing.h"

#include "engram/sched.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The clock by which signals are one request or two: it stands still but for the gaps. Atomic, because handlers read it. */
static atomic_long clock_ms = 1000;

int clock_gettime(clockid_t id, struct timespec *time)
{
    (void)id;
    *time = (struct timespec){.tv_sec = atomic_load(&clock_ms) / 1000,
                              .tv_nsec = atomic_load(&clock_ms) % 1000 * 1000000};
    return 0;
}

/* Signals a child `count` times, `gap` ms apart; the child then exits with the number that is pending. */
static int run_child(const int *numbers, size_t count, long gap)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        eg_status status = eg_signals_install();
        if (status.code != EG_OK || eg_signals_pending() != 0) {
            _exit(100);
        }
        for (size_t i = 0; i < count; i++) {
            (void)raise(numbers[i]);
            atomic_fetch_add(&clock_ms, gap);
        }
        _exit(eg_signals_pending());
    }
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    return result;
}

static void assert_survives(const int *numbers, size_t count, long gap, int pending)
{
    int result = run_child(numbers, count, gap);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), pending);
}

static void assert_killed(const int *numbers, size_t count, long gap, int number)
{
    int result = run_child(numbers, count, gap);
    assert_true(WIFSIGNALED(result));
    assert_int_equal(WTERMSIG(result), number);
}

static void test_one_signal_asks_to_stop(void **state)
{
    (void)state;
    const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGXCPU};
    for (size_t i = 0; i < 5; i++) {
        assert_survives(&numbers[i], 1, 0, numbers[i]);
    }
}

static void test_a_second_hard_signal_ends_the_process(void **state)
{
    (void)state;
    assert_killed((const int[]){SIGINT, SIGINT}, 2, 300, SIGINT);
    assert_killed((const int[]){SIGTERM, SIGINT}, 2, 300, SIGINT);
    assert_killed((const int[]){SIGINT, SIGTERM}, 2, 300, SIGTERM);
    assert_killed((const int[]){SIGUSR1, SIGTERM, SIGTERM}, 3, 300, SIGTERM);
}

static void test_soft_signals_never_do(void **state)
{
    (void)state;
    assert_survives((const int[]){SIGUSR1, SIGUSR1, SIGUSR1}, 3, 300, SIGUSR1);
    assert_survives((const int[]){SIGUSR1, SIGTERM}, 2, 300, SIGUSR1);
    assert_survives((const int[]){SIGTERM, SIGUSR1}, 2, 300, SIGTERM);
    assert_survives((const int[]){SIGHUP, SIGHUP}, 2, 300, SIGHUP);
    assert_survives((const int[]){SIGXCPU, SIGXCPU}, 2, 300, SIGXCPU);
}

static void test_nohup(void **state)
{
    (void)state;
    assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    assert_survives((const int[]){SIGHUP}, 1, 0, 0);
    assert_true(signal(SIGHUP, SIG_DFL) != SIG_ERR);
}

/* As GNU timeout does it. */
static void test_the_same_request_twice_is_one(void **state)
{
    (void)state;
    assert_survives((const int[]){SIGTERM, SIGTERM}, 2, 1, SIGTERM);
    assert_survives((const int[]){SIGTERM, SIGTERM}, 2, 200, SIGTERM);
    assert_killed((const int[]){SIGTERM, SIGTERM}, 2, 201, SIGTERM);
}

static void test_installing_again_forgets(void **state)
{
    (void)state;
    assert_ok(eg_signals_install());
    (void)raise(SIGUSR1);
    assert_int_equal(eg_signals_pending(), SIGUSR1);
    assert_ok(eg_signals_install());
    assert_int_equal(eg_signals_pending(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_signal_asks_to_stop),
        cmocka_unit_test(test_a_second_hard_signal_ends_the_process),
        cmocka_unit_test(test_soft_signals_never_do),
        cmocka_unit_test(test_nohup),
        cmocka_unit_test(test_the_same_request_twice_is_one),
        cmocka_unit_test(test_installing_again_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
