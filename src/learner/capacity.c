/** Counting parameters of trunk and heads; see learner/capacity.h. */
#include "learner/capacity.h"

size_t eg_trunk_size(const eg_net *net, eg_role role)
{
    size_t size = 0;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        bool counts = role == EG_ROLE_COUNT || block->role == role;
        size += counts && !block->head ? block->units * block->fan_in : 0;
    }
    return size;
}

/* Whether a phase before `end` has this output. */
static bool is_had(const eg_stream *stream, size_t end, uint32_t output)
{
    bool had = false;
    for (size_t t = 0; t < end && !had; t++) {
        const eg_active *active = eg_stream_phase(stream, t).active;
        had = active == NULL || eg_active_place(active, output) < active->count;
    }
    return had;
}

size_t eg_heads_size(const eg_net *net, const eg_stream *stream, size_t learned)
{
    size_t per_output = 0;
    size_t outputs = 0;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        per_output += block->head ? block->fan_in : 0;
    }
    for (size_t c = 0; c < net->outputs; c++) {
        outputs += is_had(stream, learned, (uint32_t)c) ? 1 : 0;
    }
    return per_output * outputs;
}
