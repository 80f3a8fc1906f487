/** What a phase leaves behind: selectors by hand, and early stopping around learners whose predictions are
 *  not their networks' parameters. In double precision. */
#include "learner_scene.h"

#include "learner/around.h"
#include "learner/selector.h"

#include <math.h>
#include <string.h>

enum { SEED = 4 };

static eg_net *net_of(const learner_scene *s)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, 0, &network));
    return network.net;
}

/* By hand ---------------------------------------------------------------------------------------- */

typedef struct offer {
    double score;
    bool enough;
} offer;

/* Of a phase of at most `epochs` epochs, of which there are `count`. After epoch e the first parameter is e;
 * `stays` is the one that the phase leaves behind. */
static void check_selector(const char *const *words, const offer *offers, size_t count,
                           size_t epochs, eg_real stays)
{
    learner_scene s = scene_open(words, SEED);
    scene_create(&s);
    eg_view view = eg_view_inside(&s.root, "learner");
    eg_net *net = net_of(&s);
    for (int own_weights = 0; own_weights < 2; own_weights++) {
        eg_selector selector;
        eg_selector again;
        eg_writer writer = {0};
        assert_ok(eg_selector_init(&selector, &view, s.learner, own_weights == 1));
        assert_ok(eg_selector_init(&again, &view, s.learner, own_weights == 1));
        for (size_t e = 0; e < count; e++) {
            bool enough = false;
            net->params[0] = (eg_real)e;
            assert_ok(
                eg_selector_offer(&selector, offers[e].score, epochs - 1 - e, s.learner, &enough));
            assert_true(enough == offers[e].enough);
        }
        eg_selector_write(&selector, &writer);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_ok(eg_selector_read(&again, s.learner, &reader));
        assert_ok(eg_reader_status(&reader, true));
        assert_ok(eg_selector_restore(&again, s.learner));
        assert_true(net->params[0] == stays);
        /* What happens to the learner after that stays, also when the phase is ended again. */
        net->params[0] = 77;
        eg_writer_reset(&writer);
        eg_selector_write(&again, &writer);
        reader = eg_reader_make(writer.data, writer.size);
        assert_ok(eg_selector_read(&selector, s.learner, &reader));
        assert_ok(eg_selector_restore(&again, s.learner));
        assert_ok(eg_selector_restore(&selector, s.learner));
        assert_true(net->params[0] == 77);
        assert_ok(eg_selector_begin(&again, s.learner));
        assert_ok(eg_selector_restore(&again, s.learner));
        assert_true(net->params[0] == 77);
        eg_writer_clear(&writer);
        eg_selector_clear(&selector);
        eg_selector_clear(&again);
    }
    scene_close(&s);
}

#define STOPPING "learner", "early_stopping", "learner.on", "training", "learner.patience", "2"
#define TO_THE_END "learner", "early_stopping", "learner.on", "training", "learner.patience", "0"

static void selectors_by_hand(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    const offer scores[] = {{0.5, false}, {0.7, false}, {0.7, false}, {0.6, true}, {nan, true}};
    check_selector(SCENE(STOPPING), scores, 5, 5, 1);
    check_selector(SCENE(STOPPING, "learner.keep", "last"), scores, 5, 5, 4);
    check_selector(SCENE(STOPPING, "learner.keep", "best_of_last", "learner.window", "3"), scores,
                   5, 5, 2);
    check_selector(SCENE(STOPPING, "learner.keep", "best_of_last", "learner.window", "2"), scores,
                   5, 5, 3);
    /* 0.7 is no improvement on 0.5 by more than 0.3, but it is the best. */
    const offer small[] = {{0.5, false}, {0.7, false}, {0.6, true}};
    check_selector(SCENE(STOPPING, "learner.delta", "0.3"), small, 3, 3, 1);
    /* Only improvements are kept: 0.7 is none, 0.81 is. */
    const offer slow[] = {{0.5, false}, {0.7, false}, {0.81, false}, {0.9, false}, {0.81, true}};
    check_selector(SCENE(STOPPING, "learner.keep", "improved", "learner.delta", "0.3"), slow, 2, 5,
                   0);
    check_selector(SCENE(STOPPING, "learner.keep", "improved", "learner.delta", "0.3"), slow, 5, 5,
                   2);
    check_selector(SCENE(STOPPING, "learner.keep", "improved"), scores, 5, 5, 1);
    const offer patient[] = {{0.5, false}, {0.4, false}, {0.3, false}, {0.2, false}};
    check_selector(SCENE(TO_THE_END), patient, 4, 4, 0);
}

