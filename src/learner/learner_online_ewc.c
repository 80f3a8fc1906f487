/** Online EWC: one running Fisher information and one anchor, the newest parameters.
 *
 *  Source: Schwarz et al. 2018, "Progress & Compress", arXiv 1805.06370, section 4. */
#include "engram/memory.h"
#include "learner/fisher.h"
#include "learner/regularised.h"

#include <math.h>

typedef struct online_ewc {
    eg_regularised base;
    eg_fisher fisher;
    eg_importance importance;
    double gamma;
    bool normalise;
} online_ewc;

static void online_ewc_free(eg_learner *learner)
{
    eg_importance_clear(&((online_ewc *)learner)->importance);
    eg_regularised_free(learner);
}

/* 1 / the mean over the parameters whose importance is not 0. */
static double inverse_mean(size_t n, const eg_real *f)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)f[i];
        count += f[i] > 0 ? 1 : 0;
    }
    return count > 0 ? (double)count / sum : 1.0;
}

static eg_status online_ewc_end_phase(eg_learner *learner, size_t phase)
{
    online_ewc *self = (online_ewc *)learner;
    const eg_net *net = self->base.gradient.net;
    if (eg_regularised_goes_on(&self->base, phase)) {
        const eg_real *f = NULL;
        EG_TRY(eg_importance_measure(&self->importance, phase, &f));
        double scale = self->normalise ? inverse_mean(net->param_count, f) : 1.0;
        eg_penalty_term_follow(&self->base.terms[0], self->gamma, scale, f, net->params);
    }
    return eg_ok();
}

static size_t online_ewc_end_phase_polls(const eg_learner *learner, size_t phase)
{
    const online_ewc *self = (const online_ewc *)learner;
    return eg_regularised_goes_on(&self->base, phase)
               ? eg_importance_polls(&self->importance, phase)
               : 0;
}

static const eg_learner_ops online_ewc_ops = {
    EG_REGULARISED_OPS,
    .free = online_ewc_free,
    .end_phase = online_ewc_end_phase,
    .end_phase_polls = online_ewc_end_phase_polls,
    .write = eg_regularised_write,
    .read = eg_regularised_read,
    .weights = eg_gradient_learner_weights,
};

static eg_status online_ewc_create(eg_learner **out, const eg_view *view,
                                   const eg_learner_setup *setup)
{
    EG_TRY(eg_fisher_check(view));
    online_ewc *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->base.gradient.base;
    base->ops = &online_ewc_ops;
    self->gamma = eg_view_real(view, "gamma");
    self->normalise = eg_view_bool(view, "normalise");
    eg_status status = eg_ok();
    EG_TRY_DONE(status,
                eg_regularised_init(&self->base, setup, 1, eg_view_real(view, "lambda"), true));
    eg_sensitivity rule = eg_fisher_init(&self->fisher, view, setup->shape.outputs);
    EG_TRY_DONE(status,
                eg_importance_init(&self->importance, &rule, &self->base.gradient, view, setup));
    *out = base;
    return status;
done:
    online_ewc_free(base);
    return status;
}

static const eg_param params[] = {
    EG_LAMBDA("1000", "factor of the penalty lambda/2 sum_p F[p] (w[p] - anchor[p])^2"),
    {.name = "gamma",
     .type = EG_TYPE_REAL,
     .default_text = "0.95",
     .min = 0,
     .max = 1,
     .doc = "share of the old Fisher information kept when a task's is added: F <- gamma F + F_t"},
    {.name = "normalise",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "each F_t is first scaled to mean 1 over the parameters where it is not 0, so that no "
            "task "
            "dominates"},
    EG_FISHER_PARAMS,
};

const eg_learner_kind eg_learner_online_ewc = {
    .component = {.name = "online_ewc",
                  .doc = "EWC with one running Fisher information around the newest parameters",
                  .source = "Schwarz et al. 2018, arXiv 1805.06370",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .check = eg_fisher_check,
    .extra_flops = eg_fisher_flops,
    .needs_classes = true,
    .create = online_ewc_create,
};
