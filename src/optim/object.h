/** An optimizer from the inside. */
#ifndef ENGRAM_OPTIM_OBJECT_H
#define ENGRAM_OPTIM_OBJECT_H

#include "engram/optimizer.h"

/** Parameters whose gradient, with what is added to it, stays in the first-level cache. */
enum { EG_OPTIMIZER_BLOCK = 4096 };

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
    bool spares_head;
    bool restarts; /* at every phase but the first */
    size_t n;
    size_t slots; /* state arrays */
    uint64_t seed;
    eg_gradient_term *attached;     /* borrowed, in the order they came; NULL: none */
    eg_column_magnitudes *followed; /* borrowed; NULL: none */

    /* What it remembers. */
    uint64_t steps; /* updates made */
    uint64_t phase, phase_steps, epoch_steps;
    eg_real *slot[EG_OPTIMIZER_SLOTS_MAX]; /* [n] each, `slots` of them */
    int32_t *count;                        /* [n] updates of each parameter; or NULL */

    /* The update under way. */
    eg_gradient_consumer consumer;
    eg_real *params, *grads; /* borrowed */
    const eg_update_terms *terms;
    const eg_penalty *penalty; /* the one whose gradient is added within the pass; NULL: none */
    bool adds;                 /* there is more to add */
    double rate;
    double factor[EG_OPTIMIZER_FACTORS_MAX];
    eg_real scale;  /* of the gradients */
    double squares; /* of the gradient whose norm is bounded, added up so far */

    /* Memory for it. */
    eg_real *mixed; /* [a block] gradient with what is added to it; NULL: nothing will be */
    eg_real *whole; /* [n] the same of all if it is needed whole and terms are carried */
    /* [correction_end + 1] by updates of a parameter, where there are counts */
    eg_real *correction;
    int32_t correction_end;
    eg_parameter_block *blocks; /* [block_count] if weights decay or the rule goes by blocks */
    size_t block_count;
    eg_real *noise;      /* [largest block]; NULL: the rule draws none */
    eg_profile *profile; /* borrowed; NULL: not measured */
};

/** Whether the parameters of a block decay. */
static inline bool eg_optimizer_decays(const eg_optimizer *optimizer,
                                       const eg_parameter_block *block)
{
    return optimizer->decay > 0.0 && !optimizer->spares[block->role] &&
           !(optimizer->spares_head && block->head);
}

/** What a pass over n parameters from `at` on works on, but for the penalty. */
eg_update eg_optimizer_run(const eg_optimizer *optimizer, size_t at, size_t n, const eg_real *g,
                           const eg_real *loss_g, eg_real scale);

/** The update of a rule that gathers first, from gradients g [n] with all terms, which are used
 *  up. */
void eg_optimizer_gather(eg_optimizer *optimizer, eg_real *g);

#endif
