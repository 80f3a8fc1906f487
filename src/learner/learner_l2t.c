/** L2 transfer: every task begins with the parameters of the one before, and is held near them by a
 *  quadratic penalty on all layers but the one that makes the outputs,
 *
 *      lambda/2 sum_p (w[p] - anchor[p])^2      anchor: w at the end of the task before.
 *
 *  It is learner `l2` without the outputs, whose parameters belong to tasks. The comparison method
 *  of Yoon et al. 2020, arXiv 1902.09432. */
#include "engram/memory.h"
#include "learner/regularised.h"

#include <math.h>

static eg_status l2t_end_phase(eg_learner *learner, size_t phase)
{
    eg_regularised *self = (eg_regularised *)learner;
    eg_penalty_term *term = &self->terms[0];
    if (eg_regularised_goes_on(self, phase)) {
        eg_penalty_term_move(term, self->gradient.net->params);
    }
    return eg_ok();
}

static const eg_learner_ops l2t_ops = {
    EG_REGULARISED_OPS,          .free = eg_regularised_free,
    .end_phase = l2t_end_phase,  .write = eg_regularised_write,
    .read = eg_regularised_read, .weights = eg_gradient_learner_weights,
};

/* All parameters of the trunk count the same, and the others nothing. */
static void weigh(const eg_regularised *self)
{
    const eg_net *net = self->gradient.net;
    eg_penalty_term *term = &self->terms[0];
    for (size_t i = 0; i < net->param_count; i++) {
        term->importance[i] = 1;
    }
    eg_regularised_leave_out_head(net, term->importance);
    eg_penalty_term_follow(term, 1.0, 0.0, term->importance, net->params);
    term->active = false;
}

static eg_status l2t_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    eg_regularised *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->gradient.base;
    base->ops = &l2t_ops;
    eg_status status = eg_regularised_init(self, setup, 1, eg_view_real(view, "lambda"), true);
    if (!eg_is_ok(&status)) {
        eg_regularised_free(base);
        return status;
    }
    weigh(self);
    *out = base;
    return status;
}

static const eg_param params[] = {
    EG_LAMBDA("1", "factor of the penalty lambda/2 sum_p (w[p] - anchor[p])^2"),
};

const eg_learner_kind eg_learner_l2t = {
    .component = {.name = "l2t",
                  .doc = "L2 transfer: each task begins with the parameters of the one before and "
                         "an equal quadratic penalty towards them, but for the layer that makes "
                         "the outputs",
                  .source = "Yoon et al. 2020, arXiv 1902.09432, L2T",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .takes_positions = true,
    .create = l2t_create,
};
