/** The transformer over tokens: what it is made of, and what it costs, worked out by hand. */
#include "switch_scene.h"

#include <math.h>
#include <string.h>

/* What it is made of ------------------------------------------------------------------------------ */

/* tiny_a with 100 tokens, 64 positions, 4 experts; layer 2 is a mixture. */
static void parameters_by_hand(void **state)
{
    (void)state;
    eg_net *net = build((const char *const[]){NULL}, 64, 100);
    const size_t d = 64;
    const size_t attention = 3 * d * d + 3 * d + d * d + d + 2 * d;
    const size_t dense = 2 * 4 * d * d + 4 * d + d;
    const size_t all =
        100 * d + 64 * d + 2 * (attention + 2 * d) + dense + (4 * dense + 4 * d) + 2 * d;
    assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_COUNT), all);
    assert_true(eg_shape_equal(net->out, (eg_shape){64, 1, 100}));
    assert_null(eg_parameter_table_find(&net->table, "scores.weight"));
    assert_non_null(eg_parameter_table_find(&net->table, "block2.switch.router"));
    assert_null(eg_parameter_table_find(&net->table, "block1.switch.router"));
    eg_net_free(net);
}

/* Multiply-adds per token: L (4 d^2 + 2 T d) + L 8 d^2 + (mixtures) d E + V d; 5 for each number that is
 * normalised. Twice as many back. */
static void costs_by_hand(void **state)
{
    (void)state;
    eg_net *net = build((const char *const[]){"model.experts", "8", NULL}, 64, 100);
    const double d = 64;
    const double token = 2 * (4 * d * d + 2 * 64 * d) + 2 * 8 * d * d + d * 8 + 100 * d + 5 * 5 * d;
    const eg_net_work work = eg_net_macs(net);
    assert_close(work.forward, 64 * token, 1e-6);
    assert_close(work.backward, 2 * 64 * token, 1e-6);
    eg_net_free(net);
}

static void presets_have_their_sizes(void **state)
{
    (void)state;
    const struct {
        const char *name;
        size_t width, layers;
    } presets[] = {
        {"tiny_a", 64, 2}, {"tiny_a_large", 128, 2}, {"tiny_b", 64, 4}, {"tiny_b_large", 128, 4}};
    for (size_t p = 0; p < EG_COUNT(presets); p++) {
        eg_net *net = build((const char *const[]){"model.preset", presets[p].name, NULL}, 4, 10);
        size_t attentions = 0;
        size_t mixtures = 0;
        for (size_t i = 0; i < net->node_count; i++) {
            attentions += strstr(net->nodes[i].name, ".attention") != NULL;
            mixtures += strstr(net->nodes[i].name, ".switch") != NULL;
        }
        assert_int_equal(attentions, presets[p].layers);
        assert_int_equal(mixtures, presets[p].layers / 2);
        assert_int_equal(net->nodes[0].layer.out.channels, presets[p].width);
        eg_net_free(net);
    }
}

/* Shared parameters and those of an expert of base and large, as the paper says: 40 and 6 million, 96 and
 * 28 million. Counted from the graph: such networks are not built in a test. */
static void sizes_of_the_paper(void **state)
{
    (void)state;
    const char *const names[] = {"base", "large"};
    const double shared[] = {40e6, 96e6};
    const double expert[] = {6.3e6, 28.3e6};
    for (size_t p = 0; p < EG_COUNT(names); p++) {
        eg_settings *settings =
            settings_from(&schema, (const char *const[]){"model.preset", names[p], NULL});
        const eg_view view = eg_settings_root(settings);
        const eg_view inside = eg_view_inside(&view, "model");
        const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&view, "model");
        eg_graph *graph = NULL;
        double experts = 0;
        double others = 0;
        size_t count = 0;
        assert_ok(eg_model_graph(&graph, kind, &inside, (eg_shape){512, 1, 1}, 50000, 1));
        const eg_node *nodes = eg_graph_nodes(graph, &count);
        for (size_t i = 0; i < count; i++) {
            const double own = (double)eg_layer_param_count(&nodes[i].layer);
            const bool mixture = strstr(nodes[i].name, ".switch") != NULL;
            const bool tied = strcmp(nodes[i].name, "scores") == 0;
            experts += mixture ? own / 4 : 0;
            others += mixture || tied ? 0 : own;
        }
        assert_close(experts, expert[p], 0.01 * expert[p]);
        assert_close(others, shared[p], 0.05 * shared[p]);
        eg_graph_free(graph);
        eg_settings_free(settings);
    }
}

