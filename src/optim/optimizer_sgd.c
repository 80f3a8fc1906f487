/** Stochastic gradient descent. */
#include "engram/optimizer.h"

#include "math/clones.h"
#include "math/elementary.h"

EG_CLONES static void update(const eg_update *u)
{
    eg_real *restrict w = u->w;
    const eg_real *restrict g = u->g;
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    for (size_t i = 0; i < u->n; i++) {
        w[i] += eg_clip(-lr * g[i], -clip, clip);
    }
}

const eg_optimizer_kind eg_optimizer_sgd = {
    .component = {.name = "sgd", .doc = "u = -lr g"},
    .update = update,
};
