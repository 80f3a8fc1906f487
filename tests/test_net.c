/** Linear layers and networks, built from layers: values by hand, layout, memory. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

static const eg_activation *activation(const char *name)
{
    return (const eg_activation *)eg_family_find(&eg_activation_family, name);
}

/** A network of one linear layer with these weights (and biases behind them). */
static eg_net *linear_net(size_t inputs, size_t outputs, eg_norm norm, bool bias,
                          const eg_real *params)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(inputs), outputs, norm, bias,
                              EG_INITIALIZER_NORMAL));
    assert_ok(eg_net_create(&net, layers, 1, 1));
    memcpy(net->params, params, eg_layer_param_count(&net->nodes[0].layer) * sizeof *params);
    eg_net_touch(net);
    return net;
}

/** inputs – 6 hard_ash – outputs, centered. */
static eg_net *small_net(size_t inputs, size_t outputs, uint64_t seed)
{
    const double p[] = {1, 0.5, 2};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 3, sizeof *layers));
    assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(inputs), 6, EG_NORM_CENTERED, true,
                              EG_INITIALIZER_NORMAL));
    assert_ok(eg_layer_activation(&layers[1], activation("hard_ash"), p, eg_shape_vector(6)));
    assert_ok(eg_layer_linear(&layers[2], eg_shape_vector(6), outputs, EG_NORM_NONE, true,
                              EG_INITIALIZER_NORMAL));
    assert_ok(eg_net_create(&net, layers, 3, seed));
    return net;
}

static void random_numbers(uint64_t index, size_t n, eg_real *x)
{
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
}

/** Output and gradient of one example through a linear layer. */
static void run_linear(eg_net *net, const eg_real *x, const eg_real *dy, eg_real *y)
{
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    memcpy(y, eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), net->outputs * sizeof *y);
    eg_net_backward(net, workspace, dy, NULL);
    eg_workspace_free(workspace);
}

/* W = (1 2; 3 4), b = (10, 20), x = (5, 6): y = 5 + 12 + 10 = 27, 15 + 24 + 20 = 59.
 * dy = (1, 2): dW = (5 6; 10 12), db = (1, 2). */
static void linear_by_hand(void **state)
{
    (void)state;
    const eg_real params[] = {1, 2, 3, 4, 10, 20};
    const eg_real x[] = {5, 6};
    const eg_real dy[] = {1, 2};
    const double dw[] = {5, 6, 10, 12, 1, 2};
    eg_real y[2];
    eg_net *net = linear_net(2, 2, EG_NORM_NONE, true, params);
    run_linear(net, x, dy, y);
    assert_close((double)y[0], 27.0, 0.0);
    assert_close((double)y[1], 59.0, 0.0);
    for (size_t i = 0; i < 6; i++) {
        assert_close((double)net->grads[i], dw[i], 0.0);
    }
    eg_net_free(net);
}

/* w = (3, 4), |w| = 5, u = (0.6, 0.8), x = (1, 2): y = 2.2. dy = 1: G = x, G.u = 2.2,
 * dw = (1 - 2.2*0.6, 2 - 2.2*0.8)/5 = (-0.064, 0.048). */
static void plain_norm_by_hand(void **state)
{
    (void)state;
    const eg_real w[] = {3, 4};
    const eg_real x[] = {1, 2};
    const eg_real dy[] = {1};
    eg_real y[1];
    eg_net *net = linear_net(2, 1, EG_NORM_PLAIN, false, w);
    run_linear(net, x, dy, y);
    assert_close((double)y[0], 2.2, 1e-6);
    assert_close((double)net->grads[0], -0.064, 1e-6);
    assert_close((double)net->grads[1], 0.048, 1e-6);
    eg_net_free(net);
}

/* w = (1, 2, 6): mean 3, v = (-2, -1, 3), |v| = sqrt 14; x = (1, 0, 2): v.x = 4, y = 4/sqrt 14.
 * G = x: mean 1, (G.u) u = 4 v/14; dw = (G - 1 - 4 v/14)/sqrt 14
 *      = (0 + 8/14, -1 + 4/14, 1 - 12/14)/sqrt 14 = (8, -10, 2)/(14 sqrt 14). */
