/** Links and storage of a results file; see store/hdf5/h5_plain.h. */
#include "store/hdf5/h5_plain.h"

enum { NAME_SIZE = 256 };

static bool filter_is_ordinary(H5Z_filter_t filter)
{
    return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
           filter == H5Z_FILTER_FLETCHER32;
}

static eg_status check_filters(hid_t properties, const char *name)
{
    int count = H5Pget_nfilters(properties);
    for (int i = 0; i < count; i++) {
        unsigned flags = 0;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
        if (!filter_is_ordinary(filter)) {
            return eg_fail(EG_INVALID, "'%s' is stored with filter %d, which engram never uses",
                           name, (int)filter);
        }
    }
    return count < 0 ? eg_fail(EG_INVALID, "damaged: the storage of '%s' cannot be read", name)
                     : eg_ok();
}

static eg_status check_dataset(hid_t dataset, const char *name)
{
    hid_t properties = H5Dget_create_plist(dataset);
    H5D_layout_t layout = properties < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(properties);
    int external = properties < 0 ? -1 : H5Pget_external_count(properties);
    eg_status status = eg_ok();
    if (layout == H5D_LAYOUT_ERROR || external < 0) {
        status = eg_fail(EG_INVALID, "damaged: the storage of '%s' cannot be read", name);
    } else if (external > 0 || layout == H5D_VIRTUAL) {
        status = eg_fail(EG_INVALID, "the values of '%s' are in another file; refused", name);
    } else {
        status = check_filters(properties, name);
    }
    eg_h5_close(properties);
    return status;
}

static eg_status check_link(hid_t group, const char *name)
{
    H5L_info_t info;
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) {
        return eg_fail(EG_INVALID, "damaged: '%s' cannot be read", name);
    }
    if (info.type != H5L_TYPE_HARD) {
        return eg_fail(EG_INVALID, "'%s' is a link to somewhere else; refused", name);
    }
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    H5I_type_t type = object < 0 ? H5I_BADID : H5Iget_type(object);
    eg_status status = eg_ok();
    if (type == H5I_DATASET) {
        status = check_dataset(object, name);
    } else if (type == H5I_BADID) {
        status = eg_fail(EG_INVALID, "damaged: '%s' cannot be opened", name);
    }
    eg_h5_close(object);
    return status;
}

eg_status eg_h5_check_plain_group(hid_t group)
{
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0) {
        return eg_fail(EG_INVALID, "damaged: a group cannot be read");
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[NAME_SIZE];
        ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                            sizeof name, H5P_DEFAULT);
        if (length <= 0 || (size_t)length >= sizeof name) {
            return eg_fail(EG_INVALID, "damaged: a group cannot be read");
        }
        EG_TRY(check_link(group, name));
    }
    return eg_ok();
}

eg_status eg_h5_check_plain(hid_t file)
{
    EG_TRY(eg_h5_check_plain_group(file));
    if (H5Lexists(file, "provenance", H5P_DEFAULT) <= 0) {
        return eg_ok();
    }
    hid_t group = H5Gopen2(file, "provenance", H5P_DEFAULT);
    eg_status status = group < 0 ? eg_ok() : eg_h5_check_plain_group(group);
    eg_h5_close(group);
    return status;
}
