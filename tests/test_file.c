/** Whole files: replaced at once or not at all, loaded, missing, impossible. */
#include "testing.h"

#include "engram/file.h"
#include "engram/memory.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaced_and_loaded),
        cmocka_unit_test(missing_is_no_failure),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
