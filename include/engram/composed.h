/** Parameters w that are one part of the weights a task uses, and what holds these where they were:
 *
 *      theta = m s + c + w        shared weights s under a mask m, weights c of a group of tasks
 *      e     = k (theta - theta*)
 *      w     gets the gradient  e + l sign(w)      of k/2 (theta - theta*)^2 + l |w|
 *      s     gets               m e
 *      m     gets               e s
 *
 *  Always computed in this order, so wherever it is done the bits are the same. */
#ifndef ENGRAM_COMPOSED_H
#define ENGRAM_COMPOSED_H

#include "engram/real.h"

#include <stddef.h>

/** Arrays of as many numbers as w has; none overlap. */
typedef struct eg_composed_term {
    eg_real strength;       /**< k */
    eg_real l1;             /**< l */
    const eg_real *mask;    /**< m */
    const eg_real *base;    /**< s */
    const eg_real *group;   /**< c */
    const eg_real *anchor;  /**< theta* */
    eg_real *base_gradient; /**< what s gets is added */
    eg_real *mask_gradient; /**< becomes what m gets */
} eg_composed_term;

/** theta */
static inline eg_real eg_composed_value(eg_real mask, eg_real base, eg_real group, eg_real w)
{
    return mask * base + group + w;
}

static inline eg_real eg_composed_sign(eg_real x)
{
    return (eg_real)(x > 0 ? 1 : 0) - (eg_real)(x < 0 ? 1 : 0);
}

/** The gradient of number i, which is w now; those of s and m go to their arrays. */
__attribute__((always_inline)) static inline eg_real
eg_composed_gradient(const eg_composed_term *term, size_t i, eg_real w)
{
    eg_real theta = eg_composed_value(term->mask[i], term->base[i], term->group[i], w);
    eg_real e = term->strength * (theta - term->anchor[i]);
    term->base_gradient[i] += term->mask[i] * e;
    term->mask_gradient[i] = e * term->base[i];
    return e + term->l1 * eg_composed_sign(w);
}

#endif
