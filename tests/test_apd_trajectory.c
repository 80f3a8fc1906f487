/** Additive parameter decomposition along a path, against a NumPy program that was written from the
 *  formulas alone (tests/peer/apd_trajectory.py): all parameters after four tasks, and all losses on the
 *  way. */
#include "apd_scene.h"

#include "engram/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 6, BATCH = 5, PER_TASK = 2 };
#define TOLERANCE 1e-10

typedef struct array {
    char name[80];
    size_t count;
    double *values;
} array;

typedef struct reference {
    array *arrays;
    size_t count, capacity;
} reference;

static reference read_reference(void)
{
    reference r = {0};
    FILE *file = fopen(EG_TEST_DATA "/apd_trajectory.txt", "r");
    assert_non_null(file);
    array next = {.count = 0};
    while (fscanf(file, "%79s %zu", next.name, &next.count) == 2) {
        assert_ok(eg_alloc(&next.values, next.count, sizeof *next.values));
        for (size_t k = 0; k < next.count; k++) {
            assert_int_equal(fscanf(file, "%lf", &next.values[k]), 1);
        }
        assert_ok(eg_grow(&r.arrays, &r.capacity, r.count + 1, sizeof *r.arrays));
        r.arrays[r.count++] = next;
    }
    assert_true(feof(file) != 0);
    assert_int_equal(fclose(file), 0);
    return r;
}

static void clear_reference(reference *r)
{
    for (size_t k = 0; k < r->count; k++) {
        eg_free(r->arrays[k].values);
    }
    eg_free(r->arrays);
}

static const array *find(const reference *r, const char *group, const char *name)
{
    char full[160];
    (void)snprintf(full, sizeof full, "%s/%s", group, name);
    for (size_t k = 0; k < r->count; k++) {
        if (strcmp(r->arrays[k].name, full) == 0) {
            return &r->arrays[k];
        }
    }
    return NULL;
}

/* Puts what the path says in place of what the learner drew. */
static void put(const learner_scene *s, const reference *r, const char *group)
{
    eg_weights weights;
    assert_ok(eg_learner_get_weights(&weights, s->learner));
    for (size_t k = 0; k < weights.count; k++) {
        eg_weights_array *to = &weights.arrays[k];
        const array *from = find(r, "path", to->name);
        if (from != NULL && strncmp(to->name, group, strlen(group)) == 0) {
            assert_int_equal(from->count, to->count);
            memcpy(to->values, from->values, to->count * sizeof *to->values);
        }
    }
    assert_ok(eg_learner_set_weights(s->learner, &weights));
    eg_weights_clear(&weights);
}

static double step(const learner_scene *s, const reference *r, size_t task, size_t number)
{
    char group[20];
    (void)snprintf(group, sizeof group, "path/%zu", task);
    const array *x = find(r, group, "x");
    const array *label = find(r, group, "label");
    eg_real inputs[BATCH * APD_INPUTS];
    uint32_t labels[BATCH];
    assert_int_equal(x->count, STEPS * BATCH * APD_INPUTS);
    for (size_t k = 0; k < BATCH * APD_INPUTS; k++) {
        inputs[k] = (eg_real)x->values[number * BATCH * APD_INPUTS + k];
    }
    const eg_active *active = eg_stream_phase(s->stream, task).active;
    for (size_t b = 0; b < BATCH; b++) {
        labels[b] = active->output[(size_t)label->values[number * BATCH + b]];
    }
    const eg_batch batch = {.size = BATCH,
                            .x = inputs,
                            .label = labels,
                            .task = task,
                            .active = active,
                            .phase = task,
                            .step = number};
    eg_step_outcome outcome = {.loss = 0};
    assert_ok(s->learner->ops->step(s->learner, &batch, &outcome));
    return outcome.loss;
}

