/** One network, one optimizer, one update per minibatch; see learner/gradient_learner.h. */
#include "learner/gradient_learner.h"

#include "engram/memory.h"
#include "math/vector.h"

#include <math.h>
#include <string.h>

/* Parameters whose gradient, with what is added to it, stays in the first-level cache. */
enum { BLOCK = 4096 };

/* What `activity` tells of the last predict. */
static void count_active(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    eg_gradient_learner *self = user;
    const eg_hidden_layer *layer = &self->net->hidden[hidden];
    size_t count = batch * layer->positions * layer->units;
    size_t active = 0;
    for (size_t k = 0; k < count; k++) {
        active += y[k] != 0;
    }
    self->active[hidden] = (double)active / (double)count;
}

eg_status eg_gradient_learner_open(eg_gradient_learner *self, const eg_learner_setup *setup,
                                   size_t batch, bool regularised)
{
    const eg_stream_shape *shape = &setup->shape;
    self->loss = (const eg_loss *)(const void *)eg_view_component(setup->root, "loss");
    self->profile = setup->profile;
    const eg_shape input = {shape->height, shape->width, shape->channels};
    EG_TRY(eg_model_build(&self->net, setup->root, input, shape->outputs, setup->seed));
    EG_TRY(eg_workspace_create(&self->training, self->net, batch, true));
    EG_TRY(eg_workspace_create(&self->evaluation, self->net, setup->block, false));
    EG_TRY(eg_optimizer_create(&self->optimizer, setup->root, self->net->param_count));
    EG_TRY(eg_alloc(&self->dy, batch * shape->outputs, sizeof *self->dy));
    if (shape->masks_outputs) {
        EG_TRY(eg_masked_loss_init(&self->masked, batch, shape->outputs));
    }
    if (regularised) {
        EG_TRY(eg_alloc(&self->mixed, BLOCK, sizeof *self->mixed));
    }
    if (regularised && eg_optimizer_bounds_norm(self->optimizer)) {
        EG_TRY(eg_alloc(&self->whole, self->net->param_count, sizeof *self->whole));
    }
    eg_workspace_profile(self->training, setup->profile);
    EG_TRY(eg_alloc(&self->active, self->net->hidden_count, sizeof *self->active));
    self->observer = (eg_unit_observer){.observe = count_active, .user = self};
    eg_workspace_observe(self->evaluation, &self->observer);
    self->base.hidden_layers = self->net->hidden_count;
    self->base.reads_sparse = eg_net_takes_sparse(self->net);
    return eg_ok();
}

void eg_gradient_learner_close(eg_gradient_learner *self)
{
    eg_workspace_free(self->training);
    eg_workspace_free(self->evaluation);
    eg_optimizer_free(self->optimizer);
    eg_net_free(self->net);
    eg_free(self->active);
    eg_free(self->dy);
    eg_masked_loss_clear(&self->masked);
    eg_free(self->mixed);
    eg_free(self->whole);
}

static size_t block_at(size_t at, size_t count)
{
    return count - at < BLOCK ? count - at : BLOCK;
}

/* The update goes with the gradient, piece by piece. */
static void update(void *user, size_t first, size_t count, eg_real *g)
{
    eg_gradient_learner *self = user;
    const eg_regularisation *regularisation = self->regularisation;
    eg_real *w = self->net->params;
    const eg_update_terms *update_terms =
        regularisation != NULL ? &regularisation->update_terms : NULL;
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    if (regularisation == NULL || regularisation->add == NULL) {
        eg_optimizer_apply(self->optimizer, w, first, count, g, NULL, update_terms);
    } else {
        for (size_t at = 0; at < count; at += BLOCK) {
            size_t n = block_at(at, count);
            memcpy(self->mixed, g + at, n * sizeof *g);
            regularisation->add(regularisation->user, first + at, n, w + first + at, self->mixed);
            eg_optimizer_apply(self->optimizer, w, first + at, n, self->mixed, g + at,
                               update_terms);
        }
    }
    (void)eg_profile_enter(self->profile, before);
}

/* Where the gradient with everything added goes if it is needed as a whole: to its place, unless a path
 * takes the one of the loss from there. */
static eg_real *whole_of(const eg_gradient_learner *self)
{
    bool followed =
        self->regularisation != NULL && self->regularisation->update_terms.path_integral != NULL;
    return followed ? self->whole : self->net->grads;
}

