/** Additive parameter decomposition in single precision: what must not change by a bit, states in files,
 *  and tasks that are forgotten. */
#include "apd_scene.h"
#include "writer_parts.h"

#include <stdio.h>

#define GROUPS                                                                                     \
    "learner.lambda1", "0.01", "learner.consolidate_every", "2", "learner.centroids", "1",         \
        "learner.beta", "0.08"
#define FIXED "learner.lambda1", "0.05", "learner.retroactive", "false"

/* All that tasks 0 … count-1 answer. */
typedef struct answers {
    eg_real *scores[APD_TASKS];
    size_t count[APD_TASKS];
} answers;

static answers ask(const learner_scene *s, size_t tasks)
{
    answers a = {.count = {0}};
    for (size_t t = 0; t < tasks; t++) {
        a.scores[t] = apd_scores(s, t, &a.count[t]);
    }
    return a;
}

/* Takes both; `but`: of this task nothing is compared. */
static void assert_answers(answers a, answers b, size_t but)
{
    for (size_t t = 0; t < APD_TASKS; t++) {
        if (t != but && a.count[t] > 0) {
            assert_int_equal(a.count[t], b.count[t]);
            assert_memory_equal(a.scores[t], b.scores[t], a.count[t] * sizeof *a.scores[t]);
        }
        eg_free(a.scores[t]);
        eg_free(b.scores[t]);
    }
}

/* Objective 1 with sigma as it was: old tasks answer as they did. */
static void frozen_sigma_keeps_answers(void **state)
{
    (void)state;
    static const char *const clips[] = {"0", "1"};
    for (size_t k = 0; k < EG_COUNT(clips); k++) {
        learner_scene s;
        apd_scene_open(
            &s, SCENE(FIXED, "learner.freeze_shared", "true", "optimizer.clip_norm", clips[k]));
        apd_learn(&s, 0);
        apd_learn(&s, 1);
        answers before = ask(&s, 2);
        apd_learn(&s, 2);
        apd_learn(&s, 3);
        assert_answers(before, ask(&s, 2), APD_TASKS);
        scene_close(&s);
    }
}

/* theta of an old task is theta* to the last bit before the first update, shared weights or not: with
 * lambda1 = 0 that update moves nothing of old tasks. */
static void the_first_error_is_zero(void **state)
{
    (void)state;
    static const char *const hidden[] = {"[5, 4]", "[70, 33]"};
    for (size_t k = 0; k < EG_COUNT(hidden); k++) {
        learner_scene s;
        apd_scene_open(&s, SCENE(GROUPS, "learner.lambda1", "0", "model.hidden", hidden[k]));
        apd_learn(&s, 0);
        apd_learn(&s, 1);
        apd_begin(&s, 2);
        eg_apd *self = apd_of(&s);
        size_t bytes = 2 * self->layout.plane * sizeof *self->all;
        eg_real *before = NULL;
        assert_ok(eg_alloc(&before, bytes, 1));
        memcpy(before, eg_apd_plane(self, 0), bytes);
        eg_real *sigma = NULL;
        assert_ok(eg_alloc(&sigma, self->layout.weights, sizeof *sigma));
        memcpy(sigma, self->all, self->layout.weights * sizeof *sigma);
        (void)scene_step(&s, 2, 0);
        assert_memory_equal(before, eg_apd_plane(self, 0), bytes);
        assert_memory_not_equal(sigma, self->all, self->layout.weights * sizeof *sigma);
        (void)scene_step(&s, 2, 1);
        assert_memory_not_equal(before, eg_apd_plane(self, 0), bytes);
        eg_free(before);
        eg_free(sigma);
        scene_close(&s);
    }
}

static void forget_one(const char *const *settings, size_t task, bool while_learning)
{
    learner_scene s;
    size_t learned = while_learning ? 3 : APD_TASKS;
    apd_scene_open(&s, settings);
    for (size_t t = 0; t < learned; t++) {
        apd_learn(&s, t);
    }
    if (while_learning) {
        apd_begin(&s, 3);
        (void)scene_step(&s, 3, 0);
        (void)scene_step(&s, 3, 1);
    }
    answers before = ask(&s, APD_TASKS);
    assert_ok(eg_learner_forget(s.learner, task));
    answers after = ask(&s, APD_TASKS);
    assert_memory_not_equal(before.scores[task], after.scores[task],
                            before.count[task] * sizeof *before.scores[task]);
    assert_answers(before, after, task);
    assert_fails(eg_learner_forget(s.learner, task), EG_INVALID, "nothing of it");
    /* It goes on without. */
    for (size_t k = 2; while_learning && k < 4; k++) {
        (void)scene_step(&s, 3, k);
    }
    scene_close(&s);
}

