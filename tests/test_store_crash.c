/** Kills, full disks and missing memory: nothing acknowledged is lost, no torn file is ever seen,
 *  nothing leaks. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "stores.h"

#include <dirent.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static eg_outcome outcomes[64];

/* Time is what the tests say, and every look at the clock takes a millisecond. */
static struct timespec clock_now = {.tv_sec = 1700000000};

static void pass_time(long nanoseconds)
{
    clock_now.tv_nsec += nanoseconds;
    clock_now.tv_sec += clock_now.tv_nsec / 1000000000;
    clock_now.tv_nsec %= 1000000000;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    (void)id;
    pass_time(1000000);
    *time = clock_now;
    return 0;
}

/** Writes results and pictures of them until it is killed; says through the pipe what is safe. */
static void write_for_ever(const char *file, const eg_plan *plan, int told)
{
    eg_store *store = NULL;
    if (eg_store_open(&store, file, plan, &eg_test_session, outcomes).code != EG_OK) {
        _exit(1);
    }
    for (size_t i = 0;; i = (i + 1) % 6) {
        if (outcomes[i].status != EG_TRIAL_PENDING && eg_store_redo(store, i).code != EG_OK) {
            _exit(1);
        }
        outcomes[i].status = EG_TRIAL_DONE;
        char byte = (char)i;
        if (eg_test_finish(store, plan, i).code != EG_OK || write(told, &byte, 1) != 1 ||
            eg_store_publish(store, false).code != EG_OK) {
            _exit(1);
        }
    }
}

static void pause_for(long nanoseconds)
{
    struct timespec time = {.tv_nsec = nanoseconds};
    (void)nanosleep(&time, NULL);
}

/** The file is whole at any moment of the writer's life, and every acknowledged result is in the
 * journal afterwards. */
static void test_kills(void **state)
{
    (void)state;
    const int count = eg_test_full() ? 100 : 20;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    const char *copy = eg_test_path(eg_test_place, "copy.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 0);
    size_t read_whole = 0;
    bool safe[6] = {false};
    for (int kills = 0; kills < count; kills++) {
        int told[2];
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)close(told[0]);
            write_for_ever(file, plan, told[1]);
        }
        (void)close(told[1]);
        size_t last = SIZE_MAX;
        for (int reads = 0; reads <= kills % 4; reads++) {
            char byte = 0;
            assert_int_equal(read(told[0], &byte, 1), 1); /* a result is safe, others follow */
            safe[(size_t)byte] = true;
            last = (size_t)byte;
            /* A copy under another name has no journal beside it: the file itself is read. */
            size_t size = 0;
            unsigned char *bytes = eg_test_read_file(file, &size);
            eg_test_write_file(copy, bytes, size);
            eg_free(bytes);
            eg_results *results = NULL;
            assert_ok(eg_results_load(&results, copy));
            assert_int_equal(results->trial_count, 6);
            eg_results_free(results);
            read_whole++;
        }
        pause_for(100000L * (7 * kills % 31)); /* not always at the same point */
        assert_int_equal(kill(child, SIGKILL), 0);
        int code = 0;
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_true(WIFSIGNALED(code)); /* it did not give up by itself */
        char byte = 0;
        while (read(told[0], &byte, 1) == 1) {
            last = (size_t)byte;
            safe[last] = true;
        }
        (void)close(told[0]);
        eg_results *results = NULL;
        assert_ok(eg_results_load(&results, file));
        assert_null(results->writer);
        for (size_t i = 0; i < 6; i++) {
            /* The one after the last may have been taken back for a new round. */
            if (safe[i] && i != (last + 1) % 6) {
                eg_test_compare(plan, i, &results->trials[i], false);
            }
        }
        eg_results_free(results);
        assert_ok(eg_results_load(&results, file));
        for (size_t i = 0; i < 6; i++) {
            safe[i] = results->trials[i].status != EG_TRIAL_PENDING;
        }
        eg_results_free(results);
    }
    assert_true(read_whole > (size_t)count);
    eg_plan_free(plan);
}

/** Files may not grow beyond a limit: as good as a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static size_t files_in_directory(void)
{
    DIR *directory = opendir(eg_test_place);
    size_t count = 0;
    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 ? 1 : 0;
    }
    (void)closedir(directory);
    return count;
}

static void test_full_disk(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    size_t size = 0;
    (void)signal(SIGXFSZ, SIG_IGN);

    /* From the start: nothing stays behind. */
    for (rlim_t bytes = 0; bytes < 60000; bytes += 3000) {
        limit_files(bytes);
        assert_fails(eg_store_open(&store, file, plan, &eg_test_session, outcomes), EG_SYSTEM,
                     "File too large");
        limit_files(RLIM_INFINITY);
        assert_int_equal(files_in_directory(), 0);
    }

    /* In the middle: the journal stays sound and takes the result when there is room again. */
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_ok(eg_test_finish(store, plan, 0));
    eg_free(eg_test_read_file(eg_test_path(eg_test_place, "tiny.journal"), &size));
    for (rlim_t more = 0; more < 400; more += 60) {
        limit_files(size + more);
        assert_fails(eg_test_finish(store, plan, 1), EG_SYSTEM, "tiny.journal");
        limit_files(RLIM_INFINITY);
        eg_free(eg_test_read_file(eg_test_path(eg_test_place, "tiny.journal"), &size));
    }
    assert_ok(eg_test_finish(store, plan, 1));
    unsigned char *before = eg_test_read_file(file, &size);
    limit_files(size / 2);
    assert_fails(eg_store_publish(store, false), EG_SYSTEM, "tiny.h5.tmp");
    limit_files(RLIM_INFINITY);
    size_t length = 0;
    unsigned char *after = eg_test_read_file(file, &length);
    assert_int_equal(size, length);
    assert_memory_equal(before, after, size);
    assert_int_equal(files_in_directory(), 3); /* file, journal, lock */
    eg_free(before);
    eg_free(after);
    assert_ok(eg_store_publish(store, false));
    assert_ok(eg_store_close(store, "stopped"));
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, file));
    assert_int_equal(results->warning_count, 0);
    eg_test_compare(plan, 0, &results->trials[0], false);
    eg_test_compare(plan, 1, &results->trials[1], false);
    eg_results_free(results);
    eg_plan_free(plan);
}

