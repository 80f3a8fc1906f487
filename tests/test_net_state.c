/** Saved networks: the same weights, steps and outputs in another network; what does not fit is refused. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/net.h"
#include "nn/layers.h"

#include <string.h>

/** 3 – outputs, centered rows: outputs come from what is derived from the weights. */
static eg_net *make(size_t outputs, uint64_t seed)
{
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 1, sizeof *layers));
    assert_ok(eg_layer_linear(&layers[0], eg_shape_vector(3), outputs, EG_NORM_CENTERED, true,
                              EG_INITIALIZER_NORMAL));
    assert_ok(eg_net_create(&net, layers, 1, seed));
    return net;
}

static void outputs_of(eg_net *net, eg_real *y)
{
    const eg_real x[] = {1, -2, 4};
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    memcpy(y, eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL), net->outputs * sizeof *y);
    eg_workspace_free(workspace);
}

static void a_saved_network_goes_on(void **state)
{
    (void)state;
    eg_real expected[4];
    eg_real y[4];
    eg_net *net = make(4, 1);
    eg_net *other = make(4, 2);
    outputs_of(net, expected);
    outputs_of(other, y);
    outputs_of(other, y);
    assert_memory_not_equal(y, expected, sizeof y);
    eg_writer writer = {0};
    eg_net_write(net, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_net_read(other, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_int_equal(other->step, 1);
    outputs_of(other, y);
    assert_memory_equal(y, expected, sizeof y);
    eg_writer_clear(&writer);
    eg_net_free(net);
    eg_net_free(other);
}

static void another_network_is_refused(void **state)
{
    (void)state;
    eg_net *net = make(4, 1);
    eg_net *larger = make(40, 1);
    eg_real before[40];
    eg_real after[40];
    outputs_of(larger, before);
    eg_writer writer = {0};
    eg_net_write(net, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_net_read(larger, &reader), EG_INVALID,
                 "saved parameters: layer1.weight of 12 numbers, expected layer1.weight of 120");
    assert_int_equal(larger->step, 1);
    for (size_t size = 0; size < writer.size; size++) {
        reader = eg_reader_make(writer.data, size);
        assert_fails(eg_net_read(net, &reader), EG_INVALID, "damaged data");
    }
    outputs_of(larger, after);
    assert_memory_equal(before, after, sizeof before);
    eg_writer_clear(&writer);
    eg_net_free(net);
    eg_net_free(larger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_network_goes_on),
        cmocka_unit_test(another_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
