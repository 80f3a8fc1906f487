/** For those who write an optimizer: what the gradient of a parameter consists of, and what is kept
 *  of its change. All of it is inline, so that a plug-in (engram/plugin.h) needs no library.
 *
 *      const eg_update_case is = eg_update_case_of(u);
 *      for (size_t i = 0; i < u->n; i++) {
 *          eg_real g = eg_update_gradient(u, is, i, u->w[i]);
 *          eg_update_move(u, is, i, -(eg_real)u->lr * g);
 *      }                                                                                        */
#ifndef ENGRAM_OPTIMIZER_RULE_H
#define ENGRAM_OPTIMIZER_RULE_H

#include "engram/optimizer.h"

#define EG_PASS __attribute__((always_inline)) static inline

/** What an update is made of; see eg_update_terms. A compiler that knows it leaves the other cases
 *  out of the loop. */
typedef enum eg_penalty_case {
    EG_PENALTY_NONE,
    EG_PENALTY_EVEN,
    EG_PENALTY_WEIGHTED,
    EG_GRADIENT_COMPOSED /* the gradient is made on the way, and there is nothing else */
} eg_penalty_case;
typedef struct eg_update_case {
    eg_penalty_case penalty;
    bool path_integral;
} eg_update_case;

EG_PASS eg_update_case eg_update_case_of(const eg_update *u)
{
    return (eg_update_case){.penalty = u->composed.anchor != NULL      ? EG_GRADIENT_COMPOSED
                                       : u->penalty.anchor == NULL     ? EG_PENALTY_NONE
                                       : u->penalty.importance == NULL ? EG_PENALTY_EVEN
                                                                       : EG_PENALTY_WEIGHTED,
                            .path_integral = u->path_integral != NULL};
}

/** The whole gradient of parameter i, which is w now. */
EG_PASS eg_real eg_update_gradient(const eg_update *u, eg_update_case is, size_t i, eg_real w)
{
    if (is.penalty == EG_GRADIENT_COMPOSED) {
        return eg_composed_gradient(&u->composed, i, w);
    }
    eg_real g = u->scale * u->g[i];
    switch (is.penalty) {
    case EG_PENALTY_EVEN:
        return g + u->penalty.strength * (w - u->penalty.anchor[i]);
    case EG_PENALTY_WEIGHTED:
        return g + u->penalty.strength * eg_ufloat16_value(u->penalty.importance[i]) *
                       (w - u->penalty.anchor[i]);
    case EG_PENALTY_NONE:
    case EG_GRADIENT_COMPOSED:
        break;
    }
    return g;
}

/** After parameter i changed. */
EG_PASS void eg_update_follow(const eg_update *u, eg_update_case is, size_t i, eg_real change)
{
    if (is.path_integral) {
        u->path_integral[i] -= u->loss_g[i] * change;
    }
}

/** w[i] += step, as far as the bound on every element allows; once for every parameter. */
EG_PASS void eg_update_move(const eg_update *u, eg_update_case is, size_t i, eg_real step)
{
    const eg_real clip = (eg_real)u->clip;
    const eg_real at = u->w[i];
    step = step < -clip ? -clip : step > clip ? clip : step; /* a NaN stays one */
    u->w[i] = at + step;
    eg_update_follow(u, is, i, u->w[i] - at);
}

#endif
