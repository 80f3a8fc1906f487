/** Shrinking the parameters of a network and adding noise to them.
 *
 *      w <- (1 - shrink) w + noise
 *
 *      noise         is added
 *      gaussian      sigma N(0, 1)
 *      step_scaled   -lr sigma N(0, 1), lr the rate of the last update
 *      init          sigma (a fresh draw of all initial values)
 *      first         shrink (the initial values of this network)
 *      he            sigma U(-a, a), a = sqrt(6/fan_in); weights only, also of what shrinks
 *
 *  Padding stays 0. Randomness is keyed by the network's seed, a number that tells the times apart,
 *  and the place of a parameter, whatever is left out. */
#ifndef ENGRAM_LEARNER_PERTURBATION_H
#define ENGRAM_LEARNER_PERTURBATION_H

#include "learner/around.h"

/** The orders are those of the names. */
typedef enum eg_noise_kind {
    EG_NOISE_GAUSSIAN,
    EG_NOISE_STEP_SCALED,
    EG_NOISE_INIT,
    EG_NOISE_FIRST,
    EG_NOISE_HE
} eg_noise_kind;
/** What happens to the last layer with parameters. */
typedef enum eg_head_rule {
    EG_HEAD_SAME,   /**< the same */
    EG_HEAD_KEPT,   /**< nothing */
    EG_HEAD_INITIAL /**< it becomes what it was at the start */
} eg_head_rule;

extern const char *const eg_noise_names[];
extern const char *const eg_head_names[];

typedef struct eg_perturbation_rule {
    eg_noise_kind noise;
    eg_head_rule head;
    double sigma, shrink;
    bool spares[EG_ROLE_COUNT]; /**< left out */
} eg_perturbation_rule;

/** For one network. */
typedef struct eg_perturbation {
    eg_perturbation_rule rule;
    eg_learner_network at; /**< borrowed */
    eg_real *initial;      /* [param_count] or NULL */
    eg_real *noise; /* [param_count] normal numbers, where some blocks are left out; or NULL */
    eg_real *drawn; /* [the largest block] */
    size_t *gap;    /* [2 * gap_count] first and count of what is padding */
    size_t gap_count, gap_capacity;
} eg_perturbation;

/** The initial values are those of the network now. On failure the caller still calls clear. */
eg_status eg_perturbation_init(eg_perturbation *perturbation, const eg_learner_network *at,
                               const eg_perturbation_rule *rule) EG_WARN_UNUSED;
void eg_perturbation_clear(eg_perturbation *perturbation);
/** The values of the network now are the initial ones: after weights were loaded into a new
 *  learner. */
void eg_perturbation_keep_initial(eg_perturbation *perturbation);
/** Shrinks and perturbs; tells the network. `time`: of this one, another one every time. */
void eg_perturbation_apply(eg_perturbation *perturbation, uint64_t time);

void eg_perturbation_write(const eg_perturbation *perturbation, eg_writer *writer);
eg_status eg_perturbation_read(eg_perturbation *perturbation, eg_reader *reader) EG_WARN_UNUSED;

#endif
