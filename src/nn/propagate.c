/** Forward and backward through a network: one loop each; see engram/net.h. */
#include "math/shared/vector.h"
#include "nn/node.h"
#include "nn/workspace.h"

#include <assert.h>

/* Says what node i is about to do. */
static void enter(const eg_workspace *workspace, const eg_net *net, size_t i,
                  eg_profile_part weights)
{
    (void)eg_profile_enter(workspace->profile,
                           net->nodes[i].layer.hidden ? EG_PROFILE_ACTIVATION : weights);
}

static void prepare_node(const eg_net *net, size_t i)
{
    const eg_layer *layer = &net->nodes[i].layer;
    if (layer->ops->prepare != NULL) {
        const eg_layer_context context = eg_node_context(net, i);
        layer->ops->prepare(layer, &context);
    }
}

/* What node i is told about this minibatch. */
static void bind_node(const eg_net *net, eg_workspace *workspace, size_t i, const eg_real *x,
                      const eg_sparse *sparse)
{
    const eg_node *node = &net->nodes[i];
    eg_layer_context *context = &workspace->context[i];
    context->params = node->params;
    context->grads = node->grads;
    context->offset = node->offset;
    context->derived = node->derived;
    context->buffers = node->buffers;
    context->seed = eg_member_seed(net->seed, node->member);
    context->step = net->step;
    context->sparse = NULL;
    context->transposed = NULL;
    for (size_t k = 0; k < node->read_count; k++) {
        if (node->reads[k] == EG_INPUT) {
            workspace->x[workspace->first_read[i] + k] = x;
        }
    }
    if (node->reads[0] == EG_INPUT && node->layer.ops->takes_sparse) {
        context->sparse = sparse;
    }
}

/* Forward or backward of a node, and of the one after it if they are made together. Only then they
 * are: who calls a layer on his own gets the layer alone. */
static void run_node(const eg_net *net, eg_workspace *workspace, size_t i,
                     void (*run)(const eg_layer *layer, const eg_layer_context *context))
{
    eg_layer_context *context = &workspace->context[i];
    context->next = eg_workspace_makes_next(workspace, i) ? &workspace->next[i] : NULL;
    run(&net->nodes[i].layer, context);
    context->next = NULL;
}

static void show(const eg_net *net, const eg_workspace *workspace, size_t i)
{
    const eg_unit_observer *observer = workspace->observer;
    const eg_layer_context *context = &workspace->context[i];
    for (size_t h = 0; observer != NULL && h < net->hidden_count; h++) {
        if (net->hidden[h].seen == i) {
            observer->observe(observer->user, h, context->batch, context->y);
        }
    }
}

const eg_real *eg_net_forward(eg_net *net, eg_workspace *workspace, eg_mode mode, size_t batch,
                              const eg_real *x, const eg_sparse *sparse)
{
    assert(workspace->node_count == net->node_count);
    assert(workspace->keeps || !eg_mode_keeps(mode));
    assert(batch >= 1 && batch <= workspace->capacity);
    assert(sparse == NULL || (sparse->rows == batch && sparse->columns == net->inputs));
    eg_profile_part before = eg_profile_enter(workspace->profile, EG_PROFILE_FORWARD);
    for (size_t i = 0; net->stale && i < net->node_count; i++) {
        prepare_node(net, i);
    }
    net->stale = false;
    for (size_t i = 0; i < net->node_count; i++) {
        workspace->context[i].mode = mode;
        workspace->context[i].batch = batch;
        bind_node(net, workspace, i, x, sparse);
    }
    for (size_t i = 0; i < net->node_count; i++) {
        enter(workspace, net, i, EG_PROFILE_FORWARD);
        if (i == 0 || !eg_workspace_makes_next(workspace, i - 1)) {
            run_node(net, workspace, i, net->nodes[i].layer.ops->forward);
        }
        show(net, workspace, i);
    }
    net->step += mode == EG_MODE_TRAIN ? 1 : 0;
    (void)eg_profile_enter(workspace->profile, before);
    return workspace->context[net->node_count - 1].y;
}

/* Whether a layer uses the transpose of the sparse input. */
static bool transposes(const eg_net *net, const eg_workspace *workspace, size_t batch,
                       size_t readers)
{
    bool one_block = batch <= workspace->transposed->block;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        if (workspace->context[i].sparse != NULL &&
            (!one_block || layer->ops->transposes == NULL ||
             layer->ops->transposes(layer, batch, readers))) {
            return true;
        }
    }
    return false;
}

void eg_workspace_begin_backward(const eg_net *net, eg_workspace *workspace, const eg_real *dy,
                                 bool per_example)
{
    size_t last = net->node_count - 1;
    assert(workspace->context[last].batch > 0 && eg_mode_keeps(workspace->context[last].mode));
    assert(!net->stale);
    workspace->context[last].dy = dy;
    const eg_sparse *sparse = NULL;
    size_t readers = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        if (workspace->context[i].sparse != NULL) {
            sparse = workspace->context[i].sparse;
            readers++;
        }
    }
    if (readers == 0 || !(per_example || transposes(net, workspace, sparse->rows, readers))) {
        return;
    }
    eg_sparse_transpose(sparse, workspace->transposed);
    for (size_t i = 0; i < net->node_count; i++) {
        if (workspace->context[i].sparse != NULL) {
            workspace->context[i].transposed = workspace->transposed;
        }
    }
}

