/** Learners around other learners: ensembles, early stopping. On a small made-up stream
 *  of three tasks. */
#include "learner_scene.h"

#include "engram/random.h"

#include <math.h>
#include <string.h>

enum { SEED = 4 };

static void begin(learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
}

static eg_net *net_of(const learner_scene *s, size_t index)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, index, &network));
    return network.net;
}

static void predict(learner_scene *s, const eg_batch *batch, eg_real *scores)
{
    assert_ok(s->learner->ops->predict(s->learner, batch, scores));
}

/* Two phases, from begin to end. */
static void learn_two(learner_scene *s)
{
    for (size_t phase = 0; phase < 2; phase++) {
        begin(s, phase);
        scene_learn(s, phase);
    }
}

/* Ensembles -------------------------------------------------------------------------------------- */

static void an_ensemble_of_one_is_its_member(void **state)
{
    (void)state;
    learner_scene one =
        scene_open(SCENE("learner", "ensemble", "learner.members", "1", "learner.of", "ewc"), SEED);
    learner_scene alone = scene_open(SCENE("learner", "ewc"), SEED);
    scene_create(&one);
    scene_create(&alone);
    learn_two(&one);
    learn_two(&alone);
    eg_real a[SCENE_BATCH * SCENE_CLASSES];
    eg_real b[SCENE_BATCH * SCENE_CLASSES];
    eg_batch batch;
    eg_cursor_get(one.cursor, 2, 0, &batch);
    predict(&one, &batch, a);
    predict(&alone, &batch, b);
    assert_memory_equal(a, b, sizeof a);
    scene_close(&one);
    scene_close(&alone);
}

/* y [n] <- softmax(y) */
static void soften(size_t n, eg_real *y)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        sum += exp((double)y[j]);
    }
    for (size_t j = 0; j < n; j++) {
        y[j] = (eg_real)(exp((double)y[j]) / sum);
    }
}

/* Member m is the learner alone with the seed and the order of examples of member m. */
static void members_go_their_own_ways(void **state)
{
    (void)state;
    enum { MEMBERS = 3 };
    learner_scene s = scene_open(SCENE("learner", "ensemble"), SEED);
    scene_create(&s);
    learn_two(&s);
    eg_real mean[SCENE_BATCH * SCENE_CLASSES] = {0};
    eg_real got[SCENE_BATCH * SCENE_CLASSES];
    eg_batch batch;
    for (size_t m = 0; m < MEMBERS; m++) {
        learner_scene alone = scene_open(SCENE("learner", "plain"), SEED);
        eg_cursor_close(alone.cursor);
        assert_ok(eg_cursor_open(&alone.cursor, alone.stream,
                                 &(eg_cursor_setup){.member = m, .trains = true}));
        alone.setup.seed = eg_member_seed(SEED, m);
        scene_create(&alone);
        learn_two(&alone);
        const eg_net *member = net_of(&s, m);
        assert_memory_equal(member->params, net_of(&alone, 0)->params,
                            member->param_count * sizeof *member->params);
        eg_cursor_get(s.cursor, 2, 0, &batch);
        predict(&alone, &batch, got);
        for (size_t b = 0; b < batch.size; b++) {
            soften(SCENE_CLASSES, got + b * SCENE_CLASSES);
        }
        for (size_t k = 0; k < batch.size * SCENE_CLASSES; k++) {
            mean[k] += got[k] / MEMBERS;
        }
        scene_close(&alone);
    }
    predict(&s, &batch, got);
    for (size_t k = 0; k < batch.size * SCENE_CLASSES; k++) {
        assert_close(got[k], mean[k], 1e-6);
    }
    assert_memory_not_equal(net_of(&s, 0)->params, net_of(&s, 1)->params, 16 * sizeof(eg_real));
    scene_close(&s);
}

/* Weights leave an ensemble and come into another one, in a group per member. */
static void weights_of_an_ensemble(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE("learner", "ensemble"), SEED);
    learner_scene other = scene_open(SCENE("learner", "ensemble"), SEED + 1);
    scene_create(&s);
    scene_create(&other);
    learn_two(&s);
    eg_weights weights = {0};
    assert_ok(eg_learner_get_weights(&weights, s.learner));
    assert_non_null(eg_weights_find(&weights, "member2/network/layer1.weight"));
    assert_ok(eg_learner_set_weights(other.learner, &weights));
    eg_weights_clear(&weights);
    eg_real a[SCENE_BATCH * SCENE_CLASSES];
    eg_real b[SCENE_BATCH * SCENE_CLASSES];
    eg_batch batch;
    eg_cursor_get(s.cursor, 2, 0, &batch);
    predict(&s, &batch, a);
    predict(&other, &batch, b);
    assert_memory_equal(a, b, sizeof a);
    scene_close(&s);
    scene_close(&other);
}

