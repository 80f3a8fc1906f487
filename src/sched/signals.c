/** Signals that ask to stop. The handlers only note the request; everybody looks at it when
 * convenient. */
#include "engram/sched.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/* Several programs signal twice on purpose: GNU timeout signals its child and then the child's
 * group, scancel reaches a rank directly and through mpirun. Requests this close together are one.
 */
static const int64_t same_request_ns = INT64_C(200000000);

/* What a handler may touch must be static; lock-free atomics are safe there and across threads. */
static atomic_int pending;
static _Atomic int64_t first_hard_ns;

static int64_t now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void handle(int number)
{
    int saved = errno;
    int none = 0;
    (void)atomic_compare_exchange_strong(&pending, &none, number);
    if (number == SIGINT || number == SIGTERM) {
        int64_t now = now_ns();
        int64_t first = 0;
        if (!atomic_compare_exchange_strong(&first_hard_ns, &first, now) &&
            now - first > same_request_ns) {
            /* Somebody insists. The signal is blocked while its handler runs, so the raised one
             * ends the process when this returns. */
            (void)signal(number, SIG_DFL);
            (void)raise(number);
        }
    }
    errno = saved;
}

size_t eg_signals_that_stop(int out[EG_STOP_SIGNALS_MAX])
{
    static const int numbers[EG_STOP_SIGNALS_MAX] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGXCPU};
    size_t count = 0;
    for (size_t i = 0; i < EG_STOP_SIGNALS_MAX; i++) {
        struct sigaction before;
        bool ignored = sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN;
        if (numbers[i] != SIGHUP || !ignored) { /* nohup: it is to outlive the terminal */
            out[count++] = numbers[i];
        }
    }
    return count;
}

eg_status eg_signals_install(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    int numbers[EG_STOP_SIGNALS_MAX];
    size_t count = eg_signals_that_stop(numbers);
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < count; i++) {
        (void)sigaddset(&action.sa_mask, numbers[i]);
    }
    eg_signals_forget();
    for (size_t i = 0; i < count; i++) {
        if (sigaction(numbers[i], &action, NULL) != 0) {
            return eg_fail_errno(errno, "cannot handle signal %d", numbers[i]);
        }
    }
    return eg_ok();
}

int eg_signals_pending(void)
{
    return atomic_load(&pending);
}

void eg_signals_request(void)
{
    int none = 0;
    (void)atomic_compare_exchange_strong(&pending, &none, SIGUSR1);
}

void eg_signals_forget(void)
{
    atomic_store(&pending, 0);
    atomic_store(&first_hard_ns, 0);
}
