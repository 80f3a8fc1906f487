/** Files, read and written whole; see engram/file.h. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "engram/file.h"

#include "engram/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int eg_take_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) {
            continue;
        }
        /* The wrong way round, so that reading and writing fail as they would have. open takes the
         * lowest that is free: all before it are taken. */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            return errno;
        }
    }
    return 0;
}

/** The descriptor, or another one for the same file above those of the standard streams. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) {
        return fd;
    }
    int other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    (void)close(fd);
    errno = error;
    return other;
}

int eg_open_file(const char *path, int flags)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    } while (fd < 0 && errno == EINTR);
    return above_standard(fd);
}

/** How much of the beginning tells whose a file is. */
enum { START_SIZE = 8 };

/** A regular file, and not a link to one, whose beginning is (a part of) `start`. */
static bool begins_like(const char *path, const void *start, size_t size)
{
    unsigned char found[START_SIZE];
    struct stat info;
    size_t got = 0;
    int fd = eg_open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    bool ours = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (size > 0 || info.st_size == 0) &&
                eg_read_fully(fd, found, size < sizeof found ? size : sizeof found, 0, &got) == 0 &&
                memcmp(found, start, got) == 0;
    (void)close(fd);
    return ours;
}

int eg_create_file(const char *path, const void *start, size_t size)
{
    int fd = eg_open_file(path, O_RDWR | O_CREAT | O_EXCL);
    if (fd < 0 && errno == EEXIST) {
        if (!begins_like(path, start, size)) {
            errno = EEXIST;
            return -1;
        }
        if (unlink(path) == 0 || errno == ENOENT) {
            fd = eg_open_file(path, O_RDWR | O_CREAT | O_EXCL);
        }
    }
    return fd;
}

