/** RMSprop, epsilon inside the root, without bias correction. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_RHO, P_EPSILON };

EG_PASS void pass(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real *v = u->slot[0];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real rho = (eg_real)u->p[P_RHO];
    eg_real rest = (eg_real)(1.0 - u->p[P_RHO]);
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        v[i] = rho * v[i] + rest * (g * g);
        w[i] = at + eg_clip(-lr * g / eg_sqrt(v[i] + epsilon), -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE(pass)

static const eg_param params[] = {
    [P_RHO] = {.name = "rho",
               .type = EG_TYPE_REAL,
               .default_text = "0.999",
               .min = 0,
               .max = 1,
               .doc = "share of the mean square that is kept"},
    [P_EPSILON] = {.name = "epsilon",
                   .type = EG_TYPE_REAL,
                   .default_text = "1e-8",
                   .min = 0,
                   .max = INFINITY,
                   .above_min = true,
                   .doc = "added inside the root"},
};

const eg_optimizer_kind eg_optimizer_rmsprop = {
    .component = {.name = "rmsprop",
                  .doc = "v <- rho v + (1 - rho) g^2; u = -lr g / sqrt(v + epsilon); v starts as 0",
                  .source = "Tieleman and Hinton 2012; Keskinen 2024, arXiv 2404.17651",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .update = update,
};
