/** Models from settings: what is built, what is refused, what it costs. */
#include "testing.h"
#include "words.h"

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/random.h"

#include <string.h>

static const eg_param root[] = {
    {.name = "model", .type = EG_TYPE_COMPONENT, .default_text = "mlp", .family = "model"},
};
static const eg_family *const families[] = {&eg_activation_family, &eg_model_family};
static const eg_schema schema = {.root = root,
                                 .root_count = EG_COUNT(root),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};

static eg_settings *settings_of(const char *const *words)
{
    return settings_from(&schema, words);
}

static eg_net *build(const char *const *words, size_t inputs, size_t outputs)
{
    eg_settings *settings = settings_of(words);
    eg_view view = eg_settings_root(settings);
    eg_net *net = NULL;
    assert_ok(eg_model_build(&net, &view, eg_shape_vector(inputs), outputs, 32, 1));
    eg_settings_free(settings);
    return net;
}

/* Three inputs: uniform weights and biases of both layers lie within 1/sqrt 3 and 1/sqrt 64. */
static void weights_may_start_uniformly(void **state)
{
    (void)state;
    const char *const words[] = {
        "model.init", "uniform",           "model.bias", "true", "model.hidden",
        "64",         "model.weight_norm", "[]",         NULL};
    eg_net *net = build(words, 3, 2);
    const double bound[] = {0.5774, 0, 0.125};
    for (size_t l = 0; l < 3; l += 2) {
        const eg_real *w = net->params + net->nodes[l].param_offset;
        for (size_t i = 0; i < eg_layer_param_count(&net->nodes[l].layer); i++) {
            assert_true(w[i] != 0 && (double)w[i] < bound[l] && (double)w[i] > -bound[l]);
        }
    }
    eg_net_free(net);
}

static double largest_of(const eg_net *net, const char *block)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, block);
    double largest = 0;
    for (size_t i = 0; i < row->count; i++) {
        double w = (double)net->params[row->offset + i];
        largest = w > largest ? w : largest;
    }
    return largest;
}

/* 20-5-1 with tanh and with crelu, of whose 5 units the output layer sees 10 numbers. The largest of n
 * draws stays below the bound and comes near it. */
static void the_gain_is_that_of_the_activation(void **state)
{
    (void)state;
    const char *const activations[] = {"tanh", "crelu"};
    const double hidden[] = {0.645497, 0.547723};
    const double output[] = {0.774597, 0.547723};
    for (size_t i = 0; i < EG_COUNT(activations); i++) {
        const char *const words[] = {"model.init",
                                     "kaiming",
                                     "model.bias",
                                     "true",
                                     "model.hidden",
                                     "5",
                                     "model.activation",
                                     activations[i],
                                     "model.weight_norm",
                                     "[]",
                                     NULL};
        eg_net *net = build(words, 20, 1);
        double first = largest_of(net, "layer1.weight");
        double last = largest_of(net, "layer2.weight");
        assert_int_equal(net->table.blocks[2].fan_in, 5 * net->hidden[0].parts);
        assert_true(first < hidden[i] && first > 0.9 * hidden[i]);
        assert_true(last < output[i] && last > 0.2 * output[i]);
        assert_true(largest_of(net, "layer1.bias") == 0 && largest_of(net, "layer2.bias") == 0);
        assert_close(eg_initial_spread(&net->table.blocks[0].initial), hidden[i], 1e-6);
        assert_close(eg_initial_spread(&net->table.blocks[2].initial), output[i], 1e-6);
        eg_settings *settings = settings_of(words);
        eg_view view = eg_settings_root(settings);
        eg_view inside = eg_view_inside(&view, "model");
        const eg_model_kind *mlp = (const eg_model_kind *)eg_view_component(&view, "model");
        assert_close(mlp->flops(&inside, eg_shape_vector(20), 1), eg_net_flops(net), 1e-12);
        eg_settings_free(settings);
        eg_net_free(net);
    }
}

