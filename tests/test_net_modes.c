/** The four modes, by a layer that has all that they are about: batch normalisation, written here as a
 *  newcomer would. Per unit c, over the N = B * positions numbers it has in a minibatch:
 *
 *      m, v = mean and variance of x (mode train, probe_batch), or the running ones (predict, probe)
 *      z = (x - m)/sqrt(v + e),  y = scale z + shift
 *      dx = scale/sqrt(v + e) (dy - mean(dy) - z mean(dy z)),   without both means where m, v are running
 *      running <- 0.9 running + 0.1 of the minibatch, in mode train
 *
 *      params  | scale [units] | shift [units] |     buffers | mean [units] | variance [units] |
 *      cache   | z [B][shape] | 1/sqrt(v + e) [units] | */
#include "mode_net.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

enum { SCALE, SHIFT };
enum { MEAN, VARIANCE };

static void norm_init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    (void)index;
    for (size_t c = 0; c < layer->out.channels; c++) {
        context->params[SCALE][c] = 1;
        context->params[SHIFT][c] = 0;
        context->buffers[VARIANCE][c] = 1;
    }
}

static void moments(const eg_layer_context *context, size_t rows, size_t units, size_t c,
                    double *mean, double *variance)
{
    *mean = 0;
    *variance = 0;
    for (size_t r = 0; r < rows; r++) {
        *mean += (double)context->x[0][r * units + c] / (double)rows;
    }
    for (size_t r = 0; r < rows; r++) {
        double d = (double)context->x[0][r * units + c] - *mean;
        *variance += d * d / (double)rows;
    }
}

static void norm_forward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t units = layer->out.channels;
    size_t rows = context->batch * eg_shape_positions(layer->out);
    for (size_t c = 0; c < units; c++) {
        double mean = context->buffers[MEAN][c];
        double variance = context->buffers[VARIANCE][c];
        if (eg_mode_uses_batch(context->mode)) {
            moments(context, rows, units, c, &mean, &variance);
        }
        if (context->mode == EG_MODE_TRAIN) {
            context->buffers[MEAN][c] = 0.9 * context->buffers[MEAN][c] + 0.1 * mean;
            context->buffers[VARIANCE][c] = 0.9 * context->buffers[VARIANCE][c] + 0.1 * variance;
        }
        eg_real inverse = (eg_real)(1 / sqrt(variance + 1e-5));
        context->cache[rows * units + c] = inverse;
        for (size_t at = c; at < rows * units; at += units) {
            context->cache[at] = (context->x[0][at] - (eg_real)mean) * inverse;
            context->y[at] =
                context->params[SCALE][c] * context->cache[at] + context->params[SHIFT][c];
        }
    }
}

static void norm_backward(const eg_layer *layer, const eg_layer_context *context)
{
    size_t units = layer->out.channels;
    size_t rows = context->batch * eg_shape_positions(layer->out);
    bool whole = eg_mode_uses_batch(context->mode);
    for (size_t c = 0; c < units; c++) {
        eg_real sum = 0;
        eg_real dot = 0;
        for (size_t at = c; at < rows * units; at += units) {
            sum += context->dy[at];
            dot += context->dy[at] * context->cache[at];
        }
        context->grads[SCALE][c] = dot;
        context->grads[SHIFT][c] = sum;
        eg_real factor = context->params[SCALE][c] * context->cache[rows * units + c];
        for (size_t at = c; at < rows * units; at += units) {
            eg_real through = (sum + context->cache[at] * dot) / (eg_real)rows;
            context->dx[0][at] = factor * (context->dy[at] - (whole ? through : 0));
        }
    }
}

static bool norm_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    (void)layer;
    *run = (eg_unit_run){.block = k, .first = unit, .count = 1, .stride = 1};
    return side == EG_UNIT_INCOMING && k <= SHIFT;
}

static double norm_flops(const eg_layer *layer)
{
    return 8.0 * (double)eg_layer_outputs(layer);
}

static const eg_layer_ops norm_ops = {.name = "norm",
                                      .init = norm_init,
                                      .forward = norm_forward,
                                      .backward = norm_backward,
                                      .unit_run = norm_run,
                                      .flops = norm_flops,
                                      .keeps_units = true};

static eg_layer norm(eg_shape shape)
{
    size_t n = shape.channels;
    return (eg_layer){
        .ops = &norm_ops,
        .in = shape,
        .out = shape,
        .input_count = 1,
        .block_count = 2,
        .blocks = {{.name = "scale", .role = EG_ROLE_SCALE, .count = n, .units = n, .fan_in = 1},
                   {.name = "shift", .role = EG_ROLE_SHIFT, .count = n, .units = n, .fan_in = 1}},
        .buffer_count = 2,
        .buffers = {{.name = "mean", .count = n, .units = n, .fan_in = 1},
                    {.name = "variance", .count = n, .units = n, .fan_in = 1}},
        .cache_per_example = eg_shape_size(shape),
        .cache_fixed = n,
    };
}

/** linear – norm – swish – linear */
static eg_net *network(void)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_activation *swish =
        (const eg_activation *)eg_family_find(&eg_activation_family, "swish");
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 4, sizeof *layers));
    assert_ok(eg_layer_linear_panels(&layers[0], eg_shape_vector(IN), UNITS, EG_NORM_NONE, true,
                                     EG_INITIALIZER_UNIFORM));
    layers[1] = norm(eg_shape_vector(UNITS));
    assert_ok(eg_layer_activation(&layers[2], swish, none, eg_shape_vector(UNITS)));
    assert_ok(eg_layer_linear(&layers[3], eg_shape_vector(UNITS), OUT, EG_NORM_NONE, true,
                              EG_INITIALIZER_UNIFORM));
    assert_ok(eg_net_create(&net, layers, 4, 1));
    return net;
}

