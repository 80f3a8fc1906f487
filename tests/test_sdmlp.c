/** The layers of SDMLP, worked out by hand: inhibition with its switch and annealing, constrained
 *  weights, inputs of unit length, and what they remember. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/net.h"
#include "engram/random.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

static eg_net *net_of(const eg_layer *layer)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    layers[0] = *layer;
    assert_ok(eg_net_create(&net, layers, 1, 1));
    return net;
}

static eg_net *inhibition(size_t units, eg_inhibition spec)
{
    eg_layer layer;
    assert_ok(eg_layer_inhibition(&layer, units, &spec));
    return net_of(&layer);
}

static eg_net *constrained(size_t inputs, size_t outputs, bool panels, eg_constraint spec)
{
    eg_layer layer;
    assert_ok(eg_layer_constrained(&layer, eg_shape_vector(inputs), outputs, panels, &spec));
    return net_of(&layer);
}

static void assert_row(const eg_real *y, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_close((double)y[i], expected[i], 1e-6);
    }
}

/* x = (3, 1, -2, 2): a = (3, 1, 0, 2), k = 2: I = 1, the third largest. N = 2.
 * No examples yet: r = -1, y = a + I = (4, 2, 1, 3): everybody is active and is counted; the third unit,
 * whose x is below 0, gets no gradient. n = 1: r = 0, y = a: three are active. n = (2, 2, 1, 2):
 * r = (1, 1, 0, 1), y = (2, 0, 0, 1): k are active. */
static void the_switch_by_hand(void **state)
{
    (void)state;
    const eg_real x[] = {3, 1, -2, 2};
    const double excited[] = {4, 2, 1, 3};
    const double plain[] = {3, 1, 0, 2};
    const double inhibited[] = {2, 0, 0, 1};
    eg_net *net =
        inhibition(4, (eg_inhibition){.kind = EG_INHIBITION_GABA, .k = 2, .switch_count = 2});
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), excited, 4);
    /* Only an update counts. */
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), excited, 4);
    eg_net_updated(net, workspace);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), plain, 4);
    eg_net_updated(net, workspace);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), inhibited, 4);
    /* Start again. */
    eg_net_init(net, 1);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), excited, 4);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* N = 4, two examples at once, k = 1: counts grow by the active examples: (2, 1), so r = (0, -0.5).
 * Then x = (4, 2): I = 2, y = (4, 3). */
static void counts_are_of_examples(void **state)
{
    (void)state;
    const eg_real x[] = {1, -1, 2, 2};
    const eg_real then[] = {4, 2};
    const double expected[] = {4, 3};
    eg_net *net =
        inhibition(2, (eg_inhibition){.kind = EG_INHIBITION_GABA, .k = 1, .switch_count = 4});
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 2, true));
    /* First example: I = 0, y = (1, 0). Second: I = 2, y = (4, 4). */
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 2, x, NULL);
    eg_net_updated(net, workspace);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, then, NULL), expected, 2);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* The gradient of x (-2 here) and of silent units is 0, that of I does not exist. */
static void the_gradient_by_hand(void **state)
{
    (void)state;
    const eg_inhibition excite = {.kind = EG_INHIBITION_GABA, .k = 2, .switch_count = 2};
    const eg_inhibition flat = {.kind = EG_INHIBITION_FLAT, .k = 2, .switch_count = 1};
    const eg_real x[] = {3, 1, -2, 2};
    const eg_real dy[] = {10, 20, 30, 40};
    const double excited[] = {10, 20, 0, 40};
    const double inhibited[] = {10, 0, 0, 40};
    for (size_t i = 0; i < 2; i++) {
        eg_layer layer;
        eg_real y[4];
        eg_real dx[4];
        eg_real response[4];
        double count[4] = {0};
        const eg_real *const inputs[] = {x};
        eg_real *const gradients[] = {dx};
        double *const buffers[] = {count};
        const eg_layer_context context = {.mode = EG_MODE_TRAIN,
                                          .batch = 1,
                                          .x = inputs,
                                          .y = y,
                                          .dy = dy,
                                          .dx = gradients,
                                          .derived = response,
                                          .buffers = buffers};
        assert_ok(eg_layer_inhibition(&layer, 4, i == 0 ? &excite : &flat));
        layer.ops->prepare(&layer, &context);
        layer.ops->forward(&layer, &context);
        layer.ops->backward(&layer, &context);
        assert_row(dx, i == 0 ? excited : inhibited, 4);
        eg_layer_clear(&layer);
    }
}

