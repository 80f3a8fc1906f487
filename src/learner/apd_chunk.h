/** Pieces of a part that fit into the first-level cache, and the masks of their units. */
#ifndef ENGRAM_LEARNER_APD_CHUNK_H
#define ENGRAM_LEARNER_APD_CHUNK_H

#include "learner/apd.h"

/** n numbers of a part, all of one row or one panel. */
typedef struct eg_apd_chunk {
    size_t i;     /**< of the first, in the part */
    size_t n;     /**< at most EG_APD_CHUNK */
    size_t unit;  /**< the unit of lane 0, among those of all parts */
    size_t lane;  /**< of the first number */
    size_t lanes; /**< 1: all are of one unit */
} eg_apd_chunk;

/** The one that begins with number i of a part, and ends before `end`. */
eg_apd_chunk eg_apd_chunk_at(const eg_apd_part *part, size_t i, size_t end);
/** out [n] = the value of each number's unit. */
void eg_apd_chunk_expand(const eg_apd_chunk *chunk, const eg_real *of_unit, eg_real *out);
/** sums of units += values [n]. */
void eg_apd_chunk_sum(const eg_apd_chunk *chunk, const eg_real *values, double *of_unit);

/** theta of one weight: the one place where it is computed, so that the same numbers give the same
 *  bits wherever it is needed. */
static inline eg_real eg_apd_weight(eg_real mask, eg_real sigma, eg_real shared, eg_real tau)
{
    return eg_composed_value(mask, sigma, shared, tau);
}

/** Zeros, for those without sigma_g. */
extern const eg_real eg_apd_zeros[EG_APD_CHUNK];

#endif
