/** Means over a minibatch of what the units of a hidden layer do; for learner/utility.h. */
#ifndef ENGRAM_LEARNER_UTILITY_SUMS_H
#define ENGRAM_LEARNER_UTILITY_SUMS_H

#include "engram/real.h"

#include <stddef.h>

/** Activations [batch][positions][parts][units] of a layer, and scratch. */
typedef struct eg_utility_map {
    const eg_real *y;
    size_t batch, positions, parts, units;
    eg_real *scratch; /**< [2 * units] */
} eg_utility_map;

/** Over examples, positions and parts: mean [units] of y, NULL: not wanted; and spread [units] of
 *  |y - centre|, NULL: not wanted; centre [units] NULL: 0. Sums of images are made example by
 *  example, so that rounding does not grow with their number. With a centre, `mean` is NULL. */
void eg_utility_means(const eg_utility_map *map, const eg_real *centre, eg_real *mean,
                      eg_real *spread);

/** Where every position of a unit has weights of its own, out [units][positions] of them: x [units]
 *  <- the mean over positions of out times the mean over examples and parts of |y - centre|; map
 *  NULL: of out alone. */
void eg_utility_uses(const eg_utility_map *map, size_t units, size_t positions,
                     const eg_real *centre, const eg_real *out, eg_real *x);

#endif
