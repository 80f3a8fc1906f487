/** Graphs of models of images, layer by layer; see nn/image_model.h. */
#include "nn/image_model.h"

#include <math.h>
#include <stdio.h>

const char *const eg_image_norm_names[] = {[EG_IMAGE_NORM_NONE] = "none",
                                           [EG_IMAGE_NORM_BATCH] = "batch",
                                           [EG_IMAGE_NORM_LAYER] = "layer",
                                           NULL};

/* Batch normalisation as in PyTorch. */
static const double batch_eps = 1e-5;
static const double batch_decay = 0.9;

enum {
    NAME_SIZE = 2 * EG_NODE_NAME_SIZE, /* what is too long is refused by the graph */
    DRAWS_MAX = 256                    /* see eg_layer_dropout */
};

static void join(char out[NAME_SIZE], const char *name, const char *part)
{
    (void)snprintf(out, NAME_SIZE, "%s.%s", name, part);
}

eg_status eg_image_add(eg_image_model *model, const char *name, eg_layer *layer)
{
    const eg_shape made = layer->out;
    EG_TRY(eg_graph_add(model->graph, name, layer, 1, &model->last, &model->last));
    model->shape = made;
    return eg_ok();
}

eg_status eg_image_fits(const eg_image_model *model, const char *name, size_t height, size_t width,
                        size_t more)
{
    const eg_shape *shape = &model->shape;
    if (shape->height + more >= height && shape->width + more >= width) {
        return eg_ok();
    }
    const eg_view root = eg_settings_root(model->view->settings);
    eg_status status = eg_fail_setting(
        model->view->prefix, model->names,
        "%s = %s: %s has windows of %zux%zu, but images of %zux%zu are only %zux%zu there: they "
        "are too small for this network",
        "model", eg_view_component(&root, "model")->name, name, height, width, model->input.height,
        model->input.width, shape->height, shape->width);
    return eg_status_about(status, "", "model dataset");
}

eg_status eg_image_normalise(eg_image_model *model, const char *name, eg_image_norm norm)
{
    eg_layer layer;
    if (norm == EG_IMAGE_NORM_NONE) {
        return eg_ok();
    }
    if (norm == EG_IMAGE_NORM_LAYER) {
        eg_layer_norm(&layer, model->shape);
    } else {
        EG_TRY(eg_layer_batch_norm(&layer, model->shape, batch_eps, batch_decay));
    }
    return eg_image_add(model, name, &layer);
}

eg_status eg_image_filters(eg_image_model *model, const char *name, const eg_image_conv *spec)
{
    const size_t width = spec->width > 0 ? spec->width : spec->height;
    const size_t places = spec->height * width;
    const size_t inputs = places * model->shape.channels;
    const eg_conv conv = {
        .filters = spec->filters,
        .kernel_height = spec->height,
        .kernel_width = width,
        .stride = spec->stride > 0 ? spec->stride : 1,
        .padding = spec->padding,
        .bias = model->bias,
        .initial = eg_initializer_weight(model->init, model->gain, inputs, places * spec->filters),
        .bias_initial = eg_initializer_bias(model->init, inputs),
    };
    char norm[NAME_SIZE];
    eg_layer layer;
    EG_TRY(eg_image_fits(model, name, spec->height, width, 2 * spec->padding));
    EG_TRY(eg_layer_conv(&layer, model->shape, &conv));
    EG_TRY(eg_image_add(model, name, &layer));
    join(norm, name, "norm");
    return eg_image_normalise(model, norm, model->norm);
}

eg_status eg_image_activate(eg_image_model *model, const char *name,
                            const eg_activation *activation, const double *p)
{
    /* Units of several parts have the activation applied place by place. */
    const size_t n =
        eg_activation_parts(activation) > 1 ? model->shape.channels : eg_shape_size(model->shape);
    eg_layer layer;
    if (activation->check != NULL) {
        eg_status status = activation->check(p, n);
        status = eg_status_inside(status, model->view->prefix, "activation");
        status = eg_status_about(status, model->view->prefix, model->names);
        EG_TRY(eg_status_wrap(status, "%s = %s", name, activation->component.name));
    }
    EG_TRY(eg_layer_activation(&layer, activation, p, model->shape));
    return eg_image_add(model, name, &layer);
}

static eg_status activate(eg_image_model *model, const char *name)
{
    char whole[NAME_SIZE];
    join(whole, name, "activation");
    return eg_image_activate(model, whole, model->activation, model->p);
}

eg_status eg_image_hidden_filters(eg_image_model *model, const char *name,
                                  const eg_image_conv *spec)
{
    EG_TRY(eg_image_filters(model, name, spec));
    return activate(model, name);
}

/* *number: of the next layer that draws. */
static eg_status next_draw(eg_image_model *model, size_t *number)
{
    *number = model->draws++;
    if (*number < DRAWS_MAX) {
        return eg_ok();
    }
    return eg_fail_setting(model->view->prefix, model->names,
                           "at most %d layers of dropout are possible", (int)DRAWS_MAX);
}

eg_status eg_image_drop(eg_image_model *model, const char *name, double p)
{
    eg_layer layer;
    size_t number = 0;
    if (p == 0) {
        return eg_ok();
    }
    EG_TRY(next_draw(model, &number));
    EG_TRY(eg_layer_dropout(&layer, p, number, model->shape));
    return eg_image_add(model, name, &layer);
}

eg_status eg_image_drop_maps(eg_image_model *model, const char *name, double p)
{
    eg_layer layer;
    size_t number = 0;
    if (p == 0) {
        return eg_ok();
    }
    EG_TRY(next_draw(model, &number));
    EG_TRY(eg_layer_dropout_maps(&layer, p, number, model->shape));
    return eg_image_add(model, name, &layer);
}

