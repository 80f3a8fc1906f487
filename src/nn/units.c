/** Hidden layers and the parameters of their units; see engram/units.h. */
#include "engram/units.h"

#include "engram/memory.h"
#include "nn/node.h"

#include <assert.h>

static bool makes_units(const eg_node *node)
{
    return node->layer.block_count > 0 && !node->layer.ops->keeps_units;
}

/* The node whose weights make what node i shows; EG_INPUT if there is none. */
static size_t find_maker(const eg_net *net, size_t i)
{
    while (i != EG_INPUT && !makes_units(&net->nodes[i])) {
        i = net->nodes[i].layer.ops->keeps_units ? net->nodes[i].reads[0] : EG_INPUT;
    }
    return i;
}

static bool keeps_units(const eg_node *node)
{
    return node->layer.ops->keeps_units;
}

static bool flattens(const eg_node *node)
{
    return node->layer.ops->flattens;
}

/* The first such reader of node i's output, as its first input. */
static size_t find_reader(const eg_net *net, size_t i, bool (*is)(const eg_node *))
{
    for (size_t j = i + 1; j < net->node_count; j++) {
        if (net->nodes[j].reads[0] == i && is(&net->nodes[j])) {
            return j;
        }
    }
    return EG_INPUT;
}

/* From node *at on, along layers that keep units, to the first that has weights. *at: the last node
 * before it, or the last of all. */
static size_t follow(const eg_net *net, size_t *at)
{
    for (;;) {
        size_t reader = find_reader(net, *at, makes_units);
        size_t next = find_reader(net, *at, keeps_units);
        if (reader != EG_INPUT || next == EG_INPUT) {
            return reader;
        }
        *at = next;
    }
}

static void find_hidden_reader(const eg_net *net, eg_hidden_layer *hidden)
{
    hidden->spread = 1;
    hidden->reader = follow(net, &hidden->seen);
    size_t flat = find_reader(net, hidden->seen, flattens);
    if (hidden->reader == EG_INPUT && flat != EG_INPUT) {
        hidden->spread = eg_shape_positions(net->nodes[hidden->seen].layer.out);
        hidden->reader = follow(net, &flat);
    }
}

eg_status eg_net_find_hidden(eg_net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        count += net->nodes[i].layer.hidden ? 1 : 0;
    }
    EG_TRY(eg_alloc(&net->hidden, count, sizeof *net->hidden));
    for (size_t i = 0; i < net->node_count; i++) {
        if (!net->nodes[i].layer.hidden) {
            continue;
        }
        eg_hidden_layer *hidden = &net->hidden[net->hidden_count++];
        *hidden = (eg_hidden_layer){.maker = find_maker(net, i),
                                    .seen = i,
                                    .low = net->nodes[i].layer.low,
                                    .high = net->nodes[i].layer.high};
        find_hidden_reader(net, hidden);
        const eg_shape shape = net->nodes[hidden->seen].layer.out;
        hidden->units = hidden->maker == EG_INPUT ? shape.channels
                                                  : net->nodes[hidden->maker].layer.out.channels;
        hidden->parts = shape.channels / hidden->units;
        hidden->gain = net->nodes[i].layer.gain;
        hidden->positions = eg_shape_positions(shape);
    }
    return eg_ok();
}

/* The k-th run of node i; false: it has fewer, and k is what is left of it. */
static bool node_run(const eg_net *net, size_t i, eg_unit_side side, size_t unit, size_t *k,
                     eg_plane_run *out)
{
    const eg_node *node = &net->nodes[i];
    const eg_layer *layer = &node->layer;
    eg_unit_run run;
    if (layer->block_count == 0) {
        return false;
    }
    size_t runs = 0;
    while (layer->ops->unit_run(layer, side, unit, runs, &run)) {
        if (runs++ < *k) {
            continue;
        }
        const eg_block *block = &layer->blocks[run.block];
        *out = (eg_plane_run){.role = block->role,
                              .first = node->offset[run.block] + run.first,
                              .count = run.count,
                              .stride = run.stride,
                              .fan_in = block->fan_in};
        return true;
    }
    *k -= runs;
    return false;
}

/* The same of the nodes on the way of a unit's incoming and outgoing parameters, where it may have
 * several parts. */
