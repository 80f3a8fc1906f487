/** Models of images from settings: how many parameters, how they start, which units there are, what
 *  is refused. */
#include "support/image_settings.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const eg_shape cifar = {32, 32, 3};

static size_t parameters(const char *const *words, eg_shape input, size_t outputs, eg_role role)
{
    eg_net *net = image_net(words, input, outputs, 32);
    const size_t count = eg_parameter_table_size(&net->table, role);
    eg_net_free(net);
    return count;
}

static void sizes_of_the_papers(void **state)
{
    (void)state;
    static const char *const cin_net[] = {NULL};
    assert_int_equal(parameters(cin_net, cifar, 2, EG_ROLE_COUNT), 177218);
    static const char *const resnet18[] = {"model", "resnet18", NULL};
    assert_int_equal(parameters(resnet18, cifar, 100, EG_ROLE_COUNT), 11224932);
    static const char *const lenet[] = {"model", "lenet", NULL};
    assert_int_equal(parameters(lenet, cifar, 10, EG_ROLE_WEIGHT), 2986500 + 500 * 10);
    assert_int_equal(parameters(lenet, cifar, 10, EG_ROLE_BIAS), 1370 + 10);
}

/* 135 c^2 + 85 c + 10, and 69 c without biases before the norm. */
static void sizes_of_vgg(void **state)
{
    (void)state;
    static const struct {
        const char *width;
        size_t with, without;
    } table[] = {{"4", 2510, 2446},
                 {"8", 9330, 9202},
                 {"16", 35930, 35674},
                 {"32", 140970, 140458},
                 {"64", 558410, 557386}};
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        const char *const with[] = {"model", "vgg", "model.width", table[i].width, NULL};
        assert_int_equal(parameters(with, cifar, 10, EG_ROLE_COUNT), table[i].with);
        const char *const without[] = {"model",      "vgg",   "model.width", table[i].width,
                                       "model.bias", "false", NULL};
        assert_int_equal(parameters(without, cifar, 10, EG_ROLE_COUNT), table[i].without);
        const char *const conv[] = {"model",        "vgg",        "model.width",
                                    table[i].width, "model.bias", "false",
                                    "model.head",   "conv",       NULL};
        assert_int_equal(parameters(conv, cifar, 10, EG_ROLE_COUNT), table[i].without);
    }
}

/* A width of its own for each convolution, and a head that reads channels. */
static void vgg_of_several_widths(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model",        "vgg",       "model.blocks", "[1, 2]", "model.bias", "false",
        "model.widths", "[2, 3, 5]", "model.head",   "conv",   NULL};
    static const struct {
        const char *name;
        size_t units, fan_in;
    } table[] = {{"block1.conv1.weight", 2, 27},
                 {"block2.conv1.weight", 3, 18},
                 {"block2.conv2.weight", 5, 27},
                 {"head.weight", 4, 5},
                 {"head.bias", 4, 1}};
    eg_net *net = image_net(words, (eg_shape){8, 8, 3}, 4, 2);
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        const eg_parameter_block *block = eg_parameter_table_find(&net->table, table[i].name);
        assert_non_null(block);
        assert_int_equal(block->units, table[i].units);
        assert_int_equal(block->fan_in, table[i].fan_in);
    }
    assert_int_equal(net->outputs, 4);
    assert_int_equal(net->nodes[net->node_count - 1].layer.in.height, 2);
    eg_net_free(net);
    static const char *const few[] = {"model",  "vgg", "model.blocks", "[1, 2]", "model.widths",
                                      "[2, 3]", NULL};
    image_refused(few, (eg_shape){8, 8, 3},
                  "model.widths has 2 numbers; expected one for each of "
                  "the 3 convolutions of model.blocks, or none");
}

/* Convolutions and linear layer 16848 c^2 + 27658 c, batch normalisation 5792 c. Backward is twice that
 * but for the gradient of the image: 27 c numbers at 1024 places. */
