/** Switch layers, for those who look at what they did, measures and growth, and what their two
 *  files share. */
#ifndef ENGRAM_NN_LAYER_SWITCH_H
#define ENGRAM_NN_LAYER_SWITCH_H

#include "math/shared/convolve.h"
#include "nn/layers.h"
#include "nn/switch_routing.h"

/** Blocks of parameters, and buffers. */
enum {
    EG_SWITCH_ROUTER,
    EG_SWITCH_UP,
    EG_SWITCH_UP_BIAS,
    EG_SWITCH_DOWN,
    EG_SWITCH_DOWN_BIAS,
    EG_SWITCH_BLOCKS
};
enum { EG_SWITCH_LOAD, EG_SWITCH_DROPPED, EG_SWITCH_BUFFERS };

/** State of the layer. */
typedef struct eg_switching {
    const eg_activation *activation;
    double p[EG_ACTIVATION_PARAMS_MAX];
    size_t experts;
    size_t size[EG_SWITCH_BLOCKS]; /**< numbers of a block that an expert has */
    size_t pitch; /**< numbers from the logits of a token to the next: whole registers */
    double capacity, balance;
    eg_convolution up, down; /**< of EG_SWITCH_ROWS tokens */
} eg_switching;

static inline const eg_switching *eg_switching_of(const eg_layer *layer)
{
    return layer->state;
}

/** Where the parameters of an expert begin in a plane of blocks. */
static inline eg_real *eg_switch_expert(const eg_layer *layer, eg_real *const *plane, size_t block,
                                        size_t e)
{
    return plane[block] + e * eg_switching_of(layer)->size[block];
}

/** Numbers of the cache for so many tokens, and beside them. */
size_t eg_switch_cache_per_token(const eg_switching *s);
size_t eg_switch_cache_beside(const eg_switching *s);

/** Operations of eg_layer_ops. */
void eg_switch_prepare(const eg_layer *layer, const eg_layer_context *context);
void eg_switch_forward(const eg_layer *layer, const eg_layer_context *context);
void eg_switch_backward(const eg_layer *layer, const eg_layer_context *context);

/** Where the tokens of the minibatch last given to forward went; arrays are the cache's. */
void eg_switch_routes_of(const eg_layer *layer, const eg_layer_context *context,
                         eg_switch_routes *out);

#endif