/* Whether a later node, or a later block of this one, is the same parameters. */
static bool used_later(const eg_net *net, size_t i, size_t b)
{
    const eg_node *node = &net->nodes[i];
    for (size_t j = i; j < net->node_count; j++) {
        const eg_node *other = &net->nodes[j];
        for (size_t c = j == i ? b + 1 : 0; other->shared && c < other->layer.block_count; c++) {
            if (other->owner[c] == node->owner[b] &&
                other->owner_block[c] == node->owner_block[b]) {
                return true;
            }
        }
    }
    return false;
}

/* Gradients of shared blocks are added up: the last node to use one stores, the others add. */
static void begin_shared(const eg_net *net, eg_workspace *workspace, size_t i)
{
    const eg_node *node = &net->nodes[i];
    eg_real *scratch = workspace->shared;
    for (size_t b = 0; b < node->layer.block_count; b++) {
        workspace->shared_grads[b] = used_later(net, i, b) ? scratch : node->grads[b];
        scratch += node->layer.blocks[b].count;
    }
    workspace->context[i].grads = workspace->shared_grads;
}

static void finish_shared(const eg_net *net, eg_workspace *workspace, size_t i)
{
    const eg_node *node = &net->nodes[i];
    for (size_t b = 0; b < node->layer.block_count; b++) {
        if (workspace->shared_grads[b] != node->grads[b]) {
            eg_accumulate(node->layer.blocks[b].count, workspace->shared_grads[b], node->grads[b]);
        }
    }
    workspace->context[i].grads = node->grads;
}

/* Whether the layer gives its gradients to the consumer itself. */
static bool gives(const eg_node *node, const eg_gradient_consumer *consumer)
{
    return !node->shared &&
           (consumer->updates ? node->layer.ops->fuses_update : node->layer.ops->streams_gradients);
}

static void begin_node(const eg_net *net, eg_workspace *workspace, size_t i,
                       const eg_gradient_consumer *consumer)
{
    const eg_node *node = &net->nodes[i];
    enter(workspace, net, i, EG_PROFILE_BACKWARD);
    workspace->context[i].consumer = consumer != NULL && gives(node, consumer) ? consumer : NULL;
    if (node->shared) {
        begin_shared(net, workspace, i);
    }
}

/* Adds the gradients of inputs that others read too. */
void eg_workspace_add_input_gradients(const eg_net *net, const eg_workspace *workspace, size_t i)
{
    const eg_layer *layer = &net->nodes[i].layer;
    for (size_t r = workspace->first_read[i]; r < workspace->first_read[i + 1]; r++) {
        if (workspace->sum[r] != NULL) {
            size_t k = r - workspace->first_read[i];
            size_t size = eg_shape_size(eg_layer_input(layer, k));
            eg_accumulate(workspace->context[i].batch * size, workspace->dx[r], workspace->sum[r]);
        }
    }
}

/* After an update of node i's parameters: the nodes that have them recompute what is derived. */
static void prepare_users(const eg_net *net, size_t i)
{
    prepare_node(net, i);
    for (size_t j = i + 1; net->nodes[i].shared && j < net->node_count; j++) {
        const eg_node *node = &net->nodes[j];
        for (size_t b = 0; b < node->layer.block_count; b++) {
            if (node->owner[b] == i) {
                prepare_node(net, j);
                break;
            }
        }
    }
}

static void finish_node(const eg_net *net, eg_workspace *workspace, size_t i,
                        const eg_gradient_consumer *consumer)
{
    const eg_node *node = &net->nodes[i];
    eg_workspace_add_input_gradients(net, workspace, i);
    if (node->shared) {
        finish_shared(net, workspace, i);
    }
    if (node->param_count > 0 && consumer != NULL && workspace->context[i].consumer == NULL) {
        consumer->consume(consumer->user, node->param_offset, node->param_count,
                          net->grads + node->param_offset);
        if (consumer->updates) {
            prepare_users(net, i);
        }
    }
}

void eg_net_backward(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                     const eg_gradient_consumer *consumer)
{
    eg_profile_part before = eg_profile_enter(workspace->profile, EG_PROFILE_BACKWARD);
    eg_workspace_begin_backward(net, workspace, dy, false);
    workspace->derives = consumer != NULL && consumer->updates;
    for (size_t i = net->node_count; i-- > 0;) {
        if (!net->nodes[i].learns) {
            continue;
        }
        begin_node(net, workspace, i, consumer);
        if (i == 0 || !eg_workspace_makes_next(workspace, i - 1)) {
            run_node(net, workspace, i, net->nodes[i].layer.ops->backward);
        }
        finish_node(net, workspace, i, consumer);
    }
    (void)eg_profile_enter(workspace->profile, before);
}

void eg_net_updated(eg_net *net, eg_workspace *workspace)
{
    assert(workspace->context[0].mode == EG_MODE_TRAIN && workspace->context[0].batch > 0);
    net->stale = net->stale || !workspace->derives;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        if (layer->ops->after_update != NULL) {
            layer->ops->after_update(layer, &workspace->context[i]);
        }
    }
}
