/** The linear layer for one example at a time: against the reference, and that neither factored gradients
 *  nor skipping what is 0 change a bit of what is learned. */
#include "optimizer_scene.h"
#include "testing.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/net.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

/* More units than a strip of 64, and not a multiple of 16. */
enum { IN = 40, HIDDEN = 70, OUT = 3, B = 4, STEPS = 30 };

typedef eg_status (*make_layer)(eg_layer *out, size_t inputs, size_t outputs);

static eg_status by_rows(eg_layer *out, size_t inputs, size_t outputs)
{
    return eg_layer_linear(out, eg_shape_vector(inputs), outputs, EG_NORM_NONE, true,
                           EG_INITIALIZER_UNIFORM);
}

static eg_status online(eg_layer *out, size_t inputs, size_t outputs)
{
    return eg_layer_linear_online(out, eg_shape_vector(inputs), outputs, true,
                                  EG_INITIALIZER_UNIFORM);
}

/* IN – HIDDEN – HIDDEN – OUT with relu. */
static eg_net *network(make_layer make)
{
    const double p[] = {0};
    const eg_activation *relu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "relu");
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 5, sizeof *layers));
    assert_ok(make(&layers[0], IN, HIDDEN));
    assert_ok(eg_layer_activation(&layers[1], relu, p, eg_shape_vector(HIDDEN)));
    assert_ok(make(&layers[2], HIDDEN, HIDDEN));
    assert_ok(eg_layer_activation(&layers[3], relu, p, eg_shape_vector(HIDDEN)));
    assert_ok(make(&layers[4], HIDDEN, OUT));
    assert_ok(eg_net_create(&net, layers, 5, 1));
    return net;
}

/* Two of three inputs are 0. */
static void draw_input(size_t step, size_t batch, eg_real *x)
{
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, step);
    for (size_t i = 0; i < batch * IN; i++) {
        eg_real value = (eg_real)eg_rng_normal(&rng);
        x[i] = eg_rng_below(&rng, 3) == 0 ? value : 0;
    }
}

/* How a step differs from what a trial makes. */
typedef enum variant { AS_IT_IS, BY_CONSUME, ALL_ROWS, ALL_INPUTS_GRADIENTS } variant;

/* Weights after STEPS updates of an online network in `out` [net->param_count]. */
static size_t learn(const char *const *settings, variant how, eg_real *out)
{
    eg_net *net = network(online);
    eg_workspace *workspace = NULL;
    const eg_loss *loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    if (how == ALL_INPUTS_GRADIENTS) {
        net->nodes[1].layer.flat_at_zero = false;
        net->nodes[3].layer.flat_at_zero = false;
    }
    eg_optimizer *optimizer = optimizer_for(settings, &net->table);
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    for (size_t step = 0; step < STEPS; step++) {
        eg_real x[IN];
        eg_real dy[OUT];
        uint32_t label = (uint32_t)(step % OUT);
        draw_input(step, 1, x);
        const eg_real *y = eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
        (void)loss->evaluate(1, OUT, y, &label, NULL, dy);
        const eg_gradient_consumer *consumer =
            eg_optimizer_begin(optimizer, net->params, net->grads, NULL);
        eg_gradient_consumer changed = *consumer;
        if (how == BY_CONSUME) {
            changed.consume_outer = NULL;
        }
        changed.skips_zero = changed.skips_zero && how != ALL_ROWS;
        eg_net_backward(net, workspace, dy, &changed);
        eg_optimizer_end(optimizer);
        eg_net_updated(net, workspace);
    }
    size_t count = net->param_count;
    memcpy(out, net->params, count * sizeof *out);
    eg_workspace_free(workspace);
    eg_optimizer_free(optimizer);
    eg_net_free(net);
    return count;
}

/* Every way to take a step ends at the same bits, which are not those of the start. */
static void same_bits(const char *const *settings)
{
    static eg_real here[1 << 15];
    static eg_real there[1 << 15];
    static const variant others[] = {BY_CONSUME, ALL_ROWS, ALL_INPUTS_GRADIENTS};
    eg_net *fresh = network(online);
    assert_true(fresh->param_count <= sizeof here / sizeof here[0]);
    size_t count = learn(settings, AS_IT_IS, here);
    assert_memory_not_equal(here, fresh->params, count * sizeof *here);
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        assert_int_equal(learn(settings, others[k], there), count);
        for (size_t i = 0; i < count; i++) {
            assert_true(here[i] == there[i]);
        }
    }
    eg_net_free(fresh);
}

static void skipping_changes_nothing(void **state)
{
    (void)state;
    static const char *const settings[][9] = {
        {"optimizer", "sgd", "optimizer.lr", "0.05", NULL},
        {"optimizer", "sgd", "optimizer.lr", "0.05", "optimizer.clip", "0.0003", NULL},
        {"optimizer", "sgd", "optimizer.lr", "0.05", "optimizer.weight_decay", "0.01", NULL},
        {"optimizer", "sgd", "optimizer.lr", "0.05", "optimizer.weight_decay", "0.01",
         "optimizer.decay", "decoupled", NULL},
        {"optimizer", "sgd", "optimizer.lr", "0.05", "optimizer.weight_decay", "0.01",
         "optimizer.decay_spares", "[bias]", NULL},
        {"optimizer", "sgd", "optimizer.lr", "0.05", "optimizer.clip_norm", "0.01", NULL},
        {"optimizer", "sgdm", "optimizer.lr", "0.05", NULL},
        {"optimizer", "adam", "optimizer.lr", "0.001", NULL},
    };
    for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++) {
        same_bits(settings[k]);
    }
}

