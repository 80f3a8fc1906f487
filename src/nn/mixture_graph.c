/** The graph of a mixture of experts, put together from graphs of its model, of which every expert
 *  takes its part from one of its own; see nn/mixture_graph.h. */
#include "nn/mixture_graph.h"

#include "engram/memory.h"
#include "nn/layers.h"

#include <assert.h>
#include <stdio.h>

enum { GATE_PLACES = 4 }; /* rows and columns of what gates see of an image */

/* Under way. */
typedef struct assembly {
    const eg_mixture *mixture;
    const eg_mixture_setup *setup;
    eg_graph *graph;
    size_t count; /* graphs of the model: as many as the largest tree has experts */
    eg_graph **model;
    size_t *place; /* [nodes of the model] where what they make stands */
    size_t part;   /* that is being added */
    size_t expert; /* the next one of it */
    size_t seen;   /* what its gates read */
} assembly;

eg_status eg_mixture_model(eg_graph **out, const eg_mixture_setup *setup)
{
    const eg_model_kind *kind =
        (const eg_model_kind *)(const void *)eg_view_component(setup->root, "model");
    const eg_view view = eg_view_inside(setup->root, "model");
    return eg_model_graph(out, kind, &view, setup->input, setup->outputs, setup->batch);
}

static const eg_graph_range *range_of(const assembly *a)
{
    return &a->model[0]->parts[a->part];
}

/* "what12.layer1". Places below 2^61 have up to 19 digits. */
static eg_status name_node(char out[EG_NODE_NAME_SIZE], const char *what, uint64_t place,
                           const char *name)
{
    int length =
        snprintf(out, EG_NODE_NAME_SIZE, "%s%llu.%s", what, (unsigned long long)place, name);
    return length > 0 && length < EG_NODE_NAME_SIZE
               ? eg_ok()
               : eg_fail(EG_INVALID, "node \"%s%llu.%s\": the name is too long", what,
                         (unsigned long long)place, name);
}

eg_status eg_mixture_gate_name(char out[EG_NODE_NAME_SIZE], const eg_mixture *mixture, size_t part,
                               uint64_t place)
{
    return name_node(out, "gate", place, mixture->part[part].name);
}

/* Adds a node of the mixture's own. */
static eg_status add_own(assembly *a, const char *name, eg_mixture_node what, uint64_t place,
                         eg_layer *layer, size_t count, const size_t *reads, size_t *node)
{
    EG_TRY(eg_graph_add(a->graph, name, layer, count, reads, node));
    a->graph->nodes[*node].member = (size_t)place;
    a->graph->nodes[*node].number = eg_mixture_number(a->mixture, a->part, what);
    return eg_ok();
}

/* Its number j among the experts says which graph has its nodes. */
static eg_status add_expert(assembly *a, uint64_t place, size_t *last)
{
    const eg_graph_range *range = range_of(a);
    eg_graph *model = a->model[a->expert++];
    for (size_t i = range->first; i <= range->last; i++) {
        char name[EG_NODE_NAME_SIZE];
        (void)snprintf(name, sizeof name, "%s", model->nodes[i].name);
        EG_TRY(place > 1 ? name_node(name, "expert", place, model->nodes[i].name) : eg_ok());
        EG_TRY(eg_graph_move(a->graph, model, i, name, eg_expert_member(place), a->place));
    }
    *last = a->place[range->last];
    return eg_ok();
}

static eg_shape shape_at(const assembly *a, size_t node)
{
    return node == EG_INPUT ? a->graph->input : a->graph->nodes[node].layer.out;
}

static eg_status add_gate(assembly *a, uint64_t place, size_t *gate)
{
    char name[EG_NODE_NAME_SIZE];
    eg_layer layer;
    EG_TRY(eg_mixture_gate_name(name, a->mixture, a->part, place));
    EG_TRY(eg_layer_linear_fastest(&layer, a->seen == EG_INPUT, a->setup->batch,
                                   shape_at(a, a->seen), 2, EG_NORM_NONE, true,
                                   EG_INITIALIZER_UNIFORM));
    return add_own(a, name, EG_MIXTURE_NODE_GATE, place, &layer, 1, &a->seen, gate);
}

