/** A program beside this one; see base/shared/coprocess.h. */
#define _GNU_SOURCE /* pipe2, close_range, death signal */
#include "base/shared/coprocess.h"

#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16 };

/* How long it may take to end when told to. */
static const double end_seconds = 2;
/* A process that ends closes its files a moment before that shows. */
static const double moment_seconds = 5;
static const long look_nanoseconds = 5000000;

struct eg_coprocess {
    pid_t pid;
    int to, from; /* -1: closed */
    eg_writer out;
    size_t sent;  /* of `out` */
    bool hung_up; /* `to` is closed when `out` is sent */
    char *said;   /* [capacity] what was received … */
    size_t capacity, received;
    size_t taken;  /* … and of it, lines that were given out */
    double closed; /* when its output was found closed, on eg_clock; 0: it is open */
};

/** --- Starting -------------------------------------------------------------------------------- */

/** In the new process; only calls that are safe between fork and exec. Locks on files of the parent
 *  must not live on in it. */
static void become(const char *command, int in, int out, pid_t parent)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGPIPE, SIGXFSZ};
    sigset_t none;
    (void)sigemptyset(&none);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)signal(numbers[i], SIG_DFL);
    }
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool ready = getppid() == parent && dup2(in, STDIN_FILENO) >= 0 &&
                 dup2(out, STDOUT_FILENO) >= 0 && close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
    if (ready) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    _exit(127);
}

static void close_pair(const int ends[2])
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static eg_status start(eg_coprocess *process, const char *command)
{
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        return eg_fail_errno(errno, "cannot make a pipe");
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        int error = errno;
        close_pair(in);
        return eg_fail_errno(error, "cannot make a pipe");
    }
    pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) {
        become(command, in[0], out[1], parent);
    }
    int error = errno;
    (void)close(in[0]);
    (void)close(out[1]);
    process->to = in[1];
    process->from = out[0];
    if (process->pid < 0) {
        return eg_fail_errno(error, "cannot start a process");
    }
    (void)setpgid(process->pid, process->pid); /* here too: whoever of the two comes first */
    bool set = fcntl(process->to, F_SETFL, O_NONBLOCK) == 0 &&
               fcntl(process->from, F_SETFL, O_NONBLOCK) == 0;
    return set ? eg_ok() : eg_fail_errno(errno, "cannot set up a pipe");
}

eg_status eg_coprocess_start(eg_coprocess **out, const char *command)
{
    *out = NULL;
    eg_coprocess *process = NULL;
    EG_TRY(eg_alloc(&process, 1, sizeof *process));
    process->pid = process->to = process->from = -1;
    eg_status status = start(process, command);
    if (status.code != EG_OK) {
        eg_coprocess_free(process);
        return status;
    }
    *out = process;
    return eg_ok();
}

/** --- Its end --------------------------------------------------------------------------------- */

/** It is not reaped: so long its process group cannot become another one. */
bool eg_coprocess_has_ended(eg_coprocess *process, int *code)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return false;
    }
    *code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return true;
}

static eg_status say_end(eg_coprocess *process)
{
    int code = 0;
    if (!eg_coprocess_has_ended(process, &code)) {
        return eg_fail(EG_SYSTEM, "closed its standard output");
    }
    if (code > 128) {
        return eg_fail(EG_SYSTEM, "was ended by signal %d", code - 128);
    }
    return eg_fail(EG_SYSTEM, "ended with exit code %d%s", code,
                   code == 127 ? " (no such command, perhaps)" : "");
}

/** --- Speaking -------------------------------------------------------------------------------- */

/** write() to a pipe that nobody reads, without the signal that comes of it. */
static ssize_t write_quietly(int fd, const void *data, size_t size)
{
    sigset_t pipe_signal;
    sigset_t before;
    sigset_t waiting;
    const struct timespec now = {0};
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)sigpending(&waiting);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t wrote = write(fd, data, size);
    int error = errno;
    if (wrote < 0 && error == EPIPE && sigismember(&waiting, SIGPIPE) == 0) {
        (void)sigtimedwait(&pipe_signal, NULL, &now);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return wrote;
}

static void close_input(eg_coprocess *process)
{
    if (process->to >= 0) {
        (void)close(process->to);
    }
    process->to = -1;
}

