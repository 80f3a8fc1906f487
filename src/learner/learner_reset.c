/** Reset: at the start of each phase but the first, a part of the network of any learner gets new
 *  initial values, and the optimizer fresh state for it. Initial values are keyed by seed and
 *  phase. */
#include "engram/batch.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/around.h"

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
    eg_around around;
    const eg_stream *stream; /* borrowed */
    reset_what what;
    uint64_t seed;
    eg_real *old; /* [most parameters of a network] before the reset */
    double *old_buffers;
} reset;

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
        eg_optimizer_renew(network->optimizer, first, run.count, run.stride);
        eg_optimizer_recount(network->optimizer, first, run.count, run.stride);
    }
}

static void renew(reset *self, const eg_learner_network *network, size_t phase, uint64_t seed)
{
    eg_net *net = network->net;
    const eg_node *head = &net->nodes[eg_around_head(net)];
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
        eg_optimizer_renew(network->optimizer, 0, net->param_count, 1);
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
    for (size_t i = 0; phase > 0 && i < self->around.network_count; i++) {
        eg_rng rng = eg_rng_make(eg_member_seed(self->seed, i), EG_PURPOSE_LEARNER, phase);
        renew(self, &self->around.network[i].at, phase, eg_rng_u64(&rng));
    }
    return eg_around_begin_phase(learner, phase);
}

static eg_status set_up(eg_around *around, const eg_view *view, const eg_learner_setup *setup)
{
    reset *self = (reset *)around;
    size_t params = 0;
    size_t buffers = 0;
    self->stream = setup->stream;
    self->what = (reset_what)eg_view_name(view, "what");
    self->seed = setup->seed;
    for (size_t n = 0; n < around->network_count; n++) {
        const eg_net *net = around->network[n].at.net;
        params = net->param_count > params ? net->param_count : params;
        buffers = net->buffer_count > buffers ? net->buffer_count : buffers;
    }
    EG_TRY(eg_alloc(&self->old, params, sizeof *self->old));
    return eg_alloc(&self->old_buffers, buffers, sizeof *self->old_buffers);
}

static void release(eg_around *around)
{
    const reset *self = (const reset *)around;
    eg_free(self->old);
    eg_free(self->old_buffers);
}

static eg_status reset_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "reset",
        .size = sizeof(reset),
        .ops = {.begin_phase = begin_phase,
                .write = eg_around_write_inside,
                .read = eg_around_read_inside},
        .open = set_up,
        .close = release,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "what",
     .type = EG_TYPE_NAME,
     .default_text = "head",
     .names = what_names,
     .doc =
         "what starts anew: the last layer (head); of it the outputs that become active with the "
         "phase, as stream.active says (new_outputs: a growing head); or all of the network, which "
         "papers call reset all, retrained or trained from scratch"},
};

const eg_learner_kind eg_learner_reset = {
    .component = {.name = "reset",
                  .doc = "any learner; a part of its network gets new initial weights, and fresh "
                         "optimizer state, when a phase starts",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .records_inside = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .create = reset_create,
};
