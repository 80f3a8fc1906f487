/** Hard attention to the task: its formulas by hand, and the gradients of weights and attention against differences of
 *  the loss with its term; in double. */
#include "subnetwork_scene.h"

#include "learner/hat.h"

#include <math.h>
#include <stdio.h>

enum { UNITS = 4, WEIGHTS = UNITS * SCENE_INPUTS };

static const double lr = 0.01;
static const double s_max = 20;
static const double lambda = 0.6;

static void attention_is_annealed(void **state)
{
    (void)state;
    assert_close(eg_hat_scale(400, 0, 5), 1.0 / 400, 1e-15);
    assert_close(eg_hat_scale(400, 4, 5), 400, 1e-12);
    assert_close(eg_hat_scale(2, 1, 4), 0.5 + 1.5 / 3, 1e-15);
    assert_close(eg_hat_scale(400, 0, 1), 400, 0);
}

/* sigmoid(2 * 0.5) = 1/(1 + 1/e) = 0.7310585786; far out nothing overflows, and the ends are exact. */
static void attention_is_a_sigmoid(void **state)
{
    (void)state;
    assert_close(eg_hat_attention(2, 0.5), 0.7310585786300049, 1e-15);
    assert_close(eg_hat_slope(2, 0.5), 2 * 0.7310585786300049 * 0.2689414213699951, 1e-15);
    assert_close(eg_hat_slope(2, -0.5), eg_hat_slope(2, 0.5), 0);
    assert_close(eg_hat_attention(400, 6), 1, 0);
    assert_close(eg_hat_attention(400, -6), 0, 0);
    assert_true(eg_hat_slope(400, 6) == 0);
    assert_true(eg_hat_slope(400, 1) > 0);
}

/* Slope times compensation is s_max/(2 (cosh e + 1)), the slope of s_max sigmoid(e), until |s e| is 50. */
static void the_gradient_is_compensated(void **state)
{
    (void)state;
    /* cosh 1 = 1.5430806348, cosh 0.5 = 1.1276259652 */
    assert_close(eg_hat_compensation(400, 2, 0.5),
                 400.0 / 2 * (1.5430806348152437 + 1) / (1.1276259652063807 + 1), 1e-10);
    for (double s = 0.01; s < 100; s *= 3) {
        double e = 0.4;
        double q = eg_hat_slope(s, e) * eg_hat_compensation(400, s, e);
        assert_close(q, 400 / (2 * (cosh(e) + 1)), 1e-9);
    }
    assert_close(eg_hat_compensation(400, 400, 1), (cosh(50) + 1) / (cosh(1) + 1), 1e9);
    assert_close(eg_hat_compensation(400, 400, -1), eg_hat_compensation(400, 400, 1), 0);
}

static void gates_go_by_both_units(void **state)
{
    (void)state;
    assert_close(eg_hat_gate(0.25, 0.75), 0.75, 0);
    assert_close(eg_hat_gate(1, 1), 0, 0);
    assert_close(eg_hat_gate(0, 1), 1, 0);
}

/* (0.5*1 + 0.8*0.25 + 1*0)/(1 + 0.25 + 0) = 0.56 */
static void only_new_units_cost(void **state)
{
    (void)state;
    const double a[] = {0.5, 0.8, 1};
    const double before[] = {0, 0.75, 1};
    const double all[] = {1, 1, 1};
    double slope[3];
    assert_close(eg_hat_penalty(3, a, before, slope), 0.56, 1e-15);
    assert_close(slope[0], 0.8, 1e-15);
    assert_close(slope[1], 0.2, 1e-15);
    assert_close(slope[2], 0, 0);
    assert_close(eg_hat_penalty(3, a, all, slope), 0, 0);
    assert_close(slope[0], 0, 0);
}

/* One hidden layer of four units: what its parameters and those of the head are, row by row. */
typedef struct parts {
    double w[WEIGHTS], b[UNITS], head[SCENE_CLASSES * UNITS], e[UNITS];
} parts;

