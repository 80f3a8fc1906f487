/** A VGG with all that growth could add, in double: what it computes without and with it, and gradients
 *  of what is added against differences. */
#include "support/image_settings.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/shared/vgg.h"

#include <math.h>
#include <string.h>

enum { B = 3, SIDE = 4, CHANNELS = 2, OUT = 3, CONVOLUTIONS = 3, NEW = 2 };

static const eg_shape input = {SIDE, SIDE, CHANNELS};
static const uint32_t labels[B] = {0, 2, 1};
static const size_t widths[CONVOLUTIONS] = {2, 3, 2};

typedef struct scene {
    eg_settings *settings;
    eg_view view;
    eg_net *net, *candidates;
    eg_workspace *own, *all;
    eg_real x[B * SIDE * SIDE * CHANNELS];
} scene;

static void open_scene(scene *s, const char *activation, const char *blocks)
{
    const char *const words[] = {"model",
                                 "vgg",
                                 "model.head",
                                 "conv",
                                 "model.bias",
                                 "false",
                                 "model.activation",
                                 activation,
                                 "model.blocks",
                                 blocks,
                                 "model.widths",
                                 "[2, 3, 2]",
                                 NULL};
    const eg_vgg_trial trial = {.candidates = NEW,
                                .initial = {[EG_VGG_OLD_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_NEW_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_SPLIT] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_NEW] = {EG_INITIAL_NORMAL, 0.5, 1}}};
    *s = (scene){.settings = image_settings(words)};
    const eg_view root = eg_settings_root(s->settings);
    s->view = eg_view_inside(&root, "model");
    eg_graph *graph = NULL;
    assert_ok(eg_model_build(&s->net, &root, input, OUT, B, 1));
    assert_ok(eg_vgg_candidates(&graph, &s->view, widths, &trial, input, OUT, B));
    assert_ok(eg_net_build(&s->candidates, graph, 2));
    assert_ok(eg_workspace_create(&s->own, s->net, B, true));
    assert_ok(eg_workspace_create(&s->all, s->candidates, B, true));
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < EG_COUNT(s->x); i++) {
        s->x[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t i = 0; i < s->net->buffer_count; i++) {
        s->net->buffers[i] = 0.5 + eg_rng_uniform(&rng); /* means and variances */
    }
    eg_vgg_load(s->candidates, s->net);
}

static void close_scene(scene *s)
{
    eg_workspace_free(s->own);
    eg_workspace_free(s->all);
    eg_net_free(s->net);
    eg_net_free(s->candidates);
    eg_settings_free(s->settings);
}

static eg_parameter_block *part_of(const scene *s, size_t convolution, eg_vgg_part part)
{
    size_t block = eg_vgg_block(s->candidates, &s->view, convolution, part);
    return block == SIZE_MAX ? NULL : &s->candidates->table.blocks[block];
}

static void fill(const scene *s, size_t convolution, eg_vgg_part part, eg_real value)
{
    eg_net *net = s->candidates;
    size_t block = eg_vgg_block(net, &s->view, convolution, part);
    eg_real *values = NULL;
    assert_true(block != SIZE_MAX);
    size_t count = net->table.blocks[block].units * net->table.blocks[block].fan_in;
    assert_ok(eg_alloc(&values, count, sizeof *values));
    for (size_t i = 0; i < count; i++) {
        values[i] = value;
    }
    eg_net_block_set(net, block, values, net->params);
    eg_free(values);
}

static double loss_of(const scene *s, eg_real *dy)
{
    const eg_loss *loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    const eg_real *y = eg_net_forward(s->candidates, s->all, EG_MODE_PROBE, B, s->x, NULL);
    return loss->evaluate(B, OUT, y, labels, NULL, dy);
}

static void parts_have_their_sizes(void **state)
{
    (void)state;
    static const size_t none = 0;
    static const struct {
        size_t convolution;
        size_t units[EG_VGG_PARTS], fan_in[EG_VGG_PARTS]; /* old_q, new_q, split, new */
    } table[] = {{0, {none, none, 2, NEW}, {none, none, 18, 18}},
                 {1, {3, NEW, 3, NEW}, {9 * NEW, 9 * NEW, 18, 18}},
                 {2, {2, NEW, 2, NEW}, {9 * NEW, 9 * NEW, 27, 27}},
                 {CONVOLUTIONS, {OUT, none, none, none}, {NEW, none, none, none}}};
    scene s;
    open_scene(&s, "relu", "[1, 2]");
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        for (size_t p = 0; p < EG_VGG_PARTS; p++) {
            const eg_parameter_block *block = part_of(&s, table[i].convolution, (eg_vgg_part)p);
            assert_int_equal(block != NULL ? block->units : 0, table[i].units[p]);
            assert_int_equal(block != NULL ? block->fan_in : 0, table[i].fan_in[p]);
        }
    }
    close_scene(&s);
}

