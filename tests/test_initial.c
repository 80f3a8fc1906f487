/** Initial distributions: their bounds, their variance, and fresh values of a unit. */
#include "testing.h"

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>

/* What the literature states to six digits. */
#define assert_bound(value, expected) assert_true(fabs((value) - (expected)) < 1e-6)

static double bound(eg_initializer initializer, const char *activation, size_t inputs, size_t units)
{
    const double slope[] = {0.01};
    double gain = 1;
    if (activation != NULL) {
        const eg_component *found = eg_family_find(&eg_activation_family, activation);
        assert_non_null(found);
        gain = eg_activation_gain((const eg_activation *)found, slope);
    }
    eg_initial initial = eg_initializer_weight(initializer, gain, inputs, units);
    assert_int_equal(initial.kind, EG_INITIAL_UNIFORM);
    return eg_initial_spread(&initial);
}

/* Slowly-changing regression: 20 inputs, 5 units. Source: Dohare et al. 2024 and its program. */
static void bounds_of_twenty_inputs(void **state)
{
    (void)state;
    assert_bound(bound(EG_INITIALIZER_KAIMING, "sigmoid", 20, 5), 0.387298);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "relu", 20, 5), 0.547723);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "elu", 20, 5), 0.547723);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "swish", 20, 5), 0.547723);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "leaky_relu", 20, 5), 0.547695);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "tanh", 20, 5), 0.645497);
    assert_bound(bound(EG_INITIALIZER_KAIMING, NULL, 5, 1), 0.774597);
    assert_bound(bound(EG_INITIALIZER_LECUN, NULL, 20, 1), 0.387298);
    /* sqrt(6/25) and sqrt 2 times that */
    assert_bound(bound(EG_INITIALIZER_XAVIER, NULL, 20, 5), 0.489898);
    assert_bound(bound(EG_INITIALIZER_XAVIER, "relu", 20, 5), 0.692820);
}

/* Online permuted MNIST, and the layers of Continual ImageNet. */
static void bounds_of_wide_layers(void **state)
{
    (void)state;
    assert_bound(bound(EG_INITIALIZER_KAIMING, "relu", 784, 100), 0.0874818);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "relu", 100, 100), 0.244949);
    assert_bound(bound(EG_INITIALIZER_KAIMING, "relu", 2000, 2000), 0.0547723);
    assert_bound(bound(EG_INITIALIZER_KAIMING, NULL, 100, 10), 0.173205);
    assert_bound(bound(EG_INITIALIZER_KAIMING, NULL, 2000, 10), 0.0387298);
    const size_t inputs[] = {75, 288, 576, 512, 128};
    const double a[] = {0.115470, 0.0589256, 0.0416667, 0.0441942, 0.0883883};
    for (size_t i = 0; i < EG_COUNT(inputs); i++) {
        assert_bound(bound(EG_INITIALIZER_DEFAULT, NULL, inputs[i], 32), a[i]);
        assert_bound(bound(EG_INITIALIZER_UNIFORM, NULL, inputs[i], 32), a[i]);
    }
}

static void biases_are_zero_or_like_weights(void **state)
{
    (void)state;
    for (int i = EG_INITIALIZER_NORMAL; i <= EG_INITIALIZER_VARIANCE_SCALING; i++) {
        eg_initial bias = eg_initializer_bias((eg_initializer)i, 16);
        eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
        bool random = i == EG_INITIALIZER_UNIFORM || i == EG_INITIALIZER_DEFAULT;
        assert_close(eg_initial_spread(&bias), random ? 0.25 : 0.0, 1e-15);
        assert_true((eg_initial_draw(&bias, &rng) == 0.0) == !random);
    }
    const eg_initial one = {.kind = EG_INITIAL_VALUE, .scale = 1};
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    assert_true(eg_initial_draw(&one, &rng) == 1.0);
}

