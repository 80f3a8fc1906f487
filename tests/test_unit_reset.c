/** Resetting hidden units of small networks, by hand. In double precision. */
#include "small_net.h"
#include "words.h"

#include "learner/unit_reset.h"

#include <math.h>
#include <string.h>

static const eg_param root_params[] = {
    {.name = "optimizer", .type = EG_TYPE_COMPONENT, .default_text = "sgd", .family = "optimizer"},
    EG_UNIT_RESET_PARAMS("draw", "draw", "zero", "what the optimizer forgets"),
};
static const eg_family *const families[] = {&eg_optimizer_family, &eg_schedule_family};
static const eg_schema schema = {.root = root_params,
                                 .root_count = EG_COUNT(root_params),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};
static const eg_reset_published rule = {.momentum = EG_RESET_STATE_NONE,
                                        .means = EG_RESET_STATE_UNIT_AND_COUNT};

typedef struct scene {
    eg_settings *settings;
    eg_net *net;
    eg_optimizer *optimizer;
    eg_workspace *workspace;
    eg_unit_reset reset;
} scene;

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void open_scene(scene *s, eg_net *net, const char *const *words)
{
    *s = (scene){.settings = settings_from(&schema, words), .net = net};
    eg_view view = eg_settings_root(s->settings);
    assert_ok(eg_optimizer_create(&s->optimizer, &view, &net->table, false, 1));
    assert_ok(eg_workspace_create(&s->workspace, net, 1, true));
    const eg_learner_network at = {.net = net, .optimizer = s->optimizer};
    assert_ok(eg_unit_reset_check(&view));
    assert_ok(eg_unit_reset_init(&s->reset, &view, &at, rule));
}

static void close_scene(scene *s)
{
    eg_unit_reset_clear(&s->reset);
    eg_workspace_free(s->workspace);
    eg_optimizer_free(s->optimizer);
    eg_net_free(s->net);
    eg_settings_free(s->settings);
}

/* x (1,2): h (0,.5,.8), z (.06,-.23). Without unit 1: z - W2[:,1] .5 = (.21,-.48), whatever its fresh weights;
 * its bias and weights are new, those of the others and the next layer's bias are not. */
static void the_function_loses_only_the_unit(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, small_net(WIDTHS(2, 3, 2), false, EG_INITIALIZER_UNIFORM, "relu"),
               WORDS("optimizer", "sgd"));
    SMALL_SET(s.net, "layer1.weight", .5, -.5, .3, .1, -.2, .4);
    SMALL_SET(s.net, "layer1.bias", .1, 0, .2);
    SMALL_SET(s.net, "layer2.weight", .4, -.3, .2, .1, .5, -.6);
    SMALL_SET(s.net, "layer2.bias", .05, 0);
    const eg_real x[] = {1, 2};
    const eg_real *z = eg_net_forward(s.net, s.workspace, EG_MODE_PREDICT, 1, x, NULL);
    assert_close((double)z[0], .06, 1e-12);
    assert_close((double)z[1], -.23, 1e-12);
    eg_unit_reset_choose(&s.reset, 0, 1);
    assert_close((double)small_block(s.net, "layer1.weight")[2], .3, 0);
    assert_true(eg_unit_reset_apply(&s.reset, 1) == 1);
    assert_true(eg_unit_reset_apply(&s.reset, 2) == 0);
    z = eg_net_forward(s.net, s.workspace, EG_MODE_PREDICT, 1, x, NULL);
    assert_close((double)z[0], .21, 1e-12);
    assert_close((double)z[1], -.48, 1e-12);
    const eg_real *w = small_block(s.net, "layer1.weight");
    assert_true(w[0] == .5 && w[1] == -.5 && w[4] == -.2 && w[5] == .4);
    assert_true(w[2] != .3 && w[3] != .1 && fabs((double)w[2]) < sqrt(.5));
    assert_true(small_block(s.net, "layer1.bias")[1] != 0 &&
                small_block(s.net, "layer1.bias")[2] == .2);
    assert_true(small_block(s.net, "layer2.bias")[0] == .05 &&
                small_block(s.net, "layer2.bias")[1] == 0);
    double counts[] = {0};
    eg_unit_reset_counts(&s.reset, counts);
    assert_true(counts[0] == 1);
    close_scene(&s);
}

