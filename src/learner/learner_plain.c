/** The plain learner: one network, one optimizer, one update per minibatch and no
 * continual-learning machinery. The baseline of everything, and the template of a learner. */
#include "engram/memory.h"
#include "learner/gradient_learner.h"

static void plain_free(eg_learner *learner)
{
    eg_gradient_learner_clear((eg_gradient_learner *)learner);
    eg_free(learner);
}

static const eg_learner_ops plain_ops = {
    .free = plain_free,
    .step = eg_gradient_learner_step,
    .begin_phase = eg_gradient_learner_begin_phase,
    .predict = eg_gradient_learner_predict,
    .activity = eg_gradient_learner_activity,
    .network = eg_gradient_learner_network,
    .freeze = eg_gradient_learner_freeze,
    .rest = eg_gradient_learner_rest,
    .flops = eg_gradient_learner_flops,
    .costs = eg_gradient_learner_costs,
    .capacity = eg_gradient_learner_capacity,
    .write = eg_gradient_learner_write,
    .read = eg_gradient_learner_read,
    .weights = eg_gradient_learner_weights,
};

static eg_status plain_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    (void)view; /* no parameters of its own */
    eg_gradient_learner *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = &plain_ops;
    eg_status status = eg_gradient_learner_init(self, setup, setup->shape.batch, false);
    if (!eg_is_ok(&status)) {
        plain_free(&self->base);
        return status;
    }
    *out = &self->base;
    return status;
}

const eg_learner_kind eg_learner_plain = {
    .component = {.name = "plain",
                  .doc = "one network, one optimizer, one update per minibatch",
                  .alias = "finetune"},
    .takes_positions = true,
    .create = plain_create,
};
