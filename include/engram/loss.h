/** Losses: a number per minibatch and its gradient with respect to the network's output. */
#ifndef ENGRAM_LOSS_H
#define ENGRAM_LOSS_H

#include "engram/params.h"
#include "engram/real.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eg_loss {
    eg_component component;
    bool takes_targets; /**< for regression, too; otherwise labels only */
    /** Mean loss over `rows` (of a batch: eg_batch_rows); dy [rows, n] receives its gradient.
     *  y [rows, n] output of the network; label [rows] for classification, target [rows, n] for
     *  regression (the other is NULL). */
    double (*evaluate)(size_t rows, size_t n, const eg_real *y, const uint32_t *label,
                       const eg_real *target, eg_real *dy);
} eg_loss;

extern const eg_family eg_loss_family;

#endif
