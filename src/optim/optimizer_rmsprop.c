/** RMSprop without bias correction, epsilon inside the root. With `momentum` the scaled gradients
 *  are added up as in heavy-ball momentum; with `epsilon_outside` the root is taken first, as
 *  PyTorch does. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_RHO, P_EPSILON, P_MOMENTUM, P_EPSILON_OUTSIDE };

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

EG_UPDATE_AS(update_plain, pass)

/* All forms. They round differently from the first one, whose results are to stay. */
EG_PASS void pass_form(const eg_update *u, eg_update_case is, bool remembers)
{
    eg_real *w = u->w;
    eg_real *v = u->slot[0];
    eg_real *m = u->slot[1];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real rho = (eg_real)u->p[P_RHO];
    eg_real rest = (eg_real)(1.0 - u->p[P_RHO]);
    eg_real momentum = (eg_real)u->p[P_MOMENTUM];
    bool is_outside = u->p[P_EPSILON_OUTSIDE] != 0.0;
    eg_real inside = is_outside ? 0 : (eg_real)u->p[P_EPSILON];
    eg_real outside = is_outside ? (eg_real)u->p[P_EPSILON] : 0;
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        v[i] = rho * v[i] + rest * (g * g);
        eg_real scaled = g / (eg_sqrt(v[i] + inside) + outside);
        if (remembers) {
            scaled += momentum * m[i];
            m[i] = scaled;
        }
        w[i] = at + eg_clip(-lr * scaled, -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_PASS void pass_momentum(const eg_update *u, eg_update_case is)
{
    pass_form(u, is, true);
}

EG_PASS void pass_outside(const eg_update *u, eg_update_case is)
{
    pass_form(u, is, false);
}

EG_UPDATE_AS(update_momentum, pass_momentum)
EG_UPDATE_AS(update_outside, pass_outside)

static bool remembers(const double *p)
{
    return p[P_MOMENTUM] != 0.0;
}

static size_t slots_with(const double *p)
{
    return remembers(p) ? 2 : 1;
}

static void update(const eg_update *u)
{
    if (remembers(u->p)) {
        update_momentum(u);
    } else if (u->p[P_EPSILON_OUTSIDE] != 0.0) {
        update_outside(u);
    } else {
        update_plain(u);
    }
}

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
                   .doc = "added inside the root, or outside"},
    [P_MOMENTUM] = {.name = "momentum",
                    .type = EG_TYPE_REAL,
                    .default_text = "0",
                    .min = 0,
                    .max = 1,
                    .doc = "m <- momentum m + g / sqrt(v + epsilon) and u = -lr m; 0: none",
                    .added_later = true},
    [P_EPSILON_OUTSIDE] = {.name = "epsilon_outside",
                           .type = EG_TYPE_BOOL,
                           .default_text = "false",
                           .doc = "sqrt(v) + epsilon, as in PyTorch, instead of sqrt(v + epsilon)",
                           .added_later = true},
};

const eg_optimizer_kind eg_optimizer_rmsprop = {
    .component = {.name = "rmsprop",
                  .doc = "v <- rho v + (1 - rho) g^2; u = -lr g / sqrt(v + epsilon); v starts as 0",
                  .source = "Tieleman and Hinton 2012; Keskinen 2024, arXiv 2404.17651",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .slots_with = slots_with,
    .update = update,
};
