/** The memory of a minibatch; see engram/net.h.
 *
 *  Where every array of a forward and a backward stands is decided once. An output lives from its
 *  node's forward to the forward of its last reader, or for good if it is kept, because somebody
 *  looks at it after the forward: a backward, or whoever asks for hidden layers. The gradient of an
 *  output lives from the backward of its last reader to that of its node. Arrays whose lives do not
 *  meet share memory, outputs that are not kept with gradients too: a chain needs two for both. */
#include "nn/workspace.h"

#include "engram/memory.h"
#include "nn/node.h"

#include <assert.h>
#include <math.h>

static eg_status allocate(eg_workspace *workspace, size_t count, eg_real **out)
{
    EG_TRY(eg_grow(&workspace->block, &workspace->block_capacity, workspace->block_count + 1,
                   sizeof *workspace->block));
    EG_TRY(eg_alloc_unset(out, count, sizeof **out));
    workspace->block[workspace->block_count++] = *out;
    workspace->numbers += count;
#ifndef NDEBUG
    /* Whatever is read before it is written shows. */
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = (eg_real)NAN;
    }
#endif
    return eg_ok();
}

/* The slot of an array that is not in slots. */
#define ELSEWHERE SIZE_MAX

/* Memory that arrays take turns in. */
typedef struct slots {
    size_t *of; /* [nodes] the slot of a node's array, or ELSEWHERE */
    size_t *size;
    bool *taken;
    size_t count;
} slots;

static eg_status slots_create(slots *s, size_t nodes)
{
    *s = (slots){0};
    EG_TRY(eg_alloc(&s->of, nodes, sizeof *s->of));
    EG_TRY(eg_alloc(&s->size, nodes, sizeof *s->size));
    return eg_alloc(&s->taken, nodes, sizeof *s->taken);
}

static void slots_free(slots *s)
{
    eg_free(s->of);
    eg_free(s->size);
    eg_free(s->taken);
}

/* The first slot that is free. */
static void slots_take(slots *s, size_t node, size_t size)
{
    size_t slot = 0;
    while (slot < s->count && s->taken[slot]) {
        slot++;
    }
    s->count += slot == s->count ? 1 : 0;
    s->taken[slot] = true;
    s->size[slot] = size > s->size[slot] ? size : s->size[slot];
    s->of[node] = slot;
}

static void slots_release(slots *s, size_t node)
{
    if (s->of[node] != ELSEWHERE) {
        s->taken[s->of[node]] = false;
    }
}

/* As many slots as the other has at least, and as large: for arrays that live at another time. */
static void slots_cover(slots *s, const slots *other)
{
    for (size_t slot = 0; slot < other->count; slot++) {
        s->size[slot] = other->size[slot] > s->size[slot] ? other->size[slot] : s->size[slot];
    }
    s->count = other->count > s->count ? other->count : s->count;
}

/* memory [count] of the slots; the table is the caller's. */
static eg_status slots_allocate(const slots *s, eg_workspace *workspace, eg_real ***memory)
{
    EG_TRY(eg_alloc(memory, s->count, sizeof **memory));
    for (size_t slot = 0; slot < s->count; slot++) {
        EG_TRY(allocate(workspace, workspace->capacity * s->size[slot], &(*memory)[slot]));
    }
    return eg_ok();
}

/* Whether somebody looks at the output of node i after the forward. */
static bool is_kept(const eg_net *net, size_t i)
{
    bool kept = !net->nodes[i].layer.spares_output || i + 1 == net->node_count;
    for (size_t h = 0; h < net->hidden_count; h++) {
        kept = kept || net->hidden[h].seen == i;
    }
    for (size_t j = i + 1; j <= net->nodes[i].last_reader; j++) {
        for (size_t k = 0; k < net->nodes[j].read_count; k++) {
            kept = kept || (net->nodes[j].reads[k] == i && !net->nodes[j].layer.spares_input);
        }
    }
    return kept;
}

