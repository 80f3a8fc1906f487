/** Learners with penalties: their penalties, by hand and by finite differences, and what they leave
 *  alone. In double. */
#include "learner_scene.h"

#include <math.h>
#include <string.h>

enum { PARAMS = (SCENE_INPUTS + 1) * SCENE_LANES };

/* Every learner with a penalty, in every variant of it. */
static const char *const variants[][7] = {
    {"learner", "ewc", "learner.lambda", "30", NULL},
    {"learner", "ewc", "learner.lambda", "30", "learner.terms", "separate", NULL},
    {"learner", "online_ewc", "learner.lambda", "30", "learner.gamma", "0.5", NULL},
    {"learner", "online_ewc", "learner.lambda", "2", "learner.normalise", "true", NULL},
    {"learner", "mas", "learner.lambda", "0.3", NULL},
    {"learner", "mas", "learner.lambda", "0.3", "learner.average", "true", NULL},
    {"learner", "si", "learner.lambda", "5", NULL},
    {"learner", "l2", "learner.lambda", "0.5", NULL},
    {"learner", "l2", "learner.lambda", "0.5", "learner.towards", "initial", NULL},
    {"learner", "l2", "learner.lambda", "0.5", "learner.towards", "zero", NULL},
};

static learner_scene opened(const char *const *words)
{
    learner_scene s = scene_open(words, 5);
    return s;
}

static double penalty_of(const learner_scene *s)
{
    const eg_regularised *self = scene_regularised(s);
    double sum = 0;
    for (size_t t = 0; t < self->term_count; t++) {
        sum += eg_penalty_term_value(&self->terms[t], scene_net(s)->params);
    }
    return sum;
}

/** Mean loss over a minibatch plus the penalty, at the parameters as they are. */
static double objective_of(learner_scene *s, const eg_batch *batch)
{
    eg_real y[SCENE_BATCH * SCENE_CLASSES];
    eg_real dy[SCENE_BATCH * SCENE_CLASSES];
    eg_net_touch(scene_net(s));
    assert_ok(s->learner->ops->predict(s->learner, batch, y));
    const eg_loss *loss = scene_regularised(s)->gradient.loss;
    return loss->evaluate(batch->size, SCENE_CLASSES, y, batch->label, NULL, dy) + penalty_of(s);
}

/* With sgd the update is -lr times the gradient of loss plus penalty. */
static void updates_follow_the_gradient(void **state)
{
    (void)state;
    const double lr = 0.05;
    const double h = 1e-5;
    for (size_t v = 0; v < EG_COUNT(variants); v++) {
        learner_scene s = opened(variants[v]);
        scene_create(&s);
        scene_learn(&s, 0);
        scene_learn(&s, 1);
        (void)scene_step(&s, 2, 0);
        eg_net *net = scene_net(&s);
        eg_batch batch;
        eg_cursor_get(s.cursor, 2, 1, &batch);
        double slope[PARAMS];
        eg_real before[PARAMS];
        for (size_t i = 0; i < PARAMS; i++) {
            double kept = net->params[i];
            net->params[i] = kept + h;
            double right = objective_of(&s, &batch);
            net->params[i] = kept - h;
            slope[i] = (right - objective_of(&s, &batch)) / (2 * h);
            net->params[i] = kept;
        }
        eg_net_touch(net);
        assert_true(penalty_of(&s) > 1e-6);
        memcpy(before, net->params, sizeof before);
        (void)scene_step(&s, 2, 1);
        for (size_t i = 0; i < PARAMS; i++) {
            assert_close((before[i] - net->params[i]) / lr, slope[i], 1e-7);
        }
        scene_close(&s);
    }
}

/** Runs `phases` phases of a learner and copies its parameters. */
static void parameters_after(const char *const *words, size_t phases, eg_real *out)
{
    learner_scene s = opened(words);
    scene_create(&s);
    for (size_t phase = 0; phase < phases; phase++) {
        scene_learn(&s, phase);
    }
    memcpy(out, scene_net(&s)->params, PARAMS * sizeof *out);
    scene_close(&s);
}