static void masked_and_without_a_rival(void **state)
{
    (void)state;
    const eg_real x[] = {3, 1, -2, 2};
    const double winners[] = {3, 0, 0, 2};
    const double all[] = {3, 1, 0, 2};
    eg_net *net = inhibition(
        4, (eg_inhibition){.kind = EG_INHIBITION_FLAT, .masked = true, .k = 2, .switch_count = 1});
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, false));
    assert_row(eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL), winners, 4);
    eg_net_free(net);
    /* k = all units: nobody is left whose value could be subtracted. */
    net = inhibition(4, (eg_inhibition){.kind = EG_INHIBITION_FLAT, .k = 4, .switch_count = 1});
    assert_row(eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL), all, 4);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* From 4 to 2 in 4 minibatches: 4, 3.5, 3, 2.5, 2, rounded down. */
static void annealing_by_hand(void **state)
{
    (void)state;
    const eg_inhibition spec = {
        .kind = EG_INHIBITION_ANNEALED, .k = 2, .k_start = 4, .annealing = 4, .switch_count = 1};
    const size_t expected[] = {4, 3, 3, 2, 2, 2};
    for (uint64_t step = 0; step < 6; step++) {
        assert_int_equal(eg_inhibition_k(&spec, step), expected[step]);
    }
    assert_int_equal(eg_inhibition_k(&spec, UINT64_MAX), 2);
    const eg_real x[] = {3, 1, -2, 2};
    const double first[] = {3, 1, 0, 2};
    const double last[] = {2, 0, 0, 1};
    eg_net *net = inhibition(4, spec);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), first, 4);
    for (size_t i = 0; i < 3; i++) {
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
        eg_net_updated(net, workspace); /* does not count twice */
    }
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), last, 4);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

static void counts_are_saved(void **state)
{
    (void)state;
    const eg_inhibition spec = {.kind = EG_INHIBITION_GABA, .k = 2, .switch_count = 7};
    const eg_real x[] = {3, 1, -2, 2};
    eg_net *net = inhibition(4, spec);
    eg_net *other = inhibition(4, spec);
    eg_net *larger = inhibition(5, spec);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    for (size_t i = 0; i < 5; i++) {
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
        eg_net_updated(net, workspace);
    }
    eg_writer writer = {0};
    eg_net_write(net, &writer);
    for (size_t size = 0; size < writer.size; size++) {
        eg_reader cut = eg_reader_make(writer.data, size);
        assert_fails(eg_net_read(other, &cut), EG_INVALID, "damaged data");
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_net_read(larger, &reader), EG_INVALID,
                 "saved network has 4 numbers in buffers, expected 5");
    reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_net_read(other, &reader));
    assert_ok(eg_reader_status(&reader, true));
    eg_real expected[4];
    memcpy(expected, eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), sizeof expected);
    assert_memory_equal(eg_net_forward(other, workspace, EG_MODE_TRAIN, 1, x, NULL), expected,
                        sizeof expected);
    eg_net_init(other, 1);
    assert_memory_not_equal(eg_net_forward(other, workspace, EG_MODE_TRAIN, 1, x, NULL), expected,
                            sizeof expected);
    eg_writer_clear(&writer);
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_net_free(other);
    eg_net_free(larger);
}

