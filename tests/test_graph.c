/** Networks that are no chains, in double: gradients of residual blocks, mixtures and shared parameters
 *  against differences, and that updating at once is storing and then updating. */
#include "testing.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

enum { IN = 5, WIDTH = 6, OUT = 3, B = 4 };

static const uint32_t labels[B] = {0, 2, 1, 2};
static const double no_params[EG_ACTIVATION_PARAMS_MAX] = {0};

static void add(eg_graph *graph, const char *name, eg_layer *layer, size_t count,
                const size_t *reads, size_t *node)
{
    assert_ok(eg_graph_add(graph, name, layer, count, reads, node));
}

static size_t add_linear(eg_graph *graph, const char *name, size_t from, size_t inputs,
                         size_t outputs, eg_norm norm)
{
    eg_layer layer;
    size_t node = 0;
    assert_ok(eg_layer_linear(&layer, eg_shape_vector(inputs), outputs, norm, true,
                              EG_INITIALIZER_UNIFORM));
    add(graph, name, &layer, 1, &from, &node);
    return node;
}

/** The same in panels, which update while they go back. */
static size_t add_panels(eg_graph *graph, const char *name, size_t from, size_t inputs,
                         size_t outputs)
{
    eg_layer layer;
    size_t node = 0;
    assert_ok(eg_layer_linear_panels(&layer, eg_shape_vector(inputs), outputs, EG_NORM_CENTERED,
                                     true, EG_INITIALIZER_UNIFORM));
    add(graph, name, &layer, 1, &from, &node);
    return node;
}

static size_t add_swish(eg_graph *graph, const char *name, size_t from, size_t n)
{
    const eg_activation *swish =
        (const eg_activation *)eg_family_find(&eg_activation_family, "swish");
    eg_layer layer;
    size_t node = 0;
    assert_ok(eg_layer_activation(&layer, swish, no_params, eg_shape_vector(n)));
    add(graph, name, &layer, 1, &from, &node);
    return node;
}

static size_t add_sum(eg_graph *graph, const char *name, double factor, size_t count,
                      const size_t *reads, size_t n)
{
    eg_layer layer;
    size_t node = 0;
    assert_ok(eg_layer_sum(&layer, count, factor, eg_shape_vector(n)));
    add(graph, name, &layer, count, reads, &node);
    return node;
}

static eg_graph *begin(void)
{
    eg_graph *graph = NULL;
    assert_ok(eg_graph_create(&graph, eg_shape_vector(IN)));
    return graph;
}

static eg_net *finish(eg_graph *graph)
{
    eg_net *net = NULL;
    assert_ok(eg_net_build(&net, graph, 1));
    return net;
}

/** Two residual blocks: the skip connections are read by two, one of them by three. */
static eg_net *residual(void)
{
    eg_graph *graph = begin();
    size_t stem = add_swish(graph, "stem", add_panels(graph, "in", EG_INPUT, IN, WIDTH), WIDTH);
    size_t inner =
        add_swish(graph, "inner", add_linear(graph, "a", stem, WIDTH, 4, EG_NORM_NONE), 4);
    size_t back = add_linear(graph, "b", inner, 4, WIDTH, EG_NORM_PLAIN);
    size_t first = add_sum(graph, "block1", 1, 2, (size_t[]){back, stem}, WIDTH);
    size_t on = add_swish(graph, "on", first, WIDTH);
    size_t second = add_panels(graph, "c", on, WIDTH, WIDTH);
    size_t sum = add_sum(graph, "block2", 1, 3, (size_t[]){second, on, stem}, WIDTH);
    (void)add_linear(graph, "out", sum, WIDTH, OUT, EG_NORM_CENTERED);
    return finish(graph);
}

/** Two branches from the input on, averaged, and one of them counted twice. */
static eg_net *uniform_mixture(void)
{
    eg_graph *graph = begin();
    size_t left = add_linear(graph, "left", EG_INPUT, IN, OUT, EG_NORM_NONE);
    size_t hidden =
        add_swish(graph, "hidden", add_panels(graph, "right1", EG_INPUT, IN, WIDTH), WIDTH);
    size_t right = add_linear(graph, "right2", hidden, WIDTH, OUT, EG_NORM_NONE);
    (void)add_sum(graph, "mean", 1.0 / 3, 3, (size_t[]){left, right, right}, OUT);
    return finish(graph);
}

