/** Lion: the sign of an interpolated momentum. */
#include "components.h"

#include "engram/optimizer_rule.h"

enum { P_BETA1, P_BETA2 };

static void update(const eg_update *u)
{
    const eg_update_case is = eg_update_case_of(u);
    const eg_real lr = (eg_real)u->lr;
    const eg_real beta1 = (eg_real)u->p[P_BETA1];
    const eg_real beta2 = (eg_real)u->p[P_BETA2];
    eg_real *m = u->slot[0];
    for (size_t i = 0; i < u->n; i++) {
        eg_real g = eg_update_gradient(u, is, i, u->w[i]);
        eg_real c = beta1 * m[i] + (1 - beta1) * g;
        eg_real step = c > 0 ? -lr : c < 0 ? lr : lr * c; /* a NaN stays a NaN */
        m[i] = beta2 * m[i] + (1 - beta2) * g;
        eg_update_move(u, is, i, step);
    }
}

static const eg_param params[] = {
    [P_BETA1] = {.name = "beta1",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.9",
                 .min = 0,
                 .max = 1,
                 .doc = "share of the momentum in the direction of the update"},
    [P_BETA2] = {.name = "beta2",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.99",
                 .min = 0,
                 .max = 1,
                 .doc = "share of the momentum that is kept"},
};

const eg_optimizer_kind example_lion = {
    .component = {.name = "lion",
                  .doc = "u = -lr sign(beta1 m + (1 - beta1) g), m <- beta2 m + (1 - beta2) g",
                  .source = "Chen et al. 2023, arXiv 2302.06675",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .is_momentum = true,
    .update = update,
};