eg_status eg_image_respond(eg_image_model *model, const char *name, const eg_response *spec)
{
    eg_layer layer;
    EG_TRY(eg_layer_local_response(&layer, model->shape, spec));
    return eg_image_add(model, name, &layer);
}

eg_status eg_image_pool(eg_image_model *model, const char *name, const eg_pool *spec, bool average)
{
    eg_layer layer;
    EG_TRY(eg_image_fits(model, name, spec->height, spec->width, spec->before + spec->after));
    EG_TRY((average ? eg_layer_average_pool : eg_layer_max_pool)(&layer, model->shape, spec));
    return eg_image_add(model, name, &layer);
}

/* Rows, or columns, that are missing. */
static size_t missing(size_t size, size_t window, size_t stride)
{
    const size_t reach = (size + stride - 1) / stride * stride - stride + window;
    return reach > size ? reach - size : 0;
}

eg_status eg_image_same_pool(const eg_image_model *model, eg_pool *pool)
{
    const size_t height = missing(model->shape.height, pool->height, pool->stride);
    const size_t width = missing(model->shape.width, pool->width, pool->stride);
    if (height != width) {
        return eg_fail_setting("", "model dataset",
                               "%zux%zu places need different padding in height and width",
                               model->shape.height, model->shape.width);
    }
    pool->before = height / 2;
    pool->after = height - height / 2;
    return eg_ok();
}

eg_initial eg_image_head_initial(const eg_image_model *model, size_t inputs, size_t outputs)
{
    return model->init == EG_INITIALIZER_NORMAL
               ? (eg_initial){EG_INITIAL_NORMAL, 1, sqrt((double)inputs)}
               : eg_initializer_weight(model->init, 1, inputs, outputs);
}

eg_status eg_image_conv_head(eg_image_model *model, const char *name, size_t outputs)
{
    const size_t inputs = model->shape.channels;
    const eg_conv conv = {.filters = outputs,
                          .kernel_height = 1,
                          .kernel_width = 1,
                          .stride = 1,
                          .bias = true,
                          .initial = eg_image_head_initial(model, inputs, outputs),
                          .bias_initial = eg_initializer_bias(model->init, inputs)};
    eg_layer layer;
    EG_TRY(eg_layer_conv(&layer, model->shape, &conv));
    EG_TRY(eg_image_add(model, name, &layer));
    if (eg_shape_positions(model->shape) == 1) {
        return eg_ok();
    }
    char pool[NAME_SIZE];
    join(pool, name, "pool");
    eg_layer_global_pool(&layer, model->shape);
    return eg_image_add(model, pool, &layer);
}

eg_status eg_image_linear(eg_image_model *model, const char *name, size_t units, bool hidden)
{
    eg_layer layer;
    if (eg_shape_positions(model->shape) > 1) {
        char flat[NAME_SIZE];
        join(flat, name, "flatten");
        eg_layer_flatten(&layer, model->shape);
        EG_TRY(eg_image_add(model, flat, &layer));
    }
    const size_t inputs = eg_shape_size(model->shape);
    EG_TRY(eg_layer_linear_fastest(&layer, false, model->batch, model->shape, units, EG_NORM_NONE,
                                   hidden ? model->bias : true, model->init));
    layer.blocks[EG_LINEAR_WEIGHT].initial =
        hidden ? eg_initializer_weight(model->init, model->gain, inputs, units)
               : eg_image_head_initial(model, inputs, units);
    return eg_image_add(model, name, &layer);
}

static eg_status hidden_units(eg_image_model *model, const char *name, size_t units)
{
    char part[NAME_SIZE];
    EG_TRY(eg_image_linear(model, name, units, true));
    join(part, name, "norm");
    EG_TRY(eg_image_normalise(model, part, model->norm));
    EG_TRY(activate(model, name));
    join(part, name, "dropout");
    return eg_image_drop(model, part, model->dropout);
}

eg_status eg_image_hidden_units(eg_image_model *model, const eg_value *units)
{
    for (size_t i = 0; i < units->count; i++) {
        char name[EG_NODE_NAME_SIZE];
        (void)snprintf(name, sizeof name, "linear%zu", i + 1);
        EG_TRY(hidden_units(model, name, (size_t)units->items[i]));
    }
    return eg_ok();
}

eg_status eg_image_begin(eg_image_model *out, const eg_view *view, const char *names,
                         eg_shape input, size_t batch)
{
    const eg_activation *activation = (const eg_activation *)eg_view_component(view, "activation");
    eg_view inside = eg_view_inside(view, "activation");
    *out = (eg_image_model){
        .view = view,
        .names = names,
        .input = input,
        .last = EG_INPUT,
        .batch = batch,
        .activation = activation,
        .init = (eg_initializer)eg_view_name(view, "init"),
        .bias = true,
    };
    eg_view_numbers(&inside, &activation->component, out->p);
    out->gain = eg_activation_gain(activation, out->p);
    EG_TRY(eg_graph_create(&out->graph, input));
    eg_layer order;
    eg_layer_image_order(&order, input);
    return eg_image_add(out, "input", &order);
}

eg_status eg_image_graph(eg_graph **out, const eg_view *view, const char *names, eg_shape input,
                         size_t outputs, size_t batch, eg_image_body body)
{
    eg_image_model m;
    eg_status status = eg_image_begin(&m, view, names, input, batch);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, body(&m));
    EG_TRY_DONE(status, eg_image_linear(&m, "head", outputs, false));
    *out = m.graph;
    return status;
done:
    eg_graph_free(m.graph);
    return status;
}
