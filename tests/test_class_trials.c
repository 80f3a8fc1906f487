/** Whole trials on pairs of classes and on more and more classes: evaluations after epochs, selection
 *  with buffers, growing heads, augmentation, all of it interrupted everywhere. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/learner.h"
#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TASKS = 3, EPOCHS = 4, BATCH = 9, TEXT = 1200, BLOCK = 16, CLASSES = 10 };

#define SMALL                                                                                      \
    "dataset=synthetic\ndataset.examples=160\ndataset.test_examples=60\ndataset.side=6\n"          \
    "dataset.noise=0.6\nstream.batch=9\nstream.tasks=3\nmodel.hidden=[6]\neval.block=16\n"         \
    "eval.tasks=current\noptimizer=sgdm\noptimizer.beta=0.9\noptimizer.weight_decay=0.01\n"        \
    "measures=[default, class_accuracy, learning, phase_accuracy, peak]\n"
#define INCREMENTAL                                                                                \
    SMALL "stream=class_incremental\nstream.classes=2\nstream.epochs=4\nprotocol.fraction=0.3\n"   \
          "model.norm=online\nmodel.activation=relu\n"

static eg_settings *settings_of(const char *text)
{
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

/* Selection with its copy of a network with buffers, outputs that arrive, augmented training and test
 * examples; evaluations after every epoch, and after every second one of three. */
static void interrupted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        INCREMENTAL "stream.head=grow\nlearner=early_stopping\nlearner.patience=0\neval.epochs=1\n"
                    "optimizer.lr=0.3\nstream.augment_flip=true\nstream.augment_crop=1\n"
                    "stream.augment_rotation=15\nstream.test_augment=true\n"
                    "optimizer.schedule=milestones\noptimizer.schedule.first=1\n",
        INCREMENTAL "stream.augment_crop=2\nlearner=ensemble\nlearner.members=2\n"
                    "learner.of=early_stopping\nlearner.of.patience=1\neval.epochs=3\n"
                    "optimizer.lr=0.5\n",
        SMALL "stream=class_pairs\nstream.epochs=2\nprotocol=test\neval.epochs=1\n"
              "learner=continual_backprop\nlearner.replacement_rate=0.3\nlearner.maturity=2\n"
              "optimizer.lr=0.1\n",
    };
    for (size_t t = 0; t < EG_COUNT(texts); t++) {
        saved_scene s = saved_scene_open(settings_of(texts[t]));
        saved_scene_interrupt(&s, texts[t]);
        saved_scene_pause(&s, texts[t]);
        saved_scene_close(&s);
    }
}

static double best_of(const double *values, size_t count, size_t *first)
{
    double best = -1;
    for (size_t i = 0; i < count; i++) {
        if (values[i] > best) {
            best = values[i];
            *first = i;
        }
    }
    return best;
}

/* A phase has an evaluation after each of its epochs and one of what it leaves behind: parameters and
 * running statistics of the first best epoch, after the last phase, too. */
