/** What poolings of images share: where the windows are. Along an axis, window o covers places
 *  o*stride - before … of the input, as far as these exist; so every place of the input is covered
 *  by neighbouring windows, by none if the stride is larger than the window. */
#ifndef ENGRAM_NN_POOLING_H
#define ENGRAM_NN_POOLING_H

#include "nn/layers.h"

/** Numbers first, …, end - 1 of an axis. */
typedef struct eg_span {
    size_t first, end;
} eg_span;

/** Of a pooling layer. */
static inline const eg_pool *eg_pool_of(const eg_layer *layer)
{
    return layer->state;
}

/** Places of the input, of which the axis has `size`, that window `o` covers; at least one. */
static inline eg_span eg_pool_places(const eg_pool *pool, size_t window, size_t size, size_t o)
{
    size_t first = o * pool->stride;
    size_t end = first + window - pool->before;
    return (eg_span){.first = first > pool->before ? first - pool->before : 0,
                     .end = end < size ? end : size};
}

/** Windows, of which the axis has `count`, that cover place `i` of the input. */
static inline eg_span eg_pool_windows(const eg_pool *pool, size_t window, size_t count, size_t i)
{
    size_t padded = i + pool->before;
    size_t end = padded / pool->stride + 1;
    return (eg_span){.first = padded < window ? 0 : (padded - window) / pool->stride + 1,
                     .end = end < count ? end : count};
}

/** A layer with these operations, whose state is a copy of `spec`. EG_INVALID if `spec` does not
 * fit `in`. */
eg_status eg_pool_layer(eg_layer *out, const eg_layer_ops *ops, eg_shape in,
                        const eg_pool *spec) EG_WARN_UNUSED;
/** eg_layer_ops.flops: one operation per number of a window. */
double eg_pool_flops(const eg_layer *layer);

#endif