static void centered_norm_by_hand(void **state)
{
    (void)state;
    const eg_real w[] = {1, 2, 6};
    const eg_real x[] = {1, 0, 2};
    const eg_real dy[] = {1};
    eg_real y[1];
    eg_net *net = linear_net(3, 1, EG_NORM_CENTERED, false, w);
    run_linear(net, x, dy, y);
    double root = sqrt(14.0);
    assert_close((double)y[0], 4.0 / root, 1e-6);
    assert_close((double)net->grads[0], 8.0 / (14.0 * root), 1e-6);
    assert_close((double)net->grads[1], -10.0 / (14.0 * root), 1e-6);
    assert_close((double)net->grads[2], 2.0 / (14.0 * root), 1e-6);
    eg_net_free(net);
}

/* A row without norm is used as zeros and stays as it is; a NaN in a row is not hidden. */
static void rows_without_norm(void **state)
{
    (void)state;
    const eg_real w[] = {2, 2, 0, 0, (eg_real)NAN, 1};
    const eg_real x[] = {1, 3};
    const eg_real dy[] = {1, 1, 1};
    eg_real y[3];
    eg_net *net = linear_net(2, 3, EG_NORM_CENTERED, false, w);
    run_linear(net, x, dy, y);
    for (size_t j = 0; j < 2; j++) {
        assert_close((double)y[j], 0.0, 0.0);
        assert_close((double)net->grads[2 * j], 0.0, 0.0);
        assert_close((double)net->grads[2 * j + 1], 0.0, 0.0);
    }
    assert_true(isnan(y[2]) && isnan(net->grads[4]));
    eg_net_free(net);
}

/** Output of one layer for weights w scaled and shifted. */
static void normalised_output(eg_norm norm, eg_real scale, eg_real shift, eg_real *y)
{
    enum { IN = 9, OUT = 4 };
    eg_real w[IN * OUT];
    eg_real x[IN];
    eg_real dy[OUT] = {0};
    random_numbers(1, IN * OUT, w);
    random_numbers(2, IN, x);
    for (size_t i = 0; i < IN * OUT; i++) {
        w[i] = w[i] * scale + shift;
    }
    eg_net *net = linear_net(IN, OUT, norm, false, w);
    run_linear(net, x, dy, y);
    eg_net_free(net);
}

static void normalisation_forgets_scale_and_shift(void **state)
{
    (void)state;
    eg_real raw[4];
    eg_real other[4];
    normalised_output(EG_NORM_CENTERED, 1, 0, raw);
    normalised_output(EG_NORM_CENTERED, 3, (eg_real)0.7, other);
    for (size_t i = 0; i < 4; i++) {
        assert_close((double)other[i], (double)raw[i], 1e-5);
    }
    normalised_output(EG_NORM_PLAIN, 1, 0, raw);
    normalised_output(EG_NORM_PLAIN, 3, 0, other);
    for (size_t i = 0; i < 4; i++) {
        assert_close((double)other[i], (double)raw[i], 1e-5);
    }
    normalised_output(EG_NORM_PLAIN, 1, (eg_real)0.7, other);
    assert_true(fabs((double)other[0] - (double)raw[0]) > 1e-2);
}

/* Kaiming: variance 2/fan_in; biases 0; other seeds and other layers draw other numbers. */
static void starting_values(void **state)
{
    (void)state;
    enum { IN = 200, OUT = 300 };
    eg_layer layer;
    eg_real *w[3] = {NULL};
    assert_ok(eg_layer_linear(&layer, eg_shape_vector(IN), OUT, EG_NORM_NONE, true,
                              EG_INITIALIZER_NORMAL));
    for (uint64_t v = 0; v < 3; v++) {
        assert_ok(eg_alloc(&w[v], eg_layer_param_count(&layer), sizeof **w));
        w[v][IN * OUT] = 1;
        eg_real *const blocks[] = {w[v], w[v] + (size_t)IN * OUT};
        const eg_layer_context context = {.seed = v == 1 ? 8 : 7, .params = blocks};
        layer.ops->init(&layer, &context, v == 2 ? 2 : 0);
    }
    double sum = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < IN * OUT; i++) {
        sum += (double)w[0][i];
        squares += (double)w[0][i] * (double)w[0][i];
    }
    /* 60,000 draws: four standard errors of the mean (0.1/245) and of the variance. */
    assert_true(fabs(sum / (IN * OUT)) < 4.0 * 0.1 / 245.0);
    assert_true(fabs(squares / (IN * OUT) / 0.01 - 1.0) < 4.0 * sqrt(2.0 / (IN * OUT)));
    assert_true(w[0][IN * OUT] == 0);
    assert_true(w[0][0] != w[1][0] && w[0][0] != w[2][0]);
    for (size_t v = 0; v < 3; v++) {
        eg_free(w[v]);
    }
    eg_layer_clear(&layer);
}

