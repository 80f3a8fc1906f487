/** Causal transformer over tokens, in which a part of the feed-forward blocks are Switch layers.
 *
 *      h = dropout(E[token] + P[position])
 *      h = h + dropout(W_o attention(W_qkv norm(h)))   layers 1 … L
 *      h = h + dropout(F(norm(h)))                     F: feed-forward, or a Switch layer of them
 *      scores = norm(h) E^T
 *
 *  From {T, 1, 1} numbers of tokens to {T, 1, V} scores; the outputs that the model is asked for
 *  are the V of a position. Weights start as N(0, 0.02^2), those that end a residual branch with
 *  0.02/sqrt(2 L), biases as 0. Linear layers have biases, but for the router and the scores.
 *
 *  Sources: Caccia et al. 2022, arXiv 2106.09563 (sizes of base and large); Fedus, Zoph and Shazeer
 *  2022, arXiv 2101.03961; norms before blocks and initial values: Radford et al. 2019, "Language
 *  models are unsupervised multitask learners". */
#include "engram/model.h"
#include "nn/layers.h"
#include "nn/shared/switch_layers.h"

#include <math.h>
#include <stdio.h>

typedef struct preset {
    size_t width, layers, heads;
} preset;

enum { BASE, LARGE, TINY_A, TINY_A_LARGE, TINY_B, TINY_B_LARGE };

static const char *const preset_names[] = {[BASE] = "base",
                                           [LARGE] = "large",
                                           [TINY_A] = "tiny_a",
                                           [TINY_A_LARGE] = "tiny_a_large",
                                           [TINY_B] = "tiny_b",
                                           [TINY_B_LARGE] = "tiny_b_large",
                                           NULL};

static const preset presets[] = {
    [BASE] = {512, 6, 8},         [LARGE] = {768, 12, 12}, [TINY_A] = {64, 2, 4},
    [TINY_A_LARGE] = {128, 2, 4}, [TINY_B] = {64, 4, 4},   [TINY_B_LARGE] = {128, 4, 4},
};

/* What the settings say, with the preset's numbers where they say nothing. */
typedef struct sizes {
    size_t positions, tokens, width, layers, heads, hidden, experts;
    double dropout;
} sizes;

static size_t given_or(const eg_view *view, const char *name, size_t otherwise)
{
    const size_t given = eg_view_size(view, name);
    return given > 0 ? given : otherwise;
}

static sizes sizes_of(const eg_view *view, eg_shape input, size_t outputs)
{
    const preset *of = &presets[eg_view_name(view, "preset")];
    sizes out = {.positions = input.height,
                 .tokens = outputs,
                 .width = given_or(view, "width", of->width),
                 .layers = given_or(view, "depth", of->layers),
                 .heads = given_or(view, "heads", of->heads),
                 .experts = eg_view_size(view, "experts"),
                 .dropout = eg_view_real(view, "dropout")};
    out.hidden = given_or(view, "hidden", 4 * out.width);
    return out;
}

/* Whether layer i, from 1, has experts: where the list says so, or every second one. */
static bool is_mixture(const eg_view *view, const sizes *s, size_t i)
{
    const eg_value *listed = eg_view_value(view, "mixtures");
    bool found = listed->count == 0 && i % 2 == 0;
    for (size_t k = 0; k < listed->count; k++) {
        found = found || (size_t)listed->items[k] == i;
    }
    return found && s->experts > 1;
}

/* The experts of a mixture. */
static eg_switch experts_of(const eg_view *view, const sizes *s, double *p)
{
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    const eg_view inside = eg_view_inside(view, "activation");
    eg_view_numbers(&inside, &activation->component, p);
    return (eg_switch){.experts = s->experts,
                       .hidden = s->hidden,
                       .activation = activation,
                       .p = p,
                       .capacity = eg_view_real(view, "capacity"),
                       .balance = eg_view_real(view, "balance")};
}

