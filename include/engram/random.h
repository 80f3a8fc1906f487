/** Keyed randomness: the same (seed, purpose, index) gives the same numbers on any rank, in any
 * order.
 *
 *  Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox4x32-10, by the
 *  Random123 library). A generator is a counter and a key, so it costs nothing to make one for
 *  every use; there is no global generator. */
#ifndef ENGRAM_RANDOM_H
#define ENGRAM_RANDOM_H

#include "engram/real.h"

#include <stddef.h>
#include <stdint.h>

/** What random numbers are for. Values are part of the results' identity: never renumber. */
typedef enum eg_purpose {
    EG_PURPOSE_INIT = 1,        /**< initial weights; index = parameter block */
    EG_PURPOSE_ORDER = 2,       /**< order of the examples; index = phase and epoch */
    EG_PURPOSE_CLASSES = 3,     /**< order of the classes */
    EG_PURPOSE_PERMUTATION = 4, /**< pixel permutations; index = task */
    EG_PURPOSE_DROPOUT = 5,
    EG_PURPOSE_PERTURB = 6,
    EG_PURPOSE_HOLDOUT = 7,   /**< which training examples are held out for validation */
    EG_PURPOSE_SAMPLE = 8,    /**< random points of a sweep; index = point */
    EG_PURPOSE_SYNTHETIC = 9, /**< made-up data */
    EG_PURPOSE_TEST = 10,
    EG_PURPOSE_AUGMENT = 11,
    EG_PURPOSE_LEARNER = 12,
    EG_PURPOSE_MEMBER = 13,       /**< seeds of further networks of a trial; index = member */
    EG_PURPOSE_TARGET = 14,       /**< the function that a stream of made-up targets has */
    EG_PURPOSE_FLIP = 15,         /**< changes of slow inputs; index = change */
    EG_PURPOSE_INPUT = 16,        /**< made-up inputs; index = example */
    EG_PURPOSE_UNIT_FRESH = 17,   /**< fresh weights of hidden units; index = update and unit */
    EG_PURPOSE_UNIT_COIN = 18,    /**< whether a unit is replaced; index = update and layer */
    EG_PURPOSE_UNIT_RANK = 19,    /**< random utilities of units; index = update and layer */
    EG_PURPOSE_WEIGHT_NOISE = 20, /**< noise on all parameters; index = update and block */
    EG_PURPOSE_UPDATE = 21,       /**< noise in an optimizer's rule; index = update and block */
    EG_PURPOSE_LABELS = 22,       /**< permutations of classes or labels; index = task */
    EG_PURPOSE_REPLACE = 23,      /**< examples with replacement; index = place in the stream */
    EG_PURPOSE_SUBSET = 24,       /**< which training examples a stream uses */
    EG_PURPOSE_ANCHOR = 25, /**< what parameters are pulled towards; index = update and block */
    EG_PURPOSE_LOOK = 26,   /**< which examples of a task measures look at; index = task */
    EG_PURPOSE_OUTPUT = 27, /**< fresh weights of outputs that arrive; index = phase and output */
    EG_PURPOSE_PARTITION = 28, /**< which examples arrive together; index = 0, or 1 + chunk */
    EG_PURPOSE_GATE = 29, /**< what hard gates choose in training; index = minibatch and mixture */
    EG_PURPOSE_GROWTH = 30,    /**< seeds of what growth could add; index = phase */
    EG_PURPOSE_TASKS = 31,     /**< named orders of tasks; index = the order */
    EG_PURPOSE_TASK_MASK = 32, /**< masks and biases of a task; index = task and block */
    EG_PURPOSE_CLUSTER = 33,   /**< where clusters begin; index = tasks so far and block */
    EG_PURPOSE_SOBOL = 34,     /**< which digits of a Sobol sequence are flipped */
    EG_PURPOSE_BLUR = 35,      /**< which examples go to other tasks; index = task */
    EG_PURPOSE_ARRIVAL = 36,   /**< when examples arrive; index = epoch and example */
    EG_PURPOSE_NEXT = 40,      /**< symbols drawn from predictions; index = its place */
} eg_purpose;

typedef struct eg_rng {
    uint32_t counter[4]; /**< counter[0..1] block number, counter[2..3] index */
    uint32_t key[2];     /**< from seed and purpose */
    uint32_t block[4];   /**< the current block's output */
    unsigned used;       /**< words of `block` already given out */
} eg_rng;

/** A generator for one use. Different (seed, purpose, index) give independent sequences. */
eg_rng eg_rng_make(uint64_t seed, eg_purpose purpose, uint64_t index);

/** The generator of another index: the same as made for it, for those who need one for every
 *  example. */
eg_rng eg_rng_at(const eg_rng *made, uint64_t index);

/** The seed of member number `member` of an ensemble: the trial's own for member 0. */
uint64_t eg_member_seed(uint64_t seed, size_t member);

uint32_t eg_rng_u32(eg_rng *rng);
uint64_t eg_rng_u64(eg_rng *rng);

/** Uniform in [0, 1), 53 bits. */
double eg_rng_uniform(eg_rng *rng);

/** Standard normal (Box-Muller on two uniforms; one value per call, nothing is cached). */
double eg_rng_normal(eg_rng *rng);

/** Uniform in 0 … n-1 without bias; n >= 1. */
uint32_t eg_rng_below(eg_rng *rng, uint32_t n);

/** Shuffles index[n] in place (Fisher-Yates from the end). */
void eg_rng_shuffle(eg_rng *rng, size_t n, uint32_t *index);

#endif
