/** Records: what is declared and set comes back from the binary form; damage is refused. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/record.h"

#include <math.h>
#include <string.h>

static const eg_variable curve = {.name = "accuracy", .dims = {"eval"}};
static const eg_variable matrix = {.name = "matrix", .dims = {"train_task", "eval_task"}};
static const eg_variable wide_scalar = {.name = "objective", .wide = true};
static const eg_variable empty_curve = {.name = "nothing", .dims = {"eval"}};

static eg_record *sample(void)
{
    eg_record *record = NULL;
    eg_array *array = NULL;
    assert_ok(eg_record_create(&record));
    eg_record_set_status(record, EG_TRIAL_DIVERGED, "loss became nan");
    assert_ok(eg_record_declare(record, &curve, (const size_t[]){3}, &array));
    array->data[0] = 0.5;
    array->data[2] = 0.1; /* not a float: read back rounded */
    assert_ok(eg_record_declare(record, &matrix, (const size_t[]){2, 3}, &array));
    for (size_t i = 0; i < 6; i++) {
        array->data[i] = (double)i;
    }
    assert_ok(eg_record_scalar(record, &wide_scalar, 0.1));
    assert_ok(eg_record_declare(record, &empty_curve, (const size_t[]){0}, &array));
    return record;
}

static void test_round_trip(void **state)
{
    (void)state;
    eg_record *record = sample();
    eg_writer writer = {0};
    eg_record_write(record, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_record *copy = NULL;
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_record_read(&copy, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_int_equal(eg_record_status(copy), EG_TRIAL_DIVERGED);
    assert_string_equal(eg_record_message(copy), "loss became nan");
    assert_int_equal(eg_record_count(copy), 4);
    const eg_array *array = eg_record_find(copy, "accuracy");
    assert_int_equal(array->rank, 1);
    assert_int_equal(array->extent[0], 3);
    assert_close(array->data[0], 0.5, 0);
    assert_true(isnan(array->data[1]));
    assert_close(array->data[2], (double)0.1F, 0);
    array = eg_record_find(copy, "matrix");
    assert_int_equal(array->extent[0], 2);
    assert_int_equal(array->extent[1], 3);
    assert_close(array->data[5], 5, 0);
    assert_close(eg_record_value(copy, "objective"), 0.1, 0);
    assert_true(isnan(eg_record_value(copy, "matrix")));
    assert_true(isnan(eg_record_value(copy, "unheard_of")));
    assert_string_equal(eg_record_at(copy, 3)->name, "nothing");
    assert_int_equal(eg_record_at(copy, 3)->count, 0);
    eg_record_free(copy);
    eg_writer_clear(&writer);
    eg_record_free(record);
    eg_record_free(NULL);
}

static void test_every_truncation(void **state)
{
    (void)state;
    eg_record *record = sample();
    eg_writer writer = {0};
    eg_record_write(record, &writer);
    size_t before = eg_memory_live_blocks();
    for (size_t size = 0; size < writer.size; size++) {
        unsigned char *part = NULL;
        assert_ok(eg_alloc(&part, size, 1));
        memcpy(part, writer.data, size);
        eg_record *copy = NULL;
        eg_reader reader = eg_reader_make(part, size);
        assert_fails(eg_record_read(&copy, &reader), EG_INVALID, "damaged");
        assert_null(copy);
        eg_free(part);
        assert_int_equal(eg_memory_live_blocks(), before);
    }
    eg_writer_clear(&writer);
    eg_record_free(record);
}

/** Any single wrong byte is read or refused, never followed into memory it does not own. */
static void test_every_wrong_byte(void **state)
{
    (void)state;
    eg_record *record = sample();
    eg_writer writer = {0};
    eg_record_write(record, &writer);
    size_t refused = 0;
    for (size_t i = 0; i < writer.size; i++) {
        unsigned char kept = writer.data[i];
        writer.data[i] = 0xff;
        eg_record *copy = NULL;
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        eg_status status = eg_record_read(&copy, &reader);
        assert_true((status.code == EG_OK) == (copy != NULL));
        refused += status.code == EG_INVALID;
        eg_record_free(copy);
        writer.data[i] = kept;
    }
    assert_true(refused > 30); /* counts, extents, lengths, ranks, status */
    eg_writer_clear(&writer);
    eg_record_free(record);
}

static void test_declared_once(void **state)
{
    (void)state;
    eg_record *record = sample();
    assert_fails(eg_record_scalar(record, &wide_scalar, 1), EG_INTERNAL, "'objective'");
    assert_close(eg_record_value(record, "objective"), 0.1, 0);
    eg_record_free(record);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(eg_trial_status_name(EG_TRIAL_PENDING), "pending");
    assert_string_equal(eg_trial_status_name(EG_TRIAL_SKIPPED), "skipped");
    assert_string_equal(eg_trial_status_name((eg_trial_status)5), "timeout");
    assert_null(eg_trial_status_name((eg_trial_status)99));
    assert_int_equal(EG_TRIAL_STOPPED, 8);
    assert_int_equal(eg_variable_rank(&wide_scalar), 0);
    assert_int_equal(eg_variable_rank(&matrix), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_wrong_byte),
        cmocka_unit_test(test_declared_once),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
