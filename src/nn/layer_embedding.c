/** Token embeddings: y(b, t) = E[x(b, t)], a row of a table for every token.
 *
 *      x  [B][T]        numbers of tokens, 0 … V-1, as reals
 *      y  [B][T][d]
 *
 *      params | weight [panels][d][lanes] |    number i of token v: (v/lanes*d + i)*lanes + v%lanes
 *
 *  which is where a convolution of one tap with V filters has the weights of filter v, so that the
 *  layer that makes the scores of tokens can have the same block (Press and Wolf 2017, arXiv
 *  1608.05859). What is no number of a token becomes NaN, and learns nothing. */
#include "nn/layers.h"

#include "engram/random.h"
#include "math/shared/convolve.h"

#include <math.h>
#include <string.h>

static size_t tokens_of(const eg_layer *layer)
{
    return layer->blocks[0].units;
}

/* Where the row of token x begins; false: there is none. */
static bool find(const eg_layer *layer, eg_real x, size_t *first)
{
    if (!(x >= 0 && x < (eg_real)tokens_of(layer))) {
        return false;
    }
    const size_t lanes = layer->blocks[0].lanes;
    const size_t token = (size_t)x;
    *first = token / lanes * layer->out.channels * lanes + token % lanes;
    return true;
}

static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    const eg_block *block = &layer->blocks[0];
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    memset(context->params[0], 0, block->count * sizeof *context->params[0]);
    for (size_t v = 0; v < block->units; v++) {
        size_t at = v / block->lanes * block->fan_in * block->lanes + v % block->lanes;
        for (size_t i = 0; i < block->fan_in; i++, at += block->lanes) {
            context->params[0][at] = (eg_real)eg_initial_draw(&block->initial, &rng);
        }
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t d = layer->out.channels;
    const size_t lanes = layer->blocks[0].lanes;
    const eg_real *weight = context->params[0];
    eg_real *y = context->y;
    for (size_t n = 0; n < context->batch * eg_layer_inputs(layer); n++, y += d) {
        size_t first = 0;
        const bool is_token = find(layer, context->x[0][n], &first);
        for (size_t i = 0; i < d; i++) {
            y[i] = is_token ? weight[first + i * lanes] : (eg_real)NAN;
        }
    }
}

/* Numbers of tokens have no gradient. */
static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const size_t d = layer->out.channels;
    const size_t lanes = layer->blocks[0].lanes;
    const size_t count = context->batch * eg_layer_inputs(layer);
    if (context->dx[0] != NULL) {
        memset(context->dx[0], 0, count * sizeof *context->dx[0]);
    }
    if (context->grads == NULL) {
        return;
    }
    eg_real *grad = context->grads[0];
    const eg_real *dy = context->dy;
    memset(grad, 0, layer->blocks[0].count * sizeof *grad);
    for (size_t n = 0; n < count; n++, dy += d) {
        size_t first = 0;
        if (find(layer, context->x[0][n], &first)) {
            for (size_t i = 0; i < d; i++) {
                grad[first + i * lanes] += dy[i];
            }
        }
    }
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    size_t first = 0;
    const bool is_token = find(layer, (eg_real)unit, &first);
    *run = (eg_unit_run){
        .first = first, .count = layer->out.channels, .stride = layer->blocks[0].lanes};
    return is_token && side == EG_UNIT_INCOMING && k == 0;
}

static double flops(const eg_layer *layer)
{
    return (double)eg_layer_outputs(layer);
}

static const eg_layer_ops ops = {
    .name = "embedding",
    .init = init,
    .forward = forward,
    .backward = backward,
    .unit_run = unit_run,
    .flops = flops,
};

void eg_layer_embedding(eg_layer *out, size_t positions, size_t tokens, size_t size,
                        eg_initial initial)
{
    const size_t lanes = eg_convolve_lanes(tokens);
    *out = (eg_layer){.ops = &ops,
                      .in = {positions, 1, 1},
                      .out = {positions, 1, size},
                      .input_count = 1,
                      .block_count = 1,
                      .spares_output = true};
    out->blocks[0] = (eg_block){.name = "weight",
                                .role = EG_ROLE_WEIGHT,
                                .count = (tokens + lanes - 1) / lanes * lanes * size,
                                .units = tokens,
                                .fan_in = size,
                                .lanes = lanes,
                                .initial = initial};
}
