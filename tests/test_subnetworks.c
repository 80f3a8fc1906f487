/** What all learners have to keep whose tasks use parts of one network: old tasks predict the same bits, whatever
 *  momentum and weight decay do; checkpoints and files of weights hold all there is. */
#include "subnetwork_scene.h"

/* Learners, with settings that make all of them do something. */
static const char *const learners[][9] = {
    {"learner", "packnet", "learner.prune", "0.6", "learner.retrain_epochs", "1", NULL},
    {"learner", "wsn", "learner.share", "0.4", NULL},
    {"learner", "wsn", "learner.share", "0.4", "learner.rank", "magnitude", NULL},
    {"learner", "hat", "learner.s_max", "50", "learner.lambda", "0.5", NULL},
    {"learner", "progressive", "learner.first", "0.4", NULL},
};

/* Those whose old tasks stay to the last bit. */
static bool keeps_bits(const char *const *words)
{
    return strcmp(words[1], "hat") != 0;
}

static void old_tasks_predict_the_same(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        eg_real then[2][SUBNETWORK_TEST];
        eg_real now[SUBNETWORK_TEST];
        scene_create(&s);
        for (size_t phase = 0; phase < 3 && keeps_bits(learners[v]); phase++) {
            subnetwork_learn(&s, phase);
            for (size_t t = 0; t < phase; t++) {
                size_t count = subnetwork_scores(&s, t, now);
                assert_memory_equal(now, then[t], count * sizeof *now);
            }
            if (phase < 2) {
                (void)subnetwork_scores(&s, phase, then[phase]);
            }
        }
        scene_close(&s);
    }
}

/* An evaluation between steps changes nothing. */
static void evaluations_change_nothing(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        eg_real end[2][SUBNETWORK_TEST];
        for (int looks = 0; looks < 2; looks++) {
            learner_scene s = subnetwork_open(learners[v]);
            scene_create(&s);
            subnetwork_learn(&s, 0);
            for (size_t step = 0; step < eg_stream_steps(s.stream, 1); step++) {
                subnetwork_steps(&s, 1, step, step + 1);
                for (size_t t = 0; t < 3 && looks == 1; t++) {
                    (void)subnetwork_scores(&s, t, end[1]);
                }
            }
            (void)subnetwork_scores(&s, 1, end[looks]);
            scene_close(&s);
        }
        assert_memory_equal(end[0], end[1], 20 * sizeof **end);
    }
}

/* Written at any minibatch of any phase, and read into a new learner: the same bits at the end. */
static void checkpoints_hold_everything(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene whole = subnetwork_open(learners[v]);
        learner_scene cut = subnetwork_open(learners[v]);
        scene_create(&whole);
        scene_create(&cut);
        for (size_t phase = 0; phase < 3; phase++) {
            size_t steps = eg_stream_steps(cut.stream, phase);
            subnetwork_learn(&whole, phase);
            for (size_t step = 0; step < steps; step++) {
                subnetwork_steps(&cut, phase, step, step + 1);
                scene_replace(&cut);
            }
        }
        for (size_t t = 0; t < 3; t++) {
            eg_real a[SUBNETWORK_TEST];
            eg_real b[SUBNETWORK_TEST];
            size_t count = subnetwork_scores(&whole, t, a);
            (void)subnetwork_scores(&cut, t, b);
            assert_memory_equal(a, b, count * sizeof *a);
        }
        const eg_subnetwork *left = subnetwork_of(&whole);
        const eg_subnetwork *right = subnetwork_of(&cut);
        assert_memory_equal(left->raw, right->raw,
                            scene_net(&whole)->param_count * sizeof *left->raw);
        scene_close(&whole);
        scene_close(&cut);
    }
}

/* Numbers that do not fit are refused, whatever is cut off. */
static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        eg_writer writer = {0};
        scene_create(&s);
        subnetwork_learn(&s, 0);
        s.learner->ops->write(s.learner, &writer);
        for (size_t size = 0; size < writer.size; size += 97) {
            eg_reader reader = eg_reader_make(writer.data, size);
            eg_learner_free(s.learner);
            scene_create(&s);
            eg_status status = s.learner->ops->read(s.learner, &reader);
            status = status.code == EG_OK ? eg_reader_status(&reader, true) : status;
            assert_int_equal(status.code, EG_INVALID);
        }
        eg_writer_clear(&writer);
        scene_close(&s);
    }
}

static void pass_again(const learner_scene *s, eg_weights *weights, bool into_learner)
{
    eg_weights_pass pass = {.weights = weights, .into_learner = into_learner, .again = true};
    assert_ok(eg_learner_weights(s->learner, &pass));
}

/* Weights of a learner, in the middle of a phase or at its end, make another one predict the same, and may come back
 * into the one they are from. */
static void weights_go_out_and_in(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        learner_scene other = subnetwork_open(learners[v]);
        eg_real before[3][SUBNETWORK_TEST];
        eg_real after[SUBNETWORK_TEST];
        eg_weights weights = {0};
        size_t count = 0;
        scene_create(&s);
        scene_create(&other);
        subnetwork_learn(&s, 0);
        subnetwork_learn(&s, 1);
        for (size_t t = 0; t < 2; t++) {
            count = subnetwork_scores(&s, t, before[t]);
        }
        assert_ok(eg_learner_get_weights(&weights, s.learner));
        assert_ok(eg_learner_set_weights(other.learner, &weights));
        /* The other one has only begun. */
        subnetwork_steps(&s, 2, 0, 2);
        for (size_t t = 0; t < 2; t++) {
            (void)subnetwork_scores(&other, t, after);
            assert_memory_equal(before[t], after, count * sizeof *after);
        }
        eg_weights_clear(&weights);
        /* In a phase. */
        subnetwork_steps(&s, 2, 2, 4);
        (void)subnetwork_scores(&s, 2, before[2]);
        for (size_t t = 0; t < 2; t++) {
            (void)subnetwork_scores(&s, t, before[t]);
        }
        pass_again(&s, &weights, false);
        subnetwork_steps(&s, 2, 4, eg_stream_steps(s.stream, 2));
        (void)subnetwork_scores(&s, 2, after);
        assert_memory_not_equal(before[2], after, count * sizeof *after);
        pass_again(&s, &weights, true);
        for (size_t t = 0; t < 3; t++) {
            (void)subnetwork_scores(&s, t, after);
            assert_memory_equal(before[t], after, count * sizeof *after);
        }
        eg_weights_clear(&weights);
        scene_close(&s);
        scene_close(&other);
    }
}

