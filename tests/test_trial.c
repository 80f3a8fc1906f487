/** One trial, from settings and a seed to a record: on made-up data, in milliseconds. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/metric.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

enum { ASSIGNMENTS_MAX = 24 };

/** Small and quick: five tasks of made-up classes, 32 hidden units. `more` is "name=value" …, NULL. */
static eg_settings *settings_with(const char *const *more)
{
    static const eg_assignment small[] = {
        {.name = "dataset", .value = "synthetic"},     {.name = "model.hidden", .value = "[32]"},
        {.name = "model.activation", .value = "relu"}, {.name = "optimizer", .value = "sgd"},
        {.name = "optimizer.lr", .value = "0.1"},      {.name = "stream.batch", .value = "16"},
        {.name = "protocol", .value = "test"},
    };
    eg_assignment all[ASSIGNMENTS_MAX];
    static char names[ASSIGNMENTS_MAX][64];
    size_t count = EG_COUNT(small);
    memcpy(all, small, sizeof small);
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        const char *sign = strchr(more[i], '=');
        size_t length = (size_t)(sign - more[i]);
        memcpy(names[i], more[i], length);
        names[i][length] = '\0';
        all[count++] = (eg_assignment){.name = names[i], .value = sign + 1};
    }
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, count));
    return settings;
}

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

static eg_record *run_with(const char *const *more, uint64_t seed, const char *objective)
{
    eg_settings *settings = settings_with(more);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = objective, .poll = go_on};
    assert_ok(eg_trial_run(&record, settings, seed, cache, &options));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

/** Everything but times and memory, as bytes. */
static void assert_same_results(const eg_record *a, const eg_record *b)
{
    assert_int_equal(eg_record_count(a), eg_record_count(b));
    for (size_t i = 0; i < eg_record_count(a); i++) {
        const eg_array *x = eg_record_at(a, i);
        const eg_array *y = eg_record_find(b, x->name);
        assert_non_null(y);
        if (!eg_trial_variable(x->name)->volatile_) {
            assert_memory_equal(x->data, y->data, x->count * sizeof(double));
        }
    }
}

static void learns_and_records(void **state)
{
    (void)state;
    eg_record *record = run_with(NULL, 1, "final_accuracy");
    assert_int_equal(eg_record_status(record), EG_TRIAL_DONE);
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    assert_non_null(matrix);
    assert_int_equal(matrix->extent[0], 5);
    assert_int_equal(matrix->extent[1], 5);
    for (size_t i = 0; i < 5; i++) {
        /* each pair of separable classes is learned when it is there … */
        assert_true(matrix->data[i * 5 + i] > 0.9);
        /* … and classes never seen are never predicted */
        for (size_t j = i + 1; j < 5; j++) {
            assert_true(matrix->data[i * 5 + j] < 0.5);
        }
    }
    const eg_array *accuracy = eg_record_find(record, "accuracy");
    assert_int_equal(accuracy->extent[0], 5);
    assert_close(eg_record_value(record, "final_accuracy"), accuracy->data[4], 1e-9);
    assert_close(eg_record_value(record, "objective"), accuracy->data[4], 1e-9);
    assert_true(eg_record_value(record, "forgetting") >= 0);
    eg_record_free(record);
}

static void same_seed_same_bits(void **state)
{
    (void)state;
    eg_record *first = run_with(NULL, 7, "final_accuracy");
    eg_record *again = run_with(NULL, 7, "final_accuracy");
    eg_record *other = run_with(NULL, 8, "final_accuracy");
    assert_same_results(first, again);
    assert_true(eg_record_find(first, "loss")->data[0] != eg_record_find(other, "loss")->data[0]);
    eg_record_free(first);
    eg_record_free(again);
    eg_record_free(other);
}

