/** Memory aware synapses: the importance of a parameter is the sensitivity of the squared norm of
 * the outputs to it.
 *
 *  Source: Aljundi et al. 2018, arXiv 1711.09601, eq. 2 to 4 (the gradient of the squared length,
 * local importances summed over tasks, the newest parameters as anchor). With group > 1 the
 * absolute value is taken of a group's summed gradient, as programs do that differentiate a
 * minibatch at once. */
#include "engram/memory.h"
#include "learner/importance.h"
#include "learner/regularised.h"

#include <math.h>

typedef struct mas {
    eg_regularised base;
    eg_importance importance;
    bool average;
} mas;

/* d |y|^2 / dy */
static void error(const void *user, size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                  size_t round, eg_rng *rng, eg_real *dy)
{
    (void)user, (void)label, (void)round, (void)rng;
    for (size_t i = 0; i < batch * n; i++) {
        dy[i] = 2 * y[i];
    }
}

static void mas_free(eg_learner *learner)
{
    eg_importance_clear(&((mas *)learner)->importance);
    eg_regularised_free(learner);
}

static eg_status mas_end_phase(eg_learner *learner, size_t phase)
{
    mas *self = (mas *)learner;
    if (eg_regularised_goes_on(&self->base, phase)) {
        double share = self->average ? 1.0 / ((double)phase + 1.0) : 1.0;
        double keep = self->average ? 1.0 - share : 1.0;
        const eg_real *importance = NULL;
        EG_TRY(eg_importance_measure(&self->importance, phase, &importance));
        eg_penalty_term_follow(&self->base.terms[0], keep, share, importance,
                               self->base.gradient.net->params);
    }
    return eg_ok();
}

static size_t mas_end_phase_polls(const eg_learner *learner, size_t phase)
{
    const mas *self = (const mas *)learner;
    return eg_regularised_goes_on(&self->base, phase)
               ? eg_importance_polls(&self->importance, phase)
               : 0;
}

static const eg_learner_ops mas_ops = {
    EG_REGULARISED_OPS,
    .free = mas_free,
    .end_phase = mas_end_phase,
    .end_phase_polls = mas_end_phase_polls,
    .write = eg_regularised_write,
    .read = eg_regularised_read,
    .weights = eg_gradient_learner_weights,
};

static eg_status mas_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    mas *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->base.gradient.base;
    base->ops = &mas_ops;
    self->average = eg_view_bool(view, "average");
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_regularised_init(&self->base, setup, 1,
                                            2.0 * eg_view_real(view, "lambda"), true));
    const eg_sensitivity rule = {.what = EG_PER_EXAMPLE_ABSOLUTE, .rounds = 1, .error = error};
    EG_TRY_DONE(status,
                eg_importance_init(&self->importance, &rule, &self->base.gradient, view, setup));
    *out = base;
    return status;
done:
    mas_free(base);
    return status;
}

static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    return eg_importance_flops(view, work, 1);
}

static const eg_param params[] = {
    EG_LAMBDA("1", "factor of the penalty lambda sum_p O[p] (w[p] - anchor[p])^2"),
    {.name = "average",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "O is the mean of the tasks' importances instead of their sum"},
    EG_IMPORTANCE_PARAMS,
};

const eg_learner_kind eg_learner_mas = {
    .component = {.name = "mas",
                  .doc =
                      "memory aware synapses: importance O_t = mean |d |y|^2 / dw| over examples",
                  .source = "Aljundi et al. 2018, arXiv 1711.09601",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .create = mas_create,
    .extra_flops = extra_flops,
};
