/** Streams: what arrives when.
 *
 *  A stream is a sequence of phases (a task, an increment, a mega-batch). Within a phase it yields
 *  minibatches, epoch after epoch; the evaluation sets ("tasks") exist beside it. Order depends on
 *  (trial seed, phase, epoch) only, so a stream can be put to any position at no cost. */
#ifndef ENGRAM_STREAM_H
#define ENGRAM_STREAM_H

#include "engram/dataset.h"
#include "engram/real.h"
#include "engram/settings.h"
#include "engram/sparse.h"

#include <stddef.h>
#include <stdint.h>

/** Examples for one step or one block of evaluation. Borrowed from the stream, valid until the next
 *  call on it. */
typedef struct eg_batch {
    size_t size;
    const eg_real *x; /**< [size, features]; NULL if only `sparse` was wanted */
    const eg_sparse
        *sparse; /**< the same numbers in sparse form, where that is worth it; else NULL */
    const uint32_t *label; /**< [size], for classification */
    const eg_real *target; /**< [size, outputs], for regression; NULL otherwise */
} eg_batch;

typedef struct eg_stream_shape {
    size_t channels, height, width, features; /**< of one example */
    size_t outputs;                           /**< classes, or regression targets */
    size_t phases;
    size_t tasks; /**< evaluation sets; task t is what phase t taught where phases are tasks */
    size_t batch; /**< largest minibatch */
    size_t
        epochs; /**< how often a phase goes through its examples: the last of so many equal parts of
                      its minibatches shows each once */
    bool tasks_are_phases; /**< phase t teaches task t and no other (split, permuted) */
} eg_stream_shape;

/** Which examples an evaluation uses. */
typedef enum eg_subset { EG_SUBSET_TEST = 0, EG_SUBSET_VALIDATION = 1 } eg_subset;

typedef struct eg_stream eg_stream;

/** What a kind of stream implements; all required unless said otherwise. The object is the kind's
 * own struct that begins with `struct eg_stream`. */
typedef struct eg_stream_ops {
    void (*free)(eg_stream *stream);
    size_t (*steps)(const eg_stream *stream, size_t phase);
    void (*get)(eg_stream *stream, size_t phase, size_t step, eg_batch *out);
    size_t (*count)(const eg_stream *stream, eg_subset subset, size_t task);
    void (*examples)(eg_stream *stream, eg_subset subset, size_t task, size_t first, size_t size,
                     eg_batch *out);
} eg_stream_ops;

struct eg_stream {
    const eg_stream_ops *ops;
    eg_stream_shape shape;
    /** Batches that come in sparse form come without x, which saves the time and the cache to write it.
     *  Whoever reads batches may set it; false at first. */
    bool sparse_only;
};

typedef struct eg_stream_kind {
    eg_component component;
    /** `view` is inside the stream's settings. `holdout` in [0, 1): the share of every class's
     * training examples kept for EG_SUBSET_VALIDATION (the same ones whatever the seed). `block`: the
     *  most examples one evaluation call will ask for. Borrows the dataset. */
    eg_status (*create)(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                        uint64_t seed, double holdout, size_t block);
    /** EG_INVALID if the settings do not fit a dataset of so many classes; opens nothing. */
    eg_status (*check)(const eg_view *view, size_t classes);
    /** Work of a whole run from settings alone, for checks and cost estimates: phases, tasks, and the
     * training examples (epochs counted) and test examples of all tasks, given the dataset's
     * training and test examples. */
    void (*sizes)(const eg_view *view, size_t train, size_t test, size_t *phases, size_t *tasks,
                  size_t *train_examples, size_t *test_examples);
} eg_stream_kind;

extern const eg_family eg_stream_family;

/** Creates the stream chosen by setting `stream` of `root`. */
eg_status eg_stream_create(eg_stream **out, const eg_view *root, const eg_dataset *dataset,
                           uint64_t seed, double holdout, size_t block) EG_WARN_UNUSED;
void eg_stream_free(eg_stream *stream);

/** Minibatches in a phase, all epochs together. */
size_t eg_stream_steps(const eg_stream *stream, size_t phase);
/** Minibatch `step` of `phase`. In order it costs nothing extra; a jump reshuffles the epoch. */
void eg_stream_get(eg_stream *stream, size_t phase, size_t step, eg_batch *out);
/** Examples of an evaluation set; 0 for EG_SUBSET_VALIDATION without holdout. */
size_t eg_stream_count(const eg_stream *stream, eg_subset subset, size_t task);
/** Examples first … first+size-1 of an evaluation set; size at most `block`. */
void eg_stream_examples(eg_stream *stream, eg_subset subset, size_t task, size_t first, size_t size,
                        eg_batch *out);

#endif