/** The evaluation block keeps results: it changes no bit of the accuracies, nor the id. */
static void block_size_changes_nothing(void **state)
{
    (void)state;
    const char *const odd[] = {"eval.block=7", NULL};
    eg_record *usual = run_with(NULL, 3, "final_accuracy");
    eg_record *blocks = run_with(odd, 3, "final_accuracy");
    const eg_array *a = eg_record_find(usual, "task_accuracy");
    const eg_array *b = eg_record_find(blocks, "task_accuracy");
    assert_memory_equal(a->data, b->data, a->count * sizeof(double));
    eg_record_free(usual);
    eg_record_free(blocks);
    eg_settings *one = settings_with(NULL);
    eg_settings *two = settings_with(odd);
    uint64_t id_one = 0;
    uint64_t id_two = 0;
    assert_ok(eg_trial_id(&id_one, one, 3));
    assert_ok(eg_trial_id(&id_two, two, 3));
    assert_true(id_one == id_two);
    assert_ok(eg_trial_id(&id_two, one, 4));
    assert_true(id_one != id_two);
    eg_settings_free(one);
    eg_settings_free(two);
}

/** Forward transfer needs an evaluation before the first minibatch, which changes nothing else. */
static void untrained_evaluation(void **state)
{
    (void)state;
    const char *const asked[] = {"eval.untrained=true", NULL};
    const char *const held_out[] = {"eval.untrained=true", "protocol=validation", NULL};
    eg_record *usual = run_with(NULL, 3, "final_accuracy");
    eg_record *more = run_with(asked, 3, "forward_transfer");
    assert_null(eg_record_find(usual, "untrained_accuracy"));
    assert_null(eg_record_find(usual, "forward_transfer"));
    assert_int_equal(eg_record_count(more), eg_record_count(usual) + 2);
    const eg_array *a = eg_record_find(usual, "accuracy_matrix");
    const eg_array *b = eg_record_find(more, "accuracy_matrix");
    assert_memory_equal(a->data, b->data, a->count * sizeof(double));
    const eg_array *untrained = eg_record_find(more, "untrained_accuracy");
    assert_int_equal(untrained->extent[0], 5);
    double expected = 0;
    for (size_t j = 1; j < 5; j++) {
        expected += (b->data[(j - 1) * 5 + j] - untrained->data[j]) / 4;
    }
    assert_close(eg_record_value(more, "forward_transfer"), expected, 1e-12);
    assert_close(eg_record_value(more, "objective"), expected, 1e-12);
    eg_record_free(usual);
    eg_record_free(more);
    /* The objective is of the held-out examples. */
    more = run_with(held_out, 3, "forward_transfer");
    a = eg_record_find(more, "validation_matrix");
    untrained = eg_record_find(more, "validation_untrained_accuracy");
    expected = 0;
    for (size_t j = 1; j < 5; j++) {
        expected += (a->data[(j - 1) * 5 + j] - untrained->data[j]) / 4;
    }
    assert_close(eg_record_value(more, "objective"), expected, 1e-12);
    eg_record_free(more);
}

/** Ids of trials whose results exist: a setting that is added later must be declared so (eg_param.added_later). */
static void ids_stay(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    uint64_t id = 0;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), NULL, 0));
    assert_ok(eg_trial_id(&id, settings, 0));
    assert_true(id == 0xA4E55B1C6F3F7447ULL);
    eg_settings_free(settings);
    settings = settings_with(NULL);
    assert_ok(eg_trial_id(&id, settings, 3));
    assert_true(id == 0xDE648DDF2AE2933BULL);
    eg_settings_free(settings);
}

/** All parameters of the schema that were added later, as far as the walk reaches. */
static void assert_canonical(const eg_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (params[i].added_later) {
            eg_value value;
            assert_ok(
                eg_value_parse(&value, &params[i], eg_trial_schema(), params[i].default_text));
            assert_string_equal(value.text, params[i].default_text);
            eg_value_clear(&value);
        }
    }
}

