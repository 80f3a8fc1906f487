/** Bytes that are made once on a node: by one of many processes, again after one that died, and never taken from a file
 *  that is not complete or not this user's. */
#include "testing.h"

#include "data/mapping.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 5000, KEY = 0x1234 };

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", eg_test_directory());
    return setenv("TMPDIR", directory, 1);
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return unsetenv("TMPDIR");
}

static void path_of(char *out, size_t size, unsigned long long key)
{
    (void)snprintf(out, size, "%s/engram-%ju-%016llx.bytes", directory, (uintmax_t)geteuid(), key);
}

/* Byte i is i + first; *made counts the calls. */
typedef struct maker {
    int first;
    int made;
    bool dies, fails;
} maker;

static eg_status make(void *user, uint8_t *out)
{
    maker *self = user;
    self->made++;
    for (size_t i = 0; i < SIZE; i++) {
        out[i] = (uint8_t)(i + (size_t)self->first);
        if (i == SIZE / 2 && self->dies) {
            (void)raise(SIGKILL);
        }
    }
    return self->fails ? eg_fail(EG_INVALID, "no data") : eg_ok();
}

static void check_made(uint64_t key, maker *by, int times)
{
    eg_mapping mapping = {.address = NULL};
    const uint8_t *data = NULL;
    assert_ok(eg_mapping_make(&mapping, &data, key, SIZE, make, by));
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(data[i], (uint8_t)(i + (size_t)by->first));
    }
    assert_int_equal(by->made, times);
    eg_mapping_clear(&mapping);
    assert_null(mapping.address);
}

static void test_made_once(void **state)
{
    (void)state;
    size_t live = eg_memory_live_blocks();
    maker by = {.first = 3};
    check_made(KEY, &by, 1);
    check_made(KEY, &by, 1);
    maker other = {.first = 7};
    check_made(KEY + 1, &other, 1);
    check_made(KEY, &by, 1);
    assert_int_equal(eg_memory_live_blocks(), live);
    char path[160];
    struct stat info;
    path_of(path, sizeof path, KEY);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

enum { NOT_RIGHT = 1, RIGHT = 2, MADE_IT = 4 }; /* how a child ends */

/* Opens it in `count` processes at once; returns how many of them have made the bytes. */
static size_t open_in_children(size_t count, int first, bool dies)
{
    pid_t child[16];
    assert_true(count <= EG_COUNT(child));
    for (size_t c = 0; c < count; c++) {
        child[c] = fork();
        assert_true(child[c] >= 0);
        if (child[c] == 0) {
            maker by = {.first = first, .dies = dies};
            eg_mapping mapping = {.address = NULL};
            const uint8_t *data = NULL;
            eg_status status = eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by);
            bool right = eg_is_ok(&status) && data[SIZE - 1] == (uint8_t)(SIZE - 1 + first);
            _exit(!right ? NOT_RIGHT : by.made == 0 ? RIGHT : MADE_IT);
        }
    }
    size_t made = 0;
    for (size_t c = 0; c < count; c++) {
        int how = 0;
        assert_int_equal(waitpid(child[c], &how, 0), child[c]);
        int code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
        assert_true(dies ? WIFSIGNALED(how) : code == RIGHT || code == MADE_IT);
        made += code == MADE_IT ? 1 : 0;
    }
    return made;
}

static void test_many_processes(void **state)
{
    (void)state;
    assert_int_equal(open_in_children(12, 5, false), 1);
    assert_int_equal(open_in_children(12, 5, false), 0);
}

/* A process that is killed in the middle leaves a file that nobody believes, and no lock. */
static void test_maker_dies(void **state)
{
    (void)state;
    struct stat info;
    char path[160];
    (void)open_in_children(1, 9, true);
    path_of(path, sizeof path, KEY);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size >= SIZE);
    maker by = {.first = 5};
    check_made(KEY, &by, 1);
    check_made(KEY, &by, 1);
}

static void test_maker_fails(void **state)
{
    (void)state;
    size_t live = eg_memory_live_blocks();
    eg_mapping mapping = {.address = NULL};
    const uint8_t *data = NULL;
    maker by = {.fails = true};
    assert_fails(eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by), EG_INVALID, "no data");
    assert_null(mapping.address);
    assert_int_equal(eg_memory_live_blocks(), live);
    by = (maker){.first = 2};
    check_made(KEY, &by, 1);
}

