/** A learner around another one that passes on; see learner/around.h. */
#include "learner/around.h"

#include "engram/memory.h"

#include <math.h>

/* Told of parameters that begin anew; of interest is all of them at once. */
static void renewed(void *user, size_t first, size_t count, size_t stride)
{
    const eg_around_net *network = user;
    eg_around *self = network->around;
    (void)stride;
    if (first == 0 && count == network->at.net->param_count) {
        self->method->renewed(self, (size_t)(network - self->network));
    }
}

static eg_status find_networks(eg_around *self)
{
    eg_learner *inside = self->inside;
    bool (*at)(eg_learner *, size_t, eg_learner_network *) = inside->ops->network;
    eg_learner_network any;
    size_t count = 0;
    while (at != NULL && at(inside, count, &any)) {
        count++;
    }
    EG_TRY(eg_alloc(&self->network, count, sizeof *self->network));
    for (; self->network_count < count; self->network_count++) {
        eg_around_net *network = &self->network[self->network_count];
        (void)at(inside, self->network_count, &network->at);
        network->around = self;
        network->told = (eg_gradient_term){.renewed = renewed, .user = network};
        if (self->method->renewed != NULL) {
            EG_TRY(eg_optimizer_attach(network->at.optimizer, &network->told));
        }
    }
    return eg_ok();
}

static eg_status open_all(eg_around *self, const eg_view *view, const eg_learner_setup *setup)
{
    const eg_around_method *method = self->method;
    EG_TRY(eg_learner_create_inside(&self->inside, view, setup));
    EG_TRY(method->does_without ? eg_ok() : eg_learner_needs_network(self->inside, method->name));
    self->base.hidden_layers = self->inside->hidden_layers;
    self->base.reads_sparse = self->inside->reads_sparse;
    EG_TRY(find_networks(self));
    if (method->part_size > 0) {
        EG_TRY(eg_alloc(&self->parts, self->network_count, method->part_size));
    }
    if (method->open != NULL) {
        EG_TRY(method->open(self, view, setup));
    }
    for (size_t n = 0; method->open_part != NULL && n < self->network_count; n++) {
        EG_TRY(method->open_part(self, n, view));
    }
    return eg_ok();
}

/* The method's own operations, and where it has none those that pass on. */
static eg_learner_ops operations(const eg_learner_ops *own)
{
#define EITHER(op) .op = own->op != NULL ? own->op : eg_around_##op
    return (eg_learner_ops){
        EITHER(free),         EITHER(begin_phase),     EITHER(begin_phase_polls),
        EITHER(step),         EITHER(end_epoch),       EITHER(end_epoch_polls),
        EITHER(end_phase),    EITHER(end_phase_polls), EITHER(predict),
        EITHER(scores),       EITHER(activity),        EITHER(declare),
        EITHER(measure),      EITHER(network),         EITHER(replaced),
        EITHER(epoch_scores), EITHER(freeze),          EITHER(rest),
        EITHER(flops),        EITHER(extra_flops),     EITHER(costs),
        EITHER(capacity),     EITHER(write),           EITHER(read),
        EITHER(weights),      EITHER(forget),
    };
#undef EITHER
}

eg_status eg_around_create(eg_learner **out, const eg_around_method *method, const eg_view *view,
                           const eg_learner_setup *setup)
{
    eg_around *self = NULL;
    EG_TRY(eg_alloc(&self, 1, method->size));
    self->ops = operations(&method->ops);
    self->base.ops = &self->ops;
    self->method = method;
    self->profile = setup->profile;
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        eg_around_free(&self->base);
        return status;
    }
    *out = &self->base;
    return status;
}

/* The learner inside first: its optimizers have terms of the parts. */
void eg_around_free(eg_learner *learner)
{
    eg_around *self = (eg_around *)learner;
    const eg_around_method *method = self->method;
    eg_learner_free(self->inside);
    for (size_t n = 0; self->parts != NULL && n < self->network_count; n++) {
        method->close_part(self, n);
    }
    if (method->close != NULL) {
        method->close(self);
    }
    eg_free(self->parts);
    eg_free(self->network);
    eg_free(self);
}

void *eg_around_part(const eg_around *self, size_t n)
{
    return (char *)self->parts + n * self->method->part_size;
}

static void act(eg_around *self)
{
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    for (size_t n = 0; n < self->network_count; n++) {
        if (self->network[n].updated) {
            self->method->after_update(self, n);
        }
    }
    (void)eg_profile_enter(self->profile, before);
}

