/** Measure anytime: error, size and cost at every mega-batch, by hand and over whole trials. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/measure.h"
#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static eg_settings *settings_from_text(const char *text)
{
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

/* A learner that grows: what it costs is what the test says. */
typedef struct told {
    eg_learner base;
    eg_learner_costs costs;
    bool counts;
} told;

static bool told_costs(const eg_learner *learner, eg_learner_costs *out)
{
    const told *self = (const told *)learner;
    out->parameters += self->costs.parameters;
    out->predict_macs += self->costs.predict_macs;
    out->train_macs += self->costs.train_macs;
    out->train_flops += self->costs.train_flops;
    out->validation_flops += self->costs.validation_flops;
    return self->counts;
}

static const eg_learner_ops told_ops = {.costs = told_costs};

typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_dataset *dataset;
    eg_stream *stream;
    told learner;
    eg_record *record;
    eg_measures measures;
    const eg_array *error, *parameters, *forward, *training, *validation, *inference;
} scene;

/* Ten classes, B mega-batches, waiting for w; nothing but the measure is recorded. */
static void open(scene *s, const char *stream, bool counts)
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "dataset=synthetic\ndataset.examples=200\ndataset.side=4\n"
                   "stream=mega_batches\n%smeasures=[anytime]\n",
                   stream);
    *s = (scene){.settings = settings_from_text(text)};
    s->root = eg_settings_root(s->settings);
    assert_ok(eg_dataset_open(&s->dataset, &s->root));
    assert_ok(eg_stream_create(&s->stream, &s->root, s->dataset, 1, 0.1));
    s->learner = (told){.base.ops = &told_ops, .counts = counts};
    s->learner.costs = (eg_learner_costs){.parameters = 100, .predict_macs = 90};
    assert_ok(eg_record_create(&s->record));
    const eg_measure_setup setup = {.scope = {.root = &s->root,
                                              .phases = s->stream->shape.phases,
                                              .tasks = 1,
                                              .chunks = s->stream->shape.chunks,
                                              .classifies = true,
                                              .held_out = true},
                                    .stream = s->stream,
                                    .learner = &s->learner.base,
                                    .record = s->record,
                                    .selection = {.subset = EG_SUBSET_VALIDATION, .holdout = 0.1},
                                    .objective = "cer",
                                    .evals = 4};
    assert_ok(eg_measures_init(&s->measures, &setup));
    assert_ok(eg_measures_begin_trial(&s->measures));
    s->error = eg_record_find(s->record, "anytime_error");
    s->parameters = eg_record_find(s->record, "anytime_parameters");
    s->forward = eg_record_find(s->record, "comp_fwd_mac");
    s->training = eg_record_find(s->record, "comp_train_flop");
    s->validation = eg_record_find(s->record, "comp_val_flop");
    s->inference = eg_record_find(s->record, "inf_mac");
}

static void close(scene *s)
{
    eg_measures_clear(&s->measures);
    eg_record_free(s->record);
    eg_stream_free(s->stream);
    eg_dataset_free(s->dataset);
    eg_settings_free(s->settings);
}

/* A phase ends with these errors; costs are added to what was spent before. */
static void end_phase(scene *s, size_t phase, double test, double held_out,
                      const eg_learner_costs *now)
{
    const eg_moment moment = {.phase = phase, .eval = phase};
    s->learner.costs = *now;
    const double errors[] = {test, held_out};
    for (size_t subset = 0; subset < 2; subset++) {
        double accuracy = 1 - errors[subset];
        const eg_evaluation evaluation = {.subset = (eg_subset)subset,
                                          .phase_end = true,
                                          .accuracy = &accuracy,
                                          .overall = accuracy};
        assert_ok(eg_measures_evaluation(&s->measures, &moment, &evaluation));
    }
    assert_ok(eg_measures_end_phase(&s->measures, &moment));
}

static void assert_curve(const eg_array *array, size_t count, const double *expected)
{
    assert_int_equal(array->count, count);
    for (size_t t = 0; t < count; t++) {
        assert_close(array->data[t], expected[t], 1e-12);
    }
}

/* B = 10, w = 5, errors 0.2 and 0.1 in the two stages: 4 0.9 + 5 0.2 + 0.1 = 4.7. On held-out examples
 * 0.5 and 0.3: 3.6 + 2.5 + 0.3 = 6.4. */