/* With nothing added it computes what the network does, to the last bit. */
static void nothing_added(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, "relu", "[1, 2]");
    for (size_t l = 0; l <= CONVOLUTIONS; l++) {
        for (size_t p = 0; p < EG_VGG_PARTS; p++) {
            if (part_of(&s, l, (eg_vgg_part)p) != NULL) {
                fill(&s, l, (eg_vgg_part)p, 0);
            }
        }
    }
    const eg_real *a = eg_net_forward(s.net, s.own, EG_MODE_PROBE, B, s.x, NULL);
    const eg_real *b = eg_net_forward(s.candidates, s.all, EG_MODE_PROBE, B, s.x, NULL);
    assert_memory_equal(a, b, B * OUT * sizeof *a);
    close_scene(&s);
}

/* Of a smooth activation, all parts at once. */
static void gradients(void **state)
{
    (void)state;
    const double h = 1e-6;
    scene s;
    eg_real dy[B * OUT];
    eg_real ignored[B * OUT];
    open_scene(&s, "swish", "[1, 2]");
    eg_net *net = s.candidates;
    (void)loss_of(&s, dy);
    eg_net_backward(net, s.all, dy, NULL);
    size_t checked = 0;
    for (size_t l = 0; l <= CONVOLUTIONS; l++) {
        for (size_t p = 0; p < EG_VGG_PARTS; p++) {
            const eg_parameter_block *block = part_of(&s, l, (eg_vgg_part)p);
            for (size_t i = 0; block != NULL && i < block->count; i++) {
                if (eg_parameter_unit(block, i) >= block->units) {
                    continue;
                }
                eg_real *w = &net->params[block->offset + i];
                const eg_real at = *w;
                *w = at + (eg_real)h;
                double above = loss_of(&s, ignored);
                *w = at - (eg_real)h;
                double below = loss_of(&s, ignored);
                *w = at;
                assert_close(net->grads[block->offset + i], (above - below) / (2 * h), 1e-7);
                checked++;
            }
        }
    }
    assert_int_equal(checked, 18 * 4 + (3 + 2) * 18 * 2 + (2 + 2) * (27 + 18) + OUT * NEW);
    close_scene(&s);
}

/* One convolution of one place: all that is said in nn/shared/vgg.h, by hand. */
static void by_hand(void **state)
{
    (void)state;
    enum { WIDE = 1 };
    static const size_t one[] = {WIDE, WIDE};
    const char *const words[] = {
        "model",        "vgg", "model.head",   "conv", "model.bias", "false",
        "model.blocks", "[1]", "model.widths", "[1]",  NULL};
    eg_settings *settings = image_settings(words);
    const eg_view root = eg_settings_root(settings);
    const eg_view view = eg_view_inside(&root, "model");
    const eg_vgg_trial trial = {.candidates = 1};
    const eg_real x[4] = {1, 2, 3, 5}; /* 2 x 2, of which the pool takes the largest */
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    eg_workspace *workspace = NULL;
    assert_ok(eg_vgg_candidates(&graph, &view, one, &trial, (eg_shape){2, 2, 1}, 1, 1));
    assert_ok(eg_net_build(&net, graph, 1));
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    scene s = {.view = view, .candidates = net};
    fill(&s, 0, EG_VGG_SPLIT, 0);
    fill(&s, 1, EG_VGG_OLD_FROM_NEW, 7);
    static const struct {
        const char *name;
        eg_real center;
    } kernels[] = {{"block1.conv1.weight", 2},
                   {"block1.conv1.split.weight", 3},
                   {"block1.conv1.new.weight", -1}};
    for (size_t k = 0; k < EG_COUNT(kernels); k++) {
        const eg_parameter_block *b = eg_parameter_table_find(&net->table, kernels[k].name);
        eg_real values[9] = {0};
        values[4] = kernels[k].center;
        eg_net_block_set(net, (size_t)(b - net->table.blocks), values, net->params);
    }
    const eg_parameter_block *head = eg_parameter_table_find(&net->table, "head.weight");
    const eg_parameter_block *bias = eg_parameter_table_find(&net->table, "head.bias");
    net->params[head->offset] = 10;
    net->params[bias->offset] = 0.25;
    const double r = 1 / sqrt(1 + 1e-5); /* running variance 1 */
    /* Existing: 1/2 (relu(5 x) + relu(-x)) r = 2.5 x r; new: relu(-x) = 0. */
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_PROBE, 1, x, NULL);
    assert_close(y[0], 0.25 + 10 * 2.5 * 5 * r, 1e-12);
    /* New: relu(x) = x. */
    const eg_parameter_block *b = eg_parameter_table_find(&net->table, "block1.conv1.new.weight");
    eg_real values[9] = {0};
    values[4] = 1;
    eg_net_block_set(net, (size_t)(b - net->table.blocks), values, net->params);
    y = eg_net_forward(net, workspace, EG_MODE_PROBE, 1, x, NULL);
    assert_close(y[0], 0.25 + 10 * 2.5 * 5 * r + 7 * 5, 1e-12);
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_their_sizes),
        cmocka_unit_test(nothing_added),
        cmocka_unit_test(gradients),
        cmocka_unit_test(by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