static int lock(int fd, int how)
{
    while (flock(fd, how) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int eg_lock_file(int fd)
{
    return lock(fd, LOCK_EX | LOCK_NB);
}

int eg_lock_file_in_turn(int fd)
{
    return lock(fd, LOCK_EX);
}

bool eg_is_same_file(int fd, const char *path)
{
    struct stat mine;
    struct stat there;
    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}

int eg_truncate_file(int fd, uint64_t size)
{
    while (ftruncate(fd, (off_t)size) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int eg_sync_data(int fd)
{
    while (fdatasync(fd) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/** With what says when the file was changed; for new files and for directories. */
static int sync_all(int fd)
{
    while (fsync(fd) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int eg_write_fully(int fd, const void *data, size_t size, uint64_t offset)
{
    const unsigned char *bytes = data;
    size_t done = 0;
    while (done < size) {
        ssize_t wrote = pwrite(fd, bytes + done, size - done, (off_t)(offset + done));
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return wrote < 0 ? errno : ENOSPC;
        }
        done += (size_t)wrote;
    }
    return 0;
}

int eg_read_fully(int fd, void *data, size_t size, uint64_t offset, size_t *got)
{
    unsigned char *bytes = data;
    *got = 0;
    while (*got < size) {
        ssize_t count = pread(fd, bytes + *got, size - *got, (off_t)(offset + *got));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return errno;
        }
        if (count == 0) {
            break;
        }
        *got += (size_t)count;
    }
    return 0;
}

eg_status eg_sync_directory(const char *directory)
{
    int fd = eg_open_file(directory, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        return eg_fail_errno(errno, "%s: cannot open the directory", directory);
    }
    /* Some network file systems cannot sync a directory and say EINVAL; they need no sync. */
    int error = sync_all(fd);
    (void)close(fd);
    return error == 0 || error == EINVAL
               ? eg_ok()
               : eg_fail_errno(error, "%s: cannot sync the directory", directory);
}

static int write_parts(int fd, const eg_file_part *parts, size_t count)
{
    int error = 0;
    uint64_t at = 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = eg_write_fully(fd, parts[i].data, parts[i].size, at);
        at += parts[i].size;
    }
    if (error == 0) {
        error = sync_all(fd);
    }
    if (close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

/** Creates PATH.SUFFIX, or PATH.SUFFIX.1 … where that is somebody's. *name: a new string. */
static eg_status create_temporary(int *fd, char **name, const char *path, const char *suffix,
                                  const eg_file_part *first)
{
    enum { NAMES = 8 };
    *fd = -1;
    for (int i = 0; i < NAMES && *fd < 0; i++) {
        eg_free(*name);
        *name = NULL;
        EG_TRY(i == 0 ? eg_format(name, "%s.%s", path, suffix)
                      : eg_format(name, "%s.%s.%d", path, suffix, i));
        *fd = eg_create_file(*name, first->data, first->size);
        if (*fd < 0 && errno != EEXIST) {
            break;
        }
    }
    return eg_ok();
}

static eg_status directory_of(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return eg_strdup(out, ".");
    }
    return eg_format(out, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/** Where a new file has to go: `path`, or the file behind it if it is a link to one of the same
 *  kind. A new string. */
static eg_status target_of(char **out, const char *path, const eg_file_part *first,
                           const char *what)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISLNK(info.st_mode)) {
        return eg_strdup(out, path);
    }
    char *real = realpath(path, NULL); /* from malloc */
    if (real == NULL) {
        return eg_fail_errno(errno, "%s: cannot follow the symbolic link", path);
    }
    eg_status status =
        begins_like(real, first->data, first->size)
            ? eg_strdup(out, real)
            : eg_fail_errno(EEXIST, "%s: a symbolic link to %s, which is not %s", path, real, what);
    free(real);
    return status;
}

static eg_status replace(const char *path, const char *suffix, const eg_file_part *parts,
                         size_t count, const char *what)
{
    char *temporary = NULL;
    struct stat old;
    int fd = -1;
    eg_status status = create_temporary(&fd, &temporary, path, suffix, &parts[0]);
    if (status.code == EG_OK && fd < 0) {
        status = eg_fail_errno(errno, "%s: cannot write %s", temporary, what);
    }
    if (status.code != EG_OK) {
        eg_free(temporary);
        return status;
    }
    if (stat(path, &old) == 0) {
        (void)fchmod(fd, old.st_mode & 07777); /* some file systems have no modes */
    }
    int error = write_parts(fd, parts, count);
    if (error != 0) {
        status = eg_fail_errno(error, "%s: cannot write %s", temporary, what);
    } else {
        do {
            error = rename(temporary, path) == 0 ? 0 : errno;
        } while (error == EINTR);
        if (error != 0) {
            status = eg_fail_errno(error, "%s: cannot replace %s", path, what);
        }
    }
    if (status.code != EG_OK) {
        (void)unlink(temporary);
    }
    eg_free(temporary);
    return status;
}

eg_status eg_replace_file_parts(const char *path, const char *suffix, const eg_file_part *parts,
                                size_t count, const char *what)
{
    char *target = NULL;
    char *directory = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, target_of(&target, path, &parts[0], what));
    assert(target != NULL);
    EG_TRY_DONE(status, directory_of(&directory, target));
    EG_TRY_DONE(status, replace(target, suffix, parts, count, what));
    status = eg_sync_directory(directory);
done:
    eg_free(target);
    eg_free(directory);
    return status;
}

eg_status eg_replace_file(const char *path, const char *suffix, const void *data, size_t size,
                          const char *what)
{
    const eg_file_part part = {data, size};
    return eg_replace_file_parts(path, suffix, &part, 1, what);
}

static eg_status load_open(int fd, const char *path, unsigned char **out, size_t *size,
                           const char *what)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return eg_fail_errno(errno, "%s: cannot read %s", path, what);
    }
    if (!S_ISREG(info.st_mode)) {
        return eg_fail(EG_INVALID, "%s: %s is not a regular file", path, what);
    }
    EG_TRY(eg_alloc(out, (size_t)info.st_size, 1));
    int error = eg_read_fully(fd, *out, (size_t)info.st_size, 0, size);
    if (error != 0) {
        eg_free(*out);
        *out = NULL;
        return eg_fail_errno(error, "%s: cannot read %s", path, what);
    }
    return eg_ok();
}

eg_status eg_load_file(unsigned char **out, size_t *size, const char *path, const char *what)
{
    *out = NULL;
    *size = 0;
    int fd = eg_open_file(path, O_RDONLY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return eg_ok();
    }
    if (fd < 0) {
        return eg_fail_errno(errno, "%s: cannot read %s", path, what);
    }
    eg_status status = load_open(fd, path, out, size, what);
    (void)close(fd);
    return status;
}
