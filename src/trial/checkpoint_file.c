/** A checkpoint from its file: verified in windows first, then read whole. */
#include "trial/checkpoint.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 1 << 20, SMALLEST = sizeof eg_checkpoint_magic + EG_CHECKPOINT_CHECKSUM };

static eg_status not_a_checkpoint(uint64_t size)
{
    return eg_fail(EG_INVALID, "these %llu bytes are not a checkpoint", (unsigned long long)size);
}

static eg_status read_window(int fd, const char *path, unsigned char *window, size_t size,
                             uint64_t at)
{
    size_t got = 0;
    int error = eg_read_fully(fd, window, size, at, &got);
    if (error != 0) {
        return eg_fail_errno(error, "%s: cannot read the checkpoint", path);
    }
    return got == size ? eg_ok() : eg_fail(EG_INVALID, "%s became shorter while it was read", path);
}

static eg_status verify(int fd, const char *path, unsigned char *window)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return eg_fail_errno(errno, "%s: cannot read the checkpoint", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return eg_fail(EG_INVALID, "%s: the checkpoint is not a regular file", path);
    }
    uint64_t size = (uint64_t)info.st_size;
    if (size < SMALLEST) {
        return not_a_checkpoint(size);
    }
    EG_TRY(read_window(fd, path, window, sizeof eg_checkpoint_magic, 0));
    if (memcmp(window, eg_checkpoint_magic, sizeof eg_checkpoint_magic) != 0) {
        return not_a_checkpoint(size);
    }
    uint64_t end = size - EG_CHECKPOINT_CHECKSUM;
    uint32_t sum = 0;
    for (uint64_t at = 0; at < end; at += WINDOW) {
        size_t count = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
        EG_TRY(read_window(fd, path, window, count, at));
        sum = eg_crc32c(sum, window, count);
    }
    EG_TRY(read_window(fd, path, window, EG_CHECKPOINT_CHECKSUM, end));
    eg_reader stored = eg_reader_make(window, EG_CHECKPOINT_CHECKSUM);
    if (eg_read_u32(&stored) != sum) {
        return eg_fail(EG_INVALID, "wrong checksum over %llu bytes", (unsigned long long)size);
    }
    return eg_ok();
}

eg_status eg_checkpoint_load(unsigned char **out, size_t *size, const char *path)
{
    *out = NULL;
    *size = 0;
    int fd = eg_open_file(path, O_RDONLY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return eg_ok();
    }
    if (fd < 0) {
        return eg_fail_errno(errno, "%s: cannot read the checkpoint", path);
    }
    unsigned char *window = NULL;
    eg_status status = eg_alloc(&window, WINDOW, 1);
    if (status.code == EG_OK) {
        status = verify(fd, path, window);
    }
    eg_free(window);
    (void)close(fd);
    EG_TRY(status);
    return eg_load_file(out, size, path, "the checkpoint");
}
