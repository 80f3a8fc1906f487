/** Cutting what there is to learn into mega-batches: what streams of examples and of text share. */
#ifndef STREAM_CHUNKS_H
#define STREAM_CHUNKS_H

#include "engram/settings.h"

#include <stddef.h>
#include <stdint.h>

/** Row of a parameter table. */
#define EG_CHUNK_SEED_PARAM                                                                        \
    {                                                                                              \
        .name = "partition_seed", .type = EG_TYPE_INT, .default_text = "-1", .min = -1,            \
        .max = 9007199254740992.0,                                                                 \
        .doc = "of the permutation and of what is held out; -1: the trial's seed"                  \
    }

/** The seed of the partition: the setting `partition_seed`, or that of the trial. */
uint64_t eg_chunk_seed(const eg_view *view, uint64_t trial);

/** order [n] becomes a permutation of 0 … n-1, keyed (seed, EG_PURPOSE_PARTITION, 0). */
void eg_chunk_permute(uint64_t seed, size_t n, uint32_t *order);

/** Where chunk c of n things in `chunks` begins: the first n mod chunks have one more. */
size_t eg_chunk_begin(size_t n, size_t chunks, size_t c);

/** floor(fraction * count), where a product that is whole but for rounding counts as whole. */
size_t eg_chunk_share(size_t count, double fraction);

#endif
