/** Multilayer perceptron: linear, activation, linear, activation, …, linear; units may be
 *  normalised before their activation, and dropped after it. */
#include "engram/memory.h"
#include "engram/model.h"
#include "nn/layers.h"

/* Normalisation of units; the order is that of the names. */
typedef enum unit_norm { UNIT_NORM_NONE, UNIT_NORM_LAYER, UNIT_NORM_ONLINE } unit_norm;

static const char *const unit_norm_names[] = {
    [UNIT_NORM_NONE] = "none", [UNIT_NORM_LAYER] = "layer", [UNIT_NORM_ONLINE] = "online", NULL};

/* Weight layer i of the chain: there is one more of them than hidden layers. */
static size_t width_after(const eg_value *hidden, size_t i, size_t outputs)
{
    return i < hidden->count ? (size_t)hidden->items[i] : outputs;
}

static eg_norm norm_of(const eg_value *norms, size_t i)
{
    return i < norms->count ? (eg_norm)norms->items[i] : EG_NORM_NONE;
}

static eg_status check(const eg_view *view, eg_shape input, size_t outputs)
{
    (void)input, (void)outputs;
    const eg_value *hidden = eg_view_value(view, "hidden");
    const eg_value *norms = eg_view_value(view, "weight_norm");
    if (norms->count > hidden->count + 1) {
        return eg_fail_setting(
            view->prefix, "weight_norm hidden",
            "%sweight_norm = %s has %zu entries, but %shidden = %s makes %zu weight "
            "layers",
            view->prefix, norms->text, norms->count, view->prefix, hidden->text, hidden->count + 1);
    }
    const eg_component *component = eg_view_component(view, "activation");
    const eg_activation *activation = (const eg_activation *)component;
    if (activation->check == NULL) {
        return eg_ok();
    }
    double p[EG_ACTIVATION_PARAMS_MAX];
    eg_view inside = eg_view_inside(view, "activation");
    eg_view_numbers(&inside, component, p);
    for (size_t i = 0; i < hidden->count; i++) {
        eg_status status = activation->check(p, (size_t)hidden->items[i]);
        status = eg_status_inside(status, view->prefix, "activation");
        status = eg_status_about(status, view->prefix, "hidden");
        EG_TRY(eg_status_wrap(status, "%sactivation = %s in hidden layer %zu", view->prefix,
                              component->name, i + 1));
    }
    return eg_ok();
}

static double flops(const eg_view *view, eg_shape input, size_t outputs)
{
    size_t inputs = eg_shape_size(input);
    const eg_value *hidden = eg_view_value(view, "hidden");
    bool bias = eg_view_bool(view, "bias");
    size_t parts =
        eg_activation_parts((const eg_activation *)eg_view_component(view, "activation"));
    bool normalised = eg_view_name(view, "norm") != UNIT_NORM_NONE;
    double sum = 0.0;
    for (size_t i = 0; i <= hidden->count; i++) {
        size_t width = width_after(hidden, i, outputs);
        sum += eg_linear_flops(inputs, width, bias);
        inputs = width * (i < hidden->count ? parts : 1);
        if (i < hidden->count) {
            sum += normalised ? eg_unit_norm_flops(width) : 0.0;
            sum += eg_activation_flops(width);
            sum += eg_view_real(view, "dropout") > 0 ? eg_dropout_flops(inputs) : 0.0;
        }
    }
    return sum;
}

/* A hidden layer without its weights: normalisation, activation, dropout; returns what is after
 * it. */
static eg_status hidden_layer(eg_layer **next, const eg_view *view, size_t number)
{
    eg_layer *layer = *next;
    double p[EG_ACTIVATION_PARAMS_MAX];
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    eg_view inside = eg_view_inside(view, "activation");
    unit_norm norm = (unit_norm)eg_view_name(view, "norm");
    double dropout = eg_view_real(view, "dropout");
    eg_view_numbers(&inside, &activation->component, p);
    if (norm == UNIT_NORM_LAYER) {
        eg_layer_norm(layer, layer[-1].out);
        layer++;
    }
    if (norm == UNIT_NORM_ONLINE) {
        EG_TRY(eg_layer_online_norm(layer, eg_layer_outputs(&layer[-1]),
                                    eg_view_real(view, "norm_forward"),
                                    eg_view_real(view, "norm_backward")));
        layer++;
    }
    EG_TRY(eg_layer_activation(layer, activation, p, layer[-1].out));
    layer++;
    if (dropout > 0) {
        EG_TRY(eg_layer_dropout(layer, dropout, number, layer[-1].out));
        layer++;
    }
    *next = layer;
    return eg_ok();
}

static double gain_of(const eg_view *view)
{
    double p[EG_ACTIVATION_PARAMS_MAX];
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    eg_view inside = eg_view_inside(view, "activation");
    eg_view_numbers(&inside, &activation->component, p);
    return eg_activation_gain(activation, p);
}

