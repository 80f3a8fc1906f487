/** Predictors: what a trial has learned, with all that is needed to predict with it: weights,
 *  settings, what a byte of the data stands for. */
#ifndef ENGRAM_PREDICTOR_H
#define ENGRAM_PREDICTOR_H

#include "engram/status.h"
#include "engram/weights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a file of weights holds. Start with {0}. */
typedef struct eg_predictor {
    eg_weights weights;
    char *settings; /**< canonical text of all settings; NULL: not known; owned */
    uint64_t seed;  /**< of the trial */
    bool is_trial;  /**< the trial of these settings and seed made it, with nothing else put in */
    uint64_t trial_id;              /**< if so */
    uint64_t data;                  /**< checksum of the dataset; 0: none */
    uint64_t step;                  /**< minibatches learned */
    size_t channels, height, width; /**< of one example */
    size_t outputs;
    /** [channels, 256] what a byte of each channel stands for; NULL: no bytes; owned */
    double *byte_value;
    /** [ordered_tasks, height*width] which pixel of the dataset a task sees at each place, in every
     *  channel; NULL: all are seen where they are; owned */
    uint32_t *pixel_order;
    size_t ordered_tasks;
    /** [outputs] the task of each class, -1: none; NULL: tasks do not divide the classes. For
     *  readers of the file, not read from it: settings and seed say the same. Owned */
    int32_t *class_task;
    /** What the ids of a text stand for (eg_dataset_vocabulary); NULL: there is no text. For
     *  readers of the file, as above. Owned */
    char *vocabulary;
} eg_predictor;

void eg_predictor_clear(eg_predictor *predictor);

#endif
