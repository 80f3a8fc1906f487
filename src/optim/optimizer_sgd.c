/** Stochastic gradient descent. */
#include "math/shared/elementary.h"
#include "optim/update.h"

EG_PASS void pass(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        w[i] = at + eg_clip(-lr * g, -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE(pass)

static void reach(const eg_update *u, eg_real *out)
{
    for (size_t i = 0; i < u->n; i++) {
        out[i] = (eg_real)u->lr;
    }
}

const eg_optimizer_kind eg_optimizer_sgd = {
    .component = {.name = "sgd", .doc = "u = -lr g"},
    .update = update,
    .reach = reach,
    .descends = true,
};