/* Rows (-1, 3, 4) -> (0, 0.6, 0.8) and (0, -2, 0) -> 0, which stays; a bias -5 -> 0, 6 stays. */
static void the_projection_by_hand(void **state)
{
    (void)state;
    const eg_constraint spec = {.nonnegative = true, .unit_rows = true, .bias = true};
    const double first[] = {0, 0.6, 0.8};
    eg_net *net = constrained(3, 2, true, spec);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    const eg_real x[] = {1, 10, 100};
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
    const eg_real w[2][3] = {{-1, 3, 4}, {0, -2, 0}};
    size_t width = eg_linear_panels_width(2);
    for (size_t j = 0; j < 2; j++) {
        for (size_t i = 0; i < 3; i++) {
            net->params[i * width + j] = w[j][i];
        }
    }
    net->params[3 * width] = -5;
    net->params[3 * width + 1] = 6;
    eg_net_updated(net, workspace);
    for (size_t i = 0; i < 3; i++) {
        assert_close((double)net->params[i * width], first[i], 1e-6);
        assert_true(net->params[i * width + 1] == 0);
    }
    assert_true(net->params[3 * width] == 0 && net->params[3 * width + 1] == 6);
    const double y[] = {86, 6};
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), y, 2);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* x = (3, -5, 4): u = (0.6, 0, 0.8); W = (1 2 3; 4 5 6): y = (3, 7.2). dy = (1, 2): dW = dy u. */
static void unit_inputs_by_hand(void **state)
{
    (void)state;
    const eg_real w[] = {1, 2, 3, 4, 5, 6};
    const eg_real x[] = {3, -5, 4};
    const eg_real zero[] = {0, -1, 0};
    const eg_real dy[] = {1, 2};
    const double y[] = {3, 7.2};
    const double nothing[] = {0, 0};
    const double dw[] = {0.6, 0, 0.8, 1.2, 0, 1.6};
    eg_net *net = constrained(3, 2, false, (eg_constraint){.unit_input = true});
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    memcpy(net->params, w, sizeof w);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), y, 2);
    eg_net_backward(net, workspace, dy, NULL);
    assert_row(net->grads, dw, 6);
    assert_row(eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, zero, NULL), nothing, 2);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* Uniform in +-1/sqrt(n), before the projection; what is no unit's is 0. */
static void starting_weights(void **state)
{
    (void)state;
    enum { IN = 400, OUT = 20 };
    eg_net *net = constrained(IN, OUT, true, (eg_constraint){.bias = true});
    eg_net *positive = constrained(IN, OUT, true, (eg_constraint){.nonnegative = true});
    size_t width = eg_linear_panels_width(OUT);
    double squares = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < IN; i++) {
        for (size_t j = 0; j < width; j++) {
            double w = (double)net->params[i * width + j];
            assert_true(j < OUT ? fabs(w) <= 0.05 && w != 0 : w == 0);
            squares += w * w;
            zeros += j < OUT && positive->params[i * width + j] == 0 ? 1 : 0;
        }
    }
    /* A uniform law has variance bound^2/3; half of it lies below 0. */
    assert_close(squares / (IN * OUT) / (0.05 * 0.05 / 3), 1.0, 0.05);
    assert_close((double)zeros / (IN * OUT), 0.5, 0.03);
    for (size_t j = 0; j < OUT; j++) {
        assert_true(net->params[IN * width + j] != 0);
    }
    eg_net_free(net);
    eg_net_free(positive);
}

/* More inputs than a block of a sparse matrix has columns. */
enum { IN = EG_SPARSE_BLOCK + 44, OUT = 5, B = 4, GRADS_WIDTH = 8 };

typedef enum form { DENSE, SPARSE, ANYWHERE } form;

