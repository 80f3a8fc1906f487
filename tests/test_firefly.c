/** Learner firefly: when it grows and by how much, what it counts, early stopping and ensembles around
 *  it, weights taken elsewhere, trials stopped at every poll, and what is refused. */
#include "support/image_scene.h"
#include "support/saved_trials.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 5, BATCH = 8 };

#define VGG                                                                                        \
    "model", "vgg", "model.blocks", "[2, 1]", "model.width", "2", "model.bias", "false",           \
        "model.head", "conv"
#define FIREFLY(...) SCENE("learner", "firefly", "learner.candidates", "3", VGG, __VA_ARGS__)

static void begin(learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
}

static void learn(learner_scene *s, size_t phase)
{
    begin(s, phase);
    scene_learn(s, phase);
}

static size_t filters_of(const learner_scene *s)
{
    const eg_net *net = image_scene_network(s).net;
    size_t filters = 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        filters += net->hidden[h].units;
    }
    return filters;
}

/* Budgets floor(0.6 * 6) = 3 and floor(0.375 * 10) = 3, and one more each; the second phase alone with
 * grow_every = 2 has floor(0.375 * 6) = 2. */
static void growth_follows_the_rule(void **state)
{
    (void)state;
    static const struct {
        const char *every;
        size_t filters[3];
    } table[] = {{"1", {6, 10, 14}}, {"2", {6, 6, 9}}, {"3", {6, 6, 6}}};
    for (size_t t = 0; t < EG_COUNT(table); t++) {
        learner_scene s = image_scene_open(FIREFLY("learner.grow_every", table[t].every), SEED);
        scene_create(&s);
        assert_int_equal(s.learner->hidden_layers, 3);
        for (size_t phase = 0; phase < 3; phase++) {
            learn(&s, phase);
            assert_int_equal(filters_of(&s), table[t].filters[phase]);
            assert_int_equal(image_scene_network(&s).net->outputs, SCENE_CLASSES);
            assert_int_equal(s.learner->hidden_layers, 3);
        }
        scene_close(&s);
    }
}

/* Until it grows it is the plain learner. */
static void first_phase_is_plain(void **state)
{
    (void)state;
    learner_scene s = image_scene_open(FIREFLY(NULL), SEED);
    learner_scene plain = image_scene_open(SCENE("learner", "plain", VGG), SEED);
    scene_create(&s);
    scene_create(&plain);
    learn(&s, 0);
    learn(&plain, 0);
    const eg_net *a = image_scene_network(&s).net;
    const eg_net *b = image_scene_network(&plain).net;
    assert_int_equal(a->param_count, b->param_count);
    assert_memory_equal(a->params, b->params, a->param_count * sizeof(eg_real));
    scene_close(&s);
    scene_close(&plain);
}

static eg_net_work work_of(const learner_scene *s)
{
    return eg_net_macs(image_scene_network(s).net);
}

/* Of minibatches each network's own work. Growth is two passes through the network with candidates, and
 * a forward of both others. That network, of convolutions at 64, 64 and 16 places: */
static double searched(const learner_scene *s)
{
    enum { K = 3, W = 2 };
    (void)s;
    const double first = 64 * 9.0 * 1 * (W + W + K);
    const double second = 64 * 9.0 * (W * W * 2 + W * K * 2 + K * K);
    const double third = second / 4;
    const double head = 4 * 6.0 * (W + K);
    const double norms = 2 * 2.0 * W * (64 + 64 + 16);
    const double forward = first + second + third + head + norms;
    return 2 * (forward + 2 * forward - first);
}

static void costs_are_added_up(void **state)
{
    (void)state;
    learner_scene s = image_scene_open(FIREFLY(NULL), SEED);
    scene_create(&s);
    const eg_net_work small = work_of(&s);
    const double examples[] = {(double)eg_stream_phase(s.stream, 0).examples,
                               (double)eg_stream_phase(s.stream, 1).examples};
    learn(&s, 0);
    learn(&s, 1);
    const eg_net_work wide = work_of(&s);
    eg_learner_costs costs = {.parameters = 0};
    assert_true(eg_learner_add_costs(s.learner, &costs));
    assert_true(costs.predict_macs == wide.forward && wide.forward > small.forward);
    assert_close(costs.train_macs, 2 * (examples[0] * small.forward + examples[1] * wide.forward),
                 0);
    const double steps = 2 * 2 *
                         (examples[0] * (small.forward + small.backward) +
                          examples[1] * (wide.forward + wide.backward));
    const double growth = 2 * examples[1] * (searched(&s) + small.forward + wide.forward);
    assert_close(costs.train_flops, steps + growth, 1e-12);
    assert_true(costs.validation_flops == 0);
    assert_true(isfinite(eg_learner_extra_flops(s.learner)));
    scene_close(&s);
}