static void multiply_adds_of_vgg(void **state)
{
    (void)state;
    static const struct {
        const char *width;
        double c, forward;
    } table[] = {{"4", 4, 403368},
                 {"8", 8, 1345872},
                 {"16", 16, 4848288},
                 {"32", 32, 18322752},
                 {"64", 64, 71150208}};
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        const char *const words[] = {"model", "vgg", "model.width", table[i].width, NULL};
        const char *const bare[] = {"model",      "vgg",  "model.width", table[i].width,
                                    "model.norm", "none", NULL};
        eg_net *net = image_net(words, cifar, 10, 1);
        eg_net *without = image_net(bare, cifar, 10, 1);
        eg_net_work work = eg_net_macs(net);
        double c = table[i].c;
        assert_close(work.forward, table[i].forward, 0);
        assert_close(work.backward, 2 * table[i].forward - 27 * c * 1024, 0);
        assert_close(eg_net_macs(without).forward, 16848 * c * c + 27658 * c, 0);
        eg_net_free(net);
        eg_net_free(without);
    }
}

/* Largest magnitude of a block, which comes near its bound. */
static void assert_bound(const eg_net *net, const char *name, double bound)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, name);
    assert_non_null(block);
    double largest = 0;
    for (size_t i = 0; i < block->count; i++) {
        largest = fmax(largest, fabs((double)net->params[block->offset + i]));
    }
    assert_true(largest <= bound * (1 + 1e-6));
    assert_true(largest > 0.5 * bound);
    assert_close(eg_initial_spread(&block->initial), bound, 1e-5);
}

static void weights_and_biases_of_cin_net_start_uniformly(void **state)
{
    (void)state;
    static const char *const words[] = {NULL};
    static const struct {
        const char *layer;
        double bound;
    } table[] = {{"conv1", 0.115470},    {"conv2", 0.0589256},   {"conv3", 0.0416667},
                 {"linear1", 0.0441942}, {"linear2", 0.0883883}, {"head", 0.0883883}};
    eg_net *net = image_net(words, cifar, 2, 100);
    assert_int_equal(net->table.block_count, 2 * EG_COUNT(table));
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        char name[EG_BLOCK_NAME_SIZE];
        (void)snprintf(name, sizeof name, "%s.weight", table[i].layer);
        assert_bound(net, name, table[i].bound);
        (void)snprintf(name, sizeof name, "%s.bias", table[i].layer);
        assert_bound(net, name, table[i].bound);
    }
    eg_net_free(net);
}

/* Kernels N(0, 2/fan_in), output layer N(0, 1/512), biases and shifts 0, scales 1. */
static void resnet18_starts_as_published(void **state)
{
    (void)state;
    static const char *const words[] = {"model", "resnet18", NULL};
    eg_net *net = image_net(words, cifar, 100, 90);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        double sum = 0;
        for (size_t i = 0; i < block->count; i++) {
            const double w = (double)net->params[block->offset + i];
            sum += block->role == EG_ROLE_WEIGHT ? w * w : w;
        }
        const double count = (double)(block->units * block->fan_in);
        const bool head = strcmp(block->name, "head.weight") == 0;
        if (block->role == EG_ROLE_WEIGHT) {
            assert_close(sum / count * (double)block->fan_in / (head ? 1 : 2), 1, 0.1);
            assert_close(eg_initial_spread(&block->initial),
                         sqrt((head ? 1.0 : 2.0) / (double)block->fan_in), 1e-12);
        } else {
            assert_true(sum == (block->role == EG_ROLE_SCALE ? count : 0));
        }
    }
    assert_int_equal(net->buffer_count % 2, 0);
    eg_net_free(net);
}

static const char *name_of(const eg_net *net, size_t node)
{
    return net->nodes[node].name;
}

/* Hidden layers are the stem and the two convolutions of each block, never a shortcut; the reader of
 * a block's output is the first convolution of the next. */
