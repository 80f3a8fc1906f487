/** Writing a text file whole; see cli/text_file.h. */
#include "cli/text_file.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_MAX = 64 };

/** Nothing is there, or an earlier file of this kind. */
static eg_status check_place(const char *path, const char *start, const char *kind)
{
    struct stat info;
    char found[START_MAX];
    size_t size = strlen(start) < START_MAX ? strlen(start) : START_MAX;
    size_t got = 0;
    EG_TRY(eg_store_is_no_results(path));
    if (stat(path, &info) != 0 && errno == ENOENT) {
        return eg_ok();
    }
    int fd = eg_open_file(path, O_RDONLY);
    bool same = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                eg_read_fully(fd, found, size, 0, &got) == 0 && got == size &&
                memcmp(found, start, size) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return same ? eg_ok()
                : eg_fail(EG_INVALID, "%s: there is something that is no %s; it stays", path, kind);
}

eg_status eg_text_file_open(eg_text_file *out, const char *path, const char *start,
                            const char *kind)
{
    *out = (eg_text_file){.path = path};
    EG_TRY(check_place(path, start, kind));
    EG_TRY(eg_format(&out->temporary, "%s.tmp", path));
    int fd = eg_create_file(out->temporary, start, strlen(start));
    if (fd < 0) {
        return eg_fail(EG_INVALID, "cannot write %s: %s", out->temporary, strerror(errno));
    }
    out->file = fdopen(fd, "w");
    if (out->file == NULL) {
        (void)close(fd);
        return eg_fail_memory(BUFSIZ);
    }
    (void)fputs(start, out->file);
    return eg_text_file_status(out);
}

eg_status eg_text_file_status(const eg_text_file *file)
{
    return ferror(file->file) == 0 ? eg_ok()
                                   : eg_fail_errno(errno, "cannot write %s", file->temporary);
}

/** Closes the file, safe on disk; 0 or errno. */
static int close_synced(FILE *file)
{
    int error = ferror(file) != 0 ? EIO : 0;
    if (fflush(file) != 0 || fsync(fileno(file)) != 0) {
        error = errno;
    }
    if (fclose(file) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

eg_status eg_text_file_close(eg_text_file *file, bool kept)
{
    eg_status status = eg_ok();
    if (file->file != NULL) {
        int error = close_synced(file->file);
        if (kept && error == 0 && rename(file->temporary, file->path) != 0) {
            error = errno;
        }
        if (kept && error != 0) {
            status = eg_fail_errno(error, "cannot write %s", file->path);
        }
        if (!kept || error != 0) {
            (void)unlink(file->temporary);
        }
    }
    eg_free(file->temporary);
    *file = (eg_text_file){0};
    return status;
}