/** Every allocation fails once: an error with words, nothing leaks, nothing is left behind, and the
 * next try works. */
static void test_no_memory_to_open(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    size_t live = eg_memory_live_blocks();
    const size_t share = eg_test_full() ? 200 : 15;
    for (size_t n = 1;; n += 1 + n / share) {
        eg_store *store = NULL;
        eg_memory_fail_after(n);
        eg_status status = eg_store_open(&store, file, plan, &eg_test_session, outcomes);
        eg_memory_fail_after(0);
        if (status.code == EG_OK) {
            assert_true(n > 300);
            assert_ok(eg_store_close(store, "done"));
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_null(store);
        assert_int_equal(eg_memory_live_blocks(), live);
        assert_int_equal(files_in_directory(), 0);
    }
    assert_int_equal(eg_memory_live_blocks(), live);
    eg_plan_free(plan);
}

typedef eg_status (*attempt_function)(eg_store *store, const char *file);

static eg_status try_load(eg_store *store, const char *file)
{
    (void)store;
    eg_results *results = NULL;
    eg_status status = eg_results_load(&results, file);
    assert_true((status.code == EG_OK) == (results != NULL));
    eg_results_free(results);
    return status;
}

static eg_status try_check(eg_store *store, const char *file)
{
    (void)store;
    char *report = NULL;
    bool sound = false;
    EG_TRY(eg_store_check(&report, &sound, file));
    assert_true(sound);
    eg_free(report);
    return eg_ok();
}

static eg_status try_publish(eg_store *store, const char *file)
{
    (void)file;
    return eg_store_publish(store, false);
}

static eg_status try_collect(eg_store *store, const char *file)
{
    (void)store;
    return eg_store_collect(file);
}

static void fail_each(attempt_function attempt, eg_store *store, const char *file)
{
    size_t live = eg_memory_live_blocks();
    const size_t share = eg_test_full() ? 200 : 15;
    for (size_t n = 1;; n += 1 + n / share) {
        eg_memory_fail_after(n);
        eg_status status = attempt(store, file);
        eg_memory_fail_after(0);
        assert_int_equal(eg_memory_live_blocks(), live);
        assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
        if (status.code == EG_OK) {
            assert_true(n > 100);
            return;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_non_null(strstr(status.message, "memory"));
    }
}

static void test_no_memory_for_the_rest(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    eg_test_run(file, plan, 0, 5);
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    fail_each(try_publish, store, file);
    assert_ok(eg_store_close(store, "stopped"));
    fail_each(try_load, NULL, file);
    fail_each(try_check, NULL, file);
    fail_each(try_collect, NULL, file);
    assert_int_equal(unlink(eg_test_path(eg_test_place, "tiny.journal")), 0);
    fail_each(try_load, NULL, file);
    assert_int_equal(files_in_directory(), 1);
    eg_plan_free(plan);
}

/** The first picture comes early, later ones cost at most their share. */
static void test_publishing_is_paced(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_store *store = NULL;
    size_t size[3];
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    assert_ok(eg_test_finish(store, plan, 0));
    eg_free(eg_test_read_file(file, &size[0]));
    assert_ok(eg_store_publish_if_due(store, 1.0)); /* too early */
    eg_results *results = NULL;
    const char *copy = eg_test_path(eg_test_place, "copy.h5");
    for (int pass = 0; pass < 2; pass++) {
        unsigned char *bytes = eg_test_read_file(file, &size[0]);
        eg_test_write_file(copy, bytes, size[0]);
        eg_free(bytes);
        assert_ok(eg_results_load(&results, copy));
        assert_int_equal(results->trials[0].status, pass == 0 ? EG_TRIAL_PENDING : EG_TRIAL_DONE);
        eg_results_free(results);
        for (int i = 0; i < 23 && pass == 0; i++) {
            pass_time(100000000);
            assert_ok(eg_store_publish_if_due(store, 1e-9)); /* costs far more than that */
        }
        eg_free(eg_test_read_file(file, &size[1]));
        assert_int_equal(size[0], size[1]);
        assert_ok(eg_store_publish_if_due(store, 1.0));
    }
    assert_ok(eg_store_close(store, "stopped"));
    eg_plan_free(plan);
}

#define crash_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        crash_test(test_kills),
        crash_test(test_full_disk),
        crash_test(test_no_memory_to_open),
        crash_test(test_no_memory_for_the_rest),
        crash_test(test_publishing_is_paced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
