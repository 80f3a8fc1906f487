/** Noticing that somebody took the journal away; see store/journal/journal_guard.h. */
#include "store/journal/journal_guard.h"

#include "engram/file.h"
#include "engram/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 256, PLACE_SIZE = 400, NAMES = 100, WINDOW = 1 << 20 };

eg_status eg_guard_open(eg_guard *guard, const eg_paths *paths)
{
    *guard = EG_GUARD_NONE;
    guard->directory = eg_open_file(paths->directory, O_RDONLY | O_DIRECTORY);
    return guard->directory >= 0
               ? eg_ok()
               : eg_fail_errno(errno, "%s: cannot open the directory", paths->directory);
}

void eg_guard_close(eg_guard *guard)
{
    if (guard->directory >= 0) {
        (void)close(guard->directory);
    }
    *guard = EG_GUARD_NONE;
}

/** Copies the first `size` bytes and forces them to disk; 0 or errno. */
static int copy(int to, int from, uint64_t size, unsigned char *window)
{
    for (uint64_t at = 0; at < size;) {
        size_t got = 0;
        size_t wanted = size - at < WINDOW ? (size_t)(size - at) : WINDOW;
        int error = eg_read_fully(from, window, wanted, at, &got);
        if (error == 0 && got < wanted) {
            error = EIO;
        }
        if (error == 0) {
            error = eg_write_fully(to, window, got, at);
        }
        if (error != 0) {
            return error;
        }
        at += got;
    }
    return fsync(to) == 0 ? 0 : errno;
}

/** A new file NAME.rescued.journal, with a number where there is one, in `directory`; -1 with
 *  errno. */
static int create_in(int directory, const eg_paths *paths)
{
    const char *slash = strrchr(paths->journal, '/');
    const char *base = slash == NULL ? paths->journal : slash + 1;
    int stem = (int)(strlen(base) - strlen(".journal"));
    int fd = -1;
    errno = EEXIST;
    for (int i = 1; i <= NAMES && fd < 0 && errno == EEXIST; i++) {
        char name[NAME_SIZE];
        char number[16] = "";
        if (i > 1) {
            (void)snprintf(number, sizeof number, "-%d", i);
        }
        int length = snprintf(name, sizeof name, "%.*s.rescued%s.journal", stem, base, number);
        if (length >= (int)sizeof name) {
            errno = ENAMETOOLONG;
            break;
        }
        fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    return fd;
}

/** Saves what the journal holds in `directory`; `place`: where. 0 or errno, ENOENT if that is being
 *  removed. */
static int rescue_in(int directory, const eg_journal *journal, const eg_paths *paths,
                     unsigned char *window, char place[PLACE_SIZE])
{
    struct stat info;
    char link[64];
    int fd = create_in(directory, paths);
    if (fd < 0) {
        return errno;
    }
    int error = copy(fd, journal->fd, journal->end, window);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, place, PLACE_SIZE - 1);
    if (length > 0) {
        place[length] = '\0';
    } else {
        (void)snprintf(place, PLACE_SIZE, "the file NAME.rescued.journal beside it");
    }
    if (error == 0 && (fstat(fd, &info) != 0 || info.st_nlink == 0)) {
        error = ENOENT;
    }
    (void)close(fd);
    return error;
}

static int rescue(const eg_guard *guard, const eg_journal *journal, const eg_paths *paths,
                  char place[PLACE_SIZE])
{
    unsigned char *window = NULL;
    eg_status status = eg_alloc(&window, WINDOW, 1);
    if (status.code != EG_OK) {
        return ENOMEM;
    }
    int error = rescue_in(guard->directory, journal, paths, window, place);
    if (error != 0) {
        error = rescue_in(AT_FDCWD, journal, paths, window, place);
    } else {
        (void)fsync(guard->directory);
    }
    eg_free(window);
    return error;
}

static eg_status taken_away(const eg_guard *guard, const eg_journal *journal, const eg_paths *paths,
                            const char *what)
{
    char place[PLACE_SIZE] = "";
    int error = rescue(guard, journal, paths, place);
    if (error != 0) {
        return eg_fail(EG_SYSTEM,
                       "%s was %s while the sweep ran, and what it held cannot be written to a new "
                       "file: %s",
                       journal->path, what, strerror(error));
    }
    size_t stem = strlen(place) - strlen(".journal");
    return eg_fail(EG_SYSTEM,
                   "%s was %s while the sweep ran; what it held is in %s: the sweep continues with "
                   "-o %.*s.h5",
                   journal->path, what, place, (int)stem, place);
}

eg_status eg_guard_check(eg_guard *guard, eg_journal *journal, const eg_paths *paths)
{
    struct stat mine;
    struct stat there;
    if (guard->lost) {
        return eg_fail(EG_SYSTEM, "%s was taken away", journal->path);
    }
    eg_status status = eg_ok();
    if (fstat(journal->fd, &mine) == 0 && (uint64_t)mine.st_size < journal->end) {
        status = eg_fail(EG_SYSTEM,
                         "%s was cut from %llu bytes to %llu by somebody else while the sweep ran; "
                         "what is left of it can be read, and %s holds what was finished when it "
                         "was last written",
                         journal->path, (unsigned long long)journal->end,
                         (unsigned long long)mine.st_size, paths->file);
    } else if (stat(journal->path, &there) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ESTALE) {
            status = taken_away(guard, journal, paths, "removed or moved");
        }
    } else if (!eg_is_same_file(journal->fd, journal->path)) {
        status = taken_away(guard, journal, paths, "replaced by another file");
    }
    if (status.code != EG_OK) {
        guard->lost = true;
        journal->broken = true; /* what would be added is added to nothing */
    }
    return status;
}
