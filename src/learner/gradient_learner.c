/** One network, one optimizer, one update per minibatch; see learner/gradient_learner.h. */
#include "learner/gradient_learner.h"

#include "engram/memory.h"
#include "learner/capacity.h"
#include "learner/outputs.h"

#include <math.h>
#include <string.h>

/* Active outputs of the predict under way. */
static void count_active(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    eg_gradient_learner *self = user;
    const eg_hidden_layer *layer = &self->net->hidden[hidden];
    size_t count = batch * layer->positions * layer->parts * layer->units;
    size_t active = 0;
    for (size_t k = 0; k < count; k++) {
        active += y[k] != 0;
    }
    self->active[hidden] += (double)active;
}

static eg_status open_evaluation(eg_gradient_learner *self)
{
    EG_TRY(eg_workspace_create(&self->evaluation, self->net, self->block, false));
    self->observer = (eg_unit_observer){.observe = count_active, .user = self};
    eg_workspace_observe(self->evaluation, &self->observer);
    return eg_ok();
}

static void close_evaluation(eg_gradient_learner *self)
{
    eg_workspace_free(self->evaluation);
    self->evaluation = NULL;
}

/* All that has the sizes of the network. */
static eg_status attach(eg_gradient_learner *self, const eg_learner_setup *setup, size_t batch,
                        bool carries)
{
    EG_TRY(eg_workspace_create(&self->training, self->net, batch, true));
    EG_TRY(eg_workspace_predict_block(&self->block, self->net, setup->block));
    EG_TRY(eg_optimizer_create(&self->optimizer, setup->root, &self->net->table, carries,
                               setup->seed));
    eg_workspace_profile(self->training, setup->profile);
    eg_optimizer_profile(self->optimizer, setup->profile);
    EG_TRY(eg_alloc(&self->active, self->net->hidden_count, sizeof *self->active));
    EG_TRY(open_evaluation(self));
    self->base.hidden_layers = self->net->hidden_count;
    self->base.reads_sparse = eg_net_takes_sparse(self->net);
    return eg_ok();
}

static void detach(eg_gradient_learner *self)
{
    close_evaluation(self);
    eg_workspace_free(self->training);
    eg_optimizer_free(self->optimizer);
    eg_net_free(self->net);
    eg_free(self->active);
    self->training = NULL;
    self->optimizer = NULL;
    self->net = NULL;
    self->active = NULL;
}

eg_status eg_gradient_learner_init_with(eg_gradient_learner *self, const eg_learner_setup *setup,
                                        eg_net *net, size_t batch, bool carries)
{
    const eg_stream_shape *shape = &setup->shape;
    self->net = net;
    self->loss = (const eg_loss *)(const void *)eg_view_component(setup->root, "loss");
    self->profile = setup->profile;
    self->stream = setup->stream;
    EG_TRY(attach(self, setup, batch, carries));
    const size_t rows = batch * eg_stream_positions(shape);
    EG_TRY(rows == batch
               ? eg_ok()
               : eg_model_check_positions(setup->root, net->outputs, rows / batch, shape->outputs));
    EG_TRY(eg_alloc(&self->dy, rows * shape->outputs, sizeof *self->dy));
    return shape->masks_outputs ? eg_masked_loss_init(&self->masked, rows, shape->outputs)
                                : eg_ok();
}

eg_status eg_gradient_learner_init(eg_gradient_learner *self, const eg_learner_setup *setup,
                                   size_t batch, bool carries)
{
    const eg_stream_shape *shape = &setup->shape;
    eg_net *net = NULL;
    EG_TRY(eg_model_build(&net, setup->root, shape->input, shape->outputs, batch, setup->seed));
    return eg_gradient_learner_init_with(self, setup, net, batch, carries);
}

eg_status eg_gradient_learner_put(eg_gradient_learner *self, const eg_learner_setup *setup,
                                  eg_net *net, size_t batch, bool carries)
{
    detach(self);
    self->net = net;
    return attach(self, setup, batch, carries);
}

void eg_gradient_learner_clear(eg_gradient_learner *self)
{
    detach(self);
    eg_free(self->dy);
    eg_masked_loss_clear(&self->masked);
}

eg_status eg_gradient_learner_begin_phase(eg_learner *learner, size_t phase)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    eg_phase about = eg_stream_phase(self->stream, phase);
    eg_optimizer_begin_phase(self->optimizer, phase, about.steps);
    eg_outputs_begin_phase(self->net, self->optimizer, &about, phase);
    return eg_ok();
}

double eg_gradient_learner_loss(eg_gradient_learner *self, const eg_batch *batch, const eg_real *y)
{
    const size_t rows = eg_batch_rows(batch);
    const size_t outputs = self->net->outputs * batch->size / rows;
    if (batch->active != NULL || batch->row_task != NULL) {
        return eg_masked_loss_of(&self->masked, self->loss, batch, outputs, y, self->dy);
    }
    return self->loss->evaluate(rows, outputs, y, batch->label, batch->target, self->dy);
}