static void closed_form(void **state)
{
    (void)state;
    scene s;
    open(&s, "stream.chunks=10\nstream.wait=5\n", true);
    const eg_learner_costs first = {100, 90, 1000, 6000, 40};
    const eg_learner_costs second = {250, 200, 1700, 9500, 100};
    end_phase(&s, 0, 0.2, 0.5, &first);
    end_phase(&s, 1, 0.1, 0.3, &second);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 1}));
    static const double error[] = {.9, .9, .9, .9, .9, .2, .2, .2, .2, .2, .1};
    static const double parameters[] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 250};
    static const double inference[] = {90, 90, 90, 90, 90, 90, 90, 90, 90, 90, 200};
    static const double forward[] = {0, 0, 0, 0, 0, 1000, 0, 0, 0, 0, 700};
    static const double training[] = {0, 0, 0, 0, 0, 6000, 0, 0, 0, 0, 3500};
    static const double validation[] = {0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 60};
    assert_curve(s.error, 11, error);
    assert_curve(s.parameters, 11, parameters);
    assert_curve(s.inference, 11, inference);
    assert_curve(s.forward, 11, forward);
    assert_curve(s.training, 11, training);
    assert_curve(s.validation, 11, validation);
    assert_close(eg_record_value(s.record, "cer"), 4.7, 1e-12);
    assert_close(eg_record_value(s.record, "avg_err"), 0.47, 1e-12);
    assert_close(eg_record_value(s.record, "final_err"), 0.1, 1e-12);
    assert_close(eg_record_value(s.record, "mem_sum"), 10 * 100 + 250, 0);
    assert_close(eg_record_value(s.record, "comp_sum"), 9500, 0);
    assert_close(eg_record_value(s.record, "objective"), 6.4, 1e-12);
    close(&s);
}

/* Waiting for all counts as chance up to the last; without waiting nothing but t = 0 does. The last stage
 * may be shorter: t = 1 … 5 with w = 2 have 0.9 0.5 0.5 0.4 0.3. */
static void waiting_counts_as_chance(void **state)
{
    (void)state;
    scene s;
    const eg_learner_costs costs = {.parameters = 100};
    open(&s, "stream.chunks=10\nstream.wait=10\n", true);
    end_phase(&s, 0, 0.2, 0.2, &costs);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 0}));
    assert_close(eg_record_value(s.record, "cer"), 9 * 0.9 + 0.2, 1e-12);
    close(&s);
    open(&s, "stream.chunks=3\nstream.wait=1\n", true);
    end_phase(&s, 0, 0.5, 0.5, &costs);
    end_phase(&s, 1, 0.4, 0.4, &costs);
    end_phase(&s, 2, 0.3, 0.3, &costs);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 2}));
    assert_close(eg_record_value(s.record, "cer"), 1.2, 1e-12);
    close(&s);
    open(&s, "stream.chunks=5\nstream.wait=2\n", true);
    end_phase(&s, 0, 0.5, 0.5, &costs);
    end_phase(&s, 1, 0.4, 0.4, &costs);
    end_phase(&s, 2, 0.3, 0.3, &costs);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 2}));
    assert_close(eg_record_value(s.record, "cer"), 0.9 + 0.5 + 0.5 + 0.4 + 0.3, 1e-12);
    close(&s);
}

/* A trial that paused has no sums; one that diverged guesses from then on, and what it would have cost is
 * not known. A learner that does not count leaves costs empty. */
static void trials_that_do_not_end(void **state)
{
    (void)state;
    scene s;
    const eg_learner_costs costs = {100, 90, 1000, 6000, 40};
    for (int diverged = 0; diverged < 2; diverged++) {
        open(&s, "stream.chunks=10\nstream.wait=5\n", true);
        end_phase(&s, 0, 0.2, 0.5, &costs);
        const eg_moment now = {.phase = 1, .diverged = diverged == 1};
        assert_ok(eg_measures_end_trial(&s.measures, &now));
        double cer = eg_record_value(s.record, "cer");
        assert_true(diverged == 1 ? fabs(cer - (4 * 0.9 + 0.2 + 5 * 0.9)) < 1e-12 : isnan(cer));
        assert_true(diverged == 1 ? eg_record_value(s.record, "final_err") == 0.9
                                  : isnan(eg_record_value(s.record, "final_err")));
        assert_true(isnan(eg_record_value(s.record, "mem_sum")));
        assert_true(isnan(eg_record_value(s.record, "comp_sum")));
        close(&s);
    }
    open(&s, "stream.chunks=2\nstream.wait=2\n", false);
    end_phase(&s, 0, 0.2, 0.5, &costs);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 0}));
    assert_close(eg_record_value(s.record, "cer"), 1.1, 1e-12);
    assert_true(isnan(eg_record_value(s.record, "mem_sum")) && isnan(s.forward->data[2]));
    close(&s);
}

/* Trials of mnist-c in small: N examples in 10 mega-batches, of which a tenth is held out, 3 epochs that are
 * all made. Networks 36 -> h -> h -> 10 have h^2 + 46 h weights. */
#define TRIAL                                                                                      \
    "dataset=synthetic\ndataset.examples=300\ndataset.test_examples=40\ndataset.side=6\n"          \
    "stream=mega_batches\nstream.chunks=10\nstream.batch=16\nstream.epochs=3\n"                    \
    "model.hidden=[8, 8]\nmodel.activation=relu\nmodel.weight_norm=[]\nmodel.bias=true\n"          \
    "model.init=uniform\noptimizer=adadelta\noptimizer.lr=1\noptimizer.restart=phase\n"            \
    "measures=[default, stages]\n"
