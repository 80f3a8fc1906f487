/** The plain learner: one network, one optimizer, one update per minibatch and no
 * continual-learning machinery. The baseline of everything, and the template of a learner. */
#include "engram/learner.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/net.h"
#include "engram/optimizer.h"

#include <math.h>
#include <string.h>

typedef struct plain {
    eg_learner base;
    eg_net *net;
    eg_pass *training, *evaluation;
    eg_optimizer *optimizer;
    const eg_loss *loss;
    eg_profile *profile;
    eg_real *dy;      /* [batch, outputs] */
    size_t evaluated; /* examples in the last predict */
} plain;

static void plain_free(eg_learner *learner)
{
    plain *self = (plain *)learner;
    eg_pass_free(self->training);
    eg_pass_free(self->evaluation);
    eg_optimizer_free(self->optimizer);
    eg_net_free(self->net);
    eg_free(self->dy);
    eg_free(self);
}

static void update(void *user, size_t first, size_t count, const eg_real *g)
{
    const plain *self = user;
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    eg_optimizer_apply(self->optimizer, self->net->params, first, count, g);
    (void)eg_profile_enter(self->profile, before);
}

/* The update goes with the gradient, piece by piece, unless it needs the whole gradient first. */
static void learn(plain *self)
{
    if (!eg_optimizer_bounds_norm(self->optimizer)) {
        eg_optimizer_begin(self->optimizer);
        eg_net_learn(self->net, self->training, self->dy, update, self);
        return;
    }
    eg_net_backward(self->net, self->training, self->dy);
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    eg_optimizer_bound_norm(self->optimizer, self->net->grads);
    eg_optimizer_step(self->optimizer, self->net->params, self->net->grads);
    eg_net_touch(self->net);
    (void)eg_profile_enter(self->profile, before);
}

static eg_status plain_step(eg_learner *learner, const eg_batch *batch, double *loss)
{
    plain *self = (plain *)learner;
    const eg_real *y =
        eg_net_forward(self->net, self->training, batch->size, batch->x, batch->sparse);
    *loss = self->loss->evaluate(batch->size, self->net->outputs, y, batch->label, batch->target,
                                 self->dy);
    if (isfinite(*loss)) {
        learn(self);
        eg_net_updated(self->net, self->training);
    }
    return eg_ok();
}

static eg_status plain_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    plain *self = (plain *)learner;
    const eg_real *y =
        eg_net_forward(self->net, self->evaluation, batch->size, batch->x, batch->sparse);
    memcpy(scores, y, batch->size * self->net->outputs * sizeof *scores);
    self->evaluated = batch->size;
    return eg_ok();
}

static void plain_activity(const eg_learner *learner, double *out)
{
    const plain *self = (const plain *)learner;
    for (size_t i = 0; i < self->base.hidden_layers; i++) {
        size_t n = 0;
        const eg_real *y = eg_pass_hidden(self->evaluation, self->net, i, &n);
        size_t count = self->evaluated * n;
        size_t active = 0;
        for (size_t k = 0; k < count; k++) {
            active += y[k] != 0;
        }
        out[i] = (double)active / (double)count;
    }
}

static double plain_flops(const eg_learner *learner)
{
    return eg_net_flops(((const plain *)learner)->net);
}

static void plain_write(const eg_learner *learner, eg_writer *writer)
{
    const plain *self = (const plain *)learner;
    eg_net_write(self->net, writer);
    eg_optimizer_write(self->optimizer, writer);
}

static eg_status plain_read(eg_learner *learner, eg_reader *reader)
{
    plain *self = (plain *)learner;
    EG_TRY(eg_net_read(self->net, reader));
    return eg_optimizer_read(self->optimizer, reader);
}

static const eg_learner_ops plain_ops = {
    .free = plain_free,
    .step = plain_step,
    .predict = plain_predict,
    .activity = plain_activity,
    .flops = plain_flops,
    .write = plain_write,
    .read = plain_read,
};

static eg_status plain_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    (void)view; /* no parameters of its own */
    const eg_stream_shape *shape = &setup->shape;
    plain *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = &plain_ops;
    self->loss = (const eg_loss *)(const void *)eg_view_component(setup->root, "loss");
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_model_build(&self->net, setup->root, shape->channels, shape->height,
                                       shape->width, shape->outputs, setup->seed));
    EG_TRY_DONE(status, eg_pass_create(&self->training, self->net, shape->batch, true));
    EG_TRY_DONE(status, eg_pass_create(&self->evaluation, self->net, setup->block, false));
    EG_TRY_DONE(status, eg_optimizer_create(&self->optimizer, setup->root, self->net->param_count));
    EG_TRY_DONE(status, eg_alloc(&self->dy, shape->batch * shape->outputs, sizeof *self->dy));
    self->profile = setup->profile;
    eg_pass_profile(self->training, setup->profile);
    self->base.hidden_layers = eg_net_hidden_count(self->net);
    *out = &self->base;
    return status;
done:
    plain_free(&self->base);
    return status;
}

const eg_learner_kind eg_learner_plain = {
    .component = {.name = "plain",
                  .doc = "one network, one optimizer, one update per minibatch",
                  .source = NULL},
    .create = plain_create,
};
