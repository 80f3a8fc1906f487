/** Importances of parameters, on networks without hidden layer where every gradient can be written
 *  down: y = W x + b, and the gradient of a function of y at weight (j, i) is dy_j x_i, at a bias dy_j.
 *  In double. */
#include "learner_scene.h"

#include <math.h>
#include <string.h>

/** dy [classes] of one example. */
typedef void (*error_of)(const double *y, uint32_t label, double *dy);

static double beta = 1;
static size_t begin = 0, end = SCENE_CLASSES; /* outputs that take part */

static void softmax(const double *y, double *p)
{
    double sum = 0;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        p[j] = j >= begin && j < end ? exp(beta * y[j]) : 0;
        sum += p[j];
    }
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        p[j] /= sum;
    }
}

static void empirical(const double *y, uint32_t label, double *dy)
{
    softmax(y, dy);
    dy[label] -= 1;
}

static void argmax(const double *y, uint32_t label, double *dy)
{
    (void)label;
    size_t best = begin;
    for (size_t j = begin; j < end; j++) {
        best = y[j] > y[best] ? j : best;
    }
    softmax(y, dy);
    dy[best] -= 1;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        dy[j] *= beta;
    }
}

static void length(const double *y, uint32_t label, double *dy)
{
    (void)label;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        dy[j] = j >= begin && j < end ? 2 * y[j] : 0;
    }
}

static void outputs_of(const eg_net *net, const eg_real *x, double *y)
{
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        y[j] = net->params[(size_t)SCENE_INPUTS * SCENE_LANES + j];
        for (size_t i = 0; i < SCENE_INPUTS; i++) {
            y[j] += net->params[i * SCENE_LANES + j] * x[i];
        }
    }
}

enum { PARAMS = (SCENE_INPUTS + 1) * SCENE_LANES };

/** expected [PARAMS] as documented: of the first `samples` examples of the last of two epochs, summed in
 * groups, then squared or made positive; the mean over examples. */
static void expect(learner_scene *s, size_t phase, size_t samples, size_t group, bool square,
                   error_of error, double *expected)
{
    double sum[PARAMS] = {0};
    memset(expected, 0, PARAMS * sizeof *expected);
    size_t steps = eg_stream_steps(s->stream, phase);
    size_t seen = 0;
    for (size_t step = steps / 2; step < steps && seen < samples; step++) {
        eg_batch batch;
        eg_cursor_get(s->cursor, phase, step, &batch);
        for (size_t b = 0; b < batch.size && seen < samples; b++) {
            double y[SCENE_CLASSES];
            double dy[SCENE_CLASSES];
            outputs_of(scene_net(s), batch.x + b * SCENE_INPUTS, y);
            error(y, batch.label[b], dy);
            for (size_t j = 0; j < SCENE_CLASSES; j++) {
                for (size_t i = 0; i <= SCENE_INPUTS; i++) {
                    double x = i < SCENE_INPUTS ? batch.x[b * SCENE_INPUTS + i] : 1;
                    sum[i * SCENE_LANES + j] += dy[j] * x;
                }
            }
            seen++;
            bool last = seen == samples || (step + 1 == steps && b + 1 == batch.size);
            for (size_t i = 0; (seen % group == 0 || last) && i < PARAMS; i++) {
                expected[i] += square ? sum[i] * sum[i] : fabs(sum[i]);
                sum[i] = 0;
            }
        }
    }
    for (size_t i = 0; i < PARAMS; i++) {
        expected[i] /= (double)seen;
    }
}

static void assert_importance(const learner_scene *s, size_t term, const double *expected)
{
    double total = 0;
    for (size_t i = 0; i < PARAMS; i++) {
        assert_close(scene_regularised(s)->terms[term].importance[i], expected[i], 1e-12);
        total += expected[i];
    }
    assert_true(total > 1e-3);
}

/** Of phase `phase`, whose importances are those of a term of its own if it is not the first. */
static void check_phase(const char *const *words, size_t phase, size_t samples, size_t group,
                        bool square, error_of error)
{
    double expected[PARAMS];
    learner_scene s = scene_open(words, 3);
    scene_create(&s);
    assert_int_equal(scene_net(&s)->param_count, PARAMS);
    for (size_t p = 0; p <= phase; p++) {
        scene_learn(&s, p);
    }
    expect(&s, phase, samples, group, square, error, expected);
    assert_importance(&s, phase, expected);
    scene_close(&s);
}

static void check(const char *const *words, size_t samples, size_t group, bool square,
                  error_of error)
{
    check_phase(words, 0, samples, group, square, error);
}

