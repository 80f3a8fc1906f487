/** The file of `engram predict -o`: one line for every position of every example, with its
 *  label, prediction and scores. */
#ifndef CLI_PREDICTIONS_FILE_H
#define CLI_PREDICTIONS_FILE_H

#include "cli/text_file.h"
#include "engram/trial.h"

typedef struct eg_predictions_file {
    eg_text_file text;
    const char *const *names; /**< of the subsets; borrowed */
    bool begun;               /**< the names of the scores are there */
} eg_predictions_file;

/** As eg_text_file_open. */
eg_status eg_predictions_open(eg_predictions_file *out, const char *path) EG_WARN_UNUSED;
/** For eg_trial_predict, with the eg_predictions_file as its user. EG_SYSTEM if it cannot be
 *  written. */
eg_status eg_predictions_add(void *file, const eg_predicted *block);
/** As eg_text_file_close, of a file that is kept. */
eg_status eg_predictions_close(eg_predictions_file *file) EG_WARN_UNUSED;

#endif
