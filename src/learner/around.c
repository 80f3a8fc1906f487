/** A learner around another one that passes on; see learner/around.h. */
#include "learner/around.h"

#include "engram/memory.h"

#include <math.h>

static eg_status find_networks(eg_around *self)
{
    eg_learner *inside = self->inside;
    bool (*network)(eg_learner *, size_t, eg_learner_network *) = inside->ops->network;
    eg_learner_network at;
    size_t count = 0;
    if (network == NULL) {
        return eg_ok();
    }
    while (network(inside, count, &at)) {
        count++;
    }
    EG_TRY(eg_alloc(&self->network, count, sizeof *self->network));
    for (; self->network_count < count; self->network_count++) {
        (void)network(inside, self->network_count, &self->network[self->network_count].at);
    }
    return eg_ok();
}

eg_status eg_around_init(eg_around *self, const eg_learner_ops *ops, const eg_view *view,
                         const eg_learner_setup *setup, const char *around)
{
    self->base.ops = ops;
    EG_TRY(eg_learner_create_inside(&self->inside, view, setup));
    if (around != NULL) {
        EG_TRY(eg_learner_needs_network(self->inside, around));
    }
    self->base.hidden_layers = self->inside->hidden_layers;
    self->base.reads_sparse = self->inside->reads_sparse;
    return find_networks(self);
}

void eg_around_clear(eg_around *self)
{
    eg_learner_free(self->inside);
    eg_free(self->network);
}

void eg_around_free(eg_learner *learner)
{
    if (learner == NULL) {
        return;
    }
    eg_around_clear((eg_around *)learner);
    eg_free(learner);
}

eg_status eg_around_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_around *self = (eg_around *)learner;
    for (size_t n = 0; n < self->network_count; n++) {
        self->network[n].before = self->network[n].at.net->step;
    }
    EG_TRY(self->inside->ops->step(self->inside, batch, out));
    for (size_t n = 0; n < self->network_count; n++) {
        eg_around_network *network = &self->network[n];
        network->updated = isfinite(out->loss) && network->at.net->step != network->before;
        network->updates += network->updated ? 1 : 0;
    }
    return eg_ok();
}

size_t eg_around_head(const eg_net *net)
{
    size_t head = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        head = net->nodes[i].layer.block_count > 0 ? i : head;
    }
    return head;
}

eg_status eg_around_begin_phase(eg_learner *learner, size_t phase)
{
    return eg_learner_begin_phase(((eg_around *)learner)->inside, phase);
}

eg_status eg_around_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    return eg_learner_end_epoch(((eg_around *)learner)->inside, phase, epoch, enough);
}

size_t eg_around_end_epoch_polls(const eg_learner *learner, size_t phase)
{
    return eg_learner_end_epoch_polls(((const eg_around *)learner)->inside, phase);
}

eg_status eg_around_end_phase(eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase(((eg_around *)learner)->inside, phase);
}

size_t eg_around_end_phase_polls(const eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase_polls(((const eg_around *)learner)->inside, phase);
}

eg_status eg_around_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_learner *inside = ((eg_around *)learner)->inside;
    return inside->ops->predict(inside, batch, scores);
}

void eg_around_activity(const eg_learner *learner, double *out)
{
    eg_learner_activity(((const eg_around *)learner)->inside, out);
}

eg_status eg_around_declare(eg_learner *learner, eg_record *record, size_t evals)
{
    return eg_learner_declare(((eg_around *)learner)->inside, record, evals);
}

eg_status eg_around_measure(eg_learner *learner, eg_record *record, size_t eval)
{
    return eg_learner_measure(((eg_around *)learner)->inside, record, eval);
}

bool eg_around_network_at(eg_learner *learner, size_t index, eg_learner_network *out)
{
    const eg_around *self = (const eg_around *)learner;
    if (index >= self->network_count) {
        return false;
    }
    *out = self->network[index].at;
    return true;
}

bool eg_around_replaced(const eg_learner *learner, double *counts)
{
    return eg_learner_replaced(((const eg_around *)learner)->inside, counts);
}

double eg_around_flops(const eg_learner *learner)
{
    const eg_learner *inside = ((const eg_around *)learner)->inside;
    return inside->ops->flops(inside);
}

double eg_around_extra_flops(const eg_learner *learner)
{
    const eg_around *self = (const eg_around *)learner;
    return self->own_flops + eg_learner_extra_flops(self->inside);
}

eg_status eg_around_weights(eg_learner *learner, eg_weights_pass *pass)
{
    return eg_learner_weights(((eg_around *)learner)->inside, pass);
}

void eg_around_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_learner *inside = ((const eg_around *)learner)->inside;
    inside->ops->write(inside, writer);
}

eg_status eg_around_read(eg_learner *learner, eg_reader *reader)
{
    eg_learner *inside = ((eg_around *)learner)->inside;
    return inside->ops->read(inside, reader);
}

void eg_around_write_counts(const eg_learner *learner, eg_writer *writer)
{
    const eg_around *self = (const eg_around *)learner;
    for (size_t n = 0; n < self->network_count; n++) {
        eg_write_u64(writer, self->network[n].updates);
    }
    eg_write_f64(writer, self->own_flops);
    eg_around_write(learner, writer);
}

eg_status eg_around_read_counts(eg_learner *learner, eg_reader *reader)
{
    eg_around *self = (eg_around *)learner;
    for (size_t n = 0; n < self->network_count; n++) {
        self->network[n].updates = eg_read_u64(reader);
    }
    self->own_flops = eg_read_f64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (!(self->own_flops >= 0)) {
        return eg_fail(EG_INVALID, "saved learner: %g operations, expected 0 or more",
                       self->own_flops);
    }
    return eg_around_read(learner, reader);
}
