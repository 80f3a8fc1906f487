/** VGG with batch normalisation: blocks of 3x3 convolutions, each block followed by max pooling,
 *  and one layer of output scores. All convolutions are of one width, or each has its own. Blocks
 *  but the first are parts.
 *
 *      [conv 3x3 pad 1, norm, activation] x blocks[i] │ max pool 2 │ … │ outputs
 *
 *  Five blocks of 2, 2, 4, 4, 4 convolutions of width c are a shrunk VGG19: 32x32x3 becomes 1x1xc,
 *  and with 10 outputs there are 135 c^2 + 85 c + 10 parameters (69 c without biases of the
 *  convolutions). */
#include "engram/memory.h"
#include "nn/image_model.h"
#include "nn/shared/vgg.h"

#include <assert.h>
#include <stdio.h>

/* What makes the output scores; the order is that of the names. */
typedef enum head { HEAD_LINEAR, HEAD_CONV } head;

static const char *const head_names[] = {[HEAD_LINEAR] = "linear", [HEAD_CONV] = "conv", NULL};

eg_status eg_vgg_widths(size_t **out, size_t *count, const eg_view *view)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    const eg_value *widths = eg_view_value(view, "widths");
    *out = NULL;
    *count = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        *count += (size_t)blocks->items[i];
    }
    if (widths->count > 0 && widths->count != *count) {
        return eg_fail_setting(view->prefix, "widths blocks",
                               "%swidths has %zu numbers; expected one for each of the %zu "
                               "convolutions of %sblocks, or none",
                               view->prefix, widths->count, *count, view->prefix);
    }
    EG_TRY(eg_alloc(out, *count, sizeof **out));
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = widths->count > 0 ? (size_t)widths->items[i] : eg_view_size(view, "width");
    }
    return eg_ok();
}

static void name_of(char out[EG_VGG_NAME_SIZE], size_t block, size_t convolution)
{
    (void)snprintf(out, EG_VGG_NAME_SIZE, "block%zu.conv%zu", block + 1, convolution + 1);
}

void eg_vgg_name(char out[EG_VGG_NAME_SIZE], const eg_view *view, size_t convolution)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    size_t block = 0;
    while (convolution >= (size_t)blocks->items[block]) {
        convolution -= (size_t)blocks->items[block++];
    }
    name_of(out, block, convolution);
}

static eg_status add_block(eg_image_model *m, size_t block, size_t convolutions,
                           const size_t *widths)
{
    const eg_pool pool = {.height = 2, .width = 2, .stride = 2};
    const size_t first = m->last + 1;
    char name[EG_VGG_NAME_SIZE];
    for (size_t i = 0; i < convolutions; i++) {
        const eg_image_conv conv = {.filters = widths[i], .height = 3, .padding = 1};
        name_of(name, block, i);
        EG_TRY(eg_image_hidden_filters(m, name, &conv));
    }
    (void)snprintf(name, sizeof name, "block%zu.pool", block + 1);
    EG_TRY(eg_image_pool(m, name, &pool, false));
    return block > 0 ? eg_graph_part(m->graph, first, m->last, EG_PART_GATE_POOLED) : eg_ok();
}

static eg_status add_layers(eg_image_model *m, const size_t *widths, size_t outputs)
{
    const eg_value *blocks = eg_view_value(m->view, "blocks");
    m->norm = (eg_image_norm)eg_view_name(m->view, "norm");
    m->bias = eg_view_bool(m->view, "bias");
    for (size_t i = 0; i < blocks->count; i++) {
        assert(widths != NULL);
        EG_TRY(add_block(m, i, (size_t)blocks->items[i], widths));
        widths += blocks->items[i];
    }
    return eg_view_name(m->view, "head") == HEAD_CONV ? eg_image_conv_head(m, "head", outputs)
                                                      : eg_image_linear(m, "head", outputs, false);
}

eg_status eg_vgg_graph(eg_graph **out, const eg_view *view, const size_t *widths, eg_shape input,
                       size_t outputs, size_t batch)
{
    eg_image_model m;
    eg_status status = eg_image_begin(&m, view, "blocks", input, batch);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, add_layers(&m, widths, outputs));
    *out = m.graph;
    return status;
done:
    eg_graph_free(m.graph);
    return status;
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    size_t *widths = NULL;
    size_t count = 0;
    EG_TRY(eg_vgg_widths(&widths, &count, view));
    eg_status status = eg_vgg_graph(out, view, widths, input, outputs, batch);
    eg_free(widths);
    return status;
}

/* Blocks but the first. */
static size_t parts(const eg_view *view)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    return blocks->count > 0 ? blocks->count - 1 : 0;
}

eg_status eg_vgg_check_candidates(const eg_view *view)
{
    const char *prefix = view->prefix;
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    if (eg_view_value(view, "blocks")->count == 0) {
        return eg_fail_setting(prefix, "blocks",
                               "%sblocks = []; a network that grows in width has convolutions",
                               prefix);
    }
    if (eg_view_bool(view, "bias")) {
        return eg_fail_setting(prefix, "bias",
                               "%sbias = true; a network that grows in width has false", prefix);
    }
    if (eg_view_name(view, "head") != HEAD_CONV) {
        return eg_fail_setting(prefix, "head",
                               "%shead = linear; a network that grows in width has conv", prefix);
    }
    if (eg_view_name(view, "norm") != EG_IMAGE_NORM_BATCH) {
        return eg_fail_setting(prefix, "norm",
                               "%snorm = %s; a network that grows in width has batch", prefix,
                               eg_image_norm_names[eg_view_name(view, "norm")]);
    }
    return eg_activation_parts(activation) == 1
               ? eg_ok()
               : eg_fail_setting(prefix, "activation",
                                 "%sactivation = %s has several outputs per unit; a network that "
                                 "grows in width has one",
                                 prefix, activation->component.name);
}

static const eg_param params[] = {
    {.name = "width",
     .type = EG_TYPE_INT,
     .default_text = "16",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "filters of every convolution"},
    {.name = "widths",
     .type = EG_TYPE_INTS,
     .default_text = "[]",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "filters of each convolution, block after block, instead of width; []: all are width",
     .added_later = true},
    {.name = "blocks",
     .type = EG_TYPE_INTS,
     .default_text = "[2, 2, 4, 4, 4]",
     .min = 1,
     .max = 1000,
     .unit = "convolutions",
     .doc = "convolutions of each block; after a block the image is half as high and wide"},
    {.name = "head",
     .type = EG_TYPE_NAME,
     .default_text = "linear",
     .names = head_names,
     .doc = "output scores from all numbers of the last image (linear), or by a 1x1 convolution, "
            "as the mean over its places (conv); the same where it is 1x1",
     .added_later = true},
    EG_IMAGE_BIAS_PARAM("a learned offset per filter, before the norm"),
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("uniform"),
    EG_IMAGE_NORM_PARAM("batch"),
};

const eg_model_kind eg_model_vgg = {
    .component = {.name = "vgg",
                  .doc = "VGG: blocks of 3x3 convolutions, of one width unless said otherwise, "
                         "with max pooling 2x2 behind each, then one layer of output scores",
                  .source = "Simonyan and Zisserman 2015, arXiv 1409.1556; constant width: Caccia "
                            "et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .parts = parts,
    .graph = graph,
};
