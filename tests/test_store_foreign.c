/** Results files that somebody else has changed: nothing outside the file is read for them, no code is loaded, and what
 *  crashes a library does not crash engram. */
#include "testing.h"

#include "base/shared/child.h"
#include "engram/memory.h"
#include "plans.h"
#include "store/hdf5/h5_read.h"
#include "store/results_pack.h"
#include "stores.h"

#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "objective"

/** What stands in the place of the dataset `objective` of a file whose links and storage are otherwise sound. */
typedef void (*replacement)(hid_t file, const char *other);

/** Six numbers in a file beside it: what must not be read. */
static void external_link(hid_t file, const char *other)
{
    assert_true(H5Lcreate_external(other, "/" NAME, file, NAME, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void soft_link(hid_t file, const char *other)
{
    (void)other;
    assert_true(H5Lcreate_soft("/wall_seconds", file, NAME, H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void create(hid_t file, hid_t properties)
{
    hsize_t extent = 6;
    hid_t space = H5Screate_simple(1, &extent, NULL);
    hid_t dataset =
        H5Dcreate2(file, NAME, H5T_IEEE_F64LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    (void)H5Dclose(dataset);
    (void)H5Sclose(space);
    (void)H5Pclose(properties);
}

static void external_storage(hid_t file, const char *other)
{
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_external(properties, other, 0, 6 * sizeof(double)) >= 0);
    create(file, properties);
}

static void virtual_storage(hid_t file, const char *other)
{
    hsize_t extent = 6;
    hid_t space = H5Screate_simple(1, &extent, NULL);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_virtual(properties, space, other, "/" NAME, space) >= 0);
    (void)H5Sclose(space);
    create(file, properties);
}

static void unusual_filter(hid_t file, const char *other)
{
    (void)other;
    hsize_t chunk = 6;
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(properties, 1, &chunk) >= 0 && H5Pset_nbit(properties) >= 0);
    create(file, properties);
}

static void ordinary_storage(hid_t file, const char *other)
{
    (void)other;
    hsize_t chunk = 6;
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(properties, 1, &chunk) >= 0 && H5Pset_shuffle(properties) >= 0 &&
                H5Pset_deflate(properties, 1) >= 0 && H5Pset_fletcher32(properties) >= 0);
    create(file, properties);
    double values[6] = {0};
    hid_t dataset = H5Dopen2(file, NAME, H5P_DEFAULT);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    (void)H5Dclose(dataset);
}

static const struct {
    replacement make;
    const char *words; /* NULL: it is read */
} cases[] = {
    {external_link, "'" NAME "' is a link to somewhere else"},
    {soft_link, "'" NAME "' is a link to somewhere else"},
    {external_storage, "the values of '" NAME "' are in another file"},
    {virtual_storage, "the values of '" NAME "' are in another file"},
    {unusual_filter, "'" NAME "' is stored with filter 5; expected deflate"},
    {ordinary_storage, NULL},
};

static void test_storage(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    char file[256];
    char other[256];
    char changed[256];
    (void)snprintf(file, sizeof file, "%s", eg_test_path(eg_test_place, "tiny.h5"));
    (void)snprintf(other, sizeof other, "%s", eg_test_path(eg_test_place, "other.h5"));
    (void)snprintf(changed, sizeof changed, "%s", eg_test_path(eg_test_place, "changed.h5"));
    size_t size = 0;
    eg_test_run(file, plan, 0, 6);
    unsigned char *bytes = eg_test_read_file(file, &size);
    eg_test_write_file(other, bytes, size);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        eg_test_write_file(changed, bytes, size);
        hid_t open = H5Fopen(changed, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(open >= 0 && H5Ldelete(open, NAME, H5P_DEFAULT) >= 0);
        cases[i].make(open, other);
        assert_true(H5Fclose(open) >= 0);
        eg_results *results = NULL;
        char *report = NULL;
        bool sound = true;
        if (cases[i].words == NULL) {
            assert_ok(eg_results_load(&results, changed));
            eg_results_free(results);
            continue;
        }
        assert_fails(eg_results_load(&results, changed), EG_INVALID, cases[i].words);
        assert_ok(eg_store_check(&report, &sound, changed));
        assert_false(sound);
        assert_non_null(strstr(report, cases[i].words));
        eg_free(report);
    }
    eg_free(bytes);
    eg_plan_free(plan);
}

/** --- The child process ------------------------------------------------------------------------- */

static eg_status talk(void *user, eg_drain *out)
{
    size_t count = *(size_t *)user;
    for (size_t i = 0; i < count; i++) {
        eg_write_u64(&out->writer, i);
        if (i % 1000 == 0) {
            EG_TRY(out->drain(out->user, &out->writer));
        }
    }
    return eg_ok();
}

static eg_status refuse(void *user, eg_drain *out)
{
    (void)user;
    eg_write_u64(&out->writer, 7);
    return eg_fail(EG_MEMORY, "the words of the child");
}

static eg_status crash(void *user, eg_drain *out)
{
    eg_write_u64(&out->writer, 7);
    (void)raise(*(int *)user);
    return eg_ok();
}

static eg_status leave(void *user, eg_drain *out)
{
    (void)out;
    _exit(*(int *)user);
}

static void test_child(void **state)
{
    (void)state;
    unsigned char *reply = NULL;
    size_t size = 0;
    size_t count = 1000000;
    assert_ok(eg_child_run(&reply, &size, talk, &count, 0));
    assert_int_equal(size, count * 8);
    eg_reader reader = eg_reader_make(reply, size);
    for (size_t i = 0; i < count; i++) {
        if (eg_read_u64(&reader) != i) {
            fail_msg("number %zu is another one", i);
        }
    }
    eg_free(reply);
    assert_fails(eg_child_run(&reply, &size, refuse, NULL, 0), EG_MEMORY, "the words of the child");
    assert_null(reply);
    int number = SIGABRT;
    assert_fails(eg_child_run(&reply, &size, crash, &number, 0), EG_INVALID, "crashes on it");
    number = SIGKILL;
    assert_fails(eg_child_run(&reply, &size, crash, &number, 0), EG_INVALID, "takes too long");
    number = 3;
    assert_fails(eg_child_run(&reply, &size, leave, &number, 0), EG_INVALID, "crashes on it");
    number = 0;
    assert_fails(eg_child_run(&reply, &size, leave, &number, 0), EG_INVALID, "ended the process");
    assert_null(reply);
}

/** What comes from a child is not believed either: cut anywhere it is refused. */
static eg_status keep(void *user, eg_writer *writer)
{
    eg_writer *all = user;
    eg_write_bytes(all, writer->data, writer->size);
    eg_writer_reset(writer);
    return eg_writer_status(all);
}

static void test_reply(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_test_run(file, plan, 0, 6);
    eg_results_owner *owner = NULL;
    eg_writer all = {0};
    eg_drain out = {.drain = keep, .user = &all};
    assert_ok(eg_h5_load_here(&owner, file, false));
    assert_ok(eg_results_write(&owner->results, &out));
    eg_writer_clear(&out.writer);
    for (size_t cut = 0; cut < all.size; cut += 1 + all.size / 997) {
        eg_results_owner *part = NULL;
        assert_ok(eg_results_owner_create(&part));
        eg_reader reader = eg_reader_make(all.data, cut);
        assert_int_equal(eg_results_read(part, &reader).code, EG_INVALID);
        eg_results_free(&part->results);
    }
    eg_writer_clear(&all);
    eg_results_free(&owner->results);
    eg_plan_free(plan);
}

#define foreign_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        foreign_test(test_storage),
        cmocka_unit_test(test_child),
        foreign_test(test_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
