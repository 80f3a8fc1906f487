/** What fully connected layers have in common; see nn/linear_layout.h. */
#include "nn/linear_layout.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

enum { WEIGHT = EG_LINEAR_WEIGHT, BIAS = EG_LINEAR_BIAS };

/* Returns how many. */
static size_t declare_blocks(eg_block *blocks, size_t units, size_t inputs, size_t width, bool bias,
                             eg_initializer initializer)
{
    size_t all = (units + width - 1) / width * width;
    blocks[WEIGHT] = (eg_block){.name = "weight",
                                .role = EG_ROLE_WEIGHT,
                                .count = all * inputs,
                                .units = units,
                                .fan_in = inputs,
                                .lanes = width,
                                .initial = eg_initializer_weight(initializer, 1, inputs, units)};
    if (bias) {
        blocks[BIAS] = (eg_block){.name = "bias",
                                  .role = EG_ROLE_BIAS,
                                  .count = all,
                                  .units = units,
                                  .fan_in = 1,
                                  .lanes = width,
                                  .initial = eg_initializer_bias(initializer, inputs)};
    }
    return bias ? 2 : 1;
}

eg_status eg_linear_layer(eg_layer *out, const eg_layer_ops *ops, eg_shape in,
                          const eg_linear *form, size_t outputs, eg_initializer initializer)
{
    eg_linear *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = *form;
    state->count = (outputs + form->width - 1) / form->width;
    *out = (eg_layer){
        .ops = ops,
        .in = in,
        .out = eg_shape_vector(outputs),
        .input_count = 1,
        .scales_rows = form->norm != EG_NORM_NONE,
        .state = state,
    };
    out->block_count = declare_blocks(out->blocks, outputs, eg_shape_size(in), form->width,
                                      form->bias, initializer);
    return eg_ok();
}

double eg_linear_flops(size_t inputs, size_t outputs, bool bias)
{
    return (double)outputs * (2.0 * (double)inputs + (bias ? 1.0 : 0.0));
}

double eg_linear_layer_flops(const eg_layer *layer)
{
    return eg_linear_flops(eg_layer_inputs(layer), eg_layer_outputs(layer),
                           eg_linear_of(layer)->bias);
}

double eg_linear_layer_macs(const eg_layer *layer)
{
    return (double)eg_layer_inputs(layer) * (double)eg_layer_outputs(layer);
}

void eg_linear_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    size_t width = eg_linear_of(layer)->width;
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    eg_real *weights = context->params[WEIGHT];
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    memset(weights, 0, layer->blocks[WEIGHT].count * sizeof *weights);
    for (size_t j = 0; j < m; j++) {
        eg_real *w = weights + j / width * n * width + j % width;
        for (size_t i = 0; i < n; i++) {
            w[i * width] = (eg_real)eg_initial_draw(&layer->blocks[WEIGHT].initial, &rng);
        }
    }
    for (size_t j = 0; eg_linear_of(layer)->bias && j < m; j++) {
        context->params[BIAS][j] = (eg_real)eg_initial_draw(&layer->blocks[BIAS].initial, &rng);
    }
}

/* The weights of an input: one of every row, or neighbours of a panel. */
static bool outgoing(const eg_layer *layer, size_t unit, size_t k, eg_unit_run *run)
{
    size_t width = eg_linear_of(layer)->width;
    size_t n = eg_layer_inputs(layer);
    size_t m = eg_layer_outputs(layer);
    size_t panels = width == 1 ? 1 : eg_linear_of(layer)->count;
    size_t panel = k % panels;
    size_t input = k / panels * layer->in.channels + unit;
    size_t left = m - panel * width;
    *run = (eg_unit_run){.block = WEIGHT, .first = (panel * n + input) * width};
    run->count = width == 1 || left < width ? left : width;
    run->stride = width == 1 ? n : 1;
    return k / panels < eg_shape_positions(layer->in);
}

bool eg_linear_unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                        eg_unit_run *run)
{
    size_t width = eg_linear_of(layer)->width;
    size_t n = eg_layer_inputs(layer);
    if (side == EG_UNIT_OUTGOING) {
        return outgoing(layer, unit, k, run);
    }
    if (k == 0) {
        size_t first = unit / width * n * width + unit % width;
        *run = (eg_unit_run){.block = WEIGHT, .first = first, .count = n, .stride = width};
        return true;
    }
    *run = (eg_unit_run){.block = BIAS, .first = unit, .count = 1, .stride = 1};
    return k == 1 && eg_linear_of(layer)->bias;
}

size_t eg_linear_layer_scratch(const eg_layer *layer, size_t batch)
{
    return eg_linear_per_example_scratch(batch, eg_layer_inputs(layer));
}

void eg_linear_per_example_sums(const eg_layer *layer, const eg_layer_context *context,
                                eg_per_example what, eg_real *scratch, eg_real *const *sums)
{
    size_t width = eg_linear_of(layer)->width;
    eg_norm norm = eg_linear_of(layer)->norm;
    bool rows = width == 1;
    bool wide = width > EG_PER_EXAMPLE_WIDTH; /* one panel, cut into strips */
    size_t inputs = eg_layer_inputs(layer);
    size_t strip = rows || wide ? EG_PER_EXAMPLE_WIDTH : width;
    bool sparse = norm == EG_NORM_NONE || what == EG_PER_EXAMPLE_SQUARE;
    const eg_linear_per_example one = {
        .batch = context->batch,
        .inputs = inputs,
        .outputs = eg_layer_outputs(layer),
        .width = strip,
        .strip_stride = wide ? strip : strip * inputs,
        .input_stride = width,
        .unit_stride = rows ? inputs : 1,
        .norm = norm,
        .weight = context->params[WEIGHT],
        .bias = eg_linear_of(layer)->bias ? context->params[BIAS] : NULL,
        .x = context->x[0],
        .transposed = sparse ? context->transposed : NULL,
        .y = context->y,
        .power = context->dy,
        .what = what,
        .scratch = scratch,
    };
    eg_linear_per_example_add(&one, sums[WEIGHT], eg_linear_of(layer)->bias ? sums[BIAS] : NULL);
}
