/** Utilities of the two channels of a small convolution, by hand. In double precision.
 *
 *      images [1][4][2], the second channel 0: (1,-1,2,3), (0,1,-2,1)
 *      filters 1x1: (1, .5) and bias 0, (-1, -3) and bias .5; relu; max pooling over pairs of columns
 *      h of channel 0: (1,3), (1,1), mean 1.5; of channel 1: (1.5,0), (.5,2.5), mean 1.125
 *      in = (.75, 2)
 *
 *  Flattened, the four numbers of an image are used by a linear layer with mean |w| .3, .4 of channel 0 and .4,
 *  .2 of channel 1; or a convolution of two columns uses the channels with mean |w| .35 and .3. */
#include "small_net.h"

#include "learner/utility.h"
#include "learner/utility_sums.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 2, NUMBERS = 8, CHANNELS = 2 };

static const eg_real images[IMAGES * NUMBERS] = {1, 0, -1, 0, 2, 0, 3, 0, 0, 0, 1, 0, -2, 0, 1, 0};

/* What reads the pooled maps. */
typedef enum reader { LINEAR, CONVOLUTION } reader;

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_utility utility;
} scene;

static void set_block(eg_net *net, const char *name, const double *values, size_t count)
{
    eg_real row[16];
    size_t block = 0;
    while (strcmp(net->table.blocks[block].name, name) != 0) {
        block++;
        assert_true(block < net->table.block_count);
    }
    assert_true(count <= EG_COUNT(row));
    for (size_t i = 0; i < count; i++) {
        row[i] = (eg_real)values[i];
    }
    eg_net_block_set(net, block, row, net->params);
    eg_net_touch(net);
}

#define SET(net, name, ...)                                                                        \
    set_block(net, name, (const double[]){__VA_ARGS__}, EG_COUNT(((const double[]){__VA_ARGS__})))

static void add(eg_graph *graph, const char *name, eg_layer layer)
{
    assert_ok(eg_graph_chain(graph, name, &layer, NULL));
}

static eg_layer relu(eg_shape shape)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    eg_layer layer;
    assert_ok(eg_layer_activation(
        &layer, (const eg_activation *)eg_family_find(&eg_activation_family, "relu"), none, shape));
    return layer;
}

static eg_layer conv(eg_shape in, size_t filters, size_t width)
{
    const eg_conv spec = {.filters = filters,
                          .kernel_height = 1,
                          .kernel_width = width,
                          .stride = 1,
                          .bias = true,
                          .initial = {.kind = EG_INITIAL_UNIFORM, .scale = 1}};
    eg_layer layer;
    assert_ok(eg_layer_conv(&layer, in, &spec));
    return layer;
}

static eg_net *network(reader of, bool panels)
{
    const eg_shape in = {1, 4, 2};
    const eg_shape pooled = {1, 2, CHANNELS};
    const eg_pool pairs = {.height = 1, .width = 2, .stride = 2};
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    eg_layer layer;
    assert_ok(eg_graph_create(&graph, in));
    add(graph, "conv", conv(in, CHANNELS, 1));
    add(graph, "act", relu((eg_shape){1, 4, CHANNELS}));
    assert_ok(eg_layer_max_pool(&layer, (eg_shape){1, 4, CHANNELS}, &pairs));
    add(graph, "pool", layer);
    if (of == LINEAR) {
        eg_layer_flatten(&layer, pooled);
        add(graph, "flatten", layer);
        assert_ok((panels ? eg_layer_linear_panels : eg_layer_linear)(
            &layer, eg_shape_vector(4), 2, EG_NORM_NONE, true, EG_INITIALIZER_UNIFORM));
        add(graph, "reader", layer);
    } else {
        add(graph, "reader", conv(pooled, 2, 2));
    }
    assert_ok(eg_net_build(&net, graph, 1));
    SET(net, "conv.weight", 1, .5, -1, -3);
    SET(net, "conv.bias", 0, .5);
    if (of == LINEAR) {
        SET(net, "reader.weight", .4, -.3, .2, .1, .2, .5, -.6, .3);
    } else {
        SET(net, "reader.weight", .4, .2, -.3, .1, .2, -.6, .5, .3);
    }
    return net;
}

static eg_utility_rule rule_of(eg_utility_kind kind)
{
    return (eg_utility_rule){.kind = kind, .decay = .9, .bias_corrected = true};
}

/* Takes the network. */
static void open_scene(scene *s, eg_net *net, eg_utility_rule rule)
{
    s->net = net;
    assert_ok(eg_workspace_create(&s->workspace, net, IMAGES, true));
    const eg_learner_network at = {.net = net, .training = s->workspace};
    assert_ok(eg_utility_init(&s->utility, &at, &rule));
}

