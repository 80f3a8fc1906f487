/** Small networks over images: convolutions and every layer that stands between them. */
#ifndef ENGRAM_TESTS_IMAGE_NETS_H
#define ENGRAM_TESTS_IMAGE_NETS_H

#include "testing.h"

#include "engram/activation.h"
#include "engram/net.h"
#include "nn/layers.h"

enum {
    IMAGE_HEIGHT = 4,
    IMAGE_WIDTH = 4,
    IMAGE_CHANNELS = 3,
    IMAGE_NUMBERS = IMAGE_HEIGHT * IMAGE_WIDTH * IMAGE_CHANNELS,
    IMAGE_CLASSES = 3
};

typedef struct image_net {
    eg_graph *graph;
    eg_shape shape; /* of the last node */
    size_t last;
    const char *activation;
} image_net;

static inline image_net image_net_begin(const char *activation)
{
    image_net n = {.shape = {IMAGE_HEIGHT, IMAGE_WIDTH, IMAGE_CHANNELS}, .activation = activation};
    eg_layer layer;
    assert_ok(eg_graph_create(&n.graph, n.shape));
    eg_layer_image_order(&layer, n.shape);
    assert_ok(eg_graph_chain(n.graph, "order", &layer, &n.last));
    return n;
}

/* Reads the last node. */
static inline size_t image_net_add(image_net *n, const char *name, eg_layer layer)
{
    n->shape = layer.out;
    assert_ok(eg_graph_add(n->graph, name, &layer, 1, &n->last, &n->last));
    return n->last;
}

/* With a kernel of 3 x 3 and padding 1, or of one place. */
static inline size_t image_net_conv(image_net *n, const char *name, size_t filters, size_t kernel,
                                    size_t stride)
{
    const size_t fan_in = kernel * kernel * n->shape.channels;
    const eg_conv spec = {.filters = filters,
                          .kernel_height = kernel,
                          .kernel_width = kernel,
                          .stride = stride,
                          .padding = kernel / 2,
                          .bias = true,
                          .initial =
                              eg_initializer_weight(EG_INITIALIZER_UNIFORM, 1, fan_in, filters),
                          .bias_initial = eg_initializer_bias(EG_INITIALIZER_UNIFORM, fan_in)};
    eg_layer layer;
    assert_ok(eg_layer_conv(&layer, n->shape, &spec));
    return image_net_add(n, name, layer);
}

static inline size_t image_net_norm(image_net *n, const char *name)
{
    eg_layer layer;
    assert_ok(eg_layer_batch_norm(&layer, n->shape, 1e-5, 0.9));
    return image_net_add(n, name, layer);
}

static inline size_t image_net_act(image_net *n, const char *name)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_activation *kind =
        (const eg_activation *)eg_family_find(&eg_activation_family, n->activation);
    eg_layer layer;
    assert_ok(eg_layer_activation(&layer, kind, none, n->shape));
    return image_net_add(n, name, layer);
}

static inline size_t image_net_pool(image_net *n, const char *name, bool average)
{
    const eg_pool spec = {.height = 2, .width = 2, .stride = 2};
    eg_layer layer;
    assert_ok((average ? eg_layer_average_pool : eg_layer_max_pool)(&layer, n->shape, &spec));
    return image_net_add(n, name, layer);
}

static inline eg_net *image_net_end(image_net *n)
{
    eg_layer layer;
    eg_net *net = NULL;
    assert_ok(eg_layer_linear(&layer, n->shape, IMAGE_CLASSES, EG_NORM_NONE, true,
                              EG_INITIALIZER_UNIFORM));
    (void)image_net_add(n, "head", layer);
    assert_ok(eg_net_build(&net, n->graph, 1));
    return net;
}

/** A basic block: conv – norm – act – conv – norm – sum with its input, or with conv – norm of it – act. Names
 * begin with `name`, one letter. */
static inline void image_net_block(image_net *n, char name, size_t filters, size_t stride)
{
    char text[8] = {name};
    eg_layer layer;
    size_t input = n->last;
    eg_shape before = n->shape;
    text[1] = '1';
    (void)image_net_conv(n, text, filters, 3, stride);
    text[1] = 'n';
    (void)image_net_norm(n, text);
    text[1] = 'a';
    (void)image_net_act(n, text);
    text[1] = '2';
    (void)image_net_conv(n, text, filters, 3, 1);
    text[1] = 'm';
    size_t main = image_net_norm(n, text);
    size_t skip = input;
    if (stride > 1 || filters != before.channels) {
        n->last = input;
        n->shape = before;
        text[1] = 'd';
        (void)image_net_conv(n, text, filters, 1, stride);
        text[1] = 'e';
        skip = image_net_norm(n, text);
    }
    assert_ok(eg_layer_sum(&layer, 2, 1, n->shape));
    text[1] = 's';
    assert_ok(eg_graph_add(n->graph, text, &layer, 2, (size_t[]){main, skip}, &n->last));
    text[1] = 'o';
    (void)image_net_act(n, text);
}

/** stem – norm – act – block a – block b with half the places – global pool – head. */
static inline eg_net *image_net_residual(const char *activation)
{
    image_net n = image_net_begin(activation);
    eg_layer layer;
    (void)image_net_conv(&n, "stem", 4, 3, 1);
    (void)image_net_norm(&n, "norm");
    (void)image_net_act(&n, "act");
    image_net_block(&n, 'a', 4, 1);
    image_net_block(&n, 'b', 6, 2);
    eg_layer_global_pool(&layer, n.shape);
    (void)image_net_add(&n, "pool", layer);
    return image_net_end(&n);
}

/** a – act – max pool – b – act – flatten – head: 6 channels of 4 places. */
static inline eg_net *image_net_flat(const char *activation, bool average)
{
    image_net n = image_net_begin(activation);
    eg_layer layer;
    (void)image_net_conv(&n, "a", 5, 3, 1);
    (void)image_net_act(&n, "act1");
    (void)image_net_pool(&n, "pool", average);
    (void)image_net_conv(&n, "b", 6, 1, 1);
    (void)image_net_act(&n, "act2");
    eg_layer_flatten(&layer, n.shape);
    (void)image_net_add(&n, "flat", layer);
    return image_net_end(&n);
}

#endif