/* Of outputs that are not kept; all of them if the workspace keeps nothing. */
static void plan_outputs(slots *s, const eg_net *net, bool keeps)
{
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *node = &net->nodes[i];
        if (keeps && is_kept(net, i)) {
            s->of[i] = ELSEWHERE;
        } else {
            slots_take(s, i, eg_layer_outputs(&node->layer));
        }
        for (size_t k = 0; k < node->read_count; k++) {
            size_t read = node->reads[k];
            if (read != EG_INPUT && net->nodes[read].last_reader == i) {
                slots_release(s, read);
            }
        }
    }
}

static void place_outputs(eg_workspace *workspace, const slots *s, eg_real *const *memory)
{
    for (size_t i = 0; i < workspace->node_count; i++) {
        if (s->of[i] != ELSEWHERE) {
            workspace->context[i].y = memory[s->of[i]];
        }
    }
}

static eg_status share_outputs(eg_workspace *workspace, const eg_net *net)
{
    slots s;
    eg_real **memory = NULL;
    eg_status status = slots_create(&s, net->node_count);
    EG_TRY_DONE(status, status);
    plan_outputs(&s, net, false);
    EG_TRY_DONE(status, slots_allocate(&s, workspace, &memory));
    place_outputs(workspace, &s, memory);
done:
    eg_free(memory);
    slots_free(&s);
    return status;
}

eg_status eg_workspace_predict_block(size_t *out, const eg_net *net, size_t wanted)
{
    slots s;
    size_t numbers = 0;
    size_t cache = 0;
    eg_status status = slots_create(&s, net->node_count);
    EG_TRY_DONE(status, status);
    plan_outputs(&s, net, false);
    for (size_t slot = 0; slot < s.count; slot++) {
        numbers += s.size[slot];
    }
    for (size_t i = 0; i < net->node_count; i++) {
        size_t size = net->nodes[i].layer.cache_per_example;
        cache = size > cache ? size : cache;
    }
    numbers += cache;
    size_t most = numbers > 0 ? EG_PREDICT_BYTES / (numbers * sizeof(eg_real)) : wanted;
    most = most > 0 ? most : 1;
    *out = wanted < most ? wanted : most;
done:
    slots_free(&s);
    return status;
}

static size_t cache_size(const eg_workspace *workspace, const eg_layer *layer)
{
    return workspace->capacity * layer->cache_per_example + layer->cache_fixed;
}

/* Nothing is kept: outputs share memory, and the caches are one. */
static eg_status allocate_predict(eg_workspace *workspace, const eg_net *net)
{
    EG_TRY(share_outputs(workspace, net));
    size_t largest = 0;
    eg_real *cache = NULL;
    for (size_t i = 0; i < net->node_count; i++) {
        size_t size = cache_size(workspace, &net->nodes[i].layer);
        largest = size > largest ? size : largest;
    }
    EG_TRY(allocate(workspace, largest, &cache));
    for (size_t i = 0; i < net->node_count; i++) {
        workspace->context[i].cache = cache;
    }
    return eg_ok();
}

/* Gradients of outputs, in the order of backward. Of a node's readers the last one writes, the
 * others add: they get an array of their own first, which is free again once it has been added. */
typedef struct gradient_plan {
    slots slots;
    size_t partial_count, partial_size; /* arrays to be added, and the largest */
} gradient_plan;

/* Whether read k of node i is the first to give a gradient to the node it reads. */
static bool writes_first(const eg_net *net, size_t i, size_t k)
{
    const eg_node *node = &net->nodes[i];
    for (size_t earlier = 0; earlier < k; earlier++) {
        if (node->reads[earlier] == node->reads[k]) {
            return false;
        }
    }
    return net->nodes[node->reads[k]].last_reader == i;
}

/* Places of what node i gives to those it reads. Returns whether its own gradient became one of
 * them. */
static bool plan_node(gradient_plan *plan, const eg_net *net, size_t i)
{
    const eg_node *node = &net->nodes[i];
    bool has = i + 1 < net->node_count; /* that of the last node is the caller's */
    bool passed = false;
    size_t partials = 0;
    for (size_t k = 0; k < node->read_count; k++) {
        size_t read = node->reads[k];
        if (!eg_node_takes_gradient(net, read)) {
            continue;
        }
        size_t size = eg_layer_outputs(&net->nodes[read].layer);
        if (!writes_first(net, i, k)) {
            partials++;
            plan->partial_size = size > plan->partial_size ? size : plan->partial_size;
        } else if (has && !passed && node->layer.passes_gradient) {
            plan->slots.of[read] = plan->slots.of[i];
            passed = true;
        } else {
            slots_take(&plan->slots, read, size);
        }
    }
    plan->partial_count = partials > plan->partial_count ? partials : plan->partial_count;
    return passed;
}