/** The same rows, which stand far apart in a longer list, the last one first. */
static eg_sparse *apart(const eg_sparse *from, uint32_t *start)
{
    eg_sparse *list = NULL;
    assert_ok(eg_sparse_create(&list, 3 * B, IN));
    for (size_t r = 0; r < B; r++) {
        const uint32_t *of = from->start + r * from->stride;
        const uint32_t at = (uint32_t)((3 * B - 1 - 3 * r) * IN);
        for (size_t b = 0; b <= from->blocks; b++) {
            start[r * (from->blocks + 1) + b] = at + (of[b] - of[0]);
        }
        memcpy(list->column + at, from->column + of[0], (of[from->blocks] - of[0]) * sizeof *of);
        memcpy(list->value + at, from->value + of[0],
               (of[from->blocks] - of[0]) * sizeof *list->value);
    }
    return list;
}

/** Outputs and gradients of one minibatch, dense or sparse. */
static void run(form given, eg_real background, eg_real *y, eg_real *grads)
{
    uint32_t start[B * 3];
    eg_net *net = constrained(IN, OUT, true, (eg_constraint){.unit_input = true, .bias = true});
    eg_workspace *workspace = NULL;
    eg_sparse *sparse = NULL;
    eg_real x[B * IN];
    eg_real dy[B * OUT];
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_ok(eg_sparse_create(&sparse, B, IN));
    assert_int_equal(sparse->blocks, 2);
    sparse->rows = B;
    sparse->background = background;
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    uint32_t n = 0;
    for (size_t i = 0; i < (size_t)B * IN; i++) {
        x[i] = i % 3 == 0 ? background : (eg_real)eg_rng_normal(&rng);
        if (i % 3 != 0) {
            sparse->column[n] = (uint32_t)(i % IN);
            sparse->value[n++] = x[i] - background;
        }
        sparse->start[i / IN * sparse->blocks + i % IN / sparse->block + 1] = n;
    }
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        dy[i] = (eg_real)eg_rng_normal(&rng);
    }
    eg_sparse *list = apart(sparse, start);
    eg_sparse rows = *sparse;
    if (given == ANYWHERE) {
        rows.stride = sparse->blocks + 1;
        rows.start = start;
        rows.column = list->column;
        rows.value = list->value;
    }
    const eg_real *out = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, given == DENSE ? x : NULL,
                                        given == DENSE ? NULL : &rows);
    memcpy(y, out, sizeof dy);
    eg_net_backward(net, workspace, dy, NULL);
    assert_int_equal(net->param_count, (IN + 2) * GRADS_WIDTH); /* blocks are whole cache lines */
    memcpy(grads, net->grads, net->param_count * sizeof *grads);
    eg_sparse_free(list);
    eg_sparse_free(sparse);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

static void sparse_inputs_are_the_same_function(void **state)
{
    (void)state;
    const eg_real background[] = {(eg_real)-0.4, 0, (eg_real)0.7};
    for (size_t k = 0; k < 3; k++) {
        eg_real y[3][B * OUT];
        eg_real grads[3][(IN + 2) * GRADS_WIDTH];
        assert_int_equal(eg_linear_panels_width(OUT), GRADS_WIDTH);
        run(DENSE, background[k], y[0], grads[0]);
        run(SPARSE, background[k], y[1], grads[1]);
        run(ANYWHERE, background[k], y[2], grads[2]);
        assert_memory_equal(y[2], y[1], sizeof y[1]);
        assert_memory_equal(grads[2], grads[1], sizeof grads[1]);
        for (size_t i = 0; i < (size_t)B * OUT; i++) {
            assert_close((double)y[1][i], (double)y[0][i], 1e-6);
        }
        for (size_t i = 0; i < (size_t)(IN + 1) * GRADS_WIDTH; i++) {
            assert_close((double)grads[1][i], (double)grads[0][i], 1e-6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_switch_by_hand),
        cmocka_unit_test(counts_are_of_examples),
        cmocka_unit_test(the_gradient_by_hand),
        cmocka_unit_test(masked_and_without_a_rival),
        cmocka_unit_test(annealing_by_hand),
        cmocka_unit_test(counts_are_saved),
        cmocka_unit_test(the_projection_by_hand),
        cmocka_unit_test(unit_inputs_by_hand),
        cmocka_unit_test(starting_weights),
        cmocka_unit_test(sparse_inputs_are_the_same_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
