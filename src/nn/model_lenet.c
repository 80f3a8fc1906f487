/** LeNet as in Additive Parameter Decomposition: convolutions that keep the size of the image, each
 *  with overlapping max pooling that halves it, and fully connected hidden layers.
 *
 *      [conv 5x5 pad 2, activation, local response, max pool 3 stride 2] x 2 │
 *      linear 800 │ linear 500 │ linear outputs
 *
 *  The pooling lacks one row and one column for as many windows as it has strides: they are added
 *  below and to the right. For 32x32x3 there are 2,986,500 weights and 1,370 biases before the
 *  output layer. */
#include "nn/image_model.h"

#include <stdio.h>

/* Of 9 channels. */
static const eg_response response = {.radius = 4, .bias = 1, .alpha = 0.001 / 9, .beta = 0.75};

static eg_status add_filters(eg_image_model *m, const eg_view *view, size_t number, size_t filters)
{
    const size_t kernel = eg_view_size(view, "kernel");
    const size_t window = eg_view_size(view, "pool");
    const eg_image_conv conv = {.filters = filters, .height = kernel, .padding = kernel / 2};
    eg_pool pool = {.height = window, .width = window, .stride = 2};
    char name[EG_NODE_NAME_SIZE];
    if (kernel % 2 == 0) {
        return eg_fail_setting(view->prefix, "kernel",
                               "%skernel = %zu: must be odd, so that the image keeps its size",
                               view->prefix, kernel);
    }
    (void)snprintf(name, sizeof name, "conv%zu", number);
    EG_TRY(eg_image_hidden_filters(m, name, &conv));
    if (eg_view_bool(view, "local_response")) {
        (void)snprintf(name, sizeof name, "conv%zu.response", number);
        EG_TRY(eg_image_respond(m, name, &response));
    }
    (void)snprintf(name, sizeof name, "conv%zu.pool", number);
    EG_TRY(eg_status_wrap(eg_image_same_pool(m, &pool), "model = lenet, %s", name));
    return eg_image_pool(m, name, &pool, false);
}

static eg_status add_layers(eg_image_model *m)
{
    const eg_value *filters = eg_view_value(m->view, "filters");
    m->norm = (eg_image_norm)eg_view_name(m->view, "norm");
    m->dropout = eg_view_real(m->view, "dropout");
    for (size_t i = 0; i < filters->count; i++) {
        EG_TRY(add_filters(m, m->view, i + 1, (size_t)filters->items[i]));
    }
    return eg_image_hidden_units(m, eg_view_value(m->view, "hidden"));
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    return eg_image_graph(out, view, "filters", input, outputs, batch, add_layers);
}

static const eg_param params[] = {
    {.name = "filters",
     .type = EG_TYPE_INTS,
     .default_text = "[20, 50]",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "filters of the convolutions, each with max pooling; 64, 128 in the larger one"},
    {.name = "kernel",
     .type = EG_TYPE_INT,
     .default_text = "5",
     .min = 1,
     .max = 99,
     .unit = "pixels",
     .doc = "height and width of kernels, an odd number"},
    {.name = "pool",
     .type = EG_TYPE_INT,
     .default_text = "3",
     .min = 2,
     .max = 16,
     .unit = "pixels",
     .doc = "height and width of the windows of max pooling, of stride 2"},
    {.name = "hidden",
     .type = EG_TYPE_INTS,
     .default_text = "[800, 500]",
     .min = 1,
     .max = 1e6,
     .unit = "units",
     .doc = "widths of the fully connected hidden layers; [] for none; 2500, 1500 in the larger "
            "one"},
    {.name = "local_response",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "normalisation over 9 neighbouring channels before pooling: "
            "x/(1 + 0.001/9 sum x^2)^0.75"},
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("uniform"),
    EG_IMAGE_NORM_PARAM("none"),
    EG_IMAGE_DROPOUT_PARAM,
};

const eg_model_kind eg_model_lenet = {
    .component = {.name = "lenet",
                  .doc = "convolutions that keep the size of the image, each with overlapping max "
                         "pooling, then fully connected layers",
                  .source = "Yoon et al. 2020, arXiv 1902.09432; LeCun et al. 1998",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
};
