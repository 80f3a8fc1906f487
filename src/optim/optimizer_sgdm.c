/** Stochastic gradient descent with momentum, heavy-ball or Nesterov's; the gradient enters
 *  undamped. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_BETA, P_NESTEROV };

/* Nesterov's, at the point the momentum would carry the parameters to, as PyTorch has it: what is
 * kept are the parameters there. */
EG_PASS void pass(const eg_update *u, eg_update_case is, bool nesterov)
{
    eg_real *w = u->w;
    eg_real *m = u->slot[0];
    eg_real lr = (eg_real)u->lr;
    eg_real clip = (eg_real)u->clip;
    eg_real beta = (eg_real)u->p[P_BETA];
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        m[i] = g + beta * m[i];
        eg_real along = nesterov ? g + beta * m[i] : m[i];
        w[i] = at + eg_clip(-lr * along, -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_PASS void pass_heavy_ball(const eg_update *u, eg_update_case is)
{
    pass(u, is, false);
}

EG_PASS void pass_nesterov(const eg_update *u, eg_update_case is)
{
    pass(u, is, true);
}

EG_UPDATE_AS(update_heavy_ball, pass_heavy_ball)
EG_UPDATE_AS(update_nesterov, pass_nesterov)

static void update(const eg_update *u)
{
    (u->p[P_NESTEROV] != 0.0 ? update_nesterov : update_heavy_ball)(u);
}

static const eg_param params[] = {
    [P_BETA] = {.name = "beta",
                .type = EG_TYPE_REAL,
                .default_text = "0.9",
                .min = 0,
                .max = 1,
                .doc = "share of the momentum that is kept"},
    [P_NESTEROV] = {.name = "nesterov",
                    .type = EG_TYPE_BOOL,
                    .default_text = "false",
                    .doc = "u = -lr (g + beta m), with the new m",
                    .added_later = true},
};

const eg_optimizer_kind eg_optimizer_sgdm = {
    .component = {.name = "sgdm",
                  .doc = "m <- g + beta m; u = -lr m",
                  .source = "Polyak 1964; Nesterov 1983; Sutskever et al. 2013",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .is_momentum = true,
    .update = update,
};