static eg_status add_mixture(assembly *a, uint64_t place, const size_t *reads, size_t *mixture)
{
    char name[EG_NODE_NAME_SIZE];
    eg_layer layer;
    const eg_shape shape = shape_at(a, reads[1]);
    EG_TRY(name_node(name, "mixture", place, a->mixture->part[a->part].name));
    EG_TRY(a->mixture->gating == EG_GATING_SOFT ? eg_layer_mixture(&layer, 2, shape)
                                                : eg_layer_hard_mixture(&layer, 2, a->part, shape));
    return add_own(a, name, EG_MIXTURE_NODE_MIXTURE, place, &layer, 3, reads, mixture);
}

/* What is at a place, and below; no deeper than EG_EXPERT_DEPTH_MAX. */
static eg_status add_tree(assembly *a, uint64_t place, size_t *last)
{
    size_t reads[3];
    if (!eg_expert_tree_is_gate(&a->mixture->part[a->part].tree, place)) {
        return add_expert(a, place, last);
    }
    EG_TRY(add_gate(a, place, &reads[0]));
    EG_TRY(add_tree(a, 2 * place, &reads[1]));
    EG_TRY(add_tree(a, 2 * place + 1, &reads[2]));
    return add_mixture(a, place, reads, last);
}

/* What gates see of an image. */
static eg_status add_pooling(assembly *a)
{
    eg_layer layer;
    char name[2 * EG_NODE_NAME_SIZE];
    const char *part = a->mixture->part[a->part].name;
    eg_layer_adaptive_pool(&layer, shape_at(a, a->seen), GATE_PLACES, GATE_PLACES);
    (void)snprintf(name, sizeof name, "gates.%s.pool", part);
    EG_TRY(add_own(a, name, EG_MIXTURE_NODE_POOL, 0, &layer, 1, &a->seen, &a->seen));
    eg_layer_flatten(&layer, shape_at(a, a->seen));
    (void)snprintf(name, sizeof name, "gates.%s.flatten", part);
    return add_own(a, name, EG_MIXTURE_NODE_FLATTEN, 0, &layer, 1, &a->seen, &a->seen);
}

static eg_status add_part(assembly *a)
{
    const eg_graph_range *range = range_of(a);
    const size_t read = a->model[0]->nodes[range->first].reads[0];
    const bool divided = a->mixture->part[a->part].tree.gate_count > 0;
    a->expert = 0;
    a->seen = read == EG_INPUT ? EG_INPUT : a->place[read];
    EG_TRY(divided && range->gate == EG_PART_GATE_POOLED ? add_pooling(a) : eg_ok());
    size_t last = 0;
    EG_TRY(add_tree(a, 1, &last));
    a->place[range->last] = last;
    return eg_ok();
}

static eg_status add_all(assembly *a)
{
    eg_graph *model = a->model[0];
    for (size_t i = 0; i < model->count; i++) {
        char name[EG_NODE_NAME_SIZE];
        if (a->part < model->part_count && range_of(a)->first == i) {
            i = range_of(a)->last;
            EG_TRY(add_part(a));
            a->part++;
            continue;
        }
        (void)snprintf(name, sizeof name, "%s", model->nodes[i].name);
        EG_TRY(eg_graph_move(a->graph, model, i, name, 0, a->place));
    }
    return eg_ok();
}

static eg_status open_models(assembly *a)
{
    size_t most = 1;
    for (size_t p = 0; p < a->mixture->part_count; p++) {
        size_t experts = eg_expert_tree_count(&a->mixture->part[p].tree);
        most = experts > most ? experts : most;
    }
    EG_TRY(eg_alloc(&a->model, most, sizeof(eg_graph *)));
    for (; a->count < most; a->count++) {
        EG_TRY(eg_mixture_model(&a->model[a->count], a->setup));
    }
    assert(a->model[0]->count == a->mixture->nodes);
    assert(a->model[0]->part_count == a->mixture->part_count);
    EG_TRY(eg_alloc(&a->place, a->mixture->nodes, sizeof *a->place));
    return eg_graph_create(&a->graph, a->model[0]->input);
}

eg_status eg_mixture_build(eg_net **out, const eg_mixture *mixture, const eg_mixture_setup *setup)
{
    assembly a = {.mixture = mixture, .setup = setup};
    *out = NULL;
    eg_status status = open_models(&a);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, add_all(&a));
    status = eg_net_build(out, a.graph, setup->seed);
    a.graph = NULL;
done:
    for (size_t m = 0; m < a.count; m++) {
        eg_graph_free(a.model[m]);
    }
    eg_free(a.model);
    eg_free(a.place);
    eg_graph_free(a.graph);
    return status;
}
