/** The memory of a minibatch; see engram/net.h.
 *
 *  Where every array of a forward and a backward stands is decided once. An output lives from its
 *  node's forward to the forward of its last reader, or for good if it is kept; the gradient of an
 *  output from the backward of its last reader to that of its node. Arrays whose lives do not meet
 *  share memory: a chain needs two for gradients, and two for outputs if it only predicts. */
#include "nn/workspace.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>

static eg_status allocate(eg_workspace *workspace, size_t count, eg_real **out)
{
    EG_TRY(eg_grow(&workspace->block, &workspace->block_capacity, workspace->block_count + 1,
                   sizeof *workspace->block));
    EG_TRY(eg_alloc(out, count, sizeof **out));
    workspace->block[workspace->block_count++] = *out;
#ifndef NDEBUG
    /* Whatever is read before it is written shows. */
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = (eg_real)NAN;
    }
#endif
    return eg_ok();
}

/* Memory that arrays take turns in. */
typedef struct slots {
    size_t *of; /* [nodes] the slot of a node's array */
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
    s->taken[s->of[node]] = false;
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

static void plan_outputs(slots *s, const eg_net *net)
{
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *node = &net->nodes[i];
        slots_take(s, i, eg_layer_outputs(&node->layer));
        for (size_t k = 0; k < node->read_count; k++) {
            size_t read = node->reads[k];
            if (read != EG_INPUT && net->nodes[read].last_reader == i) {
                slots_release(s, read);
            }
        }
    }
}

static eg_status share_outputs(eg_workspace *workspace, const eg_net *net)
{
    slots s;
    eg_real **memory = NULL;
    eg_status status = slots_create(&s, net->node_count);
    EG_TRY_DONE(status, status);
    plan_outputs(&s, net);
    EG_TRY_DONE(status, slots_allocate(&s, workspace, &memory));
    for (size_t i = 0; i < net->node_count; i++) {
        workspace->context[i].y = memory[s.of[i]];
    }
done:
    eg_free(memory);
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

static void plan_gradients(gradient_plan *plan, const eg_net *net)
{
    for (size_t i = net->node_count; i-- > 0;) {
        const eg_node *node = &net->nodes[i];
        size_t partials = 0;
        for (size_t k = 0; k < node->read_count; k++) {
            size_t read = node->reads[k];
            if (read == EG_INPUT) {
                continue;
            }
            size_t size = eg_layer_outputs(&net->nodes[read].layer);
            if (writes_first(net, i, k)) {
                slots_take(&plan->slots, read, size);
            } else {
                partials++;
                plan->partial_size = size > plan->partial_size ? size : plan->partial_size;
            }
        }
        plan->partial_count = partials > plan->partial_count ? partials : plan->partial_count;
        if (i + 1 < net->node_count) {
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
            if (node->reads[k] == EG_INPUT) {
                continue;
            }
            eg_real *place = memory[s->of[node->reads[k]]];
            bool first = writes_first(net, i, k);
            dx[k] = first ? place : partial[partials++];
            sum[k] = first ? NULL : place;
        }
        if (i + 1 < net->node_count) {
            workspace->context[i].dy = memory[s->of[i]];
        }
    }
}

static eg_status allocate_gradients(eg_workspace *workspace, const eg_net *net)
{
    gradient_plan plan = {.partial_count = 0};
    eg_real **memory = NULL;
    eg_real **partial = NULL;
    eg_status status = slots_create(&plan.slots, net->node_count);
    EG_TRY_DONE(status, status);
    plan_gradients(&plan, net);
    EG_TRY_DONE(status, slots_allocate(&plan.slots, workspace, &memory));
    EG_TRY_DONE(status, eg_alloc(&partial, plan.partial_count, sizeof *partial));
    for (size_t p = 0; p < plan.partial_count; p++) {
        EG_TRY_DONE(status,
                    allocate(workspace, workspace->capacity * plan.partial_size, &partial[p]));
    }
    place_gradients(workspace, net, &plan.slots, memory, partial);
done:
    eg_free(memory);
    eg_free(partial);
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
        EG_TRY(allocate(workspace, workspace->capacity * eg_layer_outputs(layer), &context->y));
        EG_TRY(allocate(workspace, cache_size(workspace, layer), &context->cache));
        sparse = sparse || (net->nodes[i].reads[0] == EG_INPUT && layer->ops->takes_sparse);
    }
    EG_TRY(allocate_gradients(workspace, net));
    size_t shared = most_shared(net);
    if (shared > 0) {
        EG_TRY(allocate(workspace, shared, &workspace->shared));
    }
    return sparse ? eg_sparse_create(&workspace->transposed, net->inputs, workspace->capacity)
                  : eg_ok();
}

static eg_status allocate_all(eg_workspace *workspace, const eg_net *net)
{
    size_t nodes = net->node_count;
    EG_TRY(eg_alloc(&workspace->context, nodes, sizeof *workspace->context));
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
            context->flat_input |=
                k == 0 && read != EG_INPUT && net->nodes[read].layer.flat_at_zero;
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

size_t eg_workspace_batch(const eg_workspace *workspace)
{
    return workspace->context[0].batch;
}
