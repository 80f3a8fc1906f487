/** Fuzz target: a result file (HDF5) whose parts are not what they should be.
 *
 *  Damaged bytes are the business of the checks in front (store) and of the HDF5 library, which is not ours to fuzz.
 *  Here the library writes a sound file with unsound contents: the input is a list of edits to the
 *  smallest result file there is: links removed, renamed, put in another's place; attributes removed or given
 *  another value or type; datasets made anew with another type, rank, extent or value. */
#include "fuzz.h"

#include "engram/memory.h"
#include "store/hdf5/h5_read.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_MAX = 1 << 20, NAME_SIZE = 128, EDITS_MAX = 8, RANK_MAX = 5, SMALL_EXTENTS = 6 };

static const double numbers[] = {0, 1, -1, 2, 3, 7, 1e9, 4294967296.0, 1e300, -1e300};
static const hsize_t extents[] = {1, 2, 3, 6, 0, 5, 100000, (hsize_t)1 << 31, (hsize_t)1 << 45};
static const char *const words[] = {"",      "engram-results", "eval",     "trial", "maximise",
                                    "a.b.c", "1e999",          "\xff\xfe", "loss",  "accuracy"};

#define PICK(list, bytes) ((list)[eg_fuzz_u8(bytes) % (sizeof(list) / sizeof(list)[0])])

/** The smallest file: two trials of nothing, finished by hand. Made once. */
static size_t make_template(unsigned char *out)
{
    static const char text[] = "name: t\nbase: {dataset: synthetic, model.hidden: [1]}\nseeds: 2\n"
                               "grid: {optimizer: [sgd, adam]}\n";
    static const eg_session session = {.command = "c",
                                       .version = "v",
                                       .build = "b",
                                       .blas_core = "k",
                                       .blas = "o",
                                       .processor = "p",
                                       .environment = "E=1\n"};
    char path[160];
    (void)snprintf(path, sizeof path, "%s/template.h5", eg_fuzz_directory());
    eg_plan *plan = NULL;
    eg_store *store = NULL;
    eg_outcome outcomes[4];
    eg_status status = eg_plan_parse(&plan, "t.yaml", text, strlen(text), NULL, 0);
    fuzz_require(status.code == EG_OK && plan->trial_count == 4);
    status = eg_store_open(&store, path, plan, &session, outcomes);
    for (size_t i = 0; i < 3 && status.code == EG_OK; i++) {
        static const eg_variable accuracy = {.name = "accuracy", .dims = {"eval"}, .unit = "1"};
        static const eg_variable objective = {.name = "objective", .wide = true, .unit = "1"};
        const eg_attempt attempt = {.trial = plan->trials[i].id, .number = 1, .host = "h"};
        const size_t extent = 2 + i;
        eg_record *record = NULL;
        eg_array *array = NULL;
        status = eg_record_create(&record);
        eg_status_keep(&status, eg_record_declare(record, &accuracy, &extent, &array));
        eg_status_keep(&status, eg_record_scalar(record, &objective, 0.5));
        eg_record_set_status(record, EG_TRIAL_DONE, "");
        array->data[0] = 0.25;
        eg_status_keep(&status, eg_store_started(store, &attempt));
        eg_status_keep(&status, eg_store_finished(store, &attempt, EG_TRIAL_DONE, "", record));
        eg_record_free(record);
    }
    fuzz_require(status.code == EG_OK);
    status = eg_store_publish(store, false);
    eg_status_keep(&status, eg_store_close(store, "done"));
    fuzz_require(status.code == EG_OK);
    eg_plan_free(plan);
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL);
    size_t size = fread(out, 1, TEMPLATE_MAX, file);
    fuzz_require(size > 0 && size < TEMPLATE_MAX && fclose(file) == 0);
    return size;
}

/** Name of a link of the group, "" if it has none. */
static void choose_link(hid_t group, uint8_t number, char name[NAME_SIZE])
{
    H5G_info_t info = {0};
    name[0] = '\0';
    if (H5Gget_info(group, &info) >= 0 && info.nlinks > 0) {
        (void)H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, number % info.nlinks, name,
                                 NAME_SIZE, H5P_DEFAULT);
    }
}

static hid_t text_type(bool variable)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    (void)H5Tset_size(type, variable ? H5T_VARIABLE : 4);
    return type;
}

static hid_t choose_type(eg_fuzz_bytes *bytes)
{
    uint8_t choice = eg_fuzz_u8(bytes) % 6;
    switch (choice) {
    case 0:
        return H5Tcopy(H5T_IEEE_F32LE);
    case 1:
        return H5Tcopy(H5T_IEEE_F64LE);
    case 2:
        return H5Tcopy(H5T_STD_I64LE);
    case 3:
        return H5Tcopy(H5T_STD_U8LE);
    default:
        return text_type(choice == 4);
    }
}

