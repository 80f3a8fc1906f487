/** Layers: forward and backward over a minibatch, on views of the network's flat arrays. */
#ifndef ENGRAM_LAYER_H
#define ENGRAM_LAYER_H

#include "engram/pack.h"
#include "engram/real.h"
#include "engram/sparse.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eg_layer eg_layer;

/** What one forward or backward call is about. */
typedef struct eg_layer_context {
    size_t batch;  /**< examples B */
    bool training; /**< false: evaluation, nothing is kept for backward but `cache` may be used as
                      scratch */
    uint64_t seed; /**< trial seed, for layers that draw */
    uint64_t step; /**< minibatches seen by this network, for layers that draw */
    const eg_sparse *sparse;     /**< the layer's input in sparse form, or NULL */
    const eg_sparse *transposed; /**< in backward and learn: the transpose of `sparse` */
    /** In backward of layers with streams_gradients: is given the gradients as they are made; or NULL. */
    const struct eg_gradient_consumer *consumer;
} eg_layer_context;

/** What is added up of every single example's gradient g: g^2 or |g|. */
typedef enum eg_per_example { EG_PER_EXAMPLE_SQUARE, EG_PER_EXAMPLE_ABSOLUTE } eg_per_example;

/** Takes gradients piece by piece; in learn it changes the parameters by them at once. */
typedef struct eg_gradient_consumer {
    /** g [count] belongs to the network's parameters first … first+count-1. */
    void (*consume)(void *user, size_t first, size_t count, const eg_real *g);
    void *user;
    size_t offset; /**< where the layer's slice begins */
} eg_gradient_consumer;

/** Gives the gradient of parameters first … first+count-1 of the layer's slice. */
static inline void eg_gradient_emit(const eg_gradient_consumer *consumer, size_t first,
                                    size_t count, const eg_real *g)
{
    consumer->consume(consumer->user, consumer->offset + first, count, g);
}

/** x [B, inputs], y [B, outputs], cache [B * cache_per_example + cache_fixed]; params, grads,
 * derived are the layer's own slices of the network's flat arrays. Arrays must not overlap. */
typedef struct eg_layer_ops {
    const char *name;
    /** Optional. Fills `params` with starting values; index numbers the layers of a network. */
    void (*init)(const eg_layer *layer, eg_real *params, uint64_t seed, uint64_t index);
    /** Optional. Recomputes `derived` (e.g. normalised weights) after params changed. */
    void (*prepare)(const eg_layer *layer, const eg_real *params, eg_real *derived);
    void (*forward)(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                    const eg_real *derived, const eg_real *x, eg_real *y, eg_real *cache);
    /** grads += is NOT the contract: the slice is overwritten. dx may be NULL: not wanted. */
    void (*backward)(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                     const eg_real *derived, const eg_real *x, const eg_real *y, const eg_real *dy,
                     eg_real *cache, eg_real *dx, eg_real *grads);
    /** Optional: backward, update and prepare in one, for layers that keep a part of the weights in
     * cache meanwhile. Gives every gradient to the consumer once, after its last use of the parameters
     * it is about, and leaves `derived` up to date. */
    void (*learn)(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                  eg_real *derived, const eg_real *x, const eg_real *y, const eg_real *dy,
                  eg_real *cache, eg_real *dx, const eg_gradient_consumer *consumer);
    /** Optional. After every update of the parameters: puts them back where the layer wants them (a
     * projection), leaves `derived` up to date, and counts what the minibatch did in `state`. x, y
     * and cache are of the training forward the update came from. */
    void (*after_update)(const eg_layer *layer, const eg_layer_context *context, eg_real *params,
                         eg_real *derived, const eg_real *x, const eg_real *y, eg_real *cache);
    /** Optional, both or none: what the layer remembers in `state` from one update to the next, for
     * checkpoints; read takes it back into a layer made the same way, or gives EG_INVALID. `init`
     * makes it what it is at the start. */
    void (*write)(const eg_layer *layer, eg_writer *writer);
    eg_status (*read)(eg_layer *layer, eg_reader *reader);
    /** Optional, both or none. Adds to `sums`, a slice like params, what each example contributes by
     * its own gradient; scratch [per_example_scratch(layer, batch)]. */
    void (*per_example)(const eg_layer *layer, const eg_layer_context *context,
                        const eg_real *params, const eg_real *x, const eg_real *y,
                        const eg_real *dy, eg_per_example what, eg_real *scratch, eg_real *sums);
    size_t (*per_example_scratch)(const eg_layer *layer, size_t batch);
    /** Floating-point operations per example of forward (backward counts twice that). */
    double (*flops)(const eg_layer *layer);
    void (*free)(eg_layer *layer); /**< optional: releases `state` */
    bool takes_sparse; /**< uses context->sparse, so the workspace keeps its transpose */
    bool
        streams_gradients; /**< backward gives its gradients to context->consumer, if there is one */
} eg_layer_ops;

struct eg_layer {
    const eg_layer_ops *ops;
    size_t inputs, outputs;
    size_t param_count;       /**< length of the params and grads slices */
    size_t derived_count;     /**< length of the derived slice */
    size_t cache_per_example; /**< numbers kept between forward and backward */
    size_t cache_fixed;       /**< further scratch, whatever the batch */
    bool hidden;              /**< outputs are hidden units: counted as active when not zero */
    void *state;              /**< the layer's own constants and memory; owned */
};

#endif
