/** Linear model: every output is a weighted sum of the inputs. */
#include "engram/memory.h"
#include "engram/model.h"
#include "nn/layers.h"

static eg_status check(const eg_view *view, eg_shape input, size_t outputs)
{
    (void)view, (void)input, (void)outputs;
    return eg_ok();
}

static double flops(const eg_view *view, eg_shape input, size_t outputs)
{
    return eg_linear_flops(eg_shape_size(input), outputs, eg_view_bool(view, "bias"));
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    *out = NULL;
    eg_layer *layer = NULL;
    EG_TRY(eg_alloc(&layer, 1, sizeof *layer));
    eg_status status = eg_layer_linear_fastest(layer, true, batch, input, outputs, EG_NORM_NONE,
                                               eg_view_bool(view, "bias"),
                                               (eg_initializer)eg_view_name(view, "init"));
    if (!eg_is_ok(&status)) {
        eg_layers_free(layer, 1);
        return status;
    }
    return eg_graph_create_chain(out, layer, 1);
}

static const eg_param params[] = {
    {.name = "bias",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "a learned offset per output"},
    {.name = "init",
     .type = EG_TYPE_NAME,
     .default_text = "kaiming",
     .names = eg_initializer_names,
     .doc = "what weights start as, as for model mlp; the gain is 1, so kaiming is lecun"},
};

const eg_model_kind eg_model_linear = {
    .component = {.name = "linear",
                  .doc = "no hidden layer: every output is a weighted sum of the inputs",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
    .check = check,
    .flops = flops,
};
