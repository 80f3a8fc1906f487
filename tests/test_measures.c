/** Measures: which there are, what is told to them, and that they change nothing. */
#include "small_settings.h"

#include "saved_trials.h"

#include "engram/measure.h"
#include "engram/memory.h"
#include "engram/metric.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

/** "name", "value", …, NULL, on small made-up data: five tasks of two classes. */
static eg_settings *settings_of(const char *const *pairs)
{
    static const eg_assignment small[] = {
        {"dataset", "synthetic", {0}}, {"dataset.examples", "400", {0}},
        {"model.hidden", "[16]", {0}}, {"model.activation", "relu", {0}},
        {"optimizer", "sgd", {0}},     {"optimizer.lr", "0.1", {0}},
        {"stream.batch", "16", {0}},
    };
    return small_settings(small, EG_COUNT(small), pairs);
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

static eg_record *run(eg_settings *settings, const char *objective)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = objective};
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    eg_dataset_cache_free(cache);
    return record;
}

/** The names of all variables, in order, each followed by a blank. */
static void names_of(char *text, size_t size, eg_settings *settings)
{
    const eg_variable **list = NULL;
    size_t count = 0;
    assert_ok(eg_trial_variables(&list, &count, settings));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(text) + strlen(list[i]->name) + 2 < size);
        strcat(strcat(text, list[i]->name), " ");
        assert_true(eg_trial_records(settings, list[i]));
        assert_ptr_equal(eg_trial_variable(list[i]->name), list[i]);
    }
    eg_free(list);
    eg_settings_free(settings);
}

/** What was recorded before there were measures, in its order: files of then go on. */
static void defaults_are_what_was_recorded(void **state)
{
    (void)state;
#define FIRST                                                                                      \
    "step examples_seen phase loss accuracy task_accuracy active_fraction accuracy_matrix "
#define SCALARS                                                                                    \
    "final_accuracy average_accuracy forgetting backward_transfer steps flops train_seconds "      \
    "evaluation_seconds peak_rss objective "
    char names[1000];
    names_of(names, sizeof names, SETTINGS("protocol", "test"));
    assert_string_equal(names, FIRST SCALARS);
    names_of(names, sizeof names,
             SETTINGS("eval.untrained", "true", "learner", "ewc", "learner.lambda", "1"));
    assert_string_equal(names, FIRST SCALARS
                        "validation_accuracy validation_matrix untrained_accuracy forward_transfer "
                        "validation_untrained_accuracy penalty ");
    names_of(names, sizeof names, SETTINGS("measures", "[online, default]", "protocol", "test"));
    assert_string_equal(names, FIRST SCALARS
                        "online_examples online_accuracy online_loss mean_online_accuracy "
                        "mean_online_loss ");
    names_of(names, sizeof names, SETTINGS("measures", "[accuracy, cost]"));
    assert_string_equal(names, "step examples_seen phase loss accuracy steps flops objective ");
    /* Matrices of thousands of tasks are on request. */
    names_of(names, sizeof names,
             SETTINGS("protocol", "test", "stream", "permuted", "stream.tasks", "1001"));
    assert_null(strstr(names, "matrix"));
    assert_null(strstr(names, "task_accuracy"));
    assert_non_null(strstr(names, "forgetting"));
    names_of(names, sizeof names,
             SETTINGS("stream", "permuted", "stream.tasks", "1001", "measures", "matrix"));
    assert_non_null(strstr(names, "accuracy_matrix"));
}

static void what_a_measure_lacks_is_named(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("measures", "[default, forward_transfer]");
    assert_fails(eg_trial_check(settings), EG_INVALID,
                 "measures: forward_transfer needs eval.untrained = true");
    eg_settings_free(settings);
    settings = SETTINGS("measures", "validation", "protocol", "test");
    assert_fails(eg_trial_check(settings), EG_INVALID,
                 "measures: validation needs a protocol that holds examples out");
    eg_settings_free(settings);
    settings = SETTINGS("measures", "cost");
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "final_accuracy"};
    assert_fails(eg_trial_run(&record, settings, 3, cache, &options), EG_INVALID,
                 "objective 'final_accuracy' is not recorded with these settings");
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

/** The same bytes of all that is recorded without it; takes the settings. */
static void assert_changes_nothing(eg_settings *plain, eg_settings *more, size_t added)
{
    eg_record *a = run(plain, "final_accuracy");
    eg_record *b = run(more, "final_accuracy");
    assert_int_equal(eg_record_count(b), eg_record_count(a) + added);
    for (size_t i = 0; i < eg_record_count(a); i++) {
        const eg_array *x = eg_record_at(a, i);
        const eg_array *y = eg_record_find(b, x->name);
        assert_non_null(y);
        if (!eg_trial_variable(x->name)->volatile_) {
            assert_memory_equal(x->data, y->data, x->count * sizeof *x->data);
        }
    }
    eg_record_free(a);
    eg_record_free(b);
    eg_settings_free(plain);
    eg_settings_free(more);
}

