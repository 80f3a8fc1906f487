/** Checked reading from HDF5; see store/hdf5/h5_input.h. */
#include "store/hdf5/h5_input.h"

#include "engram/memory.h"
#include "store/hdf5/checksum_footer.h"
#include "store/hdf5/h5_layout.h"
#include "store/paths.h"

#include <fcntl.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static eg_status damaged(const char *name)
{
    return eg_fail(EG_INVALID, "damaged: '%s' is missing or not what it should be", name);
}

static eg_status unreadable(const char *name)
{
    eg_status why = eg_h5_failure();
    return eg_fail(EG_INVALID, "damaged: '%s' cannot be read (%.300s)", name, why.message);
}

eg_status eg_h5_open(hid_t *out, const char *path, const char *what)
{
    *out = H5I_INVALID_HID;
    htri_t is = H5Fis_hdf5(path);
    if (is < 0) {
        return eg_fail(EG_INVALID, "%s: no such file, or it cannot be read", path);
    }
    if (is == 0) {
        return eg_fail(EG_INVALID, "%s is not %s: it is not HDF5", path, what);
    }
    eg_footer footer = EG_FOOTER_NONE;
    EG_TRY(eg_footer_check(&footer, path));
    if (footer == EG_FOOTER_BROKEN) {
        return eg_fail(EG_INVALID, "%s is damaged: its checksum is wrong", path);
    }
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* The file is only ever replaced whole: no lock is needed, and some file systems have none. */
    (void)H5Pset_file_locking(access, false, true);
#endif
    *out = H5Fopen(path, H5F_ACC_RDONLY, access);
    eg_status why = *out < 0 ? eg_h5_failure() : eg_ok(); /* closing forgets it */
    eg_h5_close(access);
    if (*out < 0) {
        return eg_fail(EG_INVALID, "%s is damaged or cut short (%.300s)", path, why.message);
    }
    return eg_ok();
}

bool eg_h5_has_attribute(hid_t object, const char *name)
{
    return H5Aexists(object, name) > 0;
}

bool eg_h5_has_link(hid_t group, const char *name)
{
    return H5Lexists(group, name, H5P_DEFAULT) > 0;
}

static bool holds_text(hid_t type)
{
    return type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
}

static bool holds_numbers(hid_t type)
{
    H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    return kind == H5T_INTEGER || kind == H5T_FLOAT;
}

/** In memory as in the file: HDF5 does not convert between ASCII, which other tools write, and
 *  UTF-8. */
static hid_t text_type_like(hid_t type)
{
    hid_t memory = eg_h5_text_type();
    H5T_cset_t set = type < 0 ? H5T_CSET_ERROR : H5Tget_cset(type);
    if (set != H5T_CSET_ERROR && memory >= 0) {
        (void)H5Tset_cset(memory, set);
    }
    return memory;
}

/** Moves a text that HDF5 allocated into the pool. */
static eg_status take_text(char **out, char *text, eg_string_pool *pool)
{
    eg_status status = eg_string_pool_add(pool, out, text != NULL ? text : "");
    (void)H5free_memory(text);
    return status;
}

eg_status eg_h5_get_text(char **out, hid_t object, const char *name, const char *fallback,
                         eg_string_pool *pool)
{
    if (fallback != NULL && !eg_h5_has_attribute(object, name)) {
        return eg_string_pool_add(pool, out, fallback);
    }
    char *text = NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    hid_t memory = text_type_like(type);
    eg_status status = eg_ok();
    if (!holds_text(type) || space < 0 || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, memory, &text) < 0) {
        status = damaged(name);
    } else {
        status = take_text(out, text, pool);
    }
    eg_h5_close(memory);
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(attribute);
    return status;
}

eg_status eg_h5_get_number(double *out, hid_t object, const char *name, double fallback)
{
    *out = fallback;
    if (!eg_h5_has_attribute(object, name)) {
        return eg_ok();
    }
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    eg_status status = eg_ok();
    if (!holds_numbers(type) || space < 0 || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_NATIVE_DOUBLE, out) < 0) {
        status = damaged(name);
    }
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(attribute);
    return status;
}

eg_status eg_h5_get_values(hid_t object, const char *name, hid_t memory, size_t count, void *values,
                           bool *there)
{
    *there = eg_h5_has_attribute(object, name);
    if (!*there) {
        return eg_ok();
    }
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    eg_status status = eg_ok();
    if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || space < 0 ||
        H5Sget_simple_extent_npoints(space) != (hssize_t)count ||
        H5Aread(attribute, memory, values) < 0) {
        status = damaged(name);
    }
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(attribute);
    return status;
}

