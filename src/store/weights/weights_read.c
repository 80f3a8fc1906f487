/** Reading files of weights; see engram/weights_file.h. */
#include "engram/weights_file.h"

#include "base/shared/child.h"
#include "engram/memory.h"
#include "store/hdf5/h5_input.h"
#include "store/hdf5/h5_plain.h"
#include "store/hdf5/h5_write.h"
#include "store/paths.h"
#include "store/weights/weights_format.h"
#include "store/weights/weights_pack.h"
#include "store/weights/weights_settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 256, GROUPS_DEEP = 4 };

static eg_status damaged(const char *name)
{
    return eg_fail(EG_INVALID, "damaged: '%s' is not what it should be", name);
}

/** --- Attributes ------------------------------------------------------------------------------ */

static eg_status get_whole(uint64_t *out, hid_t object, const char *name)
{
    bool there = false;
    return eg_h5_get_values(object, name, H5T_NATIVE_UINT64, 1, out, &there);
}

/** A 64-bit number as 16 hexadecimal digits. *there = false: there is none. */
static eg_status get_hex(uint64_t *out, bool *there, hid_t object, const char *name,
                         eg_string_pool *pool)
{
    char *text = NULL;
    char *end = NULL;
    *there = eg_h5_has_attribute(object, name);
    if (!*there) {
        return eg_ok();
    }
    EG_TRY(eg_h5_get_text(&text, object, name, NULL, pool));
    errno = 0;
    *out = strtoull(text, &end, 16);
    bool good = strlen(text) == EG_WEIGHTS_HEX_SIZE - 1 && *end == '\0' && errno == 0;
    return good ? eg_ok() : damaged(name);
}

/** --- Arrays ---------------------------------------------------------------------------------- */

/** What a dataset is, checked: numbers, as many as are stored. */
static eg_status measure(hid_t dataset, const char *name, size_t *rank, size_t *extent, bool *wide)
{
    hsize_t sizes[EG_WEIGHTS_RANK_MAX] = {0};
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    int axes = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    bool numbers = kind == H5T_INTEGER || kind == H5T_FLOAT;
    bool good = numbers && axes >= 1 && axes <= EG_WEIGHTS_RANK_MAX &&
                H5Sget_simple_extent_dims(space, sizes, NULL) == axes;
    hssize_t count = good ? H5Sget_simple_extent_npoints(space) : 0;
    *wide = kind == H5T_INTEGER || (type >= 0 && H5Tget_size(type) > sizeof(float));
    eg_h5_close(space);
    eg_h5_close(type);
    if (!good) {
        return eg_fail(EG_INVALID, "'%s' is no array of numbers with 1 to %d dimensions", name,
                       EG_WEIGHTS_RANK_MAX);
    }
    if (count <= 0 || (uint64_t)count > eg_h5_values_stored(dataset)) {
        return eg_fail(EG_INVALID, "damaged: '%s' has no values, or fewer than it says", name);
    }
    *rank = (size_t)axes;
    for (size_t i = 0; i < *rank; i++) {
        extent[i] = (size_t)sizes[i];
    }
    return eg_ok();
}

static eg_status read_array(eg_weights *weights, hid_t dataset, const char *name,
                            eg_string_pool *pool)
{
    size_t rank = 0;
    size_t extent[EG_WEIGHTS_RANK_MAX] = {0};
    bool wide = false;
    char *role = NULL;
    eg_weights_array *array = NULL;
    EG_TRY(measure(dataset, name, &rank, extent, &wide));
    EG_TRY(eg_h5_get_text(&role, dataset, "role", "", pool));
    EG_TRY(eg_weights_add(weights, &array, name, role, wide, rank, extent));
    if (H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) < 0) {
        return eg_fail(EG_INVALID, "damaged: '%s' cannot be read", name);
    }
    return eg_ok();
}

/** All arrays in a group, whose name with a slash is `prefix`, and in the groups inside. */
static eg_status read_group(eg_weights *weights, hid_t group, const char *prefix, size_t depth,
                            eg_string_pool *pool);

static eg_status read_link(eg_weights *weights, hid_t group, const char *link, const char *prefix,
                           size_t depth, eg_string_pool *pool)
{
    char name[EG_WEIGHTS_NAME_SIZE];
    int length = snprintf(name, sizeof name, "%s%s", prefix, link);
    if (length < 0 || (size_t)length >= sizeof name) {
        return eg_fail(EG_INVALID, "'%.100s': the name of an array is too long", link);
    }
    hid_t object = H5Oopen(group, link, H5P_DEFAULT);
    H5I_type_t type = object < 0 ? H5I_BADID : H5Iget_type(object);
    eg_status status = eg_ok();
    if (type == H5I_DATASET) {
        status = read_array(weights, object, name, pool);
    } else if (type == H5I_GROUP && depth < GROUPS_DEEP && (size_t)length + 1 < sizeof name) {
        name[length] = '/';
        name[length + 1] = '\0';
        status = read_group(weights, object, name, depth + 1, pool);
    } else {
        status = eg_fail(EG_INVALID, "'%s' is neither an array nor a group of arrays", name);
    }
    eg_h5_close(object);
    return status;
}