/* The starts that the path has are those which are drawn: of clusters 1, the first of four tasks. */
static void check_starts(const learner_scene *s, const reference *r)
{
    static const char *const names[] = {"start/layer1", "start/layer2"};
    for (size_t p = 0; p < 2; p++) {
        uint32_t order[APD_TASKS] = {0, 1, 2, 3};
        eg_rng rng = eg_rng_make(s->setup.seed, EG_PURPOSE_CLUSTER, APD_TASKS * 2 + p);
        eg_rng_shuffle(&rng, APD_TASKS, order);
        assert_int_equal(order[0], (int)find(r, "path", names[p])->values[0]);
    }
}

static void compare(const learner_scene *s, const reference *r, const char *variant)
{
    eg_weights weights;
    size_t compared = 0;
    size_t expected = 0;
    assert_ok(eg_learner_get_weights(&weights, s->learner));
    for (size_t k = 0; k < weights.count; k++) {
        const array *value = find(r, variant, weights.arrays[k].name);
        for (size_t i = 0; value != NULL && i < value->count; i++) {
            if (fabs(weights.arrays[k].values[i] - value->values[i]) > TOLERANCE) {
                fail_msg("%s: %s[%zu] is %.17g, expected %.17g", variant, weights.arrays[k].name, i,
                         weights.arrays[k].values[i], value->values[i]);
            }
        }
        compared += value != NULL ? 1 : 0;
    }
    for (size_t k = 0; k < r->count; k++) {
        bool own = strncmp(r->arrays[k].name, variant, strlen(variant)) == 0 &&
                   r->arrays[k].name[strlen(variant)] == '/';
        expected += own ? 1 : 0;
    }
    assert_int_equal(compared, expected - 1); /* the losses */
    eg_weights_clear(&weights);
}

static void follow(const reference *r, const char *variant, const char *const *settings)
{
    learner_scene s;
    apd_scene_open(&s, settings);
    check_starts(&s, r);
    put(&s, r, "shared");
    for (size_t t = 0; t < APD_TASKS; t++) {
        char group[20];
        (void)snprintf(group, sizeof group, "task%03zu", t);
        apd_begin(&s, t);
        /* A copy of sigma comes with begin, so that only what is drawn is put in place. */
        put(&s, r, group);
        for (size_t k = 0; k < STEPS; k++) {
            double loss = step(&s, r, t, k);
            assert_close(loss, find(r, variant, "losses")->values[t * STEPS + k], TOLERANCE);
        }
        scene_end(&s, t);
    }
    compare(&s, r, variant);
    scene_close(&s);
}

#define COMMON "learner.lambda1", "0.01", "learner.lambda2", "2", "learner.weight_decay", "1e-3"
#define GROUPS                                                                                     \
    COMMON, "learner.consolidate_every", "2", "learner.centroids", "1", "learner.beta", "0.08"
#define FIXED "learner.retroactive", "false", "learner.lambda2", "3"

static void every_objective(void **state)
{
    (void)state;
    reference r = read_reference();
    follow(&r, "fixed", SCENE(COMMON, FIXED, "learner.consolidate_every", "9"));
    follow(&r, "retroactive", SCENE(COMMON));
    follow(&r, "hierarchical", SCENE(GROUPS));
    clear_reference(&r);
}

static void every_option(void **state)
{
    (void)state;
    reference r = read_reference();
    follow(&r, "mean", SCENE(GROUPS, "learner.centre", "mean", "learner.mask_l1", "0.01"));
    follow(&r, "still_masks",
           SCENE(COMMON, "learner.retro_masks", "false", "learner.tau_start", "zero"));
    follow(&r, "plain_first", SCENE(GROUPS, "learner.first_task", "plain"));
    follow(&r, "no_masks", SCENE(GROUPS, "learner.masks", "false"));
    follow(&r, "proximal", SCENE(GROUPS, "learner.l1", "proximal"));
    follow(&r, "fixed_groups", SCENE(GROUPS, FIXED));
    clear_reference(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_objective),
        cmocka_unit_test(every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
