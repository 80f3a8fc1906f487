/** The binary format of CIFAR: records of one or two label bytes and the red, green and blue planes
 *  of a picture of 32 x 32, one after the other, in one or several files of training examples and
 *  one of test examples. */
#ifndef DATA_CIFAR_H
#define DATA_CIFAR_H

#include "engram/dataset.h"

/** A row of a parameter table. */
#define EG_CIFAR_LAYOUT                                                                            \
    {                                                                                              \
        .name = "layout", .type = EG_TYPE_NAME, .default_text = "planar",                          \
        .names = eg_cifar_layout_names,                                                            \
        .doc = "planar: the three planes of a picture are its channels; asis: its bytes in their " \
               "order are taken for pixels of three channels, as the program of additive "         \
               "parameter decomposition does, so a pixel has three neighbours of one plane",       \
        .added_later = true                                                                        \
    }
extern const char *const eg_cifar_layout_names[];

enum { EG_CIFAR_SIDE = 32, EG_CIFAR_CHANNELS = 3 };

typedef struct eg_cifar {
    const char *name;       /**< the dataset's, and of its folder */
    size_t label_bytes;     /**< of a record */
    size_t label_at;        /**< the one that counts */
    size_t classes;         /**< labels are below */
    size_t train, test;     /**< published numbers of examples, for estimates only */
    const char *train_stem; /**< "NAME_": files are NAME_1.bin, NAME_2.bin, …; or NULL: */
    const char *train_file; /**< there is one */
    const char *test_file;
    double mean[EG_CIFAR_CHANNELS], std[EG_CIFAR_CHANNELS]; /**< of b/255 over the training set */
} eg_cifar;

/** Finds and reads the files, each plain or with .gz, whatever is in them. They lie in the folder
 *  the setting `path` names; if that is empty, in $ENGRAM_DATA/NAME if the variable is set, else in
 *  data/NAME. Numbered files of training examples count as far as they are there; a gap is an
 *  error. Errors: files not found (says where it looked and how to get them); bytes that are no
 *  whole records; a label outside the classes; damaged gzip. */
eg_status eg_cifar_open(const eg_cifar *spec, const eg_view *view, eg_dataset *out) EG_WARN_UNUSED;

void eg_cifar_sizes(const eg_cifar *spec, const eg_view *view, size_t *train, size_t *test,
                    eg_shape *shape, size_t *classes);

#endif
