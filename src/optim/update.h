/** What the passes of all optimizers have in common: what the gradient of a parameter consists of, what is
 *  kept of its change, and that a pass is compiled once for every case, so that its loop need not ask. */
#ifndef ENGRAM_OPTIM_UPDATE_H
#define ENGRAM_OPTIM_UPDATE_H

#include "engram/optimizer.h"

#include "math/clones.h"

/** What an update is made of; see eg_along. Constant wherever it is used. */
typedef enum eg_spring_case { EG_SPRING_NONE, EG_SPRING_EVEN, EG_SPRING_WEIGHTED } eg_spring_case;
typedef struct eg_update_case {
    eg_spring_case spring;
    bool path;
} eg_update_case;

#define EG_PASS __attribute__((always_inline)) static inline

/** The whole gradient of parameter i, which is w now. */
EG_PASS eg_real eg_update_gradient(const eg_update *u, eg_update_case is, size_t i, eg_real w)
{
    eg_real g = u->scale * u->g[i];
    switch (is.spring) {
    case EG_SPRING_EVEN:
        return g + u->spring.strength * (w - u->spring.centre[i]);
    case EG_SPRING_WEIGHTED:
        return g + u->spring.strength * eg_weight_value(u->spring.importance[i]) *
                       (w - u->spring.centre[i]);
    case EG_SPRING_NONE:
        break;
    }
    return g;
}

/** After parameter i changed. */
EG_PASS void eg_update_follow(const eg_update *u, eg_update_case is, size_t i, eg_real change)
{
    if (is.path) {
        u->path[i] -= u->loss_g[i] * change;
    }
}

/** Defines update(u) by pass(u, case). The local copy of *u stays in registers. */
#define EG_UPDATE(pass)                                                                            \
    EG_CLONES static void update(const eg_update *u)                                               \
    {                                                                                              \
        const eg_update local = *u;                                                                \
        bool path = u->path != NULL;                                                               \
        if (u->spring.centre == NULL && path) {                                                    \
            pass(&local, (eg_update_case){EG_SPRING_NONE, true});                                  \
        } else if (u->spring.centre == NULL) {                                                     \
            pass(&local, (eg_update_case){EG_SPRING_NONE, false});                                 \
        } else if (u->spring.importance == NULL && path) {                                         \
            pass(&local, (eg_update_case){EG_SPRING_EVEN, true});                                  \
        } else if (u->spring.importance == NULL) {                                                 \
            pass(&local, (eg_update_case){EG_SPRING_EVEN, false});                                 \
        } else if (path) {                                                                         \
            pass(&local, (eg_update_case){EG_SPRING_WEIGHTED, true});                              \
        } else {                                                                                   \
            pass(&local, (eg_update_case){EG_SPRING_WEIGHTED, false});                             \
        }                                                                                          \
    }

#endif