static bool norm_run(const eg_net *net, size_t i, size_t units, size_t unit, size_t *k,
                     eg_plane_run *run)
{
    for (size_t c = unit; c < net->nodes[i].layer.out.channels; c += units) {
        if (node_run(net, i, EG_UNIT_INCOMING, c, k, run)) {
            return true;
        }
    }
    return false;
}

static bool reader_run(const eg_net *net, const eg_hidden_layer *hidden, size_t unit, size_t *k,
                       eg_plane_run *run)
{
    for (size_t part = 0; part < hidden->parts; part++) {
        size_t input = (part * hidden->units + unit) * hidden->spread;
        for (size_t p = 0; p < hidden->spread; p++) {
            if (node_run(net, hidden->reader, EG_UNIT_OUTGOING, input + p, k, run)) {
                return true;
            }
        }
    }
    return false;
}

bool eg_net_unit_run(const eg_net *net, size_t hidden, eg_unit_side side, size_t unit, size_t k,
                     eg_plane_run *run)
{
    assert(hidden < net->hidden_count);
    const eg_hidden_layer *layer = &net->hidden[hidden];
    assert(unit < layer->units);
    if (side == EG_UNIT_OUTGOING) {
        return layer->reader != EG_INPUT && reader_run(net, layer, unit, &k, run);
    }
    if (layer->maker == EG_INPUT) {
        return false;
    }
    if (node_run(net, layer->maker, side, unit, &k, run)) {
        return true;
    }
    /* Normalisation on the way. */
    for (size_t i = layer->seen; i != layer->maker; i = net->nodes[i].reads[0]) {
        if (norm_run(net, i, layer->units, unit, &k, run)) {
            return true;
        }
    }
    return false;
}

/* The next run of a unit's incoming parameters, from the *k-th on, that is of block `index`. */
static bool next_run(const eg_layer *layer, size_t index, size_t unit, size_t *k, eg_unit_run *run)
{
    while (layer->ops->unit_run(layer, EG_UNIT_INCOMING, unit, (*k)++, run)) {
        if (run->block == index) {
            return true;
        }
    }
    return false;
}

void eg_net_block_get(const eg_net *net, size_t block, const eg_real *plane, eg_real *values)
{
    assert(block < net->table.block_count);
    const eg_parameter_block *row = &net->table.blocks[block];
    for (size_t unit = 0; unit < row->units; unit++) {
        eg_unit_run run;
        size_t k = 0;
        while (next_run(&net->nodes[row->node].layer, row->index, unit, &k, &run)) {
            for (size_t i = 0; i < run.count; i++) {
                *values++ = plane[row->offset + run.first + i * run.stride];
            }
        }
    }
}

void eg_net_block_set(const eg_net *net, size_t block, const eg_real *values, eg_real *plane)
{
    assert(block < net->table.block_count);
    const eg_parameter_block *row = &net->table.blocks[block];
    for (size_t unit = 0; unit < row->units; unit++) {
        eg_unit_run run;
        size_t k = 0;
        while (next_run(&net->nodes[row->node].layer, row->index, unit, &k, &run)) {
            for (size_t i = 0; i < run.count; i++) {
                plane[row->offset + run.first + i * run.stride] = *values++;
            }
        }
    }
}

void eg_net_unit_restart(eg_net *net, size_t hidden, size_t unit)
{
    const eg_hidden_layer *layer = &net->hidden[hidden];
    for (size_t i = layer->seen; i != layer->maker && i != EG_INPUT; i = net->nodes[i].reads[0]) {
        const eg_node *node = &net->nodes[i];
        for (size_t b = 0; b < node->layer.buffer_count; b++) {
            const eg_block *block = &node->layer.buffers[b];
            for (size_t k = unit; k < block->count; k += layer->units) {
                node->buffers[b][k] = block->initial.scale;
            }
        }
    }
}

void eg_net_fresh(const eg_net *net, const eg_plane_run *run, eg_rng *rng, eg_real *out)
{
    const eg_parameter_block *block = net->table.blocks;
    while (run->first >= block->offset + block->count) {
        block++;
    }
    assert(run->first >= block->offset);
    for (size_t i = 0; i < run->count; i++) {
        out[i] = (eg_real)eg_initial_draw(&block->initial, rng);
    }
}
