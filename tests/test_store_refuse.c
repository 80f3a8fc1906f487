/** Who may write where: one writer at a time, into results of the same sweep, and nothing else is
 *  touched. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "store/hdf5/checksum_footer.h"
#include "store/store_lock.h"
#include "stores.h"

#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static eg_outcome outcomes[64];

/** Opening with this plan is refused, with words. */
static void refused(const char *path, const eg_plan *plan, eg_code code, const char *words)
{
    eg_store *store = NULL;
    assert_fails(eg_store_open(&store, path, plan, &eg_test_session, outcomes), code, words);
    assert_null(store);
}

static bool exists(const char *name)
{
    return access(eg_test_path(eg_test_place, name), F_OK) == 0;
}

static void test_second_writer(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        eg_store *store = NULL;
        eg_status status = eg_store_open(&store, file, plan, &eg_test_session, outcomes);
        byte = status.code == EG_OK ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1) {
            (void)pause();
        }
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    char words[400];
    char host[200] = "";
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    (void)snprintf(words, sizeof words, "tiny.h5 is being written by process %ld on host %s",
                   (long)child, host);
    refused(file, plan, EG_INVALID, words);
    assert_true(exists("tiny.lock"));
    char *holder = NULL;
    assert_ok(eg_store_lock_holder(&holder, eg_test_path(eg_test_place, "tiny.lock")));
    (void)snprintf(words, sizeof words, "%s %ld", host, (long)child);
    assert_string_equal(holder, words);
    eg_free(holder);

    /* The same in this process: after the child's death the lock is free, then ours. */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(exists("tiny.lock"));
    assert_ok(eg_store_lock_holder(&holder, eg_test_path(eg_test_place, "tiny.lock")));
    assert_null(holder);
    eg_store *store = NULL;
    assert_ok(eg_store_open(&store, file, plan, &eg_test_session, outcomes));
    refused(file, plan, EG_INVALID, "is being written by process");
    assert_ok(eg_store_close(store, "done"));
    assert_false(exists("tiny.lock"));
    eg_test_run(file, plan, 0, 6);
    (void)close(ready[0]);
    (void)close(ready[1]);
    eg_plan_free(plan);
}

/** Lock files as other processes, hosts and accidents leave them. */
static void test_old_locks(void **state)
{
    (void)state;
    const char *lock = eg_test_path(eg_test_place, "tiny.lock");
    char host[200] = "";
    char text[400];
    eg_lock taken;
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    /* Another host: nobody here knows whether it lives. */
    eg_test_write_file(lock, "elsewhere 77 5\n", 15);
    assert_fails(eg_store_lock_take(&taken, lock, "tiny.h5"), EG_INVALID,
                 "tiny.h5 is being written by process 77 on host elsewhere; if that job is gone, "
                 "`engram merge NEW.h5 tiny.h5`");
    /* This host, a pid that is in use, but not since then. */
    (void)snprintf(text, sizeof text, "%s %ld 1\n", host, (long)getpid());
    eg_test_write_file(lock, text, strlen(text));
    assert_ok(eg_store_lock_take(&taken, lock, "tiny.h5"));
    eg_store_lock_release(&taken);
    /* Its writer died in the middle of the same line. */
    for (size_t part = 1; part < strlen(text); part++) {
        eg_test_write_file(lock, text, part);
        assert_ok(eg_store_lock_take(&taken, lock, "tiny.h5"));
        eg_store_lock_release(&taken);
    }
    /* Not a lock, nor a part of one of this host: it stays as it is. */
    const char *const others[] = {"?nonsense", "?poetry lock\n", "? 1 2\nb\n", "? 1 2",
                                  "? 1 2 3\n", "? -1 2\n",       " 1 2\n",     "? 0 1\n"};
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        size_t size = 0;
        eg_test_write_file(lock, others[i], strlen(others[i]));
        assert_fails(eg_store_lock_take(&taken, lock, "tiny.h5"), EG_INVALID,
                     "is not a lock of engram");
        unsigned char *now = eg_test_read_file(lock, &size);
        assert_int_equal(size, strlen(others[i]));
        assert_memory_equal(now, others[i], size);
        eg_free(now);
    }
    /* Empty: its writer died before it wrote. */
    eg_test_write_file(lock, "", 0);
    assert_ok(eg_store_lock_take(&taken, lock, "tiny.h5"));
    /* Taken over, it names the new holder. */
    char *holder = NULL;
    assert_ok(eg_store_lock_holder(&holder, lock));
    (void)snprintf(text, sizeof text, "%s %ld", host, (long)getpid());
    assert_string_equal(holder, text);
    eg_free(holder);
    eg_store_lock_release(&taken);
    assert_false(exists("tiny.lock"));
}

