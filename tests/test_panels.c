/** The linear layer in panels against its reference: outputs, gradients, learning, for every
 *  normalisation, number of units and form of the input. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/net.h"
#include "engram/random.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

enum { B = 9, IN = 70, OUT_MAX = 150, WIDTH = 64 };

static const eg_real background = (eg_real)-0.42;

/** One linear layer of either kind. */
static eg_net *network(bool panels, size_t outputs, eg_norm norm, bool bias)
{
    eg_initializer start = bias ? EG_INITIALIZER_UNIFORM : EG_INITIALIZER_NORMAL;
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    if (panels) {
        assert_ok(
            eg_layer_linear_panels(&layers[0], eg_shape_vector(IN), outputs, norm, bias, start));
    } else {
        assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(IN), outputs, norm, bias, start));
    }
    assert_ok(eg_net_create(&net, layers, 1, 3));
    return net;
}

/** Where parameter (unit j, input i) lies in a layer of panels; i == IN: its bias. */
static size_t place(size_t outputs, size_t j, size_t i)
{
    size_t rounded = outputs <= 8 ? 8 : (outputs + 15) / 16 * 16;
    size_t width = rounded < WIDTH ? rounded : WIDTH;
    size_t all = (outputs + width - 1) / width * width;
    return i == IN ? IN * all + j : j / width * IN * width + i * width + j % width;
}

static size_t reference_place(size_t outputs, size_t j, size_t i)
{
    return i == IN ? IN * outputs + j : j * IN + i;
}

/** About a third of the input is not background. */
static void make_input(eg_real *x, eg_sparse *sparse)
{
    eg_rng rng = eg_rng_make(7, EG_PURPOSE_TEST, 0);
    uint32_t n = 0;
    for (size_t b = 0; b < B; b++) {
        for (size_t i = 0; i < IN; i++) {
            eg_real *at = &x[b * IN + i];
            *at = background;
            if (eg_rng_below(&rng, 3) == 0) {
                *at = (eg_real)eg_rng_normal(&rng);
                sparse->column[n] = (uint32_t)i;
                sparse->value[n++] = *at - background;
            }
        }
        sparse->start[b + 1] = n;
    }
    sparse->rows = B;
    sparse->background = background;
}

typedef struct example {
    eg_real x[B * IN];
    eg_sparse *sparse;
    eg_real dy[B * OUT_MAX];
} example;

static int set_up(void **state)
{
    example *e = NULL;
    assert_ok(eg_alloc(&e, 1, sizeof *e));
    assert_ok(eg_sparse_create(&e->sparse, B, IN));
    make_input(e->x, e->sparse);
    eg_rng rng = eg_rng_make(7, EG_PURPOSE_TEST, 1);
    for (size_t i = 0; i < (size_t)B * OUT_MAX; i++) {
        e->dy[i] = (eg_real)eg_rng_normal(&rng);
    }
    *state = e;
    return 0;
}

static int tear_down(void **state)
{
    example *e = *state;
    eg_sparse_free(e->sparse);
    eg_free(e);
    return 0;
}

/** Both networks start from the same weights; biases are moved away from 0. */
static void check_start(eg_net *fast, eg_net *reference, bool bias)
{
    size_t outputs = fast->outputs;
    for (size_t j = 0; j < outputs; j++) {
        for (size_t i = 0; i < IN; i++) {
            assert_true(fast->params[place(outputs, j, i)] ==
                        reference->params[reference_place(outputs, j, i)]);
        }
        if (bias) {
            assert_true(fast->params[place(outputs, j, IN)] ==
                        reference->params[reference_place(outputs, j, IN)]);
            eg_real value = (eg_real)j / (eg_real)outputs;
            fast->params[place(outputs, j, IN)] = value;
            reference->params[reference_place(outputs, j, IN)] = value;
        }
    }
    eg_net_touch(fast);
    eg_net_touch(reference);
}

