/** Helpers around HDF5; see store/hdf5/h5_file.h. */
#include "store/hdf5/h5_file.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static herr_t keep_innermost(unsigned depth, const H5E_error2_t *error, void *user)
{
    if (depth == 0) {
        (void)snprintf(user, EG_MESSAGE_SIZE, "%s",
                       error->desc != NULL ? error->desc : "unknown error");
    }
    return 0;
}

eg_status eg_h5_failure(void)
{
    char words[EG_MESSAGE_SIZE] = "unknown error";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, words);
    words[strcspn(words, "\n")] = '\0';
    return eg_fail(EG_SYSTEM, "HDF5: %s", words);
}

/* The library is not made for threads, but one of them may write weights while another one
 * publishes results; and a process that was forked meanwhile would find it half done. */
static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER;

static void take(void)
{
    (void)pthread_mutex_lock(&in_use);
}

static void leave(void)
{
    (void)pthread_mutex_unlock(&in_use);
}

static void watch_forks(void)
{
    (void)pthread_atfork(take, leave, leave);
}

eg_h5_quiet eg_h5_quiet_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    eg_h5_quiet quiet = {0};
    (void)pthread_once(&once, watch_forks);
    take();
    /* Everything is closed here; what the library does at the exit crashes it where memory was
     * short before. */
    (void)H5dont_atexit();
    (void)H5open();
    (void)H5Eget_auto2(H5E_DEFAULT, &quiet.function, &quiet.data);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return quiet;
}

void eg_h5_quiet_end(eg_h5_quiet quiet)
{
    (void)H5Eset_auto2(H5E_DEFAULT, quiet.function, quiet.data);
    leave();
}

void eg_h5_close(hid_t id)
{
    switch (id < 0 ? H5I_BADID : H5Iget_type(id)) {
    case H5I_FILE:
        (void)H5Fclose(id);
        break;
    case H5I_GROUP:
        (void)H5Gclose(id);
        break;
    case H5I_DATATYPE:
        (void)H5Tclose(id);
        break;
    case H5I_DATASPACE:
        (void)H5Sclose(id);
        break;
    case H5I_DATASET:
        (void)H5Dclose(id);
        break;
    case H5I_ATTR:
        (void)H5Aclose(id);
        break;
    case H5I_GENPROP_LST:
        (void)H5Pclose(id);
        break;
    default:
        break;
    }
}

hid_t eg_h5_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        eg_h5_close(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static eg_status write_attribute(hid_t object, const char *name, hid_t type, hid_t space,
                                 const void *values)
{
    eg_status status = eg_ok();
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type, values) < 0) {
        status = eg_status_wrap(eg_h5_failure(), "attribute %s", name);
    }
    eg_h5_close(attribute);
    eg_h5_close(space);
    return status;
}

eg_status eg_h5_attribute(hid_t object, const char *name, hid_t type, const void *value)
{
    return write_attribute(object, name, type, H5Screate(H5S_SCALAR), value);
}

eg_status eg_h5_attribute_list(hid_t object, const char *name, hid_t type, const void *values,
                               size_t count)
{
    hsize_t extent = count;
    return write_attribute(object, name, type, H5Screate_simple(1, &extent, NULL), values);
}

eg_status eg_h5_attribute_text(hid_t object, const char *name, const char *text)
{
    hid_t type = eg_h5_text_type();
    eg_status status = eg_h5_attribute(object, name, type, &text);
    eg_h5_close(type);
    return status;
}

static const unsigned creation_order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

hid_t eg_h5_plain_properties(hid_t kind)
{
    hid_t properties = H5Pcreate(kind);
    bool good = properties >= 0 && H5Pset_obj_track_times(properties, false) >= 0 &&
                H5Pset_attr_creation_order(properties, creation_order) >= 0;
    if (good && (kind == H5P_GROUP_CREATE || kind == H5P_FILE_CREATE)) {
        good = H5Pset_link_creation_order(properties, creation_order) >= 0;
    }
    if (!good) {
        eg_h5_close(properties);
        return H5I_INVALID_HID;
    }
    return properties;
}
