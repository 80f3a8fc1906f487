/** Hidden units through the wiring: who makes them, who uses them, which parameters are theirs. */
#include "optimizer_scene.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

enum { IN = 5, WIDTH = 70, OUT = 3 };

static const double no_params[EG_ACTIVATION_PARAMS_MAX] = {0};

/* A layer of the test: every unit at two positions, like a map of a convolution. */
static void spread_forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t b = 0; b < context->batch; b++) {
        memcpy(context->y + 2 * b * n, context->x[0] + b * n, n * sizeof(eg_real));
        memcpy(context->y + (2 * b + 1) * n, context->x[0] + b * n, n * sizeof(eg_real));
    }
}

static void spread_backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t n = eg_layer_inputs(layer);
    for (size_t i = 0; i < context->batch * n; i++) {
        size_t at = i / n * 2 * n + i % n;
        context->dx[0][i] = context->dy[at] + context->dy[at + n];
    }
}

static const eg_layer_ops spread = {
    .name = "spread", .forward = spread_forward, .backward = spread_backward, .keeps_units = true};

static size_t add_linear(eg_graph *graph, const char *name, size_t from, eg_shape in,
                         size_t outputs, bool panels)
{
    eg_layer layer;
    size_t node = 0;
    assert_ok((panels ? eg_layer_linear_panels : eg_layer_linear)(&layer, in, outputs, EG_NORM_NONE,
                                                                  true, EG_INITIALIZER_UNIFORM));
    assert_ok(eg_graph_add(graph, name, &layer, 1, &from, &node));
    return node;
}

static size_t add_swish(eg_graph *graph, const char *name, size_t from)
{
    const eg_activation *swish =
        (const eg_activation *)eg_family_find(&eg_activation_family, "swish");
    eg_layer layer;
    size_t node = 0;
    assert_ok(eg_layer_activation(&layer, swish, no_params, eg_shape_vector(WIDTH)));
    assert_ok(eg_graph_add(graph, name, &layer, 1, &from, &node));
    return node;
}

/** maker – swish – (spread) – user */
static eg_net *chain(bool panels, bool positions)
{
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    eg_shape shape = eg_shape_vector(WIDTH);
    assert_ok(eg_graph_create(&graph, eg_shape_vector(IN)));
    size_t maker = add_linear(graph, "maker", EG_INPUT, eg_shape_vector(IN), WIDTH, panels);
    size_t last = add_swish(graph, "swish", maker);
    if (positions) {
        shape = (eg_shape){2, 1, WIDTH};
        eg_layer layer = {
            .ops = &spread, .in = eg_shape_vector(WIDTH), .out = shape, .input_count = 1};
        assert_ok(eg_graph_add(graph, "spread", &layer, 1, &last, &last));
    }
    (void)add_linear(graph, "user", last, shape, OUT, panels);
    assert_ok(eg_net_build(&net, graph, 1));
    return net;
}

static void outputs_of(eg_net *net, eg_real *y)
{
    const eg_real x[] = {1, -2, 4, (eg_real)0.5, 3};
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, false));
    eg_net_touch(net);
    memcpy(y, eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL), OUT * sizeof *y);
    eg_workspace_free(workspace);
}

static void change(eg_net *net, eg_unit_side side, size_t unit, eg_real factor, eg_real plus)
{
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, 0, side, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            eg_real *w = &net->params[run.first + i * run.stride];
            *w = factor * *w + plus;
        }
    }
}

/* Without its outgoing weights a unit may be anything; with them, it matters. */
static void outgoing_weights_are_all_there_is(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        eg_net *net = chain(form % 2 == 0, form / 2 == 0);
        eg_real before[OUT];
        eg_real after[OUT];
        assert_int_equal(net->hidden[0].units, WIDTH);
        assert_int_equal(net->hidden[0].positions, form / 2 == 0 ? 2 : 1);
        for (size_t unit = 0; unit < WIDTH; unit += 23) {
            outputs_of(net, before);
            change(net, EG_UNIT_INCOMING, unit, 1, 1);
            outputs_of(net, after);
            for (size_t j = 0; j < OUT; j++) {
                assert_true(before[j] != after[j]);
            }
            change(net, EG_UNIT_OUTGOING, unit, 0, 0);
            outputs_of(net, before);
            change(net, EG_UNIT_INCOMING, unit, 1, 1);
            outputs_of(net, after);
            assert_memory_equal(before, after, sizeof before);
        }
        eg_net_free(net);
    }
}