static void check_case(const example *e, size_t outputs, eg_norm norm, bool bias, bool is_sparse)
{
    eg_net *fast = network(true, outputs, norm, bias);
    eg_net *reference = network(false, outputs, norm, bias);
    eg_workspace *fast_workspace = NULL;
    eg_workspace *reference_workspace = NULL;
    assert_ok(eg_workspace_create(&fast_workspace, fast, B, true));
    assert_ok(eg_workspace_create(&reference_workspace, reference, B, true));
    check_start(fast, reference, bias);
    const eg_real *y =
        eg_net_forward(fast, fast_workspace, EG_MODE_TRAIN, B, e->x, is_sparse ? e->sparse : NULL);
    const eg_real *expected =
        eg_net_forward(reference, reference_workspace, EG_MODE_TRAIN, B, e->x, NULL);
    for (size_t k = 0; k < B * outputs; k++) {
        assert_close((double)y[k], (double)expected[k], 5e-6);
    }
    eg_net_backward(fast, fast_workspace, e->dy, NULL);
    eg_net_backward(reference, reference_workspace, e->dy, NULL);
    for (size_t j = 0; j < outputs; j++) {
        for (size_t i = 0; i < IN + (bias ? 1U : 0U); i++) {
            assert_close((double)fast->grads[place(outputs, j, i)],
                         (double)reference->grads[reference_place(outputs, j, i)], 3e-5);
        }
    }
    eg_workspace_free(fast_workspace);
    eg_workspace_free(reference_workspace);
    eg_net_free(fast);
    eg_net_free(reference);
}

static const size_t widths[] = {1, 8, 10, 16, 64, 65, OUT_MAX};

static void the_same_as_the_reference(void **state)
{
    for (size_t w = 0; w < EG_COUNT(widths); w++) {
        for (int norm = EG_NORM_CENTERED; norm <= EG_NORM_NONE; norm++) {
            for (int form = 0; form < 4; form++) {
                check_case(*state, widths[w], (eg_norm)norm, form % 2 == 0, form / 2 == 0);
            }
        }
    }
}

typedef struct learning {
    eg_net *net;
    unsigned char *given; /* times a parameter's gradient came */
} learning;

/** w -= 0.1 g */
static void descend(void *user, size_t first, size_t count, eg_real *g)
{
    learning *l = user;
    assert_true(first + count <= l->net->param_count);
    for (size_t i = 0; i < count; i++) {
        l->net->params[first + i] -= (eg_real)0.1 * g[i];
        l->given[first + i]++;
    }
}

/** IN – 70 – outputs, both in panels, so that the upper one passes a gradient on. */
static eg_net *two_layers(eg_norm norm)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 2, sizeof *layers));
    assert_ok(eg_layer_linear_panels(&layers[0], eg_shape_vector(IN), 70, norm, true,
                                     EG_INITIALIZER_NORMAL));
    assert_ok(eg_layer_linear_panels(&layers[1], eg_shape_vector(70), 10, norm, true,
                                     EG_INITIALIZER_NORMAL));
    assert_ok(eg_net_create(&net, layers, 2, 5));
    return net;
}

/* Learning is backward and then an update, parameter by parameter, and leaves what forward needs
 * up to date. */
static void learning_is_backward_and_update(void **state)
{
    const example *e = *state;
    for (int norm = EG_NORM_CENTERED; norm <= EG_NORM_NONE; norm++) {
        learning l[2];
        eg_workspace *workspace[2] = {NULL, NULL};
        const eg_real *y[2];
        for (size_t v = 0; v < 2; v++) {
            l[v].net = two_layers((eg_norm)norm);
            assert_ok(eg_alloc(&l[v].given, l[v].net->param_count, 1));
            assert_ok(eg_workspace_create(&workspace[v], l[v].net, B, true));
            (void)eg_net_forward(l[v].net, workspace[v], EG_MODE_TRAIN, B, e->x, e->sparse);
        }
        const eg_gradient_consumer consumer = {.consume = descend, .user = &l[0], .updates = true};
        eg_net_backward(l[0].net, workspace[0], e->dy, &consumer);
        eg_net_backward(l[1].net, workspace[1], e->dy, NULL);
        descend(&l[1], 0, l[1].net->param_count, l[1].net->grads);
        eg_net_touch(l[1].net);
        for (size_t i = 0; i < l[0].net->param_count; i++) {
            assert_true(l[0].net->params[i] == l[1].net->params[i]);
            assert_true(l[0].given[i] == 1 || l[0].net->params[i] == 0);
        }
        for (size_t v = 0; v < 2; v++) {
            y[v] = eg_net_forward(l[v].net, workspace[v], EG_MODE_TRAIN, B, e->x, e->sparse);
        }
        assert_memory_equal(y[0], y[1], (size_t)B * 10 * sizeof **y);
        for (size_t v = 0; v < 2; v++) {
            eg_workspace_free(workspace[v]);
            eg_free(l[v].given);
            eg_net_free(l[v].net);
        }
    }
}