/* What may be taken in factors: a step down the gradient, decaying or not. What must not is what needs more of
 * a parameter than its gradient. */
static void who_takes_factors(void **state)
{
    (void)state;
    static const struct {
        const char *words[5];
        bool factors, skips;
    } cases[] = {
        {{"optimizer", "sgd", NULL}, true, true},
        {{"optimizer", "sgd", "optimizer.weight_decay", "0.01", NULL}, true, false},
        {{"optimizer", "sgd", "optimizer.clip_norm", "1", NULL}, false, true},
        {{"optimizer", "sgdm", NULL}, false, true},
        {{"optimizer", "adam", NULL}, false, true},
    };
    enum { PARAMETERS = 4 };
    eg_real w[PARAMETERS] = {0};
    eg_real g[PARAMETERS] = {0};
    eg_real path[PARAMETERS] = {0};
    const eg_parameter_table table = table_of(PARAMETERS);
    const eg_update_terms terms = {.path_integral = path};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        eg_optimizer *optimizer = optimizer_for(cases[k].words, &table);
        const eg_gradient_consumer *consumer = eg_optimizer_begin(optimizer, w, g, NULL);
        assert_int_equal(consumer->consume_outer != NULL, cases[k].factors);
        assert_true(!cases[k].factors || consumer->skips_zero == cases[k].skips);
        consumer = eg_optimizer_begin(optimizer, w, g, &terms);
        assert_null(consumer->consume_outer);
        eg_optimizer_free(optimizer);
    }
}

/** Parameters of `to` from those of `from`, unit by unit. */
static void copy_parameters(const eg_net *from, eg_net *to)
{
    eg_real values[HIDDEN * HIDDEN];
    for (size_t b = 0; b < from->table.block_count; b++) {
        eg_net_block_get(from, b, from->params, values);
        eg_net_block_set(to, b, values, to->params);
    }
    eg_net_touch(to);
}

/* The input in sparse form with this background. */
static eg_sparse *sparse_of(const eg_real *x, size_t batch, eg_real background)
{
    eg_sparse *out = NULL;
    uint32_t count = 0;
    assert_ok(eg_sparse_create(&out, batch, IN));
    assert_int_equal(out->blocks, 1);
    out->background = background;
    out->rows = batch;
    for (size_t k = 0; k < batch * IN; k++) {
        if (x[k] != background) {
            out->column[count] = (uint32_t)(k % IN);
            out->value[count++] = x[k] - background;
        }
        out->start[k / IN + 1] = count;
    }
    return out;
}

/* Outputs and gradients of both kinds of layers from the same weights. */
static void compare(size_t batch, bool in_sparse_form, eg_real background)
{
    eg_net *net = network(online);
    eg_net *other = network(by_rows);
    eg_workspace *workspace = NULL;
    eg_workspace *plain = NULL;
    eg_real x[B * IN];
    eg_real dy[B * OUT];
    eg_real mine[HIDDEN * HIDDEN];
    eg_real theirs[HIDDEN * HIDDEN];
    draw_input(1, batch, x);
    for (size_t i = 0; i < batch * IN; i++) {
        x[i] = x[i] == 0 ? background : x[i];
    }
    for (size_t i = 0; i < batch * OUT; i++) {
        dy[i] = (eg_real)i - 1;
    }
    copy_parameters(other, net);
    eg_sparse *sparse = in_sparse_form ? sparse_of(x, batch, background) : NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_ok(eg_workspace_create(&plain, other, B, true));
    const eg_real *y =
        eg_net_forward(net, workspace, EG_MODE_TRAIN, batch, sparse == NULL ? x : NULL, sparse);
    const eg_real *expected = eg_net_forward(other, plain, EG_MODE_TRAIN, batch, x, NULL);
    for (size_t i = 0; i < batch * OUT; i++) {
        assert_close(y[i], expected[i], 1e-5);
    }
    eg_net_backward(net, workspace, dy, NULL);
    eg_net_backward(other, plain, dy, NULL);
    for (size_t b = 0; b < net->table.block_count; b++) {
        size_t count = other->table.blocks[b].count;
        eg_net_block_get(net, b, net->grads, mine);
        eg_net_block_get(other, b, other->grads, theirs);
        for (size_t i = 0; i < count; i++) {
            assert_close(mine[i], theirs[i], 1e-5);
        }
    }
    eg_sparse_free(sparse);
    eg_workspace_free(workspace);
    eg_workspace_free(plain);
    eg_net_free(net);
    eg_net_free(other);
}

static void same_function(void **state)
{
    (void)state;
    for (size_t batch = 1; batch <= B; batch += B - 1) {
        compare(batch, false, 0);
        compare(batch, true, 0);
        compare(batch, true, (eg_real)-0.4);
    }
}

/* From the same draws. */
static void same_initial_weights(void **state)
{
    (void)state;
    eg_net *net = network(online);
    eg_net *other = network(by_rows);
    eg_real mine[HIDDEN * HIDDEN];
    eg_real theirs[HIDDEN * HIDDEN];
    for (size_t b = 0; b < net->table.block_count; b++) {
        eg_net_block_get(net, b, net->params, mine);
        eg_net_block_get(other, b, other->params, theirs);
        assert_memory_equal(mine, theirs, other->table.blocks[b].count * sizeof *mine);
    }
    eg_net_free(net);
    eg_net_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skipping_changes_nothing),
        cmocka_unit_test(who_takes_factors),
        cmocka_unit_test(same_function),
        cmocka_unit_test(same_initial_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