static eg_status read_group(eg_weights *weights, hid_t group, const char *prefix, size_t depth,
                            eg_string_pool *pool)
{
    H5G_info_t info;
    EG_TRY(eg_h5_check_plain_group(group));
    if (H5Gget_info(group, &info) < 0) {
        return damaged(prefix);
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char link[NAME_SIZE];
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, link,
                                            sizeof link, H5P_DEFAULT);
        if (length <= 0 || (size_t)length >= sizeof link) {
            return damaged(prefix);
        }
        bool other = depth == 0 && (strcmp(link, EG_WEIGHTS_SETTINGS) == 0 ||
                                    strcmp(link, EG_WEIGHTS_INPUT) == 0);
        EG_TRY(other ? eg_ok() : read_link(weights, group, link, prefix, depth, pool));
    }
    return eg_ok();
}

/** Every task sees every pixel once. */
static eg_status take_order(eg_predictor *out, const eg_weights_array *array)
{
    size_t pixels = out->height * out->width;
    if (array->rank != 2 || array->extent[1] != pixels) {
        return damaged(EG_WEIGHTS_PIXEL_ORDER);
    }
    size_t tasks = array->extent[0];
    uint8_t *seen = NULL; /* [pixels] by the task */
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&seen, pixels, 1));
    EG_TRY_DONE(status, eg_alloc(&out->pixel_order, array->count, sizeof *out->pixel_order));
    for (size_t i = 0; i < array->count; i++) {
        double value = array->values[i];
        if (i % pixels == 0) {
            memset(seen, 0, pixels);
        }
        bool good = value >= 0 && value < (double)pixels && (double)(size_t)value == value;
        if (!good || seen[(size_t)value] != 0) {
            status = damaged(EG_WEIGHTS_PIXEL_ORDER);
            goto done;
        }
        seen[(size_t)value] = 1;
        out->pixel_order[i] = (uint32_t)value;
    }
    out->ordered_tasks = tasks;
done:
    eg_free(seen);
    return status;
}

/** What a byte stands for goes through the same door as the weights. */
static eg_status read_inputs(eg_predictor *out, hid_t file, eg_string_pool *pool)
{
    uint64_t shape[3] = {0};
    uint64_t outputs = 0;
    bool there = false;
    EG_TRY(eg_h5_get_values(file, "input_shape", H5T_NATIVE_UINT64, 3, shape, &there));
    EG_TRY(get_whole(&outputs, file, "outputs"));
    out->channels = (size_t)shape[0];
    out->height = (size_t)shape[1];
    out->width = (size_t)shape[2];
    out->outputs = (size_t)outputs;
    if (!eg_h5_has_link(file, EG_WEIGHTS_INPUT)) {
        return eg_ok();
    }
    eg_weights inputs = {0};
    hid_t group = H5Gopen2(file, EG_WEIGHTS_INPUT, H5P_DEFAULT);
    eg_status status = group < 0 ? damaged(EG_WEIGHTS_INPUT)
                                 : read_group(&inputs, group, EG_WEIGHTS_INPUT "/", 1, pool);
    eg_weights_array *bytes = eg_weights_find(&inputs, EG_WEIGHTS_BYTE_VALUE);
    if (status.code == EG_OK && bytes != NULL) {
        if (bytes->rank != 2 || bytes->extent[0] != out->channels || bytes->extent[1] != 256) {
            status = damaged(EG_WEIGHTS_BYTE_VALUE);
        } else {
            out->byte_value = bytes->values;
            bytes->values = NULL;
        }
    }
    const eg_weights_array *order = eg_weights_find(&inputs, EG_WEIGHTS_PIXEL_ORDER);
    if (status.code == EG_OK && order != NULL) {
        status = take_order(out, order);
    }
    eg_weights_clear(&inputs);
    eg_h5_close(group);
    return status;
}

/** --- The file -------------------------------------------------------------------------------- */

static eg_status check_format(hid_t file, eg_string_pool *pool)
{
    char *format = NULL;
    double version = 0;
    eg_status named = eg_h5_get_text(&format, file, "format_name", "", pool);
    if (named.code == EG_MEMORY) {
        return named;
    }
    if (named.code != EG_OK || strcmp(format, EG_WEIGHTS_FORMAT) != 0) {
        bool results = named.code == EG_OK && strcmp(format, EG_RESULTS_FORMAT) == 0;
        return eg_fail(EG_INVALID, "%s, and no file of weights (format_name = \"%s\")",
                       results ? "it holds the results of a sweep" : "it is somebody's HDF5",
                       EG_WEIGHTS_FORMAT);
    }
    EG_TRY(eg_h5_get_number(&version, file, "format_version", 0));
    if (version < 1 || version > EG_WEIGHTS_VERSION) {
        return eg_fail(EG_INVALID,
                       "it was written by a newer engram (format %g; this one reads up to %d)",
                       version, EG_WEIGHTS_VERSION);
    }
    return eg_ok();
}

