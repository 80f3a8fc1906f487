/** One layer by itself, with arrays of its own: forward, backward, and its gradients against differences. */
#ifndef ENGRAM_TESTS_ONE_LAYER_H
#define ENGRAM_TESTS_ONE_LAYER_H

#include "testing.h"

#include "engram/layer.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

enum { ONE_LAYER_SEED = 11 };

typedef struct one_layer {
    eg_layer layer; /* owned */
    size_t batch, inputs, outputs;
    eg_real *x, *y, *dy, *dx, *cache;
    eg_real *params[EG_LAYER_BLOCKS_MAX], *grads[EG_LAYER_BLOCKS_MAX];
    double *buffers[EG_LAYER_BUFFERS_MAX];
    const eg_real *reads[1];
    eg_real *gives[1];
    eg_layer_context context;
} one_layer;

static inline eg_real *one_layer_array(size_t count)
{
    eg_real *array = NULL;
    assert_ok(eg_alloc(&array, count, sizeof *array));
    return array;
}

/** Takes the layer; x and dy are drawn, parameters and buffers start as they say. */
static inline void one_layer_init(one_layer *out, eg_layer layer, size_t batch)
{
    *out = (one_layer){.layer = layer, .batch = batch};
    out->inputs = eg_layer_inputs(&layer);
    out->outputs = eg_layer_outputs(&layer);
    out->x = one_layer_array(batch * out->inputs);
    out->dx = one_layer_array(batch * out->inputs);
    out->y = one_layer_array(batch * out->outputs);
    out->dy = one_layer_array(batch * out->outputs);
    out->cache = one_layer_array(batch * layer.cache_per_example + layer.cache_fixed);
    out->reads[0] = out->x;
    out->gives[0] = out->dx;
    for (size_t b = 0; b < layer.block_count; b++) {
        out->params[b] = one_layer_array(layer.blocks[b].count);
        out->grads[b] = one_layer_array(layer.blocks[b].count);
    }
    for (size_t b = 0; b < layer.buffer_count; b++) {
        assert_ok(eg_alloc(&out->buffers[b], layer.buffers[b].count, sizeof *out->buffers[b]));
    }
    out->context = (eg_layer_context){.batch = batch,
                                      .seed = ONE_LAYER_SEED,
                                      .x = out->reads,
                                      .y = out->y,
                                      .dy = out->dy,
                                      .dx = out->gives,
                                      .params = out->params,
                                      .grads = out->grads,
                                      .buffers = out->buffers,
                                      .cache = out->cache};
    if (layer.ops->init != NULL) {
        layer.ops->init(&layer, &out->context, 0);
    }
    eg_rng rng = eg_rng_make(ONE_LAYER_SEED, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < batch * out->inputs; i++) {
        out->x[i] = (eg_real)(2 * eg_rng_normal(&rng) + 1);
    }
    for (size_t i = 0; i < batch * out->outputs; i++) {
        out->dy[i] = (eg_real)eg_rng_normal(&rng);
    }
}

static inline void one_layer_clear(one_layer *one)
{
    eg_free(one->x);
    eg_free(one->dx);
    eg_free(one->y);
    eg_free(one->dy);
    eg_free(one->cache);
    for (size_t b = 0; b < one->layer.block_count; b++) {
        eg_free(one->params[b]);
        eg_free(one->grads[b]);
    }
    for (size_t b = 0; b < one->layer.buffer_count; b++) {
        eg_free(one->buffers[b]);
    }
    eg_layer_clear(&one->layer);
}

static inline void one_layer_forward(one_layer *one, eg_mode mode)
{
    one->context.mode = mode;
    one->layer.ops->forward(&one->layer, &one->context);
}

static inline void one_layer_backward(one_layer *one)
{
    one->layer.ops->backward(&one->layer, &one->context);
}

/* sum of dy y, of which dy is the gradient. What training moves stays where it was. */
static inline double one_layer_loss(one_layer *one, eg_mode mode)
{
    double loss = 0;
    one_layer_forward(one, mode == EG_MODE_TRAIN ? EG_MODE_PROBE_BATCH : mode);
    for (size_t i = 0; i < one->batch * one->outputs; i++) {
        loss += (double)(one->dy[i] * one->y[i]);
    }
    return loss;
}

static inline void one_layer_assert_slope(one_layer *one, eg_mode mode, eg_real *at,
                                          eg_real gradient)
{
    const double h = 1e-5;
    const eg_real kept = *at;
    *at = kept + (eg_real)h;
    double above = one_layer_loss(one, mode);
    *at = kept - (eg_real)h;
    double below = one_layer_loss(one, mode);
    *at = kept;
    assert_close((double)gradient, (above - below) / (2 * h), 1e-7);
}

/** All gradients of the mode, of the input and of the parameters, in the double library. Layers that draw must draw
 * in a probe of the minibatch what they drew in training. */
static inline void one_layer_assert_gradients(one_layer *one, eg_mode mode)
{
    one_layer_forward(one, mode);
    one_layer_backward(one);
    for (size_t i = 0; i < one->batch * one->inputs; i++) {
        one_layer_assert_slope(one, mode, &one->x[i], one->dx[i]);
    }
    for (size_t b = 0; b < one->layer.block_count; b++) {
        for (size_t i = 0; i < one->layer.blocks[b].count; i++) {
            one_layer_assert_slope(one, mode, &one->params[b][i], one->grads[b][i]);
        }
    }
}

#endif
