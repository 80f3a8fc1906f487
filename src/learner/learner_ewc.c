/** Elastic weight consolidation: each task learned leaves a quadratic penalty around its
 *  parameters, weighted by their Fisher information.
 *
 *  Source: Kirkpatrick et al. 2017, arXiv 1612.00796, eq. 3, with a term per old task. */
#include "engram/memory.h"
#include "learner/fisher.h"
#include "learner/regularised.h"

#include <math.h>

typedef struct ewc {
    eg_regularised base;
    eg_fisher fisher;
    eg_importance importance;
} ewc;

/* Whether old tasks are one term or a term each; in the order of the names. */
typedef enum terms { TERMS_MERGED, TERMS_SEPARATE } terms;

static const char *const terms_names[] = {
    [TERMS_MERGED] = "merged", [TERMS_SEPARATE] = "separate", NULL};

static void ewc_free(eg_learner *learner)
{
    eg_importance_clear(&((ewc *)learner)->importance);
    eg_regularised_free(learner);
}

static eg_status ewc_end_phase(eg_learner *learner, size_t phase)
{
    ewc *self = (ewc *)learner;
    if (eg_regularised_goes_on(&self->base, phase)) {
        size_t term = self->base.term_count == 1 ? 0 : phase;
        const eg_real *f = NULL;
        EG_TRY(eg_importance_measure(&self->importance, phase, &f));
        eg_penalty_term_merge(&self->base.terms[term], f, self->base.gradient.net->params);
    }
    return eg_ok();
}

static size_t ewc_end_phase_polls(const eg_learner *learner, size_t phase)
{
    const ewc *self = (const ewc *)learner;
    return eg_regularised_goes_on(&self->base, phase)
               ? eg_importance_polls(&self->importance, phase)
               : 0;
}

static const eg_learner_ops ewc_ops = {
    EG_REGULARISED_OPS,
    .free = ewc_free,
    .end_phase = ewc_end_phase,
    .end_phase_polls = ewc_end_phase_polls,
    .write = eg_regularised_write,
    .read = eg_regularised_read,
    .weights = eg_gradient_learner_weights,
};

static eg_status ewc_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    EG_TRY(eg_fisher_check(view));
    size_t phases = setup->shape.phases;
    bool merged = eg_view_name(view, "terms") == TERMS_MERGED || phases == 1;
    ewc *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->base.gradient.base;
    base->ops = &ewc_ops;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_regularised_init(&self->base, setup, merged ? 1 : phases - 1,
                                            eg_view_real(view, "lambda"), true));
    eg_sensitivity rule = eg_fisher_init(&self->fisher, view, setup->shape.outputs);
    EG_TRY_DONE(status,
                eg_importance_init(&self->importance, &rule, &self->base.gradient, view, setup));
    *out = base;
    return status;
done:
    ewc_free(base);
    return status;
}

static const eg_param params[] = {
    EG_LAMBDA("1000", "factor of the penalty lambda/2 sum_t sum_p F_t[p] (w[p] - w_t[p])^2"),
    {.name = "terms",
     .type = EG_TYPE_NAME,
     .default_text = "merged",
     .names = terms_names,
     .doc =
         "old tasks are kept as the one quadratic function that is their sum (merged), or each for "
         "itself, at the cost of as much memory and time per task (separate): the same penalty up "
         "to rounding"},
    EG_FISHER_PARAMS,
};

const eg_learner_kind eg_learner_ewc = {
    .component = {.name = "ewc",
                  .doc = "elastic weight consolidation: a penalty around the parameters of each "
                         "old task, weighted by Fisher information",
                  .source = "Kirkpatrick et al. 2017, arXiv 1612.00796, eq. 3",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .check = eg_fisher_check,
    .extra_flops = eg_fisher_flops,
    .needs_classes = true,
    .create = ewc_create,
};