static void hidden_layers_of_resnet18(void **state)
{
    (void)state;
    static const char *const words[] = {"model", "resnet18", NULL};
    eg_net *net = image_net(words, cifar, 100, 90);
    size_t units = 0;
    assert_int_equal(net->hidden_count, 17);
    for (size_t h = 0; h < 17; h++) {
        const eg_hidden_layer *hidden = &net->hidden[h];
        const size_t block = (h + 1) / 2; /* of a convolution in it, from 1 */
        const size_t next = h / 2 + 1;    /* of the reader */
        char maker[EG_NODE_NAME_SIZE] = "stem";
        char reader[EG_NODE_NAME_SIZE] = "head";
        char seen[EG_NODE_NAME_SIZE] = "stem.activation";
        if (h > 0) {
            (void)snprintf(maker, sizeof maker, "stage%zu.block%zu.conv%d", (block + 1) / 2,
                           2 - block % 2, h % 2 == 1 ? 1 : 2);
            (void)snprintf(seen, sizeof seen, h % 2 == 1 ? "%.28s.activation" : "%.13s.activation",
                           maker);
        }
        if (h < 16) {
            (void)snprintf(reader, sizeof reader, "stage%zu.block%zu.conv%d", (next + 1) / 2,
                           2 - next % 2, h % 2 == 0 ? 1 : 2);
        } else {
            (void)strcpy(seen, "pool");
        }
        assert_string_equal(name_of(net, hidden->maker), maker);
        assert_string_equal(name_of(net, hidden->reader), reader);
        assert_string_equal(name_of(net, hidden->seen), seen);
        assert_int_equal(hidden->units, 64U << (h == 0 ? 0 : (h - 1) / 4));
        assert_int_equal(hidden->positions, h == 16 ? 1 : 1024U >> (h == 0 ? 0 : (h - 1) / 4 * 2));
        units += hidden->units;
    }
    assert_int_equal(units, 3904);
    eg_net_free(net);
}

/* A unit's own parameters: 3x3x64 weights, bias, scale and shift; what uses it: its slice of the 3x3
 * kernels of the next convolution, or its column of the output layer. */
static size_t numbers(const eg_net *net, size_t hidden, eg_unit_side side)
{
    eg_plane_run run;
    size_t sum = 0;
    for (size_t k = 0; eg_net_unit_run(net, hidden, side, 5, k, &run); k++) {
        sum += run.count;
    }
    return sum;
}

static void parameters_of_units(void **state)
{
    (void)state;
    static const char *const resnet18[] = {"model", "resnet18", NULL};
    eg_net *net = image_net(resnet18, cifar, 100, 90);
    assert_int_equal(numbers(net, 0, EG_UNIT_INCOMING), 27 + 3);
    assert_int_equal(numbers(net, 4, EG_UNIT_INCOMING), 9 * 64 + 3);
    assert_int_equal(numbers(net, 4, EG_UNIT_OUTGOING), 9 * 128);
    assert_int_equal(numbers(net, 16, EG_UNIT_OUTGOING), 100);
    eg_net_free(net);
    static const char *const cin_net[] = {NULL};
    net = image_net(cin_net, cifar, 2, 100);
    assert_int_equal(net->hidden_count, 5);
    assert_int_equal(net->hidden[2].positions, 4);
    assert_string_equal(name_of(net, net->hidden[2].seen), "conv3.pool");
    assert_int_equal(numbers(net, 2, EG_UNIT_INCOMING), 9 * 64 + 1);
    assert_int_equal(numbers(net, 2, EG_UNIT_OUTGOING), 4 * 128);
    assert_int_equal(numbers(net, 3, EG_UNIT_OUTGOING), 128);
    eg_net_free(net);
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const cin_net[] = {NULL};
    image_refused(
        cin_net, (eg_shape){23, 23, 3},
        "model = cin_net: conv3.pool has windows of 2x2, but images of 23x23 are only 1x1 "
        "there: they are too small for this network");
    static const char *const filters[] = {"model.filters", "[8, 8]", NULL};
    image_refused(filters, cifar, "model.filters = [8, 8]: must be three numbers");
    static const char *const widths[] = {"model", "resnet18", "model.widths", "[8, 8]", NULL};
    image_refused(
        widths, cifar,
        "model.widths = [8, 8] has 2 entries, but model.blocks = [2, 2, 2, 2] makes 4 stages");
    static const char *const blocks[] = {"model", "resnet18", "model.blocks", "[]", NULL};
    image_refused(blocks, cifar, "model.blocks = []: must be one to 8 numbers");
    static const char *const vgg[] = {"model", "vgg", NULL};
    image_refused(vgg, (eg_shape){28, 28, 1},
                  "model = vgg: block5.pool has windows of 2x2, but images of 28x28 are only 1x1");
    static const char *const kernel[] = {"model", "lenet", "model.kernel", "4", NULL};
    image_refused(kernel, cifar, "model.kernel = 4: must be odd");
    static const char *const lenet[] = {"model", "lenet", NULL};
    image_refused(lenet, (eg_shape){5, 8, 1},
                  "5x8 places need different padding in height and width");
    static const char *const topk[] = {"model.activation", "topk_mask", "model.activation.k",
                                       "20000", NULL};
    image_refused(topk, cifar,
                  "conv2.activation = topk_mask: k = 20000 is more than the layer's 9216");
}