/* Running statistics away from 0 and 1, so that the modes differ. */
static void train_a_little(eg_net *net, eg_workspace *workspace)
{
    eg_real x[B * IN];
    for (uint64_t t = 1; t < 20; t++) {
        make_input(x, t);
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, B, x, NULL);
    }
}

static void gradients_in_every_mode(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PROBE, EG_MODE_PROBE_BATCH};
    eg_net *net = network();
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    train_a_little(net, workspace);
    for (size_t m = 0; m < EG_COUNT(modes); m++) {
        assert_gradients(net, workspace, modes[m]);
    }
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* Only training moves buffers and counts a step; probes see what predictions see, or the minibatch. */
static void what_moves(void **state)
{
    (void)state;
    eg_net *net = network();
    eg_workspace *workspace = NULL;
    eg_workspace *evaluation = NULL;
    double before[2 * UNITS];
    eg_real out[EG_MODE_PREDICT_BATCH + 1][B * OUT];
    eg_real dy[B * OUT];
    assert_int_equal(net->buffer_count, EG_COUNT(before));
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_ok(eg_workspace_create(&evaluation, net, B, false));
    train_a_little(net, workspace);
    memcpy(before, net->buffers, sizeof before);
    uint64_t step = net->step;
    (void)loss_of(net, evaluation, EG_MODE_PREDICT, out[EG_MODE_PREDICT]);
    (void)loss_of(net, evaluation, EG_MODE_PREDICT_BATCH, out[EG_MODE_PREDICT_BATCH]);
    (void)loss_of(net, workspace, EG_MODE_PROBE, out[EG_MODE_PROBE]);
    (void)loss_of(net, workspace, EG_MODE_PROBE_BATCH, out[EG_MODE_PROBE_BATCH]);
    eg_net_backward(net, workspace, out[EG_MODE_PROBE_BATCH], NULL);
    assert_memory_equal(before, net->buffers, sizeof before);
    assert_int_equal(net->step, step);
    (void)loss_of(net, workspace, EG_MODE_TRAIN, out[EG_MODE_TRAIN]);
    assert_memory_not_equal(before, net->buffers, sizeof before);
    assert_int_equal(net->step, step + 1);
    assert_memory_equal(out[EG_MODE_PREDICT], out[EG_MODE_PROBE], sizeof dy);
    assert_memory_equal(out[EG_MODE_TRAIN], out[EG_MODE_PROBE_BATCH], sizeof dy);
    assert_memory_equal(out[EG_MODE_TRAIN], out[EG_MODE_PREDICT_BATCH], sizeof dy);
    assert_memory_not_equal(out[EG_MODE_TRAIN], out[EG_MODE_PROBE], sizeof dy);
    eg_workspace_free(workspace);
    eg_workspace_free(evaluation);
    eg_net_free(net);
}

/* Buffers go with the parameters into checkpoints, and start anew with them. */
static void buffers_are_saved(void **state)
{
    (void)state;
    eg_net *net = network();
    eg_net *other = network();
    eg_workspace *workspace = NULL;
    eg_real expected[B * OUT];
    eg_real dy[B * OUT];
    eg_writer writer = {0};
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    train_a_little(net, workspace);
    (void)loss_of(net, workspace, EG_MODE_PROBE, expected);
    eg_net_write(net, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_net_read(other, &reader));
    (void)loss_of(other, workspace, EG_MODE_PROBE, dy);
    assert_memory_equal(dy, expected, sizeof dy);
    eg_net_init(other, 1);
    assert_true(other->buffers[0] == 0 && other->buffers[UNITS] == 1);
    eg_writer_clear(&writer);
    eg_workspace_free(workspace);
    eg_net_free(net);
    eg_net_free(other);
}

/* Normalisation on the way from weights to activation belongs to the unit. */
static void scale_and_shift_belong_to_the_unit(void **state)
{
    (void)state;
    const eg_role roles[] = {EG_ROLE_WEIGHT, EG_ROLE_BIAS, EG_ROLE_SCALE, EG_ROLE_SHIFT};
    eg_net *net = network();
    eg_plane_run run;
    assert_int_equal(net->hidden_count, 1);
    assert_string_equal(net->nodes[net->hidden[0].maker].name, "layer1");
    assert_string_equal(net->nodes[net->hidden[0].reader].name, "layer2");
    for (size_t k = 0; k < EG_COUNT(roles); k++) {
        assert_true(eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 3, k, &run));
        assert_int_equal(run.role, roles[k]);
        assert_int_equal(run.count, k == 0 ? IN : 1);
    }
    assert_false(eg_net_unit_run(net, 0, EG_UNIT_INCOMING, 3, EG_COUNT(roles), &run));
    assert_string_equal(eg_parameter_table_find(&net->table, "norm1.scale")->name, "norm1.scale");
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_in_every_mode),
        cmocka_unit_test(what_moves),
        cmocka_unit_test(buffers_are_saved),
        cmocka_unit_test(scale_and_shift_belong_to_the_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
