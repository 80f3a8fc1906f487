/** Settings as attributes; see store/weights/weights_settings.h. */
#include "store/weights/weights_settings.h"

#include "base/shared/value.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "store/hdf5/h5_input.h"
#include "store/weights/weights_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static eg_status damaged(const char *name)
{
    return eg_fail(EG_INVALID, "damaged: the setting '%s' is not what it should be", name);
}

/** --- Writing --------------------------------------------------------------------------------- */

/** What h5py makes of a bool, and reads as one. */
static hid_t bool_type(void)
{
    hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    const int8_t no = 0;
    const int8_t yes = 1;
    if (type >= 0 &&
        (H5Tenum_insert(type, "FALSE", &no) < 0 || H5Tenum_insert(type, "TRUE", &yes) < 0)) {
        eg_h5_close(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static eg_status write_setting(hid_t group, const eg_setting *setting)
{
    const eg_value *value = &setting->value;
    if (value->type == EG_TYPE_REAL) {
        return eg_h5_attribute(group, setting->name, H5T_NATIVE_DOUBLE, &value->real);
    }
    if (value->type == EG_TYPE_INT) {
        return eg_h5_attribute(group, setting->name, H5T_NATIVE_INT64, &value->integer);
    }
    if (value->type == EG_TYPE_BOOL) {
        const int8_t number = value->boolean ? 1 : 0;
        hid_t type = bool_type();
        eg_status status = eg_h5_attribute(group, setting->name, type, &number);
        eg_h5_close(type);
        return status;
    }
    return eg_h5_attribute_text(group, setting->name, value->text);
}

eg_status eg_weights_file_write_settings(hid_t file, const char *text)
{
    eg_settings *settings = NULL;
    EG_TRY(eg_settings_parse(&settings, eg_trial_schema(), text));
    hid_t properties = eg_h5_plain_properties(H5P_GROUP_CREATE);
    hid_t group = H5Gcreate2(file, EG_WEIGHTS_SETTINGS, H5P_DEFAULT, properties, H5P_DEFAULT);
    eg_status status = group < 0 ? eg_h5_failure() : eg_ok();
    for (size_t i = 0; i < eg_settings_count(settings) && status.code == EG_OK; i++) {
        status = write_setting(group, eg_settings_at(settings, i));
    }
    eg_h5_close(group);
    eg_h5_close(properties);
    eg_settings_free(settings);
    return eg_status_wrap(status, "settings");
}

/** --- Reading --------------------------------------------------------------------------------- */

/** The value of an attribute in the form of settings: as text it is there as it is. */
static eg_status setting_text(char **out, hid_t group, const char *name, eg_string_pool *pool)
{
    char text[EG_NUMBER_TEXT];
    double real = 0;
    int64_t whole = 0;
    bool there = false;
    hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    bool scalar = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    eg_status status = eg_ok();
    if (kind == H5T_STRING) {
        status = eg_h5_get_text(out, group, name, NULL, pool);
    } else if (kind == H5T_FLOAT) {
        status = eg_h5_get_values(group, name, H5T_NATIVE_DOUBLE, 1, &real, &there);
        eg_real_text(text, real);
    } else if (kind == H5T_INTEGER) {
        status = eg_h5_get_values(group, name, H5T_NATIVE_INT64, 1, &whole, &there);
        (void)snprintf(text, sizeof text, "%" PRId64, whole);
    } else if (kind == H5T_ENUM && scalar && H5Tget_size(type) == 1) {
        int8_t byte = 0;
        status = H5Aread(attribute, type, &byte) < 0 ? damaged(name) : eg_ok();
        (void)strcpy(text, byte != 0 ? "true" : "false");
    } else {
        status = damaged(name);
    }
    if (status.code == EG_OK && kind != H5T_STRING) {
        status = eg_string_pool_add(pool, out, text);
    }
    eg_h5_close(space);
    eg_h5_close(type);
    eg_h5_close(attribute);
    return status;
}

/** Settings on their way from attributes to lines. */
typedef struct lines {
    eg_writer writer;
    eg_string_pool *pool;
    eg_status status;
} lines;

static herr_t add_line(hid_t group, const char *name, const H5A_info_t *info, void *user)
{
    (void)info;
    lines *to = user;
    char *value = NULL;
    to->status = setting_text(&value, group, name, to->pool);
    if (to->status.code != EG_OK) {
        return -1;
    }
    if (strpbrk(name, "=\n") != NULL || strchr(value, '\n') != NULL) {
        to->status = damaged(name);
        return -1;
    }
    eg_write_bytes(&to->writer, name, strlen(name));
    eg_write_u8(&to->writer, '=');
    eg_write_bytes(&to->writer, value, strlen(value));
    eg_write_u8(&to->writer, '\n');
    return 0;
}

eg_status eg_weights_file_read_settings(char **out, hid_t file, eg_string_pool *pool)
{
    if (!eg_h5_has_link(file, EG_WEIGHTS_SETTINGS)) {
        return eg_ok();
    }
    hid_t group = H5Gopen2(file, EG_WEIGHTS_SETTINGS, H5P_DEFAULT);
    lines to = {.pool = pool, .status = eg_ok()};
    hsize_t at = 0;
    if (group < 0 || H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, &at, add_line, &to) < 0) {
        eg_status_keep(&to.status, damaged(EG_WEIGHTS_SETTINGS));
    }
    eg_write_u8(&to.writer, 0);
    eg_status_keep(&to.status, eg_writer_status(&to.writer));
    if (to.status.code == EG_OK) {
        to.status = eg_strdup(out, (const char *)to.writer.data);
    }
    eg_writer_clear(&to.writer);
    eg_h5_close(group);
    return to.status;
}
