/** Gradients of log-likelihoods for the Fisher information; see learner/fisher.h.
 *  Source: Kirkpatrick et al. 2017, arXiv 1612.00796; beta: Bricken et al. 2023, the program. */
#include "learner/fisher.h"

#include "math/shared/elementary.h"

#include <assert.h>

const char *const eg_fisher_names[] = {
    [EG_FISHER_EXACT] = "exact",
    [EG_FISHER_SAMPLED] = "sampled",
    [EG_FISHER_ARGMAX] = "argmax",
    [EG_FISHER_EMPIRICAL] = "empirical",
    NULL,
};

static size_t largest(size_t n, const eg_real *y)
{
    size_t best = 0;
    for (size_t j = 1; j < n; j++) {
        best = y[j] > y[best] ? j : best;
    }
    return best;
}

/* p = softmax(beta y) */
static void soften(size_t n, eg_real beta, const eg_real *y, eg_real *p)
{
    eg_real top = y[largest(n, y)];
    eg_real sum = 0;
    for (size_t j = 0; j < n; j++) {
        p[j] = eg_exp(beta * (y[j] - top));
        sum += p[j];
    }
    for (size_t j = 0; j < n; j++) {
        p[j] /= sum;
    }
}

static size_t draw(size_t n, const eg_real *p, eg_rng *rng)
{
    double left = eg_rng_uniform(rng);
    for (size_t j = 0; j + 1 < n; j++) {
        left -= (double)p[j];
        if (left < 0.0) {
            return j;
        }
    }
    return n - 1;
}

/* The square of what a round of `exact` gives must be weighted by its class's probability. */
static void error(const void *user, size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                  size_t round, eg_rng *rng, eg_real *dy)
{
    const eg_fisher *fisher = user;
    eg_real beta = (eg_real)fisher->beta;
    for (size_t b = 0; b < batch; b++) {
        eg_real *p = dy + b * n;
        soften(n, beta, y + b * n, p);
        size_t of = round;
        eg_real weight = beta;
        switch (fisher->label) {
        case EG_FISHER_EXACT:
            weight = beta * eg_sqrt(p[round]);
            break;
        case EG_FISHER_SAMPLED:
            of = draw(n, p, rng);
            break;
        case EG_FISHER_ARGMAX:
            of = largest(n, y + b * n);
            break;
        case EG_FISHER_EMPIRICAL:
            assert(label != NULL);
            of = label[b];
            break;
        }
        p[of] -= 1;
        for (size_t j = 0; j < n; j++) {
            p[j] *= weight;
        }
    }
}

eg_sensitivity eg_fisher_init(eg_fisher *out, const eg_view *view, size_t outputs)
{
    *out = (eg_fisher){.label = (eg_fisher_label)eg_view_name(view, "fisher"),
                       .beta = eg_view_real(view, "beta")};
    return (eg_sensitivity){.what = EG_PER_EXAMPLE_SQUARE,
                            .rounds = out->label == EG_FISHER_EXACT ? outputs : 1,
                            .error = error,
                            .user = out};
}

eg_status eg_fisher_check(const eg_view *view)
{
    if (eg_view_name(view, "fisher") == EG_FISHER_EXACT && eg_view_size(view, "group") > 1) {
        return eg_fail_setting(view->prefix, "group fisher",
                               "%sfisher = exact weights the classes of every example, so it needs "
                               "%sgroup = 1; with groups use sampled, argmax or empirical",
                               view->prefix, view->prefix);
    }
    return eg_ok();
}

double eg_fisher_flops(const eg_view *view, const eg_learner_work *work)
{
    bool exact = eg_view_name(view, "fisher") == EG_FISHER_EXACT;
    return eg_importance_flops(view, work, exact ? work->outputs : 1);
}