static void later_defaults_are_written_canonically(void **state)
{
    (void)state;
    const eg_schema *schema = eg_trial_schema();
    assert_canonical(schema->root, schema->root_count);
    for (size_t f = 0; f < schema->family_count; f++) {
        const eg_family *family = schema->families[f];
        assert_canonical(family->common, family->common_count);
        for (size_t m = 0; m < family->member_count; m++) {
            assert_canonical(family->members[m]->params, family->members[m]->param_count);
        }
    }
}

/** Evaluations inside phases: at every multiple and at each phase's end, once where they coincide. */
static void evaluates_every_so_many_steps(void **state)
{
    (void)state;
    const char *const often[] = {"eval.every=3", NULL};
    eg_record *record = run_with(often, 1, "final_accuracy");
    const eg_array *step = eg_record_find(record, "step");
    const eg_array *phase = eg_record_find(record, "phase");
    double total = eg_record_value(record, "steps");
    size_t ends = 0;
    for (size_t i = 0; i < step->count; i++) {
        bool end = i + 1 == step->count || phase->data[i + 1] > phase->data[i];
        ends += end;
        assert_true(end || fmod(step->data[i], 3) == 0);
        assert_true(i == 0 || step->data[i] > step->data[i - 1]);
        assert_true(i == 0 || step->data[i] - step->data[i - 1] <= 3);
    }
    assert_int_equal(ends, 5);
    assert_true(step->data[step->count - 1] == total);
    eg_record_free(record);
}

static void first_and_current_tasks_only(void **state)
{
    (void)state;
    const char *const few[] = {"eval.tasks=first_and_current", NULL};
    eg_record *record = run_with(few, 1, "final_accuracy");
    const eg_array *matrix = eg_record_find(record, "accuracy_matrix");
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 5; j++) {
            assert_true(isnan(matrix->data[i * 5 + j]) == (j != 0 && j != i));
        }
    }
    for (size_t j = 0; j < 5; j++) {
        assert_true(isfinite(matrix->data[4 * 5 + j]));
    }
    assert_true(isnan(eg_record_find(record, "accuracy")->data[0]));
    assert_true(isfinite(eg_record_value(record, "final_accuracy")));
    eg_record_free(record);
}

static void validation_selects_and_test_reports(void **state)
{
    (void)state;
    const char *const held_out[] = {"protocol=validation", "protocol.fraction=0.2", NULL};
    eg_record *record = run_with(held_out, 1, "average_accuracy");
    const eg_array *validation = eg_record_find(record, "validation_matrix");
    double mean = 0;
    for (size_t j = 0; j < 5; j++) {
        mean += validation->data[4 * 5 + j] / 5;
    }
    assert_close(eg_record_value(record, "objective"), mean, 1e-6);
    const eg_array *test = eg_record_find(record, "accuracy_matrix");
    double reported = 0;
    for (size_t j = 0; j < 5; j++) {
        reported += test->data[4 * 5 + j] / 5;
    }
    assert_close(eg_record_value(record, "average_accuracy"), reported, 1e-6);
    eg_record_free(record);
}

static void first_tasks_select(void **state)
{
    (void)state;
    const char *const two[] = {"protocol=first_tasks", "protocol.k=2", NULL};
    eg_record *record = run_with(two, 1, "average_accuracy");
    const eg_array *matrix = eg_record_find(record, "validation_matrix");
    assert_close(eg_record_value(record, "objective"), (matrix->data[5] + matrix->data[6]) / 2,
                 1e-6);
    eg_record_free(record);
}

/** A step size beyond all reason: the loss overflows, the record says so and scores chance. */
static void divergence_is_a_result(void **state)
{
    (void)state;
    const char *const plain[] = {"optimizer.lr=1e30", "model.weight_norm=[none]", NULL};
    const char *const normalised[] = {"optimizer.lr=1e38", NULL};
    const char *const *cases[] = {plain, normalised};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_record *record = run_with(cases[c], 1, "final_accuracy");
        assert_int_equal(eg_record_status(record), EG_TRIAL_DIVERGED);
        assert_non_null(strstr(eg_record_message(record), "not finite at minibatch"));
        assert_close(eg_record_value(record, "final_accuracy"), 0.1, 1e-9);
        assert_close(eg_record_value(record, "objective"), 0.1, 1e-9);
        eg_record_free(record);
    }
}

