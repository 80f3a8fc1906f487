/** SDMLP: a multilayer perceptron whose hidden units are kept apart like the addresses of a sparse
 *  distributed memory, by non-negative weights, unit lengths and inhibition.
 *
 *      unit inputs, W1 >= 0 with unit rows | inhibition | W2 >= 0
 *
 *  Every part can be switched off, for ablations. */
#include "engram/memory.h"
#include "engram/model.h"
#include "nn/layers.h"

static const char *const selection_names[] = {"subtract", "mask", NULL};

static eg_inhibition inhibition_of(const eg_view *view)
{
    return (eg_inhibition){
        .kind = (eg_inhibition_kind)eg_view_name(view, "inhibition"),
        .masked = eg_view_name(view, "selection") == 1,
        .k = eg_view_size(view, "k"),
        .switch_count = eg_view_real(view, "switch_count"),
        .k_start = eg_view_size(view, "k_start"),
        .annealing = eg_view_size(view, "annealing"),
    };
}

static eg_status check(const eg_view *view, eg_shape input, size_t outputs)
{
    (void)input, (void)outputs;
    eg_inhibition spec = inhibition_of(view);
    size_t hidden = eg_view_size(view, "hidden");
    if (spec.k > hidden) {
        return eg_fail_setting(view->prefix, "k hidden",
                               "%sk = %zu is more than the %zu hidden units", view->prefix, spec.k,
                               hidden);
    }
    if (spec.masked && spec.kind == EG_INHIBITION_GABA) {
        return eg_fail_setting(
            view->prefix, "selection inhibition",
            "%sselection = mask with %sinhibition = gaba: the switch is in what is "
            "subtracted; expected selection = subtract, or another inhibition",
            view->prefix, view->prefix);
    }
    if (spec.kind == EG_INHIBITION_ANNEALED && (spec.k_start < spec.k || spec.k_start > hidden)) {
        return eg_fail_setting(view->prefix, "k_start k hidden",
                               "%sk_start = %zu; expected %zu, the final k, to %zu, all units",
                               view->prefix, spec.k_start, spec.k, hidden);
    }
    return eg_ok();
}

static double flops(const eg_view *view, eg_shape input, size_t outputs)
{
    size_t inputs = eg_shape_size(input);
    size_t hidden = eg_view_size(view, "hidden");
    bool bias = eg_view_bool(view, "bias");
    return eg_linear_flops(inputs, hidden, bias) + eg_activation_flops(hidden) +
           eg_linear_flops(hidden, outputs, bias);
}

static eg_status fill(eg_layer *layers, const eg_view *view, eg_shape in, size_t outputs)
{
    size_t hidden = eg_view_size(view, "hidden");
    bool nonnegative = eg_view_bool(view, "nonnegative");
    bool bias = eg_view_bool(view, "bias");
    const eg_constraint first = {.unit_input = eg_view_bool(view, "unit_input"),
                                 .nonnegative = nonnegative,
                                 .unit_rows = eg_view_bool(view, "unit_rows"),
                                 .bias = bias};
    const eg_constraint second = {.nonnegative = nonnegative, .bias = bias};
    eg_inhibition spec = inhibition_of(view);
    EG_TRY(eg_layer_constrained(&layers[0], in, hidden, true, &first));
    EG_TRY(eg_layer_inhibition(&layers[1], hidden, &spec));
    return eg_layer_constrained(&layers[2], eg_shape_vector(hidden), outputs, false, &second);
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    (void)batch;
    *out = NULL;
    enum { LAYERS = 3 };
    eg_layer *layers = NULL;
    EG_TRY(eg_alloc(&layers, LAYERS, sizeof *layers));
    eg_status status = fill(layers, view, input, outputs);
    if (!eg_is_ok(&status)) {
        eg_layers_free(layers, LAYERS);
        return status;
    }
    return eg_graph_create_chain(out, layers, LAYERS);
}

static const eg_param params[] = {
    {.name = "hidden",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 1e6,
     .unit = "units",
     .doc = "hidden units"},
    {.name = "k",
     .type = EG_TYPE_INT,
     .default_text = "10",
     .min = 1,
     .max = 1e6,
     .doc = "hidden units that stay active: the (k+1)-th largest activation inhibits all"},
    {.name = "inhibition",
     .type = EG_TYPE_NAME,
     .default_text = "gaba",
     .names = eg_inhibition_names,
     .doc = "gaba: from -1, excitation, to 1 for each unit as it is used; annealed: k falls from "
            "k_start; flat: as it is from the start"},
    {.name = "selection",
     .type = EG_TYPE_NAME,
     .default_text = "subtract",
     .names = selection_names,
     .doc = "what inhibition does to the winners: lowers them by its value, or nothing (mask)"},
    {.name = "switch_count",
     .type = EG_TYPE_REAL,
     .default_text = "5e+06",
     .min = 0,
     .max = 1e18,
     .above_min = true,
     .unit = "examples",
     .doc = "gaba: a unit is fully inhibited once it was active for so many; 1e4 per epoch and "
            "task in the paper, 500 epochs"},
    {.name = "k_start",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 1e6,
     .doc = "annealed: k at the start"},
    {.name = "annealing",
     .type = EG_TYPE_INT,
     .default_text = "19800",
     .min = 0,
     .max = 1e15,
     .unit = "minibatches",
     .doc = "annealed: k is reached after so many; 200 epochs of the first task of Split-MNIST "
            "in minibatches of 128"},
    {.name = "unit_input",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "negative inputs become 0, and each example is scaled to length 1"},
    {.name = "nonnegative",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "after every update parameters below 0 become 0"},
    {.name = "unit_rows",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "after every update each hidden unit's incoming weights are scaled to length 1"},
    {.name = "bias",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "a learned offset per unit"},
};

const eg_model_kind eg_model_sdmlp = {
    .component = {.name = "sdmlp",
                  .doc = "sparse distributed memory as a perceptron with one hidden layer; weights "
                         "start uniform in +-1/sqrt(inputs), then constrained",
                  .source = "Bricken et al. 2023, arXiv 2303.11934",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
    .check = check,
    .flops = flops,
};
