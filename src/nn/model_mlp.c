/** Multilayer perceptron: linear, activation, linear, activation, …, linear. */
#include "engram/memory.h"
#include "engram/model.h"
#include "nn/layers.h"

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
    double sum = 0.0;
    for (size_t i = 0; i <= hidden->count; i++) {
        size_t width = width_after(hidden, i, outputs);
        sum += eg_linear_flops(inputs, width, bias);
        sum += i < hidden->count ? eg_activation_flops(width) : 0.0;
        inputs = width * (i < hidden->count ? parts : 1);
    }
    return sum;
}

/* Which of the linear layers is fastest here: one example at a time, rows of inputs; else panels next to
 * the input, which may be wide and sparse, and BLAS behind. */
static eg_status weight_layer(eg_layer *out, bool first, size_t batch, eg_shape in, size_t width,
                              eg_norm norm, bool bias, eg_initializer initializer)
{
    if (batch == 1 && norm == EG_NORM_NONE) {
        return eg_layer_linear_online(out, in, width, bias, initializer);
    }
    return (first ? eg_layer_linear_panels : eg_layer_linear)(out, in, width, norm, bias,
                                                              initializer);
}

static eg_status fill(eg_layer *layers, const eg_view *view, eg_shape in, size_t outputs,
                      size_t batch)
{
    const eg_value *hidden = eg_view_value(view, "hidden");
    const eg_value *norms = eg_view_value(view, "weight_norm");
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    bool bias = eg_view_bool(view, "bias");
    eg_initializer initializer = (eg_initializer)eg_view_name(view, "init");
    double p[EG_ACTIVATION_PARAMS_MAX];
    eg_view inside = eg_view_inside(view, "activation");
    eg_view_numbers(&inside, &activation->component, p);
    for (size_t i = 0; i <= hidden->count; i++) {
        size_t width = width_after(hidden, i, outputs);
        EG_TRY(
            weight_layer(layers, i == 0, batch, in, width, norm_of(norms, i), bias, initializer));
        in = layers->out;
        if (i < hidden->count) {
            layers->blocks[EG_LINEAR_WEIGHT].initial = eg_initializer_weight(
                initializer, eg_activation_gain(activation, p), eg_layer_inputs(layers), width);
            layers++;
            EG_TRY(eg_layer_activation(layers, activation, p, in));
            in = layers->out;
        }
        layers++;
    }
    return eg_ok();
}

static eg_status build(eg_net **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch, uint64_t seed)
{
    *out = NULL;
    EG_TRY(check(view, input, outputs));
    size_t count = 2 * eg_view_value(view, "hidden")->count + 1;
    eg_layer *layers = NULL;
    EG_TRY(eg_alloc(&layers, count, sizeof *layers));
    eg_status status = fill(layers, view, input, outputs, batch);
    if (!eg_is_ok(&status)) {
        eg_layers_free(layers, count);
        return status;
    }
    return eg_net_create(out, layers, count, seed);
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
     .doc = "what weights start as: N(0, 2/inputs) (normal), or uniform in -a … a with a = "
            "1/sqrt(inputs) (uniform, also called default), g sqrt(3/inputs) (kaiming), "
            "g sqrt(6/(inputs + units)) (xavier), sqrt(3/inputs) (lecun); the gain g is 5/3 before "
            "tanh, sqrt 2 before relu and its kin, else 1. Biases start like weights with uniform "
            "and default, else at 0",
     .added_later = true},
};

const eg_model_kind eg_model_mlp = {
    .component = {.name = "mlp",
                  .doc = "multilayer perceptron",
                  .source = "normal initial weights: He et al. 2015, arXiv 1502.01852",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .build = build,
    .check = check,
    .flops = flops,
};
