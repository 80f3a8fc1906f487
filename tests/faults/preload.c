/** A library for LD_PRELOAD that makes the n-th write to a folder fail, or kills the process there.
 *
 *  Counted are open, write, pwrite, ftruncate, fsync, fdatasync, rename and unlink of files below
 *  ENGRAM_FAULT_FOLDER (an absolute path without links), by the process itself or by rank 0 of a job.
 *
 *      ENGRAM_FAULT_AT     the call at which it happens, from 1; 0 or unset: never
 *      ENGRAM_FAULT_CALLS  how many calls fail from there on; 0: all of them (default 1)
 *      ENGRAM_FAULT_KIND   kill    the process dies before the call
 *                          tear    … after half of a write
 *                          power   … and of the journal only what was forced to disk is left
 *                          enospc, eio   the call fails
 *                          short   a write stops after one byte
 *                          eintr   the call is interrupted; the next one is not
 *      ENGRAM_FAULT_LOG    a file outside the folder that gets, at the end of the process or when it is
 *                          killed, "calls N synced N rewritten N syncs N": how many calls there were, how much of
 *                          the journal was forced to disk, how many writes went below that, and how
 *                          often it was forced to disk. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

typedef enum fault { NONE, KILL, TEAR, POWER, ENOSPC_, EIO_, SHORT, EINTR_ } fault;

static struct {
    pthread_mutex_t mutex;
    bool ready, active;
    fault kind;
    unsigned long at, calls, count;
    char folder[PATH_SIZE];
    size_t folder_length;
    const char *log;
    char journal[PATH_SIZE]; /* the one that was synced last */
    long long synced;
    unsigned long rewritten, syncs;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static void set_up(void)
{
    static const char *const kinds[] = {"none",   "kill", "tear",  "power",
                                        "enospc", "eio",  "short", "eintr"};
    if (state.ready) {
        return;
    }
    state.ready = true;
    const char *folder = getenv("ENGRAM_FAULT_FOLDER");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    const char *kind = getenv("ENGRAM_FAULT_KIND");
    state.active = folder != NULL && (rank == NULL || strcmp(rank, "0") == 0);
    (void)snprintf(state.folder, sizeof state.folder, "%s/", folder == NULL ? "" : folder);
    state.folder_length = strlen(state.folder);
    state.log = getenv("ENGRAM_FAULT_LOG");
    state.at = number("ENGRAM_FAULT_AT", 0);
    state.calls = number("ENGRAM_FAULT_CALLS", 1);
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        state.kind = strcmp(kind, kinds[i]) == 0 ? (fault)i : state.kind;
    }
}

static void write_log(void)
{
    char text[128];
    if (!state.active || state.log == NULL) {
        return;
    }
    int length = snprintf(text, sizeof text, "calls %lu synced %lld rewritten %lu syncs %lu\n",
                          state.count, state.synced, state.rewritten, state.syncs);
    long fd = syscall(SYS_openat, AT_FDCWD, state.log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    (void)syscall(SYS_write, fd, text, (size_t)length);
    (void)syscall(SYS_close, fd);
}

__attribute__((destructor)) static void at_exit(void)
{
    write_log();
}

static bool is_journal(const char *path)
{
    size_t length = strlen(path);
    return length > 8 && strcmp(path + length - 8, ".journal") == 0;
}

static void die(void)
{
    if (state.kind == POWER && state.journal[0] != '\0') {
        (void)syscall(SYS_truncate, state.journal, state.synced);
    }
    write_log();
    (void)syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

static bool inside(const char *path)
{
    return strncmp(path, state.folder, state.folder_length) == 0;
}

static bool path_inside(const char *path)
{
    char whole[2 * PATH_SIZE];
    char here[PATH_SIZE];
    if (path[0] == '/') {
        return inside(path);
    }
    if (getcwd(here, sizeof here) == NULL) {
        return false;
    }
    (void)snprintf(whole, sizeof whole, "%s/%s", here, path);
    return inside(whole);
}

static bool fd_inside(int fd, char path[PATH_SIZE])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_SIZE - 1);
    path[length < 0 ? 0 : length] = '\0';
    return inside(path);
}

/** Counts a call; what has to happen to it. A process that has to die before it does so here. Calls of other
 *  threads wait until end_call: nothing else happens while a process dies. */