/** A gate chooses between two branches, all three of one hidden layer. */
static eg_net *gated_mixture(void)
{
    eg_graph *graph = begin();
    eg_layer mixture;
    size_t stem = add_swish(graph, "stem", add_panels(graph, "in", EG_INPUT, IN, WIDTH), WIDTH);
    size_t gate = add_linear(graph, "gate", stem, WIDTH, 2, EG_NORM_NONE);
    size_t left = add_linear(graph, "left", stem, WIDTH, OUT, EG_NORM_NONE);
    size_t right = add_linear(graph, "right", stem, WIDTH, OUT, EG_NORM_NONE);
    assert_ok(eg_layer_mixture(&mixture, 2, eg_shape_vector(OUT)));
    add(graph, "mixture", &mixture, 3, (size_t[]){gate, left, right}, NULL);
    return finish(graph);
}

/** One weight matrix in three places, two of them normalised, biases of their own but for the last; and one
 * in panels in two places. */
static eg_net *tied(void)
{
    eg_graph *graph = begin();
    size_t in = add_panels(graph, "in", EG_INPUT, IN, WIDTH);
    size_t a =
        add_linear(graph, "a", add_swish(graph, "s1", in, WIDTH), WIDTH, WIDTH, EG_NORM_NONE);
    size_t b =
        add_linear(graph, "b", add_swish(graph, "s2", a, WIDTH), WIDTH, WIDTH, EG_NORM_PLAIN);
    size_t c =
        add_linear(graph, "c", add_swish(graph, "s3", b, WIDTH), WIDTH, WIDTH, EG_NORM_PLAIN);
    size_t d = add_panels(graph, "d", c, WIDTH, WIDTH);
    size_t e = add_panels(graph, "e", add_swish(graph, "s4", d, WIDTH), WIDTH, WIDTH);
    (void)add_linear(graph, "out", e, WIDTH, OUT, EG_NORM_NONE);
    assert_ok(eg_graph_tie(graph, b, EG_LINEAR_WEIGHT, a, EG_LINEAR_WEIGHT));
    assert_ok(eg_graph_tie(graph, c, EG_LINEAR_WEIGHT, b, EG_LINEAR_WEIGHT));
    assert_ok(eg_graph_tie(graph, c, EG_LINEAR_BIAS, b, EG_LINEAR_BIAS));
    assert_ok(eg_graph_tie(graph, e, EG_LINEAR_WEIGHT, d, EG_LINEAR_WEIGHT));
    return finish(graph);
}

static eg_net *(*const networks[])(void) = {residual, uniform_mixture, gated_mixture, tied};

static void make_input(eg_real *x)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)B * IN; i++) {
        x[i] = eg_rng_normal(&rng);
    }
}

static double loss_of(eg_net *net, eg_workspace *workspace, eg_real *dy)
{
    const eg_loss *loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    static eg_real x[B * IN];
    make_input(x);
    const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, B, x, NULL);
    return loss->evaluate(B, OUT, y, labels, NULL, dy);
}

static double moved(eg_net *net, eg_workspace *workspace, size_t i, double by)
{
    eg_real dy[B * OUT];
    eg_real kept = net->params[i];
    net->params[i] = kept + by;
    eg_net_touch(net);
    double value = loss_of(net, workspace, dy);
    net->params[i] = kept;
    eg_net_touch(net);
    return value;
}

/* Lanes that pad panels are nobody's: they get no gradient and make no difference. */
static void gradients_are_those_of_differences(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        eg_net *net = networks[n]();
        eg_workspace *workspace = NULL;
        eg_real dy[B * OUT];
        size_t nonzero = 0;
        assert_ok(eg_workspace_create(&workspace, net, B, true));
        (void)loss_of(net, workspace, dy);
        eg_net_backward(net, workspace, dy, NULL);
        for (size_t i = 0; i < net->table.count; i++) {
            const double h = 1e-5;
            double slope = (moved(net, workspace, i, h) - moved(net, workspace, i, -h)) / (2.0 * h);
            assert_close(net->grads[i], slope, 1e-8);
            nonzero += net->grads[i] != 0 ? 1 : 0;
        }
        assert_true(nonzero > eg_parameter_table_size(&net->table, EG_ROLE_COUNT) * 9 / 10);
        eg_workspace_free(workspace);
        eg_net_free(net);
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
    for (size_t i = 0; i < count; i++) {
        l->net->params[first + i] -= (eg_real)0.1 * g[i];
        l->given[first + i]++;
    }
}

