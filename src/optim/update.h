/** What the passes of all optimizers have in common beside engram/optimizer_rule.h: a pass is
 *  compiled once for every case, so that its loop need not ask. */
#ifndef ENGRAM_OPTIM_UPDATE_H
#define ENGRAM_OPTIM_UPDATE_H

#include "engram/memory.h"
#include "engram/optimizer_rule.h"

#include "math/shared/clones.h"

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
