/** Growing ensembles: what members are, who learns, and what is saved. On a small made-up stream of three
 *  tasks. */
#include "growing_scene.h"

#include "engram/random.h"

#include <math.h>
#include <string.h>

enum { SEED = 4, PHASES = 3 };

/* Networks with everything that has a state or draws: dropout, running statistics, two moments. */
#define NETWORK                                                                                    \
    "model.hidden", "[5]", "model.activation", "relu", "model.dropout", "0.2", "model.norm",       \
        "online", "optimizer", "adam", "optimizer.lr", "0.01", "optimizer.restart", "phase"

/* What it says of a minibatch of `of`. */
static void predict(learner_scene *s, learner_scene *of, eg_real *scores)
{
    eg_batch batch;
    eg_cursor_get(of->cursor, 2, 0, &batch);
    assert_int_equal(batch.size, SCENE_BATCH);
    assert_ok(s->learner->ops->predict(s->learner, &batch, scores));
}

/* The learner alone as member m of an ensemble would be. */
static learner_scene open_alone(const char *const *words, size_t m)
{
    learner_scene alone = scene_open(words, SEED);
    eg_cursor_close(alone.cursor);
    assert_ok(eg_cursor_open(&alone.cursor, alone.stream,
                             &(eg_cursor_setup){.member = m, .trains = true}));
    alone.setup.seed = eg_member_seed(SEED, m);
    alone.setup.member = m;
    scene_create(&alone);
    return alone;
}

/* Members ---------------------------------------------------------------------------------------- */

/* With `add` new ones a phase: member phase*add + slot is what member `slot` of an ensemble was after that
 * phase; they predict with the mean of their softmax. */
static void check_snapshots(const char *const *words, const char *const *inside, size_t add)
{
    learner_scene s = scene_open(words, SEED);
    scene_create(&s);
    double mean[SCENE_BATCH * SCENE_CLASSES] = {0};
    eg_real scores[SCENE_BATCH * SCENE_CLASSES];
    for (size_t phase = 0; phase < PHASES; phase++) {
        learn(&s, phase);
    }
    assert_int_equal(count_networks(&s), PHASES * add);
    for (size_t slot = 0; slot < add; slot++) {
        learner_scene alone = open_alone(inside, slot);
        for (size_t phase = 0; phase < PHASES; phase++) {
            learn(&alone, phase);
            assert_same_net(network_of(&s, phase * add + slot).net, network_of(&alone, 0).net);
            predict(&alone, &s, scores);
            for (size_t b = 0; b < SCENE_BATCH; b++) {
                double sum = 0;
                for (size_t j = 0; j < SCENE_CLASSES; j++) {
                    sum += exp((double)scores[b * SCENE_CLASSES + j]);
                }
                for (size_t j = 0; j < SCENE_CLASSES; j++) {
                    size_t k = b * SCENE_CLASSES + j;
                    mean[k] += exp((double)scores[k]) / sum / (double)(PHASES * add);
                }
            }
        }
        scene_close(&alone);
    }
    predict(&s, &s, scores);
    for (size_t k = 0; k < (size_t)SCENE_BATCH * SCENE_CLASSES; k++) {
        assert_close(scores[k], mean[k], 1e-6);
    }
    scene_close(&s);
}

static void warm_members_are_snapshots(void **state)
{
    (void)state;
    check_snapshots(SCENE("learner", "growing_ensemble", NETWORK), SCENE(NETWORK), 1);
    check_snapshots(SCENE("learner", "growing_ensemble", "learner.add", "2", NETWORK),
                    SCENE(NETWORK), 2);
    check_snapshots(SCENE("learner", "growing_ensemble", "learner.of", "early_stopping",
                          "learner.of.on", "training", "learner.of.patience", "1", "stream.epochs",
                          "6", NETWORK),
                    SCENE("learner", "early_stopping", "learner.on", "training", "learner.patience",
                          "1", "stream.epochs", "6", NETWORK),
                    1);
    check_snapshots(SCENE("learner", "growing_ensemble", "learner.of", "replay", NETWORK),
                    SCENE("learner", "replay", NETWORK), 1);
    check_snapshots(SCENE("learner", "growing_ensemble", "learner.of", "ewc", NETWORK),
                    SCENE("learner", "ewc", NETWORK), 1);
}

