/** A convolution with windows of one place, written as a newcomer would: the same linear map at every
 *  stride-th place of an image. For tests of networks over images that are not about convolution.
 *
 *      y[i, j, f] = b[f] + sum_c W[f, c] x[i stride, j stride, c]      weight [filters, channels] | bias [filters] */
#ifndef ENGRAM_TESTS_PLACE_LAYER_H
#define ENGRAM_TESTS_PLACE_LAYER_H

#include "testing.h"

#include "engram/layer.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

enum { PLACE_WEIGHT, PLACE_BIAS };

/* Where the input of output place o stands. */
static inline size_t place_of(const eg_layer *layer, size_t o)
{
    size_t stride = *(const size_t *)layer->state;
    size_t places = eg_shape_positions(layer->out);
    size_t row = o % places / layer->out.width * stride;
    size_t column = o % places % layer->out.width * stride;
    return (o / places * eg_shape_positions(layer->in) + row * layer->in.width + column) *
           layer->in.channels;
}

static inline void place_init(const eg_layer *layer, const eg_layer_context *context,
                              uint64_t index)
{
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < layer->blocks[b].count; i++) {
            context->params[b][i] = (eg_real)eg_initial_draw(&layer->blocks[b].initial, &rng);
        }
    }
}

static inline void place_forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t channels = layer->in.channels;
    size_t filters = layer->out.channels;
    for (size_t o = 0; o < context->batch * eg_shape_positions(layer->out); o++) {
        const eg_real *x = context->x[0] + place_of(layer, o);
        for (size_t f = 0; f < filters; f++) {
            eg_real sum = context->params[PLACE_BIAS][f];
            for (size_t c = 0; c < channels; c++) {
                sum += context->params[PLACE_WEIGHT][f * channels + c] * x[c];
            }
            context->y[o * filters + f] = sum;
        }
    }
}

static inline void place_backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t channels = layer->in.channels;
    size_t filters = layer->out.channels;
    eg_real *dx = context->dx[0];
    for (size_t b = 0; b < 2; b++) {
        memset(context->grads[b], 0, layer->blocks[b].count * sizeof(eg_real));
    }
    if (dx != NULL) {
        memset(dx, 0, context->batch * eg_layer_inputs(layer) * sizeof *dx);
    }
    for (size_t o = 0; o < context->batch * eg_shape_positions(layer->out); o++) {
        size_t at = place_of(layer, o);
        for (size_t f = 0; f < filters; f++) {
            eg_real g = context->dy[o * filters + f];
            context->grads[PLACE_BIAS][f] += g;
            for (size_t c = 0; c < channels; c++) {
                size_t w = f * channels + c;
                context->grads[PLACE_WEIGHT][w] += g * context->x[0][at + c];
                if (dx != NULL) {
                    dx[at + c] += g * context->params[PLACE_WEIGHT][w];
                }
            }
        }
    }
}

static inline bool place_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                             eg_unit_run *run)
{
    size_t channels = layer->in.channels;
    if (side == EG_UNIT_OUTGOING) {
        *run = (eg_unit_run){PLACE_WEIGHT, unit, layer->out.channels, channels};
        return k == 0;
    }
    *run = k == 0 ? (eg_unit_run){PLACE_WEIGHT, unit * channels, channels, 1}
                  : (eg_unit_run){PLACE_BIAS, unit, 1, 1};
    return k < 2;
}

static inline double place_flops(const eg_layer *layer)
{
    return 2.0 * (double)layer->in.channels * (double)eg_layer_outputs(layer);
}

static inline void place_free(eg_layer *layer)
{
    eg_free(layer->state);
}

static inline eg_layer place_layer(eg_shape in, size_t filters, size_t stride)
{
    static const eg_layer_ops ops = {.name = "place",
                                     .init = place_init,
                                     .forward = place_forward,
                                     .backward = place_backward,
                                     .unit_run = place_run,
                                     .flops = place_flops,
                                     .free = place_free};
    size_t *state = NULL;
    assert_ok(eg_alloc(&state, 1, sizeof *state));
    *state = stride;
    return (eg_layer){
        .ops = &ops,
        .in = in,
        .out = {(in.height + stride - 1) / stride, (in.width + stride - 1) / stride, filters},
        .input_count = 1,
        .block_count = 2,
        .blocks = {{.name = "weight",
                    .role = EG_ROLE_WEIGHT,
                    .count = filters * in.channels,
                    .units = filters,
                    .fan_in = in.channels,
                    .initial =
                        eg_initializer_weight(EG_INITIALIZER_UNIFORM, 1, in.channels, filters)},
                   {.name = "bias",
                    .role = EG_ROLE_BIAS,
                    .count = filters,
                    .units = filters,
                    .fan_in = 1,
                    .initial = eg_initializer_bias(EG_INITIALIZER_UNIFORM, in.channels)}},
        .state = state};
}

#endif
