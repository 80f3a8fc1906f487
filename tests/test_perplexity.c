/** Negative log-likelihood and perplexity: by hand, at every mega-batch, and over whole trials on a text. */
#include "made_text.h"
#include "position_model.h"
#include "saved_trials.h"
#include "words.h"

#include "engram/measure.h"
#include "engram/memory.h"
#include "engram/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 4000 };

static char path[TEXT_PATH_SIZE];
static const char *directory;

static int make_file(void **state)
{
    (void)state;
    char text[SIZE + 1];
    directory = eg_test_directory();
    write_words(text, SIZE);
    write_text_file(path, directory, text, SIZE);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

/* Two examples of two positions, three outputs. As logits log 1, log 2, log 5: probabilities 1/8, 1/4, 5/8,
 * whatever is added to a row. */
static void likelihood_by_hand(void **state)
{
    (void)state;
    const uint32_t labels[] = {0, 1, 2, 2};
    const eg_batch batch = {.size = 2, .positions = 2, .label = labels};
    const double p[] = {0.125, 0.25, 0.625};
    static const uint32_t places[] = {1, 2};
    const eg_active active = {.count = 2, .output = places};
    eg_real logits[12];
    eg_real probabilities[12];
    for (size_t i = 0; i < 12; i++) {
        probabilities[i] = (eg_real)p[i % 3];
        logits[i] = (eg_real)(log(8 * p[i % 3]) + 100.0 * (double)(i / 3));
    }
    const double expected = -log(0.125) - log(0.25) - 2 * log(0.625);
    assert_close(eg_nll_sum(&batch, 3, logits, EG_SCORES_LOGITS), expected, 1e-5);
    assert_close(eg_nll_sum(&batch, 3, probabilities, EG_SCORES_PROBABILITIES), expected, 1e-6);
    assert_true(isnan(eg_nll_sum(&batch, 3, logits, EG_SCORES_OTHER)));
    /* Outputs 1 and 2 alone: 2/7 and 5/7; label 0 is none of them. */
    eg_batch some = batch;
    some.active = &active;
    assert_true(isinf(eg_nll_sum(&some, 3, logits, EG_SCORES_LOGITS)));
    some.size = 1;
    some.label = labels + 1;
    assert_close(eg_nll_sum(&some, 3, logits, EG_SCORES_LOGITS), -log(2.0 / 7) - log(5.0 / 7),
                 1e-5);
    logits[4] = (eg_real)NAN;
    assert_true(isnan(eg_nll_sum(&batch, 3, logits, EG_SCORES_LOGITS)));
}

/* The measure alone, on a stream of mega-batches of ten classes. */
typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_dataset *dataset;
    eg_stream *stream;
    eg_learner learner;
    eg_record *record;
    eg_measures measures;
} scene;

static void open_measure(scene *s, const char *wait)
{
    static const eg_learner_ops ops = {.free = NULL};
    *s = (scene){.learner.ops = &ops};
    s->settings = settings_from(
        eg_trial_schema(),
        (const char *const[]){"dataset", "synthetic", "dataset.examples", "200", "dataset.side",
                              "4", "stream", "mega_batches", "stream.chunks", "4", "stream.wait",
                              wait, "measures", "[perplexity, nll]", NULL, NULL});
    s->root = eg_settings_root(s->settings);
    assert_ok(eg_dataset_open(&s->dataset, &s->root));
    assert_ok(eg_stream_create(&s->stream, &s->root, s->dataset, 1, 0.1));
    assert_ok(eg_record_create(&s->record));
    const eg_measure_setup setup = {.scope = {.root = &s->root,
                                              .phases = s->stream->shape.phases,
                                              .tasks = 1,
                                              .chunks = 4,
                                              .classifies = true,
                                              .held_out = true},
                                    .stream = s->stream,
                                    .learner = &s->learner,
                                    .record = s->record,
                                    .selection = {.subset = EG_SUBSET_VALIDATION, .holdout = 0.1},
                                    .objective = "avg_ppl",
                                    .evals = 4};
    assert_ok(eg_measures_init(&s->measures, &setup));
    assert_true(s->measures.wants_nll);
    assert_ok(eg_measures_begin_trial(&s->measures));
}

static void close_measure(scene *s)
{
    eg_measures_clear(&s->measures);
    eg_record_free(s->record);
    eg_stream_free(s->stream);
    eg_dataset_free(s->dataset);
    eg_settings_free(s->settings);
}

static void end_phase(scene *s, size_t phase, double test, double held_out)
{
    const eg_moment moment = {.phase = phase, .eval = phase};
    const double nll[] = {log(test), log(held_out)};
    for (size_t subset = 0; subset < 2; subset++) {
        const eg_evaluation evaluation = {
            .subset = (eg_subset)subset, .phase_end = true, .nll = nll[subset]};
        assert_ok(eg_measures_evaluation(&s->measures, &moment, &evaluation));
    }
    assert_ok(eg_measures_end_phase(&s->measures, &moment));
}

