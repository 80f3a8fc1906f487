/** What the passes of all optimizers have in common: what the gradient of a parameter consists of,
 *  what is kept of its change, and that a pass is compiled once for every case, so that its loop
 *  need not ask. */
#ifndef ENGRAM_OPTIM_UPDATE_H
#define ENGRAM_OPTIM_UPDATE_H

#include "engram/optimizer.h"

#include "math/shared/clones.h"

/** What an update is made of; see eg_update_terms. Constant wherever it is used. */
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

#define EG_PASS __attribute__((always_inline)) static inline

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

/** Defines update(u) by pass(u, case). */
#define EG_UPDATE(pass) EG_UPDATE_AS(update, pass)

/** The same under another name. The local copy of *u stays in registers. */
#define EG_UPDATE_AS(name, pass)                                                                   \
    EG_CLONES static void name(const eg_update *u)                                                 \
    {                                                                                              \
        const eg_update local = *u;                                                                \
        bool path_integral = u->path_integral != NULL;                                             \
        if (u->composed.anchor != NULL) {                                                          \
            pass(&local, (eg_update_case){EG_GRADIENT_COMPOSED, false});                           \
        } else if (u->penalty.anchor == NULL && path_integral) {                                   \
            pass(&local, (eg_update_case){EG_PENALTY_NONE, true});                                 \
        } else if (u->penalty.anchor == NULL) {                                                    \
            pass(&local, (eg_update_case){EG_PENALTY_NONE, false});                                \
        } else if (u->penalty.importance == NULL && path_integral) {                               \
            pass(&local, (eg_update_case){EG_PENALTY_EVEN, true});                                 \
        } else if (u->penalty.importance == NULL) {                                                \
            pass(&local, (eg_update_case){EG_PENALTY_EVEN, false});                                \
        } else if (path_integral) {                                                                \
            pass(&local, (eg_update_case){EG_PENALTY_WEIGHTED, true});                             \
        } else {                                                                                   \
            pass(&local, (eg_update_case){EG_PENALTY_WEIGHTED, false});                            \
        }                                                                                          \
    }

#endif
