/** Runs a fuzz target without a fuzzer: on every file of the directories named, and on changes of each, which follow from
 *  their numbers: from FIRST (default 0) on. */
#include "changes.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, PATH_SIZE = 4096 };

static size_t executions;

static void run(const uint8_t *data, size_t size)
{
    /* Exactly as long as the input, so that the sanitizer sees every step beyond it. */
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    fuzz_require(copy != NULL);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    executions++;
}

static void replay_file(const char *path, uint64_t first, uint64_t changes)
{
    static uint8_t data[INPUT_MAX];
    static uint8_t changed[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL);
    size_t size = fread(data, 1, sizeof data, file);
    fuzz_require(size < sizeof data);
    fuzz_require(fclose(file) == 0);
    run(data, size);
    for (uint64_t n = first; n < first + changes && size > 0; n++) {
        memcpy(changed, data, size);
        run(changed, eg_test_change(changed, size, n));
    }
}

static size_t replay_directory(const char *directory, uint64_t first, uint64_t changes)
{
    size_t files = 0;
    DIR *list = opendir(directory);
    if (list == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char path[PATH_SIZE];
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            replay_file(path, first, changes);
            files++;
        }
    }
    (void)closedir(list);
    return files;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s CHANGES[@FIRST] DIRECTORY…\n", argv[0]);
        return 2;
    }
    char *end = NULL;
    uint64_t changes = strtoull(argv[1], &end, 10);
    uint64_t first = *end == '@' ? strtoull(end + 1, NULL, 10) : 0;
    for (int i = 2; i < argc; i++) {
        size_t files = replay_directory(argv[i], first, changes);
        (void)printf("%s: %zu files\n", argv[i], files);
        if (files == 0) {
            (void)fprintf(stderr, "%s: no inputs\n", argv[i]);
            return 1;
        }
    }
    (void)printf("%zu inputs\n", executions);
    return 0;
}
