/** Outputs that begin anew; see learner/outputs.h. */
#include "learner/outputs.h"

#include "engram/random.h"
#include "engram/units.h"

#include <string.h>

static void zero(const eg_node *head)
{
    for (size_t b = 0; b < head->layer.block_count; b++) {
        memset(head->params[b], 0, head->layer.blocks[b].count * sizeof(eg_real));
    }
}

/* Initial values for the parameters of one output, and nothing remembered of them. */
static void renew(const eg_net *net, eg_optimizer *optimizer, const eg_node *head, size_t output,
                  eg_rng *rng)
{
    eg_unit_run run;
    for (size_t k = 0; head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, output, k, &run);
         k++) {
        const eg_block *block = &head->layer.blocks[run.block];
        size_t first = head->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            net->params[first + i * run.stride] = (eg_real)eg_initial_draw(&block->initial, rng);
        }
        eg_optimizer_renew(optimizer, first, run.count, run.stride);
        eg_optimizer_recount(optimizer, first, run.count, run.stride);
    }
}

static void begin_head(eg_net *net, eg_optimizer *optimizer, const eg_node *head,
                       const eg_phase *about, size_t phase)
{
    uint64_t seed = eg_member_seed(net->seed, head->member);
    if (about->outputs == EG_OUTPUTS_ZERO) {
        zero(head);
    }
    for (size_t k = 0; about->outputs == EG_OUTPUTS_ARRIVE && k < about->arriving->count; k++) {
        uint32_t output = about->arriving->output[k];
        eg_rng rng = eg_rng_make(seed, EG_PURPOSE_OUTPUT, phase * net->outputs + output);
        renew(net, optimizer, head, output, &rng);
    }
}

void eg_outputs_begin_phase(eg_net *net, eg_optimizer *optimizer, const eg_phase *about,
                            size_t phase)
{
    if (about->outputs == EG_OUTPUTS_STAY) {
        return;
    }
    for (size_t i = 0; i < net->node_count; i++) {
        if (eg_node_is_head(&net->nodes[i])) {
            begin_head(net, optimizer, &net->nodes[i], about, phase);
        }
    }
    eg_net_touch(net);
}
