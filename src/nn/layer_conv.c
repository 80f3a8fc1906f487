/** Convolution; see math/shared/convolve.h for what it computes and how weights are laid out.
 *
 *      params  | weight W [panels][kernel_height][kernel_width][channels][lanes] |
 *              | bias b [panels*lanes], if any |
 *
 *  A unit is a filter. Its fan-in goes row by row of the kernel, column by column, channel by
 *  channel. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/convolve.h"
#include "nn/per_example_backward.h"

#include <string.h>

enum { WEIGHT = EG_CONV_WEIGHT, BIAS = EG_CONV_BIAS };

static const eg_convolution *convolution_of(const eg_layer *layer)
{
    return layer->state;
}

static bool has_bias(const eg_layer *layer)
{
    return layer->block_count > BIAS;
}

/* Of a filter. */
static size_t fan_in(const eg_convolution *c)
{
    return c->kernel_height * c->kernel_width * c->channels;
}

static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    const eg_convolution *c = convolution_of(layer);
    const size_t n = fan_in(c);
    eg_real *weights = context->params[WEIGHT];
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    memset(weights, 0, layer->blocks[WEIGHT].count * sizeof *weights);
    for (size_t f = 0; f < c->filters; f++) {
        eg_real *w = weights + f / c->lanes * n * c->lanes + f % c->lanes;
        for (size_t k = 0; k < n; k++) {
            w[k * c->lanes] = (eg_real)eg_initial_draw(&layer->blocks[WEIGHT].initial, &rng);
        }
    }
    for (size_t f = 0; has_bias(layer) && f < c->filters; f++) {
        context->params[BIAS][f] = (eg_real)eg_initial_draw(&layer->blocks[BIAS].initial, &rng);
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    eg_convolve(convolution_of(layer), context->batch, context->x[0], context->params[WEIGHT],
                has_bias(layer) ? context->params[BIAS] : NULL, context->cache, context->y);
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_convolution *c = convolution_of(layer);
    if (context->grads != NULL) {
        eg_convolve_weights(c, context->batch, context->x[0], context->dy, context->cache,
                            context->grads[WEIGHT]);
        if (has_bias(layer)) {
            eg_convolve_bias(c, context->batch, context->dy, context->grads[BIAS]);
        }
    }
    if (context->dx[0] != NULL) {
        eg_convolve_input(c, context->batch, context->dy, context->params[WEIGHT], context->cache,
                          context->dx[0]);
    }
}

/* The weights of an input channel: neighbours under every tap, panel by panel. */
static bool outgoing(const eg_convolution *c, size_t unit, size_t k, eg_unit_run *run)
{
    const size_t taps = c->kernel_height * c->kernel_width;
    const size_t panel = k / taps;
    if (panel >= eg_convolve_panels(c)) {
        return false;
    }
    const size_t left = c->filters - panel * c->lanes;
    *run = (eg_unit_run){.block = WEIGHT,
                         .first = (k * c->channels + unit) * c->lanes,
                         .count = left < c->lanes ? left : c->lanes,
                         .stride = 1};
    return true;
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    const eg_convolution *c = convolution_of(layer);
    if (side == EG_UNIT_OUTGOING) {
        return outgoing(c, unit, k, run);
    }
    if (k == 0) {
        const size_t first = unit / c->lanes * fan_in(c) * c->lanes + unit % c->lanes;
        *run =
            (eg_unit_run){.block = WEIGHT, .first = first, .count = fan_in(c), .stride = c->lanes};
        return true;
    }
    *run = (eg_unit_run){.block = BIAS, .first = unit, .count = 1, .stride = 1};
    return k == 1 && has_bias(layer);
}

static double flops(const eg_layer *layer)
{
    const double sums = 2.0 * (double)fan_in(convolution_of(layer));
    return (double)eg_layer_outputs(layer) * (sums + (has_bias(layer) ? 1.0 : 0.0));
}

