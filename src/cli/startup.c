/** The thread that watches over a start; see cli/startup.h. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "cli/startup.h"

#include "cli/cli.h"
#include "cli/exit_report.h"
#include "cli/format.h"
#include "cli/missing_ranks.h"
#include "cli/terminal.h"
#include "engram/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A thousand ranks that load their program from a slow file system start within this. */
static const double limit_default = 300;
static const struct timespec look_pause = {.tv_sec = 1};
/* A process that was suspended meanwhile has not waited longer than this since it looked last. */
static const double look_longest = 2;
/* A rank that is missing at so many looks in a row, while none of the others came, is gone: a
 * launcher starts them one after the other, without a pause. */
enum { LOOKS = 5 };
/* Whoever has nothing to say leaves so many looks later: who has must still see it. */
enum { LOOKS_SILENT = 3 };
/* Wakes the thread when the start is over, or when MPI ends the process. Only ever sent to the
 * thread. */
static const int wake = SIGALRM;

enum { TEXT_SIZE = 512 };

/* What is watched over; NULL before and after. */
static _Atomic(eg_startup *) starting;

/** One rank of a host says why it ends, the first that can. */
static bool is_first(const eg_startup *me)
{
    for (size_t i = 0; i < me->here.own && me->here.list != NULL; i++) {
        if (me->here.list[i].there && !me->here.list[i].suspended) {
            return false;
        }
    }
    return true;
}

static void leave(const eg_startup *me, int code, const char *text)
{
    eg_reporting reporting = eg_supervisor_tell(code);
    bool first = reporting == EG_REPORTED || (reporting == EG_NOT_SUPERVISED && me->speaks);
    if (first) {
        eg_say(stderr, "engram: %s\n", text);
    }
    _exit(code);
}

static bool is_suspended(const eg_neighbour *one)
{
    return one->there && one->suspended;
}

static bool is_late(const eg_neighbour *one)
{
    return one->there && !one->suspended && !one->arrived;
}

static bool any(const eg_neighbours *here, bool (*is_one)(const eg_neighbour *))
{
    for (size_t i = 0; i < here->count; i++) {
        if (is_one(&here->list[i])) {
            return true;
        }
    }
    return false;
}

static void leave_without_missing(const eg_startup *me)
{
    char text[TEXT_SIZE] = "";
    eg_tell_missing(text, sizeof text, &me->here);
    leave(me, EG_EXIT_SYSTEM, text);
}

static void leave_too_late(const eg_startup *me)
{
    static const struct {
        bool (*is_one)(const eg_neighbour *);
        const char *what;
    } kinds[] = {{eg_rank_is_missing, "not there"},
                 {is_suspended, "suspended"},
                 {is_late, "not yet in MPI_Init"}};
    bool known = false;
    char text[TEXT_SIZE] = "";
    eg_append(text, sizeof text, "the job has not started within %.4g s", me->limit);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (any(&me->here, kinds[i].is_one)) {
            eg_append(text, sizeof text, "; %s: ", kinds[i].what);
            eg_name_ranks(text, sizeof text, &me->here, kinds[i].is_one);
            known = true;
        }
    }
    if (!known && me->here.list != NULL) {
        eg_append(text, sizeof text,
                  "; the ranks of host %s are all there and wait for those of other hosts, or for "
                  "the network",
                  me->here.host);
    }
    eg_append(text, sizeof text, " (" EG_START_TIMEOUT_VARIABLE " sets the limit)");
    leave(me, EG_EXIT_SYSTEM, text);
}

static void leave_for_signal(const eg_startup *me, int number)
{
    char text[TEXT_SIZE] = "";
    eg_append(text, sizeof text,
              "stopped by signal %d (%s) while the job started; nothing had begun", number,
              strsignal(number));
    leave(me, EG_EXIT_STOPPED, text);
}

static void leave_with_mpi(const eg_startup *me, bool missing)
{
    if (missing) {
        leave_without_missing(me);
    }
    leave(me, EG_EXIT_SYSTEM, "MPI ended the ranks while the job started; nothing had begun");
}

/** MPI_Init does not return when it fails, but calls exit: it does when a rank that it waits for is
 *  gone for some seconds, not every time. The thread ends the process with a message instead. */