/* Every option costs what the network says it costs, and has the nodes in their order. */
static void norms_and_dropout_are_layers(void **state)
{
    (void)state;
    static const char *const norms[] = {"none", "layer", "online"};
    for (size_t n = 0; n < EG_COUNT(norms); n++) {
        for (size_t d = 0; d < 2; d++) {
            const char *const words[] = {"model.norm",
                                         norms[n],
                                         "model.dropout",
                                         d ? "0.2" : "0",
                                         "model.hidden",
                                         "[7, 6]",
                                         "model.activation",
                                         "crelu",
                                         "model.weight_norm",
                                         "[]",
                                         NULL};
            eg_net *net = build(words, 5, 3);
            size_t each = n > 0 ? 3 + d : 2 + d;
            assert_int_equal(net->node_count, 2 * each + 1);
            assert_int_equal(net->hidden_count, 2);
            assert_int_equal(net->hidden[1].maker, each);
            assert_int_equal(net->hidden[1].seen, 2 * each - 1);
            assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_SCALE), n > 0 ? 13 : 0);
            assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_WEIGHT),
                             7 * 5 + 6 * 14 + 3 * 12);
            assert_int_equal(net->buffer_count, n == 2 ? 4 * 13 : 0);
            eg_settings *settings = settings_of(words);
            eg_view view = eg_settings_root(settings);
            eg_view inside = eg_view_inside(&view, "model");
            const eg_model_kind *mlp = (const eg_model_kind *)eg_view_component(&view, "model");
            assert_close(mlp->flops(&inside, eg_shape_vector(5), 3), eg_net_flops(net), 1e-12);
            eg_settings_free(settings);
            eg_net_free(net);
        }
    }
}

/* 20-1: weights within sqrt(3/20), bias 0. */
static void a_linear_model_has_no_hidden_layer(void **state)
{
    (void)state;
    const char *const words[] = {"model", "linear", NULL};
    eg_net *net = build(words, 20, 1);
    assert_int_equal(net->node_count, 1);
    assert_int_equal(net->hidden_count, 0);
    assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_COUNT), 21);
    assert_close(eg_initial_spread(&net->table.blocks[0].initial), 0.387298, 1e-6);
    double largest = largest_of(net, "layer1.weight");
    assert_true(largest < 0.387299 && largest > 0.25);
    assert_true(largest_of(net, "layer1.bias") == 0);
    eg_net_free(net);
}

static void the_network_of_the_paper_is_the_default(void **state)
{
    (void)state;
    const char *const defaults[] = {NULL};
    eg_net *net = build(defaults, 784, 10);
    assert_int_equal(net->node_count, 3);
    /* The first layer is in panels: 1000 units fill 16 of them with 64 lanes. */
    assert_int_equal(eg_layer_param_count(&net->nodes[0].layer), 784 * 1024);
    assert_int_equal(net->nodes[0].layer.derived_count, 2 * 1024);
    assert_int_equal(eg_layer_param_count(&net->nodes[2].layer), 10000);
    assert_int_equal(net->nodes[2].layer.derived_count, 0);
    assert_true(net->nodes[1].layer.hidden);
    assert_int_equal(net->nodes[1].layer.cache_per_example, 2);
    eg_net_free(net);
}

static void deep_networks_with_biases(void **state)
{
    (void)state;
    const char *const deep[] = {"model.hidden",
                                "[8, 6]",
                                "model.activation",
                                "relu",
                                "model.weight_norm",
                                "[none, plain, centered]",
                                "model.bias",
                                "true",
                                NULL};
    eg_net *net = build(deep, 4, 3);
    /* 8 units fill one panel. */
    const size_t params[] = {8 * 4 + 8, 0, 6 * 8 + 6, 0, 3 * 6 + 3};
    const size_t derived[] = {2 * 8, 0, 6 * 8 + 6, 0, 3 * 6 + 3};
    assert_int_equal(net->node_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(eg_layer_param_count(&net->nodes[i].layer), params[i]);
        assert_int_equal(net->nodes[i].layer.derived_count, derived[i]);
    }
    eg_net_free(net);
    const char *const linear[] = {"model.hidden", "[]", NULL};
    net = build(linear, 4, 3);
    assert_int_equal(net->node_count, 1);
    assert_int_equal(net->hidden_count, 0);
    eg_net_free(net);
}

