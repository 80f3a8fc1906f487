/** Names of a sweep's files; see store/paths.h. */
#include "store/paths.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t size = strlen(end);
    return length > size && memcmp(text + length - size, end, size) == 0 &&
           text[length - size - 1] != '/';
}

/** A name without any ending. */
static bool is_bare(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    return name[0] != '\0' && strchr(name, '.') == NULL;
}

eg_status eg_paths_init(eg_paths *out, const char *path)
{
    *out = (eg_paths){0};
    size_t length = strlen(path);
    if (ends_with(path, length, ".h5")) {
        length -= strlen(".h5");
    } else if (ends_with(path, length, ".journal")) {
        length -= strlen(".journal");
    } else if (!is_bare(path)) {
        return eg_fail(EG_INVALID, "%s: the name of a results file ends in .h5", path);
    }
    eg_status status = eg_format(&out->file, "%.*s.h5", (int)length, path);
    eg_status_keep(&status, eg_format(&out->journal, "%.*s.journal", (int)length, path));
    eg_status_keep(&status, eg_format(&out->lock, "%.*s.lock", (int)length, path));
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        eg_status_keep(&status, eg_strdup(&out->directory, "."));
    } else {
        int head = slash == path ? 1 : (int)(slash - path);
        eg_status_keep(&status, eg_format(&out->directory, "%.*s", head, path));
    }
    if (status.code != EG_OK) {
        eg_paths_clear(out);
    }
    return status;
}

void eg_paths_clear(eg_paths *paths)
{
    eg_free(paths->file);
    eg_free(paths->journal);
    eg_free(paths->lock);
    eg_free(paths->directory);
    *paths = (eg_paths){0};
}

eg_status eg_store_file(char **out, const char *path)
{
    *out = NULL;
    eg_paths paths;
    EG_TRY(eg_paths_init(&paths, path));
    *out = paths.file;
    paths.file = NULL;
    eg_paths_clear(&paths);
    return eg_ok();
}

/** NAME with another ending. */
static eg_status beside(char **out, const char *path, const char *ending)
{
    *out = NULL;
    eg_paths paths;
    EG_TRY(eg_paths_init(&paths, path));
    assert(paths.file != NULL);
    int stem = (int)(strlen(paths.file) - strlen(".h5"));
    eg_status status = eg_format(out, "%.*s.%s", stem, paths.file, ending);
    eg_paths_clear(&paths);
    return status;
}

eg_status eg_store_checkpoint_directory(char **out, const char *path)
{
    return beside(out, path, "checkpoints");
}

eg_status eg_store_weights_directory(char **out, const char *path)
{
    return beside(out, path, "weights");
}

/** The file at `path` begins like a results file, a journal or a checkpoint. */
static bool begins_like_results(const char *path)
{
    static const char *const starts[] = {"\x89HDF\r\n\x1a\n",
                                         "\x89"
                                         "EGJ",
                                         "\x89"
                                         "EGC"};
    char found[8] = {0};
    size_t got = 0;
    bool same = false;
    int fd = eg_open_file(path, O_RDONLY | O_NONBLOCK);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
        eg_read_fully(fd, found, sizeof found, 0, &got) == 0) {
        for (size_t i = 0; i < EG_COUNT(starts); i++) {
            size_t length = strlen(starts[i]);
            same = same || (got >= length && memcmp(found, starts[i], length) == 0);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return same;
}

eg_status eg_store_is_no_results(const char *path)
{
    size_t length = strlen(path);
    if (ends_with(path, length, ".h5") || ends_with(path, length, ".journal")) {
        return eg_fail(EG_INVALID, "%s: a name for results; choose one with another ending", path);
    }
    return begins_like_results(path)
               ? eg_fail(EG_INVALID, "%s holds results; choose another name", path)
               : eg_ok();
}

eg_status eg_path_look(const char *path, eg_path_kind *out)
{
    struct stat info;
    *out = EG_PATH_NONE;
    if (stat(path, &info) == 0) {
        *out = S_ISREG(info.st_mode) ? EG_PATH_FILE : EG_PATH_OTHER;
        return eg_ok();
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        return eg_ok();
    }
    return eg_fail_errno(errno, "%s", path);
}

eg_status eg_paths_check_writable(const eg_paths *paths)
{
    bool journal = access(paths->journal, F_OK) == 0;
    if (access(paths->directory, W_OK | X_OK) != 0 ||
        (journal && access(paths->journal, R_OK | W_OK) != 0)) {
        return eg_fail(EG_INVALID, "%s: results cannot be written here: %s", paths->file,
                       strerror(errno));
    }
    return eg_ok();
}

eg_status eg_paths_check(const eg_paths *paths)
{
    struct stat info;
    if (stat(paths->directory, &info) != 0) {
        return eg_fail(EG_INVALID, "%s: the directory %s cannot be used: %s", paths->file,
                       paths->directory, strerror(errno));
    }
    if (!S_ISDIR(info.st_mode)) {
        return eg_fail(EG_INVALID, "%s: %s is not a directory", paths->file, paths->directory);
    }
    const char *const names[] = {paths->file, paths->journal, paths->lock};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        eg_path_kind kind = EG_PATH_NONE;
        EG_TRY(eg_path_look(names[i], &kind));
        bool link = lstat(names[i], &info) == 0 && S_ISLNK(info.st_mode);
        if (link && (kind == EG_PATH_NONE || names[i] == paths->lock)) {
            return eg_fail(EG_INVALID, "%s is a symbolic link%s; choose another name", names[i],
                           kind == EG_PATH_NONE ? " to nothing" : "");
        }
        if (kind == EG_PATH_OTHER) {
            return eg_fail(EG_INVALID, "%s is not a regular file; choose another name", names[i]);
        }
    }
    return eg_ok();
}