/* Also where parameters are used in several places: none of them may see them changed. */
static void updating_at_once_is_storing_and_updating(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        double loss[2];
        eg_real dy[B * OUT];
        learning l[2];
        for (size_t v = 0; v < 2; v++) {
            eg_workspace *workspace = NULL;
            l[v].net = networks[n]();
            assert_ok(eg_alloc(&l[v].given, l[v].net->table.count, 1));
            assert_ok(eg_workspace_create(&workspace, l[v].net, B, true));
            (void)loss_of(l[v].net, workspace, dy);
            if (v == 0) {
                const eg_gradient_consumer consumer = {
                    .consume = descend, .user = &l[v], .updates = true};
                eg_net_backward(l[v].net, workspace, dy, &consumer);
            } else {
                eg_net_backward(l[v].net, workspace, dy, NULL);
                descend(&l[v], 0, l[v].net->table.count, l[v].net->grads);
                eg_net_touch(l[v].net);
            }
            loss[v] = loss_of(l[v].net, workspace, dy);
            eg_workspace_free(workspace);
        }
        for (size_t i = 0; i < l[0].net->table.count; i++) {
            assert_close(l[0].net->params[i], l[1].net->params[i], 1e-15);
            assert_true(l[0].given[i] == 1 || (l[0].given[i] == 0 && l[1].net->params[i] == 0));
        }
        assert_close(loss[0], loss[1], 1e-14);
        for (size_t v = 0; v < 2; v++) {
            eg_free(l[v].given);
            eg_net_free(l[v].net);
        }
    }
}

/* Predicting gives the same outputs in shared memory, however many nodes there are. */
static void predicting_needs_no_more_memory_for_more_nodes(void **state)
{
    (void)state;
    eg_real x[B * IN];
    make_input(x);
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        eg_net *net = networks[n]();
        eg_workspace *training = NULL;
        eg_workspace *predicting = NULL;
        assert_ok(eg_workspace_create(&training, net, B, true));
        assert_ok(eg_workspace_create(&predicting, net, B, false));
        const eg_real *y = eg_net_forward(net, training, EG_MODE_TRAIN, B, x, NULL);
        const eg_real *again = eg_net_forward(net, predicting, EG_MODE_PREDICT, B, x, NULL);
        assert_memory_equal(y, again, (size_t)B * OUT * sizeof *y);
        eg_workspace_free(training);
        eg_workspace_free(predicting);
        eg_net_free(net);
    }
    size_t blocks[2];
    for (size_t deep = 0; deep < 2; deep++) {
        eg_graph *graph = begin();
        size_t last = add_panels(graph, "in", EG_INPUT, IN, WIDTH);
        char name[] = "layer0";
        for (size_t l = 0; l < (deep == 1 ? 8 : 2); l++, name[5]++) {
            last = add_linear(graph, name, last, WIDTH, WIDTH, EG_NORM_NONE);
        }
        eg_net *net = finish(graph);
        eg_workspace *workspace = NULL;
        size_t before = eg_memory_live_blocks();
        assert_ok(eg_workspace_create(&workspace, net, B, false));
        blocks[deep] = eg_memory_live_blocks() - before;
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
    assert_int_equal(blocks[0], blocks[1]);
}

static void names_of_blocks(void **state)
{
    (void)state;
    eg_net *net = tied();
    const char *const names[] = {"in.weight", "in.bias", "a.weight", "a.bias",     "b.bias",
                                 "d.weight",  "d.bias",  "e.bias",   "out.weight", "out.bias"};
    assert_int_equal(net->table.block_count, EG_COUNT(names));
    for (size_t b = 0; b < EG_COUNT(names); b++) {
        assert_string_equal(net->table.blocks[b].name, names[b]);
        assert_true(net->table.blocks[b].head == (strncmp(names[b], "out.", 4) == 0));
    }
    const eg_parameter_block *weight = eg_parameter_table_find(&net->table, "a.weight");
    assert_non_null(weight);
    assert_int_equal(weight->role, EG_ROLE_WEIGHT);
    assert_int_equal(weight->units, WIDTH);
    assert_int_equal(weight->fan_in, WIDTH);
    assert_null(eg_parameter_table_find(&net->table, "b.weight"));
    assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_WEIGHT),
                     IN * WIDTH + 2 * WIDTH * WIDTH + WIDTH * OUT);
    assert_int_equal(eg_parameter_table_size(&net->table, EG_ROLE_BIAS), 5 * WIDTH + OUT);
    assert_false(eg_net_has_per_example(net));
    eg_net_free(net);
}