/* The estimate from settings is what the network itself says. */
static void flops_from_settings(void **state)
{
    (void)state;
    const char *const deep[] = {"model.hidden", "[8, 6]", "model.bias", "true", NULL};
    eg_settings *settings = settings_of(deep);
    eg_view view = eg_settings_root(settings);
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&view, "model");
    eg_view inside = eg_view_inside(&view, "model");
    /* 8 (2*4 + 1) + 10*8 + 6 (2*8 + 1) + 10*6 + 3 (2*6 + 1) */
    assert_close(kind->flops(&inside, eg_shape_vector(4), 3), 72.0 + 80.0 + 102.0 + 60.0 + 39.0,
                 0.0);
    eg_net *net = NULL;
    assert_ok(eg_model_build(&net, &view, (eg_shape){2, 2, 1}, 3, 32, 1));
    assert_close(kind->flops(&inside, eg_shape_vector(4), 3), eg_net_flops(net), 0.0);
    eg_net_free(net);
    eg_settings_free(settings);
    const char *const sdmlp[] = {"model", "sdmlp", "model.hidden", "8", "model.k", "2", NULL};
    settings = settings_of(sdmlp);
    view = eg_settings_root(settings);
    kind = (const eg_model_kind *)eg_view_component(&view, "model");
    inside = eg_view_inside(&view, "model");
    /* 8 * 2*4 + 10*8 + 3 * 2*8 */
    assert_close(kind->flops(&inside, eg_shape_vector(4), 3), 64.0 + 80.0 + 48.0, 0.0);
    assert_ok(eg_model_build(&net, &view, (eg_shape){2, 2, 1}, 3, 32, 1));
    assert_close(kind->flops(&inside, eg_shape_vector(4), 3), eg_net_flops(net), 0.0);
    eg_net_free(net);
    eg_settings_free(settings);
}

/** check and build must refuse these settings with the same words. */
static void refused(const char *const *words, const char *part)
{
    eg_settings *settings = settings_of(words);
    eg_view view = eg_settings_root(settings);
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&view, "model");
    eg_view inside = eg_view_inside(&view, "model");
    eg_net *net = NULL;
    assert_fails(kind->check(&inside, eg_shape_vector(4), 3), EG_INVALID, part);
    assert_fails(eg_model_build(&net, &view, eg_shape_vector(4), 3, 32, 1), EG_INVALID, part);
    assert_null(net);
    eg_settings_free(settings);
}

/* 784 -> h -> h -> 10: parameters h^2 + 796 h + 10, forward h^2 + 794 h, backward twice that without the
 * gradient of the pixels, 784 h. */
static void multiply_adds_of_published_networks(void **state)
{
    (void)state;
    static const struct {
        const char *hidden;
        size_t parameters;
        double forward, backward;
    } table[] = {{"[4, 4]", 3210, 3192, 3248},
                 {"[8, 8]", 6442, 6416, 6560},
                 {"[16, 16]", 13002, 12960, 13376},
                 {"[32, 32]", 26506, 26432, 27776},
                 {"[64, 64]", 55050, 54912, 59648}};
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        const char *const words[] = {"model.hidden",
                                     table[i].hidden,
                                     "model.bias",
                                     "true",
                                     "model.activation",
                                     "relu",
                                     "model.init",
                                     "uniform",
                                     "model.weight_norm",
                                     "[]",
                                     NULL};
        eg_net *net = build(words, 784, 10);
        eg_net_work work = eg_net_macs(net);
        assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_COUNT), table[i].parameters);
        assert_close(work.forward, table[i].forward, 0);
        assert_close(work.backward, table[i].backward, 0);
        eg_net_free(net);
    }
}

/* 20 -> 7 -> 3 with a norm of 7 units, 5 and 2 per number; one with a constraint on its rows. */
static void multiply_adds_of_other_layers(void **state)
{
    (void)state;
    static const char *const words[][9] = {
        {"model.hidden", "[7]", "model.activation", "relu", "model.norm", "layer", NULL},
        {"model.hidden", "[7]", "model.activation", "relu", "model.norm", "online", NULL},
        {"model", "sdmlp", "model.hidden", "7", "model.k", "2", "model.unit_input", "true", NULL}};
    static const double norm[] = {35, 14, 0};
    for (size_t i = 0; i < EG_COUNT(norm); i++) {
        eg_net *net = build(words[i], 20, 3);
        eg_net_work work = eg_net_macs(net);
        assert_close(work.forward, 20 * 7 + norm[i] + 7 * 3, 0);
        assert_close(work.backward, 2 * work.forward - 20 * 7, 0);
        eg_net_free(net);
    }
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    const char *const k[] = {
        "model.hidden", "[100, 50]", "model.activation", "topk_mask", "model.activation.k",
        "64",           NULL};
    refused(k, "model.activation = topk_mask in hidden layer 2: k = 64 is more than the layer's 50 "
               "units");
    const char *const groups[] = {"model.activation", "lwta", "model.activation.groups", "30",
                                  NULL};
    refused(groups, "model.activation = lwta in hidden layer 1: groups = 30 does not divide");
    const char *const norms[] = {"model.hidden", "[5]", "model.weight_norm", "[none, none, plain]",
                                 NULL};
    refused(norms, "model.weight_norm = [none, none, plain] has 3 entries, but model.hidden = [5] "
                   "makes 2 weight layers");
}