static void plan_gradients(gradient_plan *plan, const eg_net *net)
{
    for (size_t i = net->node_count; i-- > 0;) {
        bool passed = plan_node(plan, net, i);
        if (net->nodes[i].learns && i + 1 < net->node_count && !passed) {
            slots_release(&plan->slots, i);
        }
    }
}

static void place_gradients(eg_workspace *workspace, const eg_net *net, const slots *s,
                            eg_real *const *memory, eg_real *const *partial)
{
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *node = &net->nodes[i];
        eg_real **dx = workspace->dx + workspace->first_read[i];
        eg_real **sum = workspace->sum + workspace->first_read[i];
        size_t partials = 0;
        for (size_t k = 0; k < node->read_count; k++) {
            if (!eg_node_takes_gradient(net, node->reads[k])) {
                continue;
            }
            eg_real *place = memory[s->of[node->reads[k]]];
            bool first = writes_first(net, i, k);
            dx[k] = first ? place : partial[partials++];
            sum[k] = first ? NULL : place;
        }
        if (node->learns && i + 1 < net->node_count) {
            workspace->context[i].dy = memory[s->of[i]];
        }
    }
}

static eg_status allocate_plan(eg_workspace *workspace, const eg_net *net,
                               const gradient_plan *plan, const slots *outputs)
{
    eg_real **memory = NULL;
    eg_real **partial = NULL;
    eg_status status = slots_allocate(&plan->slots, workspace, &memory);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_alloc(&partial, plan->partial_count, sizeof *partial));
    for (size_t p = 0; p < plan->partial_count; p++) {
        EG_TRY_DONE(status,
                    allocate(workspace, workspace->capacity * plan->partial_size, &partial[p]));
    }
    place_gradients(workspace, net, &plan->slots, memory, partial);
    place_outputs(workspace, outputs, memory);
done:
    eg_free(memory);
    eg_free(partial);
    return status;
}

/* Gradients, and outputs that are not kept: these are gone when the first gradient comes. */
static eg_status allocate_shared(eg_workspace *workspace, const eg_net *net)
{
    gradient_plan plan = {.partial_count = 0};
    slots outputs = {0};
    eg_status status = slots_create(&plan.slots, net->node_count);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, slots_create(&outputs, net->node_count));
    plan_gradients(&plan, net);
    plan_outputs(&outputs, net, true);
    slots_cover(&plan.slots, &outputs);
    EG_TRY_DONE(status, allocate_plan(workspace, net, &plan, &outputs));
done:
    slots_free(&outputs);
    slots_free(&plan.slots);
    return status;
}

static size_t most_shared(const eg_net *net)
{
    size_t most = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        size_t count = net->nodes[i].shared ? eg_layer_param_count(&net->nodes[i].layer) : 0;
        most = count > most ? count : most;
    }
    return most;
}

static eg_status allocate_kept(eg_workspace *workspace, const eg_net *net)
{
    bool sparse = false;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        eg_layer_context *context = &workspace->context[i];
        if (is_kept(net, i)) {
            EG_TRY(allocate(workspace, workspace->capacity * eg_layer_outputs(layer), &context->y));
        }
        EG_TRY(allocate(workspace, cache_size(workspace, layer), &context->cache));
        sparse = sparse || (net->nodes[i].reads[0] == EG_INPUT && layer->ops->takes_sparse);
    }
    EG_TRY(allocate_shared(workspace, net));
    size_t shared = most_shared(net);
    if (shared > 0) {
        EG_TRY(allocate(workspace, shared, &workspace->shared));
    }
    return sparse ? eg_sparse_create(&workspace->transposed, net->inputs, workspace->capacity)
                  : eg_ok();
}

/* Whether the output of node i is flat at zero. */
static bool is_flat(const eg_net *net, size_t i)
{
    while (i != EG_INPUT && !net->nodes[i].layer.flat_at_zero) {
        i = net->nodes[i].layer.ops->keeps_flat ? net->nodes[i].reads[0] : EG_INPUT;
    }
    return i != EG_INPUT;
}

