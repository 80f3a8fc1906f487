/** What the parts of the conformance suite share. Compiled for each real type: everything that
 *  knows eg_real is static. */
#ifndef PLUGIN_CONFORM_TOOLS_H
#define PLUGIN_CONFORM_TOOLS_H

#include "engram/random.h"
#include "plugin/conform.h"
#include "plugin/plugin_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Widths that no vector register divides, one unit alone, and many. */
static const size_t conform_sizes[] = {1, 7, 64};
enum { CONFORM_MOST = 64 };

#ifdef EG_REAL_DOUBLE
static const double conform_step = 2e-5;     /* of finite differences */
static const double conform_noise = 1e-6;    /* in differences of slopes */
static const double conform_gradient = 1e-6; /* tolerance, relative above 1 */
static const double conform_same = 1e-12;    /* of two ways to compute the same */
#else
static const double conform_step = 1.0 / 64;
static const double conform_noise = 2e-3;
static const double conform_gradient = 1e-2;
static const double conform_same = 1e-5;
#endif

static inline void conform_say(eg_conform_place *place, const char *what, size_t n)
{
    (void)snprintf(place->doing, sizeof place->doing, "%s, n = %zu", what, n);
}

static inline void conform_draw(eg_real *out, size_t n, uint64_t index)
{
    eg_rng rng = eg_rng_make(17, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (eg_real)eg_rng_normal(&rng);
    }
}

static inline void conform_fill(eg_real *out, size_t n, eg_real value)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = value;
    }
}

static inline bool conform_close(double found, double expected, double tolerance)
{
    return fabs(found - expected) <= tolerance * fmax(1.0, fabs(expected));
}

static inline bool conform_finite(const eg_real *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

#endif