eg_status eg_gradient_learner_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    eg_net *net = self->net;
    out->outputs =
        eg_net_forward(net, self->training, EG_MODE_TRAIN, batch->size, batch->x, batch->sparse);
    out->loss = eg_gradient_learner_loss(self, batch, out->outputs);
    if (isfinite(out->loss)) {
        const eg_gradient_consumer *consumer =
            eg_optimizer_begin(self->optimizer, net->params, net->grads, self->terms);
        eg_net_backward(net, self->training, self->dy, consumer);
        eg_optimizer_end(self->optimizer);
        eg_net_updated(net, self->training);
        self->learned += batch->size;
    }
    return eg_ok();
}

/* Scores of examples first … first+size-1. */
static const eg_real *predict_rows(eg_gradient_learner *self, const eg_batch *batch, size_t first,
                                   size_t size)
{
    const eg_real *x = batch->x != NULL ? batch->x + first * self->net->inputs : NULL;
    if (batch->sparse == NULL) {
        return eg_net_forward(self->net, self->evaluation, EG_MODE_PREDICT, size, x, NULL);
    }
    const eg_sparse rows = eg_sparse_rows(batch->sparse, first, size);
    return eg_net_forward(self->net, self->evaluation, EG_MODE_PREDICT, size, x, &rows);
}

eg_status eg_gradient_learner_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    eg_net *net = self->net;
    EG_TRY(self->evaluation == NULL ? open_evaluation(self) : eg_ok());
    for (size_t h = 0; h < net->hidden_count; h++) {
        self->active[h] = 0;
    }
    for (size_t first = 0; first < batch->size; first += self->block) {
        size_t left = batch->size - first;
        size_t size = left < self->block ? left : self->block;
        const eg_real *y = predict_rows(self, batch, first, size);
        memcpy(scores + first * net->outputs, y, size * net->outputs * sizeof *scores);
    }
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        size_t count = batch->size * layer->positions * layer->parts * layer->units;
        self->active[h] = self->active[h] / (double)count;
    }
    return eg_ok();
}

void eg_gradient_learner_activity(const eg_learner *learner, double *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    memcpy(out, self->active, self->base.hidden_layers * sizeof *out);
}

bool eg_gradient_learner_network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    *out = (eg_learner_network){
        .net = self->net, .optimizer = self->optimizer, .training = self->training};
    return index == 0;
}

void eg_gradient_learner_freeze(eg_learner *learner)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    eg_workspace_free(self->training);
    eg_optimizer_free(self->optimizer);
    eg_free(self->dy);
    eg_masked_loss_clear(&self->masked);
    eg_net_drop_gradients(self->net);
    close_evaluation(self);
    self->training = NULL;
    self->optimizer = NULL;
    self->dy = NULL;
    self->masked = (eg_masked_loss){0};
}

void eg_gradient_learner_rest(eg_learner *learner)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    if (self->optimizer == NULL) {
        close_evaluation(self);
    }
}

double eg_gradient_learner_flops(const eg_learner *learner)
{
    return eg_net_flops(((const eg_gradient_learner *)learner)->net);
}

double eg_gradient_learner_extra_flops(const eg_learner *learner)
{
    return ((const eg_gradient_learner *)learner)->extra_flops;
}

bool eg_gradient_learner_costs(const eg_learner *learner, eg_learner_costs *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    eg_net_work work = eg_net_macs(self->net);
    double learned = (double)self->learned;
    out->parameters += (double)eg_parameter_table_size(&self->net->table, EG_ROLE_COUNT);
    out->predict_macs += work.forward;
    out->train_macs += learned * work.forward;
    out->train_flops += learned * 2 * (work.forward + work.backward);
    return true;
}

bool eg_gradient_learner_capacity(const eg_learner *learner, size_t learned,
                                  eg_learner_capacity *out)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    out->base = (double)(eg_trunk_size(self->net, EG_ROLE_COUNT) +
                         eg_heads_size(self->net, self->stream, learned));
    out->stored = out->base;
    return true;
}

void eg_gradient_learner_write_rest(const eg_learner *learner, eg_writer *writer)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    if (self->optimizer != NULL) {
        eg_optimizer_write(self->optimizer, writer);
    }
    eg_write_u64(writer, self->learned);
    eg_write_f64(writer, self->extra_flops);
}

void eg_gradient_learner_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_gradient_learner *self = (const eg_gradient_learner *)learner;
    eg_net_write(self->net, writer);
    eg_gradient_learner_write_rest(learner, writer);
}

eg_status eg_gradient_learner_read_rest(eg_learner *learner, eg_reader *reader)
{
    eg_gradient_learner *self = (eg_gradient_learner *)learner;
    EG_TRY(self->optimizer != NULL ? eg_optimizer_read(self->optimizer, reader) : eg_ok());
    self->learned = eg_read_u64(reader);
    double flops = eg_read_f64(reader);
    if (!(flops >= 0)) {
        return eg_fail(EG_INVALID, "saved learner: %g operations, expected 0 or more", flops);
    }
    self->extra_flops = flops;
    return eg_ok();
}

eg_status eg_gradient_learner_read(eg_learner *learner, eg_reader *reader)
{
    EG_TRY(eg_net_read(((eg_gradient_learner *)learner)->net, reader));
    return eg_gradient_learner_read_rest(learner, reader);
}

eg_status eg_gradient_learner_weights(eg_learner *learner, eg_weights_pass *pass)
{
    return eg_weights_net(pass, "network", ((eg_gradient_learner *)learner)->net);
}