/** `choices`: how many of the extents, which grow, may be chosen. */
static hid_t choose_space(eg_fuzz_bytes *bytes, size_t choices)
{
    hsize_t extent[RANK_MAX];
    int rank = eg_fuzz_u8(bytes) % (RANK_MAX + 1);
    for (int i = 0; i < rank; i++) {
        extent[i] = extents[eg_fuzz_u8(bytes) % choices];
    }
    return H5Screate_simple(rank, extent, NULL);
}

/** An attribute with one value, or of any shape without one. */
static void edit_attribute(hid_t object, eg_fuzz_bytes *bytes)
{
    static const char *const names[] = {
        "format_name",    "format_version", "title",    "complete",      "objective_goal",
        "parameter_name", "parameter_type", "recorded", "variable_name", "DIMENSION_LIST",
        "sessions",       "long_name",      "units",    "swept"};
    const char *name = PICK(names, bytes);
    uint8_t how = eg_fuzz_u8(bytes) % 4;
    (void)H5Adelete(object, name);
    if (how == 0) {
        return;
    }
    hid_t type = how == 1   ? H5Tcopy(H5T_IEEE_F64LE)
                 : how == 2 ? text_type(true)
                            : choose_type(bytes);
    hid_t space = how == 3 ? choose_space(bytes, SMALL_EXTENTS) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0 && how == 1) {
        (void)H5Awrite(attribute, type, &PICK(numbers, bytes));
    } else if (attribute >= 0 && how == 2) {
        (void)H5Awrite(attribute, type, &PICK(words, bytes));
    }
    (void)H5Aclose(attribute);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

/** A dataset of the same name and another kind; of huge ones nothing is stored. */
static void replace_dataset(hid_t group, const char *name, eg_fuzz_bytes *bytes)
{
    hid_t type = choose_type(bytes);
    hid_t space = choose_space(bytes, sizeof extents / sizeof extents[0]);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[RANK_MAX] = {1, 1, 1, 1, 1};
    int rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
    if (rank > 0) {
        (void)H5Pset_chunk(properties, rank, chunk);
    }
    (void)H5Ldelete(group, name, H5P_DEFAULT);
    hid_t dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (dataset >= 0 && eg_fuzz_u8(bytes) % 2 == 0) {
        edit_attribute(dataset, bytes);
    }
    (void)H5Dclose(dataset);
    (void)H5Pclose(properties);
    (void)H5Sclose(space);
    (void)H5Tclose(type);
}

/** Other numbers in the first rows of a column. */
static void write_numbers(hid_t group, const char *name, eg_fuzz_bytes *bytes)
{
    double values[256];
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    for (hssize_t i = 0; i < count && i < 256; i++) {
        values[i] = PICK(numbers, bytes);
    }
    if (count > 0 && count <= 256) {
        (void)H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    }
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
}

static void edit(hid_t file, eg_fuzz_bytes *bytes)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE];
    uint8_t what = eg_fuzz_u8(bytes);
    hid_t group =
        what & 0x80 ? H5Gopen2(file, "provenance", H5P_DEFAULT) : H5Gopen2(file, "/", H5P_DEFAULT);
    choose_link(group, eg_fuzz_u8(bytes), name);
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    switch (what % 7) {
    case 0:
        (void)H5Ldelete(group, name, H5P_DEFAULT);
        break;
    case 1:
        (void)H5Lmove(group, name, group, PICK(words, bytes), H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2:
        choose_link(group, eg_fuzz_u8(bytes), other);
        (void)H5Ldelete(group, name, H5P_DEFAULT);
        (void)H5Lcreate_hard(group, other, group, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        edit_attribute(object, bytes);
        break;
    case 4:
        edit_attribute(file, bytes);
        break;
    case 5:
        replace_dataset(group, name, bytes);
        break;
    default:
        write_numbers(group, name, bytes);
    }
    (void)H5Oclose(object);
    (void)H5Gclose(group);
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    static unsigned char template[TEMPLATE_MAX];
    static size_t template_size;
    if (template_size == 0) {
        template_size = make_template(template);
        char journal[160];
        (void)snprintf(journal, sizeof journal, "%s/template.journal", eg_fuzz_directory());
        fuzz_require(remove(journal) == 0);
        (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    }
    eg_fuzz_bytes bytes = {data, size};
    const char *path = eg_fuzz_file("fuzz.h5", template, template_size);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    fuzz_require(file >= 0);
    for (size_t i = 0; i < EDITS_MAX && bytes.left > 0; i++) {
        edit(file, &bytes);
    }
    fuzz_require(H5Fclose(file) >= 0);
    eg_results_owner *owner = NULL;
    eg_status status =
        eg_h5_load_here(&owner, path, false); /* here: a crash in a child would go unseen */
    eg_fuzz_check(&status, owner);
    eg_results_free(owner == NULL ? NULL : &owner->results);
}