static void the_best_epoch_is_restored(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of(
        INCREMENTAL "learner=early_stopping\nlearner.patience=0\neval.epochs=1\noptimizer.lr=1\n"
                    "dataset.noise=1\n"
                    "stream.augment_flip=true\nstream.test_augment=true\n"));
    eg_record *record = saved_scene_whole(&s);
    const double *test = eg_record_find(record, "phase_accuracy")->data;
    const double *held_out = eg_record_find(record, "phase_validation_accuracy")->data;
    const double *augmented = eg_record_find(record, "phase_augmented_accuracy")->data;
    const double *best_test = eg_record_find(record, "peak_accuracy")->data;
    const double *best_augmented = eg_record_find(record, "peak_augmented_accuracy")->data;
    const double *selected = eg_record_find(record, "selected_accuracy")->data;
    const double *selected_augmented = eg_record_find(record, "selected_augmented_accuracy")->data;
    const double *left = eg_record_find(record, "learning_accuracy")->data;
    const eg_array *step = eg_record_find(record, "step");
    assert_int_equal(eg_trial_evaluations(record), TASKS * (EPOCHS + 1));
    size_t worse = 0;
    size_t differs = 0;
    double sum = 0;
    for (size_t n = 0; n < TASKS; n++) {
        size_t at = n * (EPOCHS + 1);
        size_t epoch = 0;
        size_t any = 0;
        (void)best_of(held_out + at, EPOCHS, &epoch);
        assert_true(best_of(test + at, EPOCHS, &any) == best_test[n]);
        assert_true(best_of(augmented + at, EPOCHS + 1, &any) == best_augmented[n]);
        assert_true(held_out[at + EPOCHS] == held_out[at + epoch]);
        assert_true(test[at + EPOCHS] == test[at + epoch]);
        assert_true(selected[n] == test[at + epoch]);
        assert_true(selected_augmented[n] == augmented[at + epoch]);
        assert_true(left[n] == test[at + EPOCHS]);
        assert_true(step->data[at + EPOCHS] == step->data[at + EPOCHS - 1]);
        worse += held_out[at + EPOCHS - 1] < held_out[at + epoch] ? 1 : 0;
        differs += augmented[at + EPOCHS] != augmented[at + epoch] ? 1 : 0;
        sum += selected[n];
    }
    assert_true(worse > 0);   /* else there was nothing to be restored */
    assert_true(differs > 0); /* augmented anew at every evaluation */
    assert_float_equal(eg_record_value(record, "mean_selected_accuracy"), sum / TASKS, 1e-12);
    eg_record_free(record);
    saved_scene_close(&s);
}

/* Minibatches of all phases, one digest for each. */
typedef struct digests {
    double sum[256];
    size_t count;
} digests;

static eg_status digest(void *user, const eg_traced_step *step)
{
    digests *self = user;
    const eg_batch *batch = step->batch;
    double sum = 0;
    for (size_t i = 0; i < batch->size; i++) {
        sum += (double)(i + 1) * (double)(batch->number[i] + 7 * batch->label[i]);
    }
    for (size_t i = 0; batch->x != NULL && i < batch->size; i++) {
        sum += (double)batch->x[36 * i + i];
    }
    assert_true(self->count < EG_COUNT(self->sum));
    self->sum[self->count++] = sum;
    return eg_ok();
}

static digests digests_of(const char *text)
{
    digests out = {.count = 0};
    eg_settings *settings = settings_of(text);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    const eg_trial_options options = {
        .objective = "mean_learning_accuracy", .trace = digest, .trace_user = &out};
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return out;
}

/* The stream of a seed is the same for every learner, whatever it does: classes, order, augmentation. */
static void all_learners_see_the_same(void **state)
{
    (void)state;
#define AUGMENTED INCREMENTAL "stream.augment_flip=true\nstream.augment_crop=2\n"
#define IN_PAIRS SMALL "stream=class_pairs\nstream.epochs=2\nprotocol=test\n"
    static const char *const texts[][3] = {
        {AUGMENTED, AUGMENTED "learner=shrink_perturb\nlearner.sigma=0.1\nstream.head=grow\n",
         AUGMENTED "learner=early_stopping\nlearner.patience=0\noptimizer.lr=0.3\n"},
        {IN_PAIRS, IN_PAIRS "learner=continual_backprop\nlearner.maturity=2\n",
         IN_PAIRS "stream.reset_outputs=none\nlearner=ensemble\nlearner.members=2\n"},
    };
    for (size_t t = 0; t < EG_COUNT(texts); t++) {
        digests first = digests_of(texts[t][0]);
        assert_true(first.count > 10);
        for (size_t l = 1; l < 3; l++) {
            digests other = digests_of(texts[t][l]);
            assert_int_equal(other.count, first.count);
            assert_memory_equal(other.sum, first.sum, first.count * sizeof first.sum[0]);
        }
    }
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {INCREMENTAL "eval.epochs=1\neval.every=5\n",
         "eval.every = 5 and eval.epochs = 1; expected one of them, the other 0"},
        {INCREMENTAL "stream.test_augment=true\n", "stream.test_augment = true, and nothing"},
        {INCREMENTAL "stream.augment_crop=6\n", "stream.augment_crop = 6"},
        {SMALL "stream=class_pairs\nlearner=flymodel\n", "learner flymodel has no network"},
        {SMALL "stream=class_pairs\nstream.train_examples=17\n", "stream.train_examples = 17"},
        {SMALL "stream=iid\n", "stream.tasks belongs to"},
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_settings *settings = NULL;
        eg_status status = eg_settings_parse(&settings, eg_trial_schema(), cases[c][0]);
        if (eg_is_ok(&status)) {
            status = eg_trial_check(settings);
        }
        assert_fails(status, EG_INVALID, cases[c][1]);
        eg_settings_free(settings);
    }
}

