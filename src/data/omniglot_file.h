/** A file of Omniglot in HDF5: the layout of docs/images.md. */
#ifndef DATA_OMNIGLOT_FILE_H
#define DATA_OMNIGLOT_FILE_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_OMNIGLOT_SIDE = 28, EG_OMNIGLOT_PIXELS = EG_OMNIGLOT_SIDE * EG_OMNIGLOT_SIDE };

/** The character of each drawing, as the file numbers them: *out [*count], eg_free. Errors,
 *  EG_INVALID naming the file and what is wrong in it: not HDF5, cut short or damaged; a dataset
 *  that is missing or has another rank, type or storage; images that are not of 1 x 28 x 28; other
 *  numbers of labels and images; labels that are negative or above 65535. */
eg_status eg_omniglot_labels(uint16_t **out, size_t *count, const char *path) EG_WARN_UNUSED;

/** Drawings of a file, each as it is and turned by multiples of 90 degrees, counter-clockwise. */
typedef struct eg_omniglot_choice {
    const char *path;
    size_t drawings; /**< of the file */
    size_t count;
    const uint32_t *drawing; /**< [count] */
    size_t turns;            /**< 1: as they are; 4: by 0, 90, 180 and 270 degrees */
} eg_omniglot_choice;

/** Writes them to `out` [count * turns, 28 * 28], the turns of a drawing in a row; `user`: the
 *  choice. A child process reads the file: `out` must be mapped with MAP_SHARED
 *  (eg_bytes_maker). */
eg_status eg_omniglot_read(void *user, uint8_t *out) EG_WARN_UNUSED;

#endif
