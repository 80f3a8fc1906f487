/** Trees of experts and the networks that are made of them, in double. */
#include "support/image_settings.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/mixture.h"
#include "engram/random.h"
#include "engram/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Trees ------------------------------------------------------------------------------------------ */

static void assert_experts(const eg_expert_tree *tree, const uint64_t *wanted, size_t count)
{
    uint64_t place = eg_expert_tree_first(tree);
    assert_int_equal(eg_expert_tree_count(tree), count);
    for (size_t j = 0; j < count; j++) {
        assert_int_equal(place, wanted[j]);
        place = eg_expert_tree_next(tree, place);
    }
    assert_int_equal(place, 0);
}

#define ASSERT_EXPERTS(tree, ...)                                                                  \
    assert_experts(tree, (const uint64_t[]){__VA_ARGS__},                                          \
                   EG_COUNT(((const uint64_t[]){__VA_ARGS__})))

/*        1
 *     2     3
 *         6   7      then 2 becomes 4 and 5 */
static void trees_from_left_to_right(void **state)
{
    (void)state;
    eg_expert_tree tree = {0};
    ASSERT_EXPERTS(&tree, 1);
    assert_fails(eg_expert_tree_split(&tree, 2), EG_INVALID, "none at place 2");
    assert_fails(eg_expert_tree_split(&tree, 0), EG_INVALID, "none at place 0");
    assert_ok(eg_expert_tree_split(&tree, 1));
    ASSERT_EXPERTS(&tree, 2, 3);
    assert_ok(eg_expert_tree_split(&tree, 3));
    ASSERT_EXPERTS(&tree, 2, 6, 7);
    assert_ok(eg_expert_tree_split(&tree, 2));
    ASSERT_EXPERTS(&tree, 4, 5, 6, 7);
    assert_fails(eg_expert_tree_split(&tree, 3), EG_INVALID, "none at place 3");
    assert_true(eg_expert_tree_is_gate(&tree, 3));
    assert_int_equal(eg_expert_tree_depth(1), 0);
    assert_int_equal(eg_expert_tree_depth(6), 2);
    eg_expert_tree_clear(&tree);
    uint64_t place = 1;
    for (size_t d = 0; d < EG_EXPERT_DEPTH_MAX; d++) {
        assert_ok(eg_expert_tree_split(&tree, place));
        place = 2 * place + 1;
    }
    assert_fails(eg_expert_tree_split(&tree, place), EG_INVALID, "60 gates above it");
    eg_expert_tree_clear(&tree);
}

static void trees_are_read_as_they_were_written(void **state)
{
    (void)state;
    eg_expert_tree tree = {0};
    eg_expert_tree again = {0};
    eg_writer writer = {0};
    assert_ok(eg_expert_tree_split(&tree, 1));
    assert_ok(eg_expert_tree_split(&tree, 3));
    eg_expert_tree_write(&tree, &writer);
    for (size_t size = 0; size <= writer.size; size++) {
        eg_reader reader = eg_reader_make(writer.data, size);
        eg_status status = eg_expert_tree_read(&again, &reader);
        assert_true(eg_is_ok(&status) == (size == writer.size));
    }
    ASSERT_EXPERTS(&again, 2, 6, 7);
    writer.data[8] = 5; /* the first gate */
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_expert_tree_read(&again, &reader), EG_INVALID, "none at place 5");
    eg_writer_clear(&writer);
    eg_expert_tree_clear(&tree);
    eg_expert_tree_clear(&again);
}

/* Networks --------------------------------------------------------------------------------------- */

enum { B = 5, SEED = 6 };

typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_mixture_setup setup;
    eg_mixture mixture;
    eg_net *net;
    eg_workspace *workspace;
    eg_real *x, *dy;
} scene;

static void scene_open(scene *s, const char *const *words, eg_shape input, size_t outputs,
                       eg_gating gating)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    *s = (scene){.settings = image_settings(words)};
    s->root = eg_settings_root(s->settings);
    s->setup = (eg_mixture_setup){
        .root = &s->root, .input = input, .outputs = outputs, .batch = B, .seed = SEED};
    assert_ok(eg_mixture_init(&s->mixture, &s->setup, gating));
    assert_ok(eg_alloc(&s->x, B * eg_shape_size(input), sizeof *s->x));
    assert_ok(eg_alloc(&s->dy, B * outputs, sizeof *s->dy));
    for (size_t i = 0; i < B * eg_shape_size(input); i++) {
        s->x[i] = eg_rng_normal(&rng);
    }
}