static eg_status check_mixtures(const eg_view *view, const sizes *s)
{
    const eg_value *listed = eg_view_value(view, "mixtures");
    for (size_t k = 0; k < listed->count; k++) {
        if ((size_t)listed->items[k] > s->layers) {
            return eg_fail_setting(view->prefix, "mixtures depth",
                                   "%smixtures = %s: there are %zu layers", view->prefix,
                                   listed->text, s->layers);
        }
    }
    if (s->experts < 2) {
        return eg_ok();
    }
    double p[EG_ACTIVATION_PARAMS_MAX];
    const eg_switch spec = experts_of(view, s, p);
    eg_layer layer;
    eg_status status = eg_layer_switch(&layer, (eg_shape){1, 1, s->width}, &spec);
    eg_layer_clear(&layer);
    status = eg_status_about(status, view->prefix, "width hidden experts activation");
    return eg_status_wrap(status, "%sexperts = %zu", view->prefix, s->experts);
}

static eg_status check(const eg_view *view, eg_shape input, size_t outputs)
{
    const sizes s = sizes_of(view, input, outputs);
    if (input.width != 1 || input.channels != 1) {
        return eg_fail_setting(
            "", "model stream",
            "model = switch_transformer reads sequences of tokens, T x 1 x 1; an "
            "example of the stream is %zu x %zu x %zu",
            input.height, input.width, input.channels);
    }
    if (s.width % s.heads != 0) {
        return eg_fail_setting(view->prefix, "width heads",
                               "%sheads: %zu heads must have equal parts of %swidth, which is %zu",
                               view->prefix, s.heads, view->prefix, s.width);
    }
    return check_mixtures(view, &s);
}

/* Under way. */
typedef struct build {
    eg_graph *graph;
    const eg_view *view;
    sizes s;
    eg_shape shape;  /* between layers */
    size_t layer;    /* from 1; 0: before and behind them */
    size_t last;     /* node whose output is the stream of residuals */
    size_t dropouts; /* so far */
} build;

/* Adds a node that reads the last one added. */
static eg_status chain(build *b, const char *part, eg_layer *layer)
{
    char name[2 * EG_NODE_NAME_SIZE];
    if (b->layer == 0) {
        return eg_graph_chain(b->graph, part, layer, &b->last);
    }
    (void)snprintf(name, sizeof name, "block%zu.%s", b->layer, part);
    return eg_graph_chain(b->graph, name, layer, &b->last);
}

static eg_initial normal(double deviation)
{
    return (eg_initial){EG_INITIAL_NORMAL, deviation, 1};
}

static const double deviation = 0.02;

/* Of weights that end a residual branch. */
static eg_initial ending(const build *b)
{
    return (eg_initial){EG_INITIAL_NORMAL, deviation, sqrt(2.0 * (double)b->s.layers)};
}

static eg_status add_linear(build *b, const char *part, size_t in, size_t out, bool bias,
                            eg_initial initial)
{
    const eg_conv spec = {.filters = out,
                          .kernel_height = 1,
                          .kernel_width = 1,
                          .stride = 1,
                          .bias = bias,
                          .initial = initial};
    eg_layer layer;
    EG_TRY(eg_layer_conv(&layer, (eg_shape){b->s.positions, 1, in}, &spec));
    return chain(b, part, &layer);
}

static eg_status add_norm(build *b, const char *part)
{
    eg_layer layer;
    eg_layer_position_norm(&layer, b->shape);
    return chain(b, part, &layer);
}

static eg_status add_dropout(build *b, const char *part)
{
    eg_layer layer;
    if (b->s.dropout == 0) {
        return eg_ok();
    }
    EG_TRY(eg_layer_dropout(&layer, b->s.dropout, b->dropouts++, b->shape));
    return chain(b, part, &layer);
}