/* The last evaluation covers one task too: of a stream of thousands of tasks nothing else is wanted. */
static void only_the_current_task_is_tested(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of(
        SMALL "stream=class_pairs\nprotocol=test\neval.tasks=current_only\neval.untrained=true\n"));
    eg_record *record = saved_scene_whole(&s);
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    assert_int_equal(matrix->count, TASKS * TASKS);
    for (size_t i = 0; i < matrix->count; i++) {
        assert_int_equal(isnan(matrix->data[i]) == 0, i / TASKS == i % TASKS);
    }
    assert_true(isnan(eg_record_value(record, "final_accuracy")));
    assert_true(isfinite(eg_record_value(record, "mean_learning_accuracy")));
    eg_record_free(record);
    saved_scene_close(&s);
}

/* The largest of the scores that count, NULL: all. */
static uint32_t predicted(const eg_real *scores, const eg_active *active)
{
    uint32_t best = CLASSES;
    for (uint32_t c = 0; c < CLASSES; c++) {
        bool counts = active == NULL || eg_active_place(active, c) < active->count;
        best = counts && (best == CLASSES || scores[c] > scores[best]) ? c : best;
    }
    return best;
}

/* What is right of the test examples of some tasks, by their labels. */
typedef struct by_class {
    double examples[CLASSES], correct[CLASSES];
} by_class;

static void count_by_hand(eg_learner *learner, eg_cursor *cursor, size_t phase, size_t task,
                          by_class *out)
{
    const eg_active *active = eg_stream_phase(cursor->stream, phase).active;
    size_t count = eg_stream_count(cursor->stream, EG_SUBSET_TEST, task);
    for (size_t i = 0; i < count; i++) {
        eg_real scores[CLASSES];
        eg_batch batch;
        eg_cursor_examples(cursor, EG_SUBSET_TEST, task, i, 1, &batch);
        assert_ok(learner->ops->predict(learner, &batch, scores));
        out->examples[batch.label[0]]++;
        out->correct[batch.label[0]] += predicted(scores, active) == batch.label[0] ? 1 : 0;
    }
}

/* accuracy [TASKS, CLASSES] of a learner that does what the trial of seed 1 does, on all tasks or the
 * one of the phase, the examples one by one. */
static void learn_by_hand(const eg_settings *settings, double holdout, bool all_tasks,
                          double *accuracy)
{
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    eg_stream *stream = NULL;
    eg_cursor *cursor = NULL;
    eg_learner *learner = NULL;
    assert_ok(eg_dataset_open(&data, &root));
    assert_ok(eg_stream_create(&stream, &root, data, 1, holdout));
    assert_int_equal(stream->shape.outputs, CLASSES);
    assert_int_equal(stream->shape.phases, TASKS);
    assert_ok(eg_cursor_open(&cursor, stream, &(eg_cursor_setup){.trains = true, .block = BLOCK}));
    const eg_learner_setup setup = {
        .root = &root, .shape = stream->shape, .seed = 1, .block = BLOCK, .stream = stream};
    assert_ok(eg_learner_create(&learner, &setup));
    for (size_t phase = 0; phase < TASKS; phase++) {
        by_class counts = {.examples = {0}};
        assert_ok(eg_learner_begin_phase(learner, phase));
        for (size_t s = 0; s < eg_stream_steps(stream, phase); s++) {
            eg_batch batch;
            eg_step_outcome outcome;
            eg_cursor_get(cursor, phase, s, &batch);
            assert_ok(learner->ops->step(learner, &batch, &outcome));
        }
        for (size_t task = 0; task < TASKS; task++) {
            if (all_tasks || task == phase) {
                count_by_hand(learner, cursor, phase, task, &counts);
            }
        }
        for (size_t c = 0; c < CLASSES; c++) {
            accuracy[phase * CLASSES + c] = counts.correct[c] / counts.examples[c];
        }
    }
    eg_learner_free(learner);
    eg_cursor_close(cursor);
    eg_stream_free(stream);
    eg_dataset_free(data);
}

