/** Uniform mixtures of networks: what their members are, and that one member is the model alone. */
#include "learner_look.h"
#include "support/image_settings.h"

#include "engram/random.h"
#include "engram/units.h"

#include <stdio.h>

enum { SEED = 4, MEMBERS = 3 };

/* Members ---------------------------------------------------------------------------------------- */

/* Blocks of member m are those of the model alone with the seed of member m. */
static void assert_member(const eg_net *net, size_t m, const eg_net *alone)
{
    char name[128];
    for (size_t b = 0; b < alone->table.block_count; b++) {
        const eg_parameter_block *block = &alone->table.blocks[b];
        (void)snprintf(name, sizeof name, "member%zu.%s", m, block->name);
        const eg_parameter_block *own = eg_parameter_table_find(&net->table, name);
        assert_non_null(own);
        assert_int_equal(own->count, block->count);
        assert_memory_equal(net->params + own->offset, alone->params + block->offset,
                            block->count * sizeof(eg_real));
    }
}

/* Of every model: weights of member m, and what it draws, are those of member m of an ensemble. */
static void check_members(const char *const *words, const char *const *alone_words, eg_shape shape)
{
    enum { B = 2, OUT = 3, PIXELS_MAX = 32 * 32 * 3 };
    static eg_real x[B * PIXELS_MAX];
    eg_real mean[B * OUT] = {0};
    eg_workspace *workspace = NULL;
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < B * eg_shape_size(shape); i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
    eg_net *net = image_net(words, shape, OUT, B);
    eg_settings *settings = image_settings(alone_words);
    const eg_view root = eg_settings_root(settings);
    size_t hidden = 0;
    size_t nodes = 0;
    double macs = 0;
    double backward = 0;
    for (size_t m = 0; m < MEMBERS; m++) {
        eg_net *alone = NULL;
        assert_ok(eg_model_build(&alone, &root, shape, OUT, B, eg_member_seed(1, m)));
        assert_member(net, m, alone);
        assert_ok(eg_workspace_create(&workspace, alone, B, true));
        const eg_real *y = eg_net_forward(alone, workspace, EG_MODE_TRAIN, B, x, NULL);
        for (size_t k = 0; k < (size_t)B * OUT; k++) {
            mean[k] += y[k];
        }
        macs += eg_net_macs(alone).forward;
        backward += eg_net_macs(alone).backward;
        hidden += alone->hidden_count;
        nodes += alone->node_count;
        eg_workspace_free(workspace);
        eg_net_free(alone);
    }
    assert_close(eg_net_macs(net).forward, macs, 0);
    assert_close(eg_net_macs(net).backward, backward, 0);
    assert_int_equal(net->hidden_count, hidden);
    assert_int_equal(net->node_count, nodes + 1);
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, x, NULL);
    for (size_t k = 0; k < (size_t)B * OUT; k++) {
        assert_true(y[k] == mean[k] * (eg_real)(1.0 / MEMBERS));
    }
    eg_workspace_free(workspace);
    eg_settings_free(settings);
    eg_net_free(net);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void members_are_those_of_an_ensemble(void **state)
{
    (void)state;
    const eg_shape image = {24, 24, 3};
    check_members(WORDS("model", "umix", "model.of.hidden", "[5, 4]", "model.of.activation", "relu",
                        "model.of.dropout", "0.4"),
                  WORDS("model", "mlp", "model.hidden", "[5, 4]", "model.activation", "relu",
                        "model.dropout", "0.4"),
                  eg_shape_vector(20));
    check_members(WORDS("model", "umix", "model.of", "vgg", "model.of.width", "3",
                        "model.of.blocks", "[1, 2]"),
                  WORDS("model", "vgg", "model.width", "3", "model.blocks", "[1, 2]"), image);
    check_members(
        WORDS("model", "umix", "model.of", "cin_net", "model.of.filters", "[2, 3, 2]",
              "model.of.hidden", "[5, 4]", "model.of.dropout", "0.4"),
        WORDS("model.filters", "[2, 3, 2]", "model.hidden", "[5, 4]", "model.dropout", "0.4"),
        image);
    check_members(WORDS("model", "umix", "model.of", "resnet18", "model.of.width", "2"),
                  WORDS("model", "resnet18", "model.width", "2"), image);
}