/* Without the products with the network's inputs: of cin_net all but the first convolution's. */
static void operations_behind_the_inputs(void **state)
{
    (void)state;
    static const char *const words[] = {NULL};
    eg_settings *settings = image_settings(words);
    const eg_view root = eg_settings_root(settings);
    const eg_view view = eg_view_inside(&root, "model");
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&root, "model");
    double all = 0;
    double rest = 0;
    assert_ok(eg_model_flops(&all, kind, &view, cifar, 2));
    assert_ok(eg_model_rest_flops(&rest, kind, &view, cifar, 2));
    assert_close(all - rest, 2.0 * 28 * 28 * 32 * 75, 0);
    eg_settings_free(settings);
}

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_real x[7 * 8 * 8 * 3];
} scene;

static void setup(scene *s, const char *const *words, size_t capacity, bool keeps)
{
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, 0);
    s->net = image_net(words, (eg_shape){8, 8, 3}, 3, 7);
    assert_ok(eg_workspace_create(&s->workspace, s->net, capacity, keeps));
    for (size_t i = 0; i < EG_COUNT(s->x); i++) {
        s->x[i] = (eg_real)eg_rng_normal(&rng);
    }
}

static void clear(scene *s)
{
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

static const char *const small_resnet18[] = {"model", "resnet18", "model.width", "8", NULL};

/* Checksums of what hidden layers show of examples. */
typedef struct shown {
    const eg_net *net;
    size_t first; /* example of the first row */
    uint32_t sum[20][7];
} shown;

static void take_down(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    shown *s = user;
    const size_t n = eg_layer_outputs(&s->net->nodes[s->net->hidden[hidden].seen].layer);
    for (size_t b = 0; b < batch; b++) {
        s->sum[hidden][s->first + b] = eg_crc32c(0, y + b * n, n * sizeof *y);
    }
}

static void look(scene *s, size_t block, shown *out, eg_real *scores)
{
    *out = (shown){.net = s->net};
    const eg_unit_observer observer = {.observe = take_down, .user = out};
    eg_workspace_observe(s->workspace, &observer);
    for (; out->first < 7; out->first += block) {
        const size_t size = out->first + block <= 7 ? block : 7 - out->first;
        const eg_real *y = eg_net_forward(s->net, s->workspace, EG_MODE_PREDICT, size,
                                          s->x + out->first * 192, NULL);
        memcpy(scores + out->first * 3, y, size * 3 * sizeof *y);
    }
    eg_workspace_observe(s->workspace, NULL);
}

/* What convolutions make of an example does not depend on which others are in its block, to the bit;
 * BLAS behind them chooses its kernels by the number of examples. */
static void blocks_of_predictions(void **state)
{
    (void)state;
    static const char *const convnet[] = {
        "model", "convnet", "model.layers",
        "[conv 20 5x5 pad 2, relu, average_pool 2, conv 9 stride 2, batch_norm, tanh]", NULL};
    static const char *const *const models[] = {small_resnet18, convnet};
    for (size_t m = 0; m < EG_COUNT(models); m++) {
        scene s;
        shown whole;
        eg_real scores[7 * 3] = {0};
        setup(&s, models[m], 7, false);
        look(&s, 7, &whole, scores);
        assert_true(s.net->hidden_count > 1 && whole.sum[1][0] != whole.sum[1][1]);
        for (size_t block = 1; block < 7; block++) {
            shown some;
            eg_real again[7 * 3] = {0};
            look(&s, block, &some, again);
            assert_memory_equal(some.sum, whole.sum, sizeof whole.sum);
            for (size_t i = 0; i < EG_COUNT(scores); i++) {
                assert_close((double)again[i], (double)scores[i], 1e-5);
            }
        }
        clear(&s);
    }
}

static void learn(scene *s, size_t steps)
{
    eg_real dy[7 * 3];
    for (size_t step = 0; step < steps; step++) {
        const eg_real *y = eg_net_forward(s->net, s->workspace, EG_MODE_TRAIN, 7, s->x, NULL);
        memcpy(dy, y, sizeof dy);
        eg_net_backward(s->net, s->workspace, dy, NULL);
        for (size_t i = 0; i < s->net->param_count; i++) {
            s->net->params[i] -= (eg_real)0.01 * s->net->grads[i];
        }
        eg_net_touch(s->net);
        eg_net_updated(s->net, s->workspace);
    }
}

/* A network read from a checkpoint goes on with the same bits, running statistics included. */
static void checkpoints(void **state)
{
    (void)state;
    scene s;
    scene other;
    eg_writer writer = {0};
    setup(&s, small_resnet18, 7, true);
    setup(&other, small_resnet18, 7, true);
    learn(&s, 3);
    eg_net_write(s.net, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_net_read(other.net, &reader));
    learn(&s, 2);
    learn(&other, 2);
    assert_memory_equal(s.net->params, other.net->params,
                        s.net->param_count * sizeof *s.net->params);
    assert_memory_equal(s.net->buffers, other.net->buffers,
                        s.net->buffer_count * sizeof *s.net->buffers);
    eg_writer_clear(&writer);
    clear(&s);
    clear(&other);
}

/* Values of a block go into its own places of a plane, each into one, and come back. */
static void every_parameter_has_one_place(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model", "convnet", "model.layers",
        "[conv 4 3 pad same, layer_norm, relu, max_pool 2, conv 3 3, batch_norm, relu, linear 6]",
        NULL};
    eg_net *net = image_net(words, (eg_shape){8, 8, 3}, 5, 4);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        const size_t count = block->units * block->fan_in;
        eg_real *values = NULL;
        eg_real *plane = NULL;
        assert_true(count <= block->count);
        assert_ok(eg_alloc(&values, count, sizeof *values));
        assert_ok(eg_alloc(&plane, net->param_count, sizeof *plane));
        for (size_t i = 0; i < count; i++) {
            values[i] = (eg_real)(i + 1);
        }
        eg_net_block_set(net, b, values, plane);
        memset(values, 0, count * sizeof *values);
        eg_net_block_get(net, b, plane, values);
        for (size_t i = 0; i < count; i++) {
            assert_true(values[i] == (eg_real)(i + 1));
        }
        for (size_t i = 0; i < net->param_count; i++) {
            const bool inside = i >= block->offset && i < block->offset + block->count;
            const bool used = inside && eg_parameter_unit(block, i - block->offset) < block->units;
            assert_true((plane[i] != 0) == used);
        }
        eg_free(values);
        eg_free(plane);
    }
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_has_one_place),
        cmocka_unit_test(sizes_of_the_papers),
        cmocka_unit_test(sizes_of_vgg),
        cmocka_unit_test(vgg_of_several_widths),
        cmocka_unit_test(multiply_adds_of_vgg),
        cmocka_unit_test(weights_and_biases_of_cin_net_start_uniformly),
        cmocka_unit_test(resnet18_starts_as_published),
        cmocka_unit_test(hidden_layers_of_resnet18),
        cmocka_unit_test(parameters_of_units),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(operations_behind_the_inputs),
        cmocka_unit_test(blocks_of_predictions),
        cmocka_unit_test(checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