static learner_scene opened(void)
{
    return subnetwork_open(SCENE("learner", "hat", "learner.s_max", "20", "learner.lambda", "0.6",
                                 "model.hidden", "[4]", "model.activation", "tanh",
                                 "optimizer.beta", "0", "optimizer.weight_decay", "0",
                                 "optimizer.lr", "0.01"));
}

static parts parts_of(const learner_scene *s, size_t task)
{
    parts p;
    char name[40];
    (void)snprintf(name, sizeof name, "task%03zu/layer1.attention", task);
    assert_int_equal(subnetwork_array(s, "network/layer1.weight", p.w), WEIGHTS);
    assert_int_equal(subnetwork_array(s, "network/layer1.bias", p.b), UNITS);
    assert_int_equal(subnetwork_array(s, "network/layer2.weight", p.head), SCENE_CLASSES * UNITS);
    assert_int_equal(subnetwork_array(s, name, p.e), UNITS);
    return p;
}

static void put(const eg_net *net, const char *name, size_t count, const double *values,
                eg_real *plane)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, name);
    eg_real row_by_row[WEIGHTS];
    for (size_t i = 0; i < count; i++) {
        row_by_row[i] = (eg_real)values[i];
    }
    eg_net_block_set(net, (size_t)(block - net->table.blocks), row_by_row, plane);
}

/* Loss plus term of these parameters at s. */
static double objective(learner_scene *s, const eg_batch *batch, const parts *p, double scale,
                        const double *before)
{
    const eg_net *net = scene_net(s);
    eg_real *theta = NULL;
    double head[SCENE_CLASSES * UNITS];
    double a[UNITS];
    assert_ok(eg_alloc(&theta, net->param_count, sizeof *theta));
    memcpy(theta, subnetwork_of(s)->raw, net->param_count * sizeof *theta);
    for (size_t u = 0; u < UNITS; u++) {
        a[u] = 1 / (1 + exp(-scale * p->e[u]));
    }
    for (size_t i = 0; i < SCENE_CLASSES * UNITS; i++) {
        head[i] = p->head[i] * a[i % UNITS];
    }
    put(net, "layer1.weight", WEIGHTS, p->w, theta);
    put(net, "layer1.bias", UNITS, p->b, theta);
    put(net, "layer2.weight", SCENE_CLASSES * UNITS, head, theta);
    double loss = subnetwork_loss(s, batch, theta);
    eg_free(theta);
    return loss + lambda * eg_hat_penalty(UNITS, a, before, NULL);
}

static double slope_at(learner_scene *s, const eg_batch *batch, parts *p, double *at, double scale,
                       const double *before)
{
    const double h = 1e-5;
    double kept = *at;
    *at = kept + h;
    double right = objective(s, batch, p, scale, before);
    *at = kept - h;
    double left = objective(s, batch, p, scale, before);
    *at = kept;
    return (right - left) / (2 * h);
}

