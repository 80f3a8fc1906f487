/** Assertions and temporary files for the tests; see testing.h. */
#include "testing.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void eg_test_ok(eg_status status, const char *what, const char *file, int line)
{
    if (status.code != EG_OK) {
        print_error("%s failed: %s\n", what, status.message);
        _fail(file, line);
    }
}

void eg_test_fails(eg_status status, eg_code code, const char *part, const char *what,
                   const char *file, int line)
{
    if (status.code != code || strstr(status.message, part) == NULL) {
        print_error("%s: expected code %d and \"%s\", got code %d: %s\n", what, (int)code, part,
                    (int)status.code, status.message);
        _fail(file, line);
    }
}

void eg_test_close(double a, double b, double tolerance, const char *what, const char *file,
                   int line)
{
    double scale = fmax(1.0, fabs(b));
    /* Written so that a NaN on either side fails. */
    if (!(fabs(a - b) <= tolerance * scale)) {
        print_error("%s: %.17g is not within %g of %.17g\n", what, a, tolerance, b);
        _fail(file, line);
    }
}

const char *eg_test_directory(void)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/engram-test-XXXXXX");
    if (mkdtemp(path) == NULL) {
        fail_msg("cannot make a temporary directory");
    }
    return path;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void eg_test_remove(const char *directory)
{
    if (strncmp(directory, "/tmp/engram-test-", 17) == 0) {
        (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

bool eg_test_full(void)
{
    const char *wanted = getenv("ENGRAM_FULL_TESTS");
    return wanted != NULL && strcmp(wanted, "1") == 0;
}

size_t eg_test_stride(size_t stride)
{
#if defined(__SANITIZE_ADDRESS__)
    return eg_test_full() ? 1 : stride;
#else
    (void)stride;
    return 1;
#endif
}

void eg_test_write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        fail_msg("cannot write %s", path);
    }
}
