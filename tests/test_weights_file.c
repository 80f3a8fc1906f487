/** Files of weights: what is written is read again; others' files are refused with the reason, and none is overwritten. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/settings.h"
#include "engram/trial.h"
#include "engram/weights_file.h"
#include "stores.h"

#include <hdf5.h>
#include <string.h>

static const char *file_at(const char *name)
{
    return eg_test_path(eg_test_place, name);
}

static void add(eg_weights *weights, const char *name, const char *role, bool wide, size_t rank,
                const size_t *extent)
{
    eg_weights_array *array = NULL;
    assert_ok(eg_weights_add(weights, &array, name, role, wide, rank, extent));
    for (size_t i = 0; i < array->count; i++) {
        array->values[i] = 0.5 * (double)i - 1;
    }
}

/** A predictor that nothing has learned: two networks' arrays, all settings. Clear it. */
static eg_predictor some_predictor(void)
{
    static const size_t matrix[] = {3, 2};
    static const eg_assignment given[] = {
        {.name = "optimizer.lr", .value = "1e-05"},
        {.name = "model.hidden", .value = "[3, 2]"},
        {.name = "eval.untrained", .value = "true"},
    };
    eg_settings *settings = NULL;
    eg_predictor out = {.seed = UINT64_MAX,
                        .is_trial = true,
                        .trial_id = UINT64_C(0x0123456789abcdef),
                        .data = UINT64_C(0xfedcba9876543210),
                        .step = 77,
                        .channels = 2,
                        .height = 3,
                        .width = 4,
                        .outputs = 2};
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), given, EG_COUNT(given)));
    assert_ok(eg_settings_text(&out.settings, settings, true));
    eg_settings_free(settings);
    assert_ok(eg_alloc(&out.byte_value, 2, 256 * sizeof *out.byte_value));
    for (size_t i = 0; i < 512; i++) {
        out.byte_value[i] = (double)i / 256;
    }
    out.ordered_tasks = 2;
    assert_ok(eg_alloc(&out.pixel_order, 2 * 12, sizeof *out.pixel_order));
    for (uint32_t i = 0; i < 24; i++) {
        out.pixel_order[i] = i < 12 ? 11 - i : (7 * i + 3) % 12;
    }
    add(&out.weights, "networks/0/layer1.weight", "weight", false, 2, matrix);
    add(&out.weights, "networks/0/layer1.bias", "bias", false, 1, matrix);
    add(&out.weights, "networks/1/layer1.weight", "weight", false, 2, matrix);
    add(&out.weights, "networks/1/step", "buffer", true, 1, (const size_t[]){1});
    return out;
}

static void assert_same_arrays(const eg_weights *a, const eg_weights *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const eg_weights_array *one = &a->arrays[i];
        const eg_weights_array *other = eg_weights_find(b, one->name);
        assert_non_null(other);
        assert_string_equal(one->role, other->role);
        assert_int_equal(one->wide, other->wide);
        assert_int_equal(one->rank, other->rank);
        assert_memory_equal(one->extent, other->extent, one->rank * sizeof *one->extent);
        assert_memory_equal(one->values, other->values, one->count * sizeof *one->values);
    }
}

/** The settings of two texts are the same, in whatever order. */
static void assert_same_settings(const char *a, const char *b)
{
    eg_settings *settings = NULL;
    char *text = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), b));
    assert_ok(eg_settings_text(&text, settings, true));
    assert_string_equal(a, text);
    eg_free(text);
    eg_settings_free(settings);
}

