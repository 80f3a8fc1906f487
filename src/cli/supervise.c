/** The process that watches over mpirun; see cli/supervise.h. It never enters MPI.
 *
 *  Why the launcher's own ways do not do (Open MPI 4.1, Slurm 22.05):
 *  - With recovery mpirun returns 0 whatever the ranks return; without it, it kills them all
 *    when the first one returns anything else. So rank 0 writes its exit code into a file, and
 *    does so before it leaves MPI: there a launcher that is being ended kills it.
 *  - On SIGINT mpirun kills the ranks a second later. So it gets a session of its own, where
 *    Ctrl-C does not reach it, and is sent SIGUSR1, which it passes on and survives; before it
 *    is ready for it, it would die of it, or lose it: it starts with SIGUSR1 ignored, and the
 *    request is repeated.
 *  - It waits for ever for a host that is gone, and where Slurm signalled it too, longer than
 *    Slurm itself waits. When rank 0 has ended, so have all others, and mpirun is killed if it
 *    has not noticed.
 *  - Slurm signals everything that a job has started, this process and the launcher. */
#define _GNU_SOURCE /* subreaper, death signal */
#include "cli/supervise.h"

#include "cli/cli.h"
#include "cli/exit_report.h"
#include "cli/format.h"
#include "cli/missing_ranks.h"
#include "cli/rank_ends.h"
#include "cli/startup.h"
#include "engram/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How often a request to stop is repeated. */
static const double repeat_seconds = 3;
/* How long the launcher may take to end after rank 0. */
static const double linger_seconds = 3;
/* How long it may take to end the ranks when told to: it gives them one second itself. */
static const double end_seconds = 5;
/* How long ranks whose launcher is gone may take to leave by themselves. */
static const double orphan_seconds = 5;
/* Told to end, and not only to save itself in time, the job has this long; then the launcher is
 * told to end the ranks, and then it and they are killed. */
static const double stop_seconds = 18;
static const double kill_seconds = 20;
/* How often to look whether rank 0 has written its code. */
static const double look_seconds = 0.5;
/* How often to look for ranks as long as the launcher is starting them. */
static const double start_look_seconds = 0.02;
/* Requests this close together are one: timeout and scancel signal twice, see sched/signals.c. */
static const double same_request_seconds = 0.2;

enum { TEXT_SIZE = 512 };

typedef struct supervisor {
    const char *who;
    eg_exit_report report; /* what rank 0 tells */
    eg_rank_ends ends;
    pid_t launcher;
    sigset_t watched; /* blocked, and waited for */
    size_t requests;
    bool terminated;
    double limit;          /* seconds that the launcher may be without children; INFINITY: any */
    bool expects_children; /* those of a launcher of this machine alone are its ranks */
    double childless;      /* since when it is, on eg_clock */
    bool launcher_lost;    /* somebody else killed it */
    double requested;      /* when the latest request came, on eg_clock */
    double repeat_at;      /* when to ask the launcher to stop; INFINITY: not */
    double force_at;       /* when to tell it to end the ranks; INFINITY: not */
    double kill_at;        /* when to kill it; INFINITY: not yet known */
    bool forced;           /* time is up: whatever is left is killed */
    bool started;          /* rank 0 has said that all ranks are there */
    bool reported;         /* it has written its code */
} supervisor;

/** From here on, and for good, signals wait until they are asked for: none is to end this
 *  process before it has said how the ranks ended. One that is ignored (nohup) stays so. */
static eg_status block_signals(supervisor *me, sigset_t *before)
{
    int numbers[EG_STOP_SIGNALS_MAX];
    size_t count = eg_signals_that_stop(numbers);
    (void)sigemptyset(&me->watched);
    for (size_t i = 0; i < count; i++) {
        (void)sigaddset(&me->watched, numbers[i]);
    }
    (void)sigaddset(&me->watched, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL); /* an ignored one makes children vanish unseen */
    if (sigprocmask(SIG_BLOCK, &me->watched, before) != 0) {
        return eg_fail_errno(errno, "cannot block signals");
    }
    return eg_ok();
}