/* The sum of the branch that ends with the last node, and what it came from. */
static eg_status add_sum(build *b, const char *part, size_t from)
{
    char name[2 * EG_NODE_NAME_SIZE];
    eg_layer sum;
    const size_t reads[] = {b->last, from};
    (void)snprintf(name, sizeof name, "block%zu.%s", b->layer, part);
    EG_TRY(eg_layer_sum(&sum, EG_COUNT(reads), 1, b->shape));
    return eg_graph_add(b->graph, name, &sum, EG_COUNT(reads), reads, &b->last);
}

static eg_status add_attention(build *b)
{
    const sizes *s = &b->s;
    const size_t from = b->last;
    eg_layer layer;
    EG_TRY(add_norm(b, "norm1"));
    EG_TRY(add_linear(b, "qkv", s->width, 3 * s->width, true, normal(deviation)));
    EG_TRY(eg_layer_attention(&layer, s->positions, s->heads, s->width / s->heads));
    EG_TRY(chain(b, "attention", &layer));
    EG_TRY(add_linear(b, "project", s->width, s->width, true, ending(b)));
    EG_TRY(add_dropout(b, "dropout1"));
    return add_sum(b, "sum1", from);
}

static eg_status add_experts(build *b)
{
    double p[EG_ACTIVATION_PARAMS_MAX];
    eg_switch spec = experts_of(b->view, &b->s, p);
    eg_layer layer;
    spec.initial = normal(deviation);
    spec.down_initial = ending(b);
    EG_TRY(eg_layer_switch(&layer, b->shape, &spec));
    return chain(b, "switch", &layer);
}

static eg_status add_dense(build *b)
{
    const sizes *s = &b->s;
    double p[EG_ACTIVATION_PARAMS_MAX];
    const eg_switch spec = experts_of(b->view, s, p);
    eg_layer layer;
    EG_TRY(add_linear(b, "up", s->width, s->hidden, true, normal(deviation)));
    EG_TRY(eg_layer_activation(&layer, spec.activation, p, (eg_shape){s->positions, 1, s->hidden}));
    EG_TRY(chain(b, "activation", &layer));
    return add_linear(b, "down", s->hidden, s->width, true, ending(b));
}

static eg_status add_feed_forward(build *b)
{
    const size_t from = b->last;
    EG_TRY(add_norm(b, "norm2"));
    EG_TRY(is_mixture(b->view, &b->s, b->layer) ? add_experts(b) : add_dense(b));
    EG_TRY(add_dropout(b, "dropout2"));
    return add_sum(b, "sum2", from);
}

static eg_status add_all(build *b)
{
    const sizes *s = &b->s;
    eg_layer layer;
    eg_layer_embedding(&layer, s->positions, s->tokens, s->width, normal(deviation));
    EG_TRY(chain(b, "embedding", &layer));
    const size_t embedding = b->last;
    eg_layer_positions(&layer, b->shape, normal(deviation));
    EG_TRY(chain(b, "positions", &layer));
    EG_TRY(add_dropout(b, "dropout"));
    for (b->layer = 1; b->layer <= s->layers; b->layer++) {
        EG_TRY(add_attention(b));
        EG_TRY(add_feed_forward(b));
    }
    b->layer = 0;
    EG_TRY(add_norm(b, "norm"));
    EG_TRY(add_linear(b, "scores", s->width, s->tokens, false, normal(deviation)));
    return eg_graph_tie(b->graph, b->last, EG_CONV_WEIGHT, embedding, 0);
}

eg_status eg_switch_graph(eg_graph **out, const eg_view *view, size_t experts, eg_shape input,
                          size_t outputs, size_t batch)
{
    (void)batch;
    build b = {.view = view, .s = sizes_of(view, input, outputs)};
    b.s.experts = experts;
    b.shape = (eg_shape){b.s.positions, 1, b.s.width};
    *out = NULL;
    EG_TRY(eg_graph_create(&b.graph, input));
    eg_status status = add_all(&b);
    if (!eg_is_ok(&status)) {
        eg_graph_free(b.graph);
        return status;
    }
    *out = b.graph;
    return status;
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    return eg_switch_graph(out, view, eg_view_size(view, "experts"), input, outputs, batch);
}