/** The network of the trees as they are, with the values of the one before it. */
static void scene_build(scene *s)
{
    eg_net *net = NULL;
    assert_ok(eg_mixture_build(&net, &s->mixture, &s->setup));
    if (s->net != NULL) {
        eg_mixture_copy(&s->mixture, net, s->net);
        eg_workspace_free(s->workspace);
        eg_net_free(s->net);
    }
    s->net = net;
    assert_ok(eg_workspace_create(&s->workspace, net, B, true));
}

static void scene_split(scene *s, size_t part, uint64_t place)
{
    assert_ok(eg_expert_tree_split(&s->mixture.part[part].tree, place));
}

static void scene_close(scene *s)
{
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
    eg_mixture_clear(&s->mixture);
    eg_settings_free(s->settings);
    eg_free(s->x);
    eg_free(s->dy);
}

static const eg_real *forward(scene *s, eg_mode mode)
{
    return eg_net_forward(s->net, s->workspace, mode, B, s->x, NULL);
}

static size_t parameters(const eg_net *net)
{
    return eg_parameter_table_size(&net->table, EG_ROLE_COUNT);
}

#define MLP                                                                                        \
    "model", "mlp", "model.hidden", "[5, 4]", "model.weight_norm", "[]", "model.bias", "true",     \
        "model.init", "uniform"
#define VGG "model", "vgg", "model.width", "2", "model.blocks", "[1, 2, 1]"

static const uint32_t labels[B] = {0, 2, 1, 1, 0};

static double loss_of(scene *s)
{
    const eg_loss *loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    const eg_real *y = forward(s, EG_MODE_PROBE_BATCH);
    return loss->evaluate(B, s->net->outputs, y, labels, NULL, s->dy);
}

static double moved(scene *s, size_t i, double by)
{
    const eg_real kept = s->net->params[i];
    s->net->params[i] = kept + by;
    eg_net_touch(s->net);
    double loss = loss_of(s);
    s->net->params[i] = kept;
    eg_net_touch(s->net);
    return loss;
}

static void assert_gradients(scene *s)
{
    size_t slopes = 0;
    size_t all = 0;
    (void)loss_of(s);
    eg_net_backward(s->net, s->workspace, s->dy, NULL);
    for (size_t b = 0; b < s->net->table.block_count; b++) {
        const eg_parameter_block *block = &s->net->table.blocks[b];
        for (size_t k = 0; k < block->count; k++) {
            const double h = 1e-5;
            const size_t i = block->offset + k;
            const eg_real gradient = s->net->grads[i];
            if (eg_parameter_unit(block, k) >= block->units) {
                continue;
            }
            assert_close(gradient, (moved(s, i, h) - moved(s, i, -h)) / (2 * h), 1e-7);
            slopes += gradient != 0 ? 1 : 0;
            all++;
        }
    }
    assert_true(slopes > all / 2);
}

/* Trees of depth 2, whole and one-sided, against differences. */
static void gradients_of_soft_trees(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, WORDS(MLP, "model.activation", "swish"), eg_shape_vector(6), 3, EG_GATING_SOFT);
    for (uint64_t place = 1; place <= 3; place++) {
        scene_split(&s, 0, place);
    }
    scene_split(&s, 1, 1);
    scene_split(&s, 1, 3);
    scene_build(&s);
    assert_gradients(&s);
    scene_close(&s);
    scene_open(&s, WORDS(VGG, "model.activation", "swish"), (eg_shape){12, 12, 2}, 3,
               EG_GATING_SOFT);
    scene_split(&s, 0, 1);
    scene_split(&s, 0, 2);
    scene_split(&s, 1, 1);
    scene_build(&s);
    assert_gradients(&s);
    scene_close(&s);
}

