/** The engine of streams over a text: blocks of it are divided among mega-batches, an evaluation
 *  chunk and a validation chunk, and examples are sequences within blocks.
 *
 *      x[b,t]      symbol t of sequence b, as a number
 *      label[b,t]  symbol t + 1
 *
 *  A permutation of the N blocks is cut: the last floor(validation N) of it are for validation, the
 *  floor(evaluation N) before them are the test set, and what is left is cut into `chunks`
 *  mega-batches, of which the first ones have one block more where it does not divide. Of a block
 *  sequences begin at multiples of their length T, as long as there are T symbols and one after
 *  them. Sequences are numbered in the order of the text.
 *
 *  A phase has S minibatches of B sequences: passes over its sequences one after the other, each
 *  in a new order. There is one task, the test set. */
#ifndef STREAM_SEQUENCES_H
#define STREAM_SEQUENCES_H

#include "engram/stream.h"
#include "stream/chunks.h"
#include "stream/example_lists.h"

/** Rows of a parameter table. */
#define EG_SEQUENCES_PARAMS                                                                        \
    {.name = "chunks",                                                                             \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "4",                                                                          \
     .min = 1,                                                                                     \
     .max = 1000000,                                                                               \
     .doc = "mega-batches that what is not held out is cut into, equal but for one block"},        \
        {.name = "steps",                                                                          \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "500",                                                                    \
         .min = 1,                                                                                 \
         .max = 1e9,                                                                               \
         .unit = "minibatches",                                                                    \
         .doc = "of each mega-batch, whatever passes over it they are"},                           \
        {.name = "evaluation",                                                                     \
         .type = EG_TYPE_REAL,                                                                     \
         .default_text = "0.1",                                                                    \
         .min = 0,                                                                                 \
         .max = 0.5,                                                                               \
         .above_min = true,                                                                        \
         .doc = "share of the blocks that is the test set"},                                       \
        {.name = "validation",                                                                     \
         .type = EG_TYPE_REAL,                                                                     \
         .default_text = "0.1",                                                                    \
         .min = 0,                                                                                 \
         .max = 0.5,                                                                               \
         .above_min = true,                                                                        \
         .doc = "share of the blocks kept for validation, whether the protocol looks at them or "  \
                "not"},                                                                            \
        EG_CHUNK_SEED_PARAM

typedef struct eg_sequences {
    struct eg_stream base;
    const eg_dataset *dataset; /**< borrowed */
    uint64_t seed;             /**< of the trial: order of examples */
    size_t steps;              /**< of a phase */
    bool together;             /**< phases share one group and go through it as if they were one */
    bool holds_out;            /**< the protocol looks at validation sequences */
    eg_example_lists lists;    /**< sequences: groups of training sequences, others in group 0 */
    size_t largest;            /**< sequences of the largest group */
    size_t count;              /**< of the text */
    size_t *start;             /**< [count] where a sequence begins in the text */
} eg_sequences;

/** A stream of so many phases: phase p learns from mega-batch p, or all from the first `phases`
 *  mega-batches together. `view` is inside the stream's settings. Errors: EG_INVALID if a part of
 *  the text has no sequence, or the protocol holds out another share than the stream. */
eg_status eg_sequences_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                              uint64_t seed, double holdout, size_t phases,
                              bool together) EG_WARN_UNUSED;

/** The sequences of a phase. */
size_t eg_sequences_group(const eg_sequences *self, size_t phase);

/** eg_stream_ops.open of these streams. */
eg_status eg_sequences_open(eg_cursor **out, const eg_stream *stream,
                            const eg_cursor_setup *setup) EG_WARN_UNUSED;

/** eg_stream_kind.check of these streams. */
eg_status eg_sequences_check(const eg_view *view, const eg_stream_sizes *data) EG_WARN_UNUSED;
/** eg_stream_kind.sizes of one with so many phases. */
void eg_sequences_sizes(const eg_view *view, eg_stream_sizes *out, size_t phases);

#endif
