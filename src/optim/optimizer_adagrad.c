/** Adagrad, epsilon inside the root, with a starting value for the sum of squares. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_INITIAL, P_EPSILON };

static double initial(const double *p, size_t s)
{
    (void)s;
    return p[P_INITIAL];
}

EG_PASS void pass(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real *s = u->slot[0];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        s[i] += g * g;
        w[i] = at + eg_clip(-lr * g / eg_sqrt(s[i] + epsilon), -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE(pass)

static const eg_param params[] = {
    [P_INITIAL] = {.name = "initial",
                   .type = EG_TYPE_REAL,
                   .default_text = "1e-6",
                   .min = 0,
                   .max = INFINITY,
                   .doc = "starting value of the sum of squares; decides the first updates"},
    [P_EPSILON] = {.name = "epsilon",
                   .type = EG_TYPE_REAL,
                   .default_text = "1e-7",
                   .min = 0,
                   .max = INFINITY,
                   .above_min = true,
                   .doc = "added inside the root"},
};

const eg_optimizer_kind eg_optimizer_adagrad = {
    .component = {.name = "adagrad",
                  .doc = "s <- s + g^2; u = -lr g / sqrt(s + epsilon); s starts as initial",
                  .source = "Duchi et al. 2011",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .initial = initial,
    .update = update,
};