/* 2-2-2-1: unit 0 of layer 1 and unit 1 of layer 2 together. The weight from one to the other is cell (1,0)
 * of layer 2. */
static void the_shared_cell(void **state)
{
    (void)state;
    for (size_t zero = 0; zero < 2; zero++) {
        scene s;
        open_scene(&s, small_net(WIDTHS(2, 2, 2, 1), false, EG_INITIALIZER_UNIFORM, "relu"),
                   WORDS("shared_cell", zero == 1 ? "zero" : "fresh"));
        eg_unit_reset_choose(&s.reset, 1, 1);
        eg_unit_reset_choose(&s.reset, 0, 0);
        assert_true(eg_unit_reset_apply(&s.reset, 5) == 2);
        const eg_real *w = small_block(s.net, "layer2.weight");
        assert_true(w[0] == 0 && w[1] != 0 && w[3] != 0);
        assert_true((w[2] == 0) == (zero == 1));
        assert_true(small_block(s.net, "layer3.weight")[1] == 0);
        assert_true(small_block(s.net, "layer3.weight")[0] != 0);
        close_scene(&s);
    }
}

/* The same unit at the same update gets the same values, whichever others are reset; at another update it
 * gets others. */
static void draws_are_keyed_by_update_and_unit(void **state)
{
    (void)state;
    scene a;
    scene b;
    open_scene(&a, small_net(WIDTHS(3, 4, 2), true, EG_INITIALIZER_KAIMING, "relu"),
               WORDS("optimizer", "sgd"));
    open_scene(&b, small_net(WIDTHS(3, 4, 2), true, EG_INITIALIZER_KAIMING, "relu"),
               WORDS("optimizer", "sgd"));
    eg_unit_reset_choose(&a.reset, 0, 3);
    (void)eg_unit_reset_apply(&a.reset, 9);
    for (size_t unit = 0; unit < 4; unit++) {
        eg_unit_reset_choose(&b.reset, 0, 3 - unit);
    }
    (void)eg_unit_reset_apply(&b.reset, 9);
    eg_plane_run run;
    assert_true(eg_net_unit_run(a.net, 0, EG_UNIT_INCOMING, 3, 0, &run));
    eg_real kept[3];
    for (size_t i = 0; i < 3; i++) {
        kept[i] = a.net->params[run.first + i * run.stride];
        assert_true(kept[i] == b.net->params[run.first + i * run.stride]);
    }
    eg_unit_reset_choose(&a.reset, 0, 3);
    (void)eg_unit_reset_apply(&a.reset, 10);
    assert_true(kept[0] != a.net->params[run.first]);
    close_scene(&a);
    close_scene(&b);
}

/* Mean square of the fresh weights of 100 units with 1000 inputs, drawn once. */
static double mean_square(const char *fresh, eg_initializer initializer)
{
    enum { UNITS = 100, INPUTS = 1000 };
    scene s;
    open_scene(&s, small_net(WIDTHS(INPUTS, UNITS, 1), true, initializer, "relu"),
               WORDS("fresh", fresh));
    double sum = 0;
    for (size_t unit = 0; unit < UNITS; unit++) {
        eg_plane_run run;
        eg_unit_reset_choose(&s.reset, 0, unit);
        (void)eg_unit_reset_apply(&s.reset, unit);
        assert_true(eg_net_unit_run(s.net, 0, EG_UNIT_INCOMING, unit, 0, &run));
        for (size_t i = 0; i < run.count; i++) {
            sum += pow((double)s.net->params[run.first + i * run.stride], 2);
        }
    }
    close_scene(&s);
    return sum / (UNITS * INPUTS);
}

/* Uniform in -a … a has variance a^2/3. A hundred thousand draws: the standard error is 0.3 % of a uniform
 * variance, 0.45 % of a normal one. */
static void fresh_weights_have_the_variance_they_say(void **state)
{
    (void)state;
    assert_close(mean_square("draw", EG_INITIALIZER_UNIFORM) * 3000, 1, .02);
    assert_close(mean_square("draw", EG_INITIALIZER_NORMAL) * 500, 1, .02);
    assert_close(mean_square("kaiming", EG_INITIALIZER_UNIFORM) * 500, 1, .02); /* gain sqrt 2 */
    assert_close(mean_square("xavier", EG_INITIALIZER_UNIFORM) * 1100 / 4, 1, .02);
    assert_close(mean_square("lecun", EG_INITIALIZER_NORMAL) * 1000, 1, .02);
    assert_close(mean_square("default", EG_INITIALIZER_NORMAL) * 3000, 1, .02);
}