/* Uniform in ±1/sqrt(fan_in) = ±0.1, variance 0.01/3, biases by the same law. */
static void uniform_starting_values(void **state)
{
    (void)state;
    enum { IN = 100, OUT = 600 };
    eg_layer layer;
    eg_real *w = NULL;
    assert_ok(eg_layer_linear(&layer, eg_shape_vector(IN), OUT, EG_NORM_NONE, true,
                              EG_INITIALIZER_UNIFORM));
    assert_ok(eg_alloc(&w, eg_layer_param_count(&layer), sizeof *w));
    eg_real *const blocks[] = {w, w + (size_t)IN * OUT};
    const eg_layer_context context = {.seed = 7, .params = blocks};
    layer.ops->init(&layer, &context, 0);
    double sum[2] = {0};
    double squares[2] = {0};
    for (size_t i = 0; i < eg_layer_param_count(&layer); i++) {
        size_t part = i < IN * OUT ? 0 : 1;
        assert_true(fabs((double)w[i]) <= 0.1 + 1e-8);
        sum[part] += (double)w[i];
        squares[part] += (double)w[i] * (double)w[i];
    }
    /* Four standard errors: 0.1/sqrt(3 n) of the mean, sqrt(0.8/n) of the variance's ratio. */
    const double n[2] = {IN * OUT, OUT};
    for (size_t part = 0; part < 2; part++) {
        assert_true(fabs(sum[part] / n[part]) < 4.0 * 0.1 / sqrt(3.0 * n[part]));
        assert_true(fabs(squares[part] / n[part] * 300.0 - 1.0) < 4.0 * sqrt(0.8 / n[part]));
    }
    eg_free(w);
    eg_layer_clear(&layer);
}

static void slices_are_aligned_and_padded(void **state)
{
    (void)state;
    eg_net *net = small_net(5, 3, 1);
    size_t line = EG_ALIGNMENT / sizeof(eg_real);
    assert_int_equal(net->inputs, 5);
    assert_int_equal(net->outputs, 3);
    assert_int_equal(net->nodes[0].param_offset, 0);
    /* 5*6 + 6 = 36 numbers, the activation has none, 6*3 + 3 = 21. */
    assert_int_equal(net->nodes[1].param_offset, (36 + line - 1) / line * line);
    assert_int_equal(net->nodes[2].param_offset, net->nodes[1].param_offset);
    assert_int_equal(net->param_count % line, 0);
    assert_int_equal((uintptr_t)(net->params + net->nodes[2].param_offset) % EG_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)net->grads % EG_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)net->derived % EG_ALIGNMENT, 0);
    for (size_t i = 36; i < net->nodes[1].param_offset; i++) {
        assert_true(net->params[i] == 0 && net->grads[i] == 0);
    }
    /* 2*5*6 + 6, 10*6, 2*6*3 + 3 */
    assert_close(eg_net_flops(net), 66.0 + 60.0 + 39.0, 0.0);
    assert_int_equal(net->hidden_count, 1);
    eg_net_free(net);
}

/** Notes what an observer of 6 hidden units is shown. */
static void copy_units(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    assert_int_equal(hidden, 0);
    memcpy(user, y, batch * 6 * sizeof *y);
}

