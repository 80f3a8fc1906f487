/** Rules that reset hidden units, by hand: ReDo and self-normalised resets. On a small made-up stream, in
 *  double. Weights into the hidden units are 0 and the rate is tiny, so that a unit's activation is its bias,
 *  whatever the example. */
#include "learner_look.h"

#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { SEED = 4 };

static learner_scene opened(const char *const *words)
{
    learner_scene s = scene_open(words, SEED);
    return s;
}

/* ReDo ------------------------------------------------------------------------------------------- */

#define REDO "learner", "redo", "learner.period", "1", "model.hidden", "[3]", STILL

/* How many units of activations h are reset at the first update. */
static double dormant(const char *const *words, const double *h, size_t units)
{
    learner_scene s = opened(words);
    scene_create(&s);
    set_units(&s, h, units);
    (void)scene_step(&s, 0, 0);
    double resets = resets_of(&s, 0);
    scene_close(&s);
    return resets;
}

/* Scores 0.0422535, 0.4225352, 2.5352113: they average 1. If they summed to 1 the first would be 0.0140845. */
static void scores_average_one(void **state)
{
    (void)state;
    const double h[] = {0.05, 0.5, 3};
    assert_true(dormant(SCENE(REDO), h, 3) == 1);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0.025"), h, 3) == 0);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0.0422535"), h, 3) == 0);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0.0422536"), h, 3) == 1);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0.4225351"), h, 3) == 1);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0.4225353"), h, 3) == 2);
    /* The same verdicts where every unit is there twice. */
    const double twice[] = {0.05, 0.5, 3, 0.05, 0.5, 3};
    assert_true(dormant(SCENE(REDO, "model.hidden", "[6]"), twice, 6) == 2);
    assert_true(dormant(SCENE(REDO, "model.hidden", "[6]", "learner.tau", "0.025"), twice, 6) == 0);
}

/* tau = 0 catches exact zeros and nothing else; a layer in which nothing happens is dormant as a whole. */
static void dead_units_are_dormant(void **state)
{
    (void)state;
    const double h[] = {-1, 1e-12, 3};
    const double dead[] = {-1e6, -1e6, -1e6};
    assert_true(dormant(SCENE(REDO, "learner.tau", "0"), h, 3) == 1);
    assert_true(dormant(SCENE(REDO, "learner.tau", "0"), dead, 3) == 3);
}

/* Two minibatches of 8: (0, 3, 3), then (0.5, 3, 3). Over both s_0 = 0.25/2.08 = 0.12, over the last one
 * 0.5/2.17 = 0.23. */
static void activations_are_averaged_over_the_window(void **state)
{
    (void)state;
    const double first[] = {-1, 3, 3};
    const double second[] = {0.5, 3, 3};
    static const char *const windows[] = {"16", "9", "8", "1", "512"};
    for (size_t i = 0; i < EG_COUNT(windows); i++) {
        learner_scene s = opened(SCENE(REDO, "learner.period", "2", "learner.tau", "0.15",
                                       "learner.window", windows[i]));
        scene_create(&s);
        set_units(&s, first, 3);
        (void)scene_step(&s, 0, 0);
        assert_true(resets_of(&s, 0) == 0);
        set_units(&s, second, 3);
        (void)scene_step(&s, 0, 1);
        bool both = i == 0 || i == 1 || i == 4;
        assert_true(resets_of(&s, 0) == (both ? 1 : 0));
        /* A new window begins. */
        set_units(&s, second, 3);
        (void)scene_step(&s, 0, 2);
        set_units(&s, second, 3);
        (void)scene_step(&s, 0, 3);
        assert_true(resets_of(&s, 0) == (both ? 1 : 0));
        scene_close(&s);
    }
}

/* Updates 1 … 8; checks at 2, 4, 6, 8 of which 4 <= n < 8 act. */
static void checks_have_a_beginning_and_an_end(void **state)
{
    (void)state;
    const double h[] = {-1, 3, 3};
    const double expected[] = {0, 0, 0, 1, 1, 2, 2, 2};
    learner_scene s =
        opened(SCENE(REDO, "learner.period", "2", "learner.start", "4", "learner.end", "8"));
    scene_create(&s);
    for (size_t k = 0; k < EG_COUNT(expected); k++) {
        set_units(&s, h, 3);
        (void)scene_step(&s, k / 4, k % 4);
        assert_true(resets_of(&s, 0) == expected[k]);
    }
    scene_close(&s);
}

