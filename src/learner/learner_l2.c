/** L2 regularisation towards earlier parameters: the baseline of penalties weighted by
 *  importance. */
#include "engram/memory.h"
#include "learner/regularised.h"

#include <math.h>

/* In the order of the names. */
typedef enum towards { TOWARDS_LAST, TOWARDS_INITIAL, TOWARDS_ZERO } towards;

static const char *const towards_names[] = {
    [TOWARDS_LAST] = "last", [TOWARDS_INITIAL] = "initial", [TOWARDS_ZERO] = "zero", NULL};

typedef struct l2 {
    eg_regularised base;
    towards towards;
} l2;

static eg_status l2_end_phase(eg_learner *learner, size_t phase)
{
    l2 *self = (l2 *)learner;
    if (self->towards == TOWARDS_LAST && eg_regularised_goes_on(&self->base, phase)) {
        eg_penalty_term_move(&self->base.terms[0], self->base.gradient.net->params);
    }
    return eg_ok();
}

static eg_status l2_weights(eg_learner *learner, eg_weights_pass *pass)
{
    l2 *self = (l2 *)learner;
    EG_TRY(eg_gradient_learner_weights(learner, pass));
    if (pass->into_learner && !pass->again && self->towards == TOWARDS_INITIAL) {
        eg_penalty_term_move(&self->base.terms[0], self->base.gradient.net->params);
    }
    return eg_ok();
}

static const eg_learner_ops l2_ops = {
    EG_REGULARISED_OPS,          .free = eg_regularised_free,
    .end_phase = l2_end_phase,   .write = eg_regularised_write,
    .read = eg_regularised_read, .weights = l2_weights,
};

static eg_status l2_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    l2 *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->base.gradient.base;
    base->ops = &l2_ops;
    self->towards = (towards)eg_view_name(view, "towards");
    eg_status status =
        eg_regularised_init(&self->base, setup, 1, eg_view_real(view, "lambda"), false);
    if (!eg_is_ok(&status)) {
        eg_regularised_free(base);
        return status;
    }
    eg_penalty_term *term = &self->base.terms[0];
    if (self->towards == TOWARDS_INITIAL) {
        eg_penalty_term_move(term, self->base.gradient.net->params);
    }
    term->active = self->towards != TOWARDS_LAST;
    *out = base;
    return status;
}

static const eg_param params[] = {
    EG_LAMBDA("0.01", "factor of the penalty lambda/2 sum_p (w[p] - anchor[p])^2"),
    {.name = "towards",
     .type = EG_TYPE_NAME,
     .default_text = "last",
     .names = towards_names,
     .doc =
         "the anchor: the parameters at the end of the last task (nothing during the first), the "
         "initial ones, or zero (weight decay as a penalty)"},
};

const eg_learner_kind eg_learner_l2 = {
    .component = {.name = "l2",
                  .doc = "an equal quadratic penalty on all parameters, towards those of the last "
                         "task, the initial "
                         "ones, or zero",
                  .source =
                      "Kirkpatrick et al. 2017, arXiv 1612.00796, figure 2A (last); Kumar et al. "
                      "2023, arXiv 2308.11958 (initial)",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .takes_positions = true,
    .create = l2_create,
};
