/** Layers: functions of minibatches, with parameters, that can be differentiated.
 *
 *  A layer is `const` operations, its shapes, the blocks of parameters it has, and its own
 *  constants. The numbers themselves belong to the network (parameters, what is derived from them,
 *  buffers) and to a workspace (inputs, outputs, gradients); every call gets them in one struct,
 *  eg_layer_context. To add a layer: one file with the operations and a function that fills an
 *  eg_layer; nn/layer_linear.c is the model. */
#ifndef ENGRAM_LAYER_H
#define ENGRAM_LAYER_H

#include "engram/gradient_consumer.h"
#include "engram/initial.h"
#include "engram/parameter_table.h"
#include "engram/real.h"
#include "engram/shape.h"
#include "engram/sparse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EG_LAYER_BLOCKS_MAX = 8, EG_LAYER_BUFFERS_MAX = 4 };

typedef struct eg_layer eg_layer;

/** What a forward is for. */
typedef enum eg_mode {
    EG_MODE_TRAIN,        /**< statistics of the minibatch; buffers move; kept for backward */
    EG_MODE_PREDICT,      /**< running statistics; nothing is kept and nothing moves */
    EG_MODE_PROBE,        /**< running statistics; kept for backward; nothing moves: importances */
    EG_MODE_PROBE_BATCH,  /**< statistics of the minibatch; kept for backward; nothing moves */
    EG_MODE_PREDICT_BATCH /**< as predict, but normalised by statistics of the minibatch */
} eg_mode;

/** Whether backward may follow. */
static inline bool eg_mode_keeps(eg_mode mode)
{
    return mode != EG_MODE_PREDICT && mode != EG_MODE_PREDICT_BATCH;
}

/** Whether normalisation uses the minibatch, not running statistics. */
static inline bool eg_mode_uses_batch(eg_mode mode)
{
    return mode == EG_MODE_TRAIN || mode == EG_MODE_PROBE_BATCH || mode == EG_MODE_PREDICT_BATCH;
}

/** Whether layers that draw do so. */
static inline bool eg_mode_draws(eg_mode mode)
{
    return mode == EG_MODE_TRAIN || mode == EG_MODE_PROBE_BATCH;
}

/** A layer that is made together with the one it reads. */
typedef struct eg_layer_next {
    const struct eg_layer *layer;
    const struct eg_layer_context *context;
} eg_layer_next;

/** All that a call works on. Arrays of B examples; none overlap. What a call does not use is
 *  unset. */
typedef struct eg_layer_context {
    eg_mode mode;
    size_t batch;            /**< examples B */
    uint64_t seed;           /**< trial seed, for layers that draw */
    uint64_t step;           /**< training minibatches seen by this network, for layers that draw */
    const eg_real *const *x; /**< inputs: x[k] [B, shape]; x[0] may be NULL if `sparse` is there */
    const eg_sparse *sparse; /**< x[0] in sparse form, or NULL */
    const eg_sparse *transposed; /**< in backward: the transpose of `sparse`; see `transposes` */
    bool flat_input;    /**< where x[0] is 0, dx[0] may be 0: it is multiplied by 0 further on */
    eg_real *y;         /**< output [B, shape] */
    const eg_real *dy;  /**< in backward: gradient of y */
    eg_real *const *dx; /**< in backward, to be overwritten: dx[k], or NULL if not wanted */
    eg_real *const *params; /**< [blocks] only init and after_update change them */
    eg_real *const *grads;  /**< [blocks] to be overwritten by backward; NULL: only dx is wanted */
    const size_t *offset;   /**< [blocks] where they begin in the network's flat arrays */
    eg_real *derived;       /**< recomputed from params and buffers by prepare */
    double *const *buffers; /**< [buffers] running statistics and counters */
    eg_real *cache; /**< [B * cache_per_example + cache_fixed] from forward to backward; scratch if
                       nothing is kept */
    const eg_gradient_consumer *consumer; /**< in backward, for layers that say so; or NULL */
    const eg_layer_next *next;            /**< for layers that say so (takes_next); or NULL */
} eg_layer_context;

