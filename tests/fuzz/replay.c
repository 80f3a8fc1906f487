/** Runs a fuzz target without a fuzzer: on every file of the directories named, and on fixed changes of each. */
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

/** Change number `n` of an input: a cut, a wrong byte, or a few bytes of another place. */
static size_t change(uint8_t *data, size_t size, uint64_t n)
{
    uint64_t draw = (n + 1) * 0x9e3779b97f4a7c15u; /* Weyl sequence, finalised below (splitmix64) */
    draw = (draw ^ draw >> 30) * 0xbf58476d1ce4e5b9u;
    draw = (draw ^ draw >> 27) * 0x94d049bb133111ebu;
    draw ^= draw >> 31;
    size_t at = (size_t)(draw >> 8) % size;
    if (draw % 4 == 0) {
        return at;
    }
    if (draw % 4 == 1) {
        data[at] = (uint8_t)(draw >> 40);
        return size;
    }
    if (draw % 4 == 2) {
        data[at] ^= (uint8_t)(1u << (draw >> 40) % 8);
        return size;
    }
    size_t from = (size_t)(draw >> 24) % size;
    size_t most = size - (at > from ? at : from);
    size_t length = 1 + (size_t)(draw >> 44) % 16;
    memmove(data + at, data + from, length < most ? length : most);
    return size;
}

static void replay_file(const char *path, uint64_t changes)
{
    static uint8_t data[INPUT_MAX];
    static uint8_t changed[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL);
    size_t size = fread(data, 1, sizeof data, file);
    fuzz_require(size < sizeof data);
    fuzz_require(fclose(file) == 0);
    run(data, size);
    for (uint64_t n = 0; n < changes && size > 0; n++) {
        memcpy(changed, data, size);
        run(changed, change(changed, size, n));
    }
}

static size_t replay_directory(const char *directory, uint64_t changes)
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
            replay_file(path, changes);
            files++;
        }
    }
    (void)closedir(list);
    return files;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s CHANGES DIRECTORY…\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        size_t files = replay_directory(argv[i], strtoull(argv[1], NULL, 10));
        (void)printf("%s: %zu files\n", argv[i], files);
        if (files == 0) {
            (void)fprintf(stderr, "%s: no inputs\n", argv[i]);
            return 1;
        }
    }
    (void)printf("%zu inputs\n", executions);
    return 0;
}
