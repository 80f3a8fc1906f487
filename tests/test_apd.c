/** Additive parameter decomposition: gradients by central differences, what its terms keep, and what is
 *  counted; in double. */
#include "apd_scene.h"

#include "learner/capacity.h"

#include <math.h>
#include <stdio.h>

#define RATE 0.1
#define SLOW "optimizer", "sgd", "optimizer.lr", "0.1"
#define COMMON                                                                                     \
    "learner.lambda1", "0.03", "learner.lambda2", "2", "learner.weight_decay", "0.05",             \
        "learner.mask_l1", "0.02"

static double at(const eg_weights *w, const char *group, const char *name, size_t k)
{
    char full[EG_WEIGHTS_NAME_SIZE];
    (void)snprintf(full, sizeof full, "%s/%s", group, name);
    const eg_weights_array *array = eg_weights_find(w, full);
    return array != NULL ? array->values[k] : 0;
}

static const struct layer {
    const char *weight, *mask, *group;
    size_t units, inputs;
} layers[] = {{"layer1.weight", "layer1.weight.mask", "layer1.weight.group", 5, 9},
              {"layer2.weight", "layer2.weight.mask", "layer2.weight.group", 4, 5}};

static double theta(const eg_weights *w, size_t task, const struct layer *l, size_t k)
{
    char name[32];
    char shared[32];
    (void)snprintf(name, sizeof name, "task%03zu", task);
    double group = at(w, name, l->group, 0);
    (void)snprintf(shared, sizeof shared, "groups/%.0f", group);
    char full[64];
    (void)snprintf(full, sizeof full, "%s/%s", name, l->mask);
    bool masked = eg_weights_find(w, full) != NULL;
    double mask = masked ? 1 / (1 + exp(-at(w, name, l->mask, k / l->inputs))) : 1;
    return mask * at(w, "shared", l->weight, k) + at(w, name, l->weight, k) +
           (group < 0 ? 0 : at(w, shared, l->weight, k));
}

/* All but the loss: of weights w, where task `task` is learned and `begun` is what there was when it
 * began. */
static double penalties(const learner_scene *s, const eg_weights *w, const eg_weights *begun,
                        size_t task)
{
    const eg_apd_settings *set = &apd_of(s)->settings;
    char current[32];
    double sum = 0;
    (void)snprintf(current, sizeof current, "task%03zu", task);
    for (size_t p = 0; p < EG_COUNT(layers); p++) {
        const struct layer *l = &layers[p];
        for (size_t k = 0; k < l->units * l->inputs; k++) {
            double tau = at(w, current, l->weight, k);
            double sigma = at(w, "shared", l->weight, k);
            double drift = sigma - at(begun, "shared", l->weight, k);
            sum += set->lambda1 * fabs(tau) + set->weight_decay / 2 * tau * tau;
            sum += task == 0 ? set->weight_decay / 2 * sigma * sigma : 0;
            sum += !set->retroactive && task > 0 ? set->lambda2 / 2 * drift * drift : 0;
            for (size_t j = 0; set->retroactive && j < task; j++) {
                char old[32];
                (void)snprintf(old, sizeof old, "task%03zu", j);
                double e = theta(w, j, l, k) - theta(begun, j, l, k);
                sum += set->lambda2 / 2 * e * e + set->lambda1 * fabs(at(w, old, l->weight, k));
            }
        }
        for (size_t u = 0; u < l->units; u++) {
            double v = at(w, current, l->mask, u);
            sum += set->weight_decay / 2 * v * v + set->mask_l1 * fabs(v);
        }
    }
    return sum;
}

/* The objective at w, which also makes an update. */
static double objective(learner_scene *s, eg_weights *w, const eg_weights *begun, size_t task)
{
    assert_ok(eg_learner_set_weights(s->learner, w));
    return scene_step(s, task, 3) + penalties(s, w, begun, task);
}

