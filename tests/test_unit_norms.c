/** Layer normalisation, online normalisation and dropout in double: cases worked out by hand, gradients in every
 *  mode, and what they do to units, buffers and names. */
#include "mode_net.h"

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

enum { MEAN, VARIANCE, ERROR_MEAN, ERROR_SCALE };

static eg_net *of_one(eg_layer layer)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    layers[0] = layer;
    assert_ok(eg_net_create(&net, layers, 1, 1));
    return net;
}

/* The gradient of the input of a network's only layer. */
static void input_gradient(eg_net *net, const eg_real *x, const eg_real *dy, eg_real *y,
                           eg_real *grads, eg_real *dx)
{
    const eg_node *node = &net->nodes[0];
    enum { CACHE = 100 };
    eg_real cache[CACHE];
    const eg_real *const inputs[] = {x};
    eg_real *const input_grads[] = {dx};
    eg_real *const both[] = {grads, grads + net->inputs};
    assert_true(node->layer.cache_per_example <= CACHE);
    const eg_layer_context context = {.mode = EG_MODE_TRAIN,
                                      .batch = 1,
                                      .x = inputs,
                                      .y = y,
                                      .dy = dy,
                                      .dx = input_grads,
                                      .params = net->nodes[0].params,
                                      .grads = both,
                                      .buffers = net->nodes[0].buffers,
                                      .cache = cache};
    node->layer.ops->forward(&node->layer, &context);
    node->layer.ops->backward(&node->layer, &context);
}

/* x 1 2 3 4: mean 2.5, variance 1.25. Numbers of numpy in double. */
static void layer_norm_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {1, 2, 3, 4};
    const eg_real one[] = {1, 0, 0, 0};
    const eg_real other[] = {0.1, -0.2, 0.3, 0};
    const double normal[] = {-1.3416354, -0.4472118, 0.4472118, 1.3416354};
    const double first[] = {0.2683303, -0.3577684, -0.0894434, 0.1788815};
    const double second[] = {0.1565239, -0.3130484, 0.1565242, 3e-7};
    eg_real y[4];
    eg_real grads[8];
    eg_real dx[4];
    eg_layer layer;
    eg_layer_norm(&layer, eg_shape_vector(4));
    eg_net *net = of_one(layer);
    input_gradient(net, x, one, y, grads, dx);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs(y[i] - normal[i]) < 1e-6 && fabs(dx[i] - first[i]) < 1e-6);
        assert_true(fabs(grads[i] - one[i] * normal[i]) < 1e-6 && grads[4 + i] == one[i]);
    }
    const eg_real scale[] = {1, 2, 0.5, 1};
    memcpy(net->params, scale, sizeof scale);
    input_gradient(net, x, other, y, grads, dx);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs(y[i] - scale[i] * normal[i]) < 1e-6);
        assert_true(fabs(dx[i] - second[i]) < 1e-6);
    }
    eg_net_free(net);
}

/* Two units, decays 0.9 and 0.5, two examples one after the other: the published update, followed in Python
 * with the formulas of Dohare et al. 2024 / Chiley et al. 2019. */
static void online_norm_by_hand(void **state)
{
    (void)state;
    const eg_real x[2][2] = {{1, -2}, {3, 0.5}};
    const eg_real dy[2][2] = {{1, -1}, {0.5, 2}};
    const double expected_y[2][2] = {{0.3885143083, -1.3597991077}, {1.2129602440, 0.7271340884}};
    const double expected_dx[2][2] = {{0.2565661508, 0.1466078258}, {-0.8176721524, 0.9355979136}};
    const double scales[2][2] = {{0.2565661508, -0.1466078258}, {-0.9094810839, 0.3246087883}};
    const double shifts[2][2] = {{0.2565674337, 0.0733042794}, {-0.3120437321, 0.5205341530}};
    const double buffers[2][4][2] = {
        {{0.1, -0.2}, {0.99, 1.26}, {0.2565661508, 0.1466078258}, {0.2565661508, -0.2932156516}},
        {{0.39, -0.13},
         {1.6479, 1.1781},
         {-0.5611060015, 1.0822057394},
         {-1.7426621723, 0.4130156270}}};
    eg_layer layer;
    assert_ok(eg_layer_online_norm(&layer, 2, 0.9, 0.5));
    eg_net *net = of_one(layer);
    net->params[1] = 2;
    net->params[3] = 0.5;
    for (size_t e = 0; e < 2; e++) {
        eg_real y[2];
        eg_real grads[4];
        eg_real dx[2];
        input_gradient(net, x[e], dy[e], y, grads, dx);
        for (size_t i = 0; i < 2; i++) {
            assert_close(y[i], expected_y[e][i], 1e-9);
            assert_close(dx[i], expected_dx[e][i], 1e-9);
            assert_close(grads[i], scales[e][i], 1e-9);
            assert_close(grads[2 + i], shifts[e][i], 1e-9);
            for (size_t b = MEAN; b <= ERROR_SCALE; b++) {
                assert_close(net->nodes[0].buffers[b][i], buffers[e][b][i], 1e-9);
            }
        }
    }
    eg_net_free(net);
}

