/** Files of labelled images in HDF5: the layout of docs/images.md.
 *
 *  A file is looked into by a child process, see data/images_h5.h. */
#ifndef DATA_IMAGE_FILE_H
#define DATA_IMAGE_FILE_H

#include "data/images_h5.h"
#include "engram/shape.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { EG_IMAGE_PARTS = 2, EG_IMAGE_TRAIN = 0, EG_IMAGE_TEST = 1 };

typedef struct eg_images_part {
    size_t count;
    uint16_t *label; /**< [count] */
    uint64_t offset; /**< where the images lie in the file; EG_IMAGE_SCATTERED: in several pieces */
} eg_images_part;

typedef struct eg_images_file {
    eg_images_part part[EG_IMAGE_PARTS];
    double *mean, *std; /**< [channels] what the file says of b/255, or NULL */
} eg_images_file;

/** What is in a file. Errors, EG_INVALID naming the file and what is wrong in it: not HDF5, cut
 *  short or damaged; a dataset that is missing or has another rank, type or storage; images that
 *  are not of `shape`; other numbers of labels and images; labels that are not below `classes`,
 *  another number of class names. On failure *out is empty. */
eg_status eg_images_file_look(eg_images_file *out, const char *path, eg_shape shape,
                              size_t classes) EG_WARN_UNUSED;
void eg_images_file_clear(eg_images_file *file);

/** Reads the `size` bytes of the images of a part to `out`, which the child process must share:
 *  memory mapped with MAP_SHARED. */
eg_status eg_images_file_read(const char *path, size_t part, size_t size,
                              uint8_t *out) EG_WARN_UNUSED;

#endif
