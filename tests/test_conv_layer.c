/** The convolution as a layer, in double: its numbers against the definition, its gradients against
 *  differences, its units and its parameters. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

static const eg_initial uniform = {.kind = EG_INITIAL_UNIFORM, .scale = 1, .divisor = 2};

static void fill(size_t n, uint64_t index, eg_real *x)
{
    eg_rng rng = eg_rng_make(7, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        x[i] = eg_rng_normal(&rng);
    }
}

/** A network of one convolution. */
static eg_net *one_layer(eg_shape in, const eg_conv *spec)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    assert_ok(eg_layer_conv(&layers[0], in, spec));
    assert_ok(eg_net_create(&net, layers, 1, 3));
    return net;
}

/*  1 2 3
 *  4 5 6  under   1   10
 *  7 8 9        100 1000 */
static void an_image_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const eg_real w[] = {1, 10, 100, 1000};
    const eg_real bias = 0.5;
    const eg_real inside[] = {5421.5, 6532.5, 8754.5, 9865.5};
    const eg_real around[] = {1000.5, 3200.5, 7040.5, 9865.5}; /* stride 2, padding 1 */
    for (int padded = 0; padded < 2; padded++) {
        const eg_conv spec = {.filters = 1,
                              .kernel_height = 2,
                              .kernel_width = 2,
                              .stride = padded ? 2 : 1,
                              .padding = padded ? 1 : 0,
                              .bias = true};
        eg_workspace *workspace = NULL;
        eg_net *net = one_layer((eg_shape){3, 3, 1}, &spec);
        eg_net_block_set(net, EG_CONV_WEIGHT, w, net->params);
        eg_net_block_set(net, EG_CONV_BIAS, &bias, net->params);
        assert_ok(eg_workspace_create(&workspace, net, 1, false));
        const eg_real *y = eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL);
        assert_int_equal(net->outputs, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_close(y[i], padded ? around[i] : inside[i], 1e-15);
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/** Output (i, j) of image b as it is defined, from the weights of a filter [kernel, channels]. */
static double defined(eg_shape in, const eg_conv *spec, const eg_real *x, const eg_real *w,
                      size_t b, size_t i, size_t j)
{
    double sum = 0;
    for (size_t u = 0; u < spec->kernel_height; u++) {
        for (size_t v = 0; v < spec->kernel_width; v++) {
            for (size_t c = 0; c < in.channels; c++) {
                size_t row = i * spec->stride + u;
                size_t column = j * spec->stride + v;
                double weight = *w++;
                if (row < spec->padding || row >= in.height + spec->padding ||
                    column < spec->padding || column >= in.width + spec->padding) {
                    continue;
                }
                size_t pixel = (b * in.height + row - spec->padding) * in.width + column;
                sum += weight * x[(pixel - spec->padding) * in.channels + c];
            }
        }
    }
    return sum;
}

static void check_definition(eg_shape in, const eg_conv *spec)
{
    enum { B = 2 };
    eg_net *net = one_layer(in, spec);
    eg_workspace *workspace = NULL;
    eg_real *x = NULL;
    eg_real *w = NULL;
    const size_t fan_in = net->table.blocks[EG_CONV_WEIGHT].fan_in;
    assert_ok(eg_alloc(&x, B * net->inputs, sizeof *x));
    assert_ok(eg_alloc(&w, spec->filters * fan_in, sizeof *w));
    fill(B * net->inputs, 1, x);
    eg_net_block_get(net, EG_CONV_WEIGHT, net->params, w);
    assert_ok(eg_workspace_create(&workspace, net, B, false));
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_PREDICT, B, x, NULL);
    for (size_t b = 0; b < B; b++) {
        for (size_t i = 0; i < net->out.height; i++) {
            for (size_t j = 0; j < net->out.width; j++) {
                for (size_t f = 0; f < spec->filters; f++) {
                    assert_close(*y++, defined(in, spec, x, w + f * fan_in, b, i, j), 1e-13);
                }
            }
        }
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_free(x);
    eg_free(w);
}

static void outputs_as_they_are_defined(void **state)
{
    (void)state;
    const size_t filters[] = {1, 5, 9, 33};
    for (size_t n = 0; n < 4; n++) {
        eg_conv spec = {.filters = filters[n],
                        .kernel_height = 3,
                        .kernel_width = 2,
                        .stride = 1,
                        .padding = 1,
                        .initial = uniform};
        check_definition((eg_shape){5, 4, 3}, &spec);
        spec.stride = 3;
        check_definition((eg_shape){6, 7, 2}, &spec);
        spec.kernel_width = 3;
        check_definition((eg_shape){1, 1, 4}, &spec);
    }
}

enum { HEIGHT = 5, WIDTH = 6, CHANNELS = 2, OUT = 3, B = 3 };

/** conv – tanh – conv – linear; every stride, and a bias in the first of them. */
static eg_net *deep(size_t stride, size_t padding)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_activation *tanh =
        (const eg_activation *)eg_family_find(&eg_activation_family, "tanh");
    eg_conv spec = {.filters = 9,
                    .kernel_height = 3,
                    .kernel_width = 2,
                    .stride = stride,
                    .padding = padding,
                    .bias = true,
                    .initial = uniform,
                    .bias_initial = uniform};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 4, sizeof *layers));
    assert_ok(eg_layer_conv(&layers[0], (eg_shape){HEIGHT, WIDTH, CHANNELS}, &spec));
    assert_ok(eg_layer_activation(&layers[1], tanh, none, layers[0].out));
    spec.filters = 4;
    spec.kernel_height = 2;
    spec.bias = false;
    assert_ok(eg_layer_conv(&layers[2], layers[1].out, &spec));
    assert_ok(eg_layer_linear(&layers[3], layers[2].out, OUT, EG_NORM_NONE, true,
                              EG_INITIALIZER_UNIFORM));
    assert_ok(eg_net_create(&net, layers, 4, 3));
    return net;
}

