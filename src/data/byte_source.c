/** Reading files through zlib, which reads plain ones unchanged; see data/byte_source.h. */
#include "data/byte_source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 1 << 24 }; /* gzread counts in int */

eg_status eg_byte_source_open(eg_byte_source *self, const char *path, const char *expected)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return eg_fail(EG_INVALID, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return eg_fail(EG_INVALID, "%s: is not a regular file; expected %s", path, expected);
    }
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        return errno != 0 ? eg_fail(EG_INVALID, "%s: cannot be read: %s", path, strerror(errno))
                          : eg_fail(EG_MEMORY, "%s: no memory to read it", path);
    }
    *self = (eg_byte_source){.path = path,
                             .file = file,
                             .file_size = (size_t)info.st_size,
                             .plain = gzdirect(file) == 1};
    return eg_ok();
}

void eg_byte_source_close(eg_byte_source *self)
{
    (void)gzclose_r(self->file);
    self->file = NULL;
}

eg_status eg_byte_source_read(eg_byte_source *self, void *out, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        size_t left = size - *got;
        int n = gzread(self->file, (unsigned char *)out + *got,
                       left < CHUNK ? (unsigned)left : (unsigned)CHUNK);
        if (n > 0) {
            *got += (size_t)n;
        }
        int code = Z_OK;
        const char *words = gzerror(self->file, &code);
        if (code == Z_ERRNO) {
            return eg_fail_errno(errno, "%s: cannot be read", self->path);
        }
        if (code == Z_MEM_ERROR) {
            return eg_fail(EG_MEMORY, "%s: no memory to decompress it", self->path);
        }
        if (code == Z_BUF_ERROR) {
            return eg_fail(EG_INVALID, "%s: truncated: the gzip data ends early", self->path);
        }
        if (code != Z_OK) {
            /* zlib puts the path in front itself. */
            size_t path = strlen(self->path);
            bool named = strncmp(words, self->path, path) == 0 && words[path] == ':';
            return eg_fail(EG_INVALID, "%s: corrupt gzip data (%s)", self->path,
                           named ? words + path + 2 : words);
        }
        if (n <= 0) {
            break;
        }
    }
    return eg_ok();
}
