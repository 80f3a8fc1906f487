/** Residual network for small images: a convolution, stages of basic blocks, global pooling and one
 *  linear layer.
 *
 *      stem     conv 3x3 pad 1, norm, activation
 *      block    u = act(norm(conv 3x3 stride s (x)))    v = norm(conv 3x3 (u))
 *               y = act(v + shortcut(x))
 *
 *  The first block of every stage but the first has stride s = 2. The shortcut is the identity, or
 *  where the shape changes a 1x1 convolution of stride s and its norm. With the default of four
 *  stages of two blocks there are 17 hidden layers, and 11,224,932 parameters for 100 outputs.
 *
 *  The order of nodes matters (engram/units.h): the main branch is the sum's first input, so that a
 *  block's output is the units of its second convolution; and the next block's first convolution
 *  comes before its shortcut, so that it is the reader of those units. */
#include "nn/image_model.h"

#include <stdio.h>

enum { NAME_SIZE = 2 * EG_NODE_NAME_SIZE };

typedef struct block {
    size_t stage, number; /* from 1 */
    size_t filters, stride;
} block;

static void name_part(char out[NAME_SIZE], const block *b, const char *part)
{
    (void)snprintf(out, NAME_SIZE, "stage%zu.block%zu.%s", b->stage, b->number, part);
}

/* From `in`; afterwards the model's last node is the sum. */
static eg_status add_shortcut(eg_image_model *m, const block *b, size_t in, eg_shape shape)
{
    const size_t main = m->last;
    const eg_shape made = m->shape;
    char name[NAME_SIZE];
    eg_layer sum;
    m->last = in;
    m->shape = shape;
    if (!eg_shape_equal(shape, made)) {
        const eg_image_conv conv = {.filters = b->filters, .height = 1, .stride = b->stride};
        name_part(name, b, "shortcut");
        EG_TRY(eg_image_filters(m, name, &conv));
    }
    const size_t reads[] = {main, m->last};
    name_part(name, b, "sum");
    EG_TRY(eg_layer_sum(&sum, EG_COUNT(reads), 1, made));
    m->shape = made;
    return eg_graph_add(m->graph, name, &sum, EG_COUNT(reads), reads, &m->last);
}

static eg_status add_block(eg_image_model *m, const block *b)
{
    const size_t in = m->last;
    const eg_shape shape = m->shape;
    eg_image_conv conv = {.filters = b->filters, .height = 3, .padding = 1, .stride = b->stride};
    char name[NAME_SIZE];
    name_part(name, b, "conv1");
    EG_TRY(eg_image_hidden_filters(m, name, &conv));
    conv.stride = 1;
    name_part(name, b, "conv2");
    EG_TRY(eg_image_filters(m, name, &conv));
    EG_TRY(add_shortcut(m, b, in, shape));
    name_part(name, b, "activation");
    return eg_image_activate(m, name, m->activation, m->p);
}

/* Filters of stage i: as listed, or twice as many from stage to stage. */
static size_t filters_of(const eg_view *view, size_t i)
{
    const eg_value *widths = eg_view_value(view, "widths");
    return widths->count > 0 ? (size_t)widths->items[i] : eg_view_size(view, "width") << i;
}

static eg_status check(const eg_view *view)
{
    const eg_value *widths = eg_view_value(view, "widths");
    const eg_value *blocks = eg_view_value(view, "blocks");
    if (blocks->count == 0 || blocks->count > 8) {
        return eg_fail_setting(view->prefix, "blocks", "%sblocks = %s: must be one to 8 numbers",
                               view->prefix, blocks->text);
    }
    if (widths->count > 0 && widths->count != blocks->count) {
        return eg_fail_setting(view->prefix, "widths blocks",
                               "%swidths = %s has %zu entries, but %sblocks = %s makes %zu stages",
                               view->prefix, widths->text, widths->count, view->prefix,
                               blocks->text, blocks->count);
    }
    return eg_ok();
}

static eg_status add_stages(eg_image_model *m, const eg_view *view)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    const eg_image_conv stem = {.filters = filters_of(view, 0), .height = 3, .padding = 1};
    EG_TRY(eg_image_hidden_filters(m, "stem", &stem));
    for (size_t i = 0; i < blocks->count; i++) {
        for (size_t k = 0; k < (size_t)blocks->items[i]; k++) {
            const block b = {.stage = i + 1,
                             .number = k + 1,
                             .filters = filters_of(view, i),
                             .stride = i > 0 && k == 0 ? 2 : 1};
            EG_TRY(add_block(m, &b));
        }
    }
    return eg_ok();
}

static eg_status add_layers(eg_image_model *m)
{
    eg_layer pool;
    m->norm = (eg_image_norm)eg_view_name(m->view, "norm");
    m->bias = eg_view_bool(m->view, "bias");
    EG_TRY(add_stages(m, m->view));
    eg_layer_global_pool(&pool, m->shape);
    return eg_image_add(m, "pool", &pool);
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    EG_TRY(check(view));
    return eg_image_graph(out, view, "blocks", input, outputs, batch, add_layers);
}

static const eg_param params[] = {
    {.name = "width",
     .type = EG_TYPE_INT,
     .default_text = "64",
     .min = 1,
     .max = 1e4,
     .unit = "filters",
     .doc = "filters of the first stage; every further one has twice as many"},
    {.name = "widths",
     .type = EG_TYPE_INTS,
     .default_text = "[]",
     .min = 1,
     .max = 1e6,
     .unit = "filters",
     .doc = "filters of every stage, in place of width; [] for none"},
    {.name = "blocks",
     .type = EG_TYPE_INTS,
     .default_text = "[2, 2, 2, 2]",
     .min = 1,
     .max = 1000,
     .unit = "blocks",
     .doc = "residual blocks of every stage; the first of a stage halves height and width, but for "
            "the first stage"},
    EG_IMAGE_BIAS_PARAM("a learned offset per filter, before the norm"),
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("normal"),
    EG_IMAGE_NORM_PARAM("batch"),
};

const eg_model_kind eg_model_resnet18 = {
    .component = {.name = "resnet18",
                  .doc = "residual network for small images: 3x3 convolution, stages of residual "
                         "blocks of two 3x3 convolutions, mean over all places, linear layer",
                  .source =
                      "He et al. 2016, arXiv 1512.03385; this size: Dohare et al. 2024, Nature "
                      "632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
};