static void close_scene(scene *s)
{
    eg_utility_clear(&s->utility);
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

static void observe(scene *s)
{
    (void)eg_net_forward(s->net, s->workspace, EG_MODE_TRAIN, IMAGES, images, NULL);
    eg_utility_begin(&s->utility);
    assert_true(eg_utility_observe(&s->utility, 0) == CHANNELS);
}

/* Means over positions of products, not products of means: contribution of channel 0 is (.3 1 + .4 2)/2 = .55
 * where .35 1.5 = .525. */
static const double expected[][2][CHANNELS] = {
    [EG_UTILITY_CONTRIBUTION] = {{.55, .325}, {.525, .3375}},
    [EG_UTILITY_ZERO_CONTRIBUTION] = {{.275, .225}, {.2625, .2625}},
    [EG_UTILITY_ADAPTABLE_CONTRIBUTION] = {{.275 / .75, .1125}, {.35, .13125}},
    [EG_UTILITY_ADAPTATION] = {{1 / .75, .5}, {1 / .75, .5}},
    [EG_UTILITY_WEIGHT] = {{.35, .3}, {.35, .3}},
    [EG_UTILITY_FEATURE_BY_INPUT] = {{1, .4375}, {1, .4375}},
};

static void every_kind_by_hand(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < EG_COUNT(expected); kind++) {
        for (size_t form = 0; form < 3; form++) {
            scene s;
            reader of = form < 2 ? LINEAR : CONVOLUTION;
            open_scene(&s, network(of, form == 1), rule_of((eg_utility_kind)kind));
            assert_true(s.net->hidden_count == 1 && s.net->hidden[0].units == CHANNELS);
            observe(&s);
            for (size_t i = 0; i < CHANNELS; i++) {
                assert_close((double)s.utility.u[i], expected[kind][of][i], 1e-12);
            }
            assert_close((double)eg_utility_activation(&s.utility, 0, 0), 1.5, 1e-12);
            assert_close((double)eg_utility_activation(&s.utility, 0, 1), 1.125, 1e-12);
            close_scene(&s);
        }
    }
}

/* Sums of the mean activations 1.5 and 1.125, times .1: two updates give .3 if nothing decays and .285 if it
 * does. Utilities come from the weights of when they are asked for. A replaced unit begins anew, but for the sum
 * that is cumulative. */
static void sums_of_activations(void **state)
{
    (void)state;
    const struct {
        eg_utility_statistic statistic;
        bool corrected;
        double after_two, after_three; /* of channel 0, replaced after two, with out .35 */
    } cases[] = {
        {EG_UTILITY_STATISTIC_CUMULATIVE, true, .3, .45},
        {EG_UTILITY_STATISTIC_CUMULATIVE, false, .3, .45},
        {EG_UTILITY_STATISTIC_EMA, false, .285, .15},
        {EG_UTILITY_STATISTIC_EMA, true, 1.5, 1.5},
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        for (size_t of = LINEAR; of <= CONVOLUTION; of++) {
            scene s;
            eg_utility_rule rule = rule_of(EG_UTILITY_CONTRIBUTION);
            rule.statistic = cases[c].statistic;
            rule.bias_corrected = cases[c].corrected;
            open_scene(&s, network((reader)of, false), rule);
            observe(&s);
            assert_true(s.utility.magnitudes.out[0] == 0); /* not read yet */
            observe(&s);
            eg_utility_rank(&s.utility, 0, 1);
            assert_close((double)s.utility.due[0], .35 * cases[c].after_two, 1e-12);
            assert_true(eg_utility_least(&s.utility, 0) == 1);
            eg_utility_restart(&s.utility, 0, 0);
            observe(&s);
            eg_utility_rank(&s.utility, 0, 2);
            assert_close((double)s.utility.due[0], .35 * cases[c].after_three, 1e-12);
            eg_utility_reset(&s.utility);
            observe(&s);
            eg_utility_rank(&s.utility, 0, 3);
            assert_close((double)s.utility.due[0], .35 * (cases[c].corrected && c == 3 ? 1.5 : .15),
                         1e-12);
            close_scene(&s);
        }
    }
    scene s;
    eg_utility_rule rule = rule_of(EG_UTILITY_WEIGHT);
    rule.statistic = EG_UTILITY_STATISTIC_CUMULATIVE;
    open_scene(&s, network(LINEAR, true), rule);
    observe(&s);
    eg_utility_rank(&s.utility, 0, 1);
    assert_close((double)s.utility.due[0], .35, 1e-12);
    assert_close((double)s.utility.due[1], .3, 1e-12);
    close_scene(&s);
}

/* Many places: as the definition. */
static void means_over_images(void **state)
{
    (void)state;
    enum { BATCH = 3, PLACES = 7, UNITS = 5 };
    eg_real y[BATCH * PLACES * UNITS];
    eg_real scratch[2 * UNITS];
    eg_real mean[UNITS];
    eg_real size[UNITS];
    eg_real spread[UNITS];
    for (size_t k = 0; k < EG_COUNT(y); k++) {
        y[k] = (eg_real)sin(1 + (double)k);
    }
    const eg_utility_map map = {.y = y,
                                .batch = BATCH,
                                .positions = PLACES,
                                .parts = 1,
                                .units = UNITS,
                                .scratch = scratch};
    eg_utility_means(&map, NULL, mean, size);
    eg_utility_means(&map, mean, NULL, spread);
    for (size_t i = 0; i < UNITS; i++) {
        double sum[3] = {0};
        for (size_t r = 0; r < (size_t)BATCH * PLACES; r++) {
            double v = (double)y[r * UNITS + i];
            sum[0] += v / (BATCH * PLACES);
            sum[1] += fabs(v) / (BATCH * PLACES);
            sum[2] += fabs(v - (double)mean[i]) / (BATCH * PLACES);
        }
        assert_close((double)mean[i], sum[0], 1e-14);
        assert_close((double)size[i], sum[1], 1e-14);
        assert_close((double)spread[i], sum[2], 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_by_hand),
        cmocka_unit_test(sums_of_activations),
        cmocka_unit_test(means_over_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