static void assert_curve(const eg_record *record, const char *name, const double *expected)
{
    const eg_array *array = eg_record_find(record, name);
    for (size_t t = 0; t < array->count; t++) {
        assert_true(isnan(expected[t]) ? isnan(array->data[t])
                                       : fabs(array->data[t] - expected[t]) < 1e-9);
    }
}

/* Perplexities 8, 6, 5, 5 of four mega-batches: means 8, 7, 19/3, 6. On held-out labels 4, 4, 2, 2. */
static void averages(void **state)
{
    (void)state;
    scene s;
    double selected = 0;
    open_measure(&s, "1");
    end_phase(&s, 0, 8, 4);
    end_phase(&s, 1, 6, 4);
    end_phase(&s, 2, 5, 2);
    end_phase(&s, 3, 5, 2);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 3}));
    assert_curve(s.record, "perplexity", (const double[]){10, 8, 6, 5, 5});
    assert_curve(s.record, "average_perplexity", (const double[]){(double)NAN, 8, 7, 19.0 / 3, 6});
    assert_curve(s.record, "nll", (const double[]){log(8), log(6), log(5), log(5)});
    assert_curve(s.record, "validation_nll", (const double[]){log(4), log(4), log(2), log(2)});
    assert_close(eg_record_value(s.record, "avg_ppl"), 6, 1e-12);
    assert_close(eg_record_value(s.record, "final_perplexity"), 5, 1e-12);
    assert_close(eg_record_value(s.record, "final_nll"), log(5), 1e-12);
    assert_true(eg_measures_selecting(&s.measures, "avg_ppl", &selected));
    assert_close(selected, 3, 1e-12);
    assert_true(eg_measures_selecting(&s.measures, "final_nll", &selected));
    assert_close(selected, log(2), 1e-12);
    close_measure(&s);
}

/* Waiting for two of four, it guesses among ten first: 10, 4, 4, 2 make a sum of 20. */
static void before_the_first_update_it_guesses(void **state)
{
    (void)state;
    scene s;
    open_measure(&s, "2");
    end_phase(&s, 0, 4, 4);
    end_phase(&s, 1, 2, 2);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 1}));
    assert_curve(s.record, "perplexity", (const double[]){10, 10, 4, 4, 2});
    assert_close(eg_record_value(s.record, "avg_ppl"), 5, 1e-12);
    close_measure(&s);
    /* Diverged in the second phase: it guesses there too, 10 10 4 10 10. */
    open_measure(&s, "2");
    end_phase(&s, 0, 4, 4);
    assert_ok(eg_measures_end_trial(&s.measures, &(eg_moment){.phase = 1, .diverged = true}));
    assert_close(eg_record_value(s.record, "final_perplexity"), 10, 1e-12);
    assert_close(eg_record_value(s.record, "avg_ppl"), (10 + 4 + 10 + 10) / 4.0, 1e-12);
    assert_close(eg_record_value(s.record, "final_nll"), log(10), 1e-12);
    close_measure(&s);
}

/* What is remembered between phases is written and read. */
static void measures_continue(void **state)
{
    (void)state;
    scene whole, half, rest;
    eg_writer writer = {0};
    open_measure(&whole, "1");
    open_measure(&half, "1");
    open_measure(&rest, "1");
    end_phase(&whole, 0, 8, 4);
    end_phase(&half, 0, 8, 4);
    eg_measures_write(&half.measures, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_measures_read(&rest.measures, &reader));
    for (size_t phase = 1; phase < 4; phase++) {
        end_phase(&whole, phase, 5, 3);
        end_phase(&rest, phase, 5, 3);
    }
    assert_ok(eg_measures_end_trial(&whole.measures, &(eg_moment){.phase = 3}));
    assert_ok(eg_measures_end_trial(&rest.measures, &(eg_moment){.phase = 3}));
    assert_true(eg_record_value(whole.record, "avg_ppl") ==
                eg_record_value(rest.record, "avg_ppl"));
    assert_true(eg_record_value(whole.record, "final_nll") ==
                eg_record_value(rest.record, "final_nll"));
    eg_writer_clear(&writer);
    close_measure(&whole);
    close_measure(&half);
    close_measure(&rest);
}

/* Whole trials on a text: a model over positions that sees what comes next. */
static eg_settings *settings_of_text(const char *const *more)
{
    const char *words[64] = {
        "dataset",          "text", "dataset.file",       path, "dataset.block", "100",
        "dataset.sequence", "5",    "dataset.vocabulary", "24", "model",         "positions",
        "stream.batch",     "8",    "stream.steps",       "60", "optimizer",     "adam",
        "optimizer.lr",     "0.003"};
    size_t count = 20;
    for (size_t i = 0; more[i] != NULL; i++) {
        words[count++] = more[i];
    }
    assert_true(count < EG_COUNT(words) - 1);
    eg_settings *settings = settings_from(position_schema(), words);
    assert_ok(eg_trial_check(settings));
    return settings;
}