/* y of two linear experts and their gate, written out: one hidden layer that passes numbers on. */
static void a_mixture_by_hand(void **state)
{
    (void)state;
    enum { IN = 2, UNITS = 2 };
    scene s;
    double w[2][UNITS][IN] = {{{1, 2}, {3, -1}}, {{0, 1}, {-2, 1}}};
    double g[2][IN] = {{0.5, 0}, {0, -0.5}};
    scene_open(&s,
               WORDS("model", "mlp", "model.hidden", "[2]", "model.weight_norm", "[]", "model.init",
                     "uniform", "model.activation", "identity"),
               eg_shape_vector(IN), 2, EG_GATING_SOFT);
    scene_split(&s, 0, 1);
    scene_build(&s);
    const char *const names[] = {"gate1.layer1.weight", "gate1.layer1.bias",
                                 "expert2.layer1.weight", "expert3.layer1.weight", "layer2.weight"};
    assert_int_equal(s.net->table.block_count, EG_COUNT(names));
    for (size_t b = 0; b < EG_COUNT(names); b++) {
        assert_string_equal(s.net->table.blocks[b].name, names[b]);
    }
    const eg_real bias[] = {0.25, 0};
    const eg_real head[] = {1, 0, 0, 1};
    eg_net_block_set(s.net, 0, &g[0][0], s.net->params);
    eg_net_block_set(s.net, 1, bias, s.net->params);
    eg_net_block_set(s.net, 2, &w[0][0][0], s.net->params);
    eg_net_block_set(s.net, 3, &w[1][0][0], s.net->params);
    eg_net_block_set(s.net, 4, head, s.net->params);
    eg_net_touch(s.net);
    const eg_real *y = forward(&s, EG_MODE_PROBE);
    eg_real p[B * 2];
    eg_mixture_probabilities(&s.mixture, s.net, s.workspace, 0, p);
    for (size_t b = 0; b < B; b++) {
        const eg_real *x = s.x + b * IN;
        double left = 1 / (1 + exp(-0.5 * x[1] - 0.5 * x[0] - 0.25));
        assert_close(p[2 * b], left, 1e-12);
        assert_close(p[2 * b + 1], 1 - left, 1e-12);
        for (size_t u = 0; u < UNITS; u++) {
            double wanted = left * (w[0][u][0] * x[0] + w[0][u][1] * x[1]) +
                            (1 - left) * (w[1][u][0] * x[0] + w[1][u][1] * x[1]);
            assert_close(y[b * 2 + u], wanted, 1e-12);
        }
    }
    scene_close(&s);
}

/* One expert in every part: names, values and outputs of the model. */
static void check_alone(const char *const *words, eg_shape input)
{
    scene s;
    eg_net *alone = NULL;
    eg_workspace *workspace = NULL;
    scene_open(&s, words, input, 3, EG_GATING_SOFT);
    scene_build(&s);
    assert_ok(eg_model_build(&alone, &s.root, input, 3, B, SEED));
    assert_ok(eg_workspace_create(&workspace, alone, B, true));
    assert_int_equal(s.net->node_count, alone->node_count);
    assert_int_equal(s.net->hidden_count, alone->hidden_count);
    for (size_t i = 0; i < alone->node_count; i++) {
        assert_string_equal(s.net->nodes[i].name, alone->nodes[i].name);
    }
    assert_int_equal(s.net->param_count, alone->param_count);
    assert_memory_equal(s.net->params, alone->params, alone->param_count * sizeof *alone->params);
    const eg_real *y = eg_net_forward(alone, workspace, EG_MODE_TRAIN, B, s.x, NULL);
    assert_memory_equal(forward(&s, EG_MODE_TRAIN), y, (size_t)B * 3 * sizeof *y);
    eg_workspace_free(workspace);
    eg_net_free(alone);
    scene_close(&s);
}

static void one_expert_is_the_model_alone(void **state)
{
    (void)state;
    check_alone(WORDS(MLP, "model.dropout", "0.3", "model.norm", "layer"), eg_shape_vector(6));
    check_alone(WORDS(VGG), (eg_shape){12, 12, 2});
}