static fault begin_call(void)
{
    (void)pthread_mutex_lock(&state.mutex);
    state.count++;
    bool hit = state.at > 0 && state.count >= state.at &&
               (state.calls == 0 || state.count < state.at + state.calls);
    fault kind = hit ? state.kind : NONE;
    if (kind == EINTR_ && (state.count - state.at) % 2 == 1) {
        kind = NONE; /* who begins again gets through */
    }
    if (kind == KILL || kind == POWER) {
        die();
    }
    return kind;
}

/** Returns `result` with errno as it is. */
static long end_call(bool watched, long result)
{
    int error = errno;
    if (watched) {
        (void)pthread_mutex_unlock(&state.mutex);
    }
    errno = error;
    return result;
}

/** Whether the call fails; sets errno. */
static bool fails(fault kind)
{
    if (kind == ENOSPC_ || kind == EIO_ || kind == EINTR_) {
        errno = kind == ENOSPC_ ? ENOSPC : kind == EIO_ ? EIO : EINTR;
        return true;
    }
    return false;
}

static bool watched_path(const char *path)
{
    set_up();
    return state.active && path_inside(path);
}

static bool watched_fd(int fd, char path[PATH_SIZE])
{
    set_up();
    return state.active && fd_inside(fd, path);
}

/** --- The calls --------------------------------------------------------------------------------- */

/** Begins a call that writes nothing; whether it fails. */
static bool call_fails(bool watched)
{
    fault kind = watched ? begin_call() : NONE;
    if (kind == TEAR) {
        die();
    }
    return fails(kind);
}

static int open_at(const char *path, int flags, mode_t mode)
{
    bool watched = watched_path(path);
    long fd = call_fails(watched) ? -1 : syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    return (int)end_call(watched, fd);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_at(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return open_at(path, flags, mode);
}

/** offset < 0: at the file's position. */
static ssize_t do_write(int fd, const void *data, size_t size, off_t offset)
{
    char path[PATH_SIZE];
    bool watched = watched_fd(fd, path);
    fault kind = watched ? begin_call() : NONE;
    if (fails(kind)) {
        return end_call(watched, -1);
    }
    if (watched && strcmp(path, state.journal) == 0 && offset >= 0 && offset < state.synced) {
        state.rewritten++;
    }
    size_t allowed = kind == SHORT && size > 1 ? 1 : kind == TEAR ? size / 2 : size;
    ssize_t done = offset < 0 ? syscall(SYS_write, fd, data, allowed)
                              : syscall(SYS_pwrite64, fd, data, allowed, offset);
    if (kind == TEAR) {
        die();
    }
    return end_call(watched, done);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return do_write(fd, data, size, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return do_write(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return do_write(fd, data, size, offset);
}

static int do_truncate(int fd, off_t size)
{
    char path[PATH_SIZE];
    bool watched = watched_fd(fd, path);
    if (call_fails(watched)) {
        return (int)end_call(watched, -1);
    }
    if (watched && strcmp(path, state.journal) == 0 && size < state.synced) {
        state.rewritten++;
    }
    return (int)end_call(watched, syscall(SYS_ftruncate, fd, size));
}

int ftruncate(int fd, off_t size)
{
    return do_truncate(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return do_truncate(fd, size);
}

static int do_sync(int fd, long call)
{
    char path[PATH_SIZE];
    bool watched = watched_fd(fd, path);
    if (call_fails(watched)) {
        return (int)end_call(watched, -1);
    }
    long result = syscall(call, fd);
    struct stat info;
    if (watched && result == 0 && is_journal(path) && fstat(fd, &info) == 0) {
        (void)snprintf(state.journal, sizeof state.journal, "%s", path);
        state.synced = info.st_size;
        state.syncs++;
    }
    return (int)end_call(watched, result);
}

int fsync(int fd)
{
    return do_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return do_sync(fd, SYS_fdatasync);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    bool watched = watched_path(to);
    long result =
        call_fails(watched) ? -1 : syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    return (int)end_call(watched, result);
}

int rename(const char *from, const char *to)
{
    bool watched = watched_path(to);
    long result =
        call_fails(watched) ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    return (int)end_call(watched, result);
}

int unlink(const char *path)
{
    bool watched = watched_path(path);
    long result = call_fails(watched) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    return (int)end_call(watched, result);
}
