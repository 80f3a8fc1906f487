/** What a network tells its layers, and in which order. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/net.h"

/* A layer that notes what it is told. */
typedef struct notes {
    uint64_t index, step, seed;
    eg_mode mode;
    bool backward, wants_dx, updated;
    size_t prepared; /* times */
} notes;

static void note_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    (void)context;
    ((notes *)layer->state)->index = index;
}

static void note_prepare(const eg_layer *layer, const eg_layer_context *context)
{
    (void)context;
    ((notes *)layer->state)->prepared++;
}

static void note_forward(const eg_layer *layer, const eg_layer_context *context)
{
    notes *n = layer->state;
    n->step = context->step;
    n->seed = context->seed;
    n->mode = context->mode;
    for (size_t i = 0; i < context->batch; i++) {
        context->y[i] = context->x[0][i];
        context->cache[i] = context->x[0][i];
    }
    context->cache[context->batch + 1] = 0; /* cache_per_example * B + cache_fixed are there */
}

static void note_backward(const eg_layer *layer, const eg_layer_context *context)
{
    notes *n = layer->state;
    assert_int_equal(n->step, context->step);
    n->backward = true;
    n->wants_dx = context->dx[0] != NULL;
    for (size_t i = 0; n->wants_dx && i < context->batch; i++) {
        context->dx[0][i] = context->dy[i];
    }
}

static void note_update(const eg_layer *layer, const eg_layer_context *context)
{
    notes *n = layer->state;
    assert_int_equal(n->step, context->step);
    assert_int_equal(context->batch, 2);
    n->updated = context->x[0][1] == 2 && context->y[1] == 2;
}

static double note_flops(const eg_layer *layer)
{
    (void)layer;
    return 1.0;
}

/** The notes are the test's. */
static void keep_notes(eg_layer *layer)
{
    layer->state = NULL;
}

/** Counts the gradients it is given. */
static void count(void *user, size_t first, size_t n, eg_real *g)
{
    (void)first, (void)g;
    *(size_t *)user += n;
}

static void layers_are_told(void **state)
{
    (void)state;
    static const eg_layer_ops ops = {.name = "notes",
                                     .init = note_init,
                                     .prepare = note_prepare,
                                     .forward = note_forward,
                                     .backward = note_backward,
                                     .after_update = note_update,
                                     .flops = note_flops,
                                     .free = keep_notes};
    notes n[3] = {{0}};
    eg_layer *layers = NULL;
    assert_ok(eg_alloc(&layers, 3, sizeof *layers));
    for (size_t i = 0; i < 3; i++) {
        layers[i] = (eg_layer){.ops = &ops,
                               .in = eg_shape_vector(1),
                               .out = eg_shape_vector(1),
                               .input_count = 1,
                               .block_count = 1,
                               .blocks = {{.name = "weight", .count = 1, .units = 1, .fan_in = 1}},
                               .cache_per_example = 1,
                               .cache_fixed = 2,
                               .state = &n[i]};
    }
    eg_net *net = NULL;
    eg_workspace *training = NULL;
    eg_workspace *evaluation = NULL;
    assert_ok(eg_net_create(&net, layers, 3, 77));
    assert_ok(eg_workspace_create(&training, net, 2, true));
    assert_ok(eg_workspace_create(&evaluation, net, 2, false));
    const eg_real x[] = {1, 2};
    (void)eg_net_forward(net, training, EG_MODE_TRAIN, 2, x, NULL);
    (void)eg_net_forward(net, evaluation, EG_MODE_PREDICT, 2, x, NULL);
    assert_int_equal(n[1].mode, EG_MODE_PREDICT);
    assert_int_equal(n[1].step, 1); /* evaluation does not count */
    (void)eg_net_forward(net, training, EG_MODE_PROBE, 2, x, NULL);
    assert_int_equal(n[1].mode, EG_MODE_PROBE);
    (void)eg_net_forward(net, training, EG_MODE_TRAIN, 2, x, NULL);
    assert_int_equal(n[1].step, 1); /* nor do probes */
    eg_net_backward(net, training, x, NULL);
    assert_true(n[2].mode == EG_MODE_TRAIN && n[2].backward && n[2].wants_dx && n[1].wants_dx);
    /* Nobody needs the gradient of the input. */
    assert_true(n[0].backward && !n[0].wants_dx);
    assert_false(n[2].updated);
    eg_net_updated(net, training);
    assert_true(n[0].updated && n[1].updated && n[2].updated);
    assert_int_equal(n[1].prepared, 1); /* nobody changed anything in between */
    (void)eg_net_forward(net, training, EG_MODE_TRAIN, 2, x, NULL);
    assert_int_equal(n[1].prepared, 2);
    size_t given = 0;
    const eg_gradient_consumer consumer = {.consume = count, .user = &given, .updates = true};
    eg_net_backward(net, training, x, &consumer);
    eg_net_updated(net, training);
    assert_int_equal(given, 3);
    assert_int_equal(n[1].prepared, 3); /* at once, */
    (void)eg_net_forward(net, training, EG_MODE_TRAIN, 2, x, NULL);
    assert_int_equal(n[1].prepared, 3); /* and not again */
    assert_int_equal(n[2].index, 2);
    assert_int_equal(n[2].seed, 77);
    eg_net_init(net, 78);
    (void)eg_net_forward(net, training, EG_MODE_TRAIN, 2, x, NULL);
    assert_int_equal(n[0].seed, 78);
    assert_int_equal(n[0].step, 0);
    eg_workspace_free(training);
    eg_workspace_free(evaluation);
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