/* Of one position; attention apart, as its operations are no multiple of those. */
static double position_flops(const eg_view *view, const sizes *s)
{
    const double width = (double)s->width;
    const double dropout = s->dropout > 0 ? eg_dropout_flops(s->width) : 0;
    const double norm = eg_unit_norm_flops(s->width);
    double sum = 2 * width + dropout + norm + eg_linear_flops(s->width, s->tokens, false);
    for (size_t i = 1; i <= s->layers; i++) {
        sum += 2 * (norm + dropout + 2 * width) + eg_linear_flops(s->width, 3 * s->width, true) +
               eg_linear_flops(s->width, s->width, true);
        sum += is_mixture(view, s, i)
                   ? eg_switch_flops(s->width, s->hidden, s->experts)
                   : eg_linear_flops(s->width, s->hidden, true) + eg_activation_flops(s->hidden) +
                         eg_linear_flops(s->hidden, s->width, true);
    }
    return sum;
}

static double flops(const eg_view *view, eg_shape input, size_t outputs)
{
    const sizes s = sizes_of(view, input, outputs);
    return (double)s.positions * position_flops(view, &s) +
           (double)s.layers * eg_attention_flops(s.positions, s.heads, s.width / s.heads);
}

static const eg_param params[] = {
    {.name = "preset",
     .type = EG_TYPE_NAME,
     .default_text = "tiny_a",
     .names = preset_names,
     .doc = "width, depth and heads where these are 0: base 512, 6, 8; large 768, 12, 12; tiny_a "
            "64, 2, 4; tiny_b 64, 4, 4; tiny_a_large and tiny_b_large the same with 128"},
    {.name = "width",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 65536,
     .doc = "numbers of a token between layers; 0: as the preset says"},
    {.name = "depth",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 100,
     .doc = "layers of an attention and a feed-forward block; 0: as the preset says"},
    {.name = "heads",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1024,
     .doc = "heads of an attention, equal parts of the width; 0: as the preset says"},
    {.name = "hidden",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e6,
     .unit = "units",
     .doc = "hidden units of a feed-forward block, or of an expert; 0: four times the width"},
    {.name = "experts",
     .type = EG_TYPE_INT,
     .default_text = "4",
     .min = 1,
     .max = 256,
     .doc = "feed-forward blocks of a layer that is a mixture, of which a token goes through one; "
            "1: there are no mixtures"},
    {.name = "mixtures",
     .type = EG_TYPE_INTS,
     .default_text = "[]",
     .min = 1,
     .max = 100,
     .doc = "layers, from 1, that are mixtures; []: every second one"},
    {.name = "capacity",
     .type = EG_TYPE_REAL,
     .default_text = "1",
     .min = 0,
     .max = 1e6,
     .above_min = true,
     .doc = "tokens that an expert takes of a minibatch, in equal shares, rounded up; later ones "
            "pass it by. No limit in evaluation"},
    {.name = "balance",
     .type = EG_TYPE_REAL,
     .default_text = "0.01",
     .min = 0,
     .max = 1e6,
     .doc =
         "factor of the loss that keeps experts equally busy, E sum_e f_e P_e for every mixture"},
    {.name = "dropout",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 0.99,
     .doc = "share of numbers that are 0 in training, of the embedding and at the end of every "
            "residual branch"},
    {.name = "activation",
     .type = EG_TYPE_COMPONENT,
     .default_text = "relu",
     .family = "activation",
     .doc = "activation of feed-forward blocks"},
};

const eg_model_kind eg_model_switch_transformer = {
    .component = {.name = "switch_transformer",
                  .doc = "causal transformer over tokens, with mixtures of experts",
                  .source = "Fedus, Zoph and Shazeer 2022, arXiv 2101.03961; Caccia et al. 2022, "
                            "arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
    .check = check,
    .flops = flops,
};
