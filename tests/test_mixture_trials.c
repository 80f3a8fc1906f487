/** Trials of growing mixtures of experts that are stopped and continued leave the same record as those
 *  that are not. */
#include "saved_trials.h"
#include "testing.h"

#include <stdio.h>
#include <string.h>

/* Whole trials, stopped at every poll: between and within phases that grow, with early stopping around,
 * images with batch normalisation, hard gates, members of ensembles, and frozen ones. */
static void trials_are_interrupted(void **state)
{
    (void)state;
    static const char *const learners[] = {
        "learner=growing_mixture\n",
        "learner=growing_mixture\nlearner.gate=hard\nlearner.start=copies\nmodel.dropout=0.2\n",
        "learner=early_stopping\nlearner.patience=1\nlearner.of=growing_mixture\noptimizer.lr=1\n",
        ("learner=early_stopping\nlearner.keep=best_of_last\nlearner.window=2\n"
         "learner.of=growing_mixture\nstream.replay=true\n"),
        ("learner=ensemble\nlearner.members=2\nlearner.of=early_stopping\nlearner.of.patience=1\n"
         "learner.of.of=growing_mixture\n"),
        ("learner=growing_ensemble\nlearner.of=early_stopping\n"
         "learner.of.of=growing_mixture\n"),
        ("learner=early_stopping\nlearner.of=growing_mixture\nmodel=vgg\nmodel.width=2\n"
         "model.blocks=[1, 1]\ndataset.side=16\n"),
    };
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        char text[600];
        eg_settings *settings = NULL;
        bool images = strstr(learners[l], "vgg") != NULL;
        (void)snprintf(
            text, sizeof text,
            "dataset=synthetic\ndataset.examples=60\ndataset.test_examples=10\n"
            "stream=mega_batches\nstream.chunks=3\nstream.batch=8\nstream.epochs=2\n%s"
            "protocol=validation\nprotocol.fraction=0.3\neval.block=4\noptimizer=sgdm\n%s",
            images ? "" : "model.hidden=[4, 3]\n", learners[l]);
        assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
        assert_ok(eg_trial_check(settings));
        saved_scene s = saved_scene_open(settings);
        saved_scene_interrupt(&s, learners[l]);
        saved_scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_are_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