static eg_status fill(eg_layer *layers, const eg_view *view, eg_shape in, size_t outputs,
                      size_t batch)
{
    const eg_value *hidden = eg_view_value(view, "hidden");
    const eg_value *norms = eg_view_value(view, "weight_norm");
    bool bias = eg_view_bool(view, "bias");
    eg_initializer initializer = (eg_initializer)eg_view_name(view, "init");
    for (size_t i = 0; i <= hidden->count; i++) {
        size_t width = width_after(hidden, i, outputs);
        EG_TRY(eg_layer_linear_fastest(layers, i == 0, batch, in, width, norm_of(norms, i), bias,
                                       initializer));
        if (i < hidden->count) {
            layers->blocks[EG_LINEAR_WEIGHT].initial =
                eg_initializer_weight(initializer, gain_of(view), eg_layer_inputs(layers), width);
            layers++;
            EG_TRY(hidden_layer(&layers, view, i));
            in = layers[-1].out;
        }
    }
    return eg_ok();
}

/* Layers for one of weights, with what follows it. */
static size_t layers_per_hidden(const eg_view *view)
{
    size_t norm = eg_view_name(view, "norm") != UNIT_NORM_NONE ? 1 : 0;
    size_t dropout = eg_view_real(view, "dropout") > 0 ? 1 : 0;
    return 2 + norm + dropout;
}

/* Hidden layers. */
static size_t parts(const eg_view *view)
{
    return eg_view_value(view, "hidden")->count;
}

static eg_status add_parts(eg_graph *graph, const eg_view *view)
{
    size_t each = layers_per_hidden(view);
    for (size_t i = 0; i < parts(view); i++) {
        EG_TRY(eg_graph_part(graph, i * each, (i + 1) * each - 1, EG_PART_GATE_FLAT));
    }
    return eg_ok();
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    *out = NULL;
    size_t count = layers_per_hidden(view) * eg_view_value(view, "hidden")->count + 1;
    eg_layer *layers = NULL;
    EG_TRY(eg_alloc(&layers, count, sizeof *layers));
    eg_status status = fill(layers, view, input, outputs, batch);
    if (!eg_is_ok(&status)) {
        eg_layers_free(layers, count);
        return status;
    }
    EG_TRY(eg_graph_create_chain(out, layers, count));
    status = add_parts(*out, view);
    if (!eg_is_ok(&status)) {
        eg_graph_free(*out);
        *out = NULL;
    }
    return status;
}

static const eg_param params[] = {
    {.name = "hidden",
     .type = EG_TYPE_INTS,
     .default_text = "[1000]",
     .min = 1,
     .max = 1e6,
     .unit = "units",
     .doc = "widths of the hidden layers, from the input; [] for none"},
    {.name = "activation",
     .type = EG_TYPE_COMPONENT,
     .default_text = "hard_ash",
     .family = "activation",
     .doc = "activation of all hidden layers"},
    {.name = "weight_norm",
     .type = EG_TYPE_NAMES,
     .default_text = "[centered]",
     .names = eg_norm_names,
     .doc = "normalisation of each unit's incoming weights, per weight layer from the input: "
            "centered (w - mean)/|w - mean|, plain w/|w|; missing entries are none"},
    {.name = "bias",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "a learned offset per unit"},
    {.name = "init",
     .type = EG_TYPE_NAME,
     .default_text = "normal",
     .names = eg_initializer_names,
     .doc =
         "what weights start as: N(0, 2/inputs) (normal), or uniform in -a … a with a = "
         "1/sqrt(inputs) (uniform, also called default), g sqrt(3/inputs) (kaiming), "
         "g sqrt(6/(inputs + units)) (xavier), sqrt(3/inputs) (lecun); the gain g is 5/3 before "
         "tanh, sqrt 2 before relu and its kin, else 1; or normal, cut at two deviations, with "
         "a deviation of 1/sqrt(inputs) after that (variance_scaling). Biases start like weights "
         "with uniform and default, else at 0",
     .added_later = true},
    {.name = "norm",
     .type = EG_TYPE_NAME,
     .default_text = "none",
     .names = unit_norm_names,
     .doc = "normalisation of hidden units before their activation, with a learned scale and shift "
            "each: over the units of an example (layer), or by running statistics (online)",
     .added_later = true},
    {.name = "norm_forward",
     .type = EG_TYPE_REAL,
     .default_text = "0.999",
     .min = 0,
     .max = 1,
     .doc = "norm = online: decay of the statistics of units",
     .added_later = true},
    {.name = "norm_backward",
     .type = EG_TYPE_REAL,
     .default_text = "0.99",
     .min = 0,
     .max = 1,
     .doc = "norm = online: decay in the control of gradients",
     .added_later = true},
    {.name = "dropout",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 0.99,
     .doc = "share of hidden outputs that are 0 for a training example, drawn anew for each; the "
            "others are divided by 1 - dropout",
     .added_later = true},
};

const eg_model_kind eg_model_mlp = {
    .component = {.name = "mlp",
                  .doc = "multilayer perceptron",
                  .source =
                      "normal initial weights: He et al. 2015, arXiv 1502.01852; layer: Ba et al. "
                      "2016, arXiv 1607.06450; online: Chiley et al. 2019, arXiv 1905.05894; "
                      "dropout: Srivastava et al. 2014",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .parts = parts,
    .graph = graph,
    .check = check,
    .flops = flops,
};
