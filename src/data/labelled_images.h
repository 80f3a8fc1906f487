/** Labelled images in four IDX files, as MNIST and its drop-in replacements are distributed. */
#ifndef DATA_LABELLED_IMAGES_H
#define DATA_LABELLED_IMAGES_H

#include "engram/dataset.h"

typedef struct eg_labelled_images {
    const char *name; /**< the dataset's, and of its folder */
    size_t side;      /**< images are [side, side] */
    size_t classes;
    size_t train, test; /**< published numbers of examples, for estimates only */
    double mean, std;   /**< of b/255 over the training set */
} eg_labelled_images;

/** Finds and reads the four files. Each may be called as distributed (train-images-idx3-ubyte) or
 * with a dot (train-images.idx3-ubyte), plain or with .gz. They lie in the folder the setting
 * `path` names; if that is empty, in $ENGRAM_DATA/NAME if the variable is set, else in data/NAME.
 *  Errors: as eg_idx_read; files not found (says where it looked and how to get them); images of
 * another size; different numbers of images and labels; a label outside the classes. */
eg_status eg_labelled_images_open(const eg_labelled_images *spec, const eg_view *view,
                                  eg_dataset *out) EG_WARN_UNUSED;

void eg_labelled_images_sizes(const eg_labelled_images *spec, const eg_view *view, size_t *train,
                              size_t *test, eg_shape *shape, size_t *classes);

#endif
