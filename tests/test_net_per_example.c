/** Squares and absolute values of single examples' gradients against the plain way: one example after
 *  the other, its own backward workspace, one number at a time. In double. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/net.h"
#include "engram/random.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

/* More units than fit in one strip. */
enum { IN = 5, WIDE = 70, OUT = 3, B = 4, ROUNDS = 3 };

typedef enum kind { ROWS, PANELS, ONLINE } kind;

static void linear(eg_layer *out, kind of, size_t inputs, size_t outputs, eg_norm norm, bool bias)
{
    if (of == ONLINE) {
        assert_int_equal(norm, EG_NORM_NONE);
        assert_ok(eg_layer_linear_online(out, eg_shape_vector(inputs), outputs, bias,
                                         EG_INITIALIZER_UNIFORM));
    } else {
        assert_ok((of == PANELS ? eg_layer_linear_panels : eg_layer_linear)(
            out, eg_shape_vector(inputs), outputs, norm, bias, EG_INITIALIZER_UNIFORM));
    }
}

static eg_net *network(kind of, eg_norm first, eg_norm second, bool bias)
{
    const eg_activation *swish =
        (const eg_activation *)eg_family_find(&eg_activation_family, "swish");
    const double p[] = {0};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 3, sizeof *layers));
    linear(&layers[0], of, IN, WIDE, first, bias);
    assert_ok(eg_layer_activation(&layers[1], swish, p, eg_shape_vector(WIDE)));
    linear(&layers[2], of, WIDE, OUT, second, bias);
    assert_ok(eg_net_create(&net, layers, 3, 1));
    return net;
}

static double power_of(eg_per_example what, double g)
{
    return what == EG_PER_EXAMPLE_SQUARE ? g * g : fabs(g);
}

/** expected [params] from one backward workspace per example. */
static void one_by_one(eg_net *net, eg_workspace *workspace, size_t batch, const eg_real *x,
                       const eg_real *dy, eg_per_example what, double *expected)
{
    for (size_t b = 0; b < batch; b++) {
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x + b * IN, NULL);
        eg_net_backward(net, workspace, dy + b * OUT, NULL);
        for (size_t i = 0; i < net->param_count; i++) {
            expected[i] += power_of(what, net->grads[i]);
        }
    }
}

typedef struct rounds {
    const eg_real *dy; /* [rounds][count] */
    size_t count;
} rounds;

static void give_round(void *user, size_t round, eg_real *out)
{
    const rounds *all = user;
    memcpy(out, all->dy + round * all->count, all->count * sizeof *out);
}

/* The same numbers as background and entries: every third is the background. */
static eg_sparse *sparse_of(size_t batch, eg_real *x, eg_real background)
{
    eg_sparse *out = NULL;
    assert_ok(eg_sparse_create(&out, B, IN));
    out->background = background;
    uint32_t count = 0;
    for (size_t b = 0; b < batch; b++) {
        out->start[b * out->blocks] = count;
        for (size_t i = 0; i < IN; i++) {
            size_t k = b * IN + i;
            x[k] = k % 3 == 0 ? background : x[k];
            out->column[count] = (uint32_t)i;
            out->value[count] = x[k] - background;
            count += k % 3 == 0 ? 0 : 1;
        }
    }
    assert_int_equal(out->blocks, 1);
    out->start[batch] = count;
    out->rows = batch;
    return out;
}

/** How the input comes. */
typedef enum form { DENSE, BOTH, SPARSE_ALONE } form;

/** Takes the network. */
static void check(eg_net *net, size_t batch, eg_per_example what, form input)
{
    eg_real x[B * IN];
    eg_real dy[ROUNDS * B * OUT];
    eg_real room[B * OUT];
    eg_real *sums = NULL;
    eg_real *scratch = NULL;
    double *expected = NULL;
    eg_workspace *workspace = NULL;
    eg_rng rng = eg_rng_make(2, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)B * IN; i++) {
        x[i] = eg_rng_normal(&rng) + 0.3;
    }
    for (size_t i = 0; i < (size_t)ROUNDS * B * OUT; i++) {
        dy[i] = eg_rng_normal(&rng);
    }
    eg_sparse *sparse = input != DENSE ? sparse_of(batch, x, -0.4) : NULL;
    assert_true(eg_net_has_per_example(net));
    assert_ok(eg_alloc(&sums, net->param_count, sizeof *sums));
    assert_ok(eg_alloc(&scratch, eg_net_per_example_scratch(net, B), sizeof *scratch));
    assert_ok(eg_alloc(&expected, net->param_count, sizeof *expected));
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    for (size_t round = 0; round < 2 * (size_t)ROUNDS; round++) {
        one_by_one(net, workspace, batch, x, dy + round % ROUNDS * batch * OUT, what, expected);
    }
    rounds all = {.dy = dy, .count = batch * OUT};
    const eg_output_gradients of = {.rounds = ROUNDS, .fill = give_round, .user = &all};
    for (int twice = 0; twice < 2; twice++) {
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, batch, input == SPARSE_ALONE ? NULL : x,
                             sparse);
        eg_net_per_example(net, workspace, &of, room, what, scratch, sums);
    }
    size_t positive = 0;
    for (size_t i = 0; i < net->param_count; i++) {
        assert_close(sums[i], expected[i], 1e-12);
        positive += expected[i] > 1e-6 ? 1 : 0;
    }
    assert_true(positive >= (IN - 2) * WIDE + WIDE * OUT);
    eg_sparse_free(sparse);
    eg_workspace_free(workspace);
    eg_free(expected);
    eg_free(scratch);
    eg_free(sums);
    eg_net_free(net);
}

