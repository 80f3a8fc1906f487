/** The mushroom body of a fruit fly as a classifier: a fixed sparse expansion, winner-take-all, and
 *  an associative layer that each example updates once. No gradients.
 *
 *      x' = (x - min x)/(max x - min x)                                   per example
 *      y_j = sum of x'_i over the `ones` inputs i that unit j is connected to
 *      y_j = 0 where y_j < q, q the (1 - active)-quantile of y; then y = y/max(y)
 *      learn class c:  W[c][j] = min(1, W[c][j] + rate y_j); all other rows stay, and so do the
 *                      weights of units with y_j = 0
 *      score of class c: sum_j W[c][j] y_j, for classes that were seen
 *
 *  The quantile interpolates linearly between order statistics, so that without ties exactly
 *  active * units stay where that is a whole number; ties keep more. A constant image has no code.
 *
 *  Source: Shen, Dasgupta and Navlakha 2023, "Reducing catastrophic forgetting with associative
 *  learning: a lesson from fruit flies", Neural Computation 35; constants of the authors'
 *  program. */
#ifndef ENGRAM_LEARNER_FLY_H
#define ENGRAM_LEARNER_FLY_H

#include "engram/pack.h"
#include "engram/real.h"
#include "engram/status.h"
#include "engram/weights.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eg_flymodel_shape {
    size_t inputs, units, classes;
    size_t ones;         /**< inputs of a unit, at most `inputs` */
    double active, rate; /**< active in (0, 1) */
} eg_flymodel_shape;

typedef struct eg_flymodel {
    eg_flymodel_shape shape;
    uint32_t *start; /**< [inputs + 1] */
    uint32_t
        *unit; /**< [units * ones]: input i is connected to unit[start[i]] … unit[start[i+1]-1] */
    eg_real *weight;  /**< [classes, units] */
    uint8_t *seen;    /**< [classes] 1 once the class was learned */
    size_t count;     /**< active units of the code made last: */
    uint32_t *winner; /**< [units] their numbers, ascending */
    eg_real *value;   /**< [units] and their y */
    eg_real *sum;     /**< [units] scratch */
} eg_flymodel;

/** Draws the inputs of each unit, keyed by (seed, EG_PURPOSE_LEARNER, unit). */
eg_status eg_flymodel_create(eg_flymodel **out, const eg_flymodel_shape *shape,
                             uint64_t seed) EG_WARN_UNUSED;
void eg_flymodel_free(eg_flymodel *fly);

/** Makes the code of x [inputs]. */
void eg_flymodel_code(eg_flymodel *fly, const eg_real *x);
/** Associates the code with class `label`. */
void eg_flymodel_associate(eg_flymodel *fly, size_t label);
/** Scores [classes] of the code; -infinity for classes that were not seen. */
void eg_flymodel_score(const eg_flymodel *fly, eg_real *scores);

/** Weights and seen classes, for checkpoints. */
void eg_flymodel_write(const eg_flymodel *fly, eg_writer *writer);
eg_status eg_flymodel_read(eg_flymodel *fly, eg_reader *reader) EG_WARN_UNUSED;

/** The group `flymodel`: `inputs` [units, ones], the inputs of each unit, ascending;
 * `association.weight` [classes, units]; `seen` [classes]. The expansion is drawn, not learned:
 * weights with another one are refused. */
eg_status eg_flymodel_weights(eg_flymodel *fly, eg_weights_pass *pass) EG_WARN_UNUSED;

#endif
