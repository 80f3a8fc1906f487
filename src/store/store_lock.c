/** The writer's lock; see store/store_lock.h.
 *
 *  Two locks in one file. Its existence (O_EXCL) works on every file system and between hosts; the
 *  flock on it ends with its process, so a lock that can be flocked belongs to nobody alive on this
 *  host. A lock of another host is never taken over: flock does not reach there on every file
 *  system. The file holds "HOST PID START\n"; START is the process's start time in clock ticks
 *  since boot, so that a reused pid is not mistaken for the holder. */
#include "store/store_lock.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOST_SIZE = 256, CONTENT_SIZE = HOST_SIZE + 64, TRIES = 16 };

typedef struct holder {
    char host[HOST_SIZE];
    long pid;
    unsigned long long start;
} holder;

/** Reads the state letter of a process (field 3 of /proc/PID/stat) and its start time (field 22),
 *  both 0 if unknown. Fields are counted after the last ')' because the command name before it may
 *  hold anything. */
static void read_process(long pid, char *state, unsigned long long *start)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int fd = eg_open_file(path, O_RDONLY);
    *state = 0;
    *start = 0;
    if (fd < 0) {
        return;
    }
    size_t got = 0;
    int error = eg_read_fully(fd, text, sizeof text - 1, 0, &got);
    (void)close(fd);
    text[error == 0 ? got : 0] = '\0';
    const char *at = strrchr(text, ')');
    if (at != NULL && at[1] == ' ') {
        *state = at[2];
    }
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    *start = at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

static holder myself(void)
{
    holder me = {.pid = (long)getpid()};
    if (gethostname(me.host, sizeof me.host - 1) != 0 || me.host[0] == '\0') {
        (void)snprintf(me.host, sizeof me.host, "unknown");
    }
    char state;
    read_process(me.pid, &state, &me.start);
    return me;
}

/** What a lock file holds. */
typedef enum content {
    CONTENT_HOLDER,
    CONTENT_NOTHING, /* nothing, or a part: its writer died, or is just writing it */
    CONTENT_OTHER,   /* it is no lock file of engram's */
} content;

/** The unsigned number at *at, before the character `end`; moves behind that. */
static bool read_number(const char **at, char end, unsigned long long *out)
{
    char *stop = NULL;
    if (**at < '0' || **at > '9') {
        return false;
    }
    *out = strtoull(*at, &stop, 10);
    *at = stop + 1;
    return *stop == end;
}

/** The beginning of what a process of this host writes, which died in the middle of it. */
static bool is_torn(const char *text)
{
    const holder me = myself();
    const size_t host = strlen(me.host);
    const size_t got = strlen(text);
    if (strncmp(text, me.host, got < host ? got : host) != 0) {
        return false;
    }
    const char *rest = text + (got < host ? got : host);
    return rest[strspn(rest, " 0123456789")] == '\0';
}

static content read_content(int fd, holder *out)
{
    char text[CONTENT_SIZE];
    size_t got = 0;
    *out = (holder){0};
    if (eg_read_fully(fd, text, sizeof text - 1, 0, &got) != 0 || got == 0) {
        return CONTENT_NOTHING;
    }
    text[got] = '\0';
    size_t host = strcspn(text, " \n");
    if (text[host] != ' ' || host == 0 || host >= sizeof out->host) {
        return is_torn(text) ? CONTENT_NOTHING : CONTENT_OTHER;
    }
    memcpy(out->host, text, host);
    const char *at = text + host + 1;
    unsigned long long pid = 0;
    if (!read_number(&at, ' ', &pid) || pid == 0 || pid > INT32_MAX ||
        !read_number(&at, '\n', &out->start) || at != text + got) {
        return is_torn(text) ? CONTENT_NOTHING : CONTENT_OTHER;
    }
    out->pid = (long)pid;
    return CONTENT_HOLDER;
}

static bool read_holder(int fd, holder *out)
{
    return read_content(fd, out) == CONTENT_HOLDER;
}

static bool same_host(const holder *who)
{
    return strcmp(who->host, myself().host) == 0;
}

/** Of another host nobody here can tell: it counts as alive. One that has ended but was not waited
 *  for by its parent (whose launcher was killed, in a container that has no init) writes nothing
 *  any more. */
static bool alive(const holder *who)
{
    if (!same_host(who)) {
        return true;
    }
    if (kill((pid_t)who->pid, 0) != 0 && errno != EPERM) {
        return false;
    }
    char state;
    unsigned long long start;
    read_process(who->pid, &state, &start);
    if (state == 'Z' || state == 'X') {
        return false;
    }
    return start == 0 || who->start == 0 || start == who->start;
}

static eg_status refuse(const char *path, const char *file, int fd)
{
    holder who;
    if (fd < 0 || !read_holder(fd, &who)) {
        return eg_fail(EG_INVALID, "%s is being written by another process (lock %s)", file, path);
    }
    if (!same_host(&who)) {
        return eg_fail(EG_INVALID,
                       "%s is being written by process %ld on host %s; if that job is gone, "
                       "`engram merge NEW.h5 %s` makes a copy that can be continued",
                       file, who.pid, who.host, file);
    }
    return eg_fail(EG_INVALID, "%s is being written by process %ld on host %s", file, who.pid,
                   who.host);
}

