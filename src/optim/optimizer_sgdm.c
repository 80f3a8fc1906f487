/** Stochastic gradient descent with (heavy-ball) momentum; the gradient enters undamped. */
#include "engram/optimizer.h"

#include "math/clones.h"
#include "math/elementary.h"

enum { P_BETA };

EG_CLONES static void update(const eg_update *u)
{
    eg_real *restrict w = u->w;
    const eg_real *restrict g = u->g;
    eg_real *restrict m = u->slot[0];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real beta = (eg_real)u->p[P_BETA];
    for (size_t i = 0; i < u->n; i++) {
        m[i] = g[i] + beta * m[i];
        w[i] += eg_clip(-lr * m[i], -clip, clip);
    }
}

static const eg_param params[] = {
    [P_BETA] = {.name = "beta",
                .type = EG_TYPE_REAL,
                .fallback = "0.9",
                .min = 0,
                .max = 1,
                .doc = "share of the momentum that is kept"},
};

const eg_optimizer_kind eg_optimizer_sgdm = {
    .component = {.name = "sgdm",
                  .doc = "m <- g + beta m; u = -lr m",
                  .source = "Polyak 1964; Sutskever et al. 2013",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .update = update,
};