/* Whether an array is of parameters that learn: biases and heads of old tasks do not. */
static bool learns(const learner_scene *s, const char *name, size_t task)
{
    char current[32];
    (void)snprintf(current, sizeof current, "task%03zu/", task);
    bool of_current = strncmp(name, current, strlen(current)) == 0;
    bool old_plane = strncmp(name, "task", 4) == 0 && (strstr(name, "layer1.weight") != NULL ||
                                                       strstr(name, "layer2.weight") != NULL);
    return strncmp(name, "groups", 6) != 0 && (of_current || strncmp(name, "shared", 6) == 0 ||
                                               (old_plane && apd_of(s)->settings.retroactive));
}

static void check_gradients(const char *const *settings, size_t task)
{
    const double h = 1e-5;
    learner_scene s;
    eg_weights begun;
    eg_weights before;
    eg_weights after;
    size_t checked = 0;
    apd_scene_open(&s, settings);
    for (size_t t = 0; t < task; t++) {
        apd_learn(&s, t);
    }
    apd_begin(&s, task);
    assert_ok(eg_learner_get_weights(&begun, s.learner));
    for (size_t k = 0; k < 3; k++) {
        (void)scene_step(&s, task, k);
    }
    assert_ok(eg_learner_get_weights(&before, s.learner));
    (void)scene_step(&s, task, 3);
    assert_ok(eg_learner_get_weights(&after, s.learner));
    for (size_t a = 0; a < before.count; a++) {
        eg_weights_array *array = &before.arrays[a];
        for (size_t k = 0; strcmp(array->role, "buffer") != 0 && k < array->count; k++) {
            double value = array->values[k];
            double gradient = (value - after.arrays[a].values[k]) / RATE;
            if (!learns(&s, array->name, task)) {
                assert_true(value == after.arrays[a].values[k]);
                continue;
            }
            array->values[k] = value + h;
            double high = objective(&s, &before, &begun, task);
            array->values[k] = value - h;
            double low = objective(&s, &before, &begun, task);
            array->values[k] = value;
            if (fabs((high - low) / (2 * h) - gradient) > 1e-6) {
                fail_msg("%s[%zu]: %.9g, expected %.9g", array->name, k, gradient,
                         (high - low) / (2 * h));
            }
            checked++;
        }
    }
    assert_true(checked >= (apd_of(&s)->settings.masks ? 65 + 65 + 9 + 9 + 10 : 65 + 65 + 9 + 10));
    eg_weights_clear(&begun);
    eg_weights_clear(&before);
    eg_weights_clear(&after);
    scene_close(&s);
}

static void gradients(void **state)
{
    (void)state;
    check_gradients(SCENE(SLOW, COMMON), 0);
    check_gradients(SCENE(SLOW, COMMON), 2);
    check_gradients(SCENE(SLOW, COMMON, "learner.retroactive", "false"), 2);
    check_gradients(SCENE(SLOW, COMMON, "learner.consolidate_every", "2", "learner.centroids", "1",
                          "learner.beta", "0.3"),
                    3);
    check_gradients(SCENE(SLOW, COMMON, "learner.masks", "false"), 2);
    /* All gradients at once. */
    check_gradients(SCENE(SLOW, COMMON, "optimizer.clip_norm", "1e9"), 2);
}

/* With lambda1 = 0 nothing but lambda2 moves what old tasks use. */
static void large_lambda2_keeps_old_tasks(void **state)
{
    (void)state;
    learner_scene s;
    eg_weights begun;
    eg_weights ended;
    apd_scene_open(&s, SCENE("learner.lambda1", "0", "learner.lambda2", "1e5", "optimizer.lr",
                             "1e-3", "stream.epochs", "100"));
    apd_learn(&s, 0);
    apd_begin(&s, 1);
    assert_ok(eg_learner_get_weights(&begun, s.learner));
    scene_learn(&s, 1);
    assert_ok(eg_learner_get_weights(&ended, s.learner));
    double error = 0;
    double size = 0;
    double moved = 0;
    for (size_t p = 0; p < EG_COUNT(layers); p++) {
        for (size_t k = 0; k < layers[p].units * layers[p].inputs; k++) {
            double was = theta(&begun, 0, &layers[p], k);
            double drift = at(&ended, "shared", layers[p].weight, k) -
                           at(&begun, "shared", layers[p].weight, k);
            error += pow(theta(&ended, 0, &layers[p], k) - was, 2);
            size += was * was;
            moved += drift * drift;
        }
    }
    assert_true(sqrt(error / size) < 1e-5);
    assert_true(sqrt(moved / size) > 1e-3);
    eg_weights_clear(&begun);
    eg_weights_clear(&ended);
    scene_close(&s);
}