/* What is written in the middle of any phase is read by a new one that goes on alike. */
static void goes_on_from_what_it_writes(void **state)
{
    (void)state;
    learner_scene whole = image_scene_open(FIREFLY("optimizer", "sgdm"), SEED);
    learner_scene parts = image_scene_open(FIREFLY("optimizer", "sgdm"), SEED);
    scene_create(&whole);
    scene_create(&parts);
    for (size_t phase = 0; phase < 3; phase++) {
        begin(&whole, phase);
        begin(&parts, phase);
        for (size_t step = 0; step < eg_stream_steps(whole.stream, phase); step++) {
            scene_replace(&parts);
            assert_true(scene_step(&whole, phase, step) == scene_step(&parts, phase, step));
        }
        scene_replace(&parts);
    }
    const eg_net *a = image_scene_network(&whole).net;
    const eg_net *b = image_scene_network(&parts).net;
    assert_int_equal(a->param_count, b->param_count);
    assert_memory_equal(a->params, b->params, a->param_count * sizeof(eg_real));
    scene_close(&whole);
    scene_close(&parts);
}

/* Saved widths that are none: fewer than at the start, or more than what follows has numbers for. */
static void damaged_widths(void **state)
{
    (void)state;
    static const unsigned char damage[][8] = {{1}, {0, 0, 0, 0, 0, 0, 1}};
    learner_scene s = image_scene_open(FIREFLY(NULL), SEED);
    scene_create(&s);
    eg_writer writer = {0};
    s.learner->ops->write(s.learner, &writer);
    for (size_t d = 0; d < EG_COUNT(damage); d++) {
        memcpy(writer.data, damage[d], sizeof damage[d]);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_fails(s.learner->ops->read(s.learner, &reader), EG_INVALID,
                     "filters of convolution 0, it begins with 2");
    }
    eg_writer_clear(&writer);
    scene_close(&s);
}

/* Weights of a network that has grown come into one that has not. */
static void weights_have_shapes(void **state)
{
    (void)state;
    learner_scene s = image_scene_open(FIREFLY(NULL), SEED);
    learner_scene other = image_scene_open(FIREFLY(NULL), SEED + 1);
    scene_create(&s);
    scene_create(&other);
    learn(&s, 0);
    learn(&s, 1);
    eg_weights weights = {0};
    assert_ok(eg_learner_get_weights(&weights, s.learner));
    assert_ok(eg_learner_set_weights(other.learner, &weights));
    eg_weights_clear(&weights);
    assert_int_equal(filters_of(&other), filters_of(&s));
    eg_real a[BATCH * SCENE_CLASSES];
    eg_real b[BATCH * SCENE_CLASSES];
    eg_batch batch;
    eg_cursor_get(s.cursor, 2, 0, &batch);
    assert_ok(s.learner->ops->predict(s.learner, &batch, a));
    assert_ok(other.learner->ops->predict(other.learner, &batch, b));
    assert_memory_equal(a, b, batch.size * SCENE_CLASSES * sizeof *a);
    scene_close(&s);
    scene_close(&other);
}

/* Whole trials ----------------------------------------------------------------------------------- */

#define TRIAL                                                                                      \
    "dataset=synthetic\ndataset.side=8\ndataset.examples=72\ndataset.noise=0.9\n"                  \
    "dataset.test_examples=30\nstream=mega_batches\nstream.chunks=3\nstream.epochs=3\n"            \
    "stream.batch=8\nprotocol.fraction=0.2\noptimizer=sgdm\noptimizer.nesterov=true\n"             \
    "optimizer.lr=0.05\noptimizer.restart=phase\nmodel=vgg\nmodel.blocks=[1,1]\nmodel.width=2\n"   \
    "model.bias=false\nmodel.head=conv\neval.block=16\n"

static eg_settings *trial_of(const char *learner)
{
    char text[900];
    eg_settings *settings = NULL;
    (void)snprintf(text, sizeof text, TRIAL "%s", learner);
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    return settings;
}

/* Stopped at every poll: in phases, between them, and in each minibatch of searches, also between the
 * members of an ensemble. */
