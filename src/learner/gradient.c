/** One network, one optimizer, one update per minibatch; see learner/gradient.h. */
#include "learner/gradient.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

/* Parameters whose gradient, with what is added to it, stays in the first-level cache. */
enum { BLOCK = 4096 };

eg_status eg_gradient_open(eg_gradient_learner *self, const eg_learner_setup *setup, size_t batch,
                           bool pulled)
{
    const eg_stream_shape *shape = &setup->shape;
    self->loss = (const eg_loss *)(const void *)eg_view_component(setup->root, "loss");
    self->profile = setup->profile;
    self->stream = setup->stream;
    EG_TRY(eg_model_build(&self->net, setup->root, shape->channels, shape->height, shape->width,
                          shape->outputs, setup->seed));
    EG_TRY(eg_pass_create(&self->training, self->net, batch, true));
    EG_TRY(eg_pass_create(&self->evaluation, self->net, setup->block, false));
    EG_TRY(eg_optimizer_create(&self->optimizer, setup->root, self->net->param_count));
    EG_TRY(eg_alloc(&self->dy, batch * shape->outputs, sizeof *self->dy));
    if (pulled) {
        EG_TRY(eg_alloc(&self->mixed, BLOCK, sizeof *self->mixed));
        EG_TRY(eg_alloc(&self->before, BLOCK, sizeof *self->before));
    }
    if (pulled && eg_optimizer_bounds_norm(self->optimizer)) {
        EG_TRY(eg_alloc(&self->whole, self->net->param_count, sizeof *self->whole));
    }
    eg_pass_profile(self->training, setup->profile);
    self->base.hidden_layers = eg_net_hidden_count(self->net);
    self->base.reads_sparse = self->net->layers[0].ops->takes_sparse;
    return eg_ok();
}

void eg_gradient_close(eg_gradient_learner *self)
{
    eg_pass_free(self->training);
    eg_pass_free(self->evaluation);
    eg_optimizer_free(self->optimizer);
    eg_net_free(self->net);
    eg_free(self->dy);
    eg_free(self->mixed);
    eg_free(self->before);
    eg_free(self->whole);
}

static size_t block_at(size_t at, size_t count)
{
    return count - at < BLOCK ? count - at : BLOCK;
}

/* Whether the gradient must be seen, or changed, apart from where it is made. */
static bool apart(const eg_pull *pull)
{
    return pull != NULL && (pull->add != NULL || pull->moved != NULL);
}

/* Updates a block by `mixed`; g is the gradient of the loss. */
static void apply_block(eg_gradient_learner *self, size_t first, size_t count, const eg_real *mixed,
                        const eg_real *g)
{
    const eg_pull *pull = self->pull;
    eg_real *w = self->net->params + first;
    if (pull->moved != NULL) {
        memcpy(self->before, w, count * sizeof *w);
    }
    eg_optimizer_apply(self->optimizer, self->net->params, first, count, mixed);
    if (pull->moved != NULL) {
        pull->moved(pull->user, first, count, self->before, w, g);
    }
}

static void update(void *user, size_t first, size_t count, const eg_real *g)
{
    eg_gradient_learner *self = user;
    const eg_pull *pull = self->pull;
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    if (!apart(pull)) {
        eg_optimizer_apply(self->optimizer, self->net->params, first, count, g);
    }
    for (size_t at = 0; apart(pull) && at < count; at += BLOCK) {
        size_t n = block_at(at, count);
        const eg_real *mixed = g + at;
        if (pull->add != NULL) {
            pull->add(pull->user, first + at, n, self->net->params + first + at, g + at,
                      self->mixed);
            mixed = self->mixed;
        }
        apply_block(self, first + at, n, mixed, g + at);
    }
    (void)eg_profile_enter(self->profile, before);
}

/* The gradient with everything added is scaled as a whole, then applied. */
static void update_whole(eg_gradient_learner *self)
{
    const eg_pull *pull = self->pull;
    size_t count = self->net->param_count;
    const eg_real *g = self->net->grads;
    if (!apart(pull)) {
        eg_optimizer_bound_norm(self->optimizer, self->net->grads);
        eg_optimizer_step(self->optimizer, self->net->params, self->net->grads);
        return;
    }
    for (size_t at = 0; at < count; at += BLOCK) {
        size_t n = block_at(at, count);
        if (pull->add != NULL) {
            pull->add(pull->user, at, n, self->net->params + at, g + at, self->whole + at);
        } else {
            memcpy(self->whole + at, g + at, n * sizeof *g);
        }
    }
    eg_optimizer_bound_norm(self->optimizer, self->whole);
    eg_optimizer_begin(self->optimizer);
    for (size_t at = 0; at < count; at += BLOCK) {
        apply_block(self, at, block_at(at, count), self->whole + at, g + at);
    }
}

/* The update goes with the gradient, piece by piece, unless it needs the whole gradient first. */
static void learn(eg_gradient_learner *self)
{
    if (!eg_optimizer_bounds_norm(self->optimizer)) {
        eg_optimizer_begin(self->optimizer);
        eg_net_learn(self->net, self->training, self->dy, update, self);
        return;
    }
    eg_net_backward(self->net, self->training, self->dy);
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    update_whole(self);
    eg_net_touch(self->net);
    (void)eg_profile_enter(self->profile, before);
}

void eg_gradient_step(eg_gradient_learner *self, const eg_batch *batch, const eg_pull *pull,
                      double *loss)
{
    const eg_real *y =
        eg_net_forward(self->net, self->training, batch->size, batch->x, batch->sparse);
    *loss = self->loss->evaluate(batch->size, self->net->outputs, y, batch->label, batch->target,
                                 self->dy);
    if (isfinite(*loss)) {
        self->pull = pull;
        eg_pass_pull(self->training, pull != NULL ? pull->spring : NULL);
        learn(self);
        eg_pass_pull(self->training, NULL);
        eg_net_updated(self->net, self->training);
    }
}

eg_status eg_gradient_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    const eg_real *y =
        eg_net_forward(self->net, self->evaluation, batch->size, batch->x, batch->sparse);
    memcpy(scores, y, batch->size * self->net->outputs * sizeof *scores);
    self->evaluated = batch->size;
    return eg_ok();
}

void eg_gradient_activity(const eg_learner *learner, double *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
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

double eg_gradient_flops(const eg_learner *learner)
{
    return eg_net_flops(((const eg_gradient_learner *)learner)->net);
}

void eg_gradient_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    eg_net_write(self->net, writer);
    eg_optimizer_write(self->optimizer, writer);
}

eg_status eg_gradient_read(eg_learner *learner, eg_reader *reader)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    EG_TRY(eg_net_read(self->net, reader));
    return eg_optimizer_read(self->optimizer, reader);
}
