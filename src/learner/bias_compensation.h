/** Keeping the mean input of those who use a hidden unit, when it goes silent:
 *
 *      b_j += sum over the weights w of unit j that multiply unit i of w * (running mean of h_i)
 *
 *  for every unit j of the layer that reads it. Whatever the layers are: which bias goes with which
 *  weight is asked of them once. Source: Dohare et al. 2021, arXiv 2108.06325; a line of the
 *  program shibhansh/loss-of-plasticity means it, but comes after the running mean was set to 0. */
#ifndef ENGRAM_LEARNER_BIAS_COMPENSATION_H
#define ENGRAM_LEARNER_BIAS_COMPENSATION_H

#include "engram/net.h"

typedef struct eg_compensation {
    eg_net *net;  /**< borrowed */
    size_t *bias; /**< [param_count] where the bias stands of the unit that a weight makes; owned */
} eg_compensation;

/** EG_INVALID if a layer that reads hidden units has no biases. On failure the caller still calls
 *  clear. */
eg_status eg_compensation_init(eg_compensation *compensation, eg_net *net) EG_WARN_UNUSED;
void eg_compensation_clear(eg_compensation *compensation);
/** Before the outgoing weights of a unit become 0. */
void eg_compensation_add(const eg_compensation *compensation, size_t hidden, size_t unit,
                         eg_real mean);

#endif