static void survives_every_failing_allocation(const char *const *words, size_t least)
{
    eg_settings *settings = settings_of(words);
    eg_view view = eg_settings_root(settings);
    size_t before = eg_memory_live_blocks();
    size_t failures = 0;
    eg_net *net = NULL;
    while (net == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_model_build(&net, &view, eg_shape_vector(4), 3, 32, 1);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(net);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_true(failures >= least);
    eg_net_free(net);
    assert_int_equal(eg_memory_live_blocks(), before);
    eg_settings_free(settings);
}

static void out_of_memory(void **state)
{
    (void)state;
    const char *const deep[] = {"model.hidden", "[8, 6]", NULL};
    const char *const sdmlp[] = {"model", "sdmlp", "model.hidden", "12", NULL};
    survives_every_failing_allocation(deep, 12); /* the chain, five states, six of the network */
    survives_every_failing_allocation(sdmlp, 14);
}

/** One step of plain descent on random examples. */
static void train(eg_net *net, eg_workspace *workspace, uint64_t index)
{
    enum { BATCH = 6 };
    eg_real x[BATCH * 20];
    eg_real dy[BATCH * 3];
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < (size_t)BATCH * 20; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t i = 0; i < (size_t)BATCH * 3; i++) {
        dy[i] = (eg_real)eg_rng_normal(&rng);
    }
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, BATCH, x, NULL);
    eg_net_backward(net, workspace, dy, NULL);
    for (size_t i = 0; i < net->param_count; i++) {
        net->params[i] -= (eg_real)0.1 * net->grads[i];
    }
    eg_net_touch(net);
    eg_net_updated(net, workspace);
}

/* Whatever an update does, and at the start: no weight below 0, rows of unit length; and a network that
 * was saved in between goes on with the same bits, counts of active units included. */
static void sdmlp_stays_where_it_belongs(void **state)
{
    (void)state;
    const char *const words[] = {"model",      "sdmlp", "model.hidden",       "12", "model.k", "3",
                                 "model.bias", "true",  "model.switch_count", "9",  NULL};
    eg_net *net = build(words, 20, 3);
    eg_net *saved = build(words, 20, 3);
    eg_workspace *workspace = NULL;
    eg_writer writer = {0};
    assert_ok(eg_workspace_create(&workspace, net, 6, true));
    for (uint64_t step = 0; step < 5; step++) {
        for (size_t j = 0; j < 12; j++) {
            double squares = 0;
            for (size_t i = 0; i < 20; i++) {
                squares += (double)net->params[i * 16 + j] * (double)net->params[i * 16 + j];
            }
            assert_close(squares, 1.0, 1e-6);
        }
        for (size_t i = 0; i < net->param_count; i++) {
            assert_true(net->params[i] >= 0);
        }
        train(net, workspace, step);
        if (step == 2) {
            eg_net_write(net, &writer);
        }
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_net_read(saved, &reader));
    train(saved, workspace, 3);
    train(saved, workspace, 4);
    assert_memory_equal(saved->params, net->params, net->param_count * sizeof *net->params);
    eg_writer_clear(&writer);
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_net_free(saved);
}

static void sdmlp_refuses(void **state)
{
    (void)state;
    const char *const many[] = {"model", "sdmlp", "model.hidden", "5", "model.k", "6", NULL};
    const char *const mask[] = {"model", "sdmlp", "model.selection", "mask", NULL};
    const char *const start[] = {"model",        "sdmlp",   "model.inhibition",
                                 "annealed",     "model.k", "20",
                                 "model.hidden", "500",     NULL};
    refused(many, "model.k = 6 is more than the 5 hidden units");
    refused(mask, "model.selection = mask with model.inhibition = gaba");
    refused(start, "model.k_start = 1000; expected 20, the final k, to 500, all units");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gain_is_that_of_the_activation),
        cmocka_unit_test(norms_and_dropout_are_layers),
        cmocka_unit_test(a_linear_model_has_no_hidden_layer),
        cmocka_unit_test(the_network_of_the_paper_is_the_default),
        cmocka_unit_test(weights_may_start_uniformly),
        cmocka_unit_test(deep_networks_with_biases),
        cmocka_unit_test(flops_from_settings),
        cmocka_unit_test(multiply_adds_of_published_networks),
        cmocka_unit_test(multiply_adds_of_other_layers),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(sdmlp_stays_where_it_belongs),
        cmocka_unit_test(sdmlp_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
