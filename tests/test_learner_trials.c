/** What learners do in whole trials: heads per task, early-stopped joint training. On made-up data. */
#include "small_settings.h"
#include "testing.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <string.h>

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

/** A trial of five tasks and 32 hidden units; `more`: "name", "value", …, NULL. It records what its settings
 *  say it does. */
static eg_record *run_with(const char *const *more)
{
    static const eg_assignment all[] = {
        {.name = "dataset", .value = "synthetic"},     {.name = "dataset.noise", .value = "0.6"},
        {.name = "model.hidden", .value = "[32]"},     {.name = "optimizer", .value = "sgd"},
        {.name = "model.activation", .value = "relu"}, {.name = "stream.batch", .value = "16"},
    };
    eg_settings *settings = small_settings(all, EG_COUNT(all), more);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "final_accuracy", .poll = go_on};
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    const eg_variable **promised = NULL;
    size_t promises = 0;
    assert_ok(eg_trial_variables(&promised, &promises, settings));
    for (size_t v = 0; v < promises; v++) {
        assert_non_null(eg_record_find(record, promised[v]->name));
        assert_true(eg_trial_records(settings, promised[v]));
    }
    eg_free(promised);
    assert_true((eg_record_find(record, "penalty") != NULL) ==
                eg_trial_records(settings, eg_trial_variable("penalty")));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/** With a head per task, and the task named at test time, tasks that one head forgets are remembered. */
static void heads_per_task_are_not_forgotten(void **state)
{
    (void)state;
#define TEST "protocol", "test", "stream.epochs", "5", "optimizer.lr", "0.1"
    eg_record *one = run_with(WORDS(TEST));
    eg_record *many = run_with(WORDS(TEST, "stream.active", "task"));
    assert_true(eg_record_value(one, "final_accuracy") < 0.8);
    assert_true(eg_record_value(many, "final_accuracy") > 0.95);
    assert_true(eg_record_value(one, "forgetting") > eg_record_value(many, "forgetting") + 0.2);
    eg_record_free(one);
    eg_record_free(many);
}

/** All tasks together, until held-out accuracy no longer improves: fewer steps, nothing lost. */
static void joint_training_stops_early(void **state)
{
    (void)state;
#define JOINT "stream.joint", "true", "stream.epochs", "60", "optimizer.lr", "0.05"
    eg_record *whole = run_with(WORDS(JOINT));
    eg_record *early = run_with(WORDS(JOINT, "learner", "early_stopping", "learner.patience", "4"));
    double steps = eg_record_value(early, "steps");
    assert_true(steps < 0.7 * eg_record_value(whole, "steps"));
    assert_true(eg_record_value(early, "objective") >= eg_record_value(whole, "objective") - 0.02);
    /* Scoring is work, too. */
    double per_step = eg_record_value(whole, "flops") / eg_record_value(whole, "steps");
    assert_true(eg_record_value(early, "flops") > 1.02 * per_step * steps);
    eg_record_free(whole);
    eg_record_free(early);
}

/** Around a learner that changes nothing, the curve of the learner inside is that of the learner alone. */
static void curves_of_a_learner_inside_are_recorded(void **state)
{
    (void)state;
#define AROUND "learner", "early_stopping", "learner.on", "training", "learner.patience", "0"
#define NOTHING AROUND, "learner.keep", "last"
    eg_record *alone = run_with(WORDS("learner", "ewc"));
    eg_record *inside = run_with(WORDS(NOTHING, "learner.of", "ewc"));
    eg_record *deeper = run_with(WORDS(NOTHING, "learner.of", "reset", "learner.of.of", "ewc"));
    eg_record *members = run_with(WORDS("learner", "ensemble", "learner.of", "ewc"));
    const eg_array *wanted = eg_record_find(alone, "penalty");
    const eg_array *found = eg_record_find(inside, "penalty");
    assert_true(wanted->data[1] > 0);
    assert_int_equal(found->count, wanted->count);
    assert_memory_equal(found->data, wanted->data, wanted->count * sizeof *wanted->data);
    assert_true(eg_record_find(deeper, "penalty")->data[1] > 0);
    assert_null(eg_record_find(members, "penalty"));
    eg_record_free(alone);
    eg_record_free(inside);
    eg_record_free(deeper);
    eg_record_free(members);
}

