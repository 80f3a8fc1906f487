/** Writing files of weights; see engram/weights_file.h. The file is made in memory and replaced
 *  whole. */
#include "engram/weights_file.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/hdf5/checksum_footer.h"
#include "store/hdf5/h5_file.h"
#include "store/paths.h"
#include "store/weights/weights_format.h"
#include "store/weights/weights_settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { IMAGE_STEP = 1 << 20 };

static hid_t create_in_memory(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = eg_h5_plain_properties(H5P_FILE_CREATE);
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && creation >= 0 && H5Pset_fapl_core(access, IMAGE_STEP, false) >= 0) {
        file = H5Fcreate("engram weights in memory", H5F_ACC_TRUNC, creation, access);
    }
    eg_h5_close(access);
    eg_h5_close(creation);
    return file;
}

static hid_t create_group(hid_t file, const char *path)
{
    hid_t properties = eg_h5_plain_properties(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, properties, H5P_DEFAULT);
    eg_h5_close(properties);
    return group;
}

/** The groups in the name of an array, where they are not there yet. */
static eg_status create_groups(hid_t file, const char *name)
{
    char path[EG_WEIGHTS_NAME_SIZE];
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        (void)snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
        if (H5Lexists(file, path, H5P_DEFAULT) > 0) {
            continue;
        }
        hid_t group = create_group(file, path);
        if (group < 0) {
            return eg_h5_failure();
        }
        eg_h5_close(group);
    }
    return eg_ok();
}

/** How numbers are stored, and what they are in memory. */
typedef struct number_type {
    hid_t stored, own;
} number_type;

static number_type real_type(bool wide)
{
    return (number_type){wide ? H5T_IEEE_F64LE : H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE};
}

