/** Tasks with outputs of their own: penalties on the trunk alone, l2t by hand, and what happens to the outputs
 *  of other tasks, which is nothing. In double precision. */
#include "learner_scene.h"

#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { SEED = 5 };

/* Task t has classes 2t and 2t + 1. */
#define NETWORK "stream.active", "task", "model.hidden", "[5]", "model.activation", "tanh"

/* Every learner with a penalty that can be on the trunk alone. */
static const char *const variants[][7] = {
    {"learner", "l2t", "learner.lambda", "0.5", NULL},
    {"learner", "ewc", "learner.lambda", "30", "learner.penalised", "trunk", NULL},
    {"learner", "online_ewc", "learner.lambda", "30", "learner.penalised", "trunk", NULL},
    {"learner", "mas", "learner.lambda", "0.3", "learner.penalised", "trunk", NULL},
    {"learner", "si", "learner.lambda", "5", "learner.penalised", "trunk", NULL},
};

/* A learner's words and more. */
static learner_scene opened(const char *const *words, const char *const *more)
{
    const char *all[SCENE_SETTINGS] = {NETWORK};
    size_t count = 6;
    for (size_t i = 0; words[i] != NULL; i++) {
        all[count++] = words[i];
    }
    for (size_t i = 0; more[i] != NULL; i++) {
        all[count++] = more[i];
    }
    assert_true(count < SCENE_SETTINGS);
    learner_scene s = scene_open(all, SEED);
    return s;
}

static void learn(learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
    scene_learn(s, phase);
}

/* Whether parameter i is the output layer's. */
static bool is_of_head(const eg_net *net, size_t i)
{
    const eg_parameter_block *weight = eg_parameter_table_find(&net->table, "layer2.weight");
    const eg_parameter_block *bias = eg_parameter_table_find(&net->table, "layer2.bias");
    return (i >= weight->offset && i < weight->offset + weight->count) ||
           (i >= bias->offset && i < bias->offset + bias->count);
}

static eg_real *copy_of(const eg_net *net)
{
    eg_real *copy = NULL;
    assert_ok(eg_alloc(&copy, net->param_count, sizeof *copy));
    memcpy(copy, net->params, net->param_count * sizeof *copy);
    return copy;
}

/* Penalties -------------------------------------------------------------------------------------- */

/* sum_p importance (w - anchor)^2 strength/2 over the trunk, from what the terms hold. */
static double penalty_by_hand(const learner_scene *s)
{
    const eg_regularised *self = scene_regularised(s);
    const eg_net *net = scene_net(s);
    double sum = 0;
    for (size_t t = 0; t < self->term_count; t++) {
        const eg_penalty_term *term = &self->terms[t];
        for (size_t i = 0; i < net->param_count; i++) {
            double away = net->params[i] - term->anchor[i];
            double importance = eg_ufloat16_value(term->rounded[i]);
            sum += term->active && !is_of_head(net, i)
                       ? 0.5 * term->strength * importance * away * away
                       : 0;
        }
        sum += term->active ? 0.5 * term->strength * term->rest : 0;
    }
    return sum;
}

/* Mean loss over a minibatch and its active outputs, plus that penalty. */
static double objective_of(learner_scene *s, const eg_batch *batch)
{
    eg_real y[SCENE_BATCH * SCENE_CLASSES];
    eg_net_touch(scene_net(s));
    assert_ok(s->learner->ops->predict(s->learner, batch, y));
    return eg_gradient_learner_loss(&scene_regularised(s)->gradient, batch, y) + penalty_by_hand(s);
}

/* With sgd the update is -lr times the gradient of loss plus penalty on the trunk. */
static void updates_follow_the_gradient(void **state)
{
    (void)state;
    const double lr = 0.05;
    const double h = 1e-5;
    for (size_t v = 0; v < EG_COUNT(variants); v++) {
        learner_scene s = opened(variants[v], SCENE("optimizer", "sgd"));
        scene_create(&s);
        learn(&s, 0);
        learn(&s, 1);
        assert_ok(eg_learner_begin_phase(s.learner, 2));
        (void)scene_step(&s, 2, 0);
        eg_net *net = scene_net(&s);
        eg_batch batch;
        eg_cursor_get(s.cursor, 2, 1, &batch);
        eg_real *before = copy_of(net);
        eg_real *slope = copy_of(net);
        for (size_t i = 0; i < net->param_count; i++) {
            net->params[i] = before[i] + h;
            double right = objective_of(&s, &batch);
            net->params[i] = before[i] - h;
            slope[i] = (right - objective_of(&s, &batch)) / (2 * h);
            net->params[i] = before[i];
        }
        eg_net_touch(net);
        assert_true(penalty_by_hand(&s) > 1e-7);
        (void)scene_step(&s, 2, 1);
        for (size_t i = 0; i < net->param_count; i++) {
            bool padding = before[i] == 0 && net->params[i] == 0;
            assert_close((before[i] - net->params[i]) / lr, padding ? 0 : slope[i], 1e-7);
        }
        eg_free(before);
        eg_free(slope);
        scene_close(&s);
    }
}