static void stopped_anywhere(void **state)
{
    (void)state;
    static const char *const learners[] = {
        "learner=firefly\nlearner.candidates=2\n",
        "learner=early_stopping\nlearner.patience=1\nlearner.of=firefly\nlearner.of.candidates=2\n",
        ("learner=early_stopping\nlearner.keep=best_of_last\nlearner.window=2\n"
         "learner.of=firefly\nlearner.of.candidates=2\nlearner.of.head=zero\n"),
        "learner=ensemble\nlearner.members=2\nlearner.of=firefly\nlearner.of.candidates=2\n",
        "learner=growing_ensemble\nlearner.of=firefly\nlearner.of.candidates=2\n",
    };
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        eg_settings *settings = trial_of(learners[l]);
        assert_ok(eg_trial_check(settings));
        saved_scene s = saved_scene_open(settings);
        saved_scene_interrupt(&s, learners[l]);
        saved_scene_close(&s);
    }
}

/* Curves: nothing has grown in the first phase; then both losses, and as many filters as there are. */
static void curves(void **state)
{
    (void)state;
    static const double filters[] = {4, 4 + 2 + 1, 7 + 2 + 1};
    saved_scene s =
        saved_scene_open(trial_of("learner=early_stopping\nlearner.patience=1\nlearner.of=firefly\n"
                                  "learner.of.candidates=2\n"));
    eg_record *record = saved_scene_whole(&s);
    const double *before = eg_record_find(record, "growth_loss_before")->data;
    const double *after = eg_record_find(record, "growth_loss_after")->data;
    const eg_array *count = eg_record_find(record, "filters");
    assert_int_equal(count->count, 3);
    for (size_t e = 0; e < EG_COUNT(filters); e++) {
        assert_true(count->data[e] == filters[e]);
        assert_true(e == 0 ? isnan(before[e]) && isnan(after[e])
                           : before[e] > 0 && after[e] > 0 && before[e] != after[e]);
    }
    assert_true(eg_record_find(record, "anytime_parameters")->data[3] >
                eg_record_find(record, "anytime_parameters")->data[0]);
    eg_record_free(record);
    saved_scene_close(&s);
}

/* Growth before phases 1 and 2 takes time, however little of it is tried out; without it there is
 * none. */
static void timing_counts_growth(void **state)
{
    (void)state;
    static const char *const learners[] = {
        "learner=plain\n", "learner=firefly\nlearner.candidates=2\n",
        "learner=ensemble\nlearner.of=firefly\nlearner.of.candidates=2\nlearner.of.grow_every=2\n"};
    static const double budgets[] = {1e-9, 1};
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        for (size_t b = 0; b < EG_COUNT(budgets); b++) {
            eg_settings *settings = trial_of(learners[l]);
            eg_dataset_cache *cache = NULL;
            eg_trial_timing timing;
            assert_ok(eg_dataset_cache_create(&cache));
            assert_ok(eg_trial_time(&timing, settings, cache, budgets[b]));
            assert_true((timing.phase_begins > 0) == (l > 0));
            assert_close(timing.seconds,
                         timing.setup + timing.training + timing.evaluation + timing.phase_begins +
                             timing.epoch_ends + timing.phase_ends,
                         1e-12);
            eg_dataset_cache_free(cache);
            eg_settings_free(settings);
        }
    }
}

static void refused(const char *more, const char *part)
{
    eg_settings *settings = trial_of(more);
    assert_fails(eg_trial_check(settings), EG_INVALID, part);
    eg_settings_free(settings);
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    refused("learner=firefly\nmodel.blocks=[]\n", "model.blocks = []");
    refused("learner=firefly\nmodel.bias=true\n", "model.bias = true");
    refused("learner=firefly\nmodel.head=linear\n", "model.head = linear");
    refused("learner=firefly\nmodel.norm=layer\n", "model.norm = layer");
    refused("learner=firefly\nmodel.activation=crelu\n", "model.activation = crelu has several");
    refused("learner=l2_init\nlearner.of=firefly\n", "the network of firefly changes its shape");
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(),
                                "dataset=synthetic\nlearner=firefly\nmodel.hidden=[3]\n"));
    assert_fails(eg_trial_check(settings), EG_INVALID, "model = mlp does not grow in width; vgg");
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_follows_the_rule), cmocka_unit_test(first_phase_is_plain),
        cmocka_unit_test(costs_are_added_up),      cmocka_unit_test(goes_on_from_what_it_writes),
        cmocka_unit_test(damaged_widths),          cmocka_unit_test(weights_have_shapes),
        cmocka_unit_test(stopped_anywhere),        cmocka_unit_test(curves),
        cmocka_unit_test(timing_counts_growth),    cmocka_unit_test(settings_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
