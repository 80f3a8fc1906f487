/** Inside the sweep room: the numbers in (0, 1) that sampled points are made of. */
#ifndef SWEEP_SAMPLE_DRAWS_H
#define SWEEP_SAMPLE_DRAWS_H

#include "sweep/arena.h"

#include <stddef.h>
#include <stdint.h>

typedef enum eg_sample_method {
    EG_SAMPLE_RANDOM,
    EG_SAMPLE_HALTON,
    EG_SAMPLE_SOBOL
} eg_sample_method;

/** Most settings that a sample may have. */
enum { EG_SAMPLE_DIMENSIONS_MAX = 24 };

/** One setting. */
typedef struct eg_draw_dimension {
    uint64_t key;   /**< of its random numbers: sample seed and name */
    size_t rank;    /**< its place in the alphabetical order of the settings that are drawn */
    size_t written; /**< … of all that the sample names, given on the command line or not */
} eg_draw_dimension;

/** *out: [draws, count] in the arena. A row depends on its index and the dimensions only, not on
 *  how many rows there are. Errors: EG_MEMORY. */
eg_status eg_sweep_draws(double **out, eg_arena *arena, eg_sample_method method,
                         const eg_draw_dimension *dimensions, size_t count,
                         size_t draws) EG_WARN_UNUSED;

#endif