typedef struct stop_at {
    size_t polls, last;
} stop_at;

static bool stop_after(void *user, const eg_progress *progress)
{
    stop_at *self = user;
    (void)progress;
    self->polls++;
    return self->polls < self->last;
}

static void stops_when_told(void **state)
{
    (void)state;
    eg_settings *settings = settings_with(NULL);
    eg_dataset_cache *cache = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    for (size_t n = 1; n < 40; n += 3) {
        stop_at user = {.polls = 0, .last = n};
        eg_record *record = NULL;
        const eg_trial_options options = {
            .objective = "final_accuracy", .poll = stop_after, .user = &user};
        assert_fails(eg_trial_run(&record, settings, 1, cache, &options), EG_STOPPED, "stopped");
        assert_null(record);
        assert_int_equal(user.polls, n);
    }
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

static void refuses_what_cannot_work(void **state)
{
    (void)state;
    const char *const groups[] = {"model.activation=lwta", "model.activation.groups=5", NULL};
    eg_settings *settings = settings_with(groups);
    assert_fails(eg_trial_check(settings), EG_INVALID, "32");
    eg_settings_free(settings);
    const char *const partition[] = {"stream.partition=[[0, 1], [2, 99]]", NULL};
    settings = settings_with(partition);
    assert_fails(eg_trial_check(settings), EG_INVALID, "99");
    eg_settings_free(settings);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    settings = settings_with(NULL);
    const eg_trial_options options = {.objective = "accuracy", .poll = go_on};
    assert_fails(eg_trial_run(&record, settings, 1, cache, &options), EG_INVALID,
                 "not a summary variable");
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

/** What is recorded is what was declared, in name and rank, for every protocol. */
static void records_what_is_declared(void **state)
{
    (void)state;
    const char *const validation[] = {"protocol=validation", NULL};
    const char *const *cases[] = {NULL, validation};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_record *record = run_with(cases[c], 1, "final_accuracy");
        eg_settings *settings = settings_with(cases[c]);
        const eg_variable **declared = NULL;
        size_t count = 0;
        assert_ok(eg_trial_variables(&declared, &count, settings));
        assert_int_equal(count, eg_record_count(record));
        for (size_t i = 0; i < count; i++) {
            const eg_array *array = eg_record_find(record, declared[i]->name);
            assert_non_null(array);
            assert_int_equal(array->rank, eg_variable_rank(declared[i]));
            assert_ptr_equal(eg_trial_variable(declared[i]->name), declared[i]);
        }
        eg_free(declared);
        eg_settings_free(settings);
        eg_record_free(record);
    }
    assert_null(eg_trial_variable("no_such_variable"));
}

/** The estimate of a trial's cost is the count of what was done, to a percent. */
static void cost_is_near_the_count(void **state)
{
    (void)state;
    const char *const often[] = {"eval.every=5", NULL};
    const char *const held_out[] = {"protocol=validation", NULL};
    const char *const exact[] = {"learner=ewc", "learner.samples=0", NULL};
    const char *const groups[] = {"learner=ewc", "learner.fisher=argmax", "learner.group=7", NULL};
    const char *const replay[] = {"learner=replay", NULL};
    const char *const early[] = {"learner=early_stopping",
                                 "learner.patience=0",
                                 "stream=iid",
                                 "stream.epochs=10",
                                 "protocol=validation",
                                 "protocol.fraction=0.5",
                                 "dataset.test_examples=10",
                                 NULL};
    const char *const *cases[] = {NULL, often, held_out, exact, groups, replay, early};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_settings *settings = settings_with(cases[c]);
        double cost = 0;
        assert_ok(eg_trial_cost(&cost, settings));
        eg_record *record = run_with(cases[c], 1, "final_accuracy");
        double ratio = cost / eg_record_value(record, "flops");
        assert_true(ratio > 0.8 && ratio < 1.25);
        eg_record_free(record);
        eg_settings_free(settings);
    }
}