/** A holder that has ended is gone, even while nobody has waited for it. */
static void test_lock_of_zombie(void **state)
{
    (void)state;
    const char *lock = eg_test_path(eg_test_place, "tiny.lock");
    pid_t child = fork();
    if (child == 0) {
        eg_lock held;
        _exit(eg_store_lock_take(&held, lock, "tiny.h5").code == EG_OK ? 0 : 1);
    }
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    assert_int_equal(ended.si_status, 0);
    assert_int_equal(kill(child, 0), 0); /* still in the table of processes */
    char *holder = NULL;
    assert_ok(eg_store_lock_holder(&holder, lock));
    assert_null(holder);
    eg_lock taken;
    assert_ok(eg_store_lock_take(&taken, lock, "tiny.h5"));
    eg_store_lock_release(&taken);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/** Of many processes that start at once exactly one gets in. */
static void test_race(void **state)
{
    (void)state;
    enum { RUNNERS = 8, ROUNDS = 20 };
    for (int round = 0; round < ROUNDS; round++) {
        const char *lock = eg_test_path(eg_test_place, "race.lock");
        if (round % 2 == 0) { /* a stale lock, or none */
            eg_test_write_file(lock, "", 0);
        }
        int go[2];
        int answers[2];
        assert_int_equal(pipe(go), 0);
        assert_int_equal(pipe(answers), 0);
        pid_t children[RUNNERS];
        for (int i = 0; i < RUNNERS; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                char byte;
                eg_lock taken;
                (void)close(go[1]);
                (void)!read(go[0], &byte, 1); /* until the parent closes its end */
                byte = eg_store_lock_take(&taken, lock, "race").code == EG_OK ? 'y' : 'n';
                (void)!write(answers[1], &byte, 1);
                (void)pause();
                _exit(0);
            }
        }
        (void)close(go[0]);
        (void)close(go[1]);
        int winners = 0;
        for (int i = 0; i < RUNNERS; i++) {
            char byte = 0;
            assert_int_equal(read(answers[0], &byte, 1), 1);
            winners += byte == 'y' ? 1 : 0;
        }
        for (int i = 0; i < RUNNERS; i++) {
            assert_int_equal(kill(children[i], SIGKILL), 0);
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
        }
        (void)close(answers[0]);
        (void)close(answers[1]);
        assert_int_equal(winners, 1);
    }
}