static void assert_refused(size_t inputs, const char *name, size_t count, const size_t *reads,
                           const char *part)
{
    eg_graph *graph = begin();
    eg_layer layer;
    (void)add_linear(graph, "first", EG_INPUT, IN, WIDTH, EG_NORM_NONE);
    assert_ok(eg_layer_linear(&layer, eg_shape_vector(inputs), OUT, EG_NORM_NONE, true,
                              EG_INITIALIZER_NORMAL));
    assert_fails(eg_graph_add(graph, name, &layer, count, reads, NULL), EG_INVALID, part);
    eg_graph_free(graph);
}

static void wrong_wiring_is_refused(void **state)
{
    (void)state;
    const size_t first[] = {0, 0};
    const size_t later[] = {1};
    assert_refused(WIDTH, "first", 1, first, "node \"first\": there is one of this name already");
    assert_refused(WIDTH, "second", 2, first, "node \"second\" reads 2 nodes, its layer takes 1");
    assert_refused(WIDTH, "second", 1, later, "node \"second\" reads node 1, there are 1");
    assert_refused(IN, "second", 1, first,
                   "node \"second\": input 0 is 1x1x6, its layer takes 1x1x5");
    assert_refused(WIDTH, "a name that is longer than sixty-four bytes, as there is no room for it",
                   1, first, "the name has more than 63 bytes");
    eg_graph *graph = begin();
    size_t a = add_linear(graph, "a", EG_INPUT, IN, WIDTH, EG_NORM_NONE);
    size_t b = add_linear(graph, "b", a, WIDTH, OUT, EG_NORM_NONE);
    assert_fails(eg_graph_tie(graph, b, 0, a, 0), EG_INVALID,
                 "node \"b\": weight is 3 x 6, that of node \"a\" is 6 x 5");
    (void)add_linear(graph, "c", a, WIDTH, OUT, EG_NORM_NONE);
    eg_net *net = NULL;
    assert_fails(eg_net_build(&net, graph, 1), EG_INVALID, "node \"b\": no other node reads it");
    assert_null(net);
}

/* The next allocation would fail, and after a step it still is the next one. */
static void a_step_allocates_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        learning l = {.net = networks[n]()};
        const eg_gradient_consumer consumer = {.consume = descend, .user = &l, .updates = true};
        eg_workspace *workspace = NULL;
        eg_real dy[B * OUT];
        void *block = NULL;
        assert_ok(eg_alloc(&l.given, l.net->table.count, 1));
        assert_ok(eg_workspace_create(&workspace, l.net, B, true));
        eg_memory_fail_after(1);
        (void)loss_of(l.net, workspace, dy);
        eg_net_backward(l.net, workspace, dy, &consumer);
        eg_net_updated(l.net, workspace);
        assert_fails(eg_alloc(&block, 1, 1), EG_MEMORY, "");
        eg_memory_fail_after(0);
        eg_workspace_free(workspace);
        eg_free(l.given);
        eg_net_free(l.net);
    }
}

static void without_memory(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    eg_workspace *workspace = NULL;
    eg_net *net = residual();
    eg_status status = eg_fail(EG_MEMORY, "not tried");
    for (size_t n = 1; !eg_is_ok(&status); n++) {
        eg_memory_fail_after(n);
        status = eg_workspace_create(&workspace, net, B, n % 2 == 0);
        eg_memory_fail_after(0);
        assert_true(eg_is_ok(&status) || (status.code == EG_MEMORY && workspace == NULL));
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
    status = eg_fail(EG_MEMORY, "not tried");
    for (size_t n = 1; !eg_is_ok(&status); n++) {
        eg_graph *graph = begin();
        (void)add_linear(graph, "a", EG_INPUT, IN, OUT, EG_NORM_NONE);
        eg_memory_fail_after(n);
        status = eg_net_build(&net, graph, 1);
        eg_memory_fail_after(0);
        assert_true(eg_is_ok(&status) || (status.code == EG_MEMORY && net == NULL));
    }
    eg_net_free(net);
    assert_int_equal(eg_memory_live_blocks(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(updating_at_once_is_storing_and_updating),
        cmocka_unit_test(predicting_needs_no_more_memory_for_more_nodes),
        cmocka_unit_test(names_of_blocks),
        cmocka_unit_test(wrong_wiring_is_refused),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
