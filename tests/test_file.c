/** Whole files: replaced at once or not at all, loaded, missing, impossible. */
#include "testing.h"

#include "engram/file.h"
#include "engram/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_in(char out[256], const char *directory, const char *name)
{
    (void)snprintf(out, 256, "%s/%s", directory, name);
}

static void assert_contents(const char *path, const char *expected)
{
    unsigned char *data = NULL;
    size_t size = 0;
    assert_ok(eg_load_file(&data, &size, path, "the test"));
    assert_non_null(data);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(data, expected, size);
    eg_free(data);
}

static void replaced_and_loaded(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    char path[256];
    char temporary[256];
    path_in(path, directory, "x");
    path_in(temporary, directory, "x.new");
    assert_ok(eg_replace_file(path, "new", "one", 3, "the test"));
    assert_contents(path, "one");
    assert_ok(eg_replace_file(path, "new", "second", 6, "the test"));
    assert_contents(path, "second");
    assert_ok(eg_replace_file(path, "new", "", 0, "the test"));
    assert_contents(path, "");
    assert_int_not_equal(access(temporary, F_OK), 0);
    eg_test_remove(directory);
}

static void missing_is_no_failure(void **state)
{
    (void)state;
    unsigned char *data = NULL;
    size_t size = 7;
    assert_ok(eg_load_file(&data, &size, "/no/such/file", "the test"));
    assert_null(data);
    assert_int_equal(size, 0);
}

static void what_cannot_be(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    char path[256];
    char temporary[256];
    unsigned char *data = NULL;
    size_t size = 0;
    assert_fails(eg_load_file(&data, &size, directory, "the test"), EG_INVALID,
                 "the test is not a regular file");
    assert_fails(eg_replace_file("/no/such/file", "new", "", 0, "the test"), EG_SYSTEM,
                 "/no/such/file.new: cannot write the test");
    /* The target is a directory: the temporary file goes away again. */
    path_in(path, directory, "taken");
    path_in(temporary, directory, "taken.new");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_fails(eg_replace_file(path, "new", "", 0, "the test"), EG_SYSTEM,
                 "cannot replace the test");
    assert_int_not_equal(access(temporary, F_OK), 0);
    eg_memory_fail_after(1);
    assert_fails(eg_replace_file(path, "new", "", 0, "the test"), EG_MEMORY, "");
    eg_memory_fail_after(0);
    eg_test_remove(directory);
}

/** What opens files never gets the number of a closed standard stream. */
static void above_the_standard_streams(void **state)
{
    (void)state;
    int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_int_equal(close(STDIN_FILENO), 0);
    int fd = eg_open_file("/dev/null", O_RDONLY);
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(close(fd), 0);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(eg_take_standard_descriptors(), 0);
    char byte = 0;
    assert_int_equal(read(STDIN_FILENO, &byte, 1), -1); /* as from a closed one */
    if (kept >= 0) {
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        assert_int_equal(close(kept), 0);
    }
}

/** Creating removes what an interrupted call left, and nothing else. */
static void created_where_nothing_is(void **state)
{
    (void)state;
    const struct {
        const char *there;
        bool removed;
    } rows[] = {
        {"", true}, {"mag", true}, {"magic and more", true}, {"mine", false}, {"magi?", false}};
    const char *directory = eg_test_directory();
    char path[256];
    path_in(path, directory, "x");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        eg_test_write_file(path, rows[i].there, strlen(rows[i].there));
        int fd = eg_create_file(path, "magic", 5);
        assert_int_equal(fd >= 0, rows[i].removed);
        assert_contents(path, rows[i].removed ? "" : rows[i].there);
        if (fd >= 0) {
            assert_int_equal(close(fd), 0);
        }
    }
    eg_test_remove(directory);
}

/** A file gets a name that is free, and no other one. */
static void renamed_where_nothing_is(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    char from[256];
    char to[256];
    path_in(from, directory, "from");
    path_in(to, directory, "to");
    eg_test_write_file(from, "new", 3);
    assert_int_equal(eg_rename_new(from, to), 0);
    assert_contents(to, "new");
    assert_int_equal(access(from, F_OK), -1);
    eg_test_write_file(from, "newer", 5);
    assert_int_equal(eg_rename_new(from, to), EEXIST);
    assert_contents(to, "new");
    assert_contents(from, "newer");
    assert_int_equal(unlink(to), 0);
    assert_int_equal(symlink("nothing", to), 0);
    assert_int_equal(eg_rename_new(from, to), EEXIST);
    assert_int_equal(eg_rename_new(to, "/nowhere/at/all"), ENOENT);
    eg_test_remove(directory);
}

/** A lock is seen by who only looks, which is in nobody's way, and goes with its descriptor. */
static void locks_are_seen(void **state)
{
    (void)state;
    const char *directory = eg_test_directory();
    char path[256];
    path_in(path, directory, "x");
    eg_test_write_file(path, "1", 1);
    int reader = eg_open_file(path, O_RDONLY);
    int writer = eg_open_file(path, O_RDWR);
    assert_false(eg_has_lock(reader));
    assert_int_equal(eg_lock_file(writer), 0);
    eg_show_lock(writer);
    assert_true(eg_has_lock(reader));
    assert_int_equal(close(writer), 0);
    assert_false(eg_has_lock(reader));
    writer = eg_open_file(path, O_RDWR);
    assert_int_equal(eg_lock_file(writer), 0);
    assert_int_equal(close(writer), 0);
    assert_int_equal(close(reader), 0);
    eg_test_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_the_standard_streams),
        cmocka_unit_test(created_where_nothing_is),
        cmocka_unit_test(renamed_where_nothing_is),
        cmocka_unit_test(locks_are_seen),
        cmocka_unit_test(replaced_and_loaded),
        cmocka_unit_test(missing_is_no_failure),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