static eg_status read_open(eg_predictor *out, hid_t file, eg_string_pool *pool)
{
    bool there = false;
    EG_TRY(check_format(file, pool));
    EG_TRY(eg_h5_check_plain_group(file));
    EG_TRY(get_whole(&out->seed, file, "seed"));
    EG_TRY(get_whole(&out->step, file, "step"));
    EG_TRY(get_hex(&out->trial_id, &out->is_trial, file, "trial_id", pool));
    EG_TRY(get_hex(&out->data, &there, file, "data_checksum", pool));
    EG_TRY(eg_weights_file_read_settings(&out->settings, file, pool));
    EG_TRY(read_inputs(out, file, pool));
    EG_TRY(read_group(&out->weights, file, "", 0, pool));
    return out->weights.count > 0 ? eg_ok() : eg_fail(EG_INVALID, "it holds no arrays");
}

/** How much of a file is of interest. */
typedef struct task {
    const char *path;
    bool format_only;
} task;

static eg_status read_in_child(void *user, eg_drain *out)
{
    const task *of = user;
    eg_h5_quiet quiet = eg_h5_quiet_begin();
    eg_string_pool pool = {0};
    eg_predictor predictor = {0};
    hid_t file = H5I_INVALID_HID;
    eg_status status = eg_h5_open(&file, of->path, "a file of weights");
    if (status.code == EG_OK && of->format_only) {
        status = check_format(file, &pool);
    } else if (status.code == EG_OK) {
        status = read_open(&predictor, file, &pool);
        eg_weights_file_pack(&predictor, &out->writer);
    }
    eg_predictor_clear(&predictor);
    eg_h5_close(file);
    eg_string_pool_clear(&pool);
    eg_h5_quiet_end(quiet);
    return status;
}

static eg_status run_child(unsigned char **reply, size_t *size, task of)
{
    struct stat info;
    uint64_t bytes = stat(of.path, &info) == 0 ? (uint64_t)info.st_size : 0;
    eg_status status = eg_child_run(reply, size, read_in_child, &of, bytes);
    bool said = strncmp(status.message, of.path, strlen(of.path)) == 0;
    return said || status.code == EG_MEMORY ? status : eg_status_wrap(status, "%s", of.path);
}

eg_status eg_weights_file_read(eg_predictor *out, const char *path)
{
    eg_path_kind kind = EG_PATH_NONE;
    unsigned char *reply = NULL;
    size_t size = 0;
    *out = (eg_predictor){0};
    EG_TRY(eg_path_look(path, &kind));
    if (kind != EG_PATH_FILE) {
        return eg_fail(EG_INVALID, "%s: %s", path,
                       kind == EG_PATH_NONE ? "no such file" : "not a regular file");
    }
    EG_TRY(run_child(&reply, &size, (task){.path = path}));
    eg_reader reader = eg_reader_make(reply, size);
    eg_status status = eg_status_wrap(eg_weights_file_unpack(out, &reader), "%s", path);
    eg_free(reply);
    return status;
}

/** --- Where one may be written ---------------------------------------------------------------- */

/** NAME.journal beside NAME.h5: the place of a sweep's results, even before they are there. */
static bool belongs_to_sweep(const char *path)
{
    char journal[PATH_MAX];
    size_t length = strlen(path);
    size_t stem = length > 3 && strcmp(path + length - 3, ".h5") == 0 ? length - 3 : length;
    int written = snprintf(journal, sizeof journal, "%.*s.journal", (int)stem, path);
    return written > 0 && (size_t)written < sizeof journal && access(journal, F_OK) == 0;
}

static eg_status check_directory(const char *path)
{
    char *directory = NULL;
    const char *slash = strrchr(path, '/');
    struct stat info;
    EG_TRY(slash == NULL
               ? eg_strdup(&directory, ".")
               : eg_format(&directory, "%.*s", slash == path ? 1 : (int)(slash - path), path));
    eg_status status = eg_ok();
    if (stat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
        status = eg_fail(EG_INVALID, "%s: %s is no directory", path, directory);
    } else if (access(directory, W_OK | X_OK) != 0) {
        status =
            eg_fail(EG_INVALID, "%s: weights cannot be written here: %s", path, strerror(errno));
    }
    eg_free(directory);
    return status;
}

eg_status eg_weights_file_check(const char *path)
{
    eg_path_kind kind = EG_PATH_NONE;
    if (path[0] == '\0') {
        return eg_fail(EG_INVALID, "the file of weights needs a name");
    }
    EG_TRY(check_directory(path));
    EG_TRY(eg_path_look(path, &kind));
    if (kind == EG_PATH_OTHER) {
        return eg_fail(EG_INVALID, "%s: there is something that is not a regular file", path);
    }
    if (belongs_to_sweep(path)) {
        return eg_fail(EG_INVALID, "%s: the results of a sweep belong there", path);
    }
    if (kind == EG_PATH_NONE) {
        return eg_ok();
    }
    unsigned char *reply = NULL;
    size_t size = 0;
    eg_status status = run_child(&reply, &size, (task){.path = path, .format_only = true});
    eg_free(reply);
    if (status.code == EG_INVALID) {
        return eg_fail(EG_INVALID, "%s: there is a file that is not one of weights; it stays",
                       path);
    }
    return status;
}
