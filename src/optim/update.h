/** What the passes of all optimizers have in common: what the gradient of a parameter consists of,
 *  what is kept of its change, and that a pass is compiled once for every case, so that its loop
 *  need not ask. */
#ifndef ENGRAM_OPTIM_UPDATE_H
#define ENGRAM_OPTIM_UPDATE_H

#include "engram/memory.h"
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

/* Where gradients are made on the way, arithmetic is too much for a processor to look far enough
 * ahead: so many numbers are computed while those that many further on are fetched. */
enum { EG_COMPOSED_STEP = 128, EG_COMPOSED_AHEAD = 512 };

/** Asks for the numbers that many further on than the next step of x, of which `left` exist. */
EG_PASS void eg_update_fetch(const eg_real *x, size_t left)
{
    const size_t end = EG_COMPOSED_AHEAD + EG_COMPOSED_STEP;
    for (size_t i = EG_COMPOSED_AHEAD; i < end && i < left; i += EG_ALIGNMENT / sizeof *x) {
        __builtin_prefetch(x + i, 0, 2);
    }
}

/** The next EG_COMPOSED_STEP numbers of u, or those that are left. */
EG_PASS eg_update eg_update_step(const eg_update *u, size_t first)
{
    eg_update step = *u;
    const size_t left = u->n - first;
    step.n = left < EG_COMPOSED_STEP ? left : EG_COMPOSED_STEP;
    step.w += first;
    eg_update_fetch(step.w, left);
    for (size_t s = 0; s < EG_OPTIMIZER_SLOTS_MAX; s++) {
        if (step.slot[s] != NULL) {
            step.slot[s] += first;
            eg_update_fetch(step.slot[s], left);
        }
    }
    step.count += step.count != NULL ? first : 0;
    step.composed.mask += first;
    step.composed.base += first;
    step.composed.group += first;
    step.composed.anchor += first;
    eg_update_fetch(step.composed.anchor, left);
    step.composed.base_gradient += first;
    step.composed.mask_gradient += first;
    return step;
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
            for (size_t first = 0; first < local.n; first += EG_COMPOSED_STEP) {                   \
                const eg_update step = eg_update_step(&local, first);                              \
                pass(&step, (eg_update_case){EG_GRADIENT_COMPOSED, false});                        \
            }                                                                                      \
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
