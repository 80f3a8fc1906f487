/** The transformer over tokens, in double: what it is made of, what it costs by hand, that no position sees
 *  a later one, and its gradients, those of the block that embedding and scores share among them. */
#include "testing.h"
#include "words.h"

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/random.h"
#include "nn/workspace.h"

#include <math.h>
#include <string.h>

static const eg_param root[] = {
    {.name = "model",
     .type = EG_TYPE_COMPONENT,
     .default_text = "switch_transformer",
     .family = "model"},
};
static const eg_family *const families[] = {&eg_activation_family, &eg_model_family};
static const eg_schema schema = {.root = root,
                                 .root_count = EG_COUNT(root),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};

enum { SEED = 5 };

/* With T positions and V tokens. */
static eg_net *build(const char *const *words, size_t positions, size_t tokens)
{
    eg_settings *settings = settings_from(&schema, words);
    eg_view view = eg_settings_root(settings);
    eg_net *net = NULL;
    assert_ok(eg_model_build(&net, &view, (eg_shape){positions, 1, 1}, tokens, 32, SEED));
    eg_settings_free(settings);
    return net;
}

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

/* What it computes ------------------------------------------------------------------------------- */

enum { T = 6, V = 11, B = 3, BATCH_TOKENS = B * T };

/* A small one, whose weights are large enough for everything to be felt. */
static const char *const small[] = {"model.width",
                                    "8",
                                    "model.layers",
                                    "2",
                                    "model.heads",
                                    "2",
                                    "model.experts",
                                    "3",
                                    "model.mixtures",
                                    "[2]",
                                    "model.hidden",
                                    "16",
                                    "model.balance",
                                    "0",
                                    NULL};

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_real x[BATCH_TOKENS], dy[BATCH_TOKENS * V];
} scene;

static void scene_init(scene *s, const char *const *words)
{
    eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_TEST, 1);
    s->net = build(words, T, V);
    assert_ok(eg_workspace_create(&s->workspace, s->net, B, true));
    for (size_t b = 0; b < s->net->table.block_count; b++) {
        const eg_parameter_block *block = &s->net->table.blocks[b];
        for (size_t i = 0; i < block->count; i++) {
            const bool padding = eg_parameter_unit(block, i) >= block->units;
            eg_real *w = &s->net->params[block->offset + i];
            *w = padding ? 0
                         : *w * 15 + (eg_real)(block->role == EG_ROLE_WEIGHT ? 0 : 0.2) *
                                         (eg_real)eg_rng_normal(&rng);
            *w = block->role == EG_ROLE_SCALE ? *w / 15 : *w;
        }
    }
    eg_net_touch(s->net);
    for (size_t n = 0; n < BATCH_TOKENS; n++) {
        s->x[n] = (eg_real)eg_rng_below(&rng, V);
    }
    for (size_t n = 0; n < (size_t)BATCH_TOKENS * V; n++) {
        s->dy[n] = (eg_real)eg_rng_normal(&rng);
    }
}

static void scene_clear(scene *s)
{
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

/* Whatever comes at a position, the scores of those before it stay to the bit: in evaluation, and in
 * training, where a token that takes a place at an expert takes it from later ones alone. */
static void no_position_sees_a_later_one(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_PREDICT, EG_MODE_PROBE_BATCH};
    const size_t batches[] = {B, 1};
    eg_real before[BATCH_TOKENS * V];
    scene s;
    scene_init(&s, small);
    for (size_t m = 0; m < EG_COUNT(modes); m++) {
        const size_t batch = batches[m];
        for (size_t t = 0; t < T; t++) {
            const eg_real *y = eg_net_forward(s.net, s.workspace, modes[m], batch, s.x, NULL);
            memcpy(before, y, batch * T * V * sizeof *y);
            for (size_t b = 0; b < batch; b++) {
                for (size_t later = t; later < T; later++) {
                    s.x[b * T + later] = (eg_real)(((int)s.x[b * T + later] + 3) % V);
                }
            }
            y = eg_net_forward(s.net, s.workspace, modes[m], batch, s.x, NULL);
            for (size_t b = 0; b < batch; b++) {
                assert_memory_equal(y + b * T * V, before + b * T * V, t * V * sizeof *y);
                assert_memory_not_equal(y + (b * T + t) * V, before + (b * T + t) * V,
                                        V * sizeof *y);
            }
        }
    }
    scene_clear(&s);
}