/* Probabilities of a part add up to 1; with hard gates one of them is 1. */
static void assert_probabilities(const scene *s)
{
    for (size_t part = 0; part < s->mixture.part_count; part++) {
        size_t experts = eg_expert_tree_count(&s->mixture.part[part].tree);
        eg_real *p = NULL;
        assert_ok(eg_alloc(&p, B * experts, sizeof *p));
        eg_mixture_probabilities(&s->mixture, s->net, s->workspace, part, p);
        for (size_t b = 0; b < B; b++) {
            double sum = 0;
            size_t whole = 0;
            for (size_t j = 0; j < experts; j++) {
                sum += p[b * experts + j];
                whole += p[b * experts + j] == 1 ? 1 : 0;
            }
            assert_close(sum, 1, 1e-12);
            assert_true(s->mixture.gating == EG_GATING_SOFT || whole == 1);
        }
        eg_free(p);
    }
}

/* Splitting changes no output, and adds what it should; both halves are what the whole was, running
 * statistics and the count of steps included. */
static void check_growth(const char *const *words, eg_shape input, eg_gating gating, size_t parts)
{
    enum { OUT = 3, SPLITS = 4 };
    const uint64_t splits[SPLITS] = {1, 2, 5, 3};
    eg_real before[B * OUT];
    scene s;
    scene_open(&s, words, input, OUT, gating);
    scene_build(&s);
    assert_int_equal(s.mixture.part_count, parts);
    for (size_t i = 0; i < SPLITS; i++) {
        for (size_t step = 0; step < 3; step++) {
            (void)forward(&s, EG_MODE_TRAIN); /* running statistics move */
        }
        for (size_t k = 0; k < s.net->param_count; k++) {
            s.net->params[k] *= 1 + 0.01 * (double)(k % 7);
        }
        eg_net_touch(s.net);
        memcpy(before, forward(&s, EG_MODE_PROBE), sizeof before);
        for (size_t part = 0; part < parts; part++) {
            scene_split(&s, part, splits[i]);
        }
        uint64_t step = s.net->step;
        scene_build(&s);
        assert_int_equal(s.net->step, step);
        const eg_real *after = forward(&s, EG_MODE_PROBE);
        for (size_t k = 0; k < (size_t)B * OUT; k++) {
            assert_close(after[k], before[k], 1e-13);
        }
        assert_probabilities(&s);
        (void)forward(&s, EG_MODE_TRAIN);
        assert_probabilities(&s);
    }
    scene_close(&s);
}

static void growth_changes_no_output(void **state)
{
    (void)state;
    for (eg_gating gating = EG_GATING_SOFT; gating <= EG_GATING_HARD; gating++) {
        check_growth(WORDS(MLP, "model.activation", "relu"), eg_shape_vector(6), gating, 2);
        check_growth(WORDS(MLP, "model.norm", "layer"), eg_shape_vector(6), gating, 2);
        check_growth(WORDS(VGG), (eg_shape){12, 12, 2}, gating, 2);
    }
}

/* Initial values depend on the seed and the place, and so differ; a split later is a split now. */
static void experts_start_by_their_places(void **state)
{
    (void)state;
    scene s;
    scene t;
    scene_open(&s, WORDS(MLP), eg_shape_vector(6), 3, EG_GATING_SOFT);
    scene_split(&s, 0, 1);
    scene_build(&s);
    scene_open(&t, WORDS(MLP), eg_shape_vector(6), 3, EG_GATING_SOFT);
    scene_split(&t, 0, 1);
    scene_split(&t, 1, 1);
    scene_split(&t, 0, 2);
    scene_build(&t);
    const char *const same[] = {"gate1.layer1.weight", "expert3.layer1.weight", "layer3.weight"};
    for (size_t i = 0; i < EG_COUNT(same); i++) {
        const eg_parameter_block *a = eg_parameter_table_find(&s.net->table, same[i]);
        const eg_parameter_block *b = eg_parameter_table_find(&t.net->table, same[i]);
        assert_non_null(a);
        assert_non_null(b);
        assert_memory_equal(s.net->params + a->offset, t.net->params + b->offset,
                            a->count * sizeof *s.net->params);
    }
    const char *const others[][2] = {{"expert4.layer1.weight", "expert5.layer1.weight"},
                                     {"expert4.layer1.weight", "expert3.layer1.weight"},
                                     {"gate1.layer1.weight", "gate2.layer1.weight"}};
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        const eg_parameter_block *a = eg_parameter_table_find(&t.net->table, others[i][0]);
        const eg_parameter_block *b = eg_parameter_table_find(&t.net->table, others[i][1]);
        assert_memory_not_equal(t.net->params + a->offset, t.net->params + b->offset,
                                a->count * sizeof *t.net->params);
    }
    scene_close(&s);
    scene_close(&t);
}

