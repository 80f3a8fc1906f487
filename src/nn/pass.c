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
struct eg_pass {
    size_t layer_count, capacity;
    bool training;
    eg_call call;          /* of the last forward */
    const eg_real *x;      /* its input; borrowed */
    eg_sparse *transposed; /* of the input, for a first layer that takes it compressed; or NULL */
    eg_real **output;      /* [layer_count] */
    eg_real **cache;       /* [layer_count] */
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

static eg_status allocate_all(eg_pass *pass, const eg_net *net)
{
    EG_TRY(eg_alloc(&pass->output, net->layer_count, sizeof *pass->output));
    EG_TRY(eg_alloc(&pass->cache, net->layer_count, sizeof *pass->cache));
    size_t widest = 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        size_t cache = pass->capacity * layer->cache_per_example + layer->cache_fixed;
        EG_TRY(allocate(&pass->output[i], pass->capacity * layer->outputs));
        EG_TRY(allocate(&pass->cache[i], cache));
        if (i > 0 && layer->inputs > widest) {
            widest = layer->inputs;
        }
    }
    for (size_t i = 0; pass->training && i < 2; i++) {
        EG_TRY(allocate(&pass->gradient[i], pass->capacity * widest));
    }
    const eg_layer *first = &net->layers[0];
    if (pass->training && first->ops->takes_sparse) {
        EG_TRY(eg_sparse_create(&pass->transposed, first->inputs, pass->capacity));
    }
    return eg_ok();
}

eg_status eg_pass_create(eg_pass **out, const eg_net *net, size_t capacity, bool training)
{
    assert(capacity > 0);
    *out = NULL;
    eg_pass *pass = NULL;
    EG_TRY(eg_alloc(&pass, 1, sizeof *pass));
    pass->layer_count = net->layer_count;
    pass->capacity = capacity;
    pass->training = training;
    eg_status status = allocate_all(pass, net);
    if (!eg_is_ok(&status)) {
        eg_pass_free(pass);
        return status;
    }
    *out = pass;
    return status;
}

void eg_pass_free(eg_pass *pass)
{
    if (pass == NULL) {
        return;
    }
    for (size_t i = 0; i < pass->layer_count; i++) {
        /* Either table may be missing in a half-built pass. */
        eg_free(pass->output != NULL ? pass->output[i] : NULL);
        eg_free(pass->cache != NULL ? pass->cache[i] : NULL);
    }
    eg_free(pass->output);
    eg_free(pass->cache);
    eg_free(pass->gradient[0]);
    eg_free(pass->gradient[1]);
    eg_sparse_free(pass->transposed);
    eg_free(pass);
}

void eg_pass_profile(eg_pass *pass, eg_profile *profile)
{
    pass->profile = profile;
}

/* Says what layer i is about to do. */
static void enter(const eg_pass *pass, const eg_net *net, size_t i, eg_profile_part weights)
{
    (void)eg_profile_enter(pass->profile, net->layers[i].hidden ? EG_PROFILE_ACTIVATION : weights);
}

static void prepare_layer(eg_net *net, size_t i)
{
    const eg_layer *layer = &net->layers[i];
    if (layer->ops->prepare != NULL) {
        layer->ops->prepare(layer, net->params + net->param_offset[i],
                            net->derived + net->derived_offset[i]);
    }
}

/* What layer i is told about this minibatch: only the first layer's input comes compressed. */
static eg_call call_of(const eg_pass *pass, size_t i)
{
    eg_call call = pass->call;
    if (i > 0) {
        call.sparse = NULL;
        call.transposed = NULL;
    }
    return call;
}

const eg_real *eg_net_forward(eg_net *net, eg_pass *pass, size_t batch, const eg_real *x,
                              const eg_sparse *sparse)
{
    assert(pass->layer_count == net->layer_count);
    assert(batch >= 1 && batch <= pass->capacity);
    assert(sparse == NULL || (sparse->rows == batch && sparse->columns == net->inputs));
    eg_profile_part before = eg_profile_enter(pass->profile, EG_PROFILE_FORWARD);
    for (size_t i = 0; net->stale && i < net->layer_count; i++) {
        prepare_layer(net, i);
    }
    net->stale = false;
    pass->x = x;
    pass->call = (eg_call){.batch = batch,
                           .training = pass->training,
                           .seed = net->seed,
                           .step = net->step,
                           .sparse = sparse};
    net->step += pass->training ? 1 : 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        const eg_call call = call_of(pass, i);
        enter(pass, net, i, EG_PROFILE_FORWARD);
        layer->ops->forward(layer, &call, net->params + net->param_offset[i],
                            net->derived + net->derived_offset[i], i == 0 ? x : pass->output[i - 1],
                            pass->output[i], pass->cache[i]);
    }
    (void)eg_profile_enter(pass->profile, before);
    return pass->output[net->layer_count - 1];
}

