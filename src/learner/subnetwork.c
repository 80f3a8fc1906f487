/** Steps and predictions with a part of a network; see learner/subnetwork.h. */
#include "learner/subnetwork.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

eg_status eg_subnetwork_init(eg_subnetwork *self, const eg_learner_setup *setup,
                             const eg_subnetwork_rule *rule)
{
    self->rule = rule;
    self->shown = EG_NO_TASK;
    EG_TRY(eg_gradient_learner_init(&self->gradient, setup, setup->shape.batch, false));
    const eg_net *net = self->gradient.net;
    EG_TRY(eg_learner_check_nodes(setup->root, net->node_count, net->nodes));
    EG_TRY(eg_alloc(&self->raw, net->param_count, sizeof *self->raw));
    EG_TRY(eg_alloc(&self->kept, net->param_count, sizeof *self->kept));
    EG_TRY(eg_alloc(&self->fixed, net->param_count, sizeof *self->fixed));
    memcpy(self->raw, net->params, net->param_count * sizeof *self->raw);
    return eg_ok();
}

void eg_subnetwork_clear(eg_subnetwork *self)
{
    eg_free(self->raw);
    eg_free(self->kept);
    eg_free(self->fixed);
    eg_gradient_learner_clear(&self->gradient);
}

static void fix_output(const eg_node *head, size_t output, uint8_t *fixed)
{
    eg_unit_run run;
    for (size_t k = 0; head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, output, k, &run);
         k++) {
        size_t first = head->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            fixed[first + i * run.stride] = 1;
        }
    }
}

/* Outputs that are not of this phase. */
static void fix_heads(eg_subnetwork *self)
{
    const eg_net *net = self->gradient.net;
    const eg_active *active = eg_stream_phase(self->gradient.stream, self->phase).active;
    for (size_t n = 0; n < net->node_count; n++) {
        bool head = eg_node_is_head(&net->nodes[n]);
        for (size_t j = 0; head && j < net->outputs; j++) {
            bool learns = active == NULL || eg_active_place(active, (uint32_t)j) < active->count;
            if (!learns) {
                fix_output(&net->nodes[n], j, self->fixed);
            }
        }
    }
}

void eg_subnetwork_changed(eg_subnetwork *self)
{
    self->shown = EG_NO_TASK;
    if (self->fixed == NULL) { /* frozen */
        return;
    }
    size_t count = self->gradient.net->param_count;
    memset(self->fixed, 0, count);
    fix_heads(self);
    self->rule->fix(self, self->fixed);
    memcpy(self->kept, self->raw, count * sizeof *self->kept);
}

/* What the optimizer remembers of parameters while they are fixed is none of their gradients. */
static void forget_fixed(eg_subnetwork *self)
{
    size_t count = self->gradient.net->param_count;
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end < count && self->fixed[end] != 0) {
            end++;
        }
        if (end > i) {
            eg_optimizer_reset(self->gradient.optimizer, i, end - i, 1);
        }
        i = end + 1;
    }
}

eg_status eg_subnetwork_begin_phase(eg_learner *learner, size_t phase)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    const eg_phase about = eg_stream_phase(self->gradient.stream, phase);
    forget_fixed(self);
    eg_optimizer_begin_phase(self->gradient.optimizer, phase, about.steps);
    self->phase = phase;
    eg_subnetwork_changed(self);
    return eg_ok();
}

static void update(eg_subnetwork *self, const eg_batch *batch)
{
    eg_net *net = self->gradient.net;
    if (self->rule->pull != NULL) {
        self->rule->pull(self, batch, net->grads);
    }
    for (size_t i = 0; i < net->param_count; i++) {
        net->grads[i] = self->fixed[i] != 0 ? 0 : net->grads[i];
    }
    eg_optimizer_step(self->gradient.optimizer, self->raw, net->grads);
    for (size_t i = 0; i < net->param_count; i++) {
        self->raw[i] = self->fixed[i] != 0 ? self->kept[i] : self->raw[i];
    }
}

/* The network's parameters are set anew in every step, and no layer follows updates (check_layers):
 * there is nothing for eg_net_updated to do. */
eg_status eg_subnetwork_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    eg_gradient_learner *gradient = &self->gradient;
    eg_net *net = gradient->net;
    self->rule->weights(self, self->phase, true, net->params);
    eg_net_touch(net);
    self->shown = EG_NO_TASK;
    out->outputs = eg_net_forward(net, gradient->training, EG_MODE_TRAIN, batch->size, batch->x,
                                  batch->sparse);
    out->loss = eg_gradient_learner_loss(gradient, batch, out->outputs);
    if (isfinite(out->loss)) {
        eg_net_backward(net, gradient->training, gradient->dy, NULL);
        update(self, batch);
        gradient->learned += batch->size;
    }
    return eg_ok();
}

eg_status eg_subnetwork_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    if (batch->task == EG_NO_TASK) {
        return eg_fail(EG_INVALID,
                       "learner %s predicts for a task, and these examples do not say of which",
                       self->rule->name);
    }
    if (self->shown != batch->task) {
        self->rule->weights(self, batch->task, false, self->gradient.net->params);
        eg_net_touch(self->gradient.net);
        self->shown = batch->task;
    }
    return eg_gradient_learner_predict(learner, batch, scores);
}

void eg_subnetwork_freeze(eg_learner *learner)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    eg_gradient_learner_freeze(learner);
    eg_free(self->kept);
    eg_free(self->fixed);
    self->kept = NULL;
    self->fixed = NULL;
}

void eg_subnetwork_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_subnetwork *self = (const eg_subnetwork *)learner;
    eg_write_u64(writer, self->phase);
    eg_write_u64(writer, self->gradient.net->step);
    eg_write_reals(writer, self->gradient.net->param_count, self->raw);
    eg_gradient_learner_write_rest(learner, writer);
}

eg_status eg_subnetwork_read(eg_learner *learner, eg_reader *reader)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    uint64_t phase = eg_read_u64(reader);
    self->gradient.net->step = eg_read_u64(reader);
    EG_TRY(eg_read_reals(reader, self->gradient.net->param_count, self->raw, "raw weights"));
    if (phase >= self->gradient.stream->shape.phases) {
        return eg_fail(EG_INVALID, "saved learner: phase %llu, the stream has %zu",
                       (unsigned long long)phase, self->gradient.stream->shape.phases);
    }
    self->phase = (size_t)phase;
    EG_TRY(eg_gradient_learner_read_rest(learner, reader));
    eg_subnetwork_changed(self);
    return eg_ok();
}

eg_status eg_subnetwork_weights(eg_learner *learner, eg_weights_pass *pass)
{
    eg_subnetwork *self = (eg_subnetwork *)learner;
    eg_net *net = self->gradient.net;
    size_t size = net->param_count * sizeof *self->raw;
    self->shown = EG_NO_TASK;
    memcpy(net->params, self->raw, size);
    EG_TRY(eg_weights_net(pass, "network", net));
    memcpy(self->raw, net->params, size);
    eg_net_touch(net);
    return eg_ok();
}
