/** A Switch layer: feed-forward experts, of which every token of a minibatch goes through one.
 *
 *      p = softmax(R x),  e = argmax p (the first of equals),  y = p_e F_e(x)
 *      F_e(x) = D_e a(U_e x + u_e) + d_e      a the activation
 *
 *  In training an expert takes ceil(c n/E) of the n = B T tokens of a minibatch, in their order,
 *  and those that come later get y = 0; in evaluation it takes all. The loss of training has one
 *  more term, alpha E sum_e f_e P_e, f_e the part of the tokens that chose e, P_e the mean of p_e:
 *  it is added in backward, to the gradient of the router, which comes through p_e and P_e alone.
 *
 *      params  | router R [E][d] | up.weight U [E][panels][d][lanes] | up.bias u [E][h] |
 *              | down.weight D [E][panels][h][lanes] | down.bias d [E][d] |
 *      derived | R transposed [d][whole registers of E] |
 *      buffers | load [E]: tokens of all minibatches of training that chose e |
 *              | dropped [E]: of these the ones that came too late |
 *
 *  Tokens are sorted by expert, so that an expert is two products of its own tokens, by the kernels
 *  of convolutions of one tap. Source: Fedus, Zoph and Shazeer 2022, arXiv 2101.03961; that the
 *  capacity is rounded up, and that there is none in evaluation, is our choice. */
#include "nn/layer_switch.h"

#include "engram/memory.h"
#include "engram/random.h"

enum { LANES = 16 };

static void draw_rows(const eg_block *block, size_t units, eg_rng *rng, eg_real *out)
{
    for (size_t u = 0; u < units; u++) {
        eg_real *row = out + u / block->lanes * block->fan_in * block->lanes + u % block->lanes;
        for (size_t i = 0; i < block->fan_in; i++) {
            row[i * block->lanes] = (eg_real)eg_initial_draw(&block->initial, rng);
        }
    }
}

/* Every expert has a generator of its own, so that it starts alike whatever their number. */
static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    const size_t experts = eg_switching_of(layer)->experts;
    eg_rng rng = eg_rng_make(context->seed, EG_PURPOSE_INIT, index);
    draw_rows(&layer->blocks[EG_SWITCH_ROUTER], experts, &rng, context->params[EG_SWITCH_ROUTER]);
    for (size_t e = 0; e < experts; e++) {
        eg_rng own = eg_rng_make(context->seed, EG_PURPOSE_INIT, index + ((uint64_t)(e + 1) << 32));
        for (size_t b = EG_SWITCH_UP; b < EG_SWITCH_BLOCKS; b++) {
            draw_rows(&layer->blocks[b], layer->blocks[b].units / experts, &own,
                      eg_switch_expert(layer, context->params, b, e));
        }
    }
}

/* The weights of an input: a column of the router, then neighbours in every panel of U. */
static bool outgoing(const eg_layer *layer, size_t input, size_t k, eg_unit_run *run)
{
    const eg_switching *s = eg_switching_of(layer);
    const size_t width = s->up.channels;
    if (k == 0) {
        *run = (eg_unit_run){
            .block = EG_SWITCH_ROUTER, .first = input, .count = s->experts, .stride = width};
        return true;
    }
    *run = (eg_unit_run){.block = EG_SWITCH_UP,
                         .first = ((k - 1) * width + input) * s->up.lanes,
                         .count = s->up.lanes,
                         .stride = 1};
    return k - 1 < layer->blocks[EG_SWITCH_UP].count / (width * s->up.lanes);
}

/* Row `unit` of every block that has so many. */
static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    if (side == EG_UNIT_OUTGOING) {
        return outgoing(layer, unit, k, run);
    }
    for (size_t b = 0; b < EG_SWITCH_BLOCKS; b++) {
        const eg_block *block = &layer->blocks[b];
        if (unit < block->units && k-- == 0) {
            const size_t lanes = block->lanes;
            *run = (eg_unit_run){.block = b,
                                 .first = unit / lanes * block->fan_in * lanes + unit % lanes,
                                 .count = block->fan_in,
                                 .stride = lanes};
            return true;
        }
    }
    return false;
}

/* A token goes through one expert; one that is dropped counts as if it did. */
static double macs_of(size_t width, size_t hidden, size_t experts)
{
    return (double)width * ((double)experts + 2.0 * (double)hidden);
}

double eg_switch_flops(size_t width, size_t hidden, size_t experts)
{
    return 2.0 * macs_of(width, hidden, experts) + eg_activation_flops(hidden) +
           2.0 * (double)width + (double)hidden;
}

static double macs(const eg_layer *layer)
{
    const eg_switching *s = eg_switching_of(layer);
    return (double)eg_shape_positions(layer->in) *
           macs_of(s->up.channels, s->up.filters, s->experts);
}

static double flops(const eg_layer *layer)
{
    const eg_switching *s = eg_switching_of(layer);
    return (double)eg_shape_positions(layer->in) *
           eg_switch_flops(s->up.channels, s->up.filters, s->experts);
}