/** No standard input: mpirun would take what the terminal says. */
static bool become_deaf(void)
{
    int nothing = open("/dev/null", O_RDONLY);
    bool done = nothing >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO;
    if (nothing > STDIN_FILENO) {
        (void)close(nothing);
    }
    return done;
}

/** In the new process: becomes the launcher. Only calls that are safe between fork and exec. */
static void become(const eg_command *launcher, const sigset_t *mask, pid_t parent)
{
    /* Should this supervisor be killed, mpirun ends its ranks. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    bool input = launcher->reads_input || become_deaf();
    if (getppid() == parent && setsid() >= 0 && input) {
        (void)signal(SIGUSR1, SIG_IGN);
        (void)signal(SIGINT, SIG_DFL); /* background jobs of a shell begin with it ignored */
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        (void)execvp(launcher->arguments[0], launcher->arguments);
    }
    _exit(127);
}

static void clear_line(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "\r\033[K"); /* the progress line */
    }
}

static void take_request(supervisor *me, int number)
{
    double now = eg_clock();
    me->terminated = me->terminated || number == SIGTERM;
    if (number != SIGUSR1 && number != SIGXCPU) { /* these come long before the time is up */
        me->force_at = fmin(me->force_at, now + stop_seconds);
    }
    if (me->requests > 0 && now - me->requested < same_request_seconds) {
        return;
    }
    me->requests++;
    me->requested = now;
    if (me->requests == 1) {
        clear_line();
        (void)fprintf(stderr, "engram %s: stopping; what is done is kept (again: at once)\n",
                      me->who);
        me->repeat_at = now;
    } else {
        me->repeat_at = INFINITY;
        (void)kill(me->launcher, SIGTERM);
        me->kill_at = fmin(me->kill_at, now + end_seconds);
    }
}

/** Open MPI 4.1 that could not start its ranks, or lost them while it did, may never end. */
static void check_children(supervisor *me, double now)
{
    if (!me->expects_children || me->reported || eg_has_children(me->launcher)) {
        me->childless = now;
    } else if (now - me->childless >= me->limit && isinf(me->kill_at)) {
        clear_line();
        (void)fprintf(stderr, "engram %s: mpirun has run no rank for %.0f s and is ended\n",
                      me->who, me->limit);
        me->kill_at = now;
    }
}

/** Everything that is due now. */
static void act(supervisor *me)
{
    double now = eg_clock();
    if (!me->reported && eg_exit_report_code(&me->report) >= 0) {
        me->reported = true;
        me->kill_at = fmin(me->kill_at, now + linger_seconds);
    }
    check_children(me, now);
    if (now >= me->repeat_at && !me->reported) {
        (void)kill(me->launcher, SIGUSR1);
        me->repeat_at = now + repeat_seconds;
    }
    if (now >= me->force_at && !me->reported && !me->forced) {
        me->forced = true;
        clear_line();
        (void)fprintf(
            stderr,
            "engram %s: not stopped within %.0f s: ended by force; what the journal has is "
            "kept\n",
            me->who, stop_seconds);
        (void)kill(me->launcher, SIGTERM);
        me->kill_at = fmin(me->kill_at, now + kill_seconds - stop_seconds);
    }
    if (now >= me->kill_at) {
        (void)kill(me->launcher, SIGKILL);
    }
}

/** Until rank 0 says that all are there, any of them that ends may take the others with it. */
static eg_status look_at_start(supervisor *me)
{
    me->started = me->started || eg_exit_report_has_started(&me->report);
    return me->started ? eg_ok() : eg_rank_ends_look(&me->ends);
}

/** Waits a moment for a signal, or for the end of a child. */
static void await_signal(supervisor *me, double seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)(1e9 * (seconds - floor(seconds)))};
    int number = sigtimedwait(&me->watched, NULL, &pause);
    if (number > 0 && number != SIGCHLD) {
        take_request(me, number);
    }
}

