/** Gradient checks through whole networks, in double: every parameter of every layer, for every
 *  normalisation, and the loss with respect to the network's output. */
#include "testing.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/net.h"
#include "engram/random.h"
#include "nn/layers.h"

#include <math.h>

enum { IN = 5, OUT = 3, B = 4 };

static const double step = 1e-5;

static const eg_loss *cross_entropy(void)
{
    return (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
}

static const uint32_t labels[B] = {0, 2, 1, 2};

/** How the weight layers are made and what the first one is given. */
typedef enum layer_path {
    ROWS,
    PANELS,
    PANELS_SPARSE,
    ONLINE,
    ONLINE_SPARSE,
    ONLINE_ONE,        /**< one example */
    ONLINE_ONE_SPARSE, /**< with a background */
    ONLINE_ONE_LIST,   /**< on 0 */
    PATHS
} layer_path;

static size_t batch_of(layer_path path)
{
    return path >= ONLINE_ONE ? 1 : B;
}

static bool is_sparse(layer_path path)
{
    return path == PANELS_SPARSE || path == ONLINE_SPARSE || path >= ONLINE_ONE_SPARSE;
}

static void linear(eg_layer *out, layer_path path, size_t inputs, size_t outputs, eg_norm norm,
                   bool bias)
{
    if (path == ROWS) {
        assert_ok(eg_layer_linear(out, eg_shape_vector(inputs), outputs, norm, bias,
                                  EG_INITIALIZER_NORMAL));
    } else if (path < ONLINE) {
        assert_ok(eg_layer_linear_panels(out, eg_shape_vector(inputs), outputs, norm, bias,
                                         EG_INITIALIZER_NORMAL));
    } else {
        assert_int_equal(norm, EG_NORM_NONE);
        assert_ok(eg_layer_linear_online(out, eg_shape_vector(inputs), outputs, bias,
                                         EG_INITIALIZER_NORMAL));
    }
}

/** 5 – 7 – 6 – 3 with one normalisation per weight layer. */
static eg_net *network(layer_path path, const char *activation, const double *p,
                       const eg_norm *norm, bool bias)
{
    const eg_activation *a =
        (const eg_activation *)eg_family_find(&eg_activation_family, activation);
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 5, sizeof *layers));
    linear(&layers[0], path, IN, 7, norm[0], bias);
    assert_ok(eg_layer_activation(&layers[1], a, p, eg_shape_vector(7)));
    linear(&layers[2], path, 7, 6, norm[1], bias);
    assert_ok(eg_layer_activation(&layers[3], a, p, eg_shape_vector(6)));
    linear(&layers[4], path, 6, OUT, norm[2], bias);
    assert_ok(eg_net_create(&net, layers, 5, 1));
    /* Biases start as 0, where a missing one would not show. */
    eg_rng rng = eg_rng_make(2, EG_PURPOSE_TEST, 0);
    for (size_t l = 0; l < 5; l++) {
        for (size_t i = 0; i < eg_layer_param_count(&net->nodes[l].layer); i++) {
            net->params[net->nodes[l].param_offset + i] += 0.1 * eg_rng_normal(&rng);
        }
    }
    return net;
}

/** 5 – 7 – 6 – 3 with inputs of unit length in front of both hidden layers. The winners are masked:
 *  what SDMLP subtracts from them is a constant for the gradient, but not for differences. */
static eg_net *unit_network(layer_path path)
{
    const eg_constraint unit = {.unit_input = true, .bias = true};
    const eg_inhibition winners = {
        .kind = EG_INHIBITION_FLAT, .masked = true, .k = 4, .switch_count = 1};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 5, sizeof *layers));
    assert_ok(eg_layer_constrained(&layers[0], eg_shape_vector(IN), 7, path != ROWS, &unit));
    assert_ok(eg_layer_inhibition(&layers[1], 7, &winners));
    assert_ok(eg_layer_constrained(&layers[2], eg_shape_vector(7), 6, path != ROWS, &unit));
    assert_ok(eg_layer_inhibition(&layers[3], 6, &winners));
    linear(&layers[4], path, 6, OUT, EG_NORM_NONE, true);
    assert_ok(eg_net_create(&net, layers, 5, 1));
    return net;
}

/** A minibatch, also sparse if that is what the first layer is given. */
typedef struct input {
    size_t batch;
    eg_real x[B * IN];
    eg_sparse *sparse;
} input;

/* Every third number is background, which is 0 only for a list. */
static void make_input(input *in, layer_path path)
{
    const eg_real background = path == ONLINE_ONE_LIST ? 0 : -0.4;
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    uint32_t n = 0;
    in->sparse = NULL;
    in->batch = batch_of(path);
    if (is_sparse(path)) {
        assert_ok(eg_sparse_create(&in->sparse, B, IN));
        in->sparse->rows = in->batch;
        in->sparse->background = background;
    }
    for (size_t i = 0; i < in->batch * IN; i++) {
        in->x[i] = i % 3 == 0 ? background : eg_rng_normal(&rng);
        if (in->sparse != NULL && i % 3 != 0) {
            in->sparse->column[n] = (uint32_t)(i % IN);
            in->sparse->value[n++] = in->x[i] - background;
        }
        if (in->sparse != NULL) {
            in->sparse->start[i / IN + 1] = n;
        }
    }
}