static void every_layer_and_normalisation(void **state)
{
    (void)state;
    const eg_norm norms[] = {EG_NORM_CENTERED, EG_NORM_PLAIN, EG_NORM_NONE};
    for (size_t k = 0; k < 36; k++) {
        eg_per_example what = k % 2 == 0 ? EG_PER_EXAMPLE_SQUARE : EG_PER_EXAMPLE_ABSOLUTE;
        kind of = k / 2 % 2 == 0 ? PANELS : ROWS;
        bool bias = k % 3 == 0;
        check(network(of, norms[k / 4 % 3], norms[k / 12], bias), B, what, DENSE);
        check(network(of, norms[k / 4 % 3], norms[k / 12], bias), B, what, BOTH);
    }
}

/* The layers for one example at a time, with one and with more. */
static void online_layers(void **state)
{
    (void)state;
    for (size_t k = 0; k < 16; k++) {
        eg_per_example what = k % 2 == 0 ? EG_PER_EXAMPLE_SQUARE : EG_PER_EXAMPLE_ABSOLUTE;
        bool bias = k / 2 % 2 == 0;
        check(network(ONLINE, EG_NORM_NONE, EG_NORM_NONE, bias), k < 8 ? 1 : B, what,
              k / 4 % 2 == 0 ? SPARSE_ALONE : DENSE);
    }
}

/* One unit, weights (3, 1) centered to (1, -1), u = (1, -1)/sqrt 2, r = 1/sqrt 2; x = (2, 0) has e =
 * (1, -1), s = sqrt 2, so e - s u = 0: along its own direction a normalised row does not learn. With
 * x = (2, 4), e = (-1, 1), s = -sqrt 2 and again 0. Without norm and dy = 3: g = (6, 0) and (6, 12). */
static void by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {2, 0, 2, 4};
    const eg_real dy[] = {3, 3};
    eg_real room[2];
    rounds all = {.dy = dy, .count = 2};
    const eg_output_gradients of = {.rounds = 1, .fill = give_round, .user = &all};
    for (int k = 0; k < 2; k++) {
        eg_layer *layers = NULL;
        eg_net *net = NULL;
        eg_workspace *workspace = NULL;
        eg_real *scratch = NULL;
        eg_real sums[64] = {0};
        assert_ok(eg_alloc(&layers, 1, sizeof *layers));
        assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(2), 1,
                                  k == 0 ? EG_NORM_CENTERED : EG_NORM_NONE, false,
                                  EG_INITIALIZER_NORMAL));
        assert_ok(eg_net_create(&net, layers, 1, 1));
        net->params[0] = 3;
        net->params[1] = 1;
        assert_ok(eg_workspace_create(&workspace, net, 2, true));
        assert_ok(eg_alloc(&scratch, eg_net_per_example_scratch(net, 2), sizeof *scratch));
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 2, x, NULL);
        eg_net_per_example(net, workspace, &of, room, EG_PER_EXAMPLE_SQUARE, scratch, sums);
        assert_close(sums[0], k == 0 ? 0 : 72, 1e-13);
        assert_close(sums[1], k == 0 ? 0 : 144, 1e-13);
        eg_net_per_example(net, workspace, &of, room, EG_PER_EXAMPLE_ABSOLUTE, scratch, sums);
        assert_close(sums[0], k == 0 ? 0 : 84, 1e-13);
        assert_close(sums[1], k == 0 ? 0 : 156, 1e-13);
        eg_free(scratch);
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_and_normalisation),
        cmocka_unit_test(online_layers),
        cmocka_unit_test(by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
