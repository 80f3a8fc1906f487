/** Networks over images, in double: gradients in every mode, and hidden units through normalisation, pooling,
 *  residual sums, global pooling and flattening. */
#include "image_nets.h"

#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { B = 3 };

static void draw(eg_real *x, uint64_t index)
{
    eg_rng rng = eg_rng_make(4, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < (size_t)B * IMAGE_NUMBERS; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
}

static double loss_of(eg_net *net, eg_workspace *workspace, eg_mode mode, eg_real *dy)
{
    static eg_real x[B * IMAGE_NUMBERS]; /* backward reads it */
    double loss = 0;
    draw(x, 0);
    eg_net_touch(net);
    const eg_real *y = eg_net_forward(net, workspace, mode, B, x, NULL);
    for (size_t i = 0; i < (size_t)B * IMAGE_CLASSES; i++) {
        loss += (double)(y[i] * y[i] / 2);
        dy[i] = y[i];
    }
    return loss;
}

static void assert_gradients(eg_net *net, eg_workspace *workspace, eg_mode mode)
{
    const double h = 1e-5;
    const eg_mode still = mode == EG_MODE_TRAIN ? EG_MODE_PROBE_BATCH : mode;
    eg_real dy[B * IMAGE_CLASSES];
    eg_real unused[B * IMAGE_CLASSES];
    (void)loss_of(net, workspace, mode, dy);
    eg_net_backward(net, workspace, dy, NULL);
    for (size_t i = 0; i < net->table.count; i++) {
        eg_real gradient = net->grads[i];
        eg_real kept = net->params[i];
        net->params[i] = kept + (eg_real)h;
        double above = loss_of(net, workspace, still, unused);
        net->params[i] = kept - (eg_real)h;
        double below = loss_of(net, workspace, still, unused);
        net->params[i] = kept;
        assert_close((double)gradient, (above - below) / (2 * h), 1e-7);
    }
}

static eg_net *network(size_t which)
{
    return which == 0 ? image_net_residual("swish") : image_net_flat("swish", which == 2);
}

static void gradients_in_every_mode(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PROBE, EG_MODE_PROBE_BATCH};
    for (size_t which = 0; which < 3; which++) {
        eg_net *net = network(which);
        eg_workspace *workspace = NULL;
        eg_real x[B * IMAGE_NUMBERS];
        assert_ok(eg_workspace_create(&workspace, net, B, true));
        for (uint64_t t = 1; t < 10; t++) {
            draw(x, t);
            (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, B, x, NULL);
        }
        for (size_t m = 0; m < EG_COUNT(modes); m++) {
            assert_gradients(net, workspace, modes[m]);
        }
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

static void assert_hidden(const eg_net *net, size_t h, const char *maker, const char *seen,
                          const char *reader, size_t units, size_t positions)
{
    const eg_hidden_layer *hidden = &net->hidden[h];
    assert_string_equal(net->nodes[hidden->maker].name, maker);
    assert_string_equal(net->nodes[hidden->seen].name, seen);
    assert_string_equal(net->nodes[hidden->reader].name, reader);
    assert_int_equal(hidden->units, units);
    assert_int_equal(hidden->parts, 1);
    assert_int_equal(hidden->positions, positions);
    assert_close(hidden->gain, sqrt(2), 1e-15);
}

/* Of two blocks, the second with a convolution on its skip connection ("bd"), which neither makes nor uses units. */
static void hidden_layers_of_residual_blocks(void **state)
{
    (void)state;
    eg_net *net = image_net_residual("relu");
    assert_int_equal(net->hidden_count, 5);
    assert_hidden(net, 0, "stem", "act", "a1", 4, 16);
    assert_hidden(net, 1, "a1", "aa", "a2", 4, 16);
    assert_hidden(net, 2, "a2", "ao", "b1", 4, 16);
    assert_hidden(net, 3, "b1", "ba", "b2", 6, 4);
    assert_hidden(net, 4, "b2", "pool", "head", 6, 1);
    eg_net_free(net);
}

static size_t node_named(const eg_net *net, const char *name)
{
    for (size_t i = 0; i < net->node_count; i++) {
        if (strcmp(net->nodes[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("there is no node %s", name);
    return 0;
}

/* A unit's scale and shift are those of the normalisation behind its maker, on the main branch; its running
 * statistics begin anew with it, and no others do. */
static void normalisation_belongs_to_the_unit(void **state)
{
    (void)state;
    const char *const makers[] = {"stem", "a1", "a2", "b1", "b2"};
    const char *const norms[] = {"norm", "an", "am", "bn", "bm"};
    const eg_role roles[] = {EG_ROLE_WEIGHT, EG_ROLE_BIAS, EG_ROLE_SCALE, EG_ROLE_SHIFT};
    const size_t unit = 3;
    eg_net *net = image_net_residual("relu");
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_node *maker = &net->nodes[node_named(net, makers[h])];
        const eg_node *norm = &net->nodes[node_named(net, norms[h])];
        const size_t fan_in = maker->layer.blocks[0].fan_in;
        const size_t first[] = {maker->offset[0] + unit, maker->offset[1] + unit,
                                norm->offset[0] + unit, norm->offset[1] + unit};
        const eg_real start[] = {0, 0, 1, 0};
        eg_plane_run run;
        for (size_t k = 0; k < EG_COUNT(roles); k++) {
            eg_real fresh[9 * 6];
            eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
            assert_true(eg_net_unit_run(net, h, EG_UNIT_INCOMING, unit, k, &run));
            assert_int_equal(run.role, roles[k]);
            assert_int_equal(run.first, first[k]);
            assert_int_equal(run.count, k == 0 ? fan_in : 1);
            eg_net_fresh(net, &run, &rng, fresh);
            assert_true(k < 2 || fresh[0] == start[k]);
        }
        assert_false(eg_net_unit_run(net, h, EG_UNIT_INCOMING, unit, EG_COUNT(roles), &run));
        for (size_t i = 0; i < net->buffer_count; i++) {
            net->buffers[i] = 7;
        }
        eg_net_unit_restart(net, h, unit);
        assert_true(norm->buffers[0][unit] == 0 && norm->buffers[1][unit] == 1);
        norm->buffers[0][unit] = norm->buffers[1][unit] = 7;
        for (size_t i = 0; i < net->buffer_count; i++) {
            assert_true(net->buffers[i] == 7);
        }
    }
    eg_net_free(net);
}

/* Channels 1 and 5 with 4 places: columns 4 to 7 and 20 to 23 of the layer behind the flattening. */
static void a_channel_is_neighbouring_columns(void **state)
{
    (void)state;
    enum { COLUMNS = 24, PLACES = 4 };
    const size_t channels[] = {1, 5};
    eg_net *net = image_net_flat("relu", false);
    assert_int_equal(net->hidden_count, 2);
    assert_hidden(net, 0, "a", "pool", "b", 5, 4);
    assert_hidden(net, 1, "b", "act2", "head", 6, PLACES);
    assert_true(net->hidden[0].spread == 1 && net->hidden[1].spread == PLACES);
    const eg_node *head = &net->nodes[net->hidden[1].reader];
    for (size_t c = 0; c < EG_COUNT(channels); c++) {
        eg_plane_run run;
        size_t k = 0;
        for (; eg_net_unit_run(net, 1, EG_UNIT_OUTGOING, channels[c], k, &run); k++) {
            assert_int_equal(run.first - head->offset[0], channels[c] * PLACES + k);
            assert_true(run.count == IMAGE_CLASSES && run.stride == COLUMNS);
        }
        assert_int_equal(k, PLACES);
    }
    eg_net_free(net);
}

/* Units of two parts: channels c and units + c, each of them neighbouring columns. */
static void parts_and_places(void **state)
{
    (void)state;
    const size_t columns[] = {4, 5, 6, 7, 28, 29, 30, 31};
    eg_net *net = image_net_flat("crelu", false);
    const eg_node *head = &net->nodes[net->hidden[1].reader];
    eg_plane_run run;
    assert_true(net->hidden[1].units == 6 && net->hidden[1].parts == 2);
    for (size_t k = 0; k < EG_COUNT(columns); k++) {
        assert_true(eg_net_unit_run(net, 1, EG_UNIT_OUTGOING, 1, k, &run));
        assert_int_equal(run.first - head->offset[0], columns[k]);
    }
    assert_false(eg_net_unit_run(net, 1, EG_UNIT_OUTGOING, 1, EG_COUNT(columns), &run));
    eg_net_free(net);
}

static void outputs_of(eg_net *net, eg_real *y)
{
    eg_workspace *workspace = NULL;
    eg_real x[B * IMAGE_NUMBERS];
    draw(x, 0);
    eg_net_touch(net);
    assert_ok(eg_workspace_create(&workspace, net, B, false));
    memcpy(y, eg_net_forward(net, workspace, EG_MODE_PREDICT, B, x, NULL),
           sizeof(eg_real) * B * IMAGE_CLASSES);
    eg_workspace_free(workspace);
}

static bool differ(const eg_real *a, const eg_real *b)
{
    for (size_t i = 0; i < B * IMAGE_CLASSES; i++) {
        if (a[i] != b[i]) {
            return true;
        }
    }
    return false;
}

static void change(eg_net *net, size_t hidden, eg_unit_side side, size_t unit, eg_real factor,
                   eg_real plus)
{
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, side, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            eg_real *w = &net->params[run.first + i * run.stride];
            *w = factor * *w + plus;
        }
    }
}

/* Without its outgoing weights a unit may be anything; but in a residual network those that a skip connection
 * passes on, the stem's and the blocks', still show. The last block has nothing behind it. */
static void outgoing_weights_and_skip_connections(void **state)
{
    (void)state;
    for (size_t which = 0; which < 2; which++) {
        eg_net *net = network(which);
        for (size_t h = 0; h < net->hidden_count; h++) {
            bool passed_on = which == 0 && (h == 0 || h == 2);
            eg_real before[B * IMAGE_CLASSES];
            eg_real after[B * IMAGE_CLASSES];
            outputs_of(net, before);
            change(net, h, EG_UNIT_INCOMING, 2, 1, (eg_real)0.5);
            outputs_of(net, after);
            assert_true(differ(before, after));
            change(net, h, EG_UNIT_OUTGOING, 2, 0, 0);
            outputs_of(net, before);
            change(net, h, EG_UNIT_INCOMING, 2, 1, (eg_real)0.5);
            outputs_of(net, after);
            assert_true(differ(before, after) == passed_on);
        }
        eg_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_in_every_mode),
        cmocka_unit_test(hidden_layers_of_residual_blocks),
        cmocka_unit_test(normalisation_belongs_to_the_unit),
        cmocka_unit_test(a_channel_is_neighbouring_columns),
        cmocka_unit_test(parts_and_places),
        cmocka_unit_test(outgoing_weights_and_skip_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