static void a_unit_can_become_what_it_was(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, small_net(WIDTHS(2, 3, 2), true, EG_INITIALIZER_UNIFORM, "relu"),
               WORDS("fresh", "initial"));
    eg_real before[64];
    assert_true(s.net->param_count <= EG_COUNT(before));
    memcpy(before, s.net->params, s.net->param_count * sizeof *before);
    for (size_t i = 0; i < s.net->param_count; i++) {
        s.net->params[i] += 1;
    }
    eg_unit_reset_choose(&s.reset, 0, 2);
    (void)eg_unit_reset_apply(&s.reset, 1);
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(s.net, 0, EG_UNIT_INCOMING, 2, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            size_t at = run.first + i * run.stride;
            assert_true(s.net->params[at] == before[at]);
        }
        assert_true(k < 2);
    }
    close_scene(&s);
}

static void a_bias_can_become_zero(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, small_net(WIDTHS(2, 3, 2), true, EG_INITIALIZER_UNIFORM, "relu"),
               WORDS("fresh_bias", "zero", "fresh", "initial"));
    eg_unit_reset_choose(&s.reset, 0, 1);
    (void)eg_unit_reset_apply(&s.reset, 1);
    assert_true(small_block(s.net, "layer1.bias")[1] == 0);
    close_scene(&s);
}

/* What the next update of a weight and a bias is with gradients of 1, after ten updates with 1 and a reset
 * of their unit; adam with lr .01. */
typedef struct after {
    double incoming, bias, outgoing, other;
} after;

static after updates_after_reset(const char *const *words)
{
    scene s;
    open_scene(&s, small_net(WIDTHS(1, 2, 1), false, EG_INITIALIZER_UNIFORM, "relu"), words);
    eg_real g[64];
    eg_real before[64];
    assert_true(s.net->param_count <= EG_COUNT(g));
    for (size_t t = 0; t < 11; t++) {
        for (size_t i = 0; i < s.net->param_count; i++) {
            g[i] = 1;
        }
        if (t == 10) {
            eg_unit_reset_choose(&s.reset, 0, 1);
            (void)eg_unit_reset_apply(&s.reset, t);
            memcpy(before, s.net->params, s.net->param_count * sizeof *before);
        }
        eg_optimizer_step(s.optimizer, s.net->params, g);
    }
    size_t incoming = (size_t)(small_block(s.net, "layer1.weight") - s.net->params) + 1;
    size_t bias = (size_t)(small_block(s.net, "layer1.bias") - s.net->params) + 1;
    size_t outgoing = (size_t)(small_block(s.net, "layer2.weight") - s.net->params) + 1;
#define CHANGE(at) ((double)(s.net->params[at] - before[at]))
    const after result = {.incoming = CHANGE(incoming),
                          .bias = CHANGE(bias),
                          .outgoing = CHANGE(outgoing),
                          .other = CHANGE(incoming - 1)};
#undef CHANGE
    close_scene(&s);
    return result;
}

#define ADAM(form, reset_state)                                                                    \
    WORDS("optimizer", "adam", "optimizer.lr", ".01", "optimizer.adam_form", form, "reset_state",  \
          reset_state)

/* With gradients of 1 every update of Adam is -lr. Means of 0 in the middle: m .1, v .001, corrected as at
 * the eleventh update. Means and counts of 0: -lr again. */