/* U(-a, a) has variance a^2/3, and nothing outside. */
static void variance_is_that_of_the_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 1000000 };
    for (int i = EG_INITIALIZER_NORMAL; i <= EG_INITIALIZER_VARIANCE_SCALING; i++) {
        eg_initial initial = eg_initializer_weight((eg_initializer)i, 5.0 / 3.0, 20, 5);
        double spread = eg_initial_spread(&initial);
        bool normal = initial.kind == EG_INITIAL_NORMAL;
        bool cut = initial.kind == EG_INITIAL_TRUNCATED;
        double bound_of = cut ? 2 * spread : spread;
        double expected = normal ? spread * spread : cut ? 1.0 / 20 : spread * spread / 3.0;
        eg_rng rng = eg_rng_make(2, EG_PURPOSE_TEST, (uint64_t)i);
        double sum = 0;
        double squares = 0;
        for (size_t k = 0; k < DRAWS; k++) {
            double w = eg_initial_draw(&initial, &rng);
            assert_true(normal || (w >= -bound_of && w <= bound_of));
            sum += w;
            squares += w * w;
        }
        assert_true(fabs(squares / DRAWS / expected - 1.0) < 0.02);
        assert_true(fabs(sum / DRAWS) < 5.0 * sqrt(expected / DRAWS));
    }
}

static eg_net *chain(eg_initializer initializer, bool panels, double gain)
{
    enum { IN = 50, UNITS = 70, OUT = 3 };
    eg_layer layers[3];
    const eg_activation *relu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "relu");
    assert_ok((panels ? eg_layer_linear_panels : eg_layer_linear)(
        &layers[0], eg_shape_vector(IN), UNITS, EG_NORM_NONE, true, initializer));
    layers[0].blocks[EG_LINEAR_WEIGHT].initial =
        eg_initializer_weight(initializer, gain, IN, UNITS);
    assert_ok(eg_layer_activation(&layers[1], relu, &gain, eg_shape_vector(UNITS)));
    assert_ok(
        eg_layer_linear(&layers[2], eg_shape_vector(UNITS), OUT, EG_NORM_NONE, true, initializer));
    eg_layer *taken = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&taken, 3, sizeof *taken));
    for (size_t i = 0; i < 3; i++) {
        taken[i] = layers[i];
    }
    assert_ok(eg_net_create(&net, taken, 3, 1));
    return net;
}

/* What is drawn for a unit later has the distribution the layer began with, gain and all. */
static void fresh_values_are_of_the_layers_own_distribution(void **state)
{
    (void)state;
    enum { ROUNDS = 40 };
    const double gain = sqrt(2.0);
    for (int form = 0; form < 4; form++) {
        eg_initializer initializer = form < 2 ? EG_INITIALIZER_KAIMING : EG_INITIALIZER_DEFAULT;
        double a = form < 2 ? gain * sqrt(3.0 / 50.0) : 1.0 / sqrt(50.0);
        eg_net *net = chain(initializer, form % 2 == 0, gain);
        eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, (uint64_t)form);
        eg_real fresh[50];
        eg_plane_run run;
        double squares = 0;
        size_t weights = 0;
        assert_close(net->hidden[0].gain, gain, 1e-15);
        for (size_t unit = 0; unit < ROUNDS * net->hidden[0].units; unit++) {
            size_t i = unit % net->hidden[0].units;
            for (size_t k = 0; eg_net_unit_run(net, 0, EG_UNIT_INCOMING, i, k, &run); k++) {
                assert_true(run.count <= EG_COUNT(fresh));
                eg_net_fresh(net, &run, &rng, fresh);
                for (size_t j = 0; j < run.count; j++) {
                    bool bias = run.role == EG_ROLE_BIAS;
                    assert_true(fabs((double)fresh[j]) <= a * (1 + 1e-6));
                    assert_true(!bias || ((fresh[j] == 0) == (form < 2)));
                    squares += bias ? 0 : (double)fresh[j] * (double)fresh[j];
                    weights += bias ? 0 : 1;
                }
            }
        }
        assert_true(fabs(squares / (double)weights / (a * a / 3.0) - 1.0) < 0.02);
        /* And the layer began like this. */
        for (size_t i = 0; i < net->table.blocks[0].count; i++) {
            assert_true(fabs((double)net->params[i]) <= a * (1 + 1e-6));
        }
        eg_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_of_twenty_inputs),
        cmocka_unit_test(bounds_of_wide_layers),
        cmocka_unit_test(biases_are_zero_or_like_weights),
        cmocka_unit_test(variance_is_that_of_the_distribution),
        cmocka_unit_test(fresh_values_are_of_the_layers_own_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
