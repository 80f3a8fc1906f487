/** Unsigned 16-bit floating-point numbers: importances of parameters as training reads them. The
 *  cost of a penalty is memory traffic, which they halve. In double (gradient checks) it is a
 *  double.
 *
 *  A float without its sign and the last 15 bits of its fraction: 8 bits of exponent, 8 of
 *  fraction. Rounding changes a value by 1/512 of it at most, less than the error of an estimate
 *  from examples. */
#ifndef ENGRAM_UFLOAT16_H
#define ENGRAM_UFLOAT16_H

#include "engram/real.h"

#ifdef EG_REAL_DOUBLE

typedef double eg_ufloat16;

static inline eg_ufloat16 eg_ufloat16_from(eg_real x)
{
    return x;
}

static inline eg_real eg_ufloat16_value(eg_ufloat16 stored)
{
    return stored;
}

#else

#include <stdint.h>
#include <string.h>

typedef uint16_t eg_ufloat16;

enum { EG_UFLOAT16_CUT = 15, EG_UFLOAT16_INFINITE = 0xff00, EG_UFLOAT16_NAN = 0xff80 };

/** The nearest number to x >= 0 or NaN; a finite x stays finite. */
static inline eg_ufloat16 eg_ufloat16_from(eg_real x)
{
    uint32_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    uint32_t half = (uint32_t)1 << (EG_UFLOAT16_CUT - 1);
    uint32_t infinite = (uint32_t)EG_UFLOAT16_INFINITE << EG_UFLOAT16_CUT;
    if (bits >= infinite) {
        return bits == infinite ? EG_UFLOAT16_INFINITE : EG_UFLOAT16_NAN;
    }
    uint32_t rounded = (bits + half) >> EG_UFLOAT16_CUT;
    return (eg_ufloat16)(rounded < EG_UFLOAT16_INFINITE ? rounded : EG_UFLOAT16_INFINITE - 1);
}

static inline eg_real eg_ufloat16_value(eg_ufloat16 stored)
{
    uint32_t bits = (uint32_t)stored << EG_UFLOAT16_CUT;
    eg_real x = 0;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif

#endif