/* What belongs to a task is taken away: the others predict the same. */
static void a_forgotten_task_leaves_the_others(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        learner_scene other = subnetwork_open(learners[v]);
        eg_weights weights = {0};
        scene_create(&s);
        scene_create(&other);
        for (size_t phase = 0; phase < 3; phase++) {
            subnetwork_learn(&s, phase);
        }
        assert_ok(eg_learner_get_weights(&weights, s.learner));
        size_t kept = 0;
        for (size_t i = 0; i < weights.count; i++) {
            if (strncmp(weights.arrays[i].name, "task001/", 8) == 0) {
                eg_free(weights.arrays[i].values);
            } else {
                weights.arrays[kept++] = weights.arrays[i];
            }
        }
        bool has_arrays = strcmp(learners[v][1], "progressive") != 0;
        assert_true((kept < weights.count) == has_arrays);
        weights.count = kept;
        assert_ok(eg_learner_set_weights(other.learner, &weights));
        for (size_t t = 0; t < 3; t += 2) {
            eg_real a[SUBNETWORK_TEST];
            eg_real b[SUBNETWORK_TEST];
            size_t count = subnetwork_scores(&s, t, a);
            (void)subnetwork_scores(&other, t, b);
            assert_memory_equal(a, b, count * sizeof *a);
        }
        eg_weights_clear(&weights);
        scene_close(&s);
        scene_close(&other);
    }
}

/* Two tasks, one after the other, with units that cannot die: losses become small. */
static void they_learn(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        const char *words[SCENE_SETTINGS] = {"model.activation", "tanh"};
        memcpy(words + 2, learners[v], sizeof learners[v]);
        learner_scene s = subnetwork_open(words);
        double first = 0;
        double last = 0;
        scene_create(&s);
        for (size_t phase = 0; phase < 2; phase++) {
            size_t steps = eg_stream_steps(s.stream, phase);
            assert_ok(s.learner->ops->begin_phase(s.learner, phase));
            for (size_t round = 0; round < 40; round++) {
                for (size_t step = 0; step < steps; step++) {
                    double loss = scene_step(&s, phase, step);
                    first = round == 0 && step == 0 ? loss : first;
                    last = loss;
                }
            }
            scene_end(&s, phase);
            assert_true(last < 0.5 * first);
        }
        scene_close(&s);
    }
}

/* One that is frozen predicts, is written, and is read into one that is frozen. */
static void frozen_ones_predict(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        eg_real before[SUBNETWORK_TEST];
        eg_real after[SUBNETWORK_TEST];
        eg_writer writer = {0};
        scene_create(&s);
        subnetwork_learn(&s, 0);
        subnetwork_learn(&s, 1);
        size_t count = subnetwork_scores(&s, 0, before);
        eg_learner_freeze(s.learner);
        (void)subnetwork_scores(&s, 0, after);
        assert_memory_equal(before, after, count * sizeof *after);
        s.learner->ops->write(s.learner, &writer);
        eg_learner_free(s.learner);
        scene_create(&s);
        eg_learner_freeze(s.learner);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_ok(s.learner->ops->read(s.learner, &reader));
        assert_ok(eg_reader_status(&reader, true));
        (void)subnetwork_scores(&s, 0, after);
        assert_memory_equal(before, after, count * sizeof *after);
        eg_writer_clear(&writer);
        scene_close(&s);
    }
}

static void a_task_has_to_be_told(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        learner_scene s = subnetwork_open(learners[v]);
        eg_real scores[SCENE_BATCH * SCENE_CLASSES];
        eg_batch batch;
        scene_create(&s);
        eg_cursor_get(s.cursor, 0, 0, &batch);
        batch.task = EG_NO_TASK;
        assert_fails(s.learner->ops->predict(s.learner, &batch, scores), EG_INVALID,
                     "do not say of which");
        scene_close(&s);
    }
}

/* Networks whose layers remember something of all tasks. */
static void running_averages_are_refused(void **state)
{
    (void)state;
    for (size_t v = 0; v < EG_COUNT(learners); v++) {
        const char *words[SCENE_SETTINGS] = {"model.norm", "online"};
        memcpy(words + 2, learners[v], sizeof learners[v]);
        learner_scene s = subnetwork_open(words);
        s.setup.root = &s.root;
        assert_fails(eg_trial_check(s.root.settings), EG_INVALID, "model.norm = online");
        assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "running averages");
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_tasks_predict_the_same),
        cmocka_unit_test(evaluations_change_nothing),
        cmocka_unit_test(checkpoints_hold_everything),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(weights_go_out_and_in),
        cmocka_unit_test(a_forgotten_task_leaves_the_others),
        cmocka_unit_test(they_learn),
        cmocka_unit_test(frozen_ones_predict),
        cmocka_unit_test(a_task_has_to_be_told),
        cmocka_unit_test(running_averages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
