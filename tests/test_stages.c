/** Training of a stage of mega-batches: epochs that early stopping ends, what measure stages says of them,
 *  and that a trial goes on with the same bits wherever it was stopped, whatever happens at the start of a
 *  stage. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/memory.h"

#include <math.h>
#include <stdio.h>

enum { EPOCHS = 6, CHUNKS = 5, WAIT = 2, STAGES = 3 };

/* 100 examples in 5 chunks of 20, of which 4 are held out: stages of 32, 32 and 16 examples. */
static eg_settings *settings_of(const char *more)
{
    char text[900];
    eg_settings *settings = NULL;
    (void)snprintf(text, sizeof text,
                   "dataset=synthetic\ndataset.examples=100\ndataset.test_examples=20\n"
                   "dataset.side=6\ndataset.noise=0.3\nstream=mega_batches\nstream.chunks=5\n"
                   "stream.wait=2\nstream.batch=9\nstream.epochs=6\nmodel.hidden=[16]\n"
                   "model.activation=relu\nmodel.init=uniform\nmodel.weight_norm=[]\n"
                   "protocol.fraction=0.2\noptimizer=sgdm\noptimizer.lr=0.03\n"
                   "optimizer.restart=phase\nmeasures=[default, stages]\n%s",
                   more);
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

/* Of member m in stage s: epochs as early stopping would have made them from the scores. */
static void assert_stage(const eg_record *record, size_t members, size_t s, size_t m,
                         size_t patience, double delta)
{
    const eg_array *used = eg_record_find(record, "epochs_used");
    const eg_array *scores = eg_record_find(record, "epoch_score");
    size_t row = s * members + m;
    size_t epochs = (size_t)used->data[row];
    double best = -1;
    size_t waited = 0;
    assert_in_range(epochs, 1, EPOCHS);
    for (size_t e = 0; e < EPOCHS; e++) {
        double score = scores->data[row * EPOCHS + e];
        assert_true(e < epochs ? score >= 0 && score <= 1 : isnan(score));
        if (e >= epochs) {
            continue;
        }
        waited = score > best + delta ? 0 : waited + 1;
        best = score > best + delta ? score : best;
        assert_true((waited == patience || e + 1 == EPOCHS) == (e + 1 == epochs));
    }
}

static void stages_are_recorded(void **state)
{
    (void)state;
    saved_scene s =
        saved_scene_open(settings_of("learner=early_stopping\nlearner.keep=improved\nlearner."
                                     "patience=2\nlearner.delta=0.001\n"));
    eg_record *record = saved_scene_whole(&s);
    const eg_array *end = eg_record_find(record, "stage_end");
    static const double ends[STAGES] = {2, 4, 5};
    static const size_t steps[STAGES] = {4, 4, 2};
    const eg_array *used = eg_record_find(record, "epochs_used");
    assert_int_equal(eg_record_find(record, "epoch_score")->count, STAGES * EPOCHS);
    assert_int_equal(eg_record_find(record, "accuracy_matrix")->count, STAGES);
    double total = 0;
    for (size_t i = 0; i < STAGES; i++) {
        assert_close(end->data[i], ends[i], 0);
        assert_stage(record, 1, i, 0, 2, 0.001);
        total += used->data[i] * (double)steps[i];
    }
    assert_close(eg_record_value(record, "steps"), total, 0);
    assert_true(total < EPOCHS * (4 + 4 + 2));
    assert_true(isfinite(eg_record_value(record, "final_accuracy")));
    assert_true(isfinite(eg_record_value(record, "objective")));
    eg_record_free(record);
    saved_scene_close(&s);
}

/* Members of an ensemble end a stage by themselves. */
static void members_have_numbers_of_their_own(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(
        settings_of("learner=ensemble\nlearner.members=2\nlearner.of=early_stopping\n"
                    "learner.of.patience=1\n"));
    eg_record *record = saved_scene_whole(&s);
    size_t differ = 0;
    for (size_t i = 0; i < STAGES; i++) {
        for (size_t m = 0; m < 2; m++) {
            assert_stage(record, 2, i, m, 1, 0);
        }
        const double *used = eg_record_find(record, "epochs_used")->data + 2 * i;
        differ += used[0] != used[1] ? 1 : 0;
    }
    assert_true(differ > 0);
    eg_record_free(record);
    saved_scene_close(&s);
}

/* Without early stopping every epoch is made, and nothing is scored. */
static void without_early_stopping(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(settings_of("learner=plain\n"));
    eg_record *record = saved_scene_whole(&s);
    for (size_t i = 0; i < STAGES; i++) {
        assert_close(eg_record_find(record, "epochs_used")->data[i], EPOCHS, 0);
    }
    const eg_array *scores = eg_record_find(record, "epoch_score");
    for (size_t i = 0; i < scores->count; i++) {
        assert_true(isnan(scores->data[i]));
    }
    eg_record_free(record);
    saved_scene_close(&s);
}

#define STOPPING(of)                                                                               \
    of "=early_stopping\n" of ".keep=improved\n" of ".patience=2\n" of ".delta=0.001\n"

/* Fine-tuned, restarted, shrunk and perturbed at the start of a stage; with replay; an ensemble. */
static const char *const methods[] = {
    STOPPING("learner"),
    STOPPING("learner") "stream.replay=true\n",
    "learner=retrained\nstream.replay=true\n" STOPPING("learner.of"),
    "learner=shrink_perturb\nlearner.when=task\nlearner.noise=init\nlearner.shrink=0.4\n"
    "learner.sigma=0.1\n" STOPPING("learner.of"),
    "learner=ensemble\nlearner.members=2\n" STOPPING("learner.of"),
};

static void continued_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < EG_COUNT(methods); i++) {
        saved_scene s = saved_scene_open(settings_of(methods[i]));
        saved_scene_interrupt(&s, methods[i]);
        saved_scene_pause(&s, methods[i]);
        saved_scene_close(&s);
    }
}

/* Restarted in every stage with replay, the last stage is that of all chunks together but for its keys:
 * its parameters do not come from the stage before. Perturbed and fine-tuned ones are different. */
static void starts_of_stages_differ(void **state)
{
    (void)state;
    eg_record *record[EG_COUNT(methods)];
    for (size_t i = 0; i < EG_COUNT(methods); i++) {
        saved_scene s = saved_scene_open(settings_of(methods[i]));
        record[i] = saved_scene_whole(&s);
        saved_scene_close(&s);
    }
    for (size_t i = 1; i < 4; i++) {
        /* The first stage is the same whatever happens at the starts of others. */
        for (size_t e = 0; e < EPOCHS; e++) {
            double a = eg_record_find(record[0], "epoch_score")->data[e];
            double b = eg_record_find(record[i], "epoch_score")->data[e];
            assert_true((isnan(a) && isnan(b)) || a == b);
        }
        assert_true(eg_array_difference(eg_record_find(record[0], "epoch_score"),
                                        eg_record_find(record[i], "epoch_score")) != SIZE_MAX);
    }
    for (size_t i = 0; i < EG_COUNT(methods); i++) {
        eg_record_free(record[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_are_recorded),
        cmocka_unit_test(members_have_numbers_of_their_own),
        cmocka_unit_test(without_early_stopping),
        cmocka_unit_test(continued_everywhere),
        cmocka_unit_test(starts_of_stages_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
