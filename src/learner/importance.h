/** Importances of parameters for a task that was just learned: the mean over training examples of
 * the squared or absolute gradients of a function of the network's outputs. */
#ifndef ENGRAM_LEARNER_IMPORTANCE_H
#define ENGRAM_LEARNER_IMPORTANCE_H

#include "engram/random.h"
#include "learner/regularised.h"

/** What is differentiated. */
typedef struct eg_sensitivity {
    eg_per_example what;
    size_t rounds; /**< backward passes per example, whose squares or values are added up */
    /** dy [batch, n], the gradient of a round for outputs y [batch, n]. If not all outputs take
     *  part in the phase (eg_batch.active), y has those that do, labels are places among them, and
     *  a rule of several rounds has n. */
    void (*error)(const void *user, size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                  size_t round, eg_rng *rng, eg_real *dy);
    const void *user;
} eg_sensitivity;

typedef struct eg_importance {
    eg_sensitivity rule;
    eg_gradient_learner *learner; /**< borrowed */
    uint64_t seed;
    size_t samples;   /**< examples; 0: all of the phase */
    bool trunk_only;  /**< those of the layer that makes the outputs are 0 */
    size_t group;     /**< gradients of so many examples are added before the square or the value */
    bool per_example; /**< the network sums per-example gradients itself */
    eg_cursor *cursor;          /**< its own, in the order of examples of the learner */
    bool (*wanted)(void *user); /**< as in eg_learner_setup */
    void *user;
    eg_real *scratch, *sum, *result;
} eg_importance;

/** For a learner that was opened; `view` has EG_IMPORTANCE_PARAMS. With group > 1, rounds must be
 * 1. On failure the caller still closes it. */
eg_status eg_importance_init(eg_importance *importance, const eg_sensitivity *rule,
                             eg_gradient_learner *learner, const eg_view *view,
                             const eg_learner_setup *setup) EG_WARN_UNUSED;
void eg_importance_clear(eg_importance *importance);

/** *out: the importances [params] from examples of `phase` and the parameters as they are, borrowed
 * until the next call: the first `samples` of its last epoch. Of outputs that are not active in the
 * phase nothing is differentiated. Randomness is keyed by phase. Leaves the network as it was, also
 * when stopped (EG_STOPPED). Errors: EG_INVALID if an example has a label that is not active. */
eg_status eg_importance_measure(eg_importance *importance, size_t phase,
                                const eg_real **out) EG_WARN_UNUSED;

/** Minibatches in a measurement at the end of `phase`; it asks `wanted` before each. */
size_t eg_importance_polls(const eg_importance *importance, size_t phase);

/** About what the measurements of a whole trial take, from settings alone; `rounds` as in the
 *  rule. */
double eg_importance_flops(const eg_view *view, const eg_learner_work *work, size_t rounds);

/** Rows of a parameter table. */
#define EG_IMPORTANCE_PARAMS                                                                       \
    {.name = "samples",                                                                            \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "1000",                                                                       \
     .min = 0,                                                                                     \
     .max = 1e9,                                                                                   \
     .unit = "examples",                                                                           \
     .doc = "training examples of a task its importances are measured on; 0: all"},                \
        {.name = "group",                                                                          \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "1",                                                                      \
         .min = 1,                                                                                 \
         .max = 1e9,                                                                               \
         .unit = "examples",                                                                       \
         .doc = "gradients of so many examples are added before the square or absolute value is "  \
                "taken; 1: each on its own"},                                                      \
        EG_PENALISED

#endif