/* 6 units, rate 0.5, end 4: round(3 cos(pi/8)) = 3, round(3 cos(pi/4)) = 2, round(3 cos(3 pi/8)) = 1. */
static void a_schedule_takes_the_lowest(void **state)
{
    (void)state;
    const double h[] = {4, 3, 2, 1, 5, 6};
    const double expected[] = {3, 5, 6, 6};
    learner_scene s =
        opened(SCENE(REDO, "model.hidden", "[6]", "learner.rate", "0.5", "learner.end", "4"));
    scene_create(&s);
    for (size_t k = 0; k < EG_COUNT(expected); k++) {
        size_t count;
        set_units(&s, h, 6);
        (void)scene_step(&s, 0, k);
        assert_true(resets_of(&s, 0) == expected[k]);
        const eg_real *bias = block_of(net_of(&s), "layer1.bias", &count);
        for (size_t i = 0; i < 6; i++) {
            bool stays = h[i] > (k < 3 ? expected[k] - (k > 0 ? expected[k - 1] : 0) : 0);
            assert_true((bias[i] == (eg_real)h[i]) == stays);
        }
    }
    scene_close(&s);
}

/* All hidden layers, the last one too: outgoing weights are exactly 0, incoming ones fresh. */
static void every_hidden_layer_can_be_reset(void **state)
{
    (void)state;
    const double h[] = {-1, 3, 2};
    learner_scene s = opened(SCENE(REDO, "model.hidden", "[3, 3]"));
    scene_create(&s);
    set_units(&s, h, 3);
    eg_net *net = net_of(&s);
    size_t count;
    eg_real *w = block_of(net, "layer2.weight", &count);
    memset(w, 0, count * sizeof *w);
    w = block_of(net, "layer2.bias", &count);
    w[0] = 3;
    w[1] = -1;
    w[2] = 2;
    eg_net_touch(net);
    (void)scene_step(&s, 0, 0);
    assert_true(resets_of(&s, 0) == 1 && resets_of(&s, 1) == 1);
    for (size_t hidden = 0; hidden < 2; hidden++) {
        eg_plane_run run;
        for (size_t unit = 0; unit < 3; unit++) {
            bool was_reset = unit == hidden;
            assert_true(eg_net_unit_run(net, hidden, EG_UNIT_INCOMING, unit, 0, &run));
            eg_real weight = net->params[run.first + (hidden + 1) * run.stride];
            assert_true((fabs((double)weight) > 1e-9) == was_reset);
            for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_OUTGOING, unit, k, &run); k++) {
                for (size_t i = 0; was_reset && i < run.count; i++) {
                    assert_true(net->params[run.first + i * run.stride] == 0);
                }
            }
        }
    }
    scene_close(&s);
}

static void parameters_of(const char *const *words, size_t phases, eg_writer *out)
{
    learner_scene s = opened(words);
    scene_create(&s);
    eg_learner_network network;
    assert_true(s.learner->ops->network(s.learner, 0, &network));
    for (size_t phase = 0; phase < phases; phase++) {
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        scene_learn(&s, phase);
    }
    eg_net_write(network.net, out);
    eg_optimizer_write(network.optimizer, out);
    scene_close(&s);
}

/* A check that finds nothing dormant changes no byte of the run, nor does one that is in another learner. */
static void a_check_that_finds_nothing_changes_nothing(void **state)
{
    (void)state;
#define ALIVE "model.hidden", "[5]", "model.activation", "sigmoid", "optimizer", "adam"
    static const char *const rules[][6] = {
        {"redo", "learner.period", "1", "learner.tau", "0", NULL},
        {"snr", "learner.threshold", "100", NULL},
    };
    eg_writer plain = {0};
    parameters_of(SCENE(ALIVE), 2, &plain);
    for (size_t r = 0; r < EG_COUNT(rules); r++) {
        eg_writer other = {0};
        const char *words[SCENE_SETTINGS] = {ALIVE, "learner"};
        size_t count = 7;
        for (size_t i = 0; rules[r][i] != NULL; i++) {
            words[count++] = rules[r][i];
        }
        parameters_of(words, 2, &other);
        assert_int_equal(plain.size, other.size);
        assert_memory_equal(plain.data, other.data, plain.size);
        eg_writer_clear(&other);
    }
    /* Two learners in turns: the one without the rule is as alone. */
    learner_scene with = opened(SCENE(REDO, "learner.tau", "2"));
    learner_scene without = opened(SCENE(ALIVE));
    scene_create(&with);
    scene_create(&without);
    for (size_t phase = 0; phase < 2; phase++) {
        assert_ok(eg_learner_begin_phase(without.learner, phase));
        for (size_t k = 0; k < eg_stream_steps(without.stream, phase); k++) {
            (void)scene_step(&with, phase, k);
            (void)scene_step(&without, phase, k);
        }
    }
    assert_true(resets_of(&with, 0) > 0);
    eg_writer other = {0};
    eg_learner_network network;
    assert_true(without.learner->ops->network(without.learner, 0, &network));
    eg_net_write(network.net, &other);
    eg_optimizer_write(network.optimizer, &other);
    assert_int_equal(plain.size, other.size);
    assert_memory_equal(plain.data, other.data, plain.size);
    eg_writer_clear(&other);
    eg_writer_clear(&plain);
    scene_close(&with);
    scene_close(&without);
}

