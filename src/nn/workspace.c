/** Forward and backward through a network, and the memory they need; see engram/net.h. */
#include "engram/net.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>

/* Every array is a block of its own, so that the address sanitizer guards its ends.
 *
 *     output[i]   [capacity, outputs of layer i]
 *     cache[i]    [capacity * cache_per_example + cache_fixed of layer i]
 *     gradient[2] [capacity, widest layer but the last]: of the inputs of odd and of even layers */
struct eg_workspace {
    size_t layer_count, capacity;
    bool training;
    eg_layer_context context; /* of the last forward */
    const eg_real *x;         /* its input; borrowed */
    eg_sparse
        *transposed;  /* of the input, for a first layer that takes it in sparse form; or NULL */
    eg_real **output; /* [layer_count] */
    eg_real **cache;  /* [layer_count] */
    eg_real *gradient[2];
    eg_profile *profile; /* borrowed; NULL: not measured */
};

static eg_status allocate(eg_real **out, size_t count)
{
    EG_TRY(eg_alloc(out, count, sizeof **out));
#ifndef NDEBUG
    /* Whatever is read before it is written shows. */
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = (eg_real)NAN;
    }
#endif
    return eg_ok();
}

static eg_status allocate_all(eg_workspace *workspace, const eg_net *net)
{
    EG_TRY(eg_alloc(&workspace->output, net->layer_count, sizeof *workspace->output));
    EG_TRY(eg_alloc(&workspace->cache, net->layer_count, sizeof *workspace->cache));
    size_t widest = 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        size_t cache = workspace->capacity * layer->cache_per_example + layer->cache_fixed;
        EG_TRY(allocate(&workspace->output[i], workspace->capacity * layer->outputs));
        EG_TRY(allocate(&workspace->cache[i], cache));
        if (i > 0 && layer->inputs > widest) {
            widest = layer->inputs;
        }
    }
    for (size_t i = 0; workspace->training && i < 2; i++) {
        EG_TRY(allocate(&workspace->gradient[i], workspace->capacity * widest));
    }
    const eg_layer *first = &net->layers[0];
    if (workspace->training && first->ops->takes_sparse) {
        EG_TRY(eg_sparse_create(&workspace->transposed, first->inputs, workspace->capacity));
    }
    return eg_ok();
}

eg_status eg_workspace_create(eg_workspace **out, const eg_net *net, size_t capacity, bool training)
{
    assert(capacity > 0);
    *out = NULL;
    eg_workspace *workspace = NULL;
    EG_TRY(eg_alloc(&workspace, 1, sizeof *workspace));
    workspace->layer_count = net->layer_count;
    workspace->capacity = capacity;
    workspace->training = training;
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
    for (size_t i = 0; i < workspace->layer_count; i++) {
        /* Either table may be missing in a half-built workspace. */
        eg_free(workspace->output != NULL ? workspace->output[i] : NULL);
        eg_free(workspace->cache != NULL ? workspace->cache[i] : NULL);
    }
    eg_free(workspace->output);
    eg_free(workspace->cache);
    eg_free(workspace->gradient[0]);
    eg_free(workspace->gradient[1]);
    eg_sparse_free(workspace->transposed);
    eg_free(workspace);
}

void eg_workspace_profile(eg_workspace *workspace, eg_profile *profile)
{
    workspace->profile = profile;
}

/* Says what layer i is about to do. */
static void enter(const eg_workspace *workspace, const eg_net *net, size_t i,
                  eg_profile_part weights)
{
    (void)eg_profile_enter(workspace->profile,
                           net->layers[i].hidden ? EG_PROFILE_ACTIVATION : weights);
}

static void prepare_layer(eg_net *net, size_t i)
{
    const eg_layer *layer = &net->layers[i];
    if (layer->ops->prepare != NULL) {
        layer->ops->prepare(layer, net->params + net->param_offset[i],
                            net->derived + net->derived_offset[i]);
    }
}

/* What layer i is told about this minibatch: only the first layer's input comes in sparse form. */
static eg_layer_context context_of(const eg_workspace *workspace, size_t i)
{
    eg_layer_context context = workspace->context;
    if (i > 0) {
        context.sparse = NULL;
        context.transposed = NULL;
    }
    return context;
}

const eg_real *eg_net_forward(eg_net *net, eg_workspace *workspace, size_t batch, const eg_real *x,
                              const eg_sparse *sparse)
{
    assert(workspace->layer_count == net->layer_count);
    assert(batch >= 1 && batch <= workspace->capacity);
    assert(sparse == NULL || (sparse->rows == batch && sparse->columns == net->inputs));
    eg_profile_part before = eg_profile_enter(workspace->profile, EG_PROFILE_FORWARD);
    for (size_t i = 0; net->stale && i < net->layer_count; i++) {
        prepare_layer(net, i);
    }
    net->stale = false;
    workspace->x = x;
    workspace->context = (eg_layer_context){.batch = batch,
                                            .training = workspace->training,
                                            .seed = net->seed,
                                            .step = net->step,
                                            .sparse = sparse};
    net->step += workspace->training ? 1 : 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        const eg_layer_context context = context_of(workspace, i);
        enter(workspace, net, i, EG_PROFILE_FORWARD);
        layer->ops->forward(layer, &context, net->params + net->param_offset[i],
                            net->derived + net->derived_offset[i],
                            i == 0 ? x : workspace->output[i - 1], workspace->output[i],
                            workspace->cache[i]);
    }
    (void)eg_profile_enter(workspace->profile, before);
    return workspace->output[net->layer_count - 1];
}

