/** Helpers of the fuzz targets; see fuzz.h. */
#include "fuzz.h"

#include "engram/memory.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[96];

_Noreturn void eg_fuzz_broken(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n", file, line, condition);
    abort();
}

void eg_fuzz_check(const eg_status *status, const void *result)
{
    if (status->code != EG_OK && status->code != EG_INVALID) {
        (void)fprintf(stderr, "code %d: %s\n", (int)status->code, status->message);
    }
    fuzz_require(status->code == EG_OK || status->code == EG_INVALID);
    fuzz_require((status->code == EG_OK) == (result != NULL));
    fuzz_require((status->code == EG_OK) == (status->message[0] == '\0'));
}

static void remove_directory(void)
{
    DIR *list = opendir(directory);
    for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        (void)unlinkat(dirfd(list), entry->d_name, 0); /* "." and ".." refuse */
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    (void)rmdir(directory);
}

const char *eg_fuzz_directory(void)
{
    if (directory[0] == '\0') {
        const char *temporary = getenv("TMPDIR");
        (void)snprintf(directory, sizeof directory, "%s/engram-fuzz-XXXXXX",
                       temporary == NULL ? "/tmp" : temporary);
        fuzz_require(mkdtemp(directory) != NULL);
        fuzz_require(atexit(remove_directory) == 0);
    }
    return directory;
}

const char *eg_fuzz_file(const char *name, const void *data, size_t size)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", eg_fuzz_directory(), name);
    FILE *file = fopen(path, "wb");
    fuzz_require(file != NULL);
    fuzz_require(fwrite(data, 1, size, file) == size);
    fuzz_require(fclose(file) == 0);
    return path;
}

uint8_t eg_fuzz_u8(eg_fuzz_bytes *bytes)
{
    if (bytes->left == 0) {
        return 0;
    }
    bytes->left--;
    return *bytes->data++;
}

uint16_t eg_fuzz_u16(eg_fuzz_bytes *bytes)
{
    uint8_t low = eg_fuzz_u8(bytes);
    return (uint16_t)(low | eg_fuzz_u8(bytes) << 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool warm; /* targets may make something once, and keep it */
    if (!warm) {
        warm = true;
        eg_fuzz_one((const uint8_t *)"", 0);
    }
    size_t before = eg_memory_live_blocks();
    eg_fuzz_one(data, size);
    fuzz_require(eg_memory_live_blocks() == before);
    return 0;
}