static void test_written_and_read(void **state)
{
    (void)state;
    eg_predictor made = some_predictor();
    eg_predictor got;
    assert_ok(eg_weights_file_write(file_at("a.h5"), &made, "1.2.3"));
    assert_ok(eg_weights_file_read(&got, file_at("a.h5")));
    assert_true(got.seed == made.seed && got.is_trial && got.trial_id == made.trial_id);
    assert_true(got.data == made.data && got.step == 77 && got.outputs == 2);
    assert_true(got.channels == 2 && got.height == 3 && got.width == 4);
    assert_same_arrays(&made.weights, &got.weights);
    assert_same_settings(made.settings, got.settings);
    for (size_t i = 0; i < 512; i++) {
        assert_true((float)got.byte_value[i] == (float)made.byte_value[i]);
    }
    assert_int_equal(got.ordered_tasks, 2);
    assert_memory_equal(got.pixel_order, made.pixel_order, 24 * sizeof *made.pixel_order);
    /* Again over itself; equal weights give equal files. */
    size_t sizes[2];
    unsigned char *bytes[2];
    bytes[0] = eg_test_read_file(file_at("a.h5"), &sizes[0]);
    assert_ok(eg_weights_file_write(file_at("a.h5"), &made, "1.2.3"));
    bytes[1] = eg_test_read_file(file_at("a.h5"), &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    eg_predictor_clear(&got);
    eg_predictor_clear(&made);
    eg_free(bytes[0]);
    eg_free(bytes[1]);
}

/** What another program writes: the name of the format, its version, one matrix of doubles. */
static void write_foreign(const char *path, const char *format, int version, const char *name)
{
    hsize_t extent[] = {2, 3};
    const double values[] = {1, 2, 3, 4, 5, 6.5};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t text = H5Tcopy(H5T_C_S1);
    hid_t one = H5Screate(H5S_SCALAR);
    hid_t space = H5Screate_simple(2, extent, NULL);
    assert_true(H5Tset_size(text, H5T_VARIABLE) >= 0);
    hid_t a = H5Acreate2(file, "format_name", text, one, H5P_DEFAULT, H5P_DEFAULT);
    hid_t b = H5Acreate2(file, "format_version", H5T_NATIVE_INT, one, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "network", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t data =
        H5Dcreate2(group, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, text, &format) >= 0 && H5Awrite(b, H5T_NATIVE_INT, &version) >= 0);
    assert_true(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    (void)H5Dclose(data);
    (void)H5Gclose(group);
    (void)H5Aclose(b);
    (void)H5Aclose(a);
    (void)H5Sclose(space);
    (void)H5Sclose(one);
    (void)H5Tclose(text);
    assert_true(H5Fclose(file) >= 0);
}

static void test_from_another_program(void **state)
{
    (void)state;
    eg_predictor got;
    write_foreign(file_at("own.h5"), "engram-weights", 1, "layer1.weight");
    assert_ok(eg_weights_file_read(&got, file_at("own.h5")));
    assert_int_equal(got.weights.count, 1);
    const eg_weights_array *array = eg_weights_find(&got.weights, "network/layer1.weight");
    assert_non_null(array);
    assert_true(array->rank == 2 && array->extent[0] == 2 && array->extent[1] == 3 && array->wide);
    assert_true(array->values[0] == 1 && array->values[5] == 6.5);
    assert_true(got.settings == NULL && got.byte_value == NULL && !got.is_trial);
    eg_predictor_clear(&got);
}

static void refused(const char *name, const char *words)
{
    eg_predictor got;
    assert_fails(eg_weights_file_read(&got, file_at(name)), EG_INVALID, words);
}

static void test_refused(void **state)
{
    (void)state;
    refused("none.h5", "none.h5: no such file");
    assert_true(strlen(eg_test_place) > 0);
    refused("", "not a regular file");
    eg_test_write_file(file_at("text.h5"), "text\n", 5);
    refused("text.h5", "is not a file of weights: it is not HDF5");
    write_foreign(file_at("other.h5"), "keras", 1, "w");
    refused("other.h5", "it is somebody's HDF5, and no file of weights");
    write_foreign(file_at("results.h5"), "engram-results", 1, "w");
    refused("results.h5", "it holds the results of a sweep, and no file of weights");
    write_foreign(file_at("newer.h5"), "engram-weights", 2, "w");
    refused("newer.h5", "a newer engram (format 2; this one reads up to 1)");
}

typedef void (*change)(hid_t file);

static void soft_link(hid_t file)
{
    assert_true(H5Lcreate_soft("/a", file, "network/b", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void group_in_itself(hid_t file)
{
    assert_true(H5Lcreate_hard(file, "network", file, "network/b", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void create(hid_t file, const char *name, hid_t type, int rank, hsize_t length)
{
    hsize_t extent[] = {length, 1, 1, 1, 1};
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(made >= 0);
    (void)H5Dclose(made);
    (void)H5Sclose(space);
}

static void texts(hid_t file)
{
    create(file, "network/b", H5T_C_S1, 1, 4);
}

static void five_axes(hid_t file)
{
    create(file, "network/b", H5T_IEEE_F32LE, 5, 4);
}

static void never_written(hid_t file)
{
    create(file, "network/b", H5T_IEEE_F32LE, 1, (hsize_t)1 << 40);
}

static void no_arrays(hid_t file)
{
    assert_true(H5Ldelete(file, "network", H5P_DEFAULT) >= 0);
}

static void bad_seed(hid_t file)
{
    hid_t one = H5Screate(H5S_SCALAR);
    hid_t text = H5Tcopy(H5T_C_S1);
    hid_t made = H5Acreate2(file, "seed", text, one, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(made >= 0 && H5Awrite(made, text, "x") >= 0);
    (void)H5Aclose(made);
    (void)H5Tclose(text);
    (void)H5Sclose(one);
}

static const struct {
    change make;
    const char *words;
} changes[] = {
    {soft_link, "'b' is a link to somewhere else"},
    {group_in_itself, "is neither an array nor a group of arrays"},
    {texts, "'network/b' is no array of numbers with 1 to 4 dimensions"},
    {five_axes, "'network/b' is no array of numbers with 1 to 4 dimensions"},
    {never_written, "'network/b' has no values, or fewer than it says"},
    {no_arrays, "it holds no arrays"},
    {bad_seed, "damaged: 'seed'"},
};

static void test_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EG_COUNT(changes); i++) {
        write_foreign(file_at("c.h5"), "engram-weights", 1, "a");
        hid_t file = H5Fopen(file_at("c.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        changes[i].make(file);
        assert_true(H5Fclose(file) >= 0);
        refused("c.h5", changes[i].words);
    }
}

/** A flipped bit, and every length that a copy which stopped can have. */
static void test_damaged(void **state)
{
    (void)state;
    eg_predictor made = some_predictor();
    size_t size = 0;
    assert_ok(eg_weights_file_write(file_at("d.h5"), &made, "1.2.3"));
    unsigned char *bytes = eg_test_read_file(file_at("d.h5"), &size);
    made.pixel_order[13] = made.pixel_order[23]; /* no permutation */
    assert_ok(eg_weights_file_write(file_at("p.h5"), &made, "1.2.3"));
    refused("p.h5", "input/pixel_order");
    bytes[size / 2] ^= 1;
    eg_test_write_file(file_at("d.h5"), bytes, size);
    refused("d.h5", "its checksum is wrong");
    bytes[size / 2] ^= 1;
    for (size_t cut = 1; cut < 8; cut++) {
        eg_test_write_file(file_at("d.h5"), bytes, size * cut / 8);
        refused("d.h5", "d.h5");
    }
    eg_free(bytes);
    eg_predictor_clear(&made);
}

static void test_where_none_may_be(void **state)
{
    (void)state;
    eg_predictor made = some_predictor();
    static const char text[] = "mine\n";
    const char *mine = file_at("mine.h5");
    size_t size = 0;
    eg_test_write_file(mine, text, sizeof text - 1);
    assert_fails(eg_weights_file_write(mine, &made, "1"), EG_INVALID,
                 "there is a file that is not one of weights; it stays");
    write_foreign(file_at("keras.h5"), "keras", 1, "w");
    assert_fails(eg_weights_file_check(file_at("keras.h5")), EG_INVALID, "it stays");
    eg_test_write_file(file_at("sweep.journal"), text, sizeof text - 1);
    assert_fails(eg_weights_file_check(file_at("sweep.h5")), EG_INVALID,
                 "the results of a sweep belong there");
    assert_fails(eg_weights_file_check(file_at("none/a.h5")), EG_INVALID, "none is no directory");
    assert_fails(eg_weights_file_check(eg_test_place), EG_INVALID, "not a regular file");
    assert_fails(eg_weights_file_check(""), EG_INVALID, "needs a name");
    unsigned char *bytes = eg_test_read_file(mine, &size);
    assert_int_equal(size, sizeof text - 1);
    assert_memory_equal(bytes, text, size);
    eg_free(bytes);
    eg_predictor_clear(&made);
}

static void test_arrays(void **state)
{
    (void)state;
    eg_weights weights = {0};
    eg_weights_array *array = NULL;
    static const size_t huge[] = {SIZE_MAX, 2};
    static const size_t none[] = {0};
    static const size_t two[] = {2};
    assert_fails(eg_weights_add(&weights, &array, "a", "weight", false, 2, huge), EG_INVALID, "a:");
    assert_fails(eg_weights_add(&weights, &array, "a", "weight", false, 1, none), EG_INVALID, "a:");
    assert_fails(eg_weights_add(&weights, &array, "", "weight", false, 1, two), EG_INVALID, ":");
    add(&weights, "a", "weight", false, 1, two);
    assert_fails(eg_weights_add(&weights, &array, "a", "weight", false, 1, two), EG_INVALID,
                 "there are two");
    add(&weights, "b", "buffer", true, 1, two);
    assert_int_equal(eg_weights_parameters(&weights), 2);
    eg_weights_clear(&weights);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/** Every allocation fails once: an error with words, nothing leaks, and an earlier file stays. */
static void test_no_memory(void **state)
{
    (void)state;
    eg_predictor made = some_predictor();
    eg_predictor got;
    assert_ok(eg_weights_file_write(file_at("m.h5"), &made, "1.2.3"));
    size_t live = eg_memory_live_blocks();
    for (size_t n = 1;; n++) {
        eg_memory_fail_after(n);
        eg_status status = eg_weights_file_keep(file_at("m.h5"), 1, &made, "1.2.4");
        eg_memory_fail_after(0);
        assert_int_equal(eg_memory_live_blocks(), live);
        if (status.code == EG_OK) {
            assert_true(n > 20);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_ok(eg_weights_file_check(file_at("m.h5")));
    }
    for (size_t n = 1;; n++) {
        eg_memory_fail_after(n);
        eg_status status = eg_weights_file_read(&got, file_at("m.h5"));
        eg_memory_fail_after(0);
        if (status.code == EG_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        assert_int_equal(eg_memory_live_blocks(), live);
    }
    eg_predictor_clear(&got);
    eg_predictor_clear(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written_and_read, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_from_another_program, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_refused, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_changed, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_damaged, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_no_memory, eg_test_enter, eg_test_leave),
        cmocka_unit_test_setup_teardown(test_where_none_may_be, eg_test_enter, eg_test_leave),
        cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