/* One layer of 4 x 3 weights, two tasks, of which the first has two numbers above lambda1, the second
 * one: 12 + 3 + 2*3 = 21 of 12, 175 %, besides the heads. */
static void capacity_by_hand(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE("dataset.side", "2", "model.hidden", "[3]", "model.bias", "false",
                             "learner.lambda1", "0.5", "stream.epochs", "1"));
    eg_apd *self = apd_of(&s);
    for (size_t t = 0; t < 2; t++) {
        eg_learner_capacity of = {.stored = 0};
        apd_learn(&s, t);
        memset(eg_apd_plane(self, self->task[t].plane), 0,
               self->layout.weights * sizeof *self->all);
        eg_apd_plane(self, self->task[t].plane)[1] = (eg_real)(t == 0 ? -0.6 : 0.4);
        eg_apd_plane(self, self->task[t].plane)[2] = (eg_real)(t == 0 ? 0.7 : 0.9);
        eg_apd_plane(self, self->task[t].plane)[3] = (eg_real)0.5;
        double heads = (double)eg_heads_size(self->base.net, s.stream, t + 1);
        assert_true(heads == 6 * (double)(t + 1));
        assert_true(eg_learner_get_capacity(s.learner, t + 1, &of));
        assert_true(of.base - heads == 12);
        assert_true(of.stored - heads == (t == 0 ? 17 : 21));
    }
    /* 12 + 6 + 3 and the head of the current task, 6, of 12 + 3 (4 - 1) 2. */
    eg_record *record = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(s.learner->ops->declare(s.learner, record, 1));
    assert_ok(s.learner->ops->measure(s.learner, record, 0));
    assert_close(eg_record_find(record, "capacity_program")->data[0], 100 * 27.0 / 30, 1e-12);
    const double *sparsity = eg_record_find(record, "tau_sparsity")->data;
    const double *group = eg_record_find(record, "task_group")->data;
    assert_close(sparsity[0], 10.0 / 12, 1e-12);
    assert_close(sparsity[1], 11.0 / 12, 1e-12);
    assert_true(isnan(sparsity[2]) != 0 && isnan(group[2]) != 0);
    assert_true(group[0] == -1 && group[1] == -1);
    eg_record_free(record);
    scene_close(&s);
}

/* 11 operations per step, old task and weight, of which there are 65. */
static void operations_of_the_retroactive_term(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE("learner.lambda1", "0.01"));
    double expected = 0;
    for (size_t t = 0; t < 3; t++) {
        apd_learn(&s, t);
        expected += 11 * 65 * (double)t * (double)eg_stream_steps(s.stream, t);
        assert_true(eg_learner_extra_flops(s.learner) == expected);
    }
    /* One that was forgotten takes none. */
    assert_ok(eg_learner_forget(s.learner, 1));
    apd_learn(&s, 3);
    expected += 11 * 65 * 2 * (double)eg_stream_steps(s.stream, 3);
    assert_true(expected > 0 && eg_learner_extra_flops(s.learner) == expected);
    scene_close(&s);
    apd_scene_open(&s, SCENE("learner.retroactive", "false"));
    apd_learn(&s, 0);
    apd_learn(&s, 1);
    assert_true(eg_learner_extra_flops(s.learner) == 0);
    scene_close(&s);
}

/* The first task uses sigma as it is. */
static void a_plain_first_task(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE("learner.first_task", "plain"));
    apd_learn(&s, 0);
    eg_apd *self = apd_of(&s);
    eg_real *weights = NULL;
    assert_ok(eg_alloc(&weights, self->layout.weights, sizeof *weights));
    eg_apd_theta(self, 0, true, weights);
    assert_memory_equal(weights, self->all, self->layout.weights * sizeof *weights);
    eg_free(weights);
    apd_learn(&s, 1);
    assert_false(self->task[0].masked);
    assert_true(self->task[1].masked);
    scene_close(&s);
}

