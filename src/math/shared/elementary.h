/** Elementary functions the compiler can vectorise: no calls, no branches, the same bits
 * everywhere.
 *
 *  Every one of them keeps a NaN a NaN, because a diverged training must be seen: comparisons are
 * written so that a NaN fails them and falls through to the unchanged argument. */
#ifndef ENGRAM_MATH_ELEMENTARY_H
#define ENGRAM_MATH_ELEMENTARY_H

#include "engram/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/** x limited to [low, high]. */
static inline eg_real eg_clip(eg_real x, eg_real low, eg_real high)
{
    eg_real y = x < low ? low : x;
    return y > high ? high : y;
}

/** |x| */
static inline eg_real eg_abs(eg_real x)
{
    return x < 0 ? -x : x;
}

/** |x| by clearing the sign: a call that every compiler replaces by one instruction. */
static inline eg_real eg_magnitude(eg_real x)
{
#ifdef EG_REAL_DOUBLE
    return fabs(x);
#else
    return fabsf(x);
#endif
}

/** HS(u) = clip(u + 3, 0, 6) / 6. */
static inline eg_real eg_hard_sigmoid(eg_real u)
{
    return eg_clip(u + 3, 0, 6) * ((eg_real)1 / 6);
}

/** Derivative of HS: 1/6 between the clips, 0 where they saturate. */
static inline eg_real eg_hard_sigmoid_slope(eg_real u)
{
    return u > -3 && u < 3 ? (eg_real)1 / 6 : 0;
}

#ifdef EG_REAL_DOUBLE

static inline eg_real eg_sqrt(eg_real x)
{
    return sqrt(x);
}

static inline eg_real eg_exp(eg_real x)
{
    return exp(x);
}

static inline eg_real eg_tanh(eg_real x)
{
    return tanh(x);
}

#else

static inline eg_real eg_sqrt(eg_real x)
{
    return sqrtf(x);
}

/** e^x within 2 units in the last place; 0 below -87.3 (no denormals), infinity above 88.3.
 *  A call of expf cannot be vectorised without -ffast-math, this can. Source: Cephes expf
 * (Moshier): e^x = 2^k e^r with k = round(x / ln 2), ln 2 in two parts, a polynomial of degree 5
 * for e^r. */
static inline eg_real eg_exp(eg_real x)
{
    const float low = -87.33654F;
    const float high = 88.37626F;
    float inside = eg_clip(x, low, high);
    /* Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the sum. */
    float shifted = inside * 1.44269504F + 12582912.0F;
    float k = shifted - 12582912.0F;
    float r = inside - k * 0.693359375F;
    r = r + k * 2.12194440e-4F;
    float poly = 1.9875691500e-4F;
    poly = poly * r + 1.3981999507e-3F;
    poly = poly * r + 8.3334519073e-3F;
    poly = poly * r + 4.1665795894e-2F;
    poly = poly * r + 1.6666665459e-1F;
    poly = poly * r + 5.0000001201e-1F;
    poly = poly * r * r + r + 1.0F;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127U) << 23U; /* the exponent field of 2^k */
    float power;
    memcpy(&power, &bits, sizeof power);
    float y = poly * power;
    y = x < low ? 0.0F : y;
    return x > high ? INFINITY : y;
}

/** tanh x within 4 units in the last place: a polynomial near 0, where 1 - 2/(e^2x + 1) would
 *  cancel. Source: Cephes tanhf (Moshier). */
static inline eg_real eg_tanh(eg_real x)
{
    float a = eg_abs(x);
    float z = x * x;
    float poly = -5.70498872745e-3F;
    poly = poly * z + 2.06390887954e-2F;
    poly = poly * z - 5.37397155531e-2F;
    poly = poly * z + 1.33314422036e-1F;
    poly = poly * z - 3.33332819422e-1F;
    poly = poly * z * x + x;
    float far = 1.0F - 2.0F / (eg_exp(2.0F * a) + 1.0F);
    far = x < 0 ? -far : far;
    return a < 0.625F ? poly : far;
}

#endif

/** The logistic function S(x) = 1 / (1 + e^-x). */
static inline eg_real eg_sigmoid(eg_real x)
{
    return 1 / (1 + eg_exp(-x));
}

#endif
