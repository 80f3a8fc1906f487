/** Utilities of hidden units: how much the network would miss each of them.
 *
 *  After every update, for unit i of a hidden layer, with h its activations in the forward before
 *  the update, w the weights after it, and t the updates since it was made (1, 2, …):
 *
 *      f_i    = running mean of mean h_i            always bias-corrected
 *      u_i    = running mean of inst_i              bias-corrected or not
 *      in_i   = mean |incoming weights|, out_i = mean |outgoing weights|
 *
 *      kind                     inst_i                           mean: over examples and positions
 *      contribution             out_i mean |h_i|
 *      zero_contribution        out_i mean |h_i - f_i|
 *      adaptable_contribution   out_i mean |h_i - f_i| / in_i
 *      adaptation               1 / in_i
 *      weight                   out_i
 *      feature_by_input         mean |h_i - f_i| / in_i
 *      random                   uniform in [0, 1) whenever it is asked for
 *
 *  A unit of a convolution is a channel, seen after pooling. Where its P positions are flattened,
 *  weights of their own use each of them, and with out_ip the mean of those
 *
 *      out_i mean |h_i - f_i|   becomes   the mean over p of out_ip mean |h_ip - f_i|,
 *
 *  means over examples alone. The released program has the first four kinds and random for
 *  convolutions; weight and feature_by_input are what the table says.
 *
 *  With statistic ema or cumulative no running mean of utilities is kept but one of activations,
 *  and utilities are worked out when units are chosen, from the weights of then, for contribution
 *  and weight alone:
 *
 *      ema          s_i = eta s_i + (1 - eta) mean |h_i|   utility out_i s_i; out_i
 *      cumulative   s_i = s_i + (1 - eta) mean |h_i|       the same; s_i stays when i is made anew
 *
 *  A bias-corrected running mean is s/(1 - eta^t) with s = eta s + (1 - eta) x from s = 0. Here the
 *  mean itself is kept, s += (x - s)(1 - eta)/(1 - eta^t), which is the same number: at t = 1 it is
 *  x to the last bit.
 *
 *  Sources: Dohare et al. 2024, doi 10.1038/s41586-024-07711-7, equation 1 (contribution, not
 *  bias-corrected); the other kinds, and that f includes h already: program
 *  shibhansh/loss-of-plasticity. */
#ifndef ENGRAM_LEARNER_UTILITY_H
#define ENGRAM_LEARNER_UTILITY_H

#include "engram/learner.h"
#include "nn/shared/unit_magnitudes.h"

/** The order is that of the names. */
typedef enum eg_utility_kind {
    EG_UTILITY_CONTRIBUTION,
    EG_UTILITY_ZERO_CONTRIBUTION,
    EG_UTILITY_ADAPTABLE_CONTRIBUTION,
    EG_UTILITY_ADAPTATION,
    EG_UTILITY_WEIGHT,
    EG_UTILITY_FEATURE_BY_INPUT,
    EG_UTILITY_RANDOM,
} eg_utility_kind;

extern const char *const eg_utility_names[];

/** What is followed from update to update; the order is that of the names. */
typedef enum eg_utility_statistic {
    EG_UTILITY_STATISTIC_UTILITY,
    EG_UTILITY_STATISTIC_EMA,
    EG_UTILITY_STATISTIC_CUMULATIVE,
} eg_utility_statistic;

extern const char *const eg_utility_statistic_names[];

typedef struct eg_utility_rule {
    eg_utility_kind kind;
    eg_utility_statistic statistic; /**< not utility: for contribution and weight alone */
    double decay;                   /**< eta, at most EG_UTILITY_DECAY_MAX */
    bool bias_corrected; /**< u and the s of ema; f always is, the s of cumulative never */
    uint32_t maturity;   /**< updates after which a unit can be chosen */
} eg_utility_rule;

#define EG_UTILITY_DECAY_MAX 0.99999 /* how long a table of 1 - eta^t is */

/** For one network. Units of all hidden layers are numbered one layer after the other. */
typedef struct eg_utility {
    eg_utility_rule rule;
    eg_learner_network at; /**< borrowed; with the workspace of its training */
    eg_unit_magnitudes magnitudes;
    size_t *first;  /**< [hidden_count + 1] number of a layer's first unit; owned */
    int32_t *age;   /**< [units] updates since it was made, as far as it matters; owned */
    eg_real *u, *f; /**< [units] u is s with ema and cumulative; owned */
    bool when_due;  /* utilities are worked out when units are chosen */
    bool taken;     /* the weights were read in this update */
    eg_real *rate;  /* [rate_end + 1] (1 - eta)/(1 - eta^t) */
    int32_t rate_end, age_end;
    eg_real *mean, *spread, *pace; /* [units of the widest layer] of this update */
    eg_real *due;                  /* [the same] utilities of the layer ranked last */
    eg_real *sums;                 /* [2 * the same] scratch */
} eg_utility;

/** EG_INVALID without a workspace. On failure the caller still calls clear. */
eg_status eg_utility_init(eg_utility *utility, const eg_learner_network *at,
                          const eg_utility_rule *rule) EG_WARN_UNUSED;
void eg_utility_clear(eg_utility *utility);

/** What it needs of large layers' weights is kept up by the updates of the network's optimizer from
 *  now on. */
eg_status eg_utility_follow(eg_utility *utility) EG_WARN_UNUSED;
/** Before the layers of an update: reads the weights. */
void eg_utility_begin(eg_utility *utility);
/** One update more for all units of a layer. Returns how many are older than the maturity. */
size_t eg_utility_observe(eg_utility *utility, size_t hidden);
/** Before units of a layer are chosen: draws the utilities of the random kind, works out those that
 *  are wanted only now. */
void eg_utility_rank(eg_utility *utility, size_t hidden, uint64_t update);
/** The mature unit of a layer with the smallest utility, the first of several, by its place in the
 *  layer; SIZE_MAX: none is mature. */
size_t eg_utility_least(const eg_utility *utility, size_t hidden);
/** Running mean of a unit's activation. */
eg_real eg_utility_activation(const eg_utility *utility, size_t hidden, size_t unit);
/** A unit is made anew. */
void eg_utility_restart(eg_utility *utility, size_t hidden, size_t unit);
/** All are, with the network. */
void eg_utility_reset(eg_utility *utility);

/** Operations of eg_utility_begin, of all layers' eg_utility_observe and of reading weights, for
 *  `batch` examples in the update under way. */
double eg_utility_flops(const eg_utility *utility, size_t batch);

void eg_utility_write(const eg_utility *utility, eg_writer *writer);
/** After the network has been read. */
eg_status eg_utility_read(eg_utility *utility, eg_reader *reader) EG_WARN_UNUSED;

#endif