static const eg_layer_ops ops = {
    .name = "switch",
    .init = init,
    .prepare = eg_switch_prepare,
    .forward = eg_switch_forward,
    .backward = eg_switch_backward,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
};

/* A block of every expert, `units` each. */
static void declare_block(eg_layer *out, size_t b, const char *name, eg_role role, size_t units,
                          size_t fan_in, size_t lanes, eg_initial initial)
{
    eg_switching *s = out->state;
    s->size[b] = units * fan_in;
    out->blocks[b] = (eg_block){.name = name,
                                .role = role,
                                .count = s->experts * s->size[b],
                                .units = s->experts * units,
                                .fan_in = fan_in,
                                .lanes = lanes,
                                .initial = initial};
}

static void declare_blocks(eg_layer *out, const eg_switch *spec)
{
    const eg_switching *s = out->state;
    const size_t width = s->up.channels;
    const size_t hidden = spec->hidden;
    const eg_initial zero = {0};
    out->block_count = EG_SWITCH_BLOCKS;
    declare_block(out, EG_SWITCH_ROUTER, "router", EG_ROLE_WEIGHT, 1, width, 1, spec->initial);
    declare_block(out, EG_SWITCH_UP, "up.weight", EG_ROLE_WEIGHT, hidden, width, s->up.lanes,
                  spec->initial);
    declare_block(out, EG_SWITCH_UP_BIAS, "up.bias", EG_ROLE_BIAS, hidden, 1, s->up.lanes, zero);
    declare_block(out, EG_SWITCH_DOWN, "down.weight", EG_ROLE_WEIGHT, width, hidden, s->down.lanes,
                  spec->down_initial);
    declare_block(out, EG_SWITCH_DOWN_BIAS, "down.bias", EG_ROLE_BIAS, width, 1, s->down.lanes,
                  zero);
    out->buffer_count = EG_SWITCH_BUFFERS;
    out->buffers[EG_SWITCH_LOAD] =
        (eg_block){.name = "load", .count = s->experts, .units = s->experts};
    out->buffers[EG_SWITCH_DROPPED] =
        (eg_block){.name = "dropped", .count = s->experts, .units = s->experts};
}

static eg_convolution tokens_through(size_t channels, size_t filters)
{
    return (eg_convolution){.height = 1,
                            .width = EG_SWITCH_ROWS,
                            .channels = channels,
                            .out_height = 1,
                            .out_width = EG_SWITCH_ROWS,
                            .filters = filters,
                            .kernel_height = 1,
                            .kernel_width = 1,
                            .stride = 1,
                            .lanes = eg_convolve_lanes(filters)};
}

static eg_status check(size_t width, const eg_switch *spec)
{
    const size_t sizes[] = {width, spec->hidden};
    for (size_t i = 0; i < 2; i++) {
        const size_t lanes = eg_convolve_lanes(sizes[i]);
        if (sizes[i] == 0 || sizes[i] % lanes != 0) {
            return eg_fail(EG_INVALID,
                           "experts of %zu inputs and %zu hidden units: both must be 8, 16 or a "
                           "multiple of %d",
                           width, spec->hidden, (int)EG_CONVOLVE_LANES_MAX);
        }
    }
    if (spec->experts < 1 || spec->experts > EG_SWITCH_EXPERTS_MAX) {
        return eg_fail(EG_INVALID, "%zu experts: 1 to %d can be", spec->experts,
                       (int)EG_SWITCH_EXPERTS_MAX);
    }
    const eg_activation *activation = spec->activation;
    return activation->mixes_units || activation->aux_count > 0 ||
                   eg_activation_parts(activation) > 1
               ? eg_fail(EG_INVALID,
                         "experts with activation %s: an output must depend on one "
                         "input alone",
                         activation->component.name)
               : eg_ok();
}

eg_status eg_layer_switch(eg_layer *out, eg_shape in, const eg_switch *spec)
{
    eg_switching *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(check(in.channels, spec));
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (eg_switching){.activation = spec->activation,
                            .experts = spec->experts,
                            .pitch = (spec->experts + LANES - 1) / LANES * LANES,
                            .capacity = spec->capacity,
                            .balance = spec->balance,
                            .up = tokens_through(in.channels, spec->hidden),
                            .down = tokens_through(spec->hidden, in.channels)};
    for (size_t i = 0; i < spec->activation->component.param_count; i++) {
        state->p[i] = spec->p[i];
    }
    *out =
        (eg_layer){.ops = &ops,
                   .in = in,
                   .out = in,
                   .input_count = 1,
                   .derived_count = in.channels * state->pitch,
                   .cache_per_example = eg_shape_positions(in) * eg_switch_cache_per_token(state),
                   .cache_fixed = eg_switch_cache_beside(state),
                   .spares_output = true,
                   .mixes_units = true,
                   .state = state};
    declare_blocks(out, spec);
    return eg_ok();
}
