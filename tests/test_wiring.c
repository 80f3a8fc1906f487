/** Units at both ends of every parameter, on networks of fully connected layers and convolutions; and networks of
 *  which it cannot be said. */
#include "image_nets.h"
#include "image_scene.h"
#include "subnetwork_scene.h"

#include "learner/wiring.h"

/* Block `name` of units x fan_in, row by row: to[u] is first + u, from[u, i] is `from`(i). */
static void assert_block(const eg_net *net, const eg_wiring *wiring, const char *name, bool makes,
                         size_t first, size_t taps, size_t inputs, size_t from)
{
    size_t index = image_block(net, name);
    const eg_parameter_block *block = &net->table.blocks[index];
    eg_real *plane = NULL;
    eg_real *values = NULL;
    assert_ok(eg_alloc(&plane, net->param_count, sizeof *plane));
    assert_ok(eg_alloc(&values, block->units * block->fan_in, sizeof *values));
    for (int side = 0; side < 2; side++) {
        const uint32_t *unit = side == 0 ? wiring->to : wiring->from;
        for (size_t i = 0; i < net->param_count; i++) {
            plane[i] = unit[i] == EG_NO_UNIT ? -1 : (eg_real)unit[i];
        }
        eg_net_block_get(net, index, plane, values);
        for (size_t u = 0; u < block->units; u++) {
            for (size_t i = 0; i < block->fan_in; i++) {
                double to = makes ? (double)(first + u) : -1;
                double at = inputs > 0 ? (double)(from + i / taps % inputs) : -1;
                assert_close(values[u * block->fan_in + i], side == 0 ? to : at, 0);
            }
        }
    }
    eg_free(plane);
    eg_free(values);
}

/* 9 inputs, 7 and 5 hidden units, 6 outputs. */
static void fully_connected(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE("learner", "plain"));
    eg_wiring wiring = {0};
    scene_create(&s);
    const eg_net *net = scene_net(&s);
    assert_null(eg_wiring_obstacle(net));
    assert_ok(eg_wiring_init(&wiring, net));
    assert_int_equal(wiring.units, 12);
    assert_block(net, &wiring, "layer1.weight", true, 0, 1, 0, 0);
    assert_block(net, &wiring, "layer1.bias", true, 0, 1, 0, 0);
    assert_block(net, &wiring, "layer2.weight", true, 7, 1, 7, 0);
    assert_block(net, &wiring, "layer2.bias", true, 7, 1, 0, 0);
    assert_block(net, &wiring, "layer3.weight", false, 0, 1, 5, 7);
    assert_block(net, &wiring, "layer3.bias", false, 0, 1, 0, 0);
    eg_wiring_clear(&wiring);
    scene_close(&s);
}

/* Convolution of 5 maps, pooled; of 6 maps with kernel 1; flattened, 4 places of a map side by side. A unit that has
 * two parts (crelu) is read by two inputs. */
static void convolutions(void **state)
{
    (void)state;
    eg_net *net = image_net_flat("relu", false);
    eg_wiring wiring = {0};
    assert_null(eg_wiring_obstacle(net));
    assert_ok(eg_wiring_init(&wiring, net));
    assert_int_equal(wiring.units, 11);
    assert_block(net, &wiring, "a.weight", true, 0, 1, 0, 0);
    assert_block(net, &wiring, "b.weight", true, 5, 1, 5, 0);
    assert_block(net, &wiring, "head.weight", false, 0, 4, 6, 5);
    eg_wiring_clear(&wiring);
    eg_net_free(net);
    net = image_net_flat("crelu", false);
    assert_null(eg_wiring_obstacle(net));
    assert_ok(eg_wiring_init(&wiring, net));
    assert_block(net, &wiring, "b.weight", true, 5, 1, 5, 0);
    assert_block(net, &wiring, "head.weight", false, 0, 4, 6, 5);
    eg_wiring_clear(&wiring);
    eg_net_free(net);
}

static void assert_obstacle(const char *const *more, const char *part)
{
    learner_scene s = subnetwork_open(more);
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, part);
    scene_close(&s);
}

static void obstacles_are_named(void **state)
{
    (void)state;
    eg_net *net = image_net_residual("relu");
    assert_non_null(strstr(eg_wiring_obstacle(net), "no chain"));
    eg_net_free(net);
#define HAT "learner", "hat"
    assert_obstacle(SCENE(HAT, "model.norm", "layer"), "it normalises units");
    assert_obstacle(SCENE(HAT, "model.weight_norm", "[none, centered]"), "normalised weights");
    assert_obstacle(SCENE(HAT, "model.hidden", "[]"), "one hidden layer between them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fully_connected),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(obstacles_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