static void assert_step(learner_scene *s, size_t phase, size_t step, const double *before)
{
    size_t batches = eg_stream_phase(s->stream, phase).steps;
    double scale = eg_hat_scale(s_max, step % batches, batches);
    parts p = parts_of(s, phase);
    double dw[WEIGHTS];
    double db[UNITS];
    double dhead[SCENE_CLASSES * UNITS];
    double de[UNITS];
    eg_batch batch;
    eg_cursor_get(s->cursor, phase, step, &batch);
    for (size_t i = 0; i < WEIGHTS; i++) {
        dw[i] = slope_at(s, &batch, &p, &p.w[i], scale, before);
    }
    for (size_t i = 0; i < SCENE_CLASSES * UNITS; i++) {
        dhead[i] = slope_at(s, &batch, &p, &p.head[i], scale, before);
    }
    for (size_t u = 0; u < UNITS; u++) {
        db[u] = slope_at(s, &batch, &p, &p.b[u], scale, before);
        de[u] = slope_at(s, &batch, &p, &p.e[u], scale, before);
    }
    (void)scene_step(s, phase, step);
    const parts q = parts_of(s, phase);
    for (size_t i = 0; i < WEIGHTS; i++) {
        assert_close((p.w[i] - q.w[i]) / lr, dw[i] * (1 - before[i / SCENE_INPUTS]), 1e-7);
    }
    for (size_t i = 0; i < SCENE_CLASSES * UNITS; i++) {
        assert_close((p.head[i] - q.head[i]) / lr, dhead[i], 1e-7);
    }
    for (size_t u = 0; u < UNITS; u++) {
        assert_close((p.b[u] - q.b[u]) / lr, db[u] * (1 - before[u]), 1e-7);
        /* Compensation makes differences' errors large where the sigmoid is flat, so it is taken back. */
        double compensation = eg_hat_compensation(s_max, scale, p.e[u]);
        if (fabs(q.e[u]) < 6) {
            assert_close((p.e[u] - q.e[u]) / (lr * compensation), de[u], 1e-7);
        }
        assert_true(q.e[u] != p.e[u]);
    }
}

static void gradients_are_those_of_the_objective(void **state)
{
    (void)state;
    learner_scene s = opened();
    double before[UNITS] = {0};
    scene_create(&s);
    for (size_t phase = 0; phase < 3; phase++) {
        size_t steps = eg_stream_steps(s.stream, phase);
        assert_ok(s.learner->ops->begin_phase(s.learner, phase));
        for (size_t step = 0; step < steps; step++) {
            assert_step(&s, phase, step, before);
        }
        scene_end(&s, phase);
        const parts p = parts_of(&s, phase);
        for (size_t u = 0; u < UNITS; u++) {
            before[u] = fmax(before[u], 1 / (1 + exp(-s_max * p.e[u])));
        }
    }
    assert_true(before[0] > 0);
    scene_close(&s);
}

/* A weight between units that earlier tasks attend to wholly stays, whatever decay and momentum do. */
static void wholly_attended_weights_stay(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE("learner", "hat"));
    double e[7];
    double w[2][7 * 9];
    scene_create(&s);
    subnetwork_learn(&s, 0);
    assert_int_equal(subnetwork_array(&s, "task000/layer1.attention", e), 7);
    (void)subnetwork_array(&s, "network/layer1.weight", w[0]);
    subnetwork_learn(&s, 1);
    (void)subnetwork_array(&s, "network/layer1.weight", w[1]);
    size_t stay = 0;
    for (size_t i = 0; i < 7 * 9; i++) {
        bool whole = 1 / (1 + exp(-400 * e[i / 9])) == 1;
        assert_true(whole ? w[1][i] == w[0][i] : w[1][i] != w[0][i]);
        stay += whole ? 1 : 0;
    }
    assert_true(stay > 0 && stay < 7 * 9);
    scene_close(&s);
}

/* A network whose numbers are counted, and e of every unit for each task. */
static void capacity_has_the_attention(void **state)
{
    (void)state;
    learner_scene s = subnetwork_open(SCENE("learner", "hat"));
    eg_learner_capacity capacity;
    scene_create(&s);
    assert_true(eg_learner_get_capacity(s.learner, 2, &capacity));
    assert_close(capacity.base, 98 + 12 + 24, 0);
    assert_close(capacity.stored, 98 + 12 + 24 + 2 * 12, 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_annealed),
        cmocka_unit_test(attention_is_a_sigmoid),
        cmocka_unit_test(the_gradient_is_compensated),
        cmocka_unit_test(gates_go_by_both_units),
        cmocka_unit_test(only_new_units_cost),
        cmocka_unit_test(gradients_are_those_of_the_objective),
        cmocka_unit_test(wholly_attended_weights_stay),
        cmocka_unit_test(capacity_has_the_attention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