static void what_the_optimizer_forgets(void **state)
{
    (void)state;
    double late = -.01 * .1 / (1 - pow(.9, 11)) / sqrt(.001 / (1 - pow(.999, 11)));
    after none = updates_after_reset(ADAM("textbook", "none"));
    assert_close(none.incoming, -.01, 1e-8);
    assert_close(none.outgoing, -.01, 1e-8);
    after weights = updates_after_reset(ADAM("textbook", "weights"));
    assert_close(weights.incoming, late, 1e-8);
    assert_close(weights.outgoing, late, 1e-8);
    assert_close(weights.bias, -.01, 1e-8);
    after unit = updates_after_reset(ADAM("intended", "unit"));
    assert_close(unit.incoming, late, 1e-8);
    assert_close(unit.outgoing, late, 1e-8);
    assert_close(unit.bias, late, 1e-8);
    assert_close(unit.other, -.01, 1e-8);
    const char *const counted[] = {"unit_and_count", "published"};
    for (size_t i = 0; i < EG_COUNT(counted); i++) {
        after all = updates_after_reset(ADAM("intended", counted[i]));
        assert_close(all.incoming, -.01, 1e-8);
        assert_close(all.outgoing, -.01, 1e-8);
        assert_close(all.bias, -.01, 1e-8);
        assert_close(all.other, -.01, 1e-8);
    }
    /* Momentum .9 after ten updates: the eleventh is -lr (1 - .9^11)/.1; forgotten: -lr. */
    double full = -.01 * (1 - pow(.9, 11)) / .1;
    after kept = updates_after_reset(WORDS("optimizer", "sgdm", "optimizer.lr", ".01"));
    assert_close(kept.outgoing, full, 1e-12);
    after forgotten = updates_after_reset(
        WORDS("optimizer", "sgdm", "optimizer.lr", ".01", "reset_state", "unit"));
    assert_close(forgotten.outgoing, -.01, 1e-12);
    assert_close(forgotten.bias, -.01, 1e-12);
    assert_close(forgotten.other, full, 1e-12);
}

static void states_that_are_not_there(void **state)
{
    (void)state;
    const struct {
        const char *const *words;
        const char *part;
    } cases[] = {
        {WORDS("optimizer", "sgd", "reset_state", "weights"), "sgd remembers nothing"},
        {WORDS("optimizer", "sgdm", "reset_state", "unit_and_count"), "sgdm does not count"},
        {ADAM("textbook", "unit_and_count"), "adam does not count"},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_settings *settings = settings_from(&schema, cases[i].words);
        eg_view view = eg_settings_root(settings);
        eg_status status = eg_unit_reset_check(&view);
        assert_string_equal(status.settings, "reset_state optimizer");
        assert_fails(status, EG_INVALID, cases[i].part);
        eg_settings_free(settings);
    }
}

static void counts_and_initial_values_survive(void **state)
{
    (void)state;
    scene a;
    scene b;
    open_scene(&a, small_net(WIDTHS(2, 3, 2), true, EG_INITIALIZER_UNIFORM, "relu"),
               WORDS("fresh", "initial"));
    for (size_t i = 0; i < a.net->param_count; i++) {
        a.net->params[i] *= 2;
    }
    eg_unit_reset_keep_initial(&a.reset);
    eg_unit_reset_choose(&a.reset, 0, 0);
    (void)eg_unit_reset_apply(&a.reset, 1);
    eg_writer writer = {0};
    eg_unit_reset_write(&a.reset, &writer);
    assert_ok(eg_writer_status(&writer));
    open_scene(&b, small_net(WIDTHS(2, 3, 2), true, EG_INITIALIZER_UNIFORM, "relu"),
               WORDS("fresh", "initial"));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_unit_reset_read(&b.reset, &reader));
    assert_ok(eg_reader_status(&reader, true));
    eg_unit_reset_choose(&b.reset, 0, 0);
    (void)eg_unit_reset_apply(&b.reset, 2);
    assert_true(small_block(a.net, "layer1.weight")[0] == small_block(b.net, "layer1.weight")[0]);
    double counts[] = {0};
    eg_unit_reset_counts(&b.reset, counts);
    assert_true(counts[0] == 2);
    eg_writer_clear(&writer);
    close_scene(&a);
    close_scene(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_loses_only_the_unit),
        cmocka_unit_test(the_shared_cell),
        cmocka_unit_test(draws_are_keyed_by_update_and_unit),
        cmocka_unit_test(fresh_weights_have_the_variance_they_say),
        cmocka_unit_test(a_unit_can_become_what_it_was),
        cmocka_unit_test(a_bias_can_become_zero),
        cmocka_unit_test(what_the_optimizer_forgets),
        cmocka_unit_test(states_that_are_not_there),
        cmocka_unit_test(counts_and_initial_values_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
