/** Wiring layers; see engram/graph.h. */
#include "nn/node.h"

#include "engram/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void eg_layer_clear(eg_layer *layer)
{
    if (layer->ops != NULL && layer->ops->free != NULL) {
        layer->ops->free(layer);
    } else {
        eg_free(layer->state);
    }
    *layer = (eg_layer){0};
}

void eg_layers_free(eg_layer *layers, size_t count)
{
    for (size_t i = 0; layers != NULL && i < count; i++) {
        eg_layer_clear(&layers[i]);
    }
    eg_free(layers);
}

void eg_nodes_free(eg_node *nodes, size_t count)
{
    for (size_t i = 0; nodes != NULL && i < count; i++) {
        eg_layer_clear(&nodes[i].layer);
        eg_free(nodes[i].reads);
    }
    eg_free(nodes);
}

eg_shape eg_layer_input(const eg_layer *layer, size_t k)
{
    return layer->ops->input != NULL ? layer->ops->input(layer, k) : layer->in;
}

eg_status eg_graph_create(eg_graph **out, eg_shape input)
{
    *out = NULL;
    eg_graph *graph = NULL;
    EG_TRY(eg_alloc(&graph, 1, sizeof *graph));
    graph->input = input;
    *out = graph;
    return eg_ok();
}

void eg_graph_free(eg_graph *graph)
{
    if (graph != NULL) {
        eg_nodes_free(graph->nodes, graph->count);
        eg_free(graph->parts);
        eg_free(graph);
    }
}

const eg_node *eg_graph_nodes(const eg_graph *graph, size_t *count)
{
    *count = graph->count;
    return graph->nodes;
}

static eg_status check_name(const eg_graph *graph, const char *name)
{
    if (strlen(name) >= EG_NODE_NAME_SIZE) {
        return eg_fail(EG_INVALID, "node \"%s\": the name has more than %d bytes", name,
                       EG_NODE_NAME_SIZE - 1);
    }
    for (size_t i = 0; i < graph->count; i++) {
        if (strcmp(graph->nodes[i].name, name) == 0) {
            return eg_fail(EG_INVALID, "node \"%s\": there is one of this name already", name);
        }
    }
    return eg_ok();
}

static eg_status check_reads(const eg_graph *graph, const char *name, const eg_layer *layer,
                             size_t count, const size_t *reads)
{
    if (count == 0 || count != layer->input_count) {
        return eg_fail(EG_INVALID, "node \"%s\" reads %zu nodes, its layer takes %zu", name, count,
                       layer->input_count);
    }
    for (size_t k = 0; k < count; k++) {
        if (reads[k] != EG_INPUT && reads[k] >= graph->count) {
            return eg_fail(EG_INVALID, "node \"%s\" reads node %zu, there are %zu", name, reads[k],
                           graph->count);
        }
        eg_shape is = reads[k] == EG_INPUT ? graph->input : graph->nodes[reads[k]].layer.out;
        eg_shape wanted = eg_layer_input(layer, k);
        if (!eg_shape_equal(is, wanted)) {
            return eg_fail(EG_INVALID,
                           "node \"%s\": input %zu is %zux%zux%zu, its layer takes %zux%zux%zu",
                           name, k, is.height, is.width, is.channels, wanted.height, wanted.width,
                           wanted.channels);
        }
    }
    return eg_ok();
}

static eg_status add(eg_graph *graph, const char *name, const eg_layer *layer, size_t count,
                     const size_t *reads)
{
    EG_TRY(check_name(graph, name));
    EG_TRY(check_reads(graph, name, layer, count, reads));
    EG_TRY(eg_grow(&graph->nodes, &graph->capacity, graph->count + 1, sizeof *graph->nodes));
    eg_node *node = &graph->nodes[graph->count];
    EG_TRY(eg_alloc(&node->reads, count, sizeof *node->reads));
    memcpy(node->reads, reads, count * sizeof *reads);
    (void)snprintf(node->name, sizeof node->name, "%s", name);
    node->read_count = count;
    node->number = graph->count;
    for (size_t b = 0; b < layer->block_count; b++) {
        node->owner[b] = graph->count;
        node->owner_block[b] = b;
    }
    return eg_ok();
}

eg_status eg_graph_add(eg_graph *graph, const char *name, eg_layer *layer, size_t count,
                       const size_t *reads, size_t *node)
{
    assert(layer->block_count <= EG_LAYER_BLOCKS_MAX);
    assert(layer->buffer_count <= EG_LAYER_BUFFERS_MAX);
    eg_status status = add(graph, name, layer, count, reads);
    if (!eg_is_ok(&status)) {
        eg_layer_clear(layer);
        return status;
    }
    graph->nodes[graph->count].layer = *layer;
    *layer = (eg_layer){0};
    if (node != NULL) {
        *node = graph->count;
    }
    graph->count++;
    return status;
}

eg_status eg_graph_chain(eg_graph *graph, const char *name, eg_layer *layer, size_t *node)
{
    const size_t last = graph->count > 0 ? graph->count - 1 : EG_INPUT;
    return eg_graph_add(graph, name, layer, 1, &last, node);
}