static void leave_at_exit(void)
{
    eg_startup *me = atomic_load(&starting);
    if (me != NULL && me->process == getpid()) { /* and not a process that MPI has forked */
        atomic_store(&me->ending, true);
        (void)pthread_kill(me->thread, wake);
        while (true) {
            (void)pause();
        }
    }
}

static void *watch(void *argument)
{
    eg_startup *me = argument;
    double waited = 0;
    double looked = eg_clock();
    size_t misses = 0;
    size_t there = 0;
    size_t ending = 0;
    sigset_t awaited = me->stops;
    (void)sigaddset(&awaited, wake);
    (void)pthread_setname_np(pthread_self(), EG_STARTUP_THREAD);
    while (!atomic_load(&me->over)) {
        int number = sigtimedwait(&awaited, NULL, &look_pause);
        int error = errno;
        if (number > 0 && number != wake) {
            leave_for_signal(me, number);
        }
        ending += atomic_load(&me->ending) ? 1 : 0;
        if (ending == 0 && (number > 0 || error != EAGAIN)) {
            continue;
        }
        double now = eg_clock();
        waited += fmin(now - looked, look_longest);
        looked = now;
        if (!eg_neighbours_look(&me->here)) {
            leave(me, EG_EXIT_SYSTEM, "the launcher of the ranks ended while the job started");
        }
        bool missing = me->here.there + me->here.coming < me->here.count;
        misses = missing && me->here.there <= there ? misses + 1 : 0;
        there = me->here.there;
        if (misses <= 1 && waited + LOOKS_SILENT < me->limit) { /* before any of them leaves */
            me->speaks = is_first(me);
        }
        size_t more = me->speaks ? 0 : LOOKS_SILENT;
        if (ending > more) {
            leave_with_mpi(me, missing);
        }
        if (misses >= LOOKS + more) {
            leave_without_missing(me);
        }
        if (waited >= me->limit + (double)more) {
            leave_too_late(me);
        }
    }
    return NULL;
}

eg_status eg_startup_limit(double *out)
{
    const char *text = getenv(EG_START_TIMEOUT_VARIABLE);
    *out = limit_default;
    if (text == NULL || text[0] == '\0') {
        return eg_ok();
    }
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0) {
        return eg_fail(EG_INVALID,
                       EG_START_TIMEOUT_VARIABLE "=%s: must be a number of seconds, 0 "
                                                 "for no limit",
                       text);
    }
    *out = seconds > 0 ? seconds : INFINITY;
    return eg_ok();
}

eg_status eg_startup_open(eg_startup *me)
{
    *me = (eg_startup){.process = getpid()};
    atomic_init(&me->over, false);
    atomic_init(&me->ending, false);
    if (!eg_world_is_launched()) {
        return eg_ok();
    }
    EG_TRY(eg_startup_limit(&me->limit));
    EG_TRY(eg_neighbours_find(&me->here));
    me->speaks = is_first(me);
    int numbers[EG_STOP_SIGNALS_MAX];
    size_t count = eg_signals_that_stop(numbers);
    (void)sigemptyset(&me->stops);
    for (size_t i = 0; i < count; i++) {
        (void)sigaddset(&me->stops, numbers[i]);
    }
    sigset_t all;
    (void)sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &me->before);
    if (error == 0) {
        error = pthread_create(&me->thread, NULL, watch, me);
        me->watched = error == 0;
        /* What MPI starts meanwhile must not take the signals that the thread waits for. */
        (void)pthread_sigmask(SIG_SETMASK, &me->before, NULL);
        (void)pthread_sigmask(SIG_BLOCK, me->watched ? &me->stops : NULL, NULL);
    }
    if (me->watched && atexit(leave_at_exit) == 0) {
        atomic_store(&starting, me);
    }
    return error == 0 ? eg_ok() : eg_fail_errno(error, "cannot start a thread");
}

void eg_startup_close(eg_startup *me)
{
    if (me->watched) {
        atomic_store(&starting, NULL);
        atomic_store(&me->over, true);
        (void)pthread_kill(me->thread, wake);
        (void)pthread_join(me->thread, NULL);
        (void)pthread_sigmask(SIG_SETMASK, &me->before, NULL);
        me->watched = false;
    }
    eg_neighbours_clear(&me->here);
}