/** What is counted is right, and whatever costs anything takes time, however little was tried out. */
static void timing_counts_what_a_trial_does(void **state)
{
    (void)state;
    const char *const ewc[] = {"learner=ewc", "learner.samples=0", "eval.every=7",
                               "eval.untrained=true", NULL};
    const char *const held_out[] = {"protocol=validation", "stream=permuted", "stream.tasks=3",
                                    "eval.tasks=seen", NULL};
    const char *const early[] = {"learner=early_stopping", "learner.patience=0", "stream.epochs=2",
                                 "protocol=validation", NULL};
    const char *const *cases[] = {NULL, ewc, held_out, early};
    const double budgets[] = {1e-9, 0.01};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_settings *settings = settings_with(cases[c]);
        eg_record *record = run_with(cases[c], 1, "final_accuracy");
        size_t evaluations = eg_trial_evaluations(record);
        evaluations += eg_record_find(record, "untrained_accuracy") != NULL ? 1 : 0;
        for (size_t b = 0; b < EG_COUNT(budgets); b++) {
            eg_dataset_cache *cache = NULL;
            eg_trial_timing timing;
            assert_ok(eg_dataset_cache_create(&cache));
            assert_ok(eg_trial_time(&timing, settings, cache, budgets[b]));
            assert_int_equal(timing.steps, (size_t)eg_record_value(record, "steps"));
            assert_int_equal(timing.evaluations, evaluations);
            assert_true(timing.setup > 0 && timing.training > 0 && timing.evaluation > 0);
            assert_true((cases[c] == early) == (timing.epoch_ends > 0));
            assert_true((cases[c] == ewc || cases[c] == early) == (timing.phase_ends > 0));
            double ends = timing.epoch_ends + timing.phase_ends;
            assert_close(timing.seconds, timing.setup + timing.training + timing.evaluation + ends,
                         1e-12);
            eg_dataset_cache_free(cache);
        }
        eg_record_free(record);
        eg_settings_free(settings);
    }
}

/** Fails the 1st, 2nd, 3rd … allocation of a trial until it succeeds: a clean error, never a leak. */
static void survives_every_failing_allocation(void **state)
{
    (void)state;
    eg_settings *settings = settings_with(NULL);
    const eg_trial_options options = {.objective = "final_accuracy", .poll = go_on};
    size_t live = eg_memory_live_blocks();
    bool done = false;
    for (size_t n = 1; n < 10000 && !done; n++) {
        eg_dataset_cache *cache = NULL;
        eg_record *record = NULL;
        eg_memory_fail_after(n);
        eg_status status = eg_dataset_cache_create(&cache);
        if (status.code == EG_OK) {
            status = eg_trial_run(&record, settings, 1, cache, &options);
        }
        eg_memory_fail_after(0);
        done = status.code == EG_OK;
        assert_true(done || status.code == EG_MEMORY);
        eg_record_free(record);
        eg_dataset_cache_free(cache);
        assert_int_equal(eg_memory_live_blocks(), live);
    }
    assert_true(done);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_and_records),
        cmocka_unit_test(same_seed_same_bits),
        cmocka_unit_test(block_size_changes_nothing),
        cmocka_unit_test(untrained_evaluation),
        cmocka_unit_test(ids_stay),
        cmocka_unit_test(later_defaults_are_written_canonically),
        cmocka_unit_test(evaluates_every_so_many_steps),
        cmocka_unit_test(first_and_current_tasks_only),
        cmocka_unit_test(validation_selects_and_test_reports),
        cmocka_unit_test(first_tasks_select),
        cmocka_unit_test(divergence_is_a_result),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(refuses_what_cannot_work),
        cmocka_unit_test(records_what_is_declared),
        cmocka_unit_test(cost_is_near_the_count),
        cmocka_unit_test(timing_counts_what_a_trial_does),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
