/** Growth of the convolutions of a VGG (nn/shared/vgg.h): which filters are split and which new
 *  ones stay, by their scores, and the network that is made of them.
 *
 *  Source: Wu et al. 2020, "Firefly neural architecture descent", arXiv 2102.08574, growing in
 *  width, and its program; the budget: Caccia et al. 2022, arXiv 2106.09563, and its program. */
#ifndef ENGRAM_LEARNER_GROWTH_H
#define ENGRAM_LEARNER_GROWTH_H

#include "engram/net.h"
#include "engram/settings.h"

/** r = (g k + 1) / (g (k - 1) + 1) - 1 of stage k >= 1: growing at every stage, widths are those of
 *  the start times 1 + g k. */
double eg_growth_ratio(double g, size_t stage);
/** floor(r n) of n filters in all convolutions together. */
size_t eg_growth_budget(double g, size_t stage, size_t filters);

/** Scores of all that could be added, and what is. Of convolution l, number first[l] + i is the
 *  split of filter i, and number first[l] + widths[l] + m new filter m. */
typedef struct eg_growth {
    size_t convolutions, candidates;
    const size_t *widths; /**< [convolutions] borrowed */
    size_t *first;        /**< [convolutions + 1] the last: how many numbers there are */
    double *score;        /**< negative: the loss becomes less */
    bool *chosen;
} eg_growth;

/** All scores 0, nothing chosen. On failure the caller still clears it. */
eg_status eg_growth_init(eg_growth *out, size_t convolutions, const size_t *widths,
                         size_t candidates) EG_WARN_UNUSED;
void eg_growth_clear(eg_growth *growth);

/** Chooses all with a score not above that of rank `rank`, from 0, in ascending order: so one more
 *  than `rank`, and further ones with the same score. What has a score of NaN is not
 *  chosen. */
eg_status eg_growth_select(eg_growth *growth, size_t rank) EG_WARN_UNUSED;

/** Filters of every convolution with what is chosen, widths [convolutions]. */
void eg_growth_widths(const eg_growth *growth, size_t *widths);

/** Fills `to`, a network of those widths, from the one there was and the one with its candidates
 *  (eg_vgg_candidates). Filters of a convolution are those there were, then the second halves of
 *  those that were split, then new ones, each in their order:
 *
 *      filter i, split   W + v, and W - v; both with its normalisation
 *      new filter m      u, from new filters q; normalisation that changes nothing
 *      their readers     weights of filter i halved, both halves alike; q for new filter m
 *
 *  `joins`: the head reads new filters by q, too; else by 0. What is not chosen is not there. */
eg_status eg_growth_realise(const eg_growth *growth, const eg_view *view, const eg_net *from,
                            const eg_net *candidates, bool joins, eg_net *to) EG_WARN_UNUSED;

#endif
