/** Which expert of each part of a mixture is split: sums over examples of a weight times the
 *  probability of the expert. */
#ifndef ENGRAM_LEARNER_GROWTH_SCORES_H
#define ENGRAM_LEARNER_GROWTH_SCORES_H

#include "engram/mixture.h"

typedef struct eg_growth_scores {
    const eg_mixture *mixture; /**< borrowed */
    size_t count;              /**< experts of all parts, one part after the other */
    double *sum;               /**< [count] */
    eg_real *p;                /**< [batch, experts of a part] scratch */
} eg_growth_scores;

/** For blocks of up to `batch` examples; sums are 0. On failure the caller still clears it. */
eg_status eg_growth_scores_init(eg_growth_scores *out, const eg_mixture *mixture,
                                size_t batch) EG_WARN_UNUSED;
void eg_growth_scores_clear(eg_growth_scores *scores);

/** Adds weight[b] p_j(x_b) of the batch last given to forward; as for eg_mixture_probabilities. */
void eg_growth_scores_add(eg_growth_scores *scores, const eg_net *net,
                          const eg_workspace *workspace, const double *weight);

/** The place in a part of the first of the experts with the largest sum (NaN: larger than any), of
 *  those that are not as deep as can be. */
uint64_t eg_growth_scores_choice(const eg_growth_scores *scores, size_t part);

#endif