static eg_status sign(int fd, const char *path)
{
    holder me = myself();
    char text[CONTENT_SIZE];
    int length = snprintf(text, sizeof text, "%s %ld %llu\n", me.host, me.pid, me.start);
    int error = eg_truncate_file(fd, 0);
    if (error == 0) {
        error = eg_write_fully(fd, text, (size_t)length, 0);
    }
    return error == 0 ? eg_ok() : eg_fail_errno(error, "%s: cannot write the lock file", path);
}

static eg_status open_error(const char *path, int error)
{
    if (error == EACCES || error == EROFS || error == EPERM || error == ENOENT ||
        error == ENOTDIR) {
        return eg_fail(EG_INVALID, "%s: results cannot be written here: %s", path, strerror(error));
    }
    return eg_fail_errno(error, "%s: cannot create the lock file", path);
}

/** A holder that is gone, on a file system without flock: two processes could both take over its
 *  lock. */
static eg_status cannot_hand_over(const char *path, const char *file)
{
    return eg_fail(EG_INVALID,
                   "%s: a process that is gone left the lock %s, and this file system cannot hand "
                   "it over safely; `engram merge NEW.h5 %s` makes a copy that can be continued",
                   file, path, file);
}

/** Decides about a lock file that exists already. *retry: it vanished, start again. */
static eg_status take_existing(int fd, const char *path, const char *file, bool *retry)
{
    *retry = false;
    int locked = eg_lock_file(fd);
    if (locked == EWOULDBLOCK) {
        return refuse(path, file, fd);
    }
    if (!eg_is_same_file(fd, path)) {
        *retry = true;
        return eg_ok();
    }
    holder who;
    content found = read_content(fd, &who);
    if (found == CONTENT_OTHER) {
        return eg_fail(EG_INVALID,
                       "%s is not a lock of engram, and results in %s would need that name; choose "
                       "another one",
                       path, file);
    }
    bool known = found == CONTENT_HOLDER;
    if (known && alive(&who)) {
        return refuse(path, file, fd);
    }
    return locked == 0 ? sign(fd, path) : cannot_hand_over(path, file);
}

/** A lock file that did not exist before. */
static eg_status take_new(int fd, const char *path, const char *file)
{
    if (eg_lock_file(fd) == EWOULDBLOCK) {
        /* Somebody found the file still empty, thought it abandoned, and took it. */
        return refuse(path, file, fd);
    }
    eg_status status = sign(fd, path);
    if (status.code != EG_OK) {
        (void)unlink(path);
    }
    return status;
}

/** One try. *fd stays -1 without a failure if the lock file vanished meanwhile. */
static eg_status try_once(int *fd, const char *path, const char *file)
{
    bool retry = false;
    eg_status status = eg_ok();
    *fd = eg_open_file(path, O_RDWR | O_CREAT | O_EXCL);
    if (*fd >= 0) {
        status = take_new(*fd, path, file);
    } else if (errno == EEXIST) {
        *fd = eg_open_file(path, O_RDWR | O_NOFOLLOW);
        if (*fd < 0) {
            return errno == ENOENT ? eg_ok() : open_error(path, errno);
        }
        status = take_existing(*fd, path, file, &retry);
    } else {
        return open_error(path, errno);
    }
    if (status.code != EG_OK || retry) {
        (void)close(*fd);
        *fd = -1;
    }
    return status;
}

eg_status eg_store_lock_take(eg_lock *lock, const char *path, const char *file)
{
    *lock = EG_LOCK_NONE;
    EG_TRY(eg_strdup(&lock->path, path));
    eg_status status = eg_ok();
    for (int i = 0; i < TRIES && lock->fd < 0 && status.code == EG_OK; i++) {
        status = try_once(&lock->fd, path, file);
    }
    if (status.code == EG_OK && lock->fd < 0) {
        status = refuse(path, file, -1);
    }
    if (status.code != EG_OK) {
        eg_free(lock->path);
        *lock = EG_LOCK_NONE;
    }
    return status;
}

void eg_store_lock_release(eg_lock *lock)
{
    if (lock->fd >= 0) {
        if (eg_is_same_file(lock->fd, lock->path)) {
            (void)unlink(lock->path); /* and not one that another process has now */
        }
        (void)close(lock->fd);
    }
    eg_free(lock->path);
    *lock = EG_LOCK_NONE;
}

eg_status eg_store_lock_holder(char **out, const char *path)
{
    *out = NULL;
    int fd = eg_open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return eg_ok();
    }
    holder who;
    bool known = read_holder(fd, &who);
    (void)close(fd);
    if (!known || !alive(&who)) {
        return eg_ok();
    }
    return eg_format(out, "%s %ld", who.host, who.pid);
}
