/** A network that the sweep file lists layer by layer. */
#include "nn/convnet_entry.h"
#include "nn/image_model.h"

#include <stdio.h>

/* Of Krizhevsky et al. 2012: over 5 channels. */
static const eg_response response = {.radius = 2, .bias = 2, .alpha = 1e-4, .beta = 0.75};

enum { KERNEL = 3, WINDOW = 2 }; /* where an entry does not say its size */

/* Parameters of an activation that is called by its name: their defaults. */
static eg_status defaults_of(const eg_activation *activation, double *p)
{
    for (size_t i = 0; i < activation->component.param_count; i++) {
        const eg_param *param = &activation->component.params[i];
        eg_value value;
        EG_TRY(eg_value_parse(&value, param, NULL, param->default_text));
        p[i] = value.type == EG_TYPE_NAME ? (double)value.integer : value.real;
        eg_value_clear(&value);
    }
    return eg_ok();
}

/* The activation of an entry, with its parameters. */
static eg_status activation_of(const eg_image_model *m, const eg_entry *entry,
                               const eg_activation **activation, double *p)
{
    *activation = entry->activation;
    if (*activation != NULL) {
        return defaults_of(*activation, p);
    }
    *activation = m->activation;
    for (size_t i = 0; i < m->activation->component.param_count; i++) {
        p[i] = m->p[i];
    }
    return eg_ok();
}

/* The gain of the weights of entry `index`: of the activation behind it, before others. */
static eg_status find_gain(eg_image_model *m, const eg_value *layers, size_t index)
{
    m->gain = 1;
    for (size_t i = index + 1; i < layers->count; i++) {
        eg_entry entry;
        EG_TRY(eg_entry_read(&entry, layers, i));
        if (entry.kind == EG_ENTRY_CONV || entry.kind == EG_ENTRY_LINEAR) {
            return eg_ok();
        }
        if (entry.kind == EG_ENTRY_ACTIVATION) {
            const eg_activation *activation = NULL;
            double p[EG_ACTIVATION_PARAMS_MAX] = {0};
            EG_TRY(activation_of(m, &entry, &activation, p));
            m->gain = eg_activation_gain(activation, p);
            return eg_ok();
        }
    }
    return eg_ok();
}

static eg_status add_conv(eg_image_model *m, const eg_entry *entry, const char *name)
{
    eg_image_conv conv = {
        .filters = entry->count,
        .height = entry->height > 0 ? entry->height : KERNEL,
        .width = entry->width,
        .stride = entry->stride,
        .padding = entry->padding,
    };
    const size_t width = conv.width > 0 ? conv.width : conv.height;
    if (entry->same && (conv.height != width || conv.height % 2 == 0)) {
        return eg_fail(EG_INVALID, "pad same needs a square kernel of an odd size");
    }
    conv.padding = entry->same ? conv.height / 2 : conv.padding;
    return eg_image_filters(m, name, &conv);
}

static eg_status add_pool(eg_image_model *m, const eg_entry *entry, const char *name)
{
    const size_t height = entry->height > 0 ? entry->height : WINDOW;
    const size_t width = entry->width > 0 ? entry->width : WINDOW;
    eg_pool pool = {.height = height,
                    .width = width,
                    .stride = entry->stride > 0 ? entry->stride : height,
                    .before = entry->padding,
                    .after = entry->padding};
    if (entry->stride == 0 && height != width) {
        return eg_fail(EG_INVALID, "windows that are not square need a stride");
    }
    if (entry->same) {
        EG_TRY(eg_image_same_pool(m, &pool));
    }
    return eg_image_pool(m, name, &pool, entry->kind == EG_ENTRY_AVERAGE_POOL);
}

static eg_status add_activation(eg_image_model *m, const eg_entry *entry, const char *name)
{
    const eg_activation *activation = NULL;
    double p[EG_ACTIVATION_PARAMS_MAX] = {0};
    EG_TRY(activation_of(m, entry, &activation, p));
    return eg_image_activate(m, name, activation, p);
}

