/** How much a parameter matters, as training reads it: half the bytes of a number, because what a penalty
 *  costs is fetching it. Training in double (gradient checks) keeps all of it.
 *
 *  A float that is never negative, without its sign and the last 15 bits of its fraction: 8 bits of
 *  exponent, 8 of fraction, so within 1/512 of the value, far less than estimating it from examples
 *  is off. */
#ifndef ENGRAM_WEIGHT_H
#define ENGRAM_WEIGHT_H

#include "engram/real.h"

#ifdef EG_REAL_DOUBLE

typedef double eg_weight;

static inline eg_weight eg_weight_of(eg_real x)
{
    return x;
}

static inline eg_real eg_weight_value(eg_weight weight)
{
    return weight;
}

#else

#include <stdint.h>
#include <string.h>

typedef uint16_t eg_weight;

enum { EG_WEIGHT_CUT = 15, EG_WEIGHT_INFINITE = 0xff00, EG_WEIGHT_NAN = 0xff80 };

/** The nearest weight of x >= 0 or NaN; a finite x stays finite. */
static inline eg_weight eg_weight_of(eg_real x)
{
    uint32_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    uint32_t half = (uint32_t)1 << (EG_WEIGHT_CUT - 1);
    uint32_t infinite = (uint32_t)EG_WEIGHT_INFINITE << EG_WEIGHT_CUT;
    if (bits >= infinite) {
        return bits == infinite ? EG_WEIGHT_INFINITE : EG_WEIGHT_NAN;
    }
    uint32_t rounded = (bits + half) >> EG_WEIGHT_CUT;
    return (eg_weight)(rounded < EG_WEIGHT_INFINITE ? rounded : EG_WEIGHT_INFINITE - 1);
}

static inline eg_real eg_weight_value(eg_weight weight)
{
    uint32_t bits = (uint32_t)weight << EG_WEIGHT_CUT;
    eg_real x = 0;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif

#endif