/* After the first phase it is the learner alone. */
static void the_first_phase_is_the_learner_alone(void **state)
{
    (void)state;
    static const char *const starts[] = {"warm", "scratch"};
    eg_real a[SCENE_BATCH * SCENE_CLASSES];
    eg_real b[SCENE_BATCH * SCENE_CLASSES];
    learner_scene alone = open_alone(SCENE(NETWORK), 0);
    learn(&alone, 0);
    predict(&alone, &alone, a);
    for (size_t i = 0; i < EG_COUNT(starts); i++) {
        learner_scene s = scene_open(
            SCENE("learner", "growing_ensemble", "learner.start", starts[i], NETWORK), SEED);
        scene_create(&s);
        learn(&s, 0);
        predict(&s, &alone, b);
        assert_memory_equal(a, b, sizeof a);
        scene_close(&s);
    }
    scene_close(&alone);
}

/* Member m starts as member m of an ensemble, and sees the trial's minibatches. */
static void members_from_scratch(void **state)
{
    (void)state;
    learner_scene s =
        scene_open(SCENE("learner", "growing_ensemble", "learner.start", "scratch", NETWORK), SEED);
    scene_create(&s);
    learn(&s, 0);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    learner_scene alone = scene_open(SCENE(NETWORK), SEED);
    alone.setup.seed = eg_member_seed(SEED, 1);
    scene_create(&alone);
    assert_same_net(network_of(&s, 1).net, network_of(&alone, 0).net);
    scene_learn(&s, 1);
    learn(&alone, 1);
    assert_same_net(network_of(&s, 1).net, network_of(&alone, 0).net);
    scene_close(&alone);
    scene_close(&s);
}

/* Those from before have nothing to learn with, and stay what they were. */
static void members_are_frozen(void **state)
{
    (void)state;
    learner_scene s =
        scene_open(SCENE("learner", "growing_ensemble", "learner.grow_every", "2", NETWORK), SEED);
    scene_create(&s);
    learn(&s, 0);
    learn(&s, 1);
    assert_int_equal(count_networks(&s), 1);
    assert_non_null(network_of(&s, 0).optimizer);
    assert_ok(eg_learner_begin_phase(s.learner, 2));
    assert_int_equal(count_networks(&s), 2);
    const eg_net *frozen = network_of(&s, 0).net;
    const eg_net *learns = network_of(&s, 1).net;
    assert_null(network_of(&s, 0).optimizer);
    assert_null(network_of(&s, 0).training);
    assert_non_null(network_of(&s, 1).optimizer);
    assert_same_net(frozen, learns);
    uint64_t step = frozen->step;
    scene_learn(&s, 2);
    assert_int_equal(frozen->step, step);
    assert_int_equal(learns->step, step + eg_stream_steps(s.stream, 2));
    assert_memory_not_equal(frozen->params, learns->params,
                            frozen->param_count * sizeof *frozen->params);
    scene_close(&s);
}

/* Saving ----------------------------------------------------------------------------------------- */

/* Into a learner just made, which has fewer members. */
static void members_come_back(void **state)
{
    (void)state;
    static const char *const starts[] = {"warm", "scratch"};
    for (size_t i = 0; i < EG_COUNT(starts); i++) {
        const char *const *words = SCENE("learner", "growing_ensemble", "learner.start", starts[i],
                                         "learner.add", "2", NETWORK);
        learner_scene s = scene_open(words, SEED);
        learner_scene other = scene_open(words, SEED);
        scene_create(&s);
        scene_create(&other);
        for (size_t phase = 0; phase < PHASES; phase++) {
            learn(&s, phase);
            learn(&other, phase);
            scene_replace(&other);
        }
        assert_int_equal(count_networks(&other), 2 * PHASES);
        for (size_t n = 0; n < 2 * PHASES; n++) {
            assert_same_net(network_of(&s, n).net, network_of(&other, n).net);
            assert_true((network_of(&other, n).optimizer == NULL) == (n < 2 * PHASES - 2));
        }
        scene_close(&s);
        scene_close(&other);
    }
}