static void begin_backward(const eg_net *net, eg_workspace *workspace)
{
    assert(workspace->training && workspace->context.batch > 0);
    assert(!net->stale);
    (void)net;
    if (workspace->context.sparse != NULL && workspace->transposed != NULL) {
        eg_sparse_transpose(workspace->context.sparse, workspace->transposed);
        workspace->context.transposed = workspace->transposed;
    }
}

/* Who gets the gradients, and whether parameters change by them at once. */
typedef struct receiver {
    void (*consume)(void *user, size_t first, size_t count, const eg_real *g);
    void *user;
    bool learns;
} receiver;

/* Backward through layer i into net->grads, for `to` (or NULL); returns dy of the layer before. */
static const eg_real *backward_layer(eg_net *net, eg_workspace *workspace, size_t i,
                                     const eg_real *dy, const receiver *to)
{
    const eg_layer *layer = &net->layers[i];
    eg_layer_context context = context_of(workspace, i);
    eg_gradient_consumer consumer = {.offset = net->param_offset[i]};
    if (to != NULL) {
        consumer.consume = to->consume;
        consumer.user = to->user;
    }
    enter(workspace, net, i, EG_PROFILE_BACKWARD);
    /* Nobody asks for the gradient of the network's input. */
    eg_real *dx = i == 0 ? NULL : workspace->gradient[i % 2];
    const eg_real *params = net->params + net->param_offset[i];
    eg_real *derived = net->derived + net->derived_offset[i];
    const eg_real *x = i == 0 ? workspace->x : workspace->output[i - 1];
    eg_real *grads = net->grads + net->param_offset[i];
    if (to != NULL && to->learns && layer->ops->learn != NULL) {
        layer->ops->learn(layer, &context, params, derived, x, workspace->output[i], dy,
                          workspace->cache[i], dx, &consumer);
        return dx;
    }
    bool pieces = to != NULL && layer->ops->streams_gradients;
    context.consumer = pieces ? &consumer : NULL;
    layer->ops->backward(layer, &context, params, derived, x, workspace->output[i], dy,
                         workspace->cache[i], dx, grads);
    if (to != NULL && !pieces && layer->param_count > 0) {
        eg_gradient_emit(&consumer, 0, layer->param_count, grads);
    }
    if (to != NULL && to->learns && layer->param_count > 0) {
        prepare_layer(net, i);
    }
    return dx;
}

static void backward(eg_net *net, eg_workspace *workspace, const eg_real *dy, const receiver *to)
{
    eg_profile_part before = eg_profile_enter(workspace->profile, EG_PROFILE_BACKWARD);
    begin_backward(net, workspace);
    for (size_t i = net->layer_count; i-- > 0;) {
        dy = backward_layer(net, workspace, i, dy, to);
    }
    (void)eg_profile_enter(workspace->profile, before);
}

void eg_net_backward(eg_net *net, eg_workspace *workspace, const eg_real *dy)
{
    backward(net, workspace, dy, NULL);
}

void eg_net_backward_to(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                        void (*consume)(void *user, size_t first, size_t count, const eg_real *g),
                        void *user)
{
    backward(net, workspace, dy, &(receiver){.consume = consume, .user = user});
}

void eg_net_learn(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                  void (*consume)(void *user, size_t first, size_t count, const eg_real *g),
                  void *user)
{
    backward(net, workspace, dy, &(receiver){.consume = consume, .user = user, .learns = true});
}

void eg_net_per_example(eg_net *net, eg_workspace *workspace, const eg_real *dy,
                        eg_per_example what, eg_real *scratch, eg_real *sums)
{
    begin_backward(net, workspace);
    for (size_t i = net->layer_count; i-- > 0;) {
        const eg_layer *layer = &net->layers[i];
        const eg_layer_context context = context_of(workspace, i);
        if (layer->param_count > 0) {
            layer->ops->per_example(layer, &context, net->params + net->param_offset[i],
                                    i == 0 ? workspace->x : workspace->output[i - 1],
                                    workspace->output[i], dy, what, scratch,
                                    sums + net->param_offset[i]);
        }
        dy = i == 0 ? NULL : backward_layer(net, workspace, i, dy, NULL);
    }
}

void eg_net_updated(eg_net *net, eg_workspace *workspace)
{
    assert(workspace->training && workspace->context.batch > 0);
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        if (layer->ops->after_update != NULL) {
            const eg_layer_context context = context_of(workspace, i);
            layer->ops->after_update(layer, &context, net->params + net->param_offset[i],
                                     net->derived + net->derived_offset[i],
                                     i == 0 ? workspace->x : workspace->output[i - 1],
                                     workspace->output[i], workspace->cache[i]);
        }
    }
}

const eg_real *eg_workspace_hidden(const eg_workspace *workspace, const eg_net *net, size_t i,
                                   size_t *n)
{
    size_t seen = 0;
    for (size_t l = 0; l < net->layer_count; l++) {
        if (net->layers[l].hidden && seen++ == i) {
            *n = net->layers[l].outputs;
            return workspace->output[l];
        }
    }
    assert(false && "no such hidden layer");
    return NULL;
}
