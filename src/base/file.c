/** Files, read and written whole; see engram/file.h. */
#include "engram/file.h"

#include "engram/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int eg_open_file(const char *path, int flags)
{
    int fd = -1;
    do {
        fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    } while (fd < 0 && errno == EINTR);
    return fd;
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

static int write_new_file(const char *path, const eg_file_part *parts, size_t count)
{
    int fd = eg_open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) {
        return errno;
    }
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

static eg_status directory_of(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return eg_strdup(out, ".");
    }
    return eg_format(out, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static eg_status replace(const char *path, const char *temporary, const eg_file_part *parts,
                         size_t count, const char *what)
{
    int error = write_new_file(temporary, parts, count);
    if (error != 0) {
        (void)unlink(temporary);
        return eg_fail_errno(error, "%s: cannot write %s", temporary, what);
    }
    do {
        error = rename(temporary, path) == 0 ? 0 : errno;
    } while (error == EINTR);
    if (error != 0) {
        (void)unlink(temporary);
        return eg_fail_errno(error, "%s: cannot replace %s", path, what);
    }
    return eg_ok();
}

eg_status eg_replace_file_parts(const char *path, const char *suffix, const eg_file_part *parts,
                                size_t count, const char *what)
{
    char *temporary = NULL;
    char *directory = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_format(&temporary, "%s.%s", path, suffix));
    EG_TRY_DONE(status, directory_of(&directory, path));
    EG_TRY_DONE(status, replace(path, temporary, parts, count, what));
    status = eg_sync_directory(directory);
done:
    eg_free(temporary);
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
