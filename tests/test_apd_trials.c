/** Whole trials with additive parameter decomposition, interrupted everywhere. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/learner.h"
#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SMALL                                                                                      \
    "dataset=synthetic\ndataset.classes=8\ndataset.side=4\ndataset.examples=60\n"                  \
    "dataset.test_examples=24\nstream=split\nstream.tasks=4\nstream.active=task\n"                 \
    "stream.batch=6\nstream.epochs=2\nmodel=mlp\nmodel.hidden=[6]\nmodel.bias=true\n"              \
    "model.weight_norm=[]\neval.block=4\noptimizer=adam\noptimizer.lr=0.01\n"                      \
    "measures=[default, capacity]\nlearner.lambda1=0.01\n"

static eg_settings *settings_of(const char *more)
{
    eg_settings *settings = NULL;
    char text[1200];
    (void)snprintf(text, sizeof text, "%s%s", SMALL, more);
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

static void interrupted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "learner=apd\nlearner.consolidate_every=2\nlearner.centroids=1\nlearner.beta=0.05\n",
        "learner=apd\nlearner.retroactive=false\n"
        "optimizer.schedule=epochs\noptimizer.schedule.period=1\n",
        "learner=apd\nlearner.first_task=plain\noptimizer.clip_norm=1\nlearner.tau_start=zero\n",
    };
    for (size_t t = 0; t < EG_COUNT(texts); t++) {
        saved_scene s = saved_scene_open(settings_of(texts[t]));
        saved_scene_interrupt(&s, texts[t]);
        saved_scene_pause(&s, texts[t]);
        saved_scene_close(&s);
    }
}

/* Twenty tasks of a small LeNet: stopped at every minibatch and evaluation, with all tasks that there are
 * until then in the checkpoint. */
static void twenty_tasks_interrupted(void **state)
{
    (void)state;
    static const char text[] =
        "dataset=synthetic\ndataset.classes=40\ndataset.side=8\ndataset.channels=3\n"
        "dataset.examples=160\ndataset.test_examples=40\nstream=split\nstream.tasks=20\n"
        "stream.active=task\nstream.batch=4\nprotocol=test\neval.tasks=current\n"
        "model=lenet\nmodel.filters=[2, 3]\nmodel.hidden=[6, 5]\noptimizer=adam\n"
        "optimizer.lr=0.01\nmeasures=[default, capacity]\nlearner=apd\nlearner.lambda1=0.01\n"
        "learner.consolidate_every=5\nlearner.centroids=2\nlearner.beta=0.05\n";
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    saved_scene s = saved_scene_open(settings);
    saved_scene_interrupt(&s, "20 tasks");
    saved_scene_close(&s);
}

/* The measure and the learner's own curves, after every task and evaluation. */
static void curves(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(
        settings_of("learner=apd\nlearner.consolidate_every=2\nlearner.centroids=1\n"
                    "learner.beta=0.5\n"));
    eg_record *record = saved_scene_whole(&s);
    const double *capacity = eg_record_find(record, "capacity")->data;
    const eg_array *program = eg_record_find(record, "capacity_program");
    const eg_array *sparsity = eg_record_find(record, "tau_sparsity");
    const eg_array *group = eg_record_find(record, "task_group");
    size_t evals = eg_trial_evaluations(record);
    assert_int_equal(program->count, evals);
    assert_int_equal(sparsity->count, evals * 4);
    assert_int_equal(group->count, evals * 4);
    for (size_t t = 0; t < 4; t++) {
        assert_true(capacity[t] > 100 && capacity[t] < 100 * (double)(t + 2));
        assert_in_range(sparsity->data[(evals - 1) * 4 + t] * 100, 0, 100);
        assert_true(group->data[(evals - 1) * 4 + t] >= -1);
    }
    assert_true(program->data[evals - 1] > 100);
    /* Tasks that have not come have neither. */
    assert_true(isnan(sparsity->data[3]) != 0 && isnan(group->data[3]) != 0);
    eg_record_free(record);
    saved_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted),
        cmocka_unit_test(twenty_tasks_interrupted),
        cmocka_unit_test(curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