static double deviation_of(const eg_net *net, const char *name)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, name);
    double squares = 0;
    assert_non_null(block);
    for (size_t i = 0; i < block->count; i++) { /* padding is 0 */
        squares += net->params[block->offset + i] * net->params[block->offset + i];
    }
    return sqrt(squares / (double)(block->units * block->fan_in));
}

/* N(0, 0.02^2), less where a residual branch ends: 0.02/sqrt(2 L). 4 deviations of an estimate. */
static void weights_start_small(void **state)
{
    (void)state;
    const char *const usual[] = {
        "embedding.weight", "positions.weight",     "block1.qkv.weight",      "block2.qkv.weight",
        "block1.up.weight", "block2.switch.router", "block2.switch.up.weight"};
    const char *const ending[] = {"block1.project.weight", "block2.project.weight",
                                  "block1.down.weight", "block2.switch.down.weight"};
    const char *const none[] = {"block1.qkv.bias", "block2.switch.up.bias",
                                "block2.switch.down.bias"};
    eg_net *net = build((const char *const[]){NULL}, 64, 100);
    for (size_t b = 0; b < EG_COUNT(usual); b++) {
        const eg_parameter_block *block = eg_parameter_table_find(&net->table, usual[b]);
        const double n = (double)(block->units * block->fan_in);
        assert_close(deviation_of(net, usual[b]), 0.02, 4 * 0.02 / sqrt(2 * n));
    }
    for (size_t b = 0; b < EG_COUNT(ending); b++) {
        assert_close(deviation_of(net, ending[b]), 0.01, 4 * 0.01 / sqrt(2 * 4096.0));
    }
    for (size_t b = 0; b < EG_COUNT(none); b++) {
        assert_true(deviation_of(net, none[b]) == 0);
    }
    eg_net_free(net);
}

/* What settings say of operations is what the graph has. */
static void operations_are_those_of_the_graph(void **state)
{
    (void)state;
    const char *const cases[][5] = {{NULL},
                                    {"model.dropout", "0.1", "model.preset", "tiny_b", NULL},
                                    {"model.experts", "1", NULL},
                                    {"model.mixtures", "[1, 2]", "model.hidden", "32", NULL}};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_settings *settings = settings_from(&schema, cases[c]);
        const eg_view view = eg_settings_root(settings);
        const eg_view inside = eg_view_inside(&view, "model");
        const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&view, "model");
        double flops = 0;
        eg_net *net = build(cases[c], 12, 30);
        assert_ok(eg_model_flops(&flops, kind, &inside, (eg_shape){12, 1, 1}, 30));
        assert_close(flops, eg_net_flops(net), 1e-6 * flops);
        eg_net_free(net);
        eg_settings_free(settings);
    }
}

static void refuse(const char *const *words, eg_shape input, const char *part)
{
    eg_settings *settings = settings_from(&schema, words);
    const eg_view view = eg_settings_root(settings);
    eg_net *net = NULL;
    assert_fails(eg_model_build(&net, &view, input, 10, 1, SEED), EG_INVALID, part);
    assert_null(net);
    eg_settings_free(settings);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const eg_shape text = {4, 1, 1};
    refuse((const char *const[]){NULL}, (eg_shape){28, 28, 1}, "28 x 28 x 1");
    refuse((const char *const[]){"model.heads", "5", NULL}, text, "5 heads");
    refuse((const char *const[]){"model.mixtures", "[2, 3]", NULL}, text, "there are 2 layers");
    refuse((const char *const[]){"model.width", "40", NULL}, text, "model.experts = 4");
    refuse((const char *const[]){"model.activation", "lwta", NULL}, text, "lwta");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_by_hand),
        cmocka_unit_test(costs_by_hand),
        cmocka_unit_test(presets_have_their_sizes),
        cmocka_unit_test(sizes_of_the_paper),
        cmocka_unit_test(weights_start_small),
        cmocka_unit_test(operations_are_those_of_the_graph),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
