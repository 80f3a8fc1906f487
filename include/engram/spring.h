/** A quadratic pull on parameters w: the penalty k/2 sum_p o[p] (w[p] - c[p])^2, whose gradient is
 *  k o[p] (w[p] - c[p]). Always computed in this order, so wherever it is added the bits are the same. */
#ifndef ENGRAM_SPRING_H
#define ENGRAM_SPRING_H

#include "engram/real.h"
#include "engram/weight.h"

#include <stdbool.h>
#include <stddef.h>

enum { EG_SPRING_GROUP = 64 /**< neighbouring parameters that are idle together or not */ };

typedef struct eg_spring {
    eg_real strength;            /**< k */
    const eg_weight *importance; /**< o; NULL: 1 everywhere */
    const eg_real *centre;       /**< c */
    /** Per group, whether all its o are 0, as they are for pixels that are never inked: what is known of
     *  such a group need not even be fetched. NULL: not known. */
    const bool *idle;
} eg_spring;

/** The same for the parameters from `first` on; which of them are idle is not known of it. */
static inline eg_spring eg_spring_at(const eg_spring *spring, size_t first)
{
    return (eg_spring){.strength = spring->strength,
                       .importance = spring->importance != NULL ? spring->importance + first : NULL,
                       .centre = spring->centre + first};
}

/** g [n] += the gradient of parameters first … first+n-1, which are w [n] now. Returns the sum of the
 * squares of what g is then, which costs little on the way. */
double eg_spring_add(const eg_spring *spring, size_t first, size_t n, const eg_real *w, eg_real *g);
/** Of the parameters first … first+n-1 (n > 0) those from `first` on that are idle, or are not, as the
 * first one is; *idle says which. */
size_t eg_spring_run(const eg_spring *spring, size_t first, size_t n, bool *idle);
/** Asks for what is remembered of parameters first … first+n-1, which will soon be needed. */
void eg_spring_fetch(const eg_spring *spring, size_t first, size_t n);

#endif