eg_status eg_around_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_around *self = (eg_around *)learner;
    for (size_t n = 0; n < self->network_count; n++) {
        self->network[n].before = self->network[n].at.net->step;
    }
    EG_TRY(self->inside->ops->step(self->inside, batch, out));
    for (size_t n = 0; n < self->network_count; n++) {
        eg_around_net *network = &self->network[n];
        network->updated = isfinite(out->loss) && network->at.net->step != network->before;
        network->updates += network->updated ? 1 : 0;
    }
    if (self->method->after_update != NULL) {
        act(self);
    }
    return eg_ok();
}

/* Networks of a learner that reshapes are others now. */
static void follow(eg_around *self)
{
    for (size_t n = 0; n < self->network_count; n++) {
        (void)self->inside->ops->network(self->inside, n, &self->network[n].at);
    }
}

eg_status eg_around_begin_phase(eg_learner *learner, size_t phase)
{
    eg_around *self = (eg_around *)learner;
    EG_TRY(eg_learner_begin_phase(self->inside, phase));
    follow(self);
    return eg_ok();
}

size_t eg_around_begin_phase_polls(const eg_learner *learner, size_t phase)
{
    return eg_learner_begin_phase_polls(((const eg_around *)learner)->inside, phase);
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

eg_scores eg_around_scores(const eg_learner *learner)
{
    return eg_learner_scores(((const eg_around *)learner)->inside);
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

bool eg_around_network(eg_learner *learner, size_t index, eg_learner_network *out)
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

const double *eg_around_epoch_scores(const eg_learner *learner, size_t index, size_t *count)
{
    return eg_learner_epoch_scores(((const eg_around *)learner)->inside, index, count);
}

void eg_around_freeze(eg_learner *learner)
{
    eg_around *self = (eg_around *)learner;
    eg_learner_freeze(self->inside);
    follow(self);
}

void eg_around_rest(eg_learner *learner)
{
    eg_learner_rest(((eg_around *)learner)->inside);
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

bool eg_around_costs(const eg_learner *learner, eg_learner_costs *out)
{
    return eg_learner_add_costs(((const eg_around *)learner)->inside, out);
}

bool eg_around_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    return eg_learner_get_capacity(((const eg_around *)learner)->inside, learned, out);
}

eg_status eg_around_weights(eg_learner *learner, eg_weights_pass *pass)
{
    eg_around *self = (eg_around *)learner;
    bool given = pass->into_learner && !pass->again && self->method->given != NULL;
    EG_TRY(eg_learner_weights(self->inside, pass));
    follow(self);
    for (size_t n = 0; given && n < self->network_count; n++) {
        self->method->given(self, n);
    }
    return eg_ok();
}

eg_status eg_around_forget(eg_learner *learner, size_t task)
{
    return eg_learner_forget(((eg_around *)learner)->inside, task);
}

void eg_around_write(const eg_learner *learner, eg_writer *writer)
{
    eg_around_write_parts(learner, writer);
    eg_around_write_counts(learner, writer);
    eg_around_write_inside(learner, writer);
}

eg_status eg_around_read(eg_learner *learner, eg_reader *reader)
{
    EG_TRY(eg_around_read_parts(learner, reader));
    EG_TRY(eg_around_read_counts(learner, reader));
    return eg_around_read_inside(learner, reader);
}

void eg_around_write_parts(const eg_learner *learner, eg_writer *writer)
{
    const eg_around *self = (const eg_around *)learner;
    for (size_t n = 0; self->method->write_part != NULL && n < self->network_count; n++) {
        self->method->write_part(self, n, writer);
    }
}

eg_status eg_around_read_parts(eg_learner *learner, eg_reader *reader)
{
    eg_around *self = (eg_around *)learner;
    for (size_t n = 0; self->method->read_part != NULL && n < self->network_count; n++) {
        EG_TRY(self->method->read_part(self, n, reader));
    }
    return eg_ok();
}

void eg_around_write_counts(const eg_learner *learner, eg_writer *writer)
{
    const eg_around *self = (const eg_around *)learner;
    for (size_t n = 0; n < self->network_count; n++) {
        eg_write_u64(writer, self->network[n].updates);
    }
    eg_write_f64(writer, self->own_flops);
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
    return eg_ok();
}

void eg_around_write_inside(const eg_learner *learner, eg_writer *writer)
{
    const eg_learner *inside = ((const eg_around *)learner)->inside;
    inside->ops->write(inside, writer);
}

eg_status eg_around_read_inside(eg_learner *learner, eg_reader *reader)
{
    eg_around *self = (eg_around *)learner;
    EG_TRY(self->inside->ops->read(self->inside, reader));
    follow(self);
    return eg_ok();
}
