/** Work in a process of its own; see base/shared/child.h. The child's bytes come through a pipe,
 *  and its status behind them. */
#include "base/shared/child.h"

#include "engram/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, BYTES_PER_SECOND = 1 << 20, READ_BYTES = 1 << 20 };

/** --- The child ------------------------------------------------------------------------------- */

static eg_status send_bytes(int fd, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    while (size > 0) {
        ssize_t wrote = write(fd, bytes, size);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return eg_fail_errno(errno, "cannot write to the reading process");
        }
        bytes += wrote;
        size -= (size_t)wrote;
    }
    return eg_ok();
}

static eg_status drain(void *user, eg_writer *writer)
{
    EG_TRY(send_bytes(*(int *)user, writer->data, writer->size));
    eg_writer_reset(writer);
    return eg_ok();
}

/** Signals end it as they end any process, and it leaves no core file of somebody's bytes. */
static void become_child(const eg_child_rules *rules)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGPIPE, SIGALRM};
    sigset_t none;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)signal(numbers[i], SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (rules->wall_seconds > 0) {
        (void)alarm((unsigned)rules->wall_seconds);
    }
    const rlim_t seconds = (rlim_t)rules->processor_seconds;
    const struct rlimit time = {.rlim_cur = seconds, .rlim_max = seconds};
    const struct rlimit core = {.rlim_cur = 0, .rlim_max = 0};
    (void)setrlimit(RLIMIT_CPU, &time);
    (void)setrlimit(RLIMIT_CORE, &core);
}

static void run_child(int fd, eg_child_work work, void *user, const eg_child_rules *rules)
{
    become_child(rules);
    eg_drain out = {.drain = drain, .user = &fd};
    eg_status status = work(user, &out);
    if (status.code == EG_OK) {
        status = eg_writer_status(&out.writer);
    }
    if (status.code == EG_OK) {
        status = drain(&fd, &out.writer);
    }
    eg_status sent = send_bytes(fd, &status, sizeof status);
    _exit(sent.code == EG_OK ? 0 : 1); /* without what the parent has registered for its own end */
}

/** --- The parent ------------------------------------------------------------------------------ */

static eg_status receive(int fd, unsigned char **reply, size_t *size)
{
    size_t capacity = 0;
    for (;;) {
        EG_TRY(eg_grow(reply, &capacity, *size + READ_BYTES, 1));
        ssize_t got = read(fd, *reply + *size, READ_BYTES);
        if (got == 0) {
            return eg_ok();
        }
        if (got < 0 && errno != EINTR) {
            return eg_fail_errno(errno, "cannot read from the child process");
        }
        *size += got > 0 ? (size_t)got : 0;
    }
}

static eg_status await(pid_t child, const eg_child_rules *rules)
{
    int how = 0;
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) {
            return eg_fail_errno(errno, "cannot wait for the child process");
        }
    }
    int number = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    if (number == SIGXCPU || number == SIGKILL || (number == SIGALRM && rules->wall_seconds > 0)) {
        return eg_fail(EG_INVALID, "%s", rules->slow);
    }
    if (number != 0) {
        return eg_fail(EG_INVALID, "%s (signal %d)", rules->crashed, number);
    }
    return WIFEXITED(how) && WEXITSTATUS(how) == 0
               ? eg_ok()
               : eg_fail(EG_INVALID, "%s (exit code %d)", rules->crashed, WEXITSTATUS(how));
}

/** The status stands behind the bytes. */
static eg_status take_status(const unsigned char *reply, size_t *size, const eg_child_rules *rules)
{
    eg_status status;
    if (*size < sizeof status) {
        return eg_fail(EG_INVALID, "%s", rules->left);
    }
    *size -= sizeof status;
    memcpy(&status, reply + *size, sizeof status);
    return status;
}

eg_status eg_child_run(unsigned char **reply, size_t *size, eg_child_work work, void *user,
                       uint64_t bytes)
{
    const eg_child_rules rules = {.processor_seconds = SECONDS + bytes / BYTES_PER_SECOND,
                                  .slow = "reading it takes too long or too much memory",
                                  .crashed = "the library crashes on it",
                                  .left = "the library ended the process that read it"};
    return eg_child_run_within(reply, size, work, user, &rules);
}

eg_status eg_child_run_within(unsigned char **reply, size_t *size, eg_child_work work, void *user,
                              const eg_child_rules *rules)
{
    int ends[2];
    *reply = NULL;
    *size = 0;
    if (pipe(ends) != 0) {
        return eg_fail_errno(errno, "cannot make a pipe");
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        run_child(ends[1], work, user, rules);
    }
    int error = errno;
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        return eg_fail_errno(error, "cannot start a process");
    }
    eg_status status = receive(ends[0], reply, size);
    (void)close(ends[0]); /* a child that still writes ends */
    eg_status ended = await(child, rules);
    if (status.code == EG_OK) {
        status = ended;
    }
    if (status.code == EG_OK) {
        status = take_status(*reply, size, rules);
    }
    if (status.code != EG_OK) {
        eg_free(*reply);
        *reply = NULL;
        *size = 0;
    }
    return status;
}