/** Gives `count` gradients of a block, from `first` on, to the consumer. */
static inline void eg_gradient_emit(const eg_layer_context *context, size_t block, size_t first,
                                    size_t count, eg_real *g)
{
    const eg_gradient_consumer *consumer = context->consumer;
    consumer->consume(consumer->user, context->offset[block] + first, count, g);
}

/** What is added up of every single example's gradient g: g^2 or |g|. */
typedef enum eg_per_example { EG_PER_EXAMPLE_SQUARE, EG_PER_EXAMPLE_ABSOLUTE } eg_per_example;

/** Which parameters of a unit. A unit is a channel: of the output for what comes in, of the first
 * input for what goes out. */
typedef enum eg_unit_side {
    EG_UNIT_INCOMING, /**< what makes the unit: weights, then bias, scale, shift */
    EG_UNIT_OUTGOING  /**< weights by which the layer uses the unit */
} eg_unit_side;

/** Parameters first, first+stride, …, `count` of them, of one block. */
typedef struct eg_unit_run {
    size_t block; /**< of the layer */
    size_t first, count, stride;
} eg_unit_run;

/** A block of parameters, or a buffer, as a layer declares it. */
typedef struct eg_block {
    const char *name; /**< "weight" */
    eg_role role;     /**< unused for buffers */
    size_t count;     /**< numbers, padding included */
    size_t units, fan_in;
    eg_initial initial; /**< what its parameters, or its counters, start as */
    size_t lanes;       /**< units of a panel, as in eg_parameter_unit; 0 or 1: rows */
} eg_block;

/** Required unless said otherwise. */
typedef struct eg_layer_ops {
    const char *name;
    /** Optional: the shape of input k, where inputs differ; layer->in without it. */
    eg_shape (*input)(const eg_layer *layer, size_t k);
    /** Optional: starting values of params and buffers, which are 0 before; keyed by context->seed
     * and `index`, the number of the node. */
    void (*init)(const eg_layer *layer, const eg_layer_context *context, uint64_t index);
    /** Optional: recomputes `derived` (e.g. normalised weights) after params or buffers changed. */
    void (*prepare)(const eg_layer *layer, const eg_layer_context *context);
    /** y from x. */
    void (*forward)(const eg_layer *layer, const eg_layer_context *context);
    /** dx and grads from dy; all are overwritten, not added to. */
    void (*backward)(const eg_layer *layer, const eg_layer_context *context);
    /** Of layers that are elementwise: y, or dx[0], of numbers first … first+count-1 of the
     * minibatch alone; x: from number `first` on. */
    void (*forward_part)(const eg_layer *layer, const eg_layer_context *context, size_t first,
                         size_t count, const eg_real *x);
    void (*backward_part)(const eg_layer *layer, const eg_layer_context *context, size_t first,
                          size_t count);
    /** Optional: after every update of the parameters, from a forward in mode train. Puts them back
     * where the layer wants them (a projection), counts in buffers, leaves `derived` up to date. */
    void (*after_update)(const eg_layer *layer, const eg_layer_context *context);
    /** Optional, with per_example_scratch: adds to sums[block] the squares (absolute values) of the
     * gradients of single examples, summed over all examples and rounds (eg_net_per_example). dy
     * [B, outputs]: the squares (absolute values) of the gradients of y, summed over the rounds, by
     * which alone the result depends on them. scratch [per_example_scratch(layer, batch)]. */
    void (*per_example)(const eg_layer *layer, const eg_layer_context *context, eg_per_example what,
                        eg_real *scratch, eg_real *const *sums);
    /** Optional, instead of the former: the same of one round, whose gradients of y are dy [B,
     * outputs]. In mode probe. */
    void (*per_example_round)(const eg_layer *layer, const eg_layer_context *context,
                              eg_per_example what, eg_real *scratch, eg_real *const *sums);
    size_t (*per_example_scratch)(const eg_layer *layer, size_t batch);
    /** The k-th run (0, 1, …) of a unit's parameters; false: there are no more. Required of layers
     * with parameters. */
    bool (*unit_run)(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run);
    /** Floating-point operations per example of forward (backward counts twice that). */
    double (*flops)(const eg_layer *layer);
    /** Optional: multiply-adds per example of forward, as papers that compare methods count them
     * (eg_net_macs); NULL: none. */
    double (*macs)(const eg_layer *layer);
    void (*free)(eg_layer *layer); /**< optional: releases `state` where it is not one block */
    bool takes_sparse; /**< uses context->sparse, so the workspace has room for its transpose */
    /** Optional: whether backward of a minibatch uses context->transposed. It is not made if no
     * layer does; asked where it would have all examples in one block. `readers`: the layers that
     * use context->sparse. */
    bool (*transposes)(const eg_layer *layer, size_t batch, size_t readers);
    /** Unit c of the output is unit c of the first input, changed; where there are several times
     * its channels n, channels c, n + c, … are unit c. */
    bool keeps_units;
    /** Unit c of the input is outputs c*P, …, c*P + P - 1, P the places of the input. */
    bool flattens;
    /** Forward and backward make those of context->next, too, if it is there, part by part while it
     * is in cache. It alone reads y, and its backward only its own outputs, so y is free to hold a
     * part after the other. */
    bool takes_next;
    /** Where an output is 0, so is what it was taken from, or its dy is multiplied by 0: the output
     * is flat at zero if the input is. */
    bool keeps_flat;
    /** Backward gives its gradients to the consumer itself, if there is one. */
    bool streams_gradients;
    /** Backward with a consumer that updates does so itself: gives every gradient once, after the
     * last use of the parameters it is about, and leaves `derived` up to date. */
    bool fuses_update;
} eg_layer_ops;

