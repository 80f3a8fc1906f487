/** VGG of constant width with batch normalisation: blocks of 3x3 convolutions, each block followed
 *  by max pooling, and one linear layer. Blocks but the first are parts.
 *
 *      [conv 3x3 pad 1, norm, activation] x blocks[i] │ max pool 2 │ … │ linear outputs
 *
 *  Five blocks of 2, 2, 4, 4, 4 convolutions of width c are a shrunk VGG19: 32x32x3 becomes 1x1xc,
 *  and with 10 outputs there are 135 c^2 + 85 c + 10 parameters (69 c without biases of the
 *  convolutions). */
#include "nn/image_model.h"

#include <stdio.h>

static eg_status add_block(eg_image_model *m, size_t number, size_t convolutions, size_t width)
{
    const eg_pool pool = {.height = 2, .width = 2, .stride = 2};
    const eg_image_conv conv = {.filters = width, .height = 3, .padding = 1};
    const size_t first = m->last + 1;
    char name[2 * EG_NODE_NAME_SIZE];
    for (size_t i = 0; i < convolutions; i++) {
        (void)snprintf(name, sizeof name, "block%zu.conv%zu", number, i + 1);
        EG_TRY(eg_image_hidden_filters(m, name, &conv));
    }
    (void)snprintf(name, sizeof name, "block%zu.pool", number);
    EG_TRY(eg_image_pool(m, name, &pool, false));
    return number > 1 ? eg_graph_part(m->graph, first, m->last, EG_PART_GATE_POOLED) : eg_ok();
}

static eg_status add_layers(eg_image_model *m)
{
    const eg_value *blocks = eg_view_value(m->view, "blocks");
    m->norm = (eg_image_norm)eg_view_name(m->view, "norm");
    m->bias = eg_view_bool(m->view, "bias");
    for (size_t i = 0; i < blocks->count; i++) {
        EG_TRY(add_block(m, i + 1, (size_t)blocks->items[i], eg_view_size(m->view, "width")));
    }
    return eg_ok();
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    return eg_image_graph(out, view, "blocks", input, outputs, batch, add_layers);
}

/* Blocks but the first. */
static size_t parts(const eg_view *view)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    return blocks->count > 0 ? blocks->count - 1 : 0;
}

static const eg_param params[] = {
    {.name = "width",
     .type = EG_TYPE_INT,
     .default_text = "16",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "filters of every convolution"},
    {.name = "blocks",
     .type = EG_TYPE_INTS,
     .default_text = "[2, 2, 4, 4, 4]",
     .min = 1,
     .max = 1000,
     .unit = "convolutions",
     .doc = "convolutions of each block; after a block the image is half as high and wide"},
    EG_IMAGE_BIAS_PARAM("a learned offset per filter, before the norm"),
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("uniform"),
    EG_IMAGE_NORM_PARAM("batch"),
};

const eg_model_kind eg_model_vgg = {
    .component = {.name = "vgg",
                  .doc = "VGG of constant width: blocks of 3x3 convolutions with max pooling 2x2 "
                         "behind each, then one linear layer",
                  .source = "Simonyan and Zisserman 2015, arXiv 1409.1556; constant width: Caccia "
                            "et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .parts = parts,
    .graph = graph,
};