static void forgetting_leaves_others(void **state)
{
    (void)state;
    for (size_t task = 0; task < APD_TASKS; task++) {
        forget_one(SCENE(GROUPS), task, false);
        forget_one(SCENE(FIXED), task, false);
    }
    forget_one(SCENE(GROUPS), 1, true);
    forget_one(SCENE(FIXED), 1, true);
    forget_one(SCENE(GROUPS, "optimizer.clip_norm", "1"), 1, true);
    learner_scene s;
    apd_scene_open(&s, SCENE(GROUPS));
    apd_begin(&s, 0);
    assert_fails(eg_learner_forget(s.learner, 0), EG_INVALID, "while it is being learned");
    assert_fails(eg_learner_forget(s.learner, 1), EG_INVALID, "nothing of it");
    scene_close(&s);
}

/* A task that was forgotten can be learned again. */
static void a_forgotten_task_comes_again(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE(GROUPS));
    for (size_t t = 0; t < 3; t++) {
        apd_learn(&s, t);
    }
    assert_ok(eg_learner_forget(s.learner, 0));
    apd_learn(&s, 3);
    assert_int_equal(apd_of(&s)->planes, 3);
    apd_learn(&s, 0);
    assert_int_equal(apd_of(&s)->planes, 4);
    assert_true(apd_of(&s)->task[0].known);
    scene_close(&s);
}

/* Removes what belongs to a task. */
static void remove_task(eg_weights *weights, const char *group)
{
    size_t kept = 0;
    for (size_t k = 0; k < weights->count; k++) {
        if (strncmp(weights->arrays[k].name, group, strlen(group)) == 0) {
            eg_free(weights->arrays[k].values);
        } else {
            weights->arrays[kept++] = weights->arrays[k];
        }
    }
    assert_true(kept < weights->count);
    weights->count = kept;
}

/* Into a new learner, with and without one of the tasks. */
static void weights_go_to_another_learner(void **state)
{
    (void)state;
    static const char *const kinds[][3] = {{"learner.retroactive", "true"},
                                           {"learner.retroactive", "false"}};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        for (size_t missing = 0; missing < 2; missing++) {
            learner_scene s;
            learner_scene other;
            eg_weights weights;
            apd_scene_open(&s, SCENE(GROUPS, kinds[k][0], kinds[k][1]));
            apd_scene_open(&other, SCENE(GROUPS, kinds[k][0], kinds[k][1]));
            for (size_t t = 0; t < APD_TASKS; t++) {
                apd_learn(&s, t);
            }
            assert_ok(eg_learner_get_weights(&weights, s.learner));
            if (missing == 1) {
                remove_task(&weights, "task002/");
                assert_ok(eg_learner_forget(s.learner, 2));
            }
            assert_ok(eg_learner_set_weights(other.learner, &weights));
            assert_answers(ask(&s, APD_TASKS), ask(&other, APD_TASKS), APD_TASKS);
            apd_assert_same(&s, &other);
            eg_weights_clear(&weights);
            scene_close(&s);
            scene_close(&other);
        }
    }
}

/* Out and in again between steps changes nothing that comes after. */
static void weights_between_steps(void **state)
{
    (void)state;
    learner_scene s;
    learner_scene other;
    eg_weights weights;
    apd_scene_open(&s, SCENE(GROUPS));
    apd_scene_open(&other, SCENE(GROUPS));
    for (size_t t = 0; t < APD_TASKS; t++) {
        apd_learn(&s, t);
        apd_begin(&other, t);
        for (size_t step = 0; step < eg_stream_steps(other.stream, t); step++) {
            (void)scene_step(&other, t, step);
            assert_ok(eg_learner_get_weights(&weights, other.learner));
            assert_ok(eg_learner_set_weights(other.learner, &weights));
            eg_weights_clear(&weights);
        }
        scene_end(&other, t);
        apd_assert_same(&s, &other);
    }
    assert_answers(ask(&s, APD_TASKS), ask(&other, APD_TASKS), APD_TASKS);
    scene_close(&s);
    scene_close(&other);
}

/* Written and read after every minibatch. */
static void a_state_goes_on(void **state)
{
    (void)state;
    static const char *const kinds[][9] = {
        {GROUPS},
        {FIXED},
        {FIXED, "learner.consolidate_every", "2"},
        {"optimizer.clip_norm", "1", "learner.first_task", "plain"},
        {"learner.l1", "proximal", "learner.lambda1", "0.01"},
        {"learner.masks", "false", "learner.lambda1", "0.01"},
    };
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        learner_scene s;
        learner_scene other;
        apd_scene_open(&s, kinds[k]);
        apd_scene_open(&other, kinds[k]);
        for (size_t t = 0; t < APD_TASKS; t++) {
            apd_learn(&s, t);
            apd_begin(&other, t);
            for (size_t step = 0; step < eg_stream_steps(other.stream, t); step++) {
                scene_replace(&other);
                (void)scene_step(&other, t, step);
            }
            scene_end(&other, t);
            scene_replace(&other);
            apd_assert_same(&s, &other);
        }
        if (k == 0) {
            assert_ok(eg_learner_forget(s.learner, 1));
            assert_ok(eg_learner_forget(other.learner, 1));
            scene_replace(&other);
        }
        assert_answers(ask(&s, APD_TASKS), ask(&other, APD_TASKS), APD_TASKS);
        scene_close(&s);
        scene_close(&other);
    }
}