static eg_record *run_text(const char *const *more)
{
    eg_settings *settings = settings_of_text(more);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "avg_ppl"};
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

#define RUN(...) run_text((const char *const[]){__VA_ARGS__, NULL})

/* Perplexity is exp of the mean negative log-likelihood, and both fall below those of guessing. */
static void check_trial(const eg_record *record, size_t mega_batches)
{
    const eg_array *nll = eg_record_find(record, "nll");
    const eg_array *perplexity = eg_record_find(record, "perplexity");
    const eg_array *average = eg_record_find(record, "average_perplexity");
    double sum = 0;
    assert_int_equal(nll->count, mega_batches);
    assert_int_equal(perplexity->count, mega_batches + 1);
    assert_close(perplexity->data[0], 24, 0);
    for (size_t t = 1; t <= mega_batches; t++) {
        sum += perplexity->data[t];
        assert_close(perplexity->data[t], exp(nll->data[t - 1]), 1e-12);
        assert_close(average->data[t], sum / (double)t, 1e-12);
        assert_true(perplexity->data[t] < 24);
    }
    assert_close(eg_record_value(record, "avg_ppl"), sum / (double)mega_batches, 1e-12);
    assert_close(eg_record_value(record, "final_nll"), nll->data[mega_batches - 1], 0);
    assert_true(eg_record_value(record, "final_accuracy") > 1.0 / 24);
}

static void trials_of_mega_batches(void **state)
{
    (void)state;
    eg_record *record = RUN("stream", "text_mega_batches");
    check_trial(record, 4);
    eg_record_free(record);
    record = RUN("stream", "text_mega_batches", "learner", "ensemble", "learner.members", "2");
    check_trial(record, 4);
    eg_record_free(record);
    record = RUN("stream", "text_mega_batches", "learner", "growing_ensemble");
    check_trial(record, 4);
    eg_record_free(record);
}

static void trials_of_all_at_once(void **state)
{
    (void)state;
    eg_record *record = RUN("stream", "text_iid", "stream.first", "3");
    check_trial(record, 3);
    eg_record_free(record);
}

/* With one mega-batch there is nothing to order: both arms are the same, to the last bit. */
static void arms_agree_on_one_mega_batch(void **state)
{
    (void)state;
    eg_record *one = RUN("stream", "text_mega_batches", "stream.chunks", "1");
    eg_record *all = RUN("stream", "text_iid", "stream.chunks", "1");
    assert_true(eg_record_value(one, "final_nll") == eg_record_value(all, "final_nll"));
    eg_record_free(one);
    eg_record_free(all);
}

/* Fresh optimizers at the same minibatches of both arms make a difference in both. */
static void restarts_act_in_both_arms(void **state)
{
    (void)state;
    static const char *const streams[] = {"text_mega_batches", "text_iid"};
    for (size_t i = 0; i < 2; i++) {
        eg_record *never = RUN("stream", streams[i]);
        eg_record *phase = RUN("stream", streams[i], "optimizer.restart", "phase");
        const eg_array *a = eg_record_find(never, "nll");
        const eg_array *b = eg_record_find(phase, "nll");
        assert_true(a->data[0] == b->data[0]);
        assert_true(a->data[1] != b->data[1]);
        eg_record_free(never);
        eg_record_free(phase);
    }
}

/* Stopped anywhere and continued, inside passes and evaluations too, it is as if it had not been. */
static void continued_everywhere(void **state)
{
    (void)state;
    static const char *const streams[] = {"text_mega_batches", "text_iid"};
    for (size_t i = 0; i < 2; i++) {
        saved_scene s = saved_scene_open(settings_of_text((const char *const[]){
            "stream", streams[i], "stream.chunks", "2", "dataset.limit", "400", "eval.block", "20",
            "eval.every", "5", "stream.steps", "8", "stream.batch", "20", NULL}));
        saved_scene_interrupt(&s, streams[i]);
        saved_scene_pause(&s, streams[i]);
        saved_scene_close(&s);
    }
}

/* Of votes there are no probabilities. */
static void votes_have_no_likelihood(void **state)
{
    (void)state;
    eg_record *record = RUN("stream", "text_mega_batches", "learner", "ensemble", "learner.members",
                            "2", "learner.average", "votes");
    assert_true(isnan(eg_record_value(record, "final_nll")));
    eg_record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likelihood_by_hand),
        cmocka_unit_test(averages),
        cmocka_unit_test(before_the_first_update_it_guesses),
        cmocka_unit_test(measures_continue),
        cmocka_unit_test(trials_of_mega_batches),
        cmocka_unit_test(trials_of_all_at_once),
        cmocka_unit_test(arms_agree_on_one_mega_batch),
        cmocka_unit_test(restarts_act_in_both_arms),
        cmocka_unit_test(continued_everywhere),
        cmocka_unit_test(votes_have_no_likelihood),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
