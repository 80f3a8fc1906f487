/** Which held-out examples (EG_SUBSET_VALIDATION) go with a phase. */
#ifndef ENGRAM_LEARNER_HELD_OUT_H
#define ENGRAM_LEARNER_HELD_OUT_H

#include "engram/stream.h"

/** Sets first, …, end - 1. */
typedef struct eg_held_out_sets {
    size_t first, end;
} eg_held_out_sets;

/** The phase's own, or its task's, or those of all tasks if it teaches several. */
eg_held_out_sets eg_held_out_of(const eg_stream *stream, size_t phase);
/** EG_INVALID, naming the learner, if the stream holds none out. */
eg_status eg_held_out_needed(const eg_stream *stream, const char *learner) EG_WARN_UNUSED;

#endif