/* Returns the sum of the squares of g then. */
static double add_everything(const eg_regularisation *regularisation, size_t params, size_t first,
                             size_t count, const eg_real *w, eg_real *g)
{
    if (regularisation != NULL && regularisation->add != NULL) {
        regularisation->add(regularisation->user, first, count, w, g);
    }
    const eg_penalty *penalty =
        regularisation != NULL ? regularisation->update_terms.penalty : NULL;
    if (penalty == NULL) {
        return (double)eg_sum_squares(count, g, 0);
    }
    double squares = eg_penalty_add(penalty, first, count, w, g);
    size_t next = first + count;
    eg_penalty_prefetch(penalty, next, params - next < count ? params - next : count);
    return squares;
}

/* Adds everything to a piece of the gradient, which is in cache now, and its squares to their sum. */
static void complete(void *user, size_t first, size_t count, eg_real *g)
{
    eg_gradient_learner *self = user;
    eg_real *whole = whole_of(self);
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    for (size_t at = first; at < first + count; at += BLOCK) {
        size_t n = block_at(at, first + count);
        if (whole != self->net->grads) {
            memcpy(whole + at, g + (at - first), n * sizeof *g);
        }
        self->squares += add_everything(self->regularisation, self->net->param_count, at, n,
                                        self->net->params + at, whole + at);
    }
    (void)eg_profile_enter(self->profile, before);
}

/* Pieces wait for the norm of all of them. */
static void learn_whole(eg_gradient_learner *self)
{
    self->squares = 0;
    const eg_gradient_consumer consumer = {.consume = complete, .user = self};
    eg_net_backward(self->net, self->training, self->dy, &consumer);
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    eg_optimizer_begin(self->optimizer);
    eg_optimizer_bound_norm(self->optimizer, self->squares);
    const eg_update_terms update_terms = {
        .path_integral =
            self->regularisation != NULL ? self->regularisation->update_terms.path_integral : NULL};
    eg_optimizer_apply(self->optimizer, self->net->params, 0, self->net->param_count,
                       whole_of(self), self->net->grads, &update_terms);
    eg_net_touch(self->net);
    (void)eg_profile_enter(self->profile, before);
}

static void learn(eg_gradient_learner *self)
{
    if (eg_optimizer_bounds_norm(self->optimizer)) {
        learn_whole(self);
        return;
    }
    eg_optimizer_begin(self->optimizer);
    const eg_gradient_consumer consumer = {.consume = update, .user = self, .updates = true};
    eg_net_backward(self->net, self->training, self->dy, &consumer);
}

/* Fills dy too. */
static double loss_of(eg_gradient_learner *self, const eg_batch *batch, const eg_real *y)
{
    size_t outputs = self->net->outputs;
    if (batch->active != NULL) {
        return eg_masked_loss_of(&self->masked, self->loss, batch, outputs, y, self->dy);
    }
    return self->loss->evaluate(batch->size, outputs, y, batch->label, batch->target, self->dy);
}

void eg_gradient_learner_step(eg_gradient_learner *self, const eg_batch *batch,
                              const eg_regularisation *regularisation, eg_step_outcome *out)
{
    out->outputs = eg_net_forward(self->net, self->training, EG_MODE_TRAIN, batch->size, batch->x,
                                  batch->sparse);
    out->loss = loss_of(self, batch, out->outputs);
    if (isfinite(out->loss)) {
        self->regularisation = regularisation;
        learn(self);
        eg_net_updated(self->net, self->training);
    }
}

eg_status eg_gradient_learner_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    const eg_real *y = eg_net_forward(self->net, self->evaluation, EG_MODE_PREDICT, batch->size,
                                      batch->x, batch->sparse);
    memcpy(scores, y, batch->size * self->net->outputs * sizeof *scores);
    return eg_ok();
}

void eg_gradient_learner_activity(const eg_learner *learner, double *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    memcpy(out, self->active, self->base.hidden_layers * sizeof *out);
}

double eg_gradient_learner_flops(const eg_learner *learner)
{
    return eg_net_flops(((const eg_gradient_learner *)learner)->net);
}

double eg_gradient_learner_extra_flops(const eg_learner *learner)
{
    return ((const eg_gradient_learner *)learner)->extra_flops;
}

void eg_gradient_learner_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    eg_net_write(self->net, writer);
    eg_optimizer_write(self->optimizer, writer);
    eg_write_f64(writer, self->extra_flops);
}

eg_status eg_gradient_learner_read(eg_learner *learner, eg_reader *reader)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    EG_TRY(eg_net_read(self->net, reader));
    EG_TRY(eg_optimizer_read(self->optimizer, reader));
    double flops = eg_read_f64(reader);
    if (!(flops >= 0)) {
        return eg_fail(EG_INVALID, "saved learner: %g operations, expected 0 or more", flops);
    }
    self->extra_flops = flops;
    return eg_ok();
}

eg_status eg_gradient_learner_weights(eg_learner *learner, eg_weights_pass *pass)
{
    return eg_weights_net(pass, "network", ((eg_gradient_learner *)learner)->net);
}