/** A process that has closed its input may still have something to say, or says why by its end. */
static void send_more(eg_coprocess *process)
{
    while (process->to >= 0 && process->sent < process->out.size) {
        ssize_t wrote = write_quietly(process->to, process->out.data + process->sent,
                                      process->out.size - process->sent);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0 && errno == EAGAIN) {
            return;
        }
        if (wrote < 0) {
            close_input(process);
            return;
        }
        process->sent += (size_t)wrote;
    }
    if (process->sent == process->out.size) {
        eg_writer_reset(&process->out);
        process->sent = 0;
        if (process->hung_up) {
            close_input(process);
        }
    }
}

eg_status eg_coprocess_say(eg_coprocess *process, const char *text)
{
    eg_write_bytes(&process->out, text, strlen(text));
    eg_write_u8(&process->out, '\n');
    EG_TRY(eg_writer_status(&process->out));
    send_more(process);
    return eg_ok();
}

void eg_coprocess_hang_up(eg_coprocess *process)
{
    process->hung_up = true;
    send_more(process);
}

/** --- Listening ------------------------------------------------------------------------------- */

/** What is there to be read. *over: there will be no more. */
static eg_status receive(eg_coprocess *process, bool *over)
{
    *over = process->from < 0;
    while (!*over && process->received <= EG_COPROCESS_LINE_MAX) {
        EG_TRY(eg_grow(&process->said, &process->capacity, process->received + READ_BYTES, 1));
        ssize_t got = read(process->from, process->said + process->received, READ_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return eg_ok();
        }
        *over = got <= 0;
        process->received += got > 0 ? (size_t)got : 0;
    }
    return eg_ok();
}

/** The next whole line; NULL: there is none. */
static char *take_line(eg_coprocess *process)
{
    char *from = process->said + process->taken;
    size_t left = process->received - process->taken;
    char *end = left == 0 ? NULL : memchr(from, '\n', left);
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    process->taken = (size_t)(end - process->said) + 1;
    return from;
}

eg_status eg_coprocess_poll(eg_coprocess *process, const char **line)
{
    int code = 0;
    bool over = false;
    *line = NULL;
    if (process->taken > 0) {
        process->received -= process->taken;
        memmove(process->said, process->said + process->taken, process->received);
        process->taken = 0;
    }
    /* First: what a process that has ended said before is read below. Others that it started may
     * keep its output open. */
    bool ended = eg_coprocess_has_ended(process, &code);
    send_more(process);
    EG_TRY(receive(process, &over));
    char *found = take_line(process);
    if (found != NULL && strlen(found) + 1 == process->taken) {
        *line = found;
        return eg_ok();
    }
    if (found != NULL) {
        return eg_fail(EG_SYSTEM, "said a line with a NUL byte");
    }
    if (process->received > EG_COPROCESS_LINE_MAX) {
        return eg_fail(EG_SYSTEM, "said a line of more than %d bytes", (int)EG_COPROCESS_LINE_MAX);
    }
    if (over && process->closed <= 0) {
        process->closed = eg_clock();
    }
    bool closed = over && eg_clock() - process->closed > moment_seconds;
    return ended || closed ? say_end(process) : eg_ok();
}

void eg_coprocess_wait(eg_coprocess *process, double seconds)
{
    struct pollfd ends[2] = {{.fd = process->from, .events = POLLIN},
                             {.fd = process->to, .events = POLLOUT}};
    bool sending = process->to >= 0 && process->sent < process->out.size;
    if (process->closed > 0) { /* there is only its end to be waited for */
        const struct timespec pause = {.tv_nsec = look_nanoseconds};
        (void)nanosleep(&pause, NULL);
        return;
    }
    (void)poll(ends, sending ? 2 : 1, (int)(seconds * 1e3));
}

void eg_coprocess_free(eg_coprocess *process)
{
    if (process == NULL) {
        return;
    }
    close_input(process);
    if (process->from >= 0) {
        (void)close(process->from);
    }
    if (process->pid > 0) {
        const struct timespec pause = {.tv_nsec = look_nanoseconds};
        int code = 0;
        double deadline = eg_clock() + end_seconds;
        (void)kill(-process->pid, SIGTERM);
        while (!eg_coprocess_has_ended(process, &code) && eg_clock() < deadline) {
            (void)nanosleep(&pause, NULL);
        }
        (void)kill(-process->pid, SIGKILL);
        while (waitpid(process->pid, &code, 0) < 0 && errno == EINTR) {
        }
    }
    eg_writer_clear(&process->out);
    eg_free(process->said);
    eg_free(process);
}
