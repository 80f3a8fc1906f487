/** Utilities of the three hidden units of a network, by hand. In double precision.
 *
 *      W1 [[.5,-.5],[.3,.1],[-.2,.4]], b1 (.1,0,.2), W2 [[.4,-.3,.2],[.1,.5,-.6]], relu
 *      in = (.5, .2, .3), out = (.25, .4, .4)
 *      x (1,2): h = (0, .5, .8);  x (2,1): h = (.6, .7, .2) */
#include "small_net.h"

#include "learner/utility.h"

#include <math.h>
#include <stdint.h>

enum { UNITS = 3 };

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_utility utility;
} scene;

static eg_utility_rule rule_of(eg_utility_kind kind)
{
    return (eg_utility_rule){.kind = kind, .decay = .9, .bias_corrected = true, .maturity = 2};
}

static void open_scene(scene *s, eg_utility_rule rule)
{
    s->net = small_net(WIDTHS(2, UNITS, 2), true, EG_INITIALIZER_UNIFORM, "relu");
    const double w1[] = {.5, -.5, .3, .1, -.2, .4};
    for (size_t u = 0; u < UNITS; u++) {
        eg_plane_run run;
        assert_true(eg_net_unit_run(s->net, 0, EG_UNIT_INCOMING, u, 0, &run));
        for (size_t i = 0; i < 2; i++) {
            s->net->params[run.first + i * run.stride] = (eg_real)w1[2 * u + i];
        }
    }
    SMALL_SET(s->net, "layer1.bias", .1, 0, .2);
    SMALL_SET(s->net, "layer2.weight", .4, -.3, .2, .1, .5, -.6);
    assert_ok(eg_workspace_create(&s->workspace, s->net, 2, true));
    const eg_learner_network at = {.net = s->net, .training = s->workspace};
    assert_ok(eg_utility_init(&s->utility, &at, &rule));
}

static void close_scene(scene *s)
{
    eg_utility_clear(&s->utility);
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

/* One update with these examples; how many units are mature. */
static size_t observe(scene *s, const double *x, size_t batch)
{
    eg_real input[4];
    for (size_t i = 0; i < 2 * batch; i++) {
        input[i] = (eg_real)x[i];
    }
    (void)eg_net_forward(s->net, s->workspace, EG_MODE_TRAIN, batch, input, NULL);
    eg_utility_begin(&s->utility);
    return eg_utility_observe(&s->utility, 0);
}

static const double first[] = {1, 2, 2, 1};
static const double second[] = {2, 1};
static const double other[] = {3, 1, 0, 1};

static void assert_utilities(const scene *s, const double *expected)
{
    for (size_t i = 0; i < UNITS; i++) {
        assert_close((double)s->utility.u[i], expected[i], 1e-9);
    }
}

static const struct {
    double one[UNITS];  /* after (1,2) and (2,1) */
    double many[UNITS]; /* after ((1,2),(2,1)) and ((3,1),(0,1)) */
} expected[] = {
    [EG_UTILITY_CONTRIBUTION] = {{.0789473684, .2421052632, .1936842105},
                                 {.1078947368, .2294736842, .1578947368}},
    [EG_UTILITY_ZERO_CONTRIBUTION] = {{.0373961219, .0199445983, .0598337950},
                                      {.1078947368, .1136842105, .1200000000}},
    [EG_UTILITY_ADAPTABLE_CONTRIBUTION] = {{.0747922438, .0997229917, .1994459834},
                                           {.2157894737, .5684210526, .4000000000}},
    [EG_UTILITY_ADAPTATION] = {{2, 5, 3.3333333333}, {2, 5, 3.3333333333}},
    [EG_UTILITY_WEIGHT] = {{.25, .4, .4}, {.25, .4, .4}},
    [EG_UTILITY_FEATURE_BY_INPUT] = {{.2991689751, .2493074792, .4986149584},
                                     {.8631578947, 1.4210526316, 1}},
};

static void every_kind_by_hand(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < EG_COUNT(expected); kind++) {
        scene s;
        open_scene(&s, rule_of((eg_utility_kind)kind));
        (void)observe(&s, first, 1);
        (void)observe(&s, second, 1);
        assert_utilities(&s, expected[kind].one);
        assert_close((double)eg_utility_activation(&s.utility, 0, 0), .3157894737, 1e-9);
        assert_close((double)eg_utility_activation(&s.utility, 0, 2), .4842105263, 1e-9);
        close_scene(&s);
        open_scene(&s, rule_of((eg_utility_kind)kind));
        (void)observe(&s, first, 2);
        (void)observe(&s, other, 2);
        assert_utilities(&s, expected[kind].many);
        assert_close((double)eg_utility_activation(&s.utility, 0, 1), .5736842105, 1e-9);
        close_scene(&s);
    }
}

