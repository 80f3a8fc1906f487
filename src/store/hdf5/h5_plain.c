/** Links and storage of a results file; see store/hdf5/h5_plain.h. */
#include "store/hdf5/h5_plain.h"

#include "data/shared/plain_link.h"

enum { NAME_SIZE = 256 };

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
        EG_TRY(eg_plain_link_check(group, name));
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
