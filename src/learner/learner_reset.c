/** Reset: at the start of each phase but the first, a part of the network of any learner gets new initial
 *  values, and the optimizer fresh state for it. Initial values are keyed by seed and phase. */
#include "engram/batch.h"
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

/* Which part; the order is that of the names. */
typedef enum reset_what {
    RESET_HEAD,        /* the last layer with weights */
    RESET_NEW_OUTPUTS, /* of it, outputs that become active with the phase: a growing head */
    RESET_NETWORK,     /* everything: the learner is trained again */
} reset_what;

static const char *const what_names[] = {
    [RESET_HEAD] = "head", [RESET_NEW_OUTPUTS] = "new_outputs", [RESET_NETWORK] = "network", NULL};

typedef struct reset {
    eg_learner base;
    eg_learner *inside;
    const eg_stream *stream; /* borrowed */
    reset_what what;
    uint64_t seed;
    eg_real *old; /* [most parameters of a network] before the reset */
    double *old_buffers;
} reset;

static void reset_free(eg_learner *learner)
{
    reset *self = (reset *)learner;
    eg_learner_free(self->inside);
    eg_free(self->old);
    eg_free(self->old_buffers);
    eg_free(self);
}

/* Whether an output is active in this phase and was not in any before. */
static bool is_new(const eg_stream *stream, size_t phase, uint32_t output)
{
    for (size_t p = 0; p <= phase; p++) {
        const eg_active *active = eg_stream_phase(stream, p).active;
        bool takes_part = active == NULL || eg_active_place(active, output) < active->count;
        if (takes_part) {
            return p == phase;
        }
    }
    return false;
}

/* The last node with parameters. */
static size_t head_of(const eg_net *net)
{
    size_t head = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        head = net->nodes[i].layer.block_count > 0 ? i : head;
    }
    return head;
}

/* Puts the new values of unit `unit` of the head, in `fresh`, into the network. */
static void renew_unit(const eg_learner_network *network, const eg_node *head, size_t unit,
                       const eg_real *fresh)
{
    eg_unit_run run;
    for (size_t k = 0; head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, unit, k, &run);
         k++) {
        size_t first = head->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            network->net->params[first + i * run.stride] = fresh[first + i * run.stride];
        }
        eg_optimizer_reset(network->optimizer, first, run.count, run.stride);
    }
}

static void renew(reset *self, const eg_learner_network *network, size_t phase, uint64_t seed)
{
    eg_net *net = network->net;
    const eg_node *head = &net->nodes[head_of(net)];
    uint64_t own_seed = net->seed;
    uint64_t step = net->step;
    memcpy(self->old, net->params, net->param_count * sizeof *self->old);
    for (size_t k = 0; k < net->buffer_count; k++) {
        self->old_buffers[k] = net->buffers[k];
    }
    eg_net_init(net, seed);
    net->seed = own_seed;
    if (self->what == RESET_NETWORK) {
        eg_optimizer_restart(network->optimizer);
        return;
    }
    net->step = step;
    for (size_t k = 0; k < net->buffer_count; k++) {
        net->buffers[k] = self->old_buffers[k];
    }
    /* The new values are in the network and the old ones in `old`; they change places. */
    for (size_t i = 0; i < net->param_count; i++) {
        eg_real fresh = net->params[i];
        net->params[i] = self->old[i];
        self->old[i] = fresh;
    }
    for (size_t unit = 0; unit < net->outputs; unit++) {
        if (self->what == RESET_HEAD || is_new(self->stream, phase, (uint32_t)unit)) {
            renew_unit(network, head, unit, self->old);
        }
    }
    eg_net_touch(net);
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    reset *self = (reset *)learner;
    eg_learner_network network;
    for (size_t i = 0; phase > 0 && self->inside->ops->network(self->inside, i, &network); i++) {
        eg_rng rng = eg_rng_make(eg_member_seed(self->seed, i), EG_PURPOSE_LEARNER, phase);
        renew(self, &network, phase, eg_rng_u64(&rng));
    }
    return eg_learner_begin_phase(self->inside, phase);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_learner *inside = ((reset *)learner)->inside;
    return inside->ops->step(inside, batch, out);
}

static eg_status end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    return eg_learner_end_epoch(((reset *)learner)->inside, phase, epoch, enough);
}

static eg_status end_phase(eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase(((reset *)learner)->inside, phase);
}

static size_t end_phase_polls(const eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase_polls(((const reset *)learner)->inside, phase);
}

static eg_status predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_learner *inside = ((reset *)learner)->inside;
    return inside->ops->predict(inside, batch, scores);
}

static void activity(const eg_learner *learner, double *out)
{
    eg_learner_activity(((const reset *)learner)->inside, out);
}

static bool network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    eg_learner *inside = ((reset *)learner)->inside;
    return inside->ops->network(inside, index, out);
}

static double flops(const eg_learner *learner)
{
    const eg_learner *inside = ((const reset *)learner)->inside;
    return inside->ops->flops(inside);
}

static double extra_flops(const eg_learner *learner)
{
    return eg_learner_extra_flops(((const reset *)learner)->inside);
}

static void reset_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_learner *inside = ((const reset *)learner)->inside;
    inside->ops->write(inside, writer);
}

static eg_status reset_read(eg_learner *learner, eg_reader *reader)
{
    eg_learner *inside = ((reset *)learner)->inside;
    return inside->ops->read(inside, reader);
}

static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    return eg_learner_weights(((reset *)learner)->inside, pass);
}

static const eg_learner_ops reset_ops = {
    .free = reset_free,
    .begin_phase = begin_phase,
    .step = step,
    .end_epoch = end_epoch,
    .end_phase = end_phase,
    .end_phase_polls = end_phase_polls,
    .predict = predict,
    .activity = activity,
    .network = network,
    .flops = flops,
    .extra_flops = extra_flops,
    .write = reset_write,
    .read = reset_read,
    .weights = weights,
};

static eg_status reset_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    reset *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = &reset_ops;
    self->stream = setup->stream;
    self->what = (reset_what)eg_view_name(view, "what");
    self->seed = setup->seed;
    size_t params = 0;
    size_t buffers = 0;
    eg_learner_network network;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_learner_create_inside(&self->inside, view, setup));
    EG_TRY_DONE(status, eg_learner_needs_network(self->inside, "reset"));
    for (size_t i = 0; self->inside->ops->network(self->inside, i, &network); i++) {
        params = network.net->param_count > params ? network.net->param_count : params;
        buffers = network.net->buffer_count > buffers ? network.net->buffer_count : buffers;
    }
    EG_TRY_DONE(status, eg_alloc(&self->old, params, sizeof *self->old));
    EG_TRY_DONE(status, eg_alloc(&self->old_buffers, buffers, sizeof *self->old_buffers));
    self->base.hidden_layers = self->inside->hidden_layers;
    self->base.reads_sparse = self->inside->reads_sparse;
    *out = &self->base;
    return status;
done:
    reset_free(&self->base);
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "what",
     .type = EG_TYPE_NAME,
     .default_text = "head",
     .names = what_names,
     .doc =
         "what starts anew: the last layer (head); of it the outputs that become active with the "
         "phase, as stream.active says (new_outputs: a growing head); or all of the network"},
};

const eg_learner_kind eg_learner_reset = {
    .component = {.name = "reset",
                  .doc = "any learner; a part of its network gets new initial weights, and fresh "
                         "optimizer state, when a phase starts",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .create = reset_create,
};