#define STOPPING(of)                                                                               \
    of "=early_stopping\n" of ".patience=3\n" of ".keep=improved\n" of ".delta=0.001\n"

static eg_record *whole(const char *text)
{
    saved_scene s = saved_scene_open(settings_from_text(text));
    eg_record *record = saved_scene_whole(&s);
    saved_scene_close(&s);
    return record;
}

static double total(const eg_record *record, const char *name)
{
    const eg_array *array = eg_record_find(record, name);
    double sum = 0;
    for (size_t i = 0; i < array->count; i++) {
        sum += array->data[i];
    }
    return sum;
}

static void counters_of_whole_trials(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double networks, passes; /* passes: of all training examples in an epoch */
    } trials[] = {
        {TRIAL STOPPING("learner") "stream.wait=1\n", 1, 1},
        {TRIAL STOPPING("learner") "stream.wait=5\n", 1, 1},
        {TRIAL STOPPING("learner") "stream.wait=10\n", 1, 1},
        {TRIAL STOPPING("learner") "stream.wait=5\nstream.replay=true\n", 1, 1.5},
        {TRIAL "learner=ensemble\nlearner.members=2\n" STOPPING("learner.of") "stream.wait=5\n", 2,
         1},
        {TRIAL "learner=retrained\n" STOPPING("learner.of") "stream.wait=5\nstream.replay=true\n",
         1, 1.5},
    };
    const double forward = 8 * 8 + 46 * 8;
    const double backward = 2 * forward - 36 * 8;
    for (size_t i = 0; i < EG_COUNT(trials); i++) {
        eg_record *record = whole(trials[i].text);
        double examples = 3 * 270 * trials[i].passes * trials[i].networks;
        double held_out = 3 * 30 * trials[i].passes * trials[i].networks;
        double size = (forward + 8 + 8 + 10) * trials[i].networks;
        assert_close(total(record, "comp_fwd_mac"), examples * forward, 0);
        assert_close(total(record, "comp_train_flop"), 2 * examples * (forward + backward), 0);
        assert_close(total(record, "comp_val_flop"), 2 * held_out * forward, 0);
        assert_close(eg_record_value(record, "comp_sum"), total(record, "comp_train_flop"), 0);
        assert_close(eg_record_value(record, "mem_sum"), 11 * size, 0);
        const eg_array *inference = eg_record_find(record, "inf_mac");
        for (size_t t = 0; t < inference->count; t++) {
            assert_close(inference->data[t], forward * trials[i].networks, 0);
        }
        eg_record_free(record);
    }
}

/* The error is that of the test set after the phase, the last one that of the end. */
static void errors_of_whole_trials(void **state)
{
    (void)state;
    eg_record *record = whole(TRIAL STOPPING("learner") "stream.wait=5\n");
    const eg_array *error = eg_record_find(record, "anytime_error");
    const eg_array *accuracy = eg_record_find(record, "accuracy");
    double sum = 0;
    for (size_t t = 0; t <= 10; t++) {
        double expected = t < 5 ? 0.9 : 1 - accuracy->data[t < 10 ? 0 : 1];
        assert_close(error->data[t], expected, 1e-6);
        sum += t > 0 ? error->data[t] : 0;
    }
    assert_close(eg_record_value(record, "cer"), sum, 1e-12);
    assert_close(eg_record_value(record, "final_err"),
                 1 - eg_record_value(record, "final_accuracy"), 1e-6);
    eg_record_free(record);
}

/* Waiting for everything there is nothing to replay: the same bits. */
static void replay_of_nothing(void **state)
{
    (void)state;
    eg_record *without = whole(TRIAL STOPPING("learner") "stream.wait=10\n");
    eg_record *with = whole(TRIAL STOPPING("learner") "stream.wait=10\nstream.replay=true\n");
    assert_saved_same(without, with, "replay", 0);
    eg_record_free(without);
    eg_record_free(with);
}

/* Stopped anywhere, inside a stage and between stages, and paused at rungs. */
static void continued_everywhere(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_from_text(
        TRIAL STOPPING("learner") "stream.wait=4\nstream.replay=true\neval.block=16\n"));
    saved_scene_interrupt(&s, "anytime");
    saved_scene_pause(&s, "anytime");
    saved_scene_close(&s);
}

static void needs_mega_batches(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), "measures=[anytime]\n"));
    assert_fails(eg_trial_check(settings), EG_INVALID, "anytime needs a stream of mega-batches");
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_form),
        cmocka_unit_test(waiting_counts_as_chance),
        cmocka_unit_test(trials_that_do_not_end),
        cmocka_unit_test(counters_of_whole_trials),
        cmocka_unit_test(errors_of_whole_trials),
        cmocka_unit_test(replay_of_nothing),
        cmocka_unit_test(continued_everywhere),
        cmocka_unit_test(needs_mega_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
