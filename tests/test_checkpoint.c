/** Trials that are stopped and continued leave the same record as those that are not: every learner,
 *  optimizer, stream and network, stopped at every poll. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/activation.h"
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/optimizer.h"
#include "engram/stream.h"

#include <stdio.h>
#include <string.h>

/* What reads tokens needs a stream of them: tests/test_text_trials.c. */
static bool reads_tokens(const eg_component *member)
{
    return strcmp(member->name, "growing_experts") == 0 ||
           strcmp(member->name, "switch_transformer") == 0;
}

static void every_member(const eg_family *family, const char *setting)
{
    for (size_t m = 0; m < family->member_count; m++) {
        const eg_component *member = family->members[m];
        if (reads_tokens(member)) {
            continue;
        }
        saved_scene s = saved_scene_open(saved_settings(setting, member->name));
        saved_scene_interrupt(&s, member->name);
        saved_scene_close(&s);
    }
}

static void every_learner(void **state)
{
    (void)state;
    every_member(&eg_learner_family, "learner");
}

/* Learners around others, where phases end early and at ends of phases that are stopped between members. */
static void learners_around_learners(void **state)
{
    (void)state;
    static const char *const learners[] = {
        "learner=early_stopping\nlearner.patience=1\noptimizer.lr=3\n",
        "learner=ensemble\nlearner.members=2\nlearner.of=ewc\nlearner.of.lambda=1\n",
        ("learner=ensemble\nlearner.members=2\nlearner.of=early_stopping\nlearner.of.patience=1\n"
         "learner.of.keep=best_of_last\nlearner.of.window=2\noptimizer.lr=3\n"),
        ("learner=hare_tortoise\nlearner.momentum=0.8\nlearner.every=2\nlearner.reset=shared\n"
         "learner.of=early_stopping\nlearner.of.patience=1\nmodel.norm=online\n"),
        ("learner=growing_ensemble\nlearner.add=2\nlearner.of=replay\n"
         "measures=[default, units, weights]\n"),
        ("learner=growing_ensemble\nlearner.start=scratch\nlearner.average=votes\n"
         "learner.of=early_stopping\nlearner.of.patience=1\noptimizer.lr=3\n"),
        ("learner=ensemble\nlearner.members=2\nlearner.of=growing_ensemble\n"
         "learner.of.of=redo\nlearner.of.of.period=3\nlearner.of.of.tau=0.7\n"),
        ("learner=early_stopping\nlearner.patience=0\nlearner.last=3\nlearner.of=hare_tortoise\n"
         "learner.of.momentum=0.8\nlearner.of.every=2\noptimizer.lr=3\n"),
        "learner=reset\nlearner.of=early_stopping\nlearner.of.of=mas\nlearner.of.patience=1\n",
        ("learner=early_stopping\nlearner.patience=0\nlearner.last=4\nlearner.of=packnet\n"
         "learner.of.retrain_epochs=2\nstream.active=task\n"),
        ("learner=early_stopping\nlearner.patience=0\nlearner.last=3\nlearner.of=wsn\n"
         "stream.active=task\n"),
        ("learner=early_stopping\nlearner.patience=2\nlearner.of=hat\nmodel.weight_norm=[]\n"
         "stream.active=task\n"),
        ("learner=redo\nlearner.period=3\nlearner.tau=0.7\nlearner.window=16\nlearner.of=l2_init\n"
         "learner.of.of=ensemble\nlearner.of.of.members=2\noptimizer.lr=0.1\n"),
        ("learner=snr\nlearner.threshold=12\nlearner.horizon=30\nlearner.floor=4\n"
         "learner.update_every=20\nlearner.of=weight_clipping\nlearner.of.of=reset\n"
         "optimizer.lr=0.1\n"),
        ("learner=early_stopping\nlearner.patience=3\nlearner.of=redo\nlearner.of.period=2\n"
         "learner.of.fresh=initial\nlearner.of.of=l2_init\nlearner.of.of.target=resample\n"),
    };
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        char text[600];
        eg_settings *settings = NULL;
        (void)snprintf(text, sizeof text,
                       "dataset=synthetic\ndataset.examples=60\ndataset.test_examples=20\n"
                       "stream.batch=8\nstream.tasks=2\nstream.epochs=5\nmodel.hidden=[6]\n"
                       "protocol.fraction=0.3\neval.block=6\noptimizer=sgd\n%s",
                       learners[l]);
        assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
        assert_ok(eg_trial_check(settings));
        saved_scene s = saved_scene_open(settings);
        saved_scene_interrupt(&s, learners[l]);
        saved_scene_close(&s);
    }
}

