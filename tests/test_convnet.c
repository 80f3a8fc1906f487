/** Model convnet: what entries of the list of layers make, and what is refused. */
#include "support/image_settings.h"

#include <math.h>
#include <string.h>

static void refused_layer(const char *layers, const char *part)
{
    const char *const words[] = {"model", "convnet", "model.layers", layers, NULL};
    image_refused(words, (eg_shape){8, 8, 3}, part);
}

static void entries_that_make_no_layer(void **state)
{
    (void)state;
    refused_layer("[conv 8, rellu]",
                  "model.layers: entry 2 (rellu): there is no layer rellu; did you mean relu?");
    refused_layer("[max_pol 2]", "entry 1 (max_pol 2): there is no layer max_pol; did you mean "
                                 "max_pool?");
    refused_layer("[xylophone]", "known are conv, linear");
    refused_layer("[conv]", "FILTERS must be an integer from 1 to 1000000; expected conv FILTERS "
                            "[SIZE] [stride N] [pad N or same] [no_bias]");
    refused_layer("[conv 0]", "FILTERS must be an integer from 1 to 1000000, not 0");
    refused_layer("[conv 8 3x]", "the size must be like 5x5 or 5");
    refused_layer("[conv 8 0x3]", "the size must be like 5x5 or 5");
    refused_layer("[conv 8 3x3 strid 2]", "strid does not belong here; did you mean stride?");
    refused_layer("[conv 8 3x3 stride 0]", "stride must be an integer from 1");
    refused_layer("[conv 8 3x3 pad]", "pad must be an integer from 0");
    refused_layer("[conv 8 2x2 pad same]", "pad same needs a square kernel of an odd size");
    refused_layer("[linear 8 pad 2]", "pad does not belong here; expected linear UNITS [no_bias]");
    refused_layer("[dropout 1]", "the share must be at least 0 and below 1");
    refused_layer("[max_pool 2x3]", "windows that are not square need a stride");
    refused_layer("[conv 8 1 1 1 1 1 1 1 1 1 1 1]", "it is too long for a layer");
    refused_layer("[relu 3]", "3 does not belong here");
    refused_layer("[conv 8 5, conv 8 5]",
                  "entry 2 (conv 8 5): model = convnet: conv2 has windows of 5x5, but images of "
                  "8x8 are only 4x4 there");
    refused_layer("[topk_mask, linear 8, topk_mask]", "k = 64 is more than the layer's 8 units");
}

/* Of these the last layer sees what the words say. */
static void shapes_of_entries(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        eg_shape shape;
    } table[] = {
        {"[conv 5]", {6, 7, 5}},
        {"[conv 5 3 pad same]", {8, 9, 5}},
        {"[conv 5 5x2 stride 2 pad 1]", {3, 5, 5}},
        {"[max_pool]", {4, 4, 3}},
        {"[max_pool 3 stride 2]", {3, 4, 3}},
        {"[average_pool 3x2 stride 1 pad 1]", {8, 10, 3}},
        {"[conv 5 1 pad same, max_pool 2 stride 1 pad same]", {8, 9, 5}},
        {"[global_pool]", {1, 1, 3}},
        {"[flatten]", {1, 1, 216}},
        {"[crelu]", {8, 9, 6}},
        {"[linear 7]", {1, 1, 7}},
    };
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        const char *const words[] = {"model", "convnet", "model.layers", table[i].layers, NULL};
        eg_net *net = image_net(words, (eg_shape){8, 9, 3}, 3, 4);
        const eg_node *head = &net->nodes[net->node_count - 1];
        const eg_node *before = &net->nodes[head->reads[0]];
        const bool flattened = strcmp(before->name, "head.flatten") == 0;
        const eg_shape shape = flattened ? before->layer.in : head->layer.in;
        assert_true(eg_shape_equal(shape, table[i].shape));
        eg_net_free(net);
    }
}

/* The gain of weights is that of the next activation, if there is one before other weights. */
static void gains_of_entries(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model",
        "convnet",
        "model.layers",
        "[conv 4 3 pad same, batch_norm, tanh, conv 4 1, linear 9, max_pool 1, relu]",
        "model.init",
        "kaiming",
        NULL};
    eg_net *net = image_net(words, (eg_shape){4, 4, 3}, 3, 4);
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, "conv1.weight");
    assert_close(eg_initial_spread(&block->initial), 5.0 / 3 * sqrt(3.0 / 27), 1e-12);
    block = eg_parameter_table_find(&net->table, "conv2.weight");
    assert_close(eg_initial_spread(&block->initial), sqrt(3.0 / 4), 1e-12);
    block = eg_parameter_table_find(&net->table, "linear1.weight");
    assert_close(eg_initial_spread(&block->initial), sqrt(2.0) * sqrt(3.0 / 64), 1e-12);
    eg_net_free(net);
}

/* Dropout draws anew for every layer of it. */
static void layers_of_dropout_differ(void **state)
{
    (void)state;
    static const char *const words[] = {"model", "convnet", "model.layers",
                                        "[dropout 0.5, dropout 0.5]", NULL};
    eg_net *net = image_net(words, (eg_shape){8, 8, 3}, 3, 2);
    eg_workspace *workspace = NULL;
    eg_real x[192];
    size_t kept = 0;
    for (size_t i = 0; i < EG_COUNT(x); i++) {
        x[i] = 1;
    }
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
    /* The outputs of the second, before the head: a quarter is left, not a half. */
    const eg_node *head = &net->nodes[net->node_count - 1];
    assert_string_equal(net->nodes[head->reads[0]].name, "head.flatten");
    eg_real *grads = net->grads;
    const eg_real dy[3] = {1};
    eg_net_backward(net, workspace, dy, NULL);
    for (size_t i = 0; i < 192; i++) {
        kept += grads[head->offset[0] + i] != 0 ? 1 : 0;
    }
    assert_in_range(kept, 30, 66);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_that_make_no_layer),
        cmocka_unit_test(shapes_of_entries),
        cmocka_unit_test(gains_of_entries),
        cmocka_unit_test(layers_of_dropout_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