/* Early stopping --------------------------------------------------------------------------------- */

static double held_out_accuracy(learner_scene *s, eg_cursor *cursor, size_t task)
{
    size_t count = eg_stream_count(s->stream, EG_SUBSET_VALIDATION, task);
    eg_real scores[SCENE_CLASSES * 50];
    eg_batch batch;
    size_t correct = 0;
    assert_in_range(count, 1, 50);
    eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, task, 0, count, &batch);
    predict(s, &batch, scores);
    for (size_t b = 0; b < count; b++) {
        const eg_real *y = scores + b * SCENE_CLASSES;
        size_t best = 0;
        for (size_t j = 1; j < SCENE_CLASSES; j++) {
            best = y[j] > y[best] ? j : best;
        }
        correct += best == batch.label[b] ? 1 : 0;
    }
    return (double)correct / (double)count;
}

/* A rate so high that accuracy goes up and down: the phase ends when it has not improved for three
 * epochs, with the parameters of the epoch that was the best. */
static void a_phase_ends_with_its_best_parameters(void **state)
{
    (void)state;
    enum { EPOCHS = 40, PATIENCE = 3 };
    learner_scene s =
        scene_open(SCENE("learner", "early_stopping", "learner.patience", "3", "stream.epochs",
                         "40", "optimizer.lr", "3", "dataset.noise", "1"),
                   SEED);
    scene_close_stream(&s);
    assert_ok(eg_stream_create(&s.stream, &s.root, s.dataset, SEED, 0.4));
    assert_ok(eg_cursor_open(&s.cursor, s.stream, &(eg_cursor_setup){.trains = true}));
    s.setup.stream = s.stream;
    scene_create(&s);
    eg_cursor *held_out = NULL;
    assert_ok(eg_cursor_open(&held_out, s.stream, &(eg_cursor_setup){.block = 50}));
    eg_net *net = net_of(&s, 0);
    size_t steps = eg_stream_phase(s.stream, 0).steps;
    eg_real *best = NULL;
    assert_ok(eg_alloc(&best, net->param_count, sizeof *best));
    double accuracy = -1;
    size_t waited = 0;
    bool enough = false;
    size_t epoch = 0;
    begin(&s, 0);
    for (; epoch < EPOCHS && !enough; epoch++) {
        for (size_t k = 0; k < steps; k++) {
            (void)scene_step(&s, 0, epoch * steps + k);
        }
        double now = held_out_accuracy(&s, held_out, 0);
        waited = now > accuracy ? 0 : waited + 1;
        if (now > accuracy) {
            accuracy = now;
            memcpy(best, net->params, net->param_count * sizeof *best);
        }
        assert_ok(s.learner->ops->end_epoch(s.learner, 0, epoch, &enough));
        assert_true(enough == (waited == PATIENCE));
    }
    assert_in_range(epoch, PATIENCE + 1, EPOCHS - 1);
    assert_memory_not_equal(net->params, best, net->param_count * sizeof *best);
    scene_end(&s, 0);
    assert_memory_equal(net->params, best, net->param_count * sizeof *best);
    eg_free(best);
    eg_cursor_close(held_out);
    scene_close(&s);
}

static void refusals(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE("learner", "early_stopping"), SEED);
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "held-out");
    assert_ok(eg_trial_check(s.settings)); /* protocol validation has held-out examples */
    scene_close(&s);
    s = scene_open(SCENE("learner", "ensemble", "learner.of", "early_stopping", "protocol", "test"),
                   SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "use protocol = validation");
    scene_close(&s);
    s = scene_open(SCENE("learner", "reset", "learner.of", "flymodel"), SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "flymodel has no network");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ensemble_of_one_is_its_member),
        cmocka_unit_test(members_go_their_own_ways),
        cmocka_unit_test(weights_of_an_ensemble),
        cmocka_unit_test(a_phase_ends_with_its_best_parameters),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