/* Whether node i can make the one after it. */
static bool makes_next(const eg_net *net, size_t i)
{
    const eg_node *node = &net->nodes[i];
    return i + 1 < net->node_count && node->layer.ops->takes_next && node->last_reader == i + 1 &&
           net->nodes[i + 1].read_count == 1 && net->nodes[i + 1].layer.elementwise &&
           !is_kept(net, i);
}

static eg_status allocate_all(eg_workspace *workspace, const eg_net *net)
{
    size_t nodes = net->node_count;
    EG_TRY(eg_alloc(&workspace->context, nodes, sizeof *workspace->context));
    EG_TRY(eg_alloc(&workspace->next, nodes, sizeof *workspace->next));
    EG_TRY(eg_alloc(&workspace->first_read, nodes + 1, sizeof *workspace->first_read));
    for (size_t i = 0; i < nodes; i++) {
        workspace->first_read[i + 1] = workspace->first_read[i] + net->nodes[i].read_count;
    }
    size_t reads = workspace->first_read[nodes];
    EG_TRY(eg_alloc(&workspace->x, reads, sizeof *workspace->x));
    EG_TRY(eg_alloc(&workspace->dx, reads, sizeof *workspace->dx));
    EG_TRY(eg_alloc(&workspace->sum, reads, sizeof *workspace->sum));
    EG_TRY((workspace->keeps ? allocate_kept : allocate_predict)(workspace, net));
    for (size_t i = 0; i < nodes; i++) {
        eg_layer_context *context = &workspace->context[i];
        const eg_real **x = workspace->x + workspace->first_read[i];
        context->x = x;
        context->dx = workspace->dx + workspace->first_read[i];
        for (size_t k = 0; k < net->nodes[i].read_count; k++) {
            size_t read = net->nodes[i].reads[k];
            x[k] = read != EG_INPUT ? workspace->context[read].y : NULL;
            context->flat_input |= k == 0 && is_flat(net, read);
        }
        if (makes_next(net, i)) {
            workspace->next[i] =
                (eg_layer_next){&net->nodes[i + 1].layer, &workspace->context[i + 1]};
        }
    }
    return eg_ok();
}

eg_status eg_workspace_create(eg_workspace **out, const eg_net *net, size_t capacity, bool keeps)
{
    assert(capacity > 0);
    *out = NULL;
    eg_workspace *workspace = NULL;
    EG_TRY(eg_alloc(&workspace, 1, sizeof *workspace));
    workspace->node_count = net->node_count;
    workspace->capacity = capacity;
    workspace->keeps = keeps;
    eg_status status = allocate_all(workspace, net);
    if (!eg_is_ok(&status)) {
        eg_workspace_free(workspace);
        return status;
    }
    *out = workspace;
    return status;
}

void eg_workspace_free(eg_workspace *workspace)
{
    if (workspace == NULL) {
        return;
    }
    for (size_t b = 0; b < workspace->block_count; b++) {
        eg_free(workspace->block[b]);
    }
    eg_free(workspace->block);
    eg_free(workspace->context);
    eg_free(workspace->next);
    eg_free(workspace->first_read);
    eg_free(workspace->x);
    eg_free(workspace->dx);
    eg_free(workspace->sum);
    eg_sparse_free(workspace->transposed);
    eg_free(workspace);
}

void eg_workspace_profile(eg_workspace *workspace, eg_profile *profile)
{
    workspace->profile = profile;
}

void eg_workspace_observe(eg_workspace *workspace, const eg_unit_observer *observer)
{
    workspace->observer = observer;
}

const eg_real *eg_workspace_hidden(const eg_workspace *workspace, const eg_net *net, size_t hidden)
{
    assert(workspace->keeps && hidden < net->hidden_count);
    return workspace->context[net->hidden[hidden].seen].y;
}

size_t eg_workspace_bytes(const eg_workspace *workspace)
{
    return workspace->numbers * sizeof(eg_real);
}

size_t eg_workspace_batch(const eg_workspace *workspace)
{
    return workspace->context[0].batch;
}