struct eg_layer {
    const eg_layer_ops *ops;
    eg_shape in, out;   /**< of one example */
    size_t input_count; /**< inputs it takes */
    size_t block_count;
    eg_block blocks[EG_LAYER_BLOCKS_MAX];
    size_t buffer_count;
    eg_block buffers[EG_LAYER_BUFFERS_MAX];
    size_t derived_count;
    size_t cache_per_example; /**< numbers kept between forward and backward */
    size_t cache_fixed;       /**< further scratch, whatever the batch */
    /* What neither backward, per_example nor after_update looks at, so that nobody has to keep it:
     * x, and y. A gradient that is passed on is dx[k] = dy for all k, and one of them may already
     * be dy. */
    bool spares_input, spares_output, passes_gradient;
    bool flat_at_zero; /**< where an output is 0, backward multiplies its dy by 0 */
    bool elementwise;  /**< an output depends on the input of the same number alone, and backward
                          does not read x: has forward_part and backward_part */
    bool mixes_units;  /**< a unit that passes through depends on other units, too */
    bool scales_rows;  /**< computes with the weights of a unit made of a fixed length */
    bool hidden;       /**< outputs are hidden units: counted as active when not zero */
    double low, high;  /**< bounds of hidden units' outputs; equal: there are none */
    double gain;       /**< of hidden units: what a layer before has as its gain (initial.h) */
    void *state;       /**< the layer's own constants; owned */
};

/** Releases a layer's state, and zeroes it; one that is zeroed is accepted. */
void eg_layer_clear(eg_layer *layer);

/** Numbers of an example at the (first) input and at the output. */
static inline size_t eg_layer_inputs(const eg_layer *layer)
{
    return eg_shape_size(layer->in);
}

static inline size_t eg_layer_outputs(const eg_layer *layer)
{
    return eg_shape_size(layer->out);
}

/** Numbers in all blocks. */
static inline size_t eg_layer_param_count(const eg_layer *layer)
{
    size_t count = 0;
    for (size_t b = 0; b < layer->block_count; b++) {
        count += layer->blocks[b].count;
    }
    return count;
}

#endif
