/** A part of the network begins anew with a phase; see learner/renewal.h. */
#include "learner/renewal.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

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

/* Puts the new values of unit `unit` of a head, in `fresh`, into the network. */
static void renew_unit(const eg_renewal *self, const eg_learner_network *network,
                       const eg_node *head, size_t unit, const eg_real *fresh)
{
    eg_unit_run run;
    for (size_t k = 0; head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, unit, k, &run);
         k++) {
        size_t first = head->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            network->net->params[first + i * run.stride] = fresh[first + i * run.stride];
        }
        if (self->rule.keeps_state) {
            eg_optimizer_tell(network->optimizer, first, run.count, run.stride);
            continue;
        }
        eg_optimizer_renew(network->optimizer, first, run.count, run.stride);
        eg_optimizer_recount(network->optimizer, first, run.count, run.stride);
    }
}

/* In all heads, from the values in `old`. */
static void renew_output(const eg_renewal *self, const eg_learner_network *network, size_t output)
{
    for (size_t i = 0; i < network->net->node_count; i++) {
        if (eg_node_is_head(&network->net->nodes[i])) {
            renew_unit(self, network, &network->net->nodes[i], output, self->old);
        }
    }
}

static void keep_statistics(const eg_renewal *self, eg_net *net, uint64_t step)
{
    net->step = step;
    for (size_t k = 0; k < net->buffer_count; k++) {
        net->buffers[k] = self->old_buffers[k];
    }
    eg_net_touch(net);
}

static void tell_of_network(const eg_renewal *self, const eg_learner_network *network)
{
    if (self->rule.keeps_state) {
        eg_optimizer_tell(network->optimizer, 0, network->net->param_count, 1);
        return;
    }
    eg_optimizer_restart(network->optimizer);
    eg_optimizer_renew(network->optimizer, 0, network->net->param_count, 1);
}

/* The new values are in the network and the old ones in `old`; they change places. */
static void renew_head(eg_renewal *self, const eg_learner_network *network, size_t phase)
{
    eg_net *net = network->net;
    for (size_t i = 0; i < net->param_count; i++) {
        eg_real fresh = net->params[i];
        net->params[i] = self->old[i];
        self->old[i] = fresh;
    }
    for (size_t unit = 0; unit < net->outputs; unit++) {
        if (self->rule.what == EG_RENEWED_HEAD || is_new(self->stream, phase, (uint32_t)unit)) {
            renew_output(self, network, unit);
        }
    }
    eg_net_touch(net);
}

static void renew(eg_renewal *self, const eg_learner_network *network, size_t phase, uint64_t seed)
{
    eg_net *net = network->net;
    uint64_t own_seed = net->seed;
    uint64_t step = net->step;
    bool whole = self->rule.what == EG_RENEWED_NETWORK;
    memcpy(self->old, net->params, net->param_count * sizeof *self->old);
    for (size_t k = 0; k < net->buffer_count; k++) {
        self->old_buffers[k] = net->buffers[k];
    }
    eg_net_init(net, seed);
    net->seed = own_seed;
    if (!whole || self->rule.keeps_statistics) {
        keep_statistics(self, net, step);
    }
    if (whole) {
        tell_of_network(self, network);
    } else {
        renew_head(self, network, phase);
    }
}

eg_status eg_renewal_begin_phase(eg_learner *learner, size_t phase)
{
    eg_renewal *self = (eg_renewal *)learner;
    for (size_t i = 0; phase > 0 && i < self->around.network_count; i++) {
        eg_rng rng = eg_rng_make(eg_member_seed(self->seed, i), EG_PURPOSE_LEARNER, phase);
        renew(self, &self->around.network[i].at, phase, eg_rng_u64(&rng));
    }
    return eg_around_begin_phase(learner, phase);
}

eg_status eg_renewal_open(eg_around *around, const eg_learner_setup *setup)
{
    eg_renewal *self = (eg_renewal *)around;
    size_t params = 0;
    size_t buffers = 0;
    self->stream = setup->stream;
    self->seed = setup->seed;
    for (size_t n = 0; n < around->network_count; n++) {
        const eg_net *net = around->network[n].at.net;
        params = net->param_count > params ? net->param_count : params;
        buffers = net->buffer_count > buffers ? net->buffer_count : buffers;
    }
    EG_TRY(eg_alloc(&self->old, params, sizeof *self->old));
    return eg_alloc(&self->old_buffers, buffers, sizeof *self->old_buffers);
}

void eg_renewal_close(eg_around *around)
{
    const eg_renewal *self = (const eg_renewal *)around;
    eg_free(self->old);
    eg_free(self->old_buffers);
}
