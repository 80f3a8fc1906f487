/** A quadratic pull on parameters w: the penalty k/2 sum_p o[p] (w[p] - c[p])^2, whose gradient is
 *  k o[p] (w[p] - c[p]). Always computed in this order, so wherever it is added the bits are the same. */
#ifndef ENGRAM_SPRING_H
#define ENGRAM_SPRING_H

#include "engram/real.h"

#include <stddef.h>

typedef struct eg_spring {
    eg_real strength;          /**< k */
    const eg_real *importance; /**< o; NULL: 1 everywhere */
    const eg_real *centre;     /**< c */
} eg_spring;

/** The same for the parameters from `first` on. */
static inline eg_spring eg_spring_at(const eg_spring *spring, size_t first)
{
    return (eg_spring){.strength = spring->strength,
                       .importance = spring->importance != NULL ? spring->importance + first : NULL,
                       .centre = spring->centre + first};
}

/** out = g + the gradient, all [n] and not overlapping. */
void eg_spring_into(const eg_spring *spring, size_t n, const eg_real *w, const eg_real *g,
                    eg_real *out);
/** g += the gradient; w, g [n]. */
void eg_spring_add(const eg_spring *spring, size_t n, const eg_real *w, eg_real *g);
/** Asks for what is remembered of parameters first … first+n-1, which will soon be needed. */
void eg_spring_fetch(const eg_spring *spring, size_t first, size_t n);

#endif
