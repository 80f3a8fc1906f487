/** An optimizer from the inside. */
#ifndef ENGRAM_OPTIM_OBJECT_H
#define ENGRAM_OPTIM_OBJECT_H

#include "engram/optimizer.h"

/** Parameters whose gradient, with what is added to it, stays in the first-level cache. */
enum { EG_OPTIMIZER_BLOCK = 4096 };

/** Parameters first … first+count-1 decay, or do not. */
typedef struct eg_decay_range {
    size_t first, count;
    bool decays;
} eg_decay_range;

struct eg_optimizer {
    /* From the settings. */
    const eg_optimizer_kind *kind;
    const eg_schedule *schedule;
    double p[EG_OPTIMIZER_PARAMS_MAX];
    double schedule_p[EG_OPTIMIZER_PARAMS_MAX];
    double lr, clip;
    double clip_norm; /* INFINITY: none */
    double decay;     /* of weights; 0: none */
    bool decoupled;   /* decay is not part of the gradient */
    bool spares[EG_ROLE_COUNT];
    bool restarts; /* at every phase but the first */
    size_t n;

    /* What it remembers. */
    uint64_t steps; /* updates made */
    uint64_t phase, phase_steps, epoch_steps;
    eg_real *slot[EG_OPTIMIZER_SLOTS_MAX]; /* [n] each, kind->slots of them */
    int32_t *count;                        /* [n] updates of each parameter; or NULL */

    /* The update under way. */
    eg_gradient_consumer consumer;
    eg_real *params, *grads; /* borrowed */
    const eg_update_terms *terms;
    double rate;
    double factor[EG_OPTIMIZER_FACTORS_MAX];
    eg_real scale;  /* of the gradients */
    double squares; /* of the gradient whose norm is bounded, added up so far */

    /* Memory for it. */
    eg_real *mixed; /* [a block] gradient with what is added to it; NULL: nothing will be */
    eg_real *whole; /* [n] the same of all if the norm is bounded and terms are carried */
    eg_real
        *correction; /* [correction_end + 1] by updates of a parameter, where there are counts */
    int32_t correction_end;
    eg_decay_range *ranges; /* [range_count] if weights decay: what they cover ascends */
    size_t range_count;
    eg_profile *profile; /* borrowed; NULL: not measured */
};

#endif