/* Nothing is remembered before the first task ends: the bits of the plain learner. */
static void the_first_task_is_plain(void **state)
{
    (void)state;
    eg_real plain[PARAMS];
    eg_real own[PARAMS];
    parameters_after(SCENE("learner", "plain"), 1, plain);
    for (size_t v = 0; v + 2 < EG_COUNT(variants); v++) {
        parameters_after(variants[v], 1, own);
        assert_memory_equal(own, plain, sizeof own);
    }
    /* … and later it is not, unless the penalty is nothing. */
    parameters_after(SCENE("learner", "plain"), 3, plain);
    for (size_t v = 0; v < EG_COUNT(variants); v++) {
        parameters_after(variants[v], 3, own);
        assert_memory_not_equal(own, plain, sizeof own);
        const char *none[SCENE_SETTINGS] = {variants[v][0],
                                            variants[v][1],
                                            "learner.lambda",
                                            "0",
                                            variants[v][4],
                                            variants[v][5],
                                            NULL};
        parameters_after(none, 3, own);
        assert_memory_equal(own, plain, sizeof own);
    }
}

/* A bound on the norm that never binds takes the other way through the step. */
static void whole_gradients_give_the_same(void **state)
{
    (void)state;
    eg_real pieces[PARAMS];
    eg_real whole[PARAMS];
    eg_real bounded[PARAMS];
    for (size_t v = 0; v < EG_COUNT(variants); v++) {
        const char *words[SCENE_SETTINGS] = {"optimizer.clip_norm", "1e9"};
        memcpy(words + 2, variants[v], sizeof variants[v]);
        parameters_after(variants[v], 3, pieces);
        parameters_after(words, 3, whole);
        words[1] = "0.1";
        parameters_after(words, 3, bounded);
        double separate_terms = 0;
        for (size_t i = 0; i < PARAMS; i++) {
            assert_close(whole[i], pieces[i], 1e-12);
            separate_terms += fabs(bounded[i] - pieces[i]);
        }
        assert_true(separate_terms > 1e-3);
    }
}

/* The penalty is part of the gradient whose norm is bounded: with a huge one the step has length lr. */
static void the_penalty_is_bounded_too(void **state)
{
    (void)state;
    learner_scene s = opened(SCENE("learner", "l2", "learner.lambda", "1e6", "learner.towards",
                                   "zero", "optimizer.clip_norm", "1"));
    scene_create(&s);
    eg_real before[PARAMS];
    memcpy(before, scene_net(&s)->params, sizeof before);
    (void)scene_step(&s, 0, 0);
    double square = 0;
    for (size_t i = 0; i < PARAMS; i++) {
        square += (scene_net(&s)->params[i] - before[i]) * (scene_net(&s)->params[i] - before[i]);
    }
    assert_close(sqrt(square), 0.05, 1e-6);
    scene_close(&s);
}

static void merged_terms_are_their_sum(void **state)
{
    (void)state;
    eg_real merged[PARAMS];
    eg_real separate[PARAMS];
    eg_real online[PARAMS];
    parameters_after(variants[0], 3, merged);
    parameters_after(variants[1], 3, separate);
    parameters_after(SCENE("learner", "online_ewc", "learner.lambda", "30", "learner.gamma", "1"),
                     3, online);
    double separate_terms = 0;
    for (size_t i = 0; i < PARAMS; i++) {
        assert_close(merged[i], separate[i], 1e-11);
        separate_terms += fabs(merged[i] - online[i]);
    }
    /* Online EWC forgets where its older terms were. */
    assert_true(separate_terms > 1e-4);
}

