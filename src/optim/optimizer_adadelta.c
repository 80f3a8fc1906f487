/** Adadelta: steps in the units of the parameters, epsilon inside both roots. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_RHO, P_EPSILON };

EG_PASS void pass(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real *s = u->slot[0];
    eg_real *a = u->slot[1];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real rho = (eg_real)u->p[P_RHO];
    eg_real rest = (eg_real)(1.0 - u->p[P_RHO]);
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        s[i] = rho * s[i] + rest * (g * g);
        eg_real d = g * eg_sqrt(a[i] + epsilon) / eg_sqrt(s[i] + epsilon);
        a[i] = rho * a[i] + rest * (d * d);
        w[i] = at + eg_clip(-lr * d, -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE(pass)

static const eg_param params[] = {
    [P_RHO] = {.name = "rho",
               .type = EG_TYPE_REAL,
               .default_text = "0.9",
               .min = 0,
               .max = 1,
               .doc = "share of both mean squares that is kept"},
    [P_EPSILON] = {.name = "epsilon",
                   .type = EG_TYPE_REAL,
                   .default_text = "1e-6",
                   .min = 0,
                   .max = INFINITY,
                   .above_min = true,
                   .doc = "added inside both roots; decides the first updates"},
};

const eg_optimizer_kind eg_optimizer_adadelta = {
    .component = {.name = "adadelta",
                  .doc = "s <- rho s + (1 - rho) g^2; d = g sqrt(a + epsilon) / sqrt(s + epsilon); "
                         "a <- rho a + (1 - rho) d^2; u = -lr d; lr is usually 1",
                  .source = "Zeiler 2012, arXiv 1212.5701, algorithm 1",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 2,
    .update = update,
};
