/** The checksum of a results file; see store/hdf5/checksum_footer.h. */
#include "store/hdf5/checksum_footer.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char words[] = "engram checksum\n";

enum { WORDS_SIZE = sizeof words - 1, WINDOW = 1 << 20 };

static void put(unsigned char *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> 8 * i);
    }
}

static void fill(unsigned char out[EG_FOOTER_SIZE], uint64_t size, uint32_t checksum)
{
    memcpy(out, words, WORDS_SIZE);
    put(out + WORDS_SIZE, size, 8);
    put(out + WORDS_SIZE + 8, checksum, 4);
    put(out + WORDS_SIZE + 12, eg_crc32c(0, out, WORDS_SIZE + 12), 4);
}

void eg_footer_make(unsigned char out[EG_FOOTER_SIZE], const void *data, size_t size)
{
    fill(out, size, eg_crc32c(0, data, size));
}

static int checksum_file(int fd, uint64_t size, unsigned char *window, uint32_t *out)
{
    *out = 0;
    for (uint64_t at = 0; at < size;) {
        size_t got = 0;
        size_t wanted = size - at < WINDOW ? (size_t)(size - at) : WINDOW;
        int error = eg_read_fully(fd, window, wanted, at, &got);
        if (error != 0 || got == 0) {
            return error != 0 ? error : EIO; /* it shrank meanwhile */
        }
        *out = eg_crc32c(*out, window, got);
        at += got;
    }
    return 0;
}

static int check_open(eg_footer *out, int fd, unsigned char *window)
{
    struct stat info;
    unsigned char found[EG_FOOTER_SIZE];
    unsigned char right[EG_FOOTER_SIZE];
    size_t got = 0;
    *out = EG_FOOTER_NONE;
    if (fstat(fd, &info) != 0) {
        return errno;
    }
    if (info.st_size < EG_FOOTER_SIZE) {
        return 0;
    }
    uint64_t size = (uint64_t)info.st_size - EG_FOOTER_SIZE;
    int error = eg_read_fully(fd, found, sizeof found, size, &got);
    if (error != 0 || got < sizeof found || memcmp(found, words, WORDS_SIZE) != 0) {
        return error;
    }
    uint32_t checksum = 0;
    error = checksum_file(fd, size, window, &checksum);
    fill(right, size, checksum);
    *out = memcmp(found, right, sizeof right) == 0 ? EG_FOOTER_GOOD : EG_FOOTER_BROKEN;
    return error;
}

eg_status eg_footer_check(eg_footer *out, const char *path)
{
    unsigned char *window = NULL;
    *out = EG_FOOTER_NONE;
    int fd = eg_open_file(path, O_RDONLY);
    if (fd < 0) {
        return eg_fail_errno(errno, "%s: cannot read the results file", path);
    }
    eg_status status = eg_alloc(&window, WINDOW, 1);
    if (status.code == EG_OK) {
        int error = check_open(out, fd, window);
        if (error != 0) {
            status = eg_fail_errno(error, "%s: cannot read the results file", path);
        }
    }
    eg_free(window);
    (void)close(fd);
    return status;
}
