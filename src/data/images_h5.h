/** Files of images in HDF5, looked into by a child process (base/shared/child.h): damaged files
 *  crash the library, and another thread of this process may be using it. What the child opens ends
 *  with it. Errors, EG_INVALID: what is wrong in the file. */
#ifndef DATA_IMAGES_H5_H
#define DATA_IMAGES_H5_H

#include "base/shared/child.h"

#include <hdf5.h>

enum { EG_IMAGES_H5_RANK = 4 /* image, channel, row, column */ };
#define EG_IMAGE_SCATTERED UINT64_MAX

/** --- In the child ---------------------------------------------------------------------------- */

eg_status eg_images_h5_open(hid_t *out, const char *path) EG_WARN_UNUSED;
/** Dataset PART/images, of unsigned bytes, and its extents; part "": /images. */
eg_status eg_images_h5_images(hid_t *out, hid_t file, const char *part,
                              hsize_t extent[EG_IMAGES_H5_RANK]) EG_WARN_UNUSED;
/** Where images that have `size` bytes by their extents lie in the file; EG_IMAGE_SCATTERED: in
 *  several pieces. */
eg_status eg_images_h5_place(uint64_t *offset, hid_t dataset, const char *part,
                             uint64_t size) EG_WARN_UNUSED;
/** PART/labels, integers for `count` images: *out [count], of the child's. */
eg_status eg_images_h5_labels(long long **out, hid_t file, const char *part,
                              size_t count) EG_WARN_UNUSED;

/** --- In the process that asks ---------------------------------------------------------------- */

/** Bytes of a file; 0: it cannot be looked at. */
uint64_t eg_images_h5_size(const char *path);
/** eg_child_run; errors but EG_MEMORY name the file. */
eg_status eg_images_h5_run(unsigned char **reply, size_t *size, eg_child_work work, void *request,
                           const char *path, uint64_t bytes) EG_WARN_UNUSED;

#endif