static void begin_backward(const eg_net *net, eg_pass *pass)
{
    assert(pass->training && pass->call.batch > 0);
    assert(!net->stale);
    (void)net;
    if (pass->call.sparse != NULL && pass->transposed != NULL) {
        eg_sparse_transpose(pass->call.sparse, pass->transposed);
        pass->call.transposed = pass->transposed;
    }
}

/* Who gets the gradients, and whether parameters change by them at once. */
typedef struct taker {
    void (*take)(void *user, size_t first, size_t count, const eg_real *g);
    void *user;
    bool learns;
} taker;

/* Backward through layer i into net->grads, for `to` (or NULL); returns dy of the layer before. */
static const eg_real *backward_layer(eg_net *net, eg_pass *pass, size_t i, const eg_real *dy,
                                     const taker *to)
{
    const eg_layer *layer = &net->layers[i];
    eg_call call = call_of(pass, i);
    eg_sink sink = {.offset = net->param_offset[i]};
    if (to != NULL) {
        sink.take = to->take;
        sink.user = to->user;
    }
    enter(pass, net, i, EG_PROFILE_BACKWARD);
    /* Nobody asks for the gradient of the network's input. */
    eg_real *dx = i == 0 ? NULL : pass->gradient[i % 2];
    const eg_real *params = net->params + net->param_offset[i];
    eg_real *derived = net->derived + net->derived_offset[i];
    const eg_real *x = i == 0 ? pass->x : pass->output[i - 1];
    eg_real *grads = net->grads + net->param_offset[i];
    if (to != NULL && to->learns && layer->ops->learn != NULL) {
        layer->ops->learn(layer, &call, params, derived, x, pass->output[i], dy, pass->cache[i], dx,
                          &sink);
        return dx;
    }
    bool pieces = to != NULL && layer->ops->gives_pieces;
    call.sink = pieces ? &sink : NULL;
    layer->ops->backward(layer, &call, params, derived, x, pass->output[i], dy, pass->cache[i], dx,
                         grads);
    if (to != NULL && !pieces && layer->param_count > 0) {
        eg_sink_give(&sink, 0, layer->param_count, grads);
    }
    if (to != NULL && to->learns && layer->param_count > 0) {
        prepare_layer(net, i);
    }
    return dx;
}

static void backward(eg_net *net, eg_pass *pass, const eg_real *dy, const taker *to)
{
    eg_profile_part before = eg_profile_enter(pass->profile, EG_PROFILE_BACKWARD);
    begin_backward(net, pass);
    for (size_t i = net->layer_count; i-- > 0;) {
        dy = backward_layer(net, pass, i, dy, to);
    }
    (void)eg_profile_enter(pass->profile, before);
}

void eg_net_backward(eg_net *net, eg_pass *pass, const eg_real *dy)
{
    backward(net, pass, dy, NULL);
}

void eg_net_backward_to(eg_net *net, eg_pass *pass, const eg_real *dy,
                        void (*take)(void *user, size_t first, size_t count, const eg_real *g),
                        void *user)
{
    backward(net, pass, dy, &(taker){.take = take, .user = user});
}

void eg_net_learn(eg_net *net, eg_pass *pass, const eg_real *dy,
                  void (*take)(void *user, size_t first, size_t count, const eg_real *g),
                  void *user)
{
    backward(net, pass, dy, &(taker){.take = take, .user = user, .learns = true});
}

void eg_net_each(eg_net *net, eg_pass *pass, const eg_real *dy, eg_each what, eg_real *scratch,
                 eg_real *sums)
{
    begin_backward(net, pass);
    for (size_t i = net->layer_count; i-- > 0;) {
        const eg_layer *layer = &net->layers[i];
        const eg_call call = call_of(pass, i);
        if (layer->param_count > 0) {
            layer->ops->each(layer, &call, net->params + net->param_offset[i],
                             i == 0 ? pass->x : pass->output[i - 1], pass->output[i], dy, what,
                             scratch, sums + net->param_offset[i]);
        }
        dy = i == 0 ? NULL : backward_layer(net, pass, i, dy, NULL);
    }
}

void eg_net_updated(eg_net *net, eg_pass *pass)
{
    assert(pass->training && pass->call.batch > 0);
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        if (layer->ops->after_update != NULL) {
            const eg_call call = call_of(pass, i);
            layer->ops->after_update(layer, &call, net->params + net->param_offset[i],
                                     net->derived + net->derived_offset[i],
                                     i == 0 ? pass->x : pass->output[i - 1], pass->output[i],
                                     pass->cache[i]);
        }
    }
}

const eg_real *eg_pass_hidden(const eg_pass *pass, const eg_net *net, size_t i, size_t *n)
{
    size_t seen = 0;
    for (size_t l = 0; l < net->layer_count; l++) {
        if (net->layers[l].hidden && seen++ == i) {
            *n = net->layers[l].outputs;
            return pass->output[l];
        }
    }
    assert(false && "no such hidden layer");
    return NULL;
}