/* Of the last five, or fewer, the first that is the best: what was better before does not count. */
static void the_last_epochs_by_hand(void **state)
{
    (void)state;
    const offer scores[] = {{0.9, false}, {0.9, false}, {0.5, false}, {0.6, false},
                            {0.7, false}, {0.7, false}, {0.4, false}};
    check_selector(SCENE(TO_THE_END, "learner.last", "5"), scores, 7, 7, 4);
    check_selector(SCENE(TO_THE_END, "learner.last", "6"), scores, 7, 7, 1);
    check_selector(SCENE(TO_THE_END, "learner.last", "2"), scores, 7, 7, 5);
    check_selector(SCENE(TO_THE_END, "learner.last", "1"), scores, 7, 7, 6);
    check_selector(SCENE(TO_THE_END, "learner.last", "100"), scores, 7, 7, 0);
    check_selector(SCENE(TO_THE_END), scores, 7, 7, 0);
    /* A phase that ends before its last epochs has no best one. */
    check_selector(SCENE(TO_THE_END, "learner.last", "5"), scores, 4, 9, 3);
    /* Patience is for all epochs. */
    const offer impatient[] = {{0.9, false}, {0.3, false}, {0.4, true}};
    check_selector(SCENE(STOPPING, "learner.last", "2"), impatient, 3, 3, 2);
}

/* Importances and the anchor of ewc are of the parameters that came back. */
static void tasks_end_with_what_came_back(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE(TO_THE_END, "learner.last", "4", "learner.of", "ewc",
                                       "stream.epochs", "6", "optimizer.lr", "3"),
                                 SEED);
    scene_create(&s);
    assert_ok(eg_learner_begin_phase(s.learner, 0));
    const size_t steps = eg_stream_phase(s.stream, 0).steps;
    const eg_net *net = net_of(&s);
    eg_real *best = NULL;
    double lowest = INFINITY;
    assert_ok(eg_alloc(&best, net->param_count, sizeof *best));
    for (size_t epoch = 0; epoch < 6; epoch++) {
        double sum = 0;
        bool enough = false;
        for (size_t k = 0; k < steps; k++) {
            sum += scene_step(&s, 0, epoch * steps + k);
        }
        assert_ok(s.learner->ops->end_epoch(s.learner, 0, epoch, &enough));
        if (epoch >= 2 && sum < lowest) {
            memcpy(best, net->params, net->param_count * sizeof *best);
            lowest = sum;
        }
    }
    assert_memory_not_equal(net->params, best, net->param_count * sizeof *best);
    scene_end(&s, 0);
    const eg_regularised *ewc = (eg_regularised *)((eg_around *)s.learner)->inside;
    assert_memory_equal(net->params, best, net->param_count * sizeof *best);
    assert_memory_equal(ewc->terms[0].anchor, best, net->param_count * sizeof *best);
    eg_free(best);
    scene_close(&s);
}

/* Other weights ---------------------------------------------------------------------------------- */

#define SLOW                                                                                       \
    TO_THE_END, "learner.last", "4", "learner.of", "hare_tortoise", "learner.of.momentum", "0.9",  \
        "learner.of.every", "3", "stream.epochs", "6", "optimizer.lr", "3", "optimizer", "sgdm",   \
        "dataset.noise", "1"

/* All that it goes on with between steps. */
static eg_weights weights_of(const learner_scene *s)
{
    eg_weights weights = {0};
    eg_weights_pass pass = {.weights = &weights, .again = true};
    assert_ok(eg_learner_weights(s->learner, &pass));
    return weights;
}