/* Units of member m are made and used in member m. */
static void units_are_within_members(void **state)
{
    (void)state;
    eg_net *net =
        image_net(WORDS("model", "umix", "model.members", "2", "model.of.hidden", "[5, 4]",
                        "model.of.activation", "relu", "model.of.weight_norm", "[]"),
                  eg_shape_vector(20), 3, 2);
    assert_int_equal(net->hidden_count, 4);
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        const size_t width[] = {5, 4};
        assert_int_equal(layer->units, width[h % 2]);
        assert_int_equal(net->nodes[layer->maker].member, h / 2);
        assert_int_equal(net->nodes[layer->seen].member, h / 2);
        assert_int_equal(net->nodes[layer->reader].member, h / 2);
        eg_plane_run run;
        assert_true(eg_net_unit_run(net, h, EG_UNIT_INCOMING, 2, 0, &run));
        assert_int_equal(run.count, h % 2 == 0 ? 20 : 5);
        assert_true(eg_net_unit_run(net, h, EG_UNIT_OUTGOING, 2, 0, &run));
        assert_int_equal(run.count, h % 2 == 0 ? 4 : 3);
    }
    eg_net_free(net);
}

static void refusals(void **state)
{
    (void)state;
    image_refused(WORDS("model", "umix", "model.of", "umix"), eg_shape_vector(9),
                  "a mixture of mixtures");
    image_refused(WORDS("model", "umix", "model.of", "cin_net"), (eg_shape){8, 8, 3}, "too small");
    image_refused(WORDS("model", "umix", "model.of", "sdmlp", "model.of.hidden", "5"),
                  eg_shape_vector(9), "is more than the 5 hidden units");
}

/* Learning --------------------------------------------------------------------------------------- */

static learner_scene open_scene(const char *const *words)
{
    static const eg_assignment rest[] = {
        {.name = "dataset", .value = "synthetic"}, {.name = "dataset.classes", .value = "6"},
        {.name = "dataset.side", .value = "3"},    {.name = "dataset.examples", .value = "60"},
        {.name = "stream.batch", .value = "8"},    {.name = "stream.tasks", .value = "3"},
        {.name = "optimizer", .value = "adam"},    {.name = "optimizer.lr", .value = "0.01"},
    };
    return scene_open_settings(small_settings(rest, EG_COUNT(rest), words), SEED);
}

static void learn(learner_scene *s, size_t phases)
{
    for (size_t phase = 0; phase < phases; phase++) {
        assert_ok(eg_learner_begin_phase(s->learner, phase));
        scene_learn(s, phase);
    }
}

/* One member: the same bits, and not a node more. */
static void one_is_the_model_alone(void **state)
{
    (void)state;
    static const char *const combine[] = {"mean", "sum"};
    learner_scene alone = open_scene(
        WORDS("model.hidden", "[7]", "model.dropout", "0.2", "model.activation", "relu"));
    scene_create(&alone);
    learn(&alone, 3);
    for (size_t i = 0; i < EG_COUNT(combine); i++) {
        learner_scene one = open_scene(WORDS(
            "model", "umix", "model.members", "1", "model.combine", combine[i], "model.of.hidden",
            "[7]", "model.of.dropout", "0.2", "model.of.activation", "relu"));
        scene_create(&one);
        learn(&one, 3);
        const eg_net *net = net_of(&one);
        assert_int_equal(net->node_count, net_of(&alone)->node_count);
        assert_memory_equal(net->params, net_of(&alone)->params,
                            net->param_count * sizeof *net->params);
        assert_string_equal(net->table.blocks[0].name, "member0.layer1.weight");
        scene_close(&one);
    }
    scene_close(&alone);
}

/* Every member has a head, and all begin anew together; nothing else does. */
static void all_heads_begin_anew(void **state)
{
    (void)state;
    learner_scene s =
        open_scene(WORDS("model", "umix", "model.of.bias", "true", "model.of.weight_norm", "[]",
                         "model.of.init", "uniform", "model.of.hidden", "[7]", "learner", "reset"));
    scene_create(&s);
    learn(&s, 1);
    const eg_net *net = net_of(&s);
    eg_real *before = NULL;
    assert_ok(eg_alloc(&before, net->param_count, sizeof *before));
    memcpy(before, net->params, net->param_count * sizeof *before);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    size_t heads = 0;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        const eg_real *now = net->params + block->offset;
        bool head = eg_node_is_head(&net->nodes[block->node]);
        bool same = memcmp(now, before + block->offset, block->count * sizeof *now) == 0;
        assert_true(same != head);
        heads += head && block->role == EG_ROLE_WEIGHT ? 1 : 0;
    }
    assert_int_equal(heads, MEMBERS);
    eg_free(before);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_those_of_an_ensemble),
        cmocka_unit_test(units_are_within_members),
        cmocka_unit_test(refusals),
        cmocka_unit_test(one_is_the_model_alone),
        cmocka_unit_test(all_heads_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
