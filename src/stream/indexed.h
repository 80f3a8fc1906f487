/** The engine of classification streams over a dataset: phases are lists of example numbers, each
 * seen through an optional permutation of the pixels. A kind of stream only says which class
 * belongs to which group and which permutation to which phase. */
#ifndef STREAM_INDEXED_H
#define STREAM_INDEXED_H

#include "engram/stream.h"
#include "stream/example_lists.h"

/** What makes a stream. Phase t teaches task t and no other, unless a single phase teaches all. */
typedef struct eg_indexed_setup {
    const eg_dataset *dataset; /**< borrowed as long as the stream lives */
    uint64_t seed;
    double holdout;
    size_t block;         /**< most examples of one evaluation call */
    size_t batch, epochs; /**< the settings of every stream */
    size_t phases;
    /** [classes] group of a class, or EG_NO_GROUP; NULL: all in group 0. Borrowed during create. */
    const size_t *group;
    /** As many as phases: phase t has group t. 1: all phases have the same. More than one, and one
     * phase: it has them all, and each is a task. */
    size_t groups;
    /** [phases, height*width]: pixel i of an example in phase t is pixel permutation[t][i] of the
     * dataset, in every channel, in training and evaluation; NULL: pixels stay. Taken, on failure
     * too. */
    uint32_t *permutation;
} eg_indexed_setup;

/** The setup with `batch` and `epochs` from the view and no phases yet. */
eg_indexed_setup eg_indexed_setup_make(const eg_view *view, const eg_dataset *dataset,
                                       uint64_t seed, double holdout, size_t block);

/** Training examples of phase t are shuffled anew for each epoch, keyed (seed, EG_PURPOSE_ORDER,
 *  t*epochs + epoch). The last minibatch of an epoch holds what is left. Nothing is allocated
 * later. Errors: as eg_example_lists_make. */
eg_status eg_indexed_create(eg_stream **out, const eg_indexed_setup *setup) EG_WARN_UNUSED;

/** eg_stream_kind.check of streams for which any classes will do. */
eg_status eg_indexed_check_any(const eg_view *view, size_t classes) EG_WARN_UNUSED;

#endif
