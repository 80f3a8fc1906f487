/** A quadratic penalty on parameters w: k/2 sum_p o[p] (w[p] - c[p])^2, whose gradient is
 *  k o[p] (w[p] - c[p]). Always computed in this order, so wherever it is added the bits are the
 *  same. */
#ifndef ENGRAM_PENALTY_H
#define ENGRAM_PENALTY_H

#include "engram/real.h"
#include "engram/ufloat16.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    EG_PENALTY_GROUP =
        64 /**< neighbouring parameters whose importances are known to be zero together, or not */
};

typedef struct eg_penalty {
    eg_real strength;              /**< k */
    const eg_ufloat16 *importance; /**< o; NULL: 1 everywhere */
    const eg_real *anchor;         /**< c */
    /** Per group of parameters, whether all its importances o are 0, as they are for inputs that
     *  are constant: anchor and importance of such a group are not read. NULL: not known. */
    const bool *zero;
} eg_penalty;

/** The same for the parameters from `first` on; without the flags `zero`. */
static inline eg_penalty eg_penalty_at(const eg_penalty *penalty, size_t first)
{
    return (eg_penalty){.strength = penalty->strength,
                        .importance =
                            penalty->importance != NULL ? penalty->importance + first : NULL,
                        .anchor = penalty->anchor + first};
}

/** g [n] += the gradient of parameters first … first+n-1, which are w [n] now. Returns the sum of
 * the squares of the new g. */
double eg_penalty_add(const eg_penalty *penalty, size_t first, size_t n, const eg_real *w,
                      eg_real *g);
/** Of the parameters first … first+n-1 (n > 0) how many from `first` on are alike in having zero
 * importance or not; *zero says which. */
size_t eg_penalty_run(const eg_penalty *penalty, size_t first, size_t n, bool *zero);
/** Prefetches anchor and importance of parameters first … first+n-1. */
void eg_penalty_prefetch(const eg_penalty *penalty, size_t first, size_t n);

#endif