static void note_unit(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    assert_true(hidden == 0 && batch == 1);
    memcpy(user, y, 2 * (size_t)WIDTH * sizeof *y);
}

/* Without incoming parameters a unit is off, at all its positions, and no other unit is. */
static void incoming_parameters_are_all_there_is(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++) {
        const size_t off = 66;
        const eg_real x[] = {1, -2, 4, (eg_real)0.5, 3};
        eg_real seen[2 * WIDTH];
        eg_net *net = chain(form == 0, true);
        const eg_unit_observer observer = {.observe = note_unit, .user = seen};
        eg_workspace *workspace = NULL;
        assert_ok(eg_workspace_create(&workspace, net, 1, false));
        change(net, EG_UNIT_INCOMING, off, 0, 0);
        eg_workspace_observe(workspace, &observer);
        (void)eg_net_forward(net, workspace, EG_MODE_PREDICT, 1, x, NULL);
        for (size_t i = 0; i < 2 * (size_t)WIDTH; i++) {
            assert_true((seen[i] == 0) == (i % WIDTH == off));
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/* maker – crelu – user, 4 units: unit 1 owns inputs 1 and 5 of the user. */
static void units_of_two_parts(void **state)
{
    (void)state;
    enum { FEW = 4, USED = 2 };
    const eg_activation *crelu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "crelu");
    const size_t places[] = {0, 2};
    for (size_t form = 0; form < 2; form++) {
        eg_shape shape = eg_shape_vector(FEW);
        eg_graph *graph = NULL;
        eg_net *net = NULL;
        eg_layer layer;
        eg_plane_run run;
        size_t node = 0;
        assert_ok(eg_graph_create(&graph, eg_shape_vector(IN)));
        node = add_linear(graph, "maker", EG_INPUT, eg_shape_vector(IN), FEW, false);
        if (places[form] > 0) {
            shape = (eg_shape){2, 1, FEW};
            layer = (eg_layer){
                .ops = &spread, .in = eg_shape_vector(FEW), .out = shape, .input_count = 1};
            assert_ok(eg_graph_add(graph, "spread", &layer, 1, &node, &node));
        }
        assert_ok(eg_layer_activation(&layer, crelu, no_params, shape));
        assert_true(layer.out.channels == 2 * (size_t)FEW &&
                    eg_shape_positions(layer.out) == eg_shape_positions(shape));
        assert_ok(eg_graph_chain(graph, "crelu", &layer, &node));
        shape.channels *= 2;
        (void)add_linear(graph, "user", node, shape, USED, false);
        assert_ok(eg_net_build(&net, graph, 1));
        assert_int_equal(net->hidden[0].units, FEW);
        assert_int_equal(net->hidden[0].parts, 2);
        size_t columns[4];
        size_t count = 0;
        const eg_parameter_block *user = eg_parameter_table_find(&net->table, "user.weight");
        for (; eg_net_unit_run(net, 0, EG_UNIT_OUTGOING, 1, count, &run); count++) {
            assert_true(count < EG_COUNT(columns) && run.count == USED);
            columns[count] = run.first - user->offset;
        }
        /* Part by part, of each all positions. */
        const size_t expected[2][4] = {{1, 5}, {1, 9, 5, 13}};
        assert_int_equal(count, 2 * eg_shape_positions(shape));
        assert_memory_equal(columns, expected[form], count * sizeof *columns);
        /* x < 0 shows in the second part of its own position alone. */
        const eg_real x[] = {1, -2, 4, (eg_real)0.5, 3};
        eg_workspace *workspace = NULL;
        assert_ok(eg_workspace_create(&workspace, net, 1, true));
        (void)eg_net_forward(net, workspace, EG_MODE_PROBE, 1, x, NULL);
        const eg_real *h = eg_workspace_hidden(workspace, net, 0);
        for (size_t p = 0; p < eg_shape_positions(shape); p++) {
            for (size_t i = 0; i < FEW; i++) {
                eg_real positive = h[p * 2 * FEW + i];
                eg_real negative = h[p * 2 * FEW + FEW + i];
                assert_true((positive > 0) != (negative > 0));
                assert_true(positive == h[i] && negative == h[FEW + i]);
            }
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/* Every parameter of a layer belongs to one of its units, and to one of its inputs. */
static void runs_cover_every_parameter_once(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        eg_net *net = chain(form % 2 == 0, form / 2 == 0);
        unsigned char *times = NULL;
        size_t total = 0;
        assert_ok(eg_alloc(&times, net->table.count, 1));
        for (int side = EG_UNIT_INCOMING; side <= EG_UNIT_OUTGOING; side++) {
            for (size_t unit = 0; unit < WIDTH; unit++) {
                eg_plane_run run;
                for (size_t k = 0; eg_net_unit_run(net, 0, (eg_unit_side)side, unit, k, &run);
                     k++) {
                    for (size_t i = 0; i < run.count; i++) {
                        times[run.first + i * run.stride]++;
                    }
                    total += run.count;
                }
            }
        }
        for (size_t i = 0; i < net->table.count; i++) {
            assert_true(times[i] <= 1);
        }
        /* All but the user's own biases. */
        assert_int_equal(total, eg_parameter_table_size(&net->table, EG_ROLE_COUNT) - OUT);
        eg_free(times);
        eg_net_free(net);
    }
}

/* Blocks come out row by row: of panels the same as of rows, which start from the same weights. */
static void blocks_come_out_as_rows(void **state)
{
    (void)state;
    eg_net *rows = chain(false, true);
    eg_net *panels = chain(true, true);
    eg_real values[2 * WIDTH * OUT];
    for (size_t b = 0; b < rows->table.block_count; b++) {
        const eg_parameter_block *block = &rows->table.blocks[b];
        assert_true(block->units * block->fan_in <= EG_COUNT(values));
        eg_net_block_get(panels, b, panels->params, values);
        assert_memory_equal(values, rows->params + block->offset, block->count * sizeof *values);
        for (size_t i = 0; i < block->count; i++) {
            values[i] = (eg_real)i;
        }
        eg_net_block_set(panels, b, values, panels->params);
        eg_net_block_set(rows, b, values, rows->params);
    }
    eg_real y[2][OUT];
    outputs_of(rows, y[0]);
    outputs_of(panels, y[1]);
    for (size_t j = 0; j < OUT; j++) {
        assert_close((double)y[0][j], (double)y[1][j], 1e-5);
    }
    eg_net_free(rows);
    eg_net_free(panels);
}

/* What a block says of where its units stand is what the layer says of their runs. */
static void blocks_know_their_units(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++) {
        eg_net *net = chain(form == 0, true);
        for (size_t b = 0; b < net->table.block_count; b++) {
            const eg_parameter_block *block = &net->table.blocks[b];
            size_t padding = 0;
            for (size_t i = 0; i < block->count; i++) {
                net->params[block->offset + i] = (eg_real)eg_parameter_unit(block, i);
                padding += eg_parameter_unit(block, i) >= block->units ? 1 : 0;
            }
            assert_int_equal(padding, block->count - block->units * block->fan_in);
            eg_real values[2 * WIDTH * OUT];
            eg_net_block_get(net, b, net->params, values);
            for (size_t i = 0; i < block->units * block->fan_in; i++) {
                assert_true(values[i] == (eg_real)(i / block->fan_in));
            }
        }
        eg_net_free(net);
    }
}

static void assert_hidden(const eg_net *net, size_t h, const char *maker, const char *seen,
                          const char *user)
{
    assert_string_equal(net->nodes[net->hidden[h].maker].name, maker);
    assert_string_equal(net->nodes[net->hidden[h].seen].name, seen);
    assert_string_equal(net->nodes[net->hidden[h].reader].name, user);
}

/* The main branch is what makes the units of a residual sum; the next block uses them. */
static void units_of_a_residual_block(void **state)
{
    (void)state;
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    eg_layer sum;
    const eg_shape shape = eg_shape_vector(WIDTH);
    assert_ok(eg_graph_create(&graph, eg_shape_vector(IN)));
    size_t stem = add_swish(graph, "s0",
                            add_linear(graph, "stem", EG_INPUT, eg_shape_vector(IN), WIDTH, true));
    size_t first = add_swish(graph, "s1", add_linear(graph, "a", stem, shape, WIDTH, false));
    size_t second = add_linear(graph, "b", first, shape, WIDTH, false);
    size_t skip = add_linear(graph, "skip", stem, shape, WIDTH, false);
    size_t block = 0;
    assert_ok(eg_layer_sum(&sum, 2, 1, shape));
    assert_ok(eg_graph_add(graph, "sum", &sum, 2, (size_t[]){second, skip}, &block));
    (void)add_linear(graph, "head", add_swish(graph, "s2", block), shape, OUT, false);
    assert_ok(eg_net_build(&net, graph, 1));
    assert_int_equal(net->hidden_count, 3);
    assert_hidden(net, 0, "stem", "s0", "a");
    assert_hidden(net, 1, "a", "s1", "b");
    assert_hidden(net, 2, "b", "s2", "head");
    eg_net_free(net);
}

/** A rule of its own, in nothing but runs: the least active unit of every hidden layer starts again. */
typedef struct replacement {
    eg_net *net;
    eg_optimizer *optimizer;
    double activity[2][WIDTH]; /* sum of |outputs| since the last replacement */
    size_t replaced[2];
} replacement;

static void add_activity(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    replacement *r = user;
    size_t units = r->net->hidden[hidden].units;
    for (size_t i = 0; i < batch * r->net->hidden[hidden].positions * units; i++) {
        r->activity[hidden][i % units] += fabs((double)y[i]);
    }
}

/* Incoming weights are drawn again, everything else of the unit is 0, and nobody remembers it. */
static void replace_unit(replacement *r, size_t hidden, size_t unit, eg_rng *rng)
{
    for (int side = EG_UNIT_INCOMING; side <= EG_UNIT_OUTGOING; side++) {
        eg_plane_run run;
        for (size_t k = 0; eg_net_unit_run(r->net, hidden, (eg_unit_side)side, unit, k, &run);
             k++) {
            bool drawn = side == EG_UNIT_INCOMING && run.role == EG_ROLE_WEIGHT;
            double bound = 1 / sqrt((double)run.fan_in);
            for (size_t i = 0; i < run.count; i++) {
                double value = drawn ? bound * (2 * eg_rng_uniform(rng) - 1) : 0;
                r->net->params[run.first + i * run.stride] = (eg_real)value;
            }
            eg_optimizer_reset(r->optimizer, run.first, run.count, run.stride);
        }
    }
    eg_net_touch(r->net);
}

static void replace_least_active(replacement *r, eg_rng *rng)
{
    for (size_t h = 0; h < r->net->hidden_count; h++) {
        size_t least = 0;
        for (size_t unit = 1; unit < r->net->hidden[h].units; unit++) {
            least = r->activity[h][unit] < r->activity[h][least] ? unit : least;
        }
        replace_unit(r, h, least, rng);
        r->replaced[h] = least;
    }
}

/** IN - swish - (two positions) - swish - OUT, the first hidden layer in panels. */
static eg_net *two_hidden_layers(void)
{
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    assert_ok(eg_graph_create(&graph, eg_shape_vector(IN)));
    size_t first = add_linear(graph, "first", EG_INPUT, eg_shape_vector(IN), WIDTH, true);
    size_t last = add_swish(graph, "swish1", first);
    eg_layer layer = {
        .ops = &spread, .in = eg_shape_vector(WIDTH), .out = {2, 1, WIDTH}, .input_count = 1};
    assert_ok(eg_graph_add(graph, "spread", &layer, 1, &last, &last));
    last = add_linear(graph, "second", last, (eg_shape){2, 1, WIDTH}, WIDTH, false);
    last = add_swish(graph, "swish2", last);
    (void)add_linear(graph, "out", last, eg_shape_vector(WIDTH), OUT, true);
    assert_ok(eg_net_build(&net, graph, 1));
    return net;
}

static void train(replacement *r, eg_workspace *workspace, uint64_t index)
{
    eg_real x[2 * IN];
    eg_real dy[2 * OUT];
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < EG_COUNT(x); i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
    const eg_real *y = eg_net_forward(r->net, workspace, EG_MODE_TRAIN, 2, x, NULL);
    for (size_t i = 0; i < EG_COUNT(dy); i++) {
        dy[i] = y[i] - x[i];
    }
    eg_net_backward(r->net, workspace, dy,
                    eg_optimizer_begin(r->optimizer, r->net->params, r->net->grads, NULL));
    eg_optimizer_end(r->optimizer);
    eg_net_updated(r->net, workspace);
}

/* What a replaced unit is afterwards: its outgoing weights are 0 but for those that the next layer's own
 * replacement drew, its state is that of a new optimizer, and training goes on. */
static void units_are_replaced_by_a_rule_that_knows_no_layers(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgdm", "optimizer.lr", "1e-2", NULL};
    replacement r = {.net = two_hidden_layers()};
    eg_workspace *workspace = NULL;
    eg_plane_run run;
    eg_rng rng = eg_rng_make(6, EG_PURPOSE_TEST, 0);
    r.optimizer = optimizer_for(words, &r.net->table);
    assert_ok(eg_workspace_create(&workspace, r.net, 2, true));
    const eg_unit_observer observer = {.observe = add_activity, .user = &r};
    eg_workspace_observe(workspace, &observer);
    for (uint64_t t = 0; t < 20; t++) {
        train(&r, workspace, t);
    }
    replace_least_active(&r, &rng);
    for (size_t h = 0; h < 2; h++) {
        size_t zeros = 0;
        size_t count = 0;
        for (size_t k = 0; eg_net_unit_run(r.net, h, EG_UNIT_OUTGOING, r.replaced[h], k, &run);
             k++) {
            for (size_t i = 0; i < run.count; i++, count++) {
                zeros += r.net->params[run.first + i * run.stride] == 0 ? 1 : 0;
            }
        }
        /* The unit replaced in the second layer has two inputs from the one in the first. */
        assert_int_equal(count, h == 0 ? 2 * WIDTH : OUT);
        assert_int_equal(zeros, h == 0 ? 2 * WIDTH - 2 : OUT);
    }
    /* With a gradient of 0 only what is remembered moves a weight. */
    eg_real *before = NULL;
    assert_ok(eg_alloc(&before, r.net->table.count, sizeof *before));
    memcpy(before, r.net->params, r.net->table.count * sizeof *before);
    memset(r.net->grads, 0, r.net->table.count * sizeof *before);
    eg_optimizer_step(r.optimizer, r.net->params, r.net->grads);
    size_t moved = 0;
    for (size_t i = 0; i < r.net->table.count; i++) {
        moved += before[i] != r.net->params[i] ? 1 : 0;
    }
    for (size_t h = 0; h < 2; h++) {
        for (size_t k = 0; eg_net_unit_run(r.net, h, EG_UNIT_INCOMING, r.replaced[h], k, &run);
             k++) {
            for (size_t i = 0; i < run.count; i++) {
                size_t at = run.first + i * run.stride;
                assert_true(before[at] == r.net->params[at]);
            }
        }
    }
    assert_true(moved > r.net->table.count / 2);
    eg_net_touch(r.net);
    train(&r, workspace, 20);
    eg_free(before);
    eg_workspace_free(workspace);
    eg_optimizer_free(r.optimizer);
    eg_net_free(r.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outgoing_weights_are_all_there_is),
        cmocka_unit_test(incoming_parameters_are_all_there_is),
        cmocka_unit_test(units_of_two_parts),
        cmocka_unit_test(runs_cover_every_parameter_once),
        cmocka_unit_test(blocks_come_out_as_rows),
        cmocka_unit_test(blocks_know_their_units),
        cmocka_unit_test(units_of_a_residual_block),
        cmocka_unit_test(units_are_replaced_by_a_rule_that_knows_no_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
