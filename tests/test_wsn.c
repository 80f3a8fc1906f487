/** Winning subnetworks: which weights a task uses, and the gradients of weights and scores against differences of
 *  the loss; in double. */
#include "subnetwork_scene.h"

#include <math.h>

enum { UNITS = 4, WEIGHTS = UNITS * SCENE_INPUTS, KEPT = 15 /* 36 - round(0.6 * 35) */ };

#define LAYER "layer1.weight"
static const double lr = 0.05;

static learner_scene opened(const char *rank)
{
    return subnetwork_open(SCENE("learner", "wsn", "learner.share", "0.4", "learner.rank", rank,
                                 "model.hidden", "[4]", "model.activation", "tanh",
                                 "optimizer.beta", "0", "optimizer.weight_decay", "0"));
}

/* Whether fewer than KEPT scores are larger. */
static bool is_chosen(const double *score, size_t i, bool magnitude)
{
    size_t larger = 0;
    for (size_t j = 0; j < WEIGHTS; j++) {
        double a = magnitude ? fabs(score[j]) : score[j];
        larger += a > (magnitude ? fabs(score[i]) : score[i]) ? 1 : 0;
    }
    return larger < KEPT;
}

static void put(const learner_scene *s, const double *values, eg_real *plane)
{
    const eg_net *net = scene_net(s);
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, LAYER);
    eg_real row_by_row[WEIGHTS];
    for (size_t i = 0; i < WEIGHTS; i++) {
        row_by_row[i] = (eg_real)values[i];
    }
    eg_net_block_set(net, (size_t)(block - net->table.blocks), row_by_row, plane);
}

/* dL/dtheta of the layer, by differences, where theta = W m. */
static void slopes(learner_scene *s, const eg_batch *batch, const double *w, const bool *chosen,
                   double *slope)
{
    const double h = 1e-5;
    eg_real *theta = NULL;
    double at[WEIGHTS];
    assert_ok(eg_alloc(&theta, scene_net(s)->param_count, sizeof *theta));
    memcpy(theta, subnetwork_of(s)->raw, scene_net(s)->param_count * sizeof *theta);
    for (size_t i = 0; i < WEIGHTS; i++) {
        at[i] = chosen[i] ? w[i] : 0;
    }
    for (size_t i = 0; i < WEIGHTS; i++) {
        double kept = at[i];
        at[i] = kept + h;
        put(s, at, theta);
        double right = subnetwork_loss(s, batch, theta);
        at[i] = kept - h;
        put(s, at, theta);
        slope[i] = (right - subnetwork_loss(s, batch, theta)) / (2 * h);
        at[i] = kept;
    }
    eg_free(theta);
}

/* One step: s -= lr G W (sign s), W -= lr G where it is chosen and free. `taken`: by tasks before. */
static void assert_step(learner_scene *s, size_t phase, size_t step, bool magnitude,
                        const double *taken)
{
    double w[WEIGHTS];
    double score[WEIGHTS];
    double after_w[WEIGHTS];
    double after_score[WEIGHTS];
    double slope[WEIGHTS];
    bool chosen[WEIGHTS];
    eg_batch batch;
    assert_int_equal(subnetwork_array(s, "network/" LAYER, w), WEIGHTS);
    (void)subnetwork_array(s, "scores/" LAYER, score);
    for (size_t i = 0; i < WEIGHTS; i++) {
        chosen[i] = is_chosen(score, i, magnitude);
    }
    eg_cursor_get(s->cursor, phase, step, &batch);
    slopes(s, &batch, w, chosen, slope);
    (void)scene_step(s, phase, step);
    (void)subnetwork_array(s, "network/" LAYER, after_w);
    (void)subnetwork_array(s, "scores/" LAYER, after_score);
    double moved = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        double sign = magnitude && score[i] < 0 ? -1 : 1;
        assert_close((score[i] - after_score[i]) / lr, sign * slope[i] * w[i], 1e-8);
        bool learns = chosen[i] && (taken == NULL || taken[i] == 0);
        assert_close((w[i] - after_w[i]) / lr, learns ? slope[i] : 0, learns ? 1e-8 : 0);
        moved += fabs(score[i] - after_score[i]);
    }
    assert_true(moved > 1e-4);
}

static void gradients_go_straight_through(void **state)
{
    (void)state;
    for (int magnitude = 0; magnitude < 2; magnitude++) {
        learner_scene s = opened(magnitude == 1 ? "magnitude" : "score");
        double taken[WEIGHTS];
        double mask[WEIGHTS];
        double score[WEIGHTS];
        scene_create(&s);
        assert_ok(s.learner->ops->begin_phase(s.learner, 0));
        assert_step(&s, 0, 0, magnitude == 1, NULL);
        assert_step(&s, 0, 1, magnitude == 1, NULL);
        scene_end(&s, 0);
        /* The mask of the task is what is chosen then. */
        (void)subnetwork_array(&s, "task000/" LAYER, taken);
        (void)subnetwork_array(&s, "scores/" LAYER, score);
        size_t count = 0;
        for (size_t i = 0; i < WEIGHTS; i++) {
            assert_true(taken[i] == (is_chosen(score, i, magnitude == 1) ? 1 : 0));
            count += taken[i] == 1 ? 1 : 0;
        }
        assert_int_equal(count, KEPT);
        assert_ok(s.learner->ops->begin_phase(s.learner, 1));
        assert_step(&s, 1, 0, magnitude == 1, taken);
        assert_step(&s, 1, 1, magnitude == 1, taken);
        scene_end(&s, 1);
        (void)subnetwork_array(&s, "task000/" LAYER, mask);
        assert_memory_equal(mask, taken, sizeof mask);
        scene_close(&s);
    }
}

/* Scores are uniform between -1/3 and 1/3, as there are 9 inputs. */
static void scores_begin_as_drawn(void **state)
{
    (void)state;
    learner_scene s = opened("score");
    double score[WEIGHTS];
    double low = 0;
    double high = 0;
    scene_create(&s);
    (void)subnetwork_array(&s, "scores/" LAYER, score);
    for (size_t i = 0; i < WEIGHTS; i++) {
        low = fmin(low, score[i]);
        high = fmax(high, score[i]);
    }
    assert_true(low > -1.0 / 3 && low < -0.25 && high < 1.0 / 3 && high > 0.25);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_go_straight_through),
        cmocka_unit_test(scores_begin_as_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