typedef enum kind { LAYER, ONLINE, DROPOUT, KINDS } kind;

static const eg_activation *swish(void)
{
    return (const eg_activation *)eg_family_find(&eg_activation_family, "swish");
}

/* linear – (norm) – swish – (dropout) – linear */
static eg_net *network(kind which)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    eg_shape shape = eg_shape_vector(UNITS);
    size_t at = which == DROPOUT ? 1 : 2;
    assert_ok(eg_alloc(&layers, 4, sizeof *layers));
    assert_ok(eg_layer_linear_panels(&layers[0], eg_shape_vector(IN), UNITS, EG_NORM_NONE, true,
                                     EG_INITIALIZER_UNIFORM));
    if (which == LAYER) {
        eg_layer_norm(&layers[1], shape);
    } else if (which == ONLINE) {
        assert_ok(eg_layer_online_norm(&layers[1], UNITS, 0.9, 0.8));
    } else {
        assert_ok(eg_layer_dropout(&layers[2], 0.4, 0, shape));
    }
    assert_ok(eg_layer_activation(&layers[at], swish(), none, shape));
    assert_ok(eg_layer_linear(&layers[3], shape, OUT, EG_NORM_NONE, true, EG_INITIALIZER_UNIFORM));
    assert_ok(eg_net_create(&net, layers, 4, 1));
    return net;
}

/* Statistics and errors away from where they start. */
static void train_a_little(eg_net *net, eg_workspace *workspace)
{
    eg_real dy[B * OUT];
    for (size_t t = 0; t < 10; t++) {
        (void)loss_of(net, workspace, EG_MODE_TRAIN, dy);
        eg_net_backward(net, workspace, dy, NULL);
        eg_net_updated(net, workspace);
    }
}

