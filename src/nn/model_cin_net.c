/** The network of Continual ImageNet: three convolutions, each with max pooling, and two fully
 *  connected hidden layers.
 *
 *      conv 5x5, 32 │ max pool 2 │ conv 3x3, 64 │ max pool 2 │ conv 3x3, 128 │ max pool 2 │
 *      linear 128 │ linear 128 │ linear outputs
 *
 *  No padding: 32x32x3 becomes 28, 14, 12, 6, 4, 2; with 2 outputs there are 177,218 parameters. */
#include "nn/image_model.h"

#include <stdio.h>

enum { CONVOLUTIONS = 3 };

static eg_status add_filters(eg_image_model *m, const eg_value *filters)
{
    static const size_t kernel[CONVOLUTIONS] = {5, 3, 3};
    const eg_pool pool = {.height = 2, .width = 2, .stride = 2};
    if (filters->count != CONVOLUTIONS) {
        return eg_fail_setting(m->view->prefix, "filters",
                               "%sfilters = %s: must be three numbers, one per convolution",
                               m->view->prefix, filters->text);
    }
    for (size_t i = 0; i < CONVOLUTIONS; i++) {
        const eg_image_conv conv = {.filters = (size_t)filters->items[i], .height = kernel[i]};
        char name[EG_NODE_NAME_SIZE];
        (void)snprintf(name, sizeof name, "conv%zu", i + 1);
        EG_TRY(eg_image_hidden_filters(m, name, &conv));
        (void)snprintf(name, sizeof name, "conv%zu.pool", i + 1);
        EG_TRY(eg_image_pool(m, name, &pool, false));
    }
    return eg_ok();
}

static eg_status add_layers(eg_image_model *m)
{
    m->norm = (eg_image_norm)eg_view_name(m->view, "norm");
    m->dropout = eg_view_real(m->view, "dropout");
    EG_TRY(add_filters(m, eg_view_value(m->view, "filters")));
    return eg_image_hidden_units(m, eg_view_value(m->view, "hidden"));
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    return eg_image_graph(out, view, "filters hidden", input, outputs, batch, add_layers);
}

static const eg_param params[] = {
    {.name = "filters",
     .type = EG_TYPE_INTS,
     .default_text = "[32, 64, 128]",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "filters of the three convolutions, of kernels 5x5, 3x3 and 3x3"},
    {.name = "hidden",
     .type = EG_TYPE_INTS,
     .default_text = "[128, 128]",
     .min = 1,
     .max = 1e6,
     .unit = "units",
     .doc = "widths of the fully connected hidden layers; [] for none"},
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("uniform"),
    EG_IMAGE_NORM_PARAM("none"),
    EG_IMAGE_DROPOUT_PARAM,
};

const eg_model_kind eg_model_cin_net = {
    .component = {.name = "cin_net",
                  .doc = "network of Continual ImageNet: convolutions 5x5, 3x3 and 3x3 without "
                         "padding, each with max pooling 2x2, then fully connected layers; images "
                         "of at least 24x24",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
};