/* After the first task the importances of the trunk are those of the penalty on everything, and those of the
 * outputs are 0. */
static void importances_of_the_trunk_stay(void **state)
{
    (void)state;
    for (size_t v = 1; v < EG_COUNT(variants); v++) {
        const char *everything[5] = {NULL};
        memcpy(everything, variants[v], 4 * sizeof *everything);
        learner_scene s = opened(variants[v], SCENE("optimizer", "sgd"));
        learner_scene all = opened(everything, SCENE("optimizer", "sgd"));
        scene_create(&s);
        scene_create(&all);
        learn(&s, 0);
        learn(&all, 0);
        const eg_net *net = scene_net(&s);
        const eg_real *own = scene_regularised(&s)->terms[0].importance;
        const eg_real *others = scene_regularised(&all)->terms[0].importance;
        double head = 0;
        for (size_t i = 0; i < net->param_count; i++) {
            head += is_of_head(net, i) ? others[i] : 0;
            assert_true(own[i] == (is_of_head(net, i) ? 0 : others[i]));
        }
        assert_true(head > 0);
        scene_close(&s);
        scene_close(&all);
    }
}

/* One step of sgd after the first task: w - lr (g + lambda (w - anchor)) on the trunk, and w - lr g on the
 * outputs; g is what learner plain has at the same parameters. It goes on from where the first task ended. */
static void transfer_by_hand(void **state)
{
    (void)state;
    const double lr = 0.05;
    const double lambda = 0.5;
    learner_scene s = opened(SCENE("learner", "l2t"), SCENE("learner.lambda", "0.5"));
    learner_scene plain = opened(SCENE("learner", "plain"), SCENE("optimizer", "sgd"));
    scene_create(&s);
    scene_create(&plain);
    learn(&s, 0);
    learn(&plain, 0);
    eg_net *net = scene_net(&s);
    eg_net *free_net = ((eg_gradient_learner *)plain.learner)->net;
    assert_memory_equal(net->params, free_net->params, net->param_count * sizeof *net->params);
    eg_real *anchor = copy_of(net);
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_ok(eg_learner_begin_phase(plain.learner, 1));
    assert_memory_equal(net->params, anchor, net->param_count * sizeof *net->params);
    (void)scene_step(&s, 1, 0);
    (void)scene_step(&plain, 1, 0);
    /* At the anchor there is nothing to pull. */
    assert_memory_equal(net->params, free_net->params, net->param_count * sizeof *net->params);
    eg_real *before = copy_of(net);
    (void)scene_step(&s, 1, 1);
    (void)scene_step(&plain, 1, 1);
    double pulled = 0;
    for (size_t i = 0; i < net->param_count; i++) {
        double pull = is_of_head(net, i) ? 0 : lr * lambda * (before[i] - anchor[i]);
        assert_close(net->params[i], free_net->params[i] - pull, 1e-15);
        pulled += fabs(pull);
    }
    assert_true(pulled > 1e-4);
    eg_free(anchor);
    eg_free(before);
    scene_close(&s);
    scene_close(&plain);
}

/* Other tasks' outputs --------------------------------------------------------------------------- */

/* Weights and bias of one output. */
static void copy_output(const eg_net *net, size_t output, double *out)
{
    const eg_parameter_block *weight = eg_parameter_table_find(&net->table, "layer2.weight");
    const eg_parameter_block *bias = eg_parameter_table_find(&net->table, "layer2.bias");
    for (size_t i = 0; i < weight->count; i++) {
        if (eg_parameter_unit(weight, i) == output) {
            *out++ = net->params[weight->offset + i];
        }
    }
    *out = net->params[bias->offset + output];
}

enum { OF_AN_OUTPUT = 5 + 1 };

