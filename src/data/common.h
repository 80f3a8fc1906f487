/** What all datasets share: the settings `path`, `scale` and `limit`, and where their memory lies.
 */
#ifndef DATA_COMMON_H
#define DATA_COMMON_H

#include "engram/dataset.h"

/** Which block of eg_dataset.storage holds what. */
enum {
    EG_STORAGE_TRAIN_X,
    EG_STORAGE_TRAIN_LABEL,
    EG_STORAGE_TEST_X,
    EG_STORAGE_TEST_LABEL,
    EG_STORAGE_VALUE,
    /* Of a text: */
    EG_STORAGE_BEGIN = 0,
    EG_STORAGE_ID,
    EG_STORAGE_SPELLED,
    EG_STORAGE_BYTES,
    EG_STORAGE_PAIR,
};

/** The parameters of every dataset. */
enum { EG_DATASET_COMMON_COUNT = 3 };
extern const eg_param eg_dataset_common[EG_DATASET_COMMON_COUNT];

/** Allocates and fills out->value for all channels of `out` by the setting `scale`; mean and std
 * [channels] are those of b/255 over the training set. Computed in double, rounded once. */
eg_status eg_values_fill(eg_dataset *out, const eg_view *view, const double *mean,
                         const double *std) EG_WARN_UNUSED;

/** The same with the mean and deviation of the training images of *out, if the setting asks for
 *  them. EG_INVALID, naming file `path`, if a channel is the same everywhere. */
eg_status eg_values_measure(eg_dataset *out, const eg_view *view, const char *path) EG_WARN_UNUSED;

/** The folder of a dataset's files, from the setting `path`, ENGRAM_DATA or the default, as a new
 *  string; *reason says in words why that one. */
eg_status eg_data_folder(char **out, const char **reason, const char *name,
                         const eg_view *view) EG_WARN_UNUSED;

/** The file that the setting `file` names in that folder, a new string. EG_INVALID, saying what it
 *  has to be (`what`), if it is not there. */
eg_status eg_data_file(char **out, const char *dataset, const eg_view *view,
                       const char *what) EG_WARN_UNUSED;
/** What the files of datasets of images have to be. */
extern const char eg_data_images[];

/** Whether there is something at `path`. What cannot even be examined counts: reading it says
 *  why. */
bool eg_data_exists(const char *path);

/** Cuts the numbers of examples by the setting `limit`: to the first `limit` for training and the
 * first limit/6 (at least one) for testing, the ratio of MNIST. 0 means all. Never enlarges. */
void eg_limit_apply(const eg_view *view, size_t *train, size_t *test);

#endif
