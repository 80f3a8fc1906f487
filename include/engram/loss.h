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
    /** Mean loss over the batch; dy [B, n] receives its gradient. y [B, n] output of the network;
     *  label [B] for classification, target [B, n] for regression (the other is NULL). */
    double (*evaluate)(size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                       const eg_real *target, eg_real *dy);
} eg_loss;

extern const eg_family eg_loss_family;

#endif