static void every_optimizer(void **state)
{
    (void)state;
    every_member(&eg_optimizer_family, "optimizer");
    every_member(&eg_schedule_family, "optimizer.schedule");
}

/* Those of a text, which made-up pictures are none of, are in test_perplexity. */
static void every_stream(void **state)
{
    (void)state;
    eg_family of_examples = eg_stream_family;
    const eg_component *members[64];
    of_examples.members = members;
    of_examples.member_count = 0;
    assert_true(eg_stream_family.member_count <= EG_COUNT(members));
    for (size_t m = 0; m < eg_stream_family.member_count; m++) {
        const eg_component *member = eg_stream_family.members[m];
        if (!((const eg_stream_kind *)(const void *)member)->reads_text) {
            members[of_examples.member_count++] = member;
        }
    }
    every_member(&of_examples, "stream");
}

static void every_network(void **state)
{
    (void)state;
    every_member(&eg_model_family, "model");
    every_member(&eg_activation_family, "model.activation");
    static const char *const layers[][2] = {
        {"model.norm", "layer"}, {"model.norm", "online"}, {"model.dropout", "0.3"}};
    for (size_t i = 0; i < EG_COUNT(layers); i++) {
        saved_scene s = saved_scene_open(saved_settings(layers[i][0], layers[i][1]));
        saved_scene_interrupt(&s, layers[i][1]);
        saved_scene_close(&s);
    }
}

/** An evaluation before the first minibatch counts for those who come later. */
static void untrained_first(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings("eval.untrained", "true"));
    eg_record *whole = saved_scene_whole(&s);
    eg_record *record = NULL;
    bool refused = true;
    size_t n = 1;
    /* Nothing to save before the first minibatch. */
    while (s.saves == 0) {
        assert_fails(saved_scene_run(&s, NULL, n++, 0, &record, &refused), EG_STOPPED, "stopped");
    }
    assert_true(n > 3);
    assert_ok(saved_scene_run(&s, &s.saved, ENDLESS, 0, &record, &refused));
    assert_int_equal(s.continued, 1);
    assert_saved_same(whole, record, "untrained", n);
    eg_record_free(record);
    eg_record_free(whole);
    saved_scene_close(&s);
}

/** Stopped at every poll, continued, stopped at the next one, continued …: one minibatch an attempt. */
static void continued_again_and_again(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings("optimizer", "adam"));
    eg_record *whole = saved_scene_whole(&s);
    size_t steps = s.step;
    eg_record *record = NULL;
    eg_writer from = {0};
    size_t attempts = 0;
    size_t last = 1;
    while (record == NULL) {
        bool refused = true;
        size_t step = s.step;
        eg_status status =
            saved_scene_run(&s, attempts == 0 ? NULL : &from, last, 0, &record, &refused);
        assert_true(status.code == EG_STOPPED || status.code == EG_OK);
        /* An evaluation needs several polls, and is made again from its beginning. */
        last = s.step > step || attempts == 0 ? 1 : last + 1;
        eg_writer_reset(&from);
        eg_write_bytes(&from, s.saved.data, s.saved.size);
        attempts++;
    }
    assert_true(attempts > 12);
    assert_int_equal(s.step, steps);
    assert_saved_same(whole, record, "again and again", attempts);
    eg_record_free(whole);
    eg_record_free(record);
    eg_writer_clear(&from);
    saved_scene_close(&s);
}