/* F <- gamma F + F_t around the newest parameters; normalised, each F_t has mean 1 where it is not 0. */
static void online_ewc_by_its_parts(void **state)
{
    (void)state;
    for (int normalise = 0; normalise < 2; normalise++) {
        learner_scene s =
            opened(SCENE("learner", "online_ewc", "learner.gamma", "0.25", "learner.lambda", "1",
                         "learner.normalise", normalise == 1 ? "true" : "false"));
        scene_create(&s);
        const eg_penalty_term *term = &scene_regularised(&s)->terms[0];
        eg_real first[PARAMS];
        scene_learn(&s, 0);
        memcpy(first, term->importance, sizeof first);
        double sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < PARAMS; i++) {
            sum += first[i];
            count += first[i] > 0 ? 1 : 0;
        }
        assert_int_equal(count, SCENE_CLASSES * (SCENE_INPUTS + 1));
        assert_true((fabs(sum / (double)count - 1) < 1e-12) == (normalise == 1));
        scene_learn(&s, 1);
        assert_memory_equal(term->anchor, scene_net(&s)->params, sizeof first);
        /* What the second task added is what a learner that keeps nothing has. */
        learner_scene other =
            opened(SCENE("learner", "online_ewc", "learner.gamma", "0", "learner.lambda", "1",
                         "learner.normalise", normalise == 1 ? "true" : "false"));
        scene_create(&other);
        scene_learn(&other, 0);
        scene_learn(&other, 1);
        const eg_real *second = scene_regularised(&other)->terms[0].importance;
        for (size_t i = 0; i < PARAMS; i++) {
            assert_close(term->importance[i], 0.25 * first[i] + second[i], 1e-13);
        }
        scene_close(&other);
        scene_close(&s);
    }
}

/* Mean instead of sum: O_2 = (O_1 + what task 2 adds)/2; lambda 0 so that both learn the same. */
static void mas_sums_or_averages(void **state)
{
    (void)state;
    learner_scene sum = opened(SCENE("learner", "mas", "learner.lambda", "0"));
    learner_scene mean =
        opened(SCENE("learner", "mas", "learner.lambda", "0", "learner.average", "true"));
    scene_create(&sum);
    scene_create(&mean);
    const eg_penalty_term *a = &scene_regularised(&sum)->terms[0];
    const eg_penalty_term *b = &scene_regularised(&mean)->terms[0];
    for (size_t phase = 0; phase < 2; phase++) {
        scene_learn(&sum, phase);
        scene_learn(&mean, phase);
        for (size_t i = 0; i < PARAMS; i++) {
            assert_close(b->importance[i] * ((double)phase + 1), a->importance[i], 1e-12);
        }
    }
    assert_true(a->importance[0] > 0);
    scene_close(&sum);
    scene_close(&mean);
}

/* With sgd the gradient of loss and penalty together is -(update)/lr; the rest is equation 5. */
static void synaptic_intelligence_by_hand(void **state)
{
    (void)state;
    const double lr = 0.05;
    const double lambda = 5;
    const double damping = 0.2;
    double importance[PARAMS] = {0};
    eg_real start[PARAMS];
    learner_scene s =
        opened(SCENE("learner", "si", "learner.lambda", "5", "learner.damping", "0.2"));
    scene_create(&s);
    eg_net *net = scene_net(&s);
    memcpy(start, net->params, sizeof start);
    const eg_update_terms *update_terms = &scene_regularised(&s)->update_terms;
    for (size_t phase = 0; phase < 2; phase++) {
        double saved[PARAMS] = {0};
        eg_real before[PARAMS];
        for (size_t step = 0; step < eg_stream_steps(s.stream, phase); step++) {
            memcpy(before, net->params, sizeof before);
            (void)scene_step(&s, phase, step);
            for (size_t i = 0; i < PARAMS; i++) {
                double by = net->params[i] - before[i];
                double penalty = 2 * lambda * importance[i] * (before[i] - start[i]);
                saved[i] -= (-by / lr - penalty) * by;
            }
        }
        /* A move of parameter 3 by 2 up a slope of 50: it made things worse by 100. */
        update_terms->path_integral[3] -= 50 * 2;
        saved[3] -= 100;
        for (size_t i = 0; i < PARAMS; i++) {
            double way = net->params[i] - start[i];
            importance[i] += fmax(0, saved[i]) / (way * way + damping);
        }
        memcpy(start, net->params, sizeof start);
        scene_end(&s, phase);
        for (size_t i = 0; i < PARAMS; i++) {
            assert_close(scene_regularised(&s)->terms[0].importance[i], importance[i], 1e-11);
        }
    }
    assert_true(importance[2] > 0 && importance[3] == 0);
    scene_close(&s);
}