static void assert_same_weights(const eg_weights *a, const eg_weights *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->arrays[i].name, b->arrays[i].name);
        assert_memory_equal(a->arrays[i].values, b->arrays[i].values,
                            a->arrays[i].count * sizeof *a->arrays[i].values);
    }
}

/* Slow and fast ones come back as they were after the first best of the last four epochs; after the first copy
 * of a phase there is nothing to allocate. */
static void slow_and_fast_weights_come_back(void **state)
{
    (void)state;
    for (size_t phase = 0; phase < 2; phase++) {
        learner_scene s = scene_open(SCENE(SLOW), SEED);
        scene_create(&s);
        for (size_t before = 0; before <= phase; before++) {
            assert_ok(eg_learner_begin_phase(s.learner, before));
            if (before < phase) {
                scene_learn(&s, before);
            }
        }
        const size_t steps = eg_stream_phase(s.stream, phase).steps;
        const size_t epochs = eg_stream_phase(s.stream, phase).epochs;
        eg_weights best = {0};
        double lowest = INFINITY;
        for (size_t epoch = 0; epoch < epochs; epoch++) {
            double sum = 0;
            bool enough = false;
            for (size_t k = 0; k < steps; k++) {
                sum += scene_step(&s, phase, epoch * steps + k);
            }
            eg_memory_fail_after(epoch > 2 ? 1 : 0);
            assert_ok(s.learner->ops->end_epoch(s.learner, phase, epoch, &enough));
            eg_memory_fail_after(0);
            assert_false(enough);
            if (epoch >= epochs - 4 && sum < lowest) {
                eg_weights_clear(&best);
                best = weights_of(&s);
                lowest = sum;
            }
            if (epoch == 3) {
                scene_replace(&s);
            }
        }
        eg_weights last = weights_of(&s);
        assert_non_null(eg_weights_find(&best, "fast/network/layer1.weight"));
        assert_memory_not_equal(last.arrays[0].values, best.arrays[0].values, sizeof(double));
        scene_end(&s, phase);
        eg_weights left = weights_of(&s);
        assert_same_weights(&left, &best);
        eg_weights_clear(&left);
        eg_weights_clear(&last);
        eg_weights_clear(&best);
        scene_close(&s);
    }
}

/* Weights that come back are not those a learner begins with: the anchor of l2_init stays. */
static void nothing_begins_with_them(void **state)
{
    (void)state;
    learner_scene s = scene_open(SCENE("learner", "l2", "learner.towards", "initial"), SEED);
    scene_create(&s);
    const eg_penalty_term *term = &scene_regularised(&s)->terms[0];
    eg_real anchor = term->anchor[0];
    (void)scene_step(&s, 0, 0);
    uint64_t step = scene_net(&s)->step;
    eg_weights weights = weights_of(&s);
    eg_weights_pass pass = {.weights = &weights, .into_learner = true, .again = true};
    scene_net(&s)->params[0] = 5;
    assert_ok(eg_learner_weights(s.learner, &pass));
    assert_true(scene_net(&s)->params[0] == weights.arrays[0].values[0]);
    assert_true(term->anchor[0] == anchor);
    assert_int_equal(scene_net(&s)->step, step);
    assert_null(eg_weights_find(&weights, "network/step"));
    eg_weights_clear(&weights);
    scene_close(&s);
}

static void refusals(void **state)
{
    (void)state;
    learner_scene s =
        scene_open(SCENE(STOPPING, "learner.keep", "last", "learner.last", "5"), SEED);
    assert_fails(eg_trial_check(s.settings), EG_INVALID,
                 "learner.last = 5 chooses the best of the last epochs, so it needs learner.keep = "
                 "best");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_by_hand),
        cmocka_unit_test(the_last_epochs_by_hand),
        cmocka_unit_test(tasks_end_with_what_came_back),
        cmocka_unit_test(slow_and_fast_weights_come_back),
        cmocka_unit_test(nothing_begins_with_them),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
