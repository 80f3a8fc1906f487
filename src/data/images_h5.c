/** Files of images in HDF5, looked into by a child process; see data/images_h5.h. */
#include "data/images_h5.h"

#include "data/shared/plain_link.h"
#include "engram/memory.h"

#include <signal.h>
#include <sys/stat.h>

enum {
    DEFLATE_BEST_RATIO = 1032, /* a larger extent than the stored bytes can hold is not believed */
};

eg_status eg_images_h5_open(hid_t *out, const char *path)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Nobody writes to it, and some file systems have no locks. */
    (void)H5Pset_file_locking(access, false, true);
#endif
    if (H5Fis_hdf5(path) <= 0) {
        return eg_fail(EG_INVALID, "is not HDF5");
    }
    *out = H5Fopen(path, H5F_ACC_RDONLY, access);
    return *out >= 0 ? eg_ok() : eg_fail(EG_INVALID, "is damaged or cut short");
}

static eg_status open_part(hid_t file, const char *part, hid_t *out)
{
    if (part[0] == '\0') {
        *out = file;
        return eg_ok();
    }
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0) {
        return eg_fail(EG_INVALID, "has no group '%s'", part);
    }
    EG_TRY(eg_plain_link_check(file, part));
    *out = H5Gopen2(file, part, H5P_DEFAULT);
    return *out >= 0 ? eg_ok() : eg_fail(EG_INVALID, "'%s' is not a group", part);
}

static eg_status open_dataset(hid_t file, const char *part, const char *what, hid_t *out)
{
    hid_t group = H5I_INVALID_HID;
    EG_TRY(open_part(file, part, &group));
    if (H5Lexists(group, what, H5P_DEFAULT) <= 0) {
        return eg_fail(EG_INVALID, "has no dataset '%s/%s'", part, what);
    }
    EG_TRY(eg_status_wrap(eg_plain_link_check(group, what), "%s", part[0] == '\0' ? "/" : part));
    *out = H5Dopen2(group, what, H5P_DEFAULT);
    return *out >= 0 ? eg_ok() : eg_fail(EG_INVALID, "'%s/%s' is not a dataset", part, what);
}

/* Extents [rank] of a dataset that has so many. */
static eg_status get_extents(hid_t dataset, int rank, const char *part, const char *what,
                             hsize_t *out)
{
    hid_t space = H5Dget_space(dataset);
    int found = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (found != rank) {
        return eg_fail(EG_INVALID, "'%s/%s' has %d dimensions; expected %d", part, what, found,
                       rank);
    }
    if (H5Sget_simple_extent_dims(space, out, NULL) != rank || out[0] == 0 || out[0] > UINT32_MAX) {
        return eg_fail(EG_INVALID, "'%s/%s' has no rows or too many", part, what);
    }
    return eg_ok();
}

static eg_status check_image_type(hid_t dataset, const char *part)
{
    hid_t type = H5Dget_type(dataset);
    if (type < 0 || H5Tget_class(type) != H5T_INTEGER || H5Tget_size(type) != 1 ||
        H5Tget_sign(type) != H5T_SGN_NONE) {
        return eg_fail(EG_INVALID, "'%s/images' does not hold unsigned bytes", part);
    }
    return eg_ok();
}

eg_status eg_images_h5_images(hid_t *out, hid_t file, const char *part,
                              hsize_t extent[EG_IMAGES_H5_RANK])
{
    EG_TRY(open_dataset(file, part, "images", out));
    EG_TRY(get_extents(*out, EG_IMAGES_H5_RANK, part, "images", extent));
    return check_image_type(*out, part);
}

eg_status eg_images_h5_place(uint64_t *offset, hid_t dataset, const char *part, uint64_t size)
{
    hid_t properties = H5Dget_create_plist(dataset);
    bool one_piece = properties >= 0 && H5Pget_layout(properties) == H5D_CONTIGUOUS;
    hsize_t stored = H5Dget_storage_size(dataset);
    haddr_t address = one_piece ? H5Dget_offset(dataset) : HADDR_UNDEF;
    if (stored < (one_piece ? size : size / DEFLATE_BEST_RATIO + 1) ||
        (one_piece && address == HADDR_UNDEF)) {
        return eg_fail(EG_INVALID, "'%s/images' holds %llu bytes, too few for its extents", part,
                       (unsigned long long)stored);
    }
    *offset = one_piece ? (uint64_t)address : EG_IMAGE_SCATTERED;
    return eg_ok();
}

eg_status eg_images_h5_labels(long long **out, hid_t file, const char *part, size_t count)
{
    hid_t dataset = H5I_INVALID_HID;
    hsize_t found = 0;
    EG_TRY(open_dataset(file, part, "labels", &dataset));
    EG_TRY(get_extents(dataset, 1, part, "labels", &found));
    if (found != count) {
        return eg_fail(EG_INVALID, "'%s/labels' has %llu labels for %zu images; expected as many",
                       part, (unsigned long long)found, count);
    }
    hid_t type = H5Dget_type(dataset);
    if (type < 0 || H5Tget_class(type) != H5T_INTEGER) {
        return eg_fail(EG_INVALID, "'%s/labels' does not hold integers", part);
    }
    EG_TRY(eg_alloc(out, count, sizeof **out));
    return H5Dread(dataset, H5T_NATIVE_LLONG, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) >= 0
               ? eg_ok()
               : eg_fail(EG_INVALID, "'%s/labels' cannot be read", part);
}

uint64_t eg_images_h5_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* A signal that asks the run to stop is for this process: a child that it ended would look like one
 * that crashed. */
eg_status eg_images_h5_run(unsigned char **reply, size_t *size, eg_child_work work, void *request,
                           const char *path, uint64_t bytes)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    eg_status status = eg_child_run(reply, size, work, request, bytes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status.code == EG_MEMORY ? status : eg_status_wrap(status, "%s", path);
}