static void write_at(const char *path, off_t offset, const char *text)
{
    int file = open(path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, text, strlen(text), offset), strlen(text));
    assert_int_equal(close(file), 0);
}

static void test_incomplete_files(void **state)
{
    (void)state;
    char path[160];
    path_of(path, sizeof path, KEY);
    maker by = {.first = 1};
    eg_test_write_file(path, "something else", 14);
    check_made(KEY, &by, 1);
    assert_int_equal(truncate(path, 100), 0);
    check_made(KEY, &by, 2);
    write_at(path, 0, "ENGRAM");
    check_made(KEY, &by, 3);
    write_at(path, 16, "other");
    check_made(KEY, &by, 4);
    assert_int_equal(unlink(path), 0);
    check_made(KEY, &by, 5);
}

/* A file that is removed stays as it is for those that have it. */
static void test_removed_while_in_use(void **state)
{
    (void)state;
    char path[160];
    path_of(path, sizeof path, KEY);
    eg_mapping mapping = {.address = NULL};
    const uint8_t *data = NULL;
    maker by = {.first = 1};
    assert_ok(eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by));
    assert_int_equal(unlink(path), 0);
    maker again = {.first = 1};
    check_made(KEY, &again, 1);
    assert_int_equal(data[10], 11);
    eg_mapping_clear(&mapping);
}

static void refused(const char *part)
{
    eg_mapping mapping = {.address = NULL};
    const uint8_t *data = NULL;
    maker by = {.first = 1};
    assert_fails(eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by), EG_SYSTEM, part);
    assert_int_equal(by.made, 0);
}

static void test_not_ours(void **state)
{
    (void)state;
    char path[160];
    path_of(path, sizeof path, KEY);
    assert_int_equal(symlink("elsewhere", path), 0);
    refused("000001234.bytes: cannot be made");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused("000001234.bytes: is not a file of this user");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    refused("/nowhere/at/all/engram-");
    refused("TMPDIR says where");
}

static void test_no_room(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        maker by = {.first = 1};
        eg_mapping mapping = {.address = NULL};
        const uint8_t *data = NULL;
        eg_status status = eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by);
        _exit(status.code == EG_SYSTEM &&
                      strstr(status.message, ".bytes: no room for 9096 bytes") != NULL
                  ? 0
                  : 1);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void set_age(const char *path, long seconds)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_forgotten_files(void **state)
{
    (void)state;
    char old[160];
    char recent[160];
    char foreign[160];
    path_of(old, sizeof old, 1);
    path_of(recent, sizeof recent, 2);
    (void)snprintf(foreign, sizeof foreign, "%s/engram-notes.bytes", directory);
    maker by = {.first = 1};
    check_made(1, &by, 1);
    check_made(2, &by, 2);
    eg_test_write_file(foreign, "mine", 4);
    set_age(old, 100000);
    set_age(recent, 80000);
    set_age(foreign, 100000);
    check_made(KEY, &by, 3);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(recent, F_OK), 0);
    assert_int_equal(access(foreign, F_OK), 0);
    /* What is opened is not forgotten. */
    set_age(recent, 100000);
    check_made(2, &by, 3);
    check_made(1, &by, 4);
    assert_int_equal(access(recent, F_OK), 0);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    size_t live = eg_memory_live_blocks();
    for (size_t failures = 0;; failures++) {
        eg_mapping mapping = {.address = NULL};
        const uint8_t *data = NULL;
        maker by = {.first = 1};
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_mapping_make(&mapping, &data, KEY, SIZE, make, &by);
        eg_memory_fail_after(0);
        assert_int_equal(eg_memory_live_blocks(), live);
        if (eg_is_ok(&status)) {
            assert_true(failures >= 2);
            eg_mapping_clear(&mapping);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
    }
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_made_once),        IN_DIRECTORY(test_many_processes),
        IN_DIRECTORY(test_maker_dies),       IN_DIRECTORY(test_maker_fails),
        IN_DIRECTORY(test_incomplete_files), IN_DIRECTORY(test_removed_while_in_use),
        IN_DIRECTORY(test_not_ours),         IN_DIRECTORY(test_no_room),
        IN_DIRECTORY(test_forgotten_files),  IN_DIRECTORY(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