eg_status eg_h5_read_text(char **out, hid_t group, const char *name, eg_string_pool *pool)
{
    char *text = NULL;
    hid_t dataset =
        eg_h5_has_link(group, name) ? H5Dopen2(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
    hid_t type = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    hid_t memory = text_type_like(type);
    eg_status status = eg_ok();
    if (!holds_text(type) || space < 0 || H5Sget_simple_extent_npoints(space) != 1) {
        status = damaged(name);
    } else if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) < 0) {
        status = unreadable(name);
    } else {
        status = take_text(out, text, pool);
    }
    eg_h5_close(memory);
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(dataset);
    return status;
}

size_t eg_h5_values_stored(hid_t dataset)
{
    enum { BEST_RATIO = 1032 };
    hid_t type = H5Dget_type(dataset);
    hid_t properties = H5Dget_create_plist(dataset);
    bool chunked = properties >= 0 && H5Pget_layout(properties) == H5D_CHUNKED;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;
    hsize_t stored = H5Dget_storage_size(dataset);
    eg_h5_close(properties);
    eg_h5_close(type);
    size_t values = size == 0 ? 0 : (size_t)stored / size;
    return chunked && values <= SIZE_MAX / BEST_RATIO ? values * BEST_RATIO : values;
}

eg_status eg_h5_open_dataset(hid_t *out, hid_t group, const char *name, size_t count, size_t *rank,
                             size_t *extent)
{
    *out = eg_h5_has_link(group, name) ? H5Dopen2(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
    hid_t space = *out < 0 ? H5I_INVALID_HID : H5Dget_space(*out);
    int axes = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    hsize_t sizes[EG_H5_RANK_MAX] = {0};
    bool good = axes >= 1 && axes <= EG_H5_RANK_MAX &&
                H5Sget_simple_extent_dims(space, sizes, NULL) == axes && sizes[0] == count;
    eg_h5_close(space);
    if (!good) {
        eg_h5_close(*out);
        *out = H5I_INVALID_HID;
        return damaged(name);
    }
    *rank = (size_t)axes;
    for (int i = 0; i < EG_H5_RANK_MAX; i++) {
        extent[i] = (size_t)sizes[i];
    }
    return eg_ok();
}

eg_status eg_h5_read_column(hid_t file, const char *name, size_t count, hid_t memory, void *values)
{
    hid_t dataset = H5I_INVALID_HID;
    size_t rank = 0;
    size_t extent[EG_H5_RANK_MAX];
    EG_TRY(eg_h5_open_dataset(&dataset, file, name, count, &rank, extent));
    hid_t type = H5Dget_type(dataset);
    eg_status status = eg_ok();
    if (rank != 1 || !holds_numbers(type) || count > eg_h5_values_stored(dataset)) {
        status = damaged(name);
    } else if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        status = unreadable(name);
    }
    eg_h5_close(type);
    eg_h5_close(dataset);
    return status;
}

eg_status eg_h5_read_texts(hid_t file, const char *name, size_t count, eg_string_pool *pool,
                           char **values)
{
    hid_t dataset = H5I_INVALID_HID;
    size_t rank = 0;
    size_t extent[EG_H5_RANK_MAX];
    EG_TRY(eg_h5_open_dataset(&dataset, file, name, count, &rank, extent));
    char **texts = NULL;
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    hid_t memory = text_type_like(type);
    eg_status status = eg_alloc(&texts, count, sizeof *texts);
    if (status.code == EG_OK &&
        (rank != 1 || !holds_text(type) || count > eg_h5_values_stored(dataset))) {
        status = damaged(name);
    } else if (status.code == EG_OK) {
        if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0) {
            status = unreadable(name);
        }
        for (size_t i = 0; i < count && status.code == EG_OK; i++) {
            const char *text = texts[i] != NULL ? texts[i] : "";
            if (i > 0 && strcmp(text, values[i - 1]) == 0) {
                values[i] = values[i - 1]; /* most columns have one text */
            } else {
                status = eg_string_pool_add(pool, &values[i], text);
            }
        }
        (void)H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts);
    }
    eg_free(texts);
    eg_h5_close(memory);
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(dataset);
    return status;
}

typedef struct scale_name {
    char text[EG_VARIABLE_NAME_SIZE];
} scale_name;

/** The path of a scale is its dimension's name: all are at the root. */
static herr_t take_scale(hid_t dataset, unsigned axis, hid_t scale, void *user)
{
    (void)dataset;
    (void)axis;
    char path[EG_VARIABLE_NAME_SIZE + 1] = "";
    scale_name *name = user;
    if (H5Iget_name(scale, path, sizeof path) <= 1) {
        return -1;
    }
    (void)snprintf(name->text, sizeof name->text, "%s", path + 1);
    return 1;
}

eg_status eg_h5_axis_name(char **out, hid_t dataset, size_t axis, eg_string_pool *pool)
{
    scale_name name = {""};
    if (H5DSiterate_scales(dataset, (unsigned)axis, NULL, take_scale, &name) < 0 ||
        name.text[0] == '\0') {
        return eg_fail(EG_INVALID, "damaged: an axis has no dimension");
    }
    return eg_string_pool_add(pool, out, name.text);
}
