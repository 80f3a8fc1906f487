/** Links and storage of HDF5 files; see data/shared/plain_link.h. */
#include "data/shared/plain_link.h"

#include <stdbool.h>

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
            return eg_fail(EG_INVALID,
                           "'%s' is stored with filter %d; expected deflate, shuffle or "
                           "fletcher32",
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
    if (properties >= 0) {
        (void)H5Pclose(properties);
    }
    return status;
}

eg_status eg_plain_link_check(hid_t group, const char *name)
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
    if (object >= 0) {
        (void)H5Oclose(object);
    }
    return status;
}