static const eg_real *input(void)
{
    static eg_real x[B * HEIGHT * WIDTH * CHANNELS];
    fill(sizeof x / sizeof *x, 2, x);
    return x;
}

static double loss_of(eg_net *net, eg_workspace *workspace, eg_real *dy)
{
    double loss = 0;
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, input(), NULL);
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        loss += y[i] * y[i] / 2;
        dy[i] = y[i];
    }
    return loss;
}

static double moved(eg_net *net, eg_workspace *workspace, size_t i, double by)
{
    eg_real dy[B * OUT];
    const eg_real kept = net->params[i];
    net->params[i] = kept + by;
    eg_net_touch(net);
    double loss = loss_of(net, workspace, dy);
    net->params[i] = kept;
    eg_net_touch(net);
    return loss;
}

/* Lanes without a filter, too: their gradient is 0. */
static void gradients(void **state)
{
    (void)state;
    const double h = 1e-5;
    for (size_t stride = 1; stride <= 2; stride++) {
        for (size_t padding = 0; padding < 3; padding++) {
            eg_workspace *workspace = NULL;
            eg_net *net = deep(stride, padding);
            eg_real dy[B * OUT];
            size_t moving = 0;
            assert_ok(eg_workspace_create(&workspace, net, B, true));
            (void)loss_of(net, workspace, dy);
            eg_net_backward(net, workspace, dy, NULL);
            for (size_t i = 0; i < net->table.count; i++) {
                const double gradient = net->grads[i];
                const double rise = moved(net, workspace, i, h) - moved(net, workspace, i, -h);
                assert_close(gradient, rise / (2 * h), 1e-7);
                moving += gradient != 0.0 ? 1 : 0;
            }
            /* Some taps, and with them some outputs, see nothing but zeros. */
            assert_true(moving > eg_parameter_table_size(&net->table, EG_ROLE_COUNT) / 2);
            eg_workspace_free(workspace);
            eg_net_free(net);
        }
    }
}