static size_t lanes_of(const eg_block *block)
{
    return block->lanes > 0 ? block->lanes : 1;
}

eg_status eg_graph_tie(eg_graph *graph, size_t node, size_t block, size_t owner, size_t owner_block)
{
    assert(owner < node && node < graph->count);
    eg_node *to = &graph->nodes[node];
    eg_node *from = &graph->nodes[owner];
    assert(block < to->layer.block_count && owner_block < from->layer.block_count);
    const eg_block *a = &to->layer.blocks[block];
    const eg_block *b = &from->layer.blocks[owner_block];
    if (a->count != b->count || a->units != b->units || a->fan_in != b->fan_in ||
        lanes_of(a) != lanes_of(b)) {
        return eg_fail(EG_INVALID, "node \"%s\": %s is %zu x %zu, that of node \"%s\" is %zu x %zu",
                       to->name, a->name, a->units, a->fan_in, from->name, b->units, b->fan_in);
    }
    to->owner[block] = from->owner[owner_block];
    to->owner_block[block] = from->owner_block[owner_block];
    to->shared = true;
    graph->nodes[to->owner[block]].shared = true;
    return eg_ok();
}

/* What a layer of a chain is called: its kind and a number. */
static const char *kind_of(const eg_layer *layer)
{
    return layer->block_count > 0 && !layer->ops->keeps_units ? "layer" : layer->ops->name;
}

static eg_status add_chain(eg_graph *graph, eg_layer *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[EG_NODE_NAME_SIZE];
        const char *kind = kind_of(&layers[i]);
        size_t number = 1;
        for (size_t earlier = 0; earlier < i; earlier++) {
            number += strncmp(graph->nodes[earlier].name, kind, strlen(kind)) == 0 ? 1 : 0;
        }
        (void)snprintf(name, sizeof name, "%s%zu", kind, number);
        EG_TRY(eg_graph_chain(graph, name, &layers[i], NULL));
    }
    return eg_ok();
}

eg_status eg_graph_create_chain(eg_graph **out, eg_layer *layers, size_t count)
{
    assert(count > 0);
    *out = NULL;
    eg_graph *graph = NULL;
    eg_status status = eg_graph_create(&graph, layers[0].in);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, add_chain(graph, layers, count));
    *out = graph;
    graph = NULL;
done:
    eg_layers_free(layers, count);
    eg_graph_free(graph);
    return status;
}

eg_status eg_graph_part(eg_graph *graph, size_t first, size_t last, eg_part_gate gate)
{
    assert(first <= last && last < graph->count);
    assert(graph->part_count == 0 || graph->parts[graph->part_count - 1].last < first);
    EG_TRY(
        eg_grow(&graph->parts, &graph->part_capacity, graph->part_count + 1, sizeof *graph->parts));
    graph->parts[graph->part_count++] =
        (eg_graph_range){.first = first, .last = last, .gate = gate};
    return eg_ok();
}

eg_status eg_graph_move(eg_graph *graph, eg_graph *other, size_t from, const char *name,
                        size_t member, size_t *place)
{
    EG_TRY(check_name(graph, name));
    EG_TRY(eg_grow(&graph->nodes, &graph->capacity, graph->count + 1, sizeof *graph->nodes));
    place[from] = graph->count;
    eg_node *node = &graph->nodes[graph->count++];
    *node = other->nodes[from];
    other->nodes[from] = (eg_node){.read_count = 0};
    memcpy(node->name, name, strlen(name) + 1); /* check_name says that it fits */
    node->member = member;
    for (size_t k = 0; k < node->read_count; k++) {
        node->reads[k] = node->reads[k] == EG_INPUT ? EG_INPUT : place[node->reads[k]];
    }
    for (size_t b = 0; b < node->layer.block_count; b++) {
        node->owner[b] = place[node->owner[b]];
    }
    return eg_ok();
}

static eg_status join(eg_graph *graph, eg_graph *other, size_t member, size_t *place)
{
    for (size_t i = 0; i < other->count; i++) {
        char name[2 * EG_NODE_NAME_SIZE];
        (void)snprintf(name, sizeof name, "member%zu.%s", member, other->nodes[i].name);
        EG_TRY(eg_graph_move(graph, other, i, name, member, place));
    }
    return eg_ok();
}

eg_status eg_graph_join(eg_graph *graph, eg_graph *other, size_t member, size_t *last)
{
    assert(eg_shape_equal(graph->input, other->input) && other->count > 0);
    size_t *place = NULL;
    eg_status status = eg_alloc(&place, other->count, sizeof *place);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, join(graph, other, member, place));
    *last = graph->count - 1;
done:
    eg_free(place);
    eg_graph_free(other);
    return status;
}

double eg_nodes_flops(const eg_node *nodes, size_t count)
{
    double flops = 0.0;
    for (size_t i = 0; i < count; i++) {
        flops += nodes[i].layer.ops->flops(&nodes[i].layer);
    }
    return flops;
}

double eg_graph_flops(const eg_graph *graph)
{
    return eg_nodes_flops(graph->nodes, graph->count);
}