/* 20 examples per task: 8 + 8 + 4 in an epoch. */
static void single_examples(void **state)
{
    (void)state;
    beta = 1;
    check(SCENE("learner", "ewc", "learner.fisher", "empirical"), 20, 1, true, empirical);
    check(SCENE("learner", "ewc", "learner.fisher", "empirical", "learner.samples", "0"), 20, 1,
          true, empirical);
    check(SCENE("learner", "ewc", "learner.fisher", "argmax", "learner.samples", "11"), 11, 1, true,
          argmax);
    check(SCENE("learner", "mas", "learner.samples", "11"), 11, 1, false, length);
    beta = 0.25;
    check(SCENE("learner", "online_ewc", "learner.fisher", "argmax", "learner.beta", "0.25"), 20, 1,
          true, argmax);
}

/* Groups go on across minibatches, and the last one may be short: 3 3 3 2 and 16 4. */
static void groups_of_examples(void **state)
{
    (void)state;
    beta = 0.25;
    check(SCENE("learner", "ewc", "learner.fisher", "argmax", "learner.beta", "0.25",
                "learner.samples", "11", "learner.group", "3"),
          11, 3, true, argmax);
    beta = 1;
    check(SCENE("learner", "mas", "learner.group", "16"), 20, 16, false, length);
}

/* The exact Fisher information of weight (j, i) of a softmax over a linear layer is the mean of
 * p_j (1 - p_j) x_i^2: the expectation of (p_j - [j = c])^2 over c. */
static void check_exact(const char *const *words)
{
    beta = 1;
    double expected[PARAMS] = {0};
    learner_scene s = scene_open(words, 3);
    scene_create(&s);
    scene_learn(&s, 0);
    size_t steps = eg_stream_steps(s.stream, 0);
    for (size_t step = steps / 2; step < steps; step++) {
        eg_batch batch;
        eg_cursor_get(s.cursor, 0, step, &batch);
        for (size_t b = 0; b < batch.size; b++) {
            double p[SCENE_CLASSES];
            double y[SCENE_CLASSES];
            outputs_of(scene_net(&s), batch.x + b * SCENE_INPUTS, y);
            softmax(y, p);
            for (size_t k = 0; k < SCENE_CLASSES * (SCENE_INPUTS + 1); k++) {
                size_t i = k / SCENE_CLASSES;
                size_t j = k % SCENE_CLASSES;
                double x = i < SCENE_INPUTS ? batch.x[b * SCENE_INPUTS + i] : 1;
                expected[i * SCENE_LANES + j] += p[j] * (1 - p[j]) * x * x / 20;
            }
        }
    }
    assert_importance(&s, 0, expected);
    scene_close(&s);
}

static void exact_fisher(void **state)
{
    (void)state;
    check_exact(SCENE("learner", "ewc"));
}

/* Task t has classes 2t and 2t + 1. Where a phase's loss is over its active outputs, so is the softmax, and
 * parameters of the others have no importance. */
static void active_outputs(void **state)
{
    (void)state;
    end = 2;
    check_exact(SCENE("learner", "ewc", "stream.active", "task"));
    check_exact(SCENE("learner", "ewc", "stream.active", "seen"));
    check(SCENE("learner", "mas", "stream.active", "task"), 20, 1, false, length);
    begin = 2;
    end = 4;
    check_phase(SCENE("learner", "ewc", "learner.terms", "separate", "stream.active", "task",
                      "learner.fisher", "empirical"),
                1, 20, 1, true, empirical);
    begin = 0;
    beta = 0.25;
    check_phase(SCENE("learner", "ewc", "learner.terms", "separate", "stream.active", "seen",
                      "learner.fisher", "argmax", "learner.beta", "0.25", "learner.group", "3"),
                1, 20, 3, true, argmax);
    beta = 1;
    end = SCENE_CLASSES;
}

static bool wanted_once(void *user)
{
    size_t *asked = user;
    return ++*asked < 2;
}

/** Importances of phase 0 of a network with a hidden layer; `per_example` false: one example at a time;
 * `repeat`: once more after a measurement that was stopped. */
static void measure(const char *const *words, bool per_example, bool repeat, eg_real *out)
{
    learner_scene s = scene_open(words, 3);
    s.setup.root = &s.root;
    eg_gradient_learner learner = {.extra_flops = 0};
    eg_importance importance;
    eg_fisher fisher;
    eg_view view = eg_view_inside(&s.root, "learner");
    assert_ok(eg_gradient_learner_init(&learner, &s.setup, SCENE_BATCH, true));
    eg_sensitivity rule = eg_fisher_init(&fisher, &view, SCENE_CLASSES);
    assert_ok(eg_importance_init(&importance, &rule, &learner, &view, &s.setup));
    assert_true(importance.per_example);
    importance.per_example = per_example;
    const eg_real *result = NULL;
    assert_ok(eg_importance_measure(&importance, 0, &result));
    if (repeat) {
        size_t asked = 0;
        importance.wanted = wanted_once;
        importance.user = &asked;
        assert_fails(eg_importance_measure(&importance, 0, &result), EG_STOPPED,
                     "stopped after 8 examples");
        importance.wanted = NULL;
        assert_ok(eg_importance_measure(&importance, 0, &result));
    }
    assert_int_equal(learner.net->step, 0);
    memcpy(out, result, learner.net->param_count * sizeof *out);
    eg_importance_clear(&importance);
    eg_gradient_learner_clear(&learner);
    scene_close(&s);
}