/* What makes a filter changes its map alone. */
static void incoming_parameters(void **state)
{
    (void)state;
    const eg_real *x = input();
    eg_workspace *workspace = NULL;
    eg_real before[B * HEIGHT * WIDTH * 9 * 2];
    eg_net *net = deep(1, 1);
    eg_plane_run run;
    assert_int_equal(net->hidden[0].units, 9);
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    (void)eg_net_forward(net, workspace, EG_MODE_PROBE, B, x, NULL);
    const eg_shape shape = net->nodes[0].layer.out;
    const size_t count = B * eg_shape_size(shape);
    assert_true(count <= sizeof before / sizeof *before);
    memcpy(before, eg_workspace_hidden(workspace, net, 0), count * sizeof *before);
    size_t k = 0;
    for (; eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 8, k, &run); k++) {
        assert_int_equal(run.count, k == 0 ? 3 * 2 * CHANNELS : 1);
        for (size_t i = 0; i < run.count; i++) {
            net->params[run.first + i * run.stride] += 1;
        }
    }
    assert_int_equal(k, 2);
    (void)eg_net_forward(net, workspace, EG_MODE_PROBE, B, x, NULL);
    const eg_real *after = eg_workspace_hidden(workspace, net, 0);
    for (size_t i = 0; i < count; i++) {
        assert_true((before[i] != after[i]) == (i % shape.channels == 8));
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* Without what uses a filter, the outputs do not see its map. */
static void outgoing_parameters(void **state)
{
    (void)state;
    eg_workspace *workspace = NULL;
    eg_real before[B * OUT];
    eg_real dy[B * OUT];
    eg_net *net = deep(1, 1);
    eg_plane_run run;
    size_t zeroed = 0;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    for (size_t k = 0; eg_net_unit_run(net, 0, EG_UNIT_OUTGOING, 7, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++, zeroed++) {
            assert_true(net->params[run.first + i * run.stride] != 0.0);
            net->params[run.first + i * run.stride] = 0;
        }
    }
    assert_int_equal(zeroed, 4 * 2 * 2);
    (void)loss_of(net, workspace, before);
    for (size_t k = 0; eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 7, k, &run); k++) {
        net->params[run.first] += 1;
    }
    (void)loss_of(net, workspace, dy);
    assert_memory_equal(before, dy, sizeof dy);
    for (size_t k = 0; eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 6, k, &run); k++) {
        net->params[run.first] += 1;
    }
    (void)loss_of(net, workspace, dy);
    assert_memory_not_equal(before, dy, sizeof dy);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

static void parameters_in_the_table(void **state)
{
    (void)state;
    eg_net *net = deep(1, 0);
    const eg_parameter_block *weight = eg_parameter_table_find(&net->table, "layer1.weight");
    const eg_parameter_block *bias = eg_parameter_table_find(&net->table, "layer1.bias");
    assert_non_null(weight);
    assert_non_null(bias);
    assert_int_equal(weight->units, 9);
    assert_int_equal(weight->fan_in, 3 * 2 * CHANNELS);
    assert_null(eg_parameter_table_find(&net->table, "layer2.bias"));
    for (size_t i = 0; i < weight->count; i++) {
        bool real = eg_parameter_unit(weight, i) < weight->units;
        assert_true((net->params[weight->offset + i] != 0.0) == real);
    }
    assert_close(net->nodes[0].layer.ops->flops(&net->nodes[0].layer), 3 * 5 * 9 * (2 * 12 + 1),
                 0.0);
    eg_net_free(net);
}

static void what_cannot_be_made(void **state)
{
    (void)state;
    eg_layer layer;
    eg_conv spec = {.filters = 2, .kernel_height = 4, .kernel_width = 3, .stride = 1};
    assert_fails(eg_layer_conv(&layer, (eg_shape){3, 3, 1}, &spec), EG_INVALID, "4 x 3");
    spec.stride = 0;
    assert_fails(eg_layer_conv(&layer, (eg_shape){4, 4, 1}, &spec), EG_INVALID, "stride 0");
    spec.stride = 1;
    spec.filters = 0;
    assert_fails(eg_layer_conv(&layer, (eg_shape){4, 4, 1}, &spec), EG_INVALID, "0 filters");
    assert_null(layer.ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_by_hand),    cmocka_unit_test(outputs_as_they_are_defined),
        cmocka_unit_test(gradients),           cmocka_unit_test(incoming_parameters),
        cmocka_unit_test(outgoing_parameters), cmocka_unit_test(parameters_in_the_table),
        cmocka_unit_test(what_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