/** Until the launcher has ended; whatever else ends meanwhile was adopted. */
static eg_status watch(supervisor *me)
{
    while (true) {
        int state = 0;
        pid_t ended = waitpid(-1, &state, WNOHANG);
        if (ended == me->launcher) {
            me->launcher_lost = WIFSIGNALED(state) && me->requests == 0 && isinf(me->kill_at);
            return eg_ok();
        }
        if (ended < 0) {
            return eg_fail_errno(errno, "cannot wait for the launcher");
        }
        if (ended == 0) {
            act(me);
            EG_TRY(look_at_start(me));
            bool coming = !me->started && !eg_rank_ends_all_seen(&me->ends);
            await_signal(me, coming ? start_look_seconds : look_seconds);
        }
    }
}

/** Signals all children: ranks whose launcher is gone became ours. */
static void signal_children(int number)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *list = fopen(path, "re");
    long pid = 0;
    while (list != NULL && fscanf(list, "%ld", &pid) == 1) {
        (void)kill((pid_t)pid, number);
    }
    if (list != NULL) {
        (void)fclose(list);
    }
}

/** Ranks that outlived their launcher are asked to leave, then killed. */
static void end_orphans(supervisor *me)
{
    double deadline = eg_clock() + orphan_seconds;
    bool asked = false;
    while (true) {
        pid_t ended = waitpid(-1, NULL, WNOHANG);
        if (ended < 0) {
            return; /* none is left */
        }
        if (ended == 0) {
            bool late = eg_clock() >= deadline || me->requests > 1 || me->forced;
            if (late || !asked) {
                signal_children(late ? SIGKILL : SIGTERM);
                asked = true;
            }
            await_signal(me, look_seconds);
        }
    }
}

static void judge(supervisor *me, eg_supervised *out)
{
    int code = eg_exit_report_code(&me->report);
    *out = (eg_supervised){.code = code, .terminated = me->terminated};
    /* Ranks without a launcher were asked to stop by this process, and by nobody else; and what
     * they say of its loss goes to a pipe that it read. */
    bool failed = code < 0 || code == EG_EXIT_STOPPED || code == EG_EXIT_SYSTEM;
    bool lost = me->launcher_lost && failed;
    if (code >= 0 && !lost) {
        return;
    }
    if (me->requests > 0) {
        out->code = EG_EXIT_STOPPED; /* ended by us before it could say so itself */
        return;
    }
    char text[TEXT_SIZE] = "";
    bool started = eg_exit_report_has_started(&me->report);
    if (!started && !lost && eg_rank_ends_first(&me->ends)) {
        eg_tell_missing(text, sizeof text, &me->ends.ranks);
    } else {
        eg_append(text, sizeof text,
                  "%s was lost; what the journal has is safe, the same command continues",
                  lost ? "the launcher" : "rank 0");
    }
    clear_line();
    (void)fprintf(stderr, "engram %s: %s\n", me->who, text);
    out->code = EG_EXIT_SYSTEM;
}

static eg_status start(supervisor *me, const eg_command *launcher, const sigset_t *mask)
{
    /* Ranks whose launcher is killed become our children instead of init's. */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t parent = getpid();
    (void)fflush(NULL);
    me->launcher = fork();
    if (me->launcher == 0) {
        become(launcher, mask, parent);
    }
    return me->launcher > 0 ? eg_ok()
                            : eg_fail_errno(errno, "cannot start %s", launcher->arguments[0]);
}

eg_status eg_supervise(eg_supervised *out, const eg_command *launcher, const char *who)
{
    supervisor me = {.who = who,
                     .expects_children = launcher->has_children,
                     .childless = eg_clock(),
                     .repeat_at = INFINITY,
                     .force_at = INFINITY,
                     .kill_at = INFINITY};
    sigset_t before;
    eg_status status = eg_startup_limit(&me.limit); /* said once, and not by every rank */
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_exit_report_open(&me.report));
    EG_TRY_DONE(status, block_signals(&me, &before));
    EG_TRY_DONE(status, start(&me, launcher, &before));
    eg_rank_ends_open(&me.ends, (long)me.launcher);
    status = watch(&me);
    end_orphans(&me);
    if (status.code == EG_OK) {
        judge(&me, out);
    }
    eg_rank_ends_close(&me.ends);
done:
    eg_exit_report_close(&me.report);
    return status;
}