static eg_status add_entry(eg_image_model *m, const eg_entry *entry, const char *name)
{
    eg_layer layer;
    m->bias = !entry->no_bias;
    switch (entry->kind) {
    case EG_ENTRY_ACTIVATION:
        return add_activation(m, entry, name);
    case EG_ENTRY_AVERAGE_POOL:
    case EG_ENTRY_MAX_POOL:
        return add_pool(m, entry, name);
    case EG_ENTRY_BATCH_NORM:
        return eg_image_normalise(m, name, EG_IMAGE_NORM_BATCH);
    case EG_ENTRY_LAYER_NORM:
        return eg_image_normalise(m, name, EG_IMAGE_NORM_LAYER);
    case EG_ENTRY_CONV:
        return add_conv(m, entry, name);
    case EG_ENTRY_DROPOUT:
        return eg_image_drop(m, name, entry->share);
    case EG_ENTRY_DROPOUT_MAPS:
        return eg_image_drop_maps(m, name, entry->share);
    case EG_ENTRY_LOCAL_RESPONSE:
        return eg_image_respond(m, name, &response);
    case EG_ENTRY_FLATTEN:
        eg_layer_flatten(&layer, m->shape);
        return eg_image_add(m, name, &layer);
    case EG_ENTRY_GLOBAL_POOL:
        eg_layer_global_pool(&layer, m->shape);
        return eg_image_add(m, name, &layer);
    case EG_ENTRY_LINEAR:
        return eg_image_linear(m, name, entry->count, true);
    case EG_ENTRY_KINDS:
        break;
    }
    return eg_fail(EG_INTERNAL, "no such entry");
}

static eg_status add_entries(eg_image_model *m, const eg_value *layers)
{
    size_t number[EG_ENTRY_KINDS] = {0};
    for (size_t i = 0; i < layers->count; i++) {
        eg_entry entry;
        char name[EG_NODE_NAME_SIZE];
        EG_TRY(eg_entry_read(&entry, layers, i));
        EG_TRY(find_gain(m, layers, i));
        (void)snprintf(name, sizeof name, "%s%zu", eg_entry_name(entry.kind), ++number[entry.kind]);
        EG_TRY(eg_status_wrap(add_entry(m, &entry, name), "entry %zu (%.*s)", i + 1,
                              (int)(layers->ends[i] - (size_t)layers->items[i]),
                              layers->text + layers->items[i]));
    }
    return eg_ok();
}

static eg_status add_layers(eg_image_model *m)
{
    return add_entries(m, eg_view_value(m->view, "layers"));
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    eg_status status = eg_image_graph(out, view, "layers", input, outputs, batch, add_layers);
    if (status.code == EG_INVALID) {
        status = eg_status_about(status, view->prefix, "layers");
        status = eg_status_wrap(status, "%slayers", view->prefix);
    }
    return status;
}

static const eg_param params[] = {
    {.name = "layers",
     .type = EG_TYPE_TEXTS,
     .default_text = "[conv 32 3x3 pad same, activation, max_pool 2, conv 64 3x3 pad same, "
                     "activation, max_pool 2, linear 128, activation]",
     .doc = "the layers from the image on; the linear layer of the output scores comes behind "
            "them. conv FILTERS [SIZE] [stride N] [pad N or same] [no_bias]; max_pool or "
            "average_pool [SIZE] [stride N] [pad N or same]; global_pool; linear UNITS [no_bias]; "
            "activation, or one by its name; batch_norm; layer_norm; local_response; dropout "
            "SHARE, of "
            "single numbers, and dropout_maps SHARE, of channels; flatten. SIZE "
            "is 5x3 or 5; without it kernels are 3x3 and windows 2x2. The stride is 1, of a "
            "pooling its SIZE. pad same keeps height and width, but for the stride"},
    EG_IMAGE_ACTIVATION_PARAM,
    EG_IMAGE_INIT_PARAM("uniform"),
};

const eg_model_kind eg_model_convnet = {
    .component = {.name = "convnet",
                  .doc = "network that is listed layer by layer: convolutions, pooling, "
                         "normalisation, fully connected layers",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
};