static void test_other_sweeps(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(file, plan, 0, 6);
    size_t size[2];
    unsigned char *before =
        eg_test_read_file(eg_test_path(eg_test_place, "tiny.journal"), &size[0]);

    eg_plan *other = plan_of(eg_test_sweep, "name=huge");
    refused(file, other, EG_INVALID,
            "tiny.h5 belongs to another sweep: its name is 'tiny' there, 'huge' here");
    eg_plan_free(other);
    other = plan_of(eg_test_sweep, "stream.batch=32", "eval.block=100");
    refused(file, other, EG_INVALID,
            "tiny.h5 belongs to another sweep: stream.batch is 64 there, 32 here; choose");
    eg_plan_free(other);
    other = plan_of(eg_test_sweep, "optimizer.lr=0.5", "optimizer=sgd");
    refused(file, other, EG_INVALID, "optimizer.lr is 0.1, 0.25 there, 0.5 here");
    refused(file, other, EG_INVALID, "optimizer is adagrad there, sgd here");
    eg_plan_free(other);
    other = plan_of(eg_test_sweep, "seeds=[7, 8]");
    refused(file, other, EG_INVALID, "the seeds begin with 0 there, 7 here");
    eg_plan_free(other);

    unsigned char *after = eg_test_read_file(eg_test_path(eg_test_place, "tiny.journal"), &size[1]);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(before, after, size[0]);
    assert_false(exists("tiny.lock"));
    eg_free(before);
    eg_free(after);

    /* A path that cannot change results may differ. */
    other = plan_of(eg_test_sweep, "eval.block=100");
    eg_store *store = NULL;
    assert_ok(eg_store_open(&store, file, other, &eg_test_session, outcomes));
    assert_int_equal(outcomes[0].status, EG_TRIAL_DONE);
    assert_ok(eg_store_close(store, "done"));
    eg_plan_free(other);
    eg_plan_free(plan);
}

/** Nothing is finished yet: the sweep file may change in every trial. */
static void test_edited_before_anything_finished(void **state)
{
    (void)state;
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    eg_plan *other = plan_of(eg_test_sweep, "stream.batch=32");
    eg_test_run(file, plan, 0, 0);
    eg_test_run(file, other, 0, 6);
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, file));
    assert_int_equal(results->trial_count, 6);
    eg_test_compare(other, 0, &results->trials[0], false);
    eg_results_free(results);
    eg_plan_free(plan);
    eg_plan_free(other);
}

static void test_bad_places(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    refused(eg_test_path(eg_test_place, "missing/tiny.h5"), plan, EG_INVALID,
            "missing cannot be used: No such file or directory");
    eg_test_write_file(eg_test_path(eg_test_place, "plain"), "x", 1);
    refused(eg_test_path(eg_test_place, "plain/tiny.h5"), plan, EG_INVALID,
            "plain is not a directory");
    refused("/proc/self/tiny.h5", plan, EG_INVALID,
            "/proc/self/tiny.lock: results cannot be written");
    refused(eg_test_path(eg_test_place, "tiny.nc"), plan, EG_INVALID, "ends in .h5");
    refused(eg_test_path(eg_test_place, ".h5"), plan, EG_INVALID, "ends in .h5");

    assert_int_equal(mkdir(eg_test_path(eg_test_place, "folder.h5"), 0777), 0);
    refused(eg_test_path(eg_test_place, "folder.h5"), plan, EG_INVALID,
            "folder.h5 is not a regular file");
    assert_int_equal(mkdir(eg_test_path(eg_test_place, "busy.journal"), 0777), 0);
    refused(eg_test_path(eg_test_place, "busy.h5"), plan, EG_INVALID,
            "busy.journal is not a regular file");
    assert_false(exists("folder.lock"));
    assert_false(exists("busy.lock"));
    eg_plan_free(plan);
}

