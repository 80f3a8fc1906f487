/** Activations: functions of ONE example's n pre-activations (so a unit may depend on the others).
 *  A unit is a pre-activation. It has one output; with `parts` k it has k, one array of n after the
 *  other: those of unit i are y[i], y[n + i], …, y[(k-1)n + i]. */
#ifndef ENGRAM_ACTIVATION_H
#define ENGRAM_ACTIVATION_H

#include "engram/params.h"
#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { EG_ACTIVATION_PARAMS_MAX = 8, EG_ACTIVATION_AUX_MAX = 4 };

/** Arrays never overlap; y and dy have parts*n numbers. p: the component's parameters in the order
 * of its table. aux: a few numbers forward leaves for backward (mean, deviation, k-th value). */
typedef struct eg_activation {
    eg_component component;
    size_t aux_count; /**< numbers per example that forward leaves in aux; at most
                         EG_ACTIVATION_AUX_MAX */
    size_t parts;     /**< outputs of a unit; 0: one */
    /** Required. y[n] from x[n]; where x is NaN, so is y: a diverged network must not look like one
     * whose units are off. */
    void (*forward)(const double *p, size_t n, const eg_real *x, eg_real *y, eg_real *aux);
    /** Required. dx[n] from the gradient dy[n] of the output; x pre-activation, y output. */
    void (*backward)(const double *p, size_t n, const eg_real *x, const eg_real *y,
                     const eg_real *aux, const eg_real *dy, eg_real *dx);
    /** Outputs lie between them, and come near for far inputs; equal: outputs are not bounded. */
    double low, high;
    /** Optional: the gain of a layer that this activation follows, for initial distributions that
     * keep the variance (engram/initial.h). 1 without it. */
    double (*gain)(const double *p);
    /** Where y is 0, backward multiplies its dy by 0: a unit that is off learns nothing. */
    bool flat_at_zero;
    /** The output of a unit depends on other pre-activations, too. */
    bool mixes_units;
    /** Backward does not read x, which then need not be kept. */
    bool spares_input;
    /** Optional. EG_INVALID if these parameters do not fit a layer of n units. */
    eg_status (*check)(const double *p, size_t n);
} eg_activation;

extern const eg_family eg_activation_family;

static inline size_t eg_activation_parts(const eg_activation *activation)
{
    return activation->parts > 0 ? activation->parts : 1;
}

static inline double eg_activation_gain(const eg_activation *activation, const double *p)
{
    return activation->gain != NULL ? activation->gain(p) : 1.0;
}

#endif