/* In the modes in which nothing moves; layer normalisation is in training what it is there. */
static void gradients(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_PROBE, EG_MODE_PROBE_BATCH, EG_MODE_TRAIN};
    for (int k = 0; k < KINDS; k++) {
        eg_net *net = network((kind)k);
        eg_workspace *workspace = NULL;
        assert_ok(eg_workspace_create(&workspace, net, B, true));
        train_a_little(net, workspace);
        eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, (uint64_t)k);
        for (size_t i = 0; i < net->table.block_count; i++) {
            const eg_parameter_block *block = &net->table.blocks[i];
            for (size_t j = 0; block->role >= EG_ROLE_SCALE && j < block->count; j++) {
                net->params[block->offset + j] += 0.3 * eg_rng_normal(&rng);
            }
        }
        for (size_t m = 0; m < (k == LAYER ? 3 : 2); m++) {
            assert_gradients(net, workspace, modes[m]);
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/* A minibatch of two is two examples one after the other. */
static void online_norm_goes_example_by_example(void **state)
{
    (void)state;
    double buffers[2][4 * UNITS];
    eg_real kept[2][OUT];
    for (size_t together = 0; together < 2; together++) {
        eg_net *net = network(ONLINE);
        eg_workspace *workspace = NULL;
        eg_real x[B * IN];
        eg_real dy[2 * OUT];
        assert_ok(eg_workspace_create(&workspace, net, 2, true));
        make_input(x, 7);
        for (size_t e = 0; e < 2; e += together + 1) {
            for (size_t i = 0; i < EG_COUNT(dy); i++) {
                dy[i] = (eg_real)(e * OUT + i) / 4 - 1;
            }
            const eg_real *y =
                eg_net_forward(net, workspace, EG_MODE_TRAIN, together + 1, x + e * IN, NULL);
            memcpy(kept[together], y + together * OUT, sizeof kept[0]);
            eg_net_backward(net, workspace, dy, NULL);
        }
        for (size_t i = 0; i < net->buffer_count; i++) {
            buffers[together][i] = net->buffers[i];
        }
        assert_int_equal(net->buffer_count, EG_COUNT(buffers[0]));
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
    for (size_t i = 0; i < EG_COUNT(buffers[0]); i++) {
        assert_close(buffers[0][i], buffers[1][i], 1e-12);
    }
    for (size_t i = 0; i < OUT; i++) {
        assert_close(kept[0][i], kept[1][i], 1e-12);
    }
}

static void only_training_moves(void **state)
{
    (void)state;
    eg_net *net = network(ONLINE);
    eg_workspace *workspace = NULL;
    double before[4 * UNITS];
    eg_real dy[B * OUT];
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    train_a_little(net, workspace);
    memcpy(before, net->buffers, sizeof before);
    for (eg_mode mode = EG_MODE_PREDICT; mode <= EG_MODE_PREDICT_BATCH; mode++) {
        (void)loss_of(net, workspace, mode, dy);
        if (eg_mode_keeps(mode)) {
            eg_net_backward(net, workspace, dy, NULL);
        }
        assert_memory_equal(before, net->buffers, sizeof before);
    }
    (void)loss_of(net, workspace, EG_MODE_TRAIN, dy);
    eg_net_backward(net, workspace, dy, NULL);
    for (size_t i = 0; i < EG_COUNT(before); i++) {
        assert_true(before[i] != net->buffers[i]);
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* A unit's parameters are four runs, and it may begin anew without the others. */
static void norms_belong_to_the_unit(void **state)
{
    (void)state;
    const eg_role roles[] = {EG_ROLE_WEIGHT, EG_ROLE_BIAS, EG_ROLE_SCALE, EG_ROLE_SHIFT};
    for (int k = LAYER; k <= ONLINE; k++) {
        eg_net *net = network((kind)k);
        eg_workspace *workspace = NULL;
        eg_plane_run run;
        eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
        eg_real fresh[IN];
        size_t count = 0;
        for (; eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 3, count, &run); count++) {
            assert_int_equal(run.role, roles[count]);
            eg_net_fresh(net, &run, &rng, fresh);
            assert_true(run.role != EG_ROLE_SCALE || (run.count == 1 && fresh[0] == 1));
            assert_true(run.role != EG_ROLE_SHIFT || (run.count == 1 && fresh[0] == 0));
        }
        assert_int_equal(count, EG_COUNT(roles));
        assert_non_null(eg_parameter_table_find(&net->table, "norm1.scale"));
        assert_non_null(eg_parameter_table_find(&net->table, "layer2.weight"));
        assert_ok(eg_workspace_create(&workspace, net, B, true));
        train_a_little(net, workspace);
        double before[4 * UNITS] = {0};
        memcpy(before, net->buffers, net->buffer_count * sizeof *before);
        eg_net_unit_restart(net, 0, 3);
        for (size_t i = 0; i < net->buffer_count; i++) {
            double start = i / UNITS == VARIANCE ? 1 : 0;
            assert_true(net->buffers[i] == (i % UNITS == 3 ? start : before[i]));
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/* 100,000 draws of one half each way; what is kept is divided by 1 - p, and backward keeps the same. */
static void dropout_keeps_the_mean(void **state)
{
    (void)state;
    enum { WIDE = 1000, ROWS = 100 };
    const double p = 0.3;
    static eg_real x[WIDE * ROWS];
    static eg_real y[3][WIDE * ROWS];
    eg_layer layer;
    assert_ok(eg_layer_dropout(&layer, p, 1, eg_shape_vector(WIDE)));
    eg_net *net = of_one(layer);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, ROWS, true));
    for (size_t i = 0; i < EG_COUNT(x); i++) {
        x[i] = 7;
    }
    for (size_t round = 0; round < 2; round++) {
        memcpy(y[round], eg_net_forward(net, workspace, EG_MODE_TRAIN, ROWS, x, NULL), sizeof x);
        size_t dropped = 0;
        for (size_t i = 0; i < EG_COUNT(x); i++) {
            dropped += y[round][i] == 0;
            assert_true(y[round][i] == 0 || fabs(y[round][i] - 10) < 1e-9);
        }
        /* deviation sqrt(0.21 * 1e5) = 145 */
        assert_in_range(dropped, 30000 - 725, 30000 + 725);
    }
    assert_memory_not_equal(y[0], y[1], sizeof x);
    /* A probe of the minibatch sees what the last training saw; other probes everything. */
    memcpy(y[2], eg_net_forward(net, workspace, EG_MODE_PROBE_BATCH, ROWS, x, NULL), sizeof x);
    assert_memory_equal(y[1], y[2], sizeof x);
    assert_memory_equal(eg_net_forward(net, workspace, EG_MODE_PROBE, ROWS, x, NULL), x, sizeof x);
    assert_memory_equal(eg_net_forward(net, workspace, EG_MODE_PREDICT, ROWS, x, NULL), x,
                        sizeof x);
    /* Another layer, another seed: other units. The same: the same, whatever came before. */
    eg_net_init(net, 1);
    memcpy(y[2], eg_net_forward(net, workspace, EG_MODE_TRAIN, ROWS, x, NULL), sizeof x);
    assert_memory_equal(y[0], y[2], sizeof x);
    eg_net_init(net, 2);
    memcpy(y[2], eg_net_forward(net, workspace, EG_MODE_TRAIN, ROWS, x, NULL), sizeof x);
    assert_memory_not_equal(y[0], y[2], sizeof x);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_norm_by_hand),
        cmocka_unit_test(online_norm_by_hand),
        cmocka_unit_test(gradients),
        cmocka_unit_test(online_norm_goes_example_by_example),
        cmocka_unit_test(only_training_moves),
        cmocka_unit_test(norms_belong_to_the_unit),
        cmocka_unit_test(dropout_keeps_the_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
