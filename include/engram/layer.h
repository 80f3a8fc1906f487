/** Layers: forward and backward over a minibatch, on views of the network's flat arrays. */
#ifndef ENGRAM_LAYER_H
#define ENGRAM_LAYER_H

#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct eg_layer eg_layer;

/** What one forward or backward call is about. */
typedef struct eg_call {
    size_t batch;  /**< examples B */
    bool training; /**< false: evaluation, nothing is kept for backward but `cache` may be used as
                      scratch */
    uint64_t seed; /**< trial seed, for layers that draw */
    uint64_t step; /**< minibatches seen by this network, for layers that draw */
} eg_call;

/** x [B, inputs], y [B, outputs], cache [B * cache_per_example + cache_fixed]; params, grads,
 * derived are the layer's own slices of the network's flat arrays. Arrays must not overlap. */
typedef struct eg_layer_ops {
    const char *name;
    /** Optional. Fills `params` with starting values; index numbers the layers of a network. */
    void (*init)(const eg_layer *layer, eg_real *params, uint64_t seed, uint64_t index);
    /** Optional. Recomputes `derived` (e.g. normalised weights) after params changed. */
    void (*prepare)(const eg_layer *layer, const eg_real *params, eg_real *derived);
    void (*forward)(const eg_layer *layer, const eg_call *call, const eg_real *params,
                    const eg_real *derived, const eg_real *x, eg_real *y, eg_real *cache);
    /** grads += is NOT the contract: the slice is overwritten. dx may be NULL: not wanted. */
    void (*backward)(const eg_layer *layer, const eg_call *call, const eg_real *params,
                     const eg_real *derived, const eg_real *x, const eg_real *y, const eg_real *dy,
                     eg_real *cache, eg_real *dx, eg_real *grads);
    /** Floating-point operations per example of forward (backward counts twice that). */
    double (*flops)(const eg_layer *layer);
    void (*free)(eg_layer *layer); /**< optional: releases `state` */
} eg_layer_ops;

struct eg_layer {
    const eg_layer_ops *ops;
    size_t inputs, outputs;
    size_t param_count;       /**< length of the params and grads slices */
    size_t derived_count;     /**< length of the derived slice */
    size_t cache_per_example; /**< numbers kept between forward and backward */
    size_t cache_fixed;       /**< further scratch, whatever the batch */
    bool hidden;              /**< outputs are hidden units: counted as active when not zero */
    void *state;              /**< the layer's own constants; owned */
};

#endif