/* (784h + h + 1570) + (h^2 + h + 2h + 2) for every growth of MNIST's network, 126c^2 + 170c + 8 of
 * CIFAR-10's. */
static void parameters_of_growths(void **state)
{
    (void)state;
    static const char *const widths[] = {"4", "8"};
    for (size_t i = 0; i < EG_COUNT(widths); i++) {
        const size_t h = i == 0 ? 4 : 8;
        char hidden[16];
        (void)snprintf(hidden, sizeof hidden, "[%zu, %zu]", h, h);
        scene s;
        scene_open(&s,
                   WORDS("model", "mlp", "model.hidden", hidden, "model.weight_norm", "[]",
                         "model.bias", "true"),
                   eg_shape_vector(784), 10, EG_GATING_SOFT);
        scene_build(&s);
        size_t count = parameters(s.net);
        assert_int_equal(count, h * h + 796 * h + 10);
        for (uint64_t place = 1; place < 4; place++) {
            scene_split(&s, 0, place);
            scene_split(&s, 1, place);
            scene_build(&s);
            count += 784 * h + h + 1570 + h * h + h + 2 * h + 2;
            assert_int_equal(parameters(s.net), count);
        }
        scene_close(&s);
        scene_open(&s, WORDS("model", "vgg", "model.width", widths[i]), (eg_shape){32, 32, 3}, 10,
                   EG_GATING_SOFT);
        scene_build(&s);
        count = parameters(s.net);
        assert_int_equal(count, 135 * h * h + 85 * h + 10);
        assert_int_equal(s.mixture.part_count, 4);
        assert_string_equal(s.mixture.part[3].name, "block5");
        for (size_t part = 0; part < 4; part++) {
            scene_split(&s, part, 1);
        }
        scene_build(&s);
        assert_int_equal(parameters(s.net), count + 126 * h * h + 170 * h + 8);
        scene_close(&s);
    }
}

/* Networks without parts have none, and heads stay heads. */
static void heads_and_parts(void **state)
{
    (void)state;
    scene s = {.settings = image_settings(WORDS("model", "linear"))};
    s.root = eg_settings_root(s.settings);
    s.setup = (eg_mixture_setup){
        .root = &s.root, .input = eg_shape_vector(6), .outputs = 3, .batch = B, .seed = SEED};
    assert_fails(eg_mixture_init(&s.mixture, &s.setup, EG_GATING_SOFT), EG_INVALID,
                 "linear has no parts");
    eg_mixture_clear(&s.mixture);
    eg_settings_free(s.settings);
    scene_open(&s, WORDS(MLP), eg_shape_vector(6), 3, EG_GATING_SOFT);
    scene_split(&s, 0, 1);
    scene_split(&s, 1, 1);
    scene_build(&s);
    size_t heads = 0;
    for (size_t i = 0; i < s.net->node_count; i++) {
        heads += eg_node_is_head(&s.net->nodes[i]) ? 1 : 0;
    }
    assert_int_equal(heads, 1);
    assert_true(eg_node_is_head(&s.net->nodes[s.net->node_count - 1]));
    assert_int_equal(s.net->hidden_count, 4);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_from_left_to_right),
        cmocka_unit_test(trees_are_read_as_they_were_written),
        cmocka_unit_test(gradients_of_soft_trees),
        cmocka_unit_test(a_mixture_by_hand),
        cmocka_unit_test(one_expert_is_the_model_alone),
        cmocka_unit_test(growth_changes_no_output),
        cmocka_unit_test(experts_start_by_their_places),
        cmocka_unit_test(parameters_of_growths),
        cmocka_unit_test(heads_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