/* Every example is on its own: a batch gives what its halves give, and its gradient is their sum. */
static void a_batch_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    enum { IN = 5, OUT = 3, B = 6 };
    eg_real x[B * IN];
    eg_real dy[B * OUT];
    eg_real sum[256] = {0};
    random_numbers(3, B * IN, x);
    random_numbers(4, B * OUT, dy);
    eg_net *net = small_net(IN, OUT, 1);
    eg_workspace *workspace = NULL;
    eg_workspace *evaluation = NULL;
    assert_true(net->param_count <= EG_COUNT(sum));
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_ok(eg_workspace_create(&evaluation, net, B + 1, false));
    eg_real parts[B * OUT];
    eg_real hidden[B * 6];
    for (size_t start = 0; start < B; start += 2) {
        const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, 2, x + start * IN, NULL);
        memcpy(parts + start * OUT, y, 2 * OUT * sizeof *y);
        memcpy(hidden + start * 6, eg_workspace_hidden(workspace, net, 0), 2 * 6 * sizeof *y);
        eg_net_backward(net, workspace, dy + start * OUT, NULL);
        for (size_t i = 0; i < net->param_count; i++) {
            sum[i] += net->grads[i];
        }
    }
    const eg_real *whole = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, x, NULL);
    eg_net_backward(net, workspace, dy, NULL);
    eg_real units[B * 6];
    const eg_unit_observer observer = {.observe = copy_units, .user = units};
    eg_workspace_observe(evaluation, &observer);
    const eg_real *evaluated = eg_net_forward(net, evaluation, EG_MODE_PREDICT, B, x, NULL);
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        assert_close((double)whole[i], (double)parts[i], 1e-5);
        assert_close((double)evaluated[i], (double)parts[i], 1e-5);
    }
    for (size_t i = 0; i < (size_t)B * 6; i++) {
        assert_close((double)units[i], (double)hidden[i], 1e-5);
    }
    for (size_t i = 0; i < net->param_count; i++) {
        assert_close((double)net->grads[i], (double)sum[i], 1e-5);
    }
    eg_workspace_free(workspace);
    eg_workspace_free(evaluation);
    eg_net_free(net);
}

static void normalised_weights_follow_the_raw_ones(void **state)
{
    (void)state;
    const eg_real w[] = {3, 4};
    const eg_real x[] = {1, 0};
    eg_net *net = linear_net(2, 1, EG_NORM_PLAIN, false, w);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, false));
    assert_close((double)eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL)[0], 0.6, 1e-6);
    net->params[0] = 0;
    eg_net_touch(net);
    assert_close((double)eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL)[0], 0.0, 1e-6);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

static void out_of_memory(void **state)
{
    (void)state;
    const double p[] = {1, 0.5, 2};
    bool created = false;
    size_t failures = 0;
    while (!created) {
        size_t before = eg_memory_live_blocks();
        eg_layer *layers = NULL;
        eg_net *net = NULL;
        assert_ok(eg_alloc(&layers, 3, sizeof *layers));
        assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(4), 6, EG_NORM_PLAIN, false,
                                  EG_INITIALIZER_NORMAL));
        assert_ok(eg_layer_activation(&layers[1], activation("hard_ash"), p, eg_shape_vector(6)));
        assert_ok(eg_layer_linear(&layers[2], eg_shape_vector(6), 2, EG_NORM_NONE, false,
                                  EG_INITIALIZER_NORMAL));
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_net_create(&net, layers, 3, 1);
        eg_memory_fail_after(0);
        created = eg_is_ok(&status);
        if (created) {
            eg_net_free(net);
        } else {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(net);
            failures++;
        }
        assert_int_equal(eg_memory_live_blocks(), before);
    }
    assert_true(failures >= 6); /* net, two tables, params, grads, derived */
}

static void out_of_memory_in_a_pass(void **state)
{
    (void)state;
    eg_net *net = small_net(4, 2, 1);
    eg_workspace *workspace = NULL;
    size_t failures = 0;
    size_t before = eg_memory_live_blocks();
    while (workspace == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_workspace_create(&workspace, net, 3, true);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(workspace);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_true(failures >=
                11); /* workspace, two tables, three outputs, three caches, two gradients */
    eg_workspace_free(workspace);
    assert_int_equal(eg_memory_live_blocks(), before);
    eg_net_free(net);
    eg_net_free(NULL);
    eg_workspace_free(NULL);
    eg_layers_free(NULL, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_by_hand),
        cmocka_unit_test(plain_norm_by_hand),
        cmocka_unit_test(centered_norm_by_hand),
        cmocka_unit_test(rows_without_norm),
        cmocka_unit_test(normalisation_forgets_scale_and_shift),
        cmocka_unit_test(starting_values),
        cmocka_unit_test(uniform_starting_values),
        cmocka_unit_test(slices_are_aligned_and_padded),
        cmocka_unit_test(a_batch_is_the_sum_of_its_parts),
        cmocka_unit_test(normalised_weights_follow_the_raw_ones),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(out_of_memory_in_a_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