/** An ensemble predicts better than its members, and costs as much as all of them. */
static void an_ensemble_is_better_than_a_member(void **state)
{
    (void)state;
#define IID "protocol", "test", "stream", "iid", "optimizer.lr", "0.02", "dataset.noise", "1"
    eg_record *alone = run_with(WORDS(IID));
    eg_record *five = run_with(WORDS(IID, "learner", "ensemble", "learner.members", "5"));
    assert_true(eg_record_value(five, "final_accuracy") > eg_record_value(alone, "final_accuracy"));
    assert_close(eg_record_value(five, "flops"), 5 * eg_record_value(alone, "flops"), 1);
    eg_record_free(alone);
    eg_record_free(five);
}

/** Tasks are known by what they are, not by where they come. */
static void tasks_are_recorded_by_identity(void **state)
{
    (void)state;
    eg_record *natural = run_with(WORDS("stream.active", "task"));
    eg_record *ordered =
        run_with(WORDS("stream.active", "task", "stream.task_order", "[3, 0, 4, 1, 2]"));
    eg_record *told = run_with(WORDS("stream", "permuted", "stream.tasks", "2", "stream.task_order",
                                     "[1, 0]", "stream.heads", "task"));
    eg_record *not_told =
        run_with(WORDS("stream", "permuted", "stream.tasks", "2", "stream.task_order", "[1, 0]"));
    const eg_array *identity = eg_record_find(ordered, "task_identity");
    static const double order[] = {3, 0, 4, 1, 2};
    assert_int_equal(identity->count, 5);
    assert_memory_equal(identity->data, order, sizeof order);
    assert_null(eg_record_find(natural, "task_identity"));
    assert_true(eg_record_value(ordered, "task_told") == 1);
    assert_true(eg_record_value(told, "task_told") == 1);
    assert_true(eg_record_value(not_told, "task_told") == 0);
    eg_record_free(natural);
    eg_record_free(ordered);
    eg_record_free(told);
    eg_record_free(not_told);
}

/** Heads are learned at once only from losses over their own outputs: else an example of one task pushes
 *  the outputs of the others down, and what is asked of them at test time is not what was learned. */
static void multi_task_learning(void **state)
{
    (void)state;
#define MULTI TEST, "measures", "[default, online]", "stream.active", "task", "stream.joint", "true"
    eg_record *all = run_with(WORDS(MULTI));
    eg_record *own = run_with(WORDS(MULTI, "stream.joint_loss", "task"));
    eg_record *many = run_with(WORDS(TEST, "dataset.classes", "24", "stream", "omniglot_rotation",
                                     "stream.joint", "true"));
    eg_record *permuted = run_with(WORDS(TEST, "stream", "permuted", "stream.tasks", "3",
                                         "stream.heads", "task", "stream.joint", "true"));
    assert_true(eg_record_value(own, "final_accuracy") > 0.95);
    assert_true(eg_record_value(many, "final_accuracy") > 0.9);
    assert_true(eg_record_value(permuted, "final_accuracy") > 0.9);
    /* Of two classes each, one is right in half of the cases before anything is learned. */
    assert_true(eg_record_find(own, "online_accuracy")->data[0] >
                eg_record_find(all, "online_accuracy")->data[0]);
    assert_true(eg_record_value(own, "mean_online_loss") <
                eg_record_value(all, "mean_online_loss"));
    eg_record_free(all);
    eg_record_free(own);
    eg_record_free(many);
    eg_record_free(permuted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_per_task_are_not_forgotten),
        cmocka_unit_test(tasks_are_recorded_by_identity),
        cmocka_unit_test(multi_task_learning),
        cmocka_unit_test(joint_training_stops_early),
        cmocka_unit_test(curves_of_a_learner_inside_are_recorded),
        cmocka_unit_test(an_ensemble_is_better_than_a_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
