/** What networks that grow take, from settings alone: as many times as at the start in each phase, and operations
 *  near those that trials count. */
#include "testing.h"

#include "engram/learner.h"
#include "engram/trial.h"

#include <stdio.h>

#define STREAM                                                                                     \
    "dataset=synthetic\ndataset.side=8\ndataset.examples=240\ndataset.test_examples=20\n"          \
    "dataset.noise=0.9\nstream=mega_batches\nstream.chunks=6\nstream.epochs=4\nstream.batch=9\n"   \
    "protocol.fraction=0.1\noptimizer=sgdm\noptimizer.lr=0.01\noptimizer.restart=phase\n"
#define MLP                                                                                        \
    "model.hidden=[16,16]\nmodel.activation=relu\nmodel.weight_norm=[]\nmodel.init=uniform\n"
#define VGG                                                                                        \
    "model=vgg\nmodel.blocks=[3,3]\nmodel.width=6\nmodel.bias=false\nmodel.head=conv\n"            \
    "model.init=uniform\nmodel.activation=relu\n"

static eg_settings *settings_of(const char *more)
{
    char text[1200];
    eg_settings *settings = NULL;
    (void)snprintf(text, sizeof text, STREAM "%s", more);
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

/* Worked by hand; of phases 0, 1, 2 and 4. */
static void times_as_much(void **state)
{
    (void)state;
    static const size_t phases[] = {0, 1, 2, 4};
    static const struct {
        const char *learner;
        double train[4], predict[4];
    } cases[] = {
        {"learner=plain\n" MLP, {1, 1, 1, 1}, {1, 1, 1, 1}},
        {"learner=growing_ensemble\nlearner.add=2\nlearner.grow_every=2\n" MLP,
         {1, 1, 1, 1},
         {1, 1, 2, 3}},
        {"learner=growing_mixture\n" MLP, {1, 2, 3, 5}, {1, 2, 3, 5}},
        {"learner=early_stopping\nlearner.of=growing_mixture\nlearner.of.start=copies\n"
         "learner.of.grow_every=2\n" MLP,
         {1, 1, 1.5, 2},
         {1, 1, 1.5, 2}},
        {"learner=growing_ensemble\nlearner.of=growing_mixture\n" MLP,
         {1, 2, 3, 5},
         {1, 2 * 2, 3 * 3, 5 * 5}},
        /* 1.6, 2.2 and 3.4 times as wide */
        {"learner=ensemble\nlearner.of=firefly\n" VGG,
         {1, 2.56, 4.84, 11.56},
         {1, 2.56, 4.84, 11.56}},
        /* before phase 2 (2.2 / 1.6) times as wide, before phase 4 (3.4 / 2.8) times that */
        {"learner=firefly\nlearner.grow_every=2\n" VGG,
         {1, 1, 1.375 * 1.375, 2.787707270},
         {1, 1, 1.375 * 1.375, 2.787707270}},
    };
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        eg_settings *settings = settings_of(cases[c].learner);
        const eg_view root = eg_settings_root(settings);
        for (size_t p = 0; p < EG_COUNT(phases); p++) {
            const eg_learner_growth growth = eg_learner_growth_of(&root, "learner", phases[p]);
            assert_close(growth.train, cases[c].train[p], 1e-8);
            assert_close(growth.predict, cases[c].predict[p], 1e-8);
        }
        eg_settings_free(settings);
    }
}

/* Of width 6 with 3 candidates: before phase 1 the search has 1 + 1 splits, 0.5 + 0.5 new filters in and out, and
 * 0.25 of both: 3.25 times the network, 3 times that twice; and two losses of one 1.6 times as wide. */
static void what_a_search_takes(void **state)
{
    (void)state;
    eg_settings *settings = settings_of("learner=firefly\nlearner.candidates=3\n" VGG);
    const eg_view root = eg_settings_root(settings);
    assert_close(eg_learner_growth_of(&root, "learner", 0).begin, 0, 0);
    assert_close(eg_learner_growth_of(&root, "learner", 1).begin, 6 * 3.25 + 2 * 2.56, 1e-12);
    eg_settings_free(settings);
    settings = settings_of("learner=firefly\nlearner.grow_every=2\n" VGG);
    const eg_view other = eg_settings_root(settings);
    assert_close(eg_learner_growth_of(&other, "learner", 3).begin, 0, 0);
    eg_settings_free(settings);
}

/* Whatever the phases are: all as long as the first, or longer and longer. */
static void cost_is_near_the_count(void **state)
{
    (void)state;
    static const char *const learners[] = {
        "learner=growing_ensemble\nlearner.of=early_stopping\nlearner.of.patience=0\n" MLP,
        "learner=early_stopping\nlearner.patience=0\nlearner.of=growing_mixture\n" MLP,
        ("learner=early_stopping\nlearner.patience=0\nlearner.of=growing_mixture\n"
         "learner.of.start=independent\nlearner.of.grow_every=2\n" MLP),
        ("learner=early_stopping\nlearner.patience=0\nlearner.of=firefly\n"
         "learner.of.candidates=2\n" VGG),
    };
    static const char *const replay[] = {"stream.replay=false\n", "stream.replay=true\n"};
    static const eg_trial_options options = {.objective = "cer"};
    for (size_t c = 0; c < EG_COUNT(learners) * EG_COUNT(replay); c++) {
        char more[600];
        eg_dataset_cache *cache = NULL;
        eg_record *record = NULL;
        double cost = 0;
        (void)snprintf(more, sizeof more, "%s%s", learners[c / 2], replay[c % 2]);
        eg_settings *settings = settings_of(more);
        assert_ok(eg_trial_cost(&cost, settings));
        assert_ok(eg_dataset_cache_create(&cache));
        assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
        const double ratio = cost / eg_record_value(record, "flops");
        if (ratio < 0.8 || ratio > 1.25) {
            fail_msg("%s: %g times what is counted", more, ratio);
        }
        eg_record_free(record);
        eg_dataset_cache_free(cache);
        eg_settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_as_much),
        cmocka_unit_test(what_a_search_takes),
        cmocka_unit_test(cost_is_near_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