static double macs(const eg_layer *layer)
{
    return (double)eg_layer_outputs(layer) * (double)fan_in(convolution_of(layer));
}

static const eg_layer_ops ops = {
    .name = "conv",
    .init = init,
    .forward = forward,
    .backward = backward,
    .per_example_round = eg_per_example_backward,
    .per_example_scratch = eg_per_example_backward_scratch,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
};

static eg_status check(eg_shape in, const eg_conv *spec)
{
    if (eg_shape_size(in) == 0 || spec->filters == 0 || spec->stride == 0 ||
        spec->kernel_height == 0 || spec->kernel_width == 0) {
        return eg_fail(EG_INVALID,
                       "a convolution of %zu filters of %zu x %zu with stride %zu on images of "
                       "%zu x %zu x %zu: each of these numbers must be at least 1",
                       spec->filters, spec->kernel_height, spec->kernel_width, spec->stride,
                       in.height, in.width, in.channels);
    }
    const size_t around = 2 * spec->padding;
    if (spec->kernel_height > in.height + around || spec->kernel_width > in.width + around) {
        return eg_fail(EG_INVALID,
                       "a convolution kernel of %zu x %zu does not fit into images of %zu x %zu "
                       "with a padding of %zu",
                       spec->kernel_height, spec->kernel_width, in.height, in.width, spec->padding);
    }
    return eg_ok();
}

static size_t out_size(size_t size, size_t kernel, const eg_conv *spec)
{
    return (size + 2 * spec->padding - kernel) / spec->stride + 1;
}

/* One tap treats all places alike: those of a sequence are taken as a row, whose neighbours the
 * kernels make together. */
static eg_shape seen_as(eg_shape in, const eg_conv *spec)
{
    const bool one =
        spec->kernel_height * spec->kernel_width == 1 && spec->stride == 1 && spec->padding == 0;
    return one && in.width == 1 ? (eg_shape){1, in.height, in.channels} : in;
}

static void declare_blocks(eg_layer *layer, const eg_conv *spec)
{
    const eg_convolution *c = convolution_of(layer);
    const size_t all = eg_convolve_panels(c) * c->lanes;
    layer->block_count = spec->bias ? 2 : 1;
    layer->blocks[WEIGHT] = (eg_block){.name = "weight",
                                       .role = EG_ROLE_WEIGHT,
                                       .count = all * fan_in(c),
                                       .units = c->filters,
                                       .fan_in = fan_in(c),
                                       .lanes = c->lanes,
                                       .initial = spec->initial};
    layer->blocks[BIAS] = (eg_block){.name = "bias",
                                     .role = EG_ROLE_BIAS,
                                     .count = all,
                                     .units = c->filters,
                                     .fan_in = 1,
                                     .lanes = c->lanes,
                                     .initial = spec->bias_initial};
}

eg_status eg_layer_conv(eg_layer *out, eg_shape in, const eg_conv *spec)
{
    eg_convolution *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(check(in, spec));
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    const eg_shape seen = seen_as(in, spec);
    *state = (eg_convolution){
        .height = seen.height,
        .width = seen.width,
        .channels = seen.channels,
        .out_height = out_size(seen.height, spec->kernel_height, spec),
        .out_width = out_size(seen.width, spec->kernel_width, spec),
        .filters = spec->filters,
        .kernel_height = spec->kernel_height,
        .kernel_width = spec->kernel_width,
        .stride = spec->stride,
        .padding = spec->padding,
        .lanes = eg_convolve_lanes(spec->filters),
    };
    *out = (eg_layer){
        .ops = &ops,
        .in = in,
        .out = {out_size(in.height, spec->kernel_height, spec),
                out_size(in.width, spec->kernel_width, spec), spec->filters},
        .input_count = 1,
        .cache_fixed = eg_convolve_scratch(state),
        .spares_output = true,
        .state = state,
    };
    declare_blocks(out, spec);
    return eg_ok();
}