static const char everything[] =
    "[default, class_accuracy, late_online, min_accuracy, online, peak, rank, replacements, "
    "scratch_iterations, units, weights]";
#define FEW_EXAMPLES "measures.units.examples", "30", "measures.rank.examples", "30"

enum { ADDED = 1 + 2 + 2 + 5 + 6 + 7 + 1 + 3 + 8 + 1 }; /* variables of these, in their order */

/** Nor the id, unless it is because of how many examples a look has; also where units are dropped by chance, where
 * running statistics could move, and where units are replaced by their age. */
static void a_measure_changes_nothing(void **state)
{
    (void)state;
    eg_settings *settings[3] = {SETTINGS("eval.every", "3"),
                                SETTINGS("eval.every", "3", "measures", everything),
                                SETTINGS("eval.every", "3", "measures", everything, FEW_EXAMPLES)};
    uint64_t id[3];
    for (size_t i = 0; i < 3; i++) {
        assert_ok(eg_trial_id(&id[i], settings[i], 3));
    }
    assert_int_equal(id[0], id[1]);
    assert_int_not_equal(id[0], id[2]);
    eg_settings_free(settings[1]);
    assert_changes_nothing(settings[0], settings[2], ADDED);
    assert_changes_nothing(
        SETTINGS("model.dropout", "0.3", "model.norm", "online"),
        SETTINGS("model.dropout", "0.3", "model.norm", "online", "measures", everything), ADDED);
    assert_changes_nothing(SETTINGS("learner", "continual_backprop", "learner.replacement_rate",
                                    "0.5", "learner.maturity", "3"),
                           SETTINGS("learner", "continual_backprop", "learner.replacement_rate",
                                    "0.5", "learner.maturity", "3", "measures", everything,
                                    FEW_EXAMPLES),
                           ADDED);
}

/** A learner asked before each step; sums [bin] of examples, correct ones and loss * examples. */
typedef struct by_hand {
    double examples[8], correct[8], loss[8];
    double weight; /* mean |w| at the end */
} by_hand;

static double mean_weight(eg_learner *learner)
{
    eg_weights weights;
    double sum = 0;
    double count = 0;
    assert_ok(eg_learner_get_weights(&weights, learner));
    for (size_t a = 0; a < weights.count; a++) {
        const eg_weights_array *array = &weights.arrays[a];
        for (size_t i = 0; strcmp(array->role, "weight") == 0 && i < array->count; i++) {
            sum += fabs(array->values[i]);
            count++;
        }
    }
    eg_weights_clear(&weights);
    return sum / count;
}

static void learn_by_hand(eg_settings *settings, size_t bin, by_hand *out)
{
    eg_view root = eg_settings_root(settings);
    eg_dataset *data = NULL;
    eg_stream *stream = NULL;
    eg_cursor *cursor = NULL;
    eg_learner *learner = NULL;
    eg_real scores[16 * 10];
    size_t seen = 0;
    *out = (by_hand){.examples = {0}};
    assert_ok(eg_dataset_open(&data, &root));
    assert_ok(eg_stream_create(&stream, &root, data, 3, 0.1));
    assert_ok(eg_cursor_open(&cursor, stream, &(eg_cursor_setup){.trains = true}));
    const eg_learner_setup setup = {
        .root = &root, .shape = stream->shape, .seed = 3, .block = 16, .stream = stream};
    assert_ok(eg_learner_create(&learner, &setup));
    for (size_t phase = 0; phase < stream->shape.phases; phase++) {
        for (size_t s = 0; s < eg_stream_steps(stream, phase); s++) {
            eg_batch batch;
            eg_step_outcome outcome = {.loss = 0};
            size_t b = bin == 0 ? phase : seen / bin;
            assert_true(b < 8);
            eg_cursor_get(cursor, phase, s, &batch);
            assert_ok(learner->ops->predict(learner, &batch, scores));
            out->correct[b] += (double)eg_count_correct(batch.size, stream->shape.outputs, scores,
                                                        batch.label, batch.active);
            assert_ok(learner->ops->step(learner, &batch, &outcome));
            out->loss[b] += outcome.loss * (double)batch.size;
            out->examples[b] += (double)batch.size;
            seen += batch.size;
        }
    }
    out->weight = mean_weight(learner);
    eg_learner_free(learner);
    eg_cursor_close(cursor);
    eg_stream_free(stream);
    eg_dataset_free(data);
}