/* M = 1, and nothing of masks is stored; tau and biases begin as with masks. */
static void without_masks(void **state)
{
    (void)state;
    learner_scene s;
    learner_scene masked;
    apd_scene_open(&s, SCENE("learner.masks", "false"));
    apd_scene_open(&masked, SCENE("learner.lambda1", "4e-4"));
    apd_begin(&s, 0);
    apd_begin(&masked, 0);
    eg_apd *self = apd_of(&s);
    const eg_apd *other = apd_of(&masked);
    eg_real *weights = NULL;
    assert_ok(eg_alloc(&weights, self->layout.weights, sizeof *weights));
    eg_apd_theta(self, 0, true, weights);
    for (size_t k = 0; k < self->layout.weights; k++) {
        assert_true(weights[k] == 2 * self->all[k] && eg_apd_plane(self, 0)[k] == self->all[k]);
    }
    assert_memory_equal(self->all + self->layout.first_own, other->all + other->layout.first_own,
                        self->layout.own * sizeof *weights);
    (void)scene_step(&s, 0, 0);
    const eg_real *v = eg_apd_mask(self, 0);
    for (size_t u = 0; u < self->layout.units; u++) {
        assert_true(v[u] == 0);
    }
    eg_learner_capacity of = {.stored = 0};
    eg_learner_capacity beside = {.stored = 0};
    eg_apd *both[] = {self, apd_of(&masked)};
    for (size_t k = 0; k < 2; k++) {
        memset(eg_apd_plane(both[k], 0), 0, self->layout.weights * sizeof *weights);
    }
    assert_true(eg_learner_get_capacity(s.learner, 1, &of));
    assert_true(eg_learner_get_capacity(masked.learner, 1, &beside));
    assert_true(of.base == beside.base && of.stored == of.base && beside.stored == of.base + 9);
    eg_free(weights);
    scene_close(&s);
    scene_close(&masked);
}

/* Masks begin near 1/2, tau as sigma, and the head as the network began. */
static void how_a_task_begins(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE("model.hidden", "[400]"));
    eg_apd *self = apd_of(&s);
    apd_begin(&s, 0);
    assert_memory_equal(eg_apd_plane(self, 0), self->all, self->layout.weights * sizeof *self->all);
    const eg_real *v = eg_apd_mask(self, 0);
    double squares = 0;
    for (size_t u = 0; u < 400; u++) {
        assert_true(fabs((double)v[u]) <= 2 / (0.87962566 * 20));
        squares += (double)(v[u] * v[u]);
    }
    assert_close(sqrt(squares / 400), 1.0 / 20, 0.004);
    scene_close(&s);
    apd_scene_open(&s, SCENE("learner.tau_start", "zero"));
    apd_begin(&s, 0);
    for (size_t k = 0; k < apd_of(&s)->layout.weights; k++) {
        assert_true(eg_apd_plane(apd_of(&s), 0)[k] == 0);
    }
    scene_close(&s);
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    static const struct bad {
        const char *settings[5];
        const char *words;
    } bad[] = {
        {{"optimizer.weight_decay", "0.1"}, "decays some of what it learns"},
        {{"learner.l1", "proximal", "optimizer", "rmsprop"}, "optimizer = rmsprop does not say"},
        {{"model.norm", "online"}, "model.norm = online: it has running averages"},
    };
    for (size_t k = 0; k < EG_COUNT(bad); k++) {
        eg_settings *settings = small_settings(apd_small, EG_COUNT(apd_small), bad[k].settings);
        assert_fails(eg_trial_check(settings), EG_INVALID, bad[k].words);
        eg_settings_free(settings);
    }
    learner_scene s = scene_open_settings(
        small_settings(apd_small, EG_COUNT(apd_small), SCENE("model.norm", "online")), 1);
    s.setup.root = &s.root;
    assert_fails(eg_learner_create(&s.learner, &s.setup), EG_INVALID, "running averages");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),         cmocka_unit_test(large_lambda2_keeps_old_tasks),
        cmocka_unit_test(capacity_by_hand),  cmocka_unit_test(a_plain_first_task),
        cmocka_unit_test(without_masks),     cmocka_unit_test(operations_of_the_retroactive_term),
        cmocka_unit_test(how_a_task_begins), cmocka_unit_test(settings_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