/* ewc and l2: lambda/2 sum O d^2; mas and si: lambda sum O d^2, as their papers have it. */
static void factors_are_those_of_the_papers(void **state)
{
    (void)state;
    const size_t which[] = {0, 2, 4, 6, 7, 9};
    const double factor[] = {30.0 / 2, 30.0 / 2, 0.3, 5, 0.5 / 2, 0.5 / 2};
    for (size_t k = 0; k < EG_COUNT(which); k++) {
        learner_scene s = opened(variants[which[k]]);
        scene_create(&s);
        scene_learn(&s, 0);
        for (size_t step = 0; step < 3; step++) {
            (void)scene_step(&s, 1, step);
        }
        const eg_penalty_term *term = &scene_regularised(&s)->terms[0];
        double sum = 0;
        for (size_t i = 0; i < PARAMS; i++) {
            double away = scene_net(&s)->params[i] - term->anchor[i];
            sum += (term->importance != NULL ? term->importance[i] : 1) * away * away;
        }
        assert_true(sum > 1e-6);
        assert_close(penalty_of(&s) / (factor[k] * sum), 1, 1e-12);
        scene_close(&s);
    }
}

/* After the last task nothing is measured, and no curve needs it. */
static void the_last_task_costs_nothing(void **state)
{
    (void)state;
    learner_scene s = opened(variants[0]);
    eg_real before[PARAMS];
    scene_create(&s);
    scene_learn(&s, 0);
    scene_learn(&s, 1);
    const eg_penalty_term *term = &scene_regularised(&s)->terms[0];
    memcpy(before, term->importance, sizeof before);
    scene_learn(&s, 2);
    assert_memory_equal(term->importance, before, sizeof before);
    scene_close(&s);
}

static void the_curve_is_the_penalty(void **state)
{
    (void)state;
    learner_scene s = opened(variants[0]);
    eg_record *record = NULL;
    scene_create(&s);
    assert_ok(eg_record_create(&record));
    assert_ok(s.learner->ops->declare(s.learner, record, 2));
    const eg_array *curve = eg_record_find(record, "penalty");
    scene_learn(&s, 0);
    assert_ok(s.learner->ops->measure(s.learner, record, 0));
    assert_close(curve->data[0], 0, 0);
    (void)scene_step(&s, 1, 0);
    assert_ok(s.learner->ops->measure(s.learner, record, 1));
    assert_true(curve->data[1] > 0);
    assert_close(curve->data[1], penalty_of(&s), 0);
    assert_string_equal(eg_trial_variable("penalty")->name, "penalty");
    eg_record_free(record);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_follow_the_gradient),
        cmocka_unit_test(the_first_task_is_plain),
        cmocka_unit_test(whole_gradients_give_the_same),
        cmocka_unit_test(the_penalty_is_bounded_too),
        cmocka_unit_test(merged_terms_are_their_sum),
        cmocka_unit_test(online_ewc_by_its_parts),
        cmocka_unit_test(mas_sums_or_averages),
        cmocka_unit_test(synaptic_intelligence_by_hand),
        cmocka_unit_test(factors_are_those_of_the_papers),
        cmocka_unit_test(the_last_task_costs_nothing),
        cmocka_unit_test(the_curve_is_the_penalty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