static double loss_of(scene *s)
{
    double loss = 0;
    eg_net_touch(s->net);
    const eg_real *y = eg_net_forward(s->net, s->workspace, EG_MODE_PROBE, B, s->x, NULL);
    for (size_t n = 0; n < (size_t)BATCH_TOKENS * V; n++) {
        loss += s->dy[n] * y[n];
    }
    return loss;
}

static double difference(scene *s, size_t i, double h)
{
    eg_real *at = &s->net->params[i];
    const eg_real kept = *at;
    *at = kept + h;
    const double above = loss_of(s);
    *at = kept - h;
    const double below = loss_of(s);
    *at = kept;
    return (above - below) / (2 * h);
}

/* A kink of relu, or a tie of the router, in reach shows as slopes that depend on the step: there, none is
 * compared. */
static void gradients_are_differences(void **state)
{
    (void)state;
    scene s;
    size_t compared = 0;
    size_t count = 0;
    scene_init(&s, small);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        for (size_t i = 0; i < block->count; i++) {
            const double g = s.net->grads[block->offset + i];
            const double wide = difference(&s, block->offset + i, 2e-5);
            const double narrow = difference(&s, block->offset + i, 1e-5);
            count++;
            if (eg_parameter_unit(block, i) >= block->units) {
                assert_true(g == 0);
            } else if (fabs(wide - narrow) < 1e-6 * (1 + fabs(narrow))) {
                assert_close(g, narrow, 1e-6 * (1 + fabs(narrow)));
                compared++;
            }
        }
    }
    assert_true(compared > count * 9 / 10);
    scene_clear(&s);
}

/* Where every token is the first one, the rows of the others learn from the scores alone, and its own from
 * being read, too. Without either part its slope would not be met. */
static void the_shared_block_learns_from_both(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, small);
    const eg_parameter_block *block = eg_parameter_table_find(&s.net->table, "embedding.weight");
    const eg_node *embedding = &s.net->nodes[0];
    const eg_node *scores = &s.net->nodes[s.net->node_count - 1];
    assert_int_equal(scores->offset[0], block->offset);
    memset(s.x, 0, sizeof s.x);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t v = 0; v < V; v++) {
        eg_unit_run run;
        assert_true(
            embedding->layer.ops->unit_run(&embedding->layer, EG_UNIT_INCOMING, v, 0, &run));
        const size_t i = block->offset + run.first;
        double alone = 0; /* of the scores: sum of dy h */
        const eg_real *h = s.workspace->context[s.net->node_count - 1].x[0];
        for (size_t n = 0; n < BATCH_TOKENS; n++) {
            alone += s.dy[n * V + v] * h[n * 8];
        }
        const double slope = difference(&s, i, 1e-5);
        assert_close(s.net->grads[i], slope, 1e-5);
        if (v == 0) {
            assert_true(fabs(alone - slope) > 1e-2);
        } else {
            assert_close(alone, slope, 1e-5);
        }
        (void)loss_of(&s);
    }
    scene_clear(&s);
}

/* Every parameter's gradient comes once, and the same, to a consumer. */
typedef struct receipt {
    size_t *times;
    eg_real *g;
} receipt;

static void take(void *user, size_t first, size_t count, eg_real *g)
{
    const receipt *r = user;
    for (size_t i = 0; i < count; i++) {
        r->times[first + i]++;
        r->g[first + i] = g[i];
    }
}

static void consumers_get_everything_once(void **state)
{
    (void)state;
    scene s;
    receipt r = {NULL, NULL};
    scene_init(&s, small);
    assert_ok(eg_alloc(&r.times, s.net->param_count, sizeof *r.times));
    assert_ok(eg_alloc(&r.g, s.net->param_count, sizeof *r.g));
    const eg_gradient_consumer consumer = {.consume = take, .user = &r, .updates = true};
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, &consumer);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        for (size_t i = block->offset; i < block->offset + block->count; i++) {
            assert_int_equal(r.times[i], 1);
            assert_true(r.g[i] == s.net->grads[i]);
        }
    }
    eg_free(r.times);
    eg_free(r.g);
    scene_clear(&s);
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
        cmocka_unit_test(no_position_sees_a_later_one),
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(the_shared_block_learns_from_both),
        cmocka_unit_test(consumers_get_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