/* Equation 1: u = .9 u + .1 out |h|. */
static void without_bias_correction(void **state)
{
    (void)state;
    scene s;
    eg_utility_rule rule = rule_of(EG_UTILITY_CONTRIBUTION);
    rule.bias_corrected = false;
    open_scene(&s, rule);
    (void)observe(&s, first, 1);
    (void)observe(&s, second, 1);
    assert_utilities(&s, (const double[]){.0150, .0460, .0368});
    assert_close((double)eg_utility_activation(&s.utility, 0, 0), .3157894737, 1e-9);
    close_scene(&s);
}

/* At age 1 the utility is what it is a mean of, the running mean is h, and what is centred is 0: to the bit,
 * with any decay. */
static void the_first_update_of_a_unit(void **state)
{
    (void)state;
    const double decays[] = {0, .9, .99, .999};
    for (size_t d = 0; d < EG_COUNT(decays); d++) {
        for (size_t kind = 0; kind < EG_COUNT(expected); kind++) {
            scene s;
            eg_utility_rule rule = rule_of((eg_utility_kind)kind);
            rule.decay = decays[d];
            open_scene(&s, rule);
            (void)observe(&s, other, 1);
            eg_utility_restart(&s.utility, 0, 0);
            eg_utility_restart(&s.utility, 0, 1);
            eg_utility_restart(&s.utility, 0, 2);
            (void)observe(&s, first, 1);
            const eg_real *h = eg_workspace_hidden(s.workspace, s.net, 0);
            bool centred = kind == EG_UTILITY_ZERO_CONTRIBUTION ||
                           kind == EG_UTILITY_ADAPTABLE_CONTRIBUTION ||
                           kind == EG_UTILITY_FEATURE_BY_INPUT;
            for (size_t i = 0; i < UNITS; i++) {
                assert_true(s.utility.f[i] == h[i]);
                assert_true(!centred || s.utility.u[i] == 0);
            }
            assert_true(kind != EG_UTILITY_CONTRIBUTION ||
                        s.utility.u[2] == s.utility.magnitudes.out[2] * h[2]);
            close_scene(&s);
        }
    }
}

/* Maturity 2: at the third update all are mature, and the least used is the first of those with the least. */
static void ages_and_ties(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, rule_of(EG_UTILITY_WEIGHT));
    assert_true(observe(&s, first, 1) == 0);
    assert_true(eg_utility_least(&s.utility, 0) == SIZE_MAX);
    assert_true(observe(&s, first, 1) == 0);
    assert_true(observe(&s, first, 1) == UNITS);
    assert_true(eg_utility_least(&s.utility, 0) == 0);
    eg_utility_restart(&s.utility, 0, 0);
    assert_true(eg_utility_least(&s.utility, 0) == 1); /* as little used as unit 2 */
    assert_true(observe(&s, first, 1) == 2);
    assert_true(observe(&s, first, 1) == 2);
    assert_true(observe(&s, first, 1) == UNITS);
    close_scene(&s);
}

/* A unit of age 101 with out .941, and old ones with .62, decay .99: not corrected, the young one has
 * .941 (1 - .99^101) = .60 and is chosen; corrected, an old one is. */