static void assert_online(const char *bin, size_t size, size_t bins)
{
    eg_settings *settings = SETTINGS("measures", "[default, online, weights]",
                                     "measures.online.bin", bin, "model.bias", "true");
    eg_record *record = run(settings, "mean_online_accuracy");
    by_hand expected;
    learn_by_hand(settings, size, &expected);
    const eg_array *accuracy = eg_record_find(record, "online_accuracy");
    const eg_array *loss = eg_record_find(record, "online_loss");
    const eg_array *examples = eg_record_find(record, "online_examples");
    double seen = 0;
    double correct = 0;
    double total = 0;
    assert_int_equal(accuracy->count, bins);
    for (size_t b = 0; b < bins; b++) {
        seen += expected.examples[b];
        correct += expected.correct[b];
        total += expected.loss[b];
        assert_true(expected.examples[b] > 0);
        assert_close(accuracy->data[b], expected.correct[b] / expected.examples[b], 0);
        assert_close(loss->data[b], expected.loss[b] / expected.examples[b], 0);
        assert_close(examples->data[b], seen, 0);
    }
    assert_close(eg_record_value(record, "mean_online_accuracy"), correct / seen, 0);
    assert_close(eg_record_value(record, "mean_online_loss"), total / seen, 1e-12);
    assert_close(eg_record_value(record, "objective"), correct / seen, 0);
    const eg_array *weight = eg_record_find(record, "mean_abs_weight");
    assert_close(weight->data[weight->count - 1], expected.weight, 1e-9);
    eg_record_free(record);
    eg_settings_free(settings);
}

/** 360 training examples of 400, 72 of each task. */
static void online_is_before_the_update(void **state)
{
    (void)state;
    assert_online("0", 0, 5);
    assert_online("60", 60, 6);
    assert_online("1000", 1000, 1);
}

static void current_task_only(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("eval.tasks", "current", "protocol", "test", "measures", "[default, learning]");
    eg_record *record = run(settings, "mean_learning_accuracy");
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    const eg_array *learning = eg_record_find(record, "learning_accuracy");
    double sum = 0;
    assert_int_equal(learning->count, 5);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            assert_true(isnan(matrix->data[i * 5 + j]) == (i < 4 && j != i));
        }
        assert_true(learning->data[i] == matrix->data[i * 5 + i]);
        sum += learning->data[i];
    }
    assert_close(eg_record_value(record, "mean_learning_accuracy"), sum / 5, 1e-12);
    assert_true(isfinite(eg_record_value(record, "final_accuracy")));
    eg_record_free(record);
    eg_settings_free(settings);
}

/** What measures remember goes through checkpoints, wherever the trial was stopped. */
static void continued_measures(void **state)
{
    (void)state;
    size_t polls = 2;
    for (size_t stop = 1; stop < polls; stop += 5) {
        eg_record *whole = NULL;
        eg_record *continued = NULL;
        bool refused = false;
        saved_scene all = saved_scene_open(saved_settings("measures", everything));
        saved_scene cut = saved_scene_open(saved_settings("measures", everything));
        saved_scene other = saved_scene_open(saved_settings(NULL, NULL));
        assert_ok(saved_scene_run(&all, NULL, ENDLESS, 0, &whole, &refused));
        polls = all.polls;
        eg_status status = saved_scene_run(&cut, NULL, stop, 0, &continued, &refused);
        assert_int_equal(status.code, EG_STOPPED);
        /* A trial that measures other things begins anew. */
        assert_fails(saved_scene_run(&other, &cut.saved, ENDLESS, 0, &continued, &refused),
                     EG_INVALID, "curves, expected");
        assert_true(refused);
        assert_ok(saved_scene_run(&cut, &cut.saved, ENDLESS, 0, &continued, &refused));
        for (size_t i = 0; i < eg_record_count(whole); i++) {
            const eg_array *x = eg_record_at(whole, i);
            const eg_array *y = eg_record_find(continued, x->name);
            if (!eg_trial_variable(x->name)->volatile_) {
                assert_memory_equal(x->data, y->data, x->count * sizeof *x->data);
            }
        }
        eg_record_free(whole);
        eg_record_free(continued);
        saved_scene_close(&all);
        saved_scene_close(&cut);
        saved_scene_close(&other);
    }
}

/** Every member is well formed: those that `default` can stand for have an order of their own. */
static void the_family(void **state)
{
    (void)state;
    unsigned orders[64] = {0};
    for (size_t m = 0; m < eg_measure_family.member_count; m++) {
        const eg_component *member = eg_measure_family.members[m];
        const eg_measure_kind *kind = (const eg_measure_kind *)(const void *)member;
        assert_true(m == 0 || strcmp(eg_measure_family.members[m - 1]->name, member->name) < 0);
        if (strcmp(member->name, "default") == 0) {
            continue;
        }
        assert_true(kind->size >= sizeof(eg_measure));
        assert_non_null(kind->variables[0]);
        assert_true((kind->ops->write == NULL) == (kind->ops->read == NULL));
        assert_true(kind->order < EG_COUNT(orders));
        if (kind->order > 0) {
            assert_int_equal(orders[kind->order]++, 0);
        }
        for (size_t p = 0; p < member->param_count; p++) {
            assert_true(member->params[p].added_later); /* or it would change the ids of trials */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_what_was_recorded),
        cmocka_unit_test(what_a_measure_lacks_is_named),
        cmocka_unit_test(a_measure_changes_nothing),
        cmocka_unit_test(online_is_before_the_update),
        cmocka_unit_test(current_task_only),
        cmocka_unit_test(continued_measures),
        cmocka_unit_test(the_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