/* Learns two tasks; whether the outputs of the first and the last are in the second what they were before, and
 * those of the second are not. */
static bool others_stay(const char *const *words, const char *const *more)
{
    learner_scene s = opened(words, more);
    eg_learner_network network;
    double before[SCENE_CLASSES][OF_AN_OUTPUT];
    double after[SCENE_CLASSES][OF_AN_OUTPUT];
    size_t numbers = OF_AN_OUTPUT;
    bool stay = true;
    scene_create(&s);
    learn(&s, 0);
    assert_true(s.learner->ops->network(s.learner, 0, &network));
    for (size_t c = 0; c < SCENE_CLASSES; c++) {
        copy_output(network.net, c, before[c]);
    }
    learn(&s, 1);
    for (size_t c = 0; c < SCENE_CLASSES; c++) {
        copy_output(network.net, c, after[c]);
        bool stays = memcmp(before[c], after[c], numbers * sizeof **before) == 0;
        assert_true(c / 2 != 1 || !stays);
        stay = stay && (stays || c / 2 == 1);
    }
    scene_close(&s);
    return stay;
}

#define ADAM "optimizer", "adam", "optimizer.lr", "0.01"
#define MOMENTUM "optimizer", "sgdm", "optimizer.beta", "0.9"
#define DECAY "optimizer.weight_decay", "0.01", "optimizer.decay_spares", "[bias]"

/* No decay, moment or penalty moves the outputs of tasks that are not learned: what their published form
 * needs, and the settings that give it. */
static void outputs_of_other_tasks_stay(void **state)
{
    (void)state;
    static const char *const plain[] = {"learner", "plain", NULL};
    for (size_t v = 0; v <= EG_COUNT(variants); v++) {
        const char *const *words = v < EG_COUNT(variants) ? variants[v] : plain;
        assert_true(others_stay(words, SCENE("optimizer", "sgd")));
        assert_true(others_stay(
            words, SCENE(ADAM, DECAY, "optimizer.decays", "trunk", "optimizer.restart", "phase")));
        assert_true(others_stay(words, SCENE(MOMENTUM, DECAY, "optimizer.decays", "trunk",
                                             "optimizer.restart", "phase")));
        assert_true(others_stay(words, SCENE(ADAM, DECAY, "optimizer.decays", "trunk",
                                             "optimizer.decay", "decoupled", "optimizer.restart",
                                             "phase", "optimizer.clip_norm", "0.5")));
        /* Without these settings it is not so. */
        assert_false(others_stay(words, SCENE(ADAM, DECAY, "optimizer.restart", "phase")));
        assert_false(others_stay(words, SCENE(ADAM)));
        assert_false(others_stay(words, SCENE(MOMENTUM)));
    }
}

/* The rate of every task is lr 0.95^e in its epoch e, and its moments begin at zero: the first update of adam
 * is -lr sign(g) in every task. */
static void every_task_begins_anew(void **state)
{
    (void)state;
    learner_scene s = opened(SCENE("learner", "l2t"),
                             SCENE(ADAM, "optimizer.epsilon", "1e-30", "optimizer.restart", "phase",
                                   "optimizer.schedule", "epochs", "optimizer.schedule.gamma",
                                   "0.95", "optimizer.schedule.period", "1", "stream.epochs", "3"));
    scene_create(&s);
    eg_net *net = scene_net(&s);
    for (size_t phase = 0; phase < 2; phase++) {
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        size_t steps = eg_stream_phase(s.stream, phase).steps;
        for (size_t step = 0; step < 3 * steps; step++) {
            eg_real *before = copy_of(net);
            (void)scene_step(&s, phase, step);
            const eg_optimizer *optimizer = scene_regularised(&s)->gradient.optimizer;
            double rate = 0.01 * pow(0.95, (double)(step / steps));
            assert_close(eg_optimizer_rate(optimizer), rate, 1e-15);
            for (size_t i = 0; step == 0 && i < net->param_count; i++) {
                double change = fabs(net->params[i] - before[i]);
                assert_true(change == 0 || fabs(change - rate) < 1e-12);
            }
            eg_free(before);
        }
        scene_end(&s, phase);
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_follow_the_gradient),
        cmocka_unit_test(importances_of_the_trunk_stay),
        cmocka_unit_test(transfer_by_hand),
        cmocka_unit_test(outputs_of_other_tasks_stay),
        cmocka_unit_test(every_task_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
