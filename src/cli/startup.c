/** The thread that watches over a start; see cli/startup.h. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "cli/startup.h"

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/supervise.h"
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
/* A rank that is missing at so many looks in a row, while none of the others came, is gone: a launcher starts them one
 * after the other, without a pause. */
enum { LOOKS = 5 };
/* Whoever has nothing to say leaves so many looks later: who has must still see it. */
enum { LOOKS_SILENT = 3 };
/* Wakes the thread when the start is over. Only ever sent to the thread. */
static const int wake = SIGALRM;

enum { TEXT_SIZE = 512 };

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

/** "rank 2", "ranks 2 and 3", "ranks 2, 3 and 4 others" of those that are not there, or are suspended, or have not
 *  arrived. */
static void name_ranks(char *text, size_t size, const eg_neighbours *here,
                       bool (*is_named)(const eg_neighbour *))
{
    enum { NAMED = 8 };
    size_t count = 0;
    for (size_t i = 0; i < here->count; i++) {
        count += is_named(&here->list[i]) ? 1 : 0;
    }
    size_t named = 0;
    eg_append(text, size, "rank%s", eg_plural(count));
    for (size_t i = 0; i < here->count && named < NAMED; i++) {
        if (is_named(&here->list[i])) {
            eg_append(text, size, "%s", named == 0 ? " " : named + 1 == count ? " and " : ", ");
            if (here->list[i].rank >= 0) {
                eg_append(text, size, "%ld", here->list[i].rank);
            } else {
                eg_append(text, size, "(number %zu of this host)", i + 1);
            }
            named++;
        }
    }
    if (count > NAMED) {
        eg_append(text, size, " and %zu others", count - NAMED);
    }
    eg_append(text, size, " on host %s", here->host);
}

static bool is_missing(const eg_neighbour *one)
{
    return !one->there;
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
    name_ranks(text, sizeof text, &me->here, is_missing);
    eg_append(text, sizeof text,
              " ended while the job started; nothing had begun, the same command starts again");
    leave(me, EG_EXIT_SYSTEM, text);
}

static void leave_too_late(const eg_startup *me)
{
    static const struct {
        bool (*is_one)(const eg_neighbour *);
        const char *what;
    } kinds[] = {
        {is_missing, "not there"}, {is_suspended, "suspended"}, {is_late, "not yet in MPI_Init"}};
    bool known = false;
    char text[TEXT_SIZE] = "";
    eg_append(text, sizeof text, "the job has not started within %.4g s", me->limit);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (any(&me->here, kinds[i].is_one)) {
            eg_append(text, sizeof text, "; %s: ", kinds[i].what);
            name_ranks(text, sizeof text, &me->here, kinds[i].is_one);
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

static void *watch(void *argument)
{
    eg_startup *me = argument;
    double waited = 0;
    double looked = eg_clock();
    size_t misses = 0;
    size_t there = 0;
    sigset_t awaited = me->stops;
    (void)sigaddset(&awaited, wake);
    (void)pthread_setname_np(pthread_self(), EG_STARTUP_THREAD);
    while (!atomic_load(&me->over)) {
        int number = sigtimedwait(&awaited, NULL, &look_pause);
        if (number > 0 && number != wake) {
            leave_for_signal(me, number);
        }
        if (number > 0 || errno != EAGAIN) {
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

eg_status eg_startup_begin(eg_startup *me)
{
    *me = (eg_startup){0};
    atomic_init(&me->over, false);
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
    return error == 0 ? eg_ok() : eg_fail_errno(error, "cannot start a thread");
}

void eg_startup_end(eg_startup *me)
{
    if (me->watched) {
        atomic_store(&me->over, true);
        (void)pthread_kill(me->thread, wake);
        (void)pthread_join(me->thread, NULL);
        (void)pthread_sigmask(SIG_SETMASK, &me->before, NULL);
        me->watched = false;
    }
    eg_neighbours_clear(&me->here);
}