static double loss_of(eg_net *net, eg_workspace *workspace, const input *in, eg_real *dy)
{
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, in->batch,
                                      in->sparse == NULL ? in->x : NULL, in->sparse);
    return cross_entropy()->evaluate(in->batch, OUT, y, labels, NULL, dy);
}

/** Loss with parameter i moved by `by`. */
static double moved(eg_net *net, eg_workspace *workspace, const input *in, size_t i, double by)
{
    eg_real dy[B * OUT];
    eg_real kept = net->params[i];
    net->params[i] = kept + by;
    eg_net_touch(net);
    double value = loss_of(net, workspace, in, dy);
    net->params[i] = kept;
    eg_net_touch(net);
    return value;
}

/** Takes the network. */
static void check_path(layer_path path, eg_net *net)
{
    eg_workspace *workspace = NULL;
    eg_real dy[B * OUT];
    input in;
    make_input(&in, path);
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    double here = loss_of(net, workspace, &in, dy);
    eg_net_backward(net, workspace, dy, NULL);
    size_t compared = 0;
    size_t of_first_layer = 0;
    size_t all = 0;
    for (size_t l = 0; l < net->node_count; l++) {
        for (size_t k = 0; k < eg_layer_param_count(&net->nodes[l].layer); k++) {
            size_t i = net->nodes[l].param_offset + k;
            double h = step * fmax(1.0, fabs(net->params[i]));
            double right = moved(net, workspace, &in, i, h);
            double left = moved(net, workspace, &in, i, -h);
            all++;
            /* At a kink the slopes to both sides differ. */
            if (fabs((right - here) - (here - left)) / h > 1e-3) {
                continue;
            }
            compared++;
            of_first_layer += l == 0 && net->grads[i] != 0.0 ? 1 : 0;
            assert_close(net->grads[i], (right - left) / (2.0 * h), 1e-8);
        }
    }
    assert_true(compared > all * 9 / 10);
    assert_true(of_first_layer > 10);
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_sparse_free(in.sparse);
}

static void check_network(const char *activation, const double *p, const eg_norm *norm, bool bias)
{
    for (int which = ROWS; which <= PANELS_SPARSE; which++) {
        check_path((layer_path)which, network((layer_path)which, activation, p, norm, bias));
    }
}

static void every_normalisation_in_every_layer(void **state)
{
    (void)state;
    const double none[] = {0};
    for (int combination = 0; combination < 27; combination++) {
        const eg_norm norm[] = {(eg_norm)(combination % 3), (eg_norm)(combination / 3 % 3),
                                (eg_norm)(combination / 9)};
        check_network("swish", none, norm, combination % 2 == 0);
    }
}

/* The units of a layer depend on each other; so does what reaches the layers below. */
static void activations_over_the_layer(void **state)
{
    (void)state;
    const eg_norm norm[] = {EG_NORM_CENTERED, EG_NORM_NONE, EG_NORM_NONE};
    const double ash[] = {2, 0.5};
    const double hard_ash[] = {1, 0.5, 4};
    const double topk[] = {3, 0};
    check_network("ash", ash, norm, false);
    check_network("hard_ash", hard_ash, norm, false);
    check_network("topk_subtract", topk, norm, true);
}

/* The layers for one example, and for more; with units that are off the gradient of their inputs is
 * not worked out, which must not show. Lanes without a unit are no parameters: nothing reads them. */
static void example_by_example(void **state)
{
    (void)state;
    const double none[] = {0};
    const eg_norm norm[] = {EG_NORM_NONE, EG_NORM_NONE, EG_NORM_NONE};
    for (int which = ONLINE; which < PATHS; which++) {
        for (int bias = 0; bias < 2; bias++) {
            layer_path path = (layer_path)which;
            check_path(path, network(path, "swish", none, norm, bias == 1));
            check_path(path, network(path, "relu", none, norm, bias == 1));
        }
    }
}

static void inputs_of_unit_length(void **state)
{
    (void)state;
    for (int which = ROWS; which <= PANELS_SPARSE; which++) {
        check_path((layer_path)which, unit_network((layer_path)which));
    }
}

/* dL/dy of the loss itself; rows sum to 0 because softmax does not see a common shift. */
static void loss_with_respect_to_the_output(void **state)
{
    (void)state;
    eg_rng rng = eg_rng_make(4, EG_PURPOSE_TEST, 0);
    eg_real y[B * OUT];
    eg_real dy[B * OUT];
    eg_real unused[B * OUT];
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        y[i] = 2.0 * eg_rng_normal(&rng);
    }
    (void)cross_entropy()->evaluate(B, OUT, y, labels, NULL, dy);
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        double kept = y[i];
        y[i] = kept + step;
        double right = cross_entropy()->evaluate(B, OUT, y, labels, NULL, unused);
        y[i] = kept - step;
        double left = cross_entropy()->evaluate(B, OUT, y, labels, NULL, unused);
        y[i] = kept;
        assert_close(dy[i], (right - left) / (2.0 * step), 1e-9);
    }
    for (size_t b = 0; b < B; b++) {
        assert_close(dy[b * OUT] + dy[b * OUT + 1] + dy[b * OUT + 2], 0.0, 1e-15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_normalisation_in_every_layer),
        cmocka_unit_test(activations_over_the_layer),
        cmocka_unit_test(example_by_example),
        cmocka_unit_test(inputs_of_unit_length),
        cmocka_unit_test(loss_with_respect_to_the_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