static void weights_of_more_members(void **state)
{
    (void)state;
    const char *const *words = SCENE("learner", "growing_ensemble", "learner.add", "2", NETWORK);
    learner_scene s = scene_open(words, SEED);
    learner_scene other = scene_open(words, SEED + 1);
    eg_weights weights = {0};
    eg_real a[SCENE_BATCH * SCENE_CLASSES];
    eg_real b[SCENE_BATCH * SCENE_CLASSES];
    scene_create(&s);
    scene_create(&other);
    learn(&s, 0);
    learn(&s, 1);
    assert_ok(eg_learner_get_weights(&weights, s.learner));
    assert_non_null(eg_weights_find(&weights, "member3/network/layer1.weight"));
    assert_ok(eg_learner_set_weights(other.learner, &weights));
    assert_int_equal(count_networks(&other), 4);
    predict(&s, &s, a);
    predict(&other, &s, b);
    assert_memory_equal(a, b, sizeof a);
    eg_weights_clear(&weights);
    scene_close(&s);
    scene_close(&other);
}

static void damaged_numbers(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 1, 3, UINT64_MAX - 1};
    for (size_t i = 0; i < EG_COUNT(counts); i++) {
        learner_scene s =
            scene_open(SCENE("learner", "growing_ensemble", "learner.add", "2", NETWORK), SEED);
        eg_writer writer = {0};
        scene_create(&s);
        s.learner->ops->write(s.learner, &writer);
        memcpy(writer.data, &counts[i], sizeof counts[i]);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_fails(s.learner->ops->read(s.learner, &reader), EG_INVALID, "saved");
        eg_writer_clear(&writer);
        scene_close(&s);
    }
}

/* Costs and refusals ------------------------------------------------------------------------------ */

/* Two members a phase learn, and all predict: 3 forwards of 2 members per example learned, whatever the
 * measure counts for it. */
static void check_operations(const char *start)
{
    learner_scene s = scene_open(
        SCENE("learner", "growing_ensemble", "learner.add", "2", "learner.start", start, NETWORK),
        SEED);
    scene_create(&s);
    const eg_net *net = network_of(&s, 0).net;
    double one = eg_net_flops(net);
    eg_net_work work = eg_net_macs(net);
    double parameters = (double)eg_parameter_table_size(&net->table, EG_ROLE_COUNT);
    double examples = 0;
    for (size_t phase = 0; phase < PHASES; phase++) {
        eg_learner_costs costs = {.parameters = 0};
        double members = 2 * (double)(phase + 1);
        learn(&s, phase);
        for (size_t step = 0; step < eg_stream_steps(s.stream, phase); step++) {
            eg_batch batch;
            eg_cursor_get(s.cursor, phase, step, &batch);
            examples += (double)batch.size;
        }
        double forward = s.learner->ops->flops(s.learner);
        double extra = s.learner->ops->extra_flops(s.learner);
        assert_close(forward, members * one, 1e-12);
        assert_close(3 * examples * forward + extra, 3 * examples * 2 * one, 1e-12);
        assert_true(eg_learner_add_costs(s.learner, &costs));
        assert_close(costs.parameters, members * parameters, 0);
        assert_close(costs.predict_macs, members * work.forward, 0);
        assert_close(costs.train_macs, examples * 2 * work.forward, 1e-12);
        assert_close(costs.train_flops, examples * 4 * (work.forward + work.backward), 1e-12);
        assert_close(costs.validation_flops, 0, 0);
        scene_replace(&s);
    }
    scene_close(&s);
}

static void operations(void **state)
{
    (void)state;
    check_operations("warm");
    check_operations("scratch");
}

static void refusals(void **state)
{
    (void)state;
    learner_scene s =
        scene_open(SCENE("learner", "early_stopping", "learner.of", "growing_ensemble"), SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "put that one inside growing_ensemble");
    scene_close(&s);
    s = scene_open(
        SCENE("learner", "reset", "learner.of", "ensemble", "learner.of.of", "growing_ensemble"),
        SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "put that one inside growing_ensemble");
    scene_close(&s);
    s = scene_open(
        SCENE("learner", "growing_ensemble", "learner.of", "early_stopping", "protocol", "test"),
        SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, "use protocol = validation");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_members_are_snapshots),
        cmocka_unit_test(the_first_phase_is_the_learner_alone),
        cmocka_unit_test(members_from_scratch),
        cmocka_unit_test(members_are_frozen),
        cmocka_unit_test(members_come_back),
        cmocka_unit_test(weights_of_more_members),
        cmocka_unit_test(damaged_numbers),
        cmocka_unit_test(operations),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