/* Layers that do not know single gradients are asked one example at a time: the same numbers. */
static void one_at_a_time(void **state)
{
    (void)state;
    enum { WEIGHTS = 9 * 16 + 12 * 6 + 2 * 16 };
    static const char *const fisher[] = {"exact", "sampled", "argmax", "empirical"};
    for (size_t f = 0; f < EG_COUNT(fisher); f++) {
        const char *const *words =
            SCENE("learner", "ewc", "learner.fisher", fisher[f], "learner.samples", "13",
                  "model.hidden", "[12]", "model.activation", "swish", "model.weight_norm",
                  "[centered, plain]", "stream.active", f % 2 == 0 ? "task" : "all");
        eg_real fast[WEIGHTS] = {0};
        eg_real slow[WEIGHTS] = {0};
        eg_real again[WEIGHTS] = {0};
        measure(words, true, false, fast);
        measure(words, false, false, slow);
        measure(words, true, true, again);
        for (size_t i = 0; i < WEIGHTS; i++) {
            assert_close(fast[i], slow[i], 1e-12);
            assert_true(fast[i] == again[i]);
        }
    }
}

/* Training reads sparse minibatches, which may come without x; importances need it. */
static void sparse_streams(void **state)
{
    (void)state;
    double expected[PARAMS];
    learner_scene s = scene_open(SCENE("learner", "mas"), 3);
    scene_close_stream(&s);
    s.dataset->density = 0; /* as if it were worth it */
    scene_open_stream(&s, 3);
    s.setup.stream = s.stream;
    scene_create(&s);
    assert_true(s.learner->reads_sparse);
    s.cursor->setup.sparse_only = true;
    scene_learn(&s, 0);
    s.cursor->setup.sparse_only = false;
    expect(&s, 0, 20, 1, false, length, expected);
    assert_importance(&s, 0, expected);
    scene_close(&s);
}

/* Labels are drawn from the network's distribution: over all seeds the mean is the exact information. */
static void sampled_labels(void **state)
{
    (void)state;
    enum { SEEDS = 400 };
    double sum[SCENE_CLASSES] = {0};
    double exact[SCENE_CLASSES] = {0};
    learner_scene s = scene_open(SCENE("learner", "ewc", "learner.fisher", "sampled"), 3);
    s.setup.root = &s.root;
    eg_gradient_learner learner = {.extra_flops = 0};
    eg_view view = eg_view_inside(&s.root, "learner");
    assert_ok(eg_gradient_learner_init(&learner, &s.setup, SCENE_BATCH, true));
    eg_fisher fisher;
    eg_sensitivity rule = eg_fisher_init(&fisher, &view, SCENE_CLASSES);
    for (size_t k = 0; k <= SEEDS; k++) {
        eg_importance importance;
        bool last = k == SEEDS;
        fisher.label = last ? EG_FISHER_EXACT : EG_FISHER_SAMPLED;
        rule.rounds = last ? SCENE_CLASSES : 1;
        assert_ok(eg_importance_init(&importance, &rule, &learner, &view, &s.setup));
        importance.seed = k;
        const eg_real *result = NULL;
        assert_ok(eg_importance_measure(&importance, 0, &result));
        const eg_real *bias = result + SCENE_INPUTS * SCENE_LANES;
        for (size_t j = 0; j < SCENE_CLASSES; j++) {
            *(last ? &exact[j] : &sum[j]) += bias[j];
        }
        eg_importance_clear(&importance);
    }
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        /* 8000 labels; each square is within [0, 1]. */
        assert_true(fabs(sum[j] / SEEDS - exact[j]) < 4 * 0.5 / sqrt(SEEDS * 20.0));
    }
    eg_gradient_learner_clear(&learner);
    scene_close(&s);
}

static void exact_needs_single_examples(void **state)
{
    (void)state;
    const char *const learners[] = {"ewc", "online_ewc"};
    for (size_t k = 0; k < EG_COUNT(learners); k++) {
        learner_scene s = scene_open(SCENE("learner", learners[k], "learner.group", "4"), 1);
        assert_fails(eg_trial_check(s.settings), EG_INVALID,
                     "learner.fisher = exact weights the classes of every example, so it needs "
                     "learner.group = 1");
        s.setup.root = &s.root;
        assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "learner.group = 1");
        assert_null(s.learner);
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_examples), cmocka_unit_test(groups_of_examples),
        cmocka_unit_test(exact_fisher),    cmocka_unit_test(active_outputs),
        cmocka_unit_test(one_at_a_time),   cmocka_unit_test(sparse_streams),
        cmocka_unit_test(sampled_labels),  cmocka_unit_test(exact_needs_single_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