/** As root every directory is writable, so another user tries. */
static void test_unwritable_directory(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const char *file = eg_test_path(eg_test_place, "closed/tiny.h5");
    assert_int_equal(mkdir(eg_test_path(eg_test_place, "closed"), 0755), 0);
    assert_int_equal(chmod(eg_test_path(eg_test_place, "closed"), 0555), 0);
    assert_int_equal(chmod(eg_test_place, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        eg_store *store = NULL;
        if (getuid() == 0 && setuid(65534) != 0) {
            _exit(3);
        }
        eg_status status = eg_store_open(&store, file, plan, &eg_test_session, outcomes);
        bool good = status.code == EG_INVALID &&
                    strstr(status.message, "results cannot be written here: Permission") != NULL;
        _exit(good ? 0 : 1);
    }
    int code = 0;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    assert_int_equal(WEXITSTATUS(code), 0);
    eg_plan_free(plan);
}

static void make_hdf5(const char *path, const char *format, int version)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t text = H5Tcopy(H5T_C_S1);
    assert_true(file >= 0 && space >= 0);
    assert_true(H5Tset_size(text, H5T_VARIABLE) >= 0);
    hid_t name = H5Acreate2(file, "format_name", text, space, H5P_DEFAULT, H5P_DEFAULT);
    hid_t number =
        H5Acreate2(file, "format_version", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(name, text, &format) >= 0);
    assert_true(H5Awrite(number, H5T_NATIVE_INT, &version) >= 0);
    (void)H5Aclose(name);
    (void)H5Aclose(number);
    (void)H5Tclose(text);
    (void)H5Sclose(space);
    (void)H5Fclose(file);
}

/** A file that is not ours is neither read as results nor replaced. */
static void test_foreign_files(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_results *results = NULL;
    assert_fails(eg_results_load(&results, file), EG_INVALID, "does not exist, and neither does");

    eg_test_write_file(file, "dear diary", 10);
    refused(file, plan, EG_INVALID, "exists and is not a results file of engram");
    assert_fails(eg_results_load(&results, file), EG_INVALID, "it is not HDF5");
    make_hdf5(file, "somebody else", 1);
    refused(file, plan, EG_INVALID, "exists and is not a results file of engram");
    assert_fails(eg_results_load(&results, file), EG_INVALID, "not a results file of engram");
    make_hdf5(file, "engram-results", 99);
    assert_fails(eg_results_load(&results, file), EG_INVALID,
                 "written by a newer engram (results format 99; this one reads up to 1)");
    make_hdf5(file, "engram-results", 1);
    assert_fails(eg_results_load(&results, file), EG_INVALID, "'title' is missing");
    refused(file, plan, EG_INVALID, "has no journal");
    assert_false(exists("tiny.journal"));
    assert_false(exists("tiny.lock"));
    assert_int_equal(unlink(file), 0);

    /* Results whose journal is gone can be read but not continued. */
    eg_test_run(file, plan, 0, 6);
    assert_int_equal(unlink(eg_test_path(eg_test_place, "tiny.journal")), 0);
    refused(file, plan, EG_INVALID, "it can be read but not continued");
    assert_fails(eg_store_collect(file), EG_INVALID, "there is nothing to collect from");
    eg_plan_free(plan);
}

/** A result file cut at any length is refused with words, and made anew from the journal. */
static void test_cut_result_file(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    const char *moved = eg_test_path(eg_test_place, "moved.h5");
    size_t size = 0;
    eg_test_run(file, plan, 0, 6);
    unsigned char *bytes = eg_test_read_file(file, &size);
    /* Without a part of its checksum only it is as good as before. */
    for (size_t cut = 0; cut < size - EG_FOOTER_SIZE; cut += size / 101) {
        eg_results *results = NULL;
        eg_test_write_file(moved, bytes, cut);
        eg_status status = eg_results_load(&results, moved);
        assert_int_equal(status.code, EG_INVALID);
        assert_non_null(strstr(status.message, "moved.h5"));
    }
    eg_test_write_file(file, bytes, size / 3);
    eg_test_run(file, plan, 0, 0);
    size_t again = 0;
    unsigned char *now = eg_test_read_file(file, &again);
    assert_true(again >= size);
    eg_free(now);
    eg_free(bytes);
    eg_plan_free(plan);
}

#define refuse_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        refuse_test(test_second_writer),  refuse_test(test_old_locks),
        refuse_test(test_lock_of_zombie), refuse_test(test_race),
        refuse_test(test_other_sweeps),   refuse_test(test_edited_before_anything_finished),
        refuse_test(test_bad_places),     refuse_test(test_unwritable_directory),
        refuse_test(test_foreign_files),  refuse_test(test_cut_result_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