/* Classes to come have none; in a stream of permuted pixels all tasks have the same ones. Other
 * evaluations, within phases, on held-out and on augmented examples, do not count. */
static void accuracy_of_every_class(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double holdout;
        bool all_tasks;
    } cases[] = {
        {INCREMENTAL "eval.tasks=current_only\neval.epochs=1\noptimizer.lr=0.3\n"
                     "stream.augment_flip=true\nstream.test_augment=true\n",
         0.3, false},
        {SMALL "stream=permuted\nprotocol=test\neval.tasks=all\neval.untrained=true\n"
               "eval.every=2\noptimizer.lr=0.1\n",
         0, true},
    };
    for (size_t t = 0; t < EG_COUNT(cases); t++) {
        saved_scene s = saved_scene_open(settings_of(cases[t].text));
        eg_record *record = saved_scene_whole(&s);
        const eg_array *accuracy = eg_record_find(record, "class_accuracy");
        double expected[TASKS * CLASSES];
        size_t between = 0;
        learn_by_hand(s.settings, cases[t].holdout, cases[t].all_tasks, expected);
        assert_int_equal(accuracy->rank, 2);
        assert_int_equal(accuracy->extent[0], TASKS);
        assert_int_equal(accuracy->extent[1], CLASSES);
        for (size_t n = 0; n < TASKS; n++) {
            size_t known = 0;
            for (size_t c = 0; c < CLASSES; c++) {
                double value = accuracy->data[n * CLASSES + c];
                double wanted = expected[n * CLASSES + c];
                assert_true(isnan(wanted) ? isnan(value) : value == wanted);
                known += isnan(value) ? 0 : 1;
                between += value > 0 && value < 1 ? 1 : 0;
            }
            assert_int_equal(known, cases[t].all_tasks ? CLASSES : 2 * (n + 1));
        }
        assert_true(between > TASKS); /* else nothing was to be told apart */
        eg_record_free(record);
        saved_scene_close(&s);
    }
}

/* Paused after the second of its four epochs. */
static void a_phase_under_way_has_no_accuracy_of_classes(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of(INCREMENTAL "eval.epochs=1\n"));
    eg_record *record = NULL;
    bool refused = false;
    s.until = 2;
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 0, &record, &refused));
    assert_int_equal(eg_trial_evaluations(record), 2);
    const eg_array *accuracy = eg_record_find(record, "class_accuracy");
    for (size_t i = 0; i < accuracy->count; i++) {
        assert_true(isnan(accuracy->data[i]));
    }
    eg_record_free(record);
    saved_scene_close(&s);
}

/* What a plan is made from: 1, 2 and 3 times two minibatches to an epoch of 4, and their evaluations. */
static void time_is_estimated(void **state)
{
    (void)state;
    eg_settings *settings = settings_of(
        INCREMENTAL "eval.epochs=1\nlearner=early_stopping\nlearner.patience=0\n"
                    "stream.train_examples=12\nstream.batch=8\nprotocol.fraction=0.3\n");
    eg_dataset_cache *cache = NULL;
    eg_trial_timing timing;
    double cost = 0;
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_time(&timing, settings, cache, 0.05));
    assert_ok(eg_trial_cost(&cost, settings));
    assert_int_equal(timing.steps, EPOCHS * (2 + 4 + 6));
    assert_int_equal(timing.evaluations, TASKS * (EPOCHS + 1));
    assert_true(timing.seconds > 0 && cost > 0);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted),
        cmocka_unit_test(the_best_epoch_is_restored),
        cmocka_unit_test(all_learners_see_the_same),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(only_the_current_task_is_tested),
        cmocka_unit_test(accuracy_of_every_class),
        cmocka_unit_test(a_phase_under_way_has_no_accuracy_of_classes),
        cmocka_unit_test(time_is_estimated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
