/** The checksum behind a results file: what it says of whole, changed and cut files. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "store/hdf5/checksum_footer.h"
#include "stores.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A finished sweep's results file without its journal. */
typedef struct sample {
    char directory[64];
    const char *file;
    eg_plan *plan;
    unsigned char *bytes;
    size_t size;
} sample;

static int set_up(void **state)
{
    sample *s = calloc(1, sizeof *s);
    strcpy(s->directory, eg_test_directory());
    s->file = strdup(eg_test_path(s->directory, "tiny.h5"));
    s->plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(s->file, s->plan, 0, 6);
    assert_int_equal(unlink(eg_test_path(s->directory, "tiny.journal")), 0);
    s->bytes = eg_test_read_file(s->file, &s->size);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    sample *s = *state;
    eg_test_remove(s->directory);
    eg_plan_free(s->plan);
    eg_free(s->bytes);
    free((void *)(uintptr_t)s->file);
    free(s);
    return 0;
}

static eg_footer footer_of(const sample *s)
{
    eg_footer footer = EG_FOOTER_NONE;
    assert_ok(eg_footer_check(&footer, s->file));
    return footer;
}

/** By hand: CRC-32C("123456789") is e3069283 (RFC 3720's check value). */
static void test_by_hand(void **state)
{
    (void)state;
    unsigned char footer[EG_FOOTER_SIZE];
    eg_footer_make(footer, "123456789", 9);
    assert_memory_equal(footer, "engram checksum\n\x09\0\0\0\0\0\0\0\x83\x92\x06\xe3", 28);
}

static void test_whole_changed_and_cut(void **state)
{
    const sample *s = *state;
    assert_int_equal(footer_of(s), EG_FOOTER_GOOD);
    for (size_t at = 0; at < s->size; at += at + EG_FOOTER_SIZE < s->size ? 1009 : 1) {
        s->bytes[at] ^= 0x10;
        eg_test_write_file(s->file, s->bytes, s->size);
        s->bytes[at] ^= 0x10;
        bool mark = at >= s->size - EG_FOOTER_SIZE && at < s->size - EG_FOOTER_SIZE + 16;
        assert_int_equal(footer_of(s), mark ? EG_FOOTER_NONE : EG_FOOTER_BROKEN);
    }
    eg_test_write_file(s->file, s->bytes, s->size - 1);
    assert_int_equal(footer_of(s), EG_FOOTER_NONE);
    eg_test_write_file(s->file, s->bytes + 1, s->size - 1);
    assert_int_equal(footer_of(s), EG_FOOTER_BROKEN);
    eg_test_write_file(s->file, s->bytes, 5);
    assert_int_equal(footer_of(s), EG_FOOTER_NONE);
}

/** A damaged file is refused with a reason, by those who read it and by those who compare. */
static void test_damaged_file_is_refused(void **state)
{
    const sample *s = *state;
    eg_results *results = NULL;
    s->bytes[s->size / 2] ^= 1;
    eg_test_write_file(s->file, s->bytes, s->size);
    s->bytes[s->size / 2] ^= 1;
    assert_fails(eg_results_load(&results, s->file), EG_INVALID, "its checksum is wrong");
    eg_test_run(eg_test_path(s->directory, "other.h5"), s->plan, 0, 6);
    eg_test_write_file(eg_test_path(s->directory, "other.h5"), s->bytes, s->size - 100);
    char *report = NULL;
    bool sound = true;
    assert_ok(eg_store_check(&report, &sound, eg_test_path(s->directory, "other.h5")));
    assert_false(sound);
    eg_free(report);
}

/** Whoever changes the file with HDF5 cuts the footer off; it is read as it is. */
static void test_changed_by_others(void **state)
{
    const sample *s = *state;
    hid_t file = H5Fopen(s->file, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t note = H5Acreate2(file, "note", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(note >= 0);
    assert_true(H5Aclose(note) >= 0);
    assert_true(H5Sclose(space) >= 0);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(footer_of(s), EG_FOOTER_NONE);
    eg_results *results = eg_test_load(s->file);
    for (size_t i = 0; i < 6; i++) {
        eg_test_compare(s->plan, i, &results->trials[i], true);
    }
    eg_results_free(results);
}

static void test_errors(void **state)
{
    const sample *s = *state;
    eg_footer footer = EG_FOOTER_GOOD;
    assert_fails(eg_footer_check(&footer, eg_test_path(s->directory, "none.h5")), EG_SYSTEM,
                 "cannot read the results file");
    assert_int_equal(footer, EG_FOOTER_NONE);
}

#define footer_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        footer_test(test_by_hand),
        footer_test(test_whole_changed_and_cut),
        footer_test(test_damaged_file_is_refused),
        footer_test(test_changed_by_others),
        footer_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
