/** Who gets the gradients of a backward: a network gives them piece by piece, while they are in
 *  cache, and an optimizer is what usually takes them (eg_optimizer_begin). */
#ifndef ENGRAM_GRADIENT_CONSUMER_H
#define ENGRAM_GRADIENT_CONSUMER_H

#include "engram/composed.h"
#include "engram/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The gradient of a matrix of parameters at a single example, in factors: that of parameter
 *  first + row[k]*width + l is a[k] d[l], k < count, l < width, each product rounded once. */
typedef struct eg_outer_gradient {
    size_t first;
    size_t count;
    const uint32_t *row; /**< [count] NULL: 0, 1, … */
    const eg_real *a;    /**< [count] */
    size_t width;        /**< a multiple of EG_ROWS_STEP */
    const eg_real *d;    /**< [width] */
} eg_outer_gradient;

typedef struct eg_gradient_consumer {
    /** g [count] belongs to the network's parameters first … first+count-1; it may be changed. */
    void (*consume)(void *user, size_t first, size_t count, eg_real *g);
    void *user;
    /** true: consume changes the parameters at once, and g is scratch. false: it does not, and g is
     * where the network's gradients are stored. */
    bool updates;
    /** Optional, only where `updates`: the same change as by `consume` to the last bit, from the
     * factors of the gradient. */
    void (*consume_outer)(void *user, const eg_outer_gradient *g);
    /** Optional, only where `updates`: the same as `consume` with the gradients of this term, in
     *  one pass. */
    void (*consume_composed)(void *user, size_t first, size_t count, const eg_composed_term *term);
    /** What has gradient 0 stays as it is, so consume_outer need not be told of rows whose a is
     *  0. */
    bool skips_zero;
} eg_gradient_consumer;

#endif