static const eg_assignment lenet[] = {
    {.name = "dataset", .value = "synthetic"},    {.name = "dataset.classes", .value = "40"},
    {.name = "dataset.side", .value = "8"},       {.name = "dataset.channels", .value = "3"},
    {.name = "dataset.examples", .value = "400"}, {.name = "stream", .value = "split"},
    {.name = "stream.tasks", .value = "20"},      {.name = "stream.active", .value = "task"},
    {.name = "stream.batch", .value = "10"},      {.name = "model", .value = "lenet"},
    {.name = "model.filters", .value = "[4, 6]"}, {.name = "model.hidden", .value = "[60, 40]"},
    {.name = "optimizer", .value = "adam"},
};

/* While the last of twenty tasks is learned on a LeNet: what goes into a checkpoint is pointed to, but for
 * what is small, and is byte for byte what a copy would be. */
static void a_state_of_twenty_tasks_is_no_copy(void **state)
{
    (void)state;
    enum { TASKS = 20 };
    learner_scene s;
    s = scene_open_settings(small_settings(lenet, EG_COUNT(lenet), SCENE("learner", "apd")), 1);
    scene_create(&s);
    for (size_t t = 0; t + 1 < TASKS; t++) {
        apd_learn(&s, t);
    }
    apd_begin(&s, TASKS - 1);
    (void)scene_step(&s, TASKS - 1, 0);
    const eg_apd *self = apd_of(&s);
    size_t weights = self->layout.weights * sizeof(eg_real);
    eg_writer copies = {.borrows = false};
    eg_writer borrows = {.borrows = true};
    s.learner->ops->write(s.learner, &copies);
    s.learner->ops->write(s.learner, &borrows);
    assert_ok(eg_writer_status(&copies));
    assert_ok(eg_writer_status(&borrows));
    /* tau and two moments of every task, theta* of the old ones. */
    assert_true(copies.size > (4 * TASKS - 1) * weights);
    assert_true(borrows.size < copies.size / 16);
    assert_parts_are(&borrows, &copies);
    eg_writer_clear(&copies);
    eg_writer_clear(&borrows);
    scene_close(&s);
}

/* Of a task that is not learned, tau takes the room of what is left of it. */
static void old_tasks_are_sparse(void **state)
{
    (void)state;
    learner_scene s;
    apd_scene_open(&s, SCENE(FIXED, "learner.lambda1", "0.4", "model.hidden", "[70, 33]"));
    apd_learn(&s, 0);
    apd_learn(&s, 1);
    const eg_apd *self = apd_of(&s);
    assert_non_null(self->task[0].tau.place);
    assert_true(self->task[0].tau.kept < self->layout.weights / 2);
    assert_true(self->task[0].plane == EG_APD_NONE);
    scene_close(&s);
}

static void a_store(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    const eg_real x[COUNT] = {0, 3, 0, 0, (eg_real)-0.5, 0, 0, 2, 0, (eg_real)0.25};
    eg_apd_store store = {.count = 0};
    eg_real room[COUNT];
    for (int dense = 0; dense < 2; dense++) {
        eg_real y[COUNT];
        for (size_t k = 0; k < COUNT; k++) {
            y[k] = dense == 1 && x[k] == 0 ? 9 : x[k];
        }
        assert_ok(eg_apd_store_put(&store, COUNT, y, 0.25));
        assert_true((store.place == NULL) == (dense == 1));
        for (size_t at = 0; at < COUNT; at++) {
            const eg_real *got = eg_apd_store_get(&store, at, COUNT - at, room);
            for (size_t k = at; k < COUNT; k++) {
                assert_true(got[k - at] == (k == 9 ? 0 : y[k]));
            }
        }
    }
    eg_apd_store_clear(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_sigma_keeps_answers),
        cmocka_unit_test(the_first_error_is_zero),
        cmocka_unit_test(forgetting_leaves_others),
        cmocka_unit_test(a_forgotten_task_comes_again),
        cmocka_unit_test(weights_go_to_another_learner),
        cmocka_unit_test(weights_between_steps),
        cmocka_unit_test(a_state_goes_on),
        cmocka_unit_test(a_state_of_twenty_tasks_is_no_copy),
        cmocka_unit_test(old_tasks_are_sparse),
        cmocka_unit_test(a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