/* Bit by bit, but for the sign of 0. */
static void assert_same(size_t n, const eg_real *a, const eg_real *b)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(a[i] == b[i]);
    }
}

/** g += 1, there and then */
static void raise(void *user, size_t first, size_t count, eg_real *g)
{
    learning *l = user;
    assert_true(first + count <= l->net->param_count && g == l->net->grads + first);
    for (size_t i = 0; i < count; i++) {
        g[i] += 1;
        l->given[first + i]++;
    }
}

static void check_pieces(const example *e, eg_net *net, const eg_sparse *sparse)
{
    size_t n = net->param_count;
    eg_workspace *workspace = NULL;
    eg_real *expected = NULL;
    learning l = {.net = net};
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_ok(eg_alloc(&expected, n, sizeof *expected));
    assert_ok(eg_alloc(&l.given, n, 1));
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, B, e->x, sparse);
    eg_net_backward(net, workspace, e->dy, NULL);
    memcpy(expected, net->grads, n * sizeof *expected);
    const eg_gradient_consumer consumer = {.consume = raise, .user = &l};
    eg_net_backward(net, workspace, e->dy, &consumer);
    for (size_t i = 0; i < n; i++) {
        /* Between layers there may be room that is nobody's. */
        assert_true(l.given[i] == 1 || (l.given[i] == 0 && net->params[i] == 0));
        expected[i] += l.given[i];
    }
    assert_same(n, net->grads, expected);
    eg_free(l.given);
    eg_free(expected);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* Backward gives every gradient once, where it stays, and takes what becomes of it there; layers that
 * give it in pieces as others. */
static void gradients_come_in_pieces(void **state)
{
    const example *e = *state;
    for (int form = 0; form < 2; form++) {
        const eg_sparse *sparse = form == 0 ? e->sparse : NULL;
        for (size_t w = 0; w < EG_COUNT(widths); w++) {
            check_pieces(e, network(true, widths[w], EG_NORM_CENTERED, true), sparse);
            check_pieces(e, network(false, widths[w], EG_NORM_PLAIN, true), NULL);
        }
        check_pieces(e, two_layers(EG_NORM_NONE), sparse);
    }
}

/* Lanes without a unit belong to nobody: they start as 0 and get no gradient. */
static void padding_stays_zero(void **state)
{
    const example *e = *state;
    eg_net *net = network(true, 10, EG_NORM_CENTERED, true);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, B, e->x, e->sparse);
    eg_net_backward(net, workspace, e->dy, NULL);
    for (size_t i = 0; i <= IN; i++) {
        for (size_t j = 10; j < 16; j++) {
            assert_true(net->params[i * 16 + j] == 0 && net->grads[i * 16 + j] == 0);
        }
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* A constant row has no direction: output 0, no gradient. NaN and overflow are not hidden. */
static void rows_without_norm(void **state)
{
    const example *e = *state;
    eg_net *net = network(true, 3, EG_NORM_CENTERED, false);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    for (size_t i = 0; i < IN; i++) {
        net->params[place(3, 0, i)] = 2;
    }
    net->params[place(3, 1, 5)] = (eg_real)NAN;
    eg_net_touch(net);
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, e->x, e->sparse);
    eg_net_backward(net, workspace, e->dy, NULL);
    assert_true(y[0] == 0 && isnan(y[1]) && isfinite(y[2]));
    for (size_t i = 0; i < IN; i++) {
        assert_true(net->grads[place(3, 0, i)] == 0 && isnan(net->grads[place(3, 1, i)]));
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_as_the_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(learning_is_backward_and_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gradients_come_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(padding_stays_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_without_norm, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