/* Self-normalised resets ------------------------------------------------------------------------- */

#define SNR                                                                                        \
    "learner", "snr", "model.hidden", "[3]", "learner.horizon", "10", "learner.update_tasks", "1", \
        STILL

/* One update in which unit 0 fires or not; whether it was reset. */
static bool beat(learner_scene *s, bool fire)
{
    const double h[] = {fire ? 1 : -1, 1, 1};
    double before = resets_of(s, 0);
    set_units(s, h, 3);
    (void)scene_step(s, 0, 0);
    return resets_of(s, 0) > before;
}

/* After ten examples, of which the unit fires at some, and the end of a task: silent examples until it is
 * reset, which is its new threshold. */
static size_t threshold_after(const char *const *words, const char *pattern)
{
    learner_scene s = opened(words);
    scene_create(&s);
    for (const char *at = pattern; *at != 0; at++) {
        (void)beat(&s, *at == '1');
    }
    scene_end(&s, 0);
    size_t silent = 1;
    while (!beat(&s, false)) {
        silent++;
        assert_true(silent < 100);
    }
    scene_close(&s);
    return silent;
}

#define ONE "stream.batch", "1", "learner.floor", "1"

/* H = (2, 1, 2, 0 …): F(1) = 1/3, F(2) = 1. With a threshold of 2 both silences of 2 end in a reset, which
 * counts, too: the threshold doubles. A unit that is never silent gets the floor. */
static void thresholds_follow_the_silences(void **state)
{
    (void)state;
    const char *pattern = "1001010011";
#define FROM(tau, p) "learner.threshold", tau, "learner.percentile", p
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("5", "0.9")), pattern), 2);
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("5", "0.3")), pattern), 1);
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("2", "0.9")), pattern), 4);
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("10", "0.9")), "1111111111"), 1);
    assert_int_equal(
        threshold_after(SCENE(SNR, ONE, FROM("5", "0.9"), "learner.floor", "4"), "1111111111"), 4);
    /* At the horizon it does not grow; the last silence goes on. */
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("10", "0.9")), "0000000000"), 10);
    /* Every ten examples where tasks are not told. */
    assert_int_equal(threshold_after(SCENE(SNR, ONE, FROM("5", "0.9"), "learner.update_every", "10",
                                           "learner.update_tasks", "50"),
                                     pattern),
                     2);
    assert_int_equal(
        threshold_after(SCENE(SNR, ONE, FROM("5", "0.9"), "learner.update_tasks", "50"), pattern),
        5);
}

/* Ages count examples; a unit fires if it does for one example. */
static void ages_are_in_examples(void **state)
{
    (void)state;
    learner_scene s = opened(
        SCENE(SNR, "learner.horizon", "100", "learner.threshold", "17", "learner.floor", "1"));
    scene_create(&s);
    assert_false(beat(&s, false));
    assert_false(beat(&s, false));
    assert_true(beat(&s, false));
    assert_false(beat(&s, false));
    assert_false(beat(&s, true));
    assert_false(beat(&s, false));
    assert_false(beat(&s, false));
    /* Positive for one of the eight examples. */
    eg_net *net = net_of(&s);
    eg_batch batch;
    size_t count;
    eg_cursor_get(s.cursor, 0, 0, &batch);
    eg_real *w = block_of(net, "layer1.weight", &count);
    eg_real *bias = block_of(net, "layer1.bias", &count);
    size_t lanes = eg_parameter_table_find(&net->table, "layer1.weight")->lanes;
    eg_real x[2] = {-INFINITY, -INFINITY}; /* the two largest values of the first input */
    for (size_t b = 0; b < batch.size; b++) {
        eg_real v = batch.x[b * SCENE_INPUTS];
        x[1] = v > x[0] ? x[0] : v > x[1] ? v : x[1];
        x[0] = v > x[0] ? v : x[0];
    }
    assert_true(x[0] > x[1] && lanes >= 1);
    w[0] = 1;
    bias[0] = -(x[0] + x[1]) / 2;
    eg_net_touch(net);
    double before = resets_of(&s, 0);
    (void)scene_step(&s, 0, 0);
    assert_true(resets_of(&s, 0) == before);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_average_one),
        cmocka_unit_test(dead_units_are_dormant),
        cmocka_unit_test(activations_are_averaged_over_the_window),
        cmocka_unit_test(checks_have_a_beginning_and_an_end),
        cmocka_unit_test(a_schedule_takes_the_lowest),
        cmocka_unit_test(every_hidden_layer_can_be_reset),
        cmocka_unit_test(a_check_that_finds_nothing_changes_nothing),
        cmocka_unit_test(thresholds_follow_the_silences),
        cmocka_unit_test(ages_are_in_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