/** Checkpoints on the way, as often as their cost allows: nothing changes, and the newest one leads to the same end. */
static void saved_on_the_way(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings(NULL, NULL));
    eg_record *whole = saved_scene_whole(&s);
    eg_record *record = NULL;
    bool refused = true;
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 1e-9, &record, &refused));
    assert_true(s.saves >= 1);
    assert_saved_same(whole, record, "saved", 0);
    eg_record_free(record);
    assert_ok(saved_scene_run(&s, &s.saved, ENDLESS, 60, &record, &refused));
    assert_true(s.continued >= 1);
    assert_saved_same(whole, record, "saved", s.continued);
    eg_record_free(record);
    s.saves = 0;
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 0, &record, &refused));
    assert_int_equal(s.saves, 0);
    eg_record_free(record);
    eg_record_free(whole);
    saved_scene_close(&s);
}

/** Where a task ends a sixth of the interval is enough; what saving costs bounds how often it is done. */
static void saved_in_time(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings(NULL, NULL));
    eg_record *record = NULL;
    bool refused = true;
    s.slow_step = 0.1;
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 6 * s.slow_step, &record, &refused));
    eg_record_free(record);
    assert_true(s.saves >= 1);
    s.saves = 0;
    s.slow_step = 0;
    s.slow_save = 0.2; /* the next one 20 s later */
    assert_ok(saved_scene_run(&s, NULL, ENDLESS, 1e-9, &record, &refused));
    eg_record_free(record);
    assert_int_equal(s.saves, 1);
    saved_scene_close(&s);
}

/** A diverging trial diverges at the same minibatch. */
static void divergence_is_the_same(void **state)
{
    (void)state;
    saved_scene s = saved_scene_open(saved_settings("optimizer.lr", "1e38"));
    eg_record *whole = saved_scene_whole(&s);
    assert_int_equal(eg_record_status(whole), EG_TRIAL_DIVERGED);
    eg_record *record = NULL;
    bool refused = true;
    assert_fails(saved_scene_run(&s, NULL, 1, 0, &record, &refused), EG_STOPPED, "minibatch 1 of");
    assert_ok(saved_scene_run(&s, &s.saved, ENDLESS, 0, &record, &refused));
    assert_saved_same(whole, record, "diverged", 1);
    eg_record_free(record);
    eg_record_free(whole);
    saved_scene_close(&s);
}

/** Fails the 1st, 2nd … allocation of a trial that is continued and stopped again: a clean error or a
 *  checkpoint that says there was no memory for it, never a leak. */
static void paused(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_learner_family.member_count; m++) {
        const eg_component *member = eg_learner_family.members[m];
        if (reads_tokens(member)) {
            continue;
        }
        saved_scene s = saved_scene_open(saved_settings("learner", member->name));
        saved_scene_pause(&s, member->name);
        saved_scene_close(&s);
    }
}

static void out_of_memory(void **state)
{
    (void)state;
    saved_scene s = saved_scene_stopped(12);
    eg_writer from = {0};
    eg_write_bytes(&from, s.saved.data, s.saved.size);
    bool done = false;
    bool missed = false;
    for (size_t n = 1; n < 10000 && !done; n++) {
        eg_record *record = NULL;
        bool refused = false;
        size_t live = eg_memory_live_blocks();
        s.no_memory = false;
        eg_memory_fail_after(n);
        eg_status status = saved_scene_run(&s, &from, 3, 0, &record, &refused);
        eg_memory_fail_after(0);
        assert_true(status.code == EG_MEMORY || status.code == EG_STOPPED);
        assert_false(refused);
        assert_null(record);
        missed = missed || s.no_memory;
        done = status.code == EG_STOPPED && !s.no_memory;
        assert_int_equal(eg_memory_live_blocks(), live);
    }
    assert_true(done && missed);
    eg_writer_clear(&from);
    saved_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_learner),
        cmocka_unit_test(learners_around_learners),
        cmocka_unit_test(every_optimizer),
        cmocka_unit_test(every_stream),
        cmocka_unit_test(every_network),
        cmocka_unit_test(untrained_first),
        cmocka_unit_test(continued_again_and_again),
        cmocka_unit_test(saved_on_the_way),
        cmocka_unit_test(saved_in_time),
        cmocka_unit_test(divergence_is_the_same),
        cmocka_unit_test(paused),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
