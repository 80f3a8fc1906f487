/** Which experts of Switch layers are copied: sums, over the tokens that chose an expert, of their
 *  losses. */
#ifndef ENGRAM_LEARNER_GROWTH_LOSSES_H
#define ENGRAM_LEARNER_GROWTH_LOSSES_H

#include "learner/gradient_learner.h"

typedef struct eg_growth_losses {
    eg_gradient_learner *learner; /**< borrowed */
    size_t batch, outputs;
    size_t layers, experts;
    double *sum;                 /**< [layers][experts] */
    double loss, rows, examples; /**< of all tokens; how many; of so many examples */
    uint32_t *chosen;            /**< [rows of a minibatch] scratch */
    double *row;                 /**< [rows of a minibatch] scratch */
} eg_growth_losses;

/** For the network that the learner has, which has Switch layers; everything is 0. On failure the
 *  caller still clears it. */
eg_status eg_growth_losses_init(eg_growth_losses *out, eg_gradient_learner *learner,
                                const eg_stream_shape *shape) EG_WARN_UNUSED;
void eg_growth_losses_clear(eg_growth_losses *losses);

/** Adds all held-out examples that are new in the phase, in evaluation mode. The cursor reads a
 *  minibatch together. */
void eg_growth_losses_add(eg_growth_losses *losses, eg_cursor *cursor, size_t phase);

/** The `add` experts with the largest sums [experts] (NaN: larger than any; the first of equals),
 *  the largest first; add <= experts. */
void eg_growth_losses_choose(const double *sum, size_t experts, size_t add, size_t *source);

#endif