/** *dataset must be closed. */
static eg_status write_numbers(hid_t *dataset, hid_t file, const char *name, number_type type,
                               size_t rank, const size_t *extent, const void *values)
{
    eg_status status = eg_ok();
    hsize_t sizes[EG_WEIGHTS_RANK_MAX];
    for (size_t i = 0; i < rank; i++) {
        sizes[i] = extent[i];
    }
    hid_t space = H5Screate_simple((int)rank, sizes, NULL);
    hid_t properties = eg_h5_plain_properties(H5P_DATASET_CREATE);
    *dataset = H5Dcreate2(file, name, type.stored, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    EG_H5_DONE(status, *dataset);
    EG_H5_DONE(status, H5Dwrite(*dataset, type.own, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
done:
    eg_h5_close(space);
    eg_h5_close(properties);
    return status;
}

static eg_status write_arrays(hid_t file, const eg_weights *weights)
{
    eg_status status = eg_ok();
    for (size_t i = 0; i < weights->count && status.code == EG_OK; i++) {
        const eg_weights_array *array = &weights->arrays[i];
        hid_t dataset = H5I_INVALID_HID;
        EG_TRY(create_groups(file, array->name));
        status = write_numbers(&dataset, file, array->name, real_type(array->wide), array->rank,
                               array->extent, array->values);
        eg_status_keep(&status,
                       dataset < 0 ? eg_ok() : eg_h5_attribute_text(dataset, "role", array->role));
        eg_h5_close(dataset);
        status = eg_status_wrap(status, "%s", array->name);
    }
    return status;
}

static eg_status write_inputs(hid_t file, const eg_predictor *p)
{
    const size_t extent[] = {p->channels, 256};
    const int64_t shape[] = {(int64_t)p->channels, (int64_t)p->height, (int64_t)p->width};
    const uint64_t outputs = p->outputs;
    EG_TRY(eg_h5_attribute_list(file, "input_shape", H5T_NATIVE_INT64, shape, 3));
    EG_TRY(eg_h5_attribute(file, "outputs", H5T_NATIVE_UINT64, &outputs));
    EG_TRY(p->vocabulary == NULL ? eg_ok()
                                 : eg_h5_attribute_text(file, "vocabulary", p->vocabulary));
    if (p->byte_value == NULL) {
        return eg_ok();
    }
    hid_t dataset = H5I_INVALID_HID;
    EG_TRY(create_groups(file, EG_WEIGHTS_BYTE_VALUE));
    eg_status status = write_numbers(&dataset, file, EG_WEIGHTS_BYTE_VALUE,
                                     real_type(sizeof(eg_real) == 8), 2, extent, p->byte_value);
    eg_status_keep(&status, dataset < 0 ? eg_ok()
                                        : eg_h5_attribute_text(dataset, "long_name",
                                                               "input number that byte b of the "
                                                               "dataset's channel c stands for"));
    eg_h5_close(dataset);
    return status;
}

/** Whole numbers [extent], what they are as an attribute. */
static eg_status write_whole(hid_t file, const char *name, hid_t own, size_t rank,
                             const size_t *extent, const void *values, const char *what)
{
    const number_type type = {H5T_STD_I32LE, own};
    hid_t dataset = H5I_INVALID_HID;
    if (values == NULL) {
        return eg_ok();
    }
    EG_TRY(create_groups(file, name));
    eg_status status = write_numbers(&dataset, file, name, type, rank, extent, values);
    eg_status_keep(&status,
                   dataset < 0 ? eg_ok() : eg_h5_attribute_text(dataset, "long_name", what));
    eg_h5_close(dataset);
    return status;
}

static eg_status write_tasks(hid_t file, const eg_predictor *p)
{
    const size_t order[] = {p->ordered_tasks, p->height * p->width};
    EG_TRY(write_whole(file, EG_WEIGHTS_PIXEL_ORDER, H5T_NATIVE_UINT32, 2, order, p->pixel_order,
                       "pixel of the dataset that a task sees at each place"));
    return write_whole(file, EG_WEIGHTS_CLASS_TASK, H5T_NATIVE_INT32, 1, &p->outputs, p->class_task,
                       "task that a class of the dataset belongs to, -1: none");
}

static eg_status write_number_text(hid_t file, const char *name, uint64_t number)
{
    char text[EG_WEIGHTS_HEX_SIZE];
    (void)snprintf(text, sizeof text, "%016" PRIx64, number);
    return eg_h5_attribute_text(file, name, text);
}

static eg_status write_root(hid_t file, const eg_predictor *p, const char *version)
{
    const int32_t format = EG_WEIGHTS_VERSION;
    EG_TRY(eg_h5_attribute_text(file, "format_name", EG_WEIGHTS_FORMAT));
    EG_TRY(eg_h5_attribute(file, "format_version", H5T_NATIVE_INT32, &format));
    EG_TRY(eg_h5_attribute_text(file, "generator_version", version));
    EG_TRY(eg_h5_attribute(file, "seed", H5T_NATIVE_UINT64, &p->seed));
    EG_TRY(eg_h5_attribute(file, "step", H5T_NATIVE_UINT64, &p->step));
    if (p->is_trial) {
        EG_TRY(write_number_text(file, "trial_id", p->trial_id));
    }
    if (p->data != 0) {
        EG_TRY(write_number_text(file, "data_checksum", p->data));
    }
    EG_TRY(write_inputs(file, p));
    EG_TRY(write_tasks(file, p));
    EG_TRY(p->settings == NULL ? eg_ok() : eg_weights_file_write_settings(file, p->settings));
    return write_arrays(file, &p->weights);
}

static eg_status publish(hid_t file, const char *path, const char *suffix)
{
    eg_status status = eg_ok();
    void *handle = NULL;
    void *data = NULL;
    EG_H5_DONE(status, H5Fflush(file, H5F_SCOPE_GLOBAL));
    ssize_t length = H5Fget_file_image(file, NULL, 0);
    EG_H5_DONE(status, length);
    /* The memory driver's handle is the address of its pointer to the file's bytes. */
    EG_H5_DONE(status, H5Fget_vfd_handle(file, H5P_DEFAULT, &handle));
    memcpy(&data, handle, sizeof data);
    unsigned char footer[EG_FOOTER_SIZE];
    eg_footer_make(footer, data, (size_t)length);
    const eg_file_part parts[] = {{data, (size_t)length}, {footer, sizeof footer}};
    status = eg_replace_file_parts(path, suffix, parts, 2, "the weights");
done:
    return status;
}

static eg_status write_file(const char *path, const char *suffix, const eg_predictor *predictor,
                            const char *version)
{
    eg_h5_quiet quiet = eg_h5_quiet_begin();
    hid_t file = create_in_memory();
    eg_status status = file < 0 ? eg_h5_failure() : write_root(file, predictor, version);
    status = eg_status_wrap(status, "%s", path);
    if (status.code == EG_OK) {
        status = publish(file, path, suffix);
    }
    eg_h5_close(file);
    eg_h5_quiet_end(quiet);
    return status;
}

eg_status eg_weights_file_write(const char *path, const eg_predictor *predictor,
                                const char *version)
{
    EG_TRY(eg_weights_file_check(path));
    return write_file(path, "tmp", predictor, version);
}

static eg_status make_directory(const char *path)
{
    char *directory = NULL;
    const char *slash = strrchr(path, '/');
    eg_status status = eg_ok();
    if (slash == NULL || slash == path) {
        return status;
    }
    EG_TRY(eg_format(&directory, "%.*s", (int)(slash - path), path));
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        status = eg_fail_errno(errno, "%s: cannot make the directory", directory);
    }
    eg_free(directory);
    return status;
}

eg_status eg_weights_file_keep(const char *path, uint32_t attempt, const eg_predictor *predictor,
                               const char *version)
{
    char suffix[32];
    eg_footer footer = EG_FOOTER_NONE;
    eg_path_kind kind = EG_PATH_NONE;
    EG_TRY(make_directory(path));
    EG_TRY(eg_path_look(path, &kind));
    if (kind == EG_PATH_FILE) {
        EG_TRY(eg_footer_check(&footer, path));
    }
    if (kind != EG_PATH_NONE && footer == EG_FOOTER_NONE) {
        return eg_fail(EG_INVALID, "%s: there is something that is not of engram; it stays", path);
    }
    (void)snprintf(suffix, sizeof suffix, "%" PRIu32 ".tmp", attempt);
    return write_file(path, suffix, predictor, version);
}