static void the_young_are_compared_as_if_old(void **state)
{
    (void)state;
    for (size_t corrected = 0; corrected < 2; corrected++) {
        scene s;
        const eg_utility_rule rule = {.kind = EG_UTILITY_WEIGHT,
                                      .decay = .99,
                                      .bias_corrected = corrected == 1,
                                      .maturity = 100};
        open_scene(&s, rule);
        SMALL_SET(s.net, "layer2.weight", .62, .941, .62, -.62, -.941, .62);
        for (size_t t = 0; t < 3000; t++) {
            (void)observe(&s, first, 1);
        }
        eg_utility_restart(&s.utility, 0, 1);
        for (size_t t = 0; t < 101; t++) {
            (void)observe(&s, first, 1);
        }
        assert_close((double)s.utility.u[1], corrected == 1 ? .941 : .6, .001);
        assert_true(eg_utility_least(&s.utility, 0) == (corrected == 1 ? 0 : 1));
        close_scene(&s);
    }
}

static void random_utilities_are_drawn(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, rule_of(EG_UTILITY_RANDOM));
    size_t chosen[UNITS] = {0};
    for (uint64_t t = 0; t < 3000; t++) {
        size_t mature = observe(&s, first, 1);
        eg_utility_rank(&s.utility, 0, t);
        if (mature > 0) {
            chosen[eg_utility_least(&s.utility, 0)]++;
        }
    }
    for (size_t i = 0; i < UNITS; i++) {
        assert_close((double)chosen[i], 1000, 110); /* four standard deviations */
    }
    close_scene(&s);
}

/* Both halves of a unit with two outputs count: z (.6,-.7) is h (.6,0,0,.7), mean |h| (.3,.35). */
static void units_with_two_outputs(void **state)
{
    (void)state;
    eg_net *net = small_net(WIDTHS(1, 2, 1), false, EG_INITIALIZER_UNIFORM, "crelu");
    eg_workspace *workspace = NULL;
    eg_utility utility;
    const eg_utility_rule rule = rule_of(EG_UTILITY_CONTRIBUTION);
    SMALL_SET(net, "layer1.weight", .6, -.7);
    SMALL_SET(net, "layer1.bias", 0, 0);
    SMALL_SET(net, "layer2.weight", .1, .2, .3, .4);
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    const eg_learner_network at = {.net = net, .training = workspace};
    assert_ok(eg_utility_init(&utility, &at, &rule));
    const eg_real x[] = {1};
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, 1, x, NULL);
    eg_utility_begin(&utility);
    (void)eg_utility_observe(&utility, 0);
    assert_close((double)utility.u[0], .3 * .2, 1e-12); /* weights .1 and .3 */
    assert_close((double)utility.u[1], .35 * .3, 1e-12);
    eg_utility_clear(&utility);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

static void ages_that_cannot_be(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, rule_of(EG_UTILITY_WEIGHT));
    (void)observe(&s, first, 1);
    eg_writer writer = {0};
    eg_utility_write(&s.utility, &writer);
    writer.data[3] = 0x7f;
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_utility_read(&s.utility, &reader), EG_INVALID, "age");
    eg_writer_clear(&writer);
    const eg_learner_network blind = {.net = s.net};
    const eg_utility_rule rule = rule_of(EG_UTILITY_WEIGHT);
    eg_utility none;
    assert_fails(eg_utility_init(&none, &blind, &rule), EG_INVALID, "does not show");
    eg_utility_clear(&none);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_by_hand),
        cmocka_unit_test(without_bias_correction),
        cmocka_unit_test(the_first_update_of_a_unit),
        cmocka_unit_test(ages_and_ties),
        cmocka_unit_test(the_young_are_compared_as_if_old),
        cmocka_unit_test(random_utilities_are_drawn),
        cmocka_unit_test(units_with_two_outputs),
        cmocka_unit_test(ages_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
