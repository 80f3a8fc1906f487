/** Adam, epsilon outside the root; without bias correction the first updates are larger. Two more
 *  forms count the updates t of every weight alone, so that the weights of a replaced unit begin at
 *  1 again:
 *
 *    textbook  -lr / (1 - beta1^t)                    m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *    intended  -lr sqrt(1 - beta2^t) / (1 - beta1^t)  m / (sqrt(v) + epsilon)
 *    released  -lr (1 - beta2^t)                      m / (sqrt(v) + epsilon)
 *
 *  The last is what the program of continual backpropagation did before September 2025: it took the
 *  root of 1 - beta2^t and divided it, but dropped the result. */
#include "math/shared/elementary.h"
#include "optim/update.h"

enum { P_BETA1, P_BETA2, P_EPSILON, P_BIAS_CORRECTION, P_ADAM_FORM };

enum { FORM_TEXTBOOK, FORM_INTENDED, FORM_RELEASED };

static const char *const form_names[] = {
    [FORM_TEXTBOOK] = "textbook", [FORM_INTENDED] = "intended", [FORM_RELEASED] = "released", NULL};

enum { F_MEAN, F_SQUARE };

/* 1 / (1 - beta^step): what makes the means of the first steps unbiased. */
static void factors(const double *p, uint64_t step, double *factor)
{
    bool corrects = p[P_BIAS_CORRECTION] != 0.0 && p[P_ADAM_FORM] == FORM_TEXTBOOK;
    factor[F_MEAN] = corrects ? 1.0 / (1.0 - pow(p[P_BETA1], (double)step)) : 1.0;
    factor[F_SQUARE] = corrects ? 1.0 / (1.0 - pow(p[P_BETA2], (double)step)) : 1.0;
}

static bool counts_each(const double *p)
{
    return p[P_BIAS_CORRECTION] != 0.0 && p[P_ADAM_FORM] != FORM_TEXTBOOK;
}

static double correction(const double *p, double t)
{
    double square = 1.0 - pow(p[P_BETA2], t);
    return p[P_ADAM_FORM] == FORM_RELEASED ? square : sqrt(square) / (1.0 - pow(p[P_BETA1], t));
}

EG_PASS void pass(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real *m = u->slot[0];
    eg_real *v = u->slot[1];
    eg_real clip = (eg_real)u->clip;
    eg_real beta1 = (eg_real)u->p[P_BETA1];
    eg_real beta2 = (eg_real)u->p[P_BETA2];
    eg_real rest1 = (eg_real)(1.0 - u->p[P_BETA1]);
    eg_real rest2 = (eg_real)(1.0 - u->p[P_BETA2]);
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    /* Both corrections are one number per step: one goes to the rate, one in front of the root. */
    eg_real lr = (eg_real)(u->lr * u->factor[F_MEAN]);
    eg_real scale = (eg_real)sqrt(u->factor[F_SQUARE]);
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * (g * g);
        w[i] = at + eg_clip(-lr * m[i] / (scale * eg_sqrt(v[i]) + epsilon), -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE_AS(update_alike, pass)

EG_PASS void pass_each(const eg_update *u, eg_update_case is)
{
    eg_real *w = u->w;
    eg_real *m = u->slot[0];
    eg_real *v = u->slot[1];
    int32_t *count = u->count;
    const eg_real *table = u->correction;
    int32_t end = u->correction_end;
    eg_real clip = (eg_real)u->clip;
    eg_real beta1 = (eg_real)u->p[P_BETA1];
    eg_real beta2 = (eg_real)u->p[P_BETA2];
    eg_real rest1 = (eg_real)(1.0 - u->p[P_BETA1]);
    eg_real rest2 = (eg_real)(1.0 - u->p[P_BETA2]);
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    eg_real lr = (eg_real)u->lr;
    EG_INDEPENDENT
    for (size_t i = 0; i < u->n; i++) {
        eg_real at = w[i];
        eg_real g = eg_update_gradient(u, is, i, at);
        int32_t t = count[i] + (count[i] < end ? 1 : 0);
        count[i] = t;
        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * (g * g);
        w[i] = at + eg_clip(-lr * table[t] * m[i] / (eg_sqrt(v[i]) + epsilon), -clip, clip);
        eg_update_follow(u, is, i, w[i] - at);
    }
}

EG_UPDATE_AS(update_each, pass_each)

static void update(const eg_update *u)
{
    (u->count != NULL ? update_each : update_alike)(u);
}

EG_CLONES static void reach(const eg_update *u, eg_real *out)
{
    const eg_real *v = u->slot[1];
    eg_real epsilon = (eg_real)u->p[P_EPSILON];
    eg_real lr = (eg_real)u->lr;
    eg_real scale = (eg_real)sqrt(u->factor[F_SQUARE]);
    size_t n = u->n;
    EG_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        out[i] = lr / (scale * eg_sqrt(v[i]) + epsilon);
    }
    for (size_t i = 0; u->count != NULL && i < n; i++) {
        out[i] *= u->correction[u->count[i]];
    }
}

static const eg_param params[] = {
    [P_BETA1] = {.name = "beta1",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.9",
                 .min = 0,
                 .max = 1 - 1e-9,
                 .doc = "share of the mean gradient that is kept"},
    [P_BETA2] = {.name = "beta2",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.999",
                 .min = 0,
                 .max = 1 - 1e-9,
                 .doc = "share of the mean square that is kept"},
    [P_EPSILON] = {.name = "epsilon",
                   .type = EG_TYPE_REAL,
                   .default_text = "1e-8",
                   .min = 0,
                   .max = INFINITY,
                   .above_min = true,
                   .doc = "added outside the root"},
    [P_BIAS_CORRECTION] = {.name = "bias_correction",
                           .type = EG_TYPE_BOOL,
                           .default_text = "true",
                           .doc = "divide the means by 1 - beta^t"},
    [P_ADAM_FORM] = {.name = "adam_form",
                     .type = EG_TYPE_NAME,
                     .default_text = "textbook",
                     .names = form_names,
                     .doc =
                         "intended, released: every weight counts its own updates t, for learners "
                         "that replace units; u = -lr c m / (sqrt(v) + epsilon) with c = "
                         "sqrt(1 - beta2^t) / (1 - beta1^t) (intended), or 1 - beta2^t (released: "
                         "what the program of continual backpropagation did until September 2025)",
                     .added_later = true},
};

const eg_optimizer_kind eg_optimizer_adam = {
    .component = {.name = "adam",
                  .doc = "m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2; "
                         "u = -lr m' / (sqrt(v') + epsilon), m' and v' bias-corrected",
                  .source = "Kingma and Ba 2015, arXiv 1412.6980, algorithm 1",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 2,
    .factors = factors,
    .counts_each = counts_each,
    .correction = correction,
    .update = update,
    .reach = reach,
};
