/** The reservoir, and minibatches joined by what is drawn from it. */
#include "learner_scene.h"

#include "learner/reservoir.h"

#include <math.h>
#include <string.h>

/* 12 examples, room for 3: each is there at the end with probability 1/4, whatever its place. */
static void every_example_is_equally_likely_kept(void **state)
{
    (void)state;
    enum { OFFERED = 12, ROOM = 3, SEEDS = 4000 };
    size_t kept[OFFERED] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        eg_reservoir reservoir;
        eg_rng rng = eg_rng_make(seed, EG_PURPOSE_TEST, 0);
        assert_ok(eg_reservoir_init(&reservoir, ROOM, 2));
        for (uint32_t i = 0; i < OFFERED; i++) {
            const eg_real x[] = {(eg_real)i, -(eg_real)i};
            eg_reservoir_offer(&reservoir, &rng, x, i);
            assert_int_equal(eg_reservoir_count(&reservoir), i + 1 < ROOM ? i + 1 : ROOM);
        }
        for (size_t k = 0; k < ROOM; k++) {
            uint32_t label = reservoir.label[k];
            assert_true(reservoir.x[2 * k] == (eg_real)label);
            assert_true(reservoir.x[2 * k + 1] == -(eg_real)label);
            for (size_t other = 0; other < k; other++) {
                assert_true(reservoir.label[other] != label);
            }
            kept[label]++;
        }
        eg_reservoir_clear(&reservoir);
    }
    for (size_t i = 0; i < OFFERED; i++) {
        /* Four standard errors of a share of 1/4. */
        assert_true(fabs((double)kept[i] / SEEDS - 0.25) < 4 * sqrt(0.25 * 0.75 / SEEDS));
    }
}

static void draws_are_even(void **state)
{
    (void)state;
    enum { ROOM = 5, DRAWS = 10000 };
    size_t drawn[ROOM] = {0};
    eg_reservoir reservoir;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    const eg_real x[] = {0};
    assert_ok(eg_reservoir_init(&reservoir, 100, 1));
    for (uint32_t i = 0; i < ROOM; i++) {
        eg_reservoir_offer(&reservoir, &rng, x, i);
    }
    for (size_t k = 0; k < DRAWS; k++) {
        drawn[eg_reservoir_draw(&reservoir, &rng)]++;
    }
    for (size_t i = 0; i < ROOM; i++) {
        assert_true(fabs((double)drawn[i] / DRAWS - 0.2) < 4 * sqrt(0.2 * 0.8 / DRAWS));
    }
    eg_reservoir_clear(&reservoir);
}

/** Steps by hand: the plain learner on minibatches joined as documented. */
typedef struct joined {
    eg_real x[(SCENE_BATCH + 3) * SCENE_INPUTS];
    uint32_t label[SCENE_BATCH + 3];
} joined;

static void joins_what_it_draws(void **state)
{
    (void)state;
    enum { DRAWN = 3, SEED = 9 };
    learner_scene s =
        scene_open(SCENE("learner", "replay", "learner.capacity", "5", "learner.batch", "3"), SEED);
    learner_scene plain = scene_open(SCENE("learner", "plain"), SEED);
    plain.setup.shape.batch = SCENE_BATCH + DRAWN;
    scene_create(&s);
    scene_create(&plain);
    eg_reservoir memory;
    assert_ok(eg_reservoir_init(&memory, 5, SCENE_INPUTS));
    for (size_t step = 0; step < 4; step++) {
        joined j;
        eg_batch batch;
        eg_step_outcome outcome = {.loss = 0};
        eg_cursor_get(plain.cursor, 0, step, &batch);
        eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_LEARNER, step);
        memcpy(j.x, batch.x, batch.size * SCENE_INPUTS * sizeof *j.x);
        memcpy(j.label, batch.label, batch.size * sizeof *j.label);
        size_t more = step == 0 ? 0 : DRAWN; /* nothing is in memory yet */
        for (size_t k = 0; k < more; k++) {
            size_t row = eg_reservoir_draw(&memory, &rng);
            memcpy(j.x + (batch.size + k) * SCENE_INPUTS, memory.x + row * SCENE_INPUTS,
                   SCENE_INPUTS * sizeof *j.x);
            j.label[batch.size + k] = memory.label[row];
        }
        for (size_t b = 0; b < batch.size; b++) {
            eg_reservoir_offer(&memory, &rng, batch.x + b * SCENE_INPUTS, batch.label[b]);
        }
        eg_batch all = {.size = batch.size + more, .x = j.x, .label = j.label};
        assert_ok(plain.learner->ops->step(plain.learner, &all, &outcome));
        assert_true(scene_step(&s, 0, step) == outcome.loss);
        assert_memory_equal(scene_net(&s)->params, scene_net(&plain)->params,
                            scene_net(&s)->param_count * sizeof(eg_real));
    }
    eg_reservoir_clear(&memory);
    scene_close(&s);
    scene_close(&plain);
}

enum { SIDE = 18, PIXELS = SIDE * SIDE }; /* two blocks of columns */

/** A minibatch of 8 examples that is mostly background, -1. */
static void make_sparse(eg_real *x, eg_sparse *sparse, uint32_t *label)
{
    eg_rng rng = eg_rng_make(4, EG_PURPOSE_TEST, 0);
    uint32_t n = 0;
    sparse->rows = SCENE_BATCH;
    sparse->background = -1;
    for (size_t b = 0; b < SCENE_BATCH; b++) {
        label[b] = eg_rng_below(&rng, SCENE_CLASSES);
        for (size_t i = 0; i < PIXELS; i++) {
            bool background = eg_rng_uniform(&rng) < 0.6;
            eg_real value = background ? -1 : (eg_real)eg_rng_normal(&rng);
            x[b * PIXELS + i] = value;
            sparse->column[n] = (uint32_t)i;
            sparse->value[n] = value + 1;
            n += background ? 0 : 1;
            sparse->start[b * sparse->blocks + i / sparse->block + 1] = n;
        }
    }
}

/* Sparse minibatches stay sparse and what joins them is sparse, also when they come without
 * x: the same up to rounding, the memories too. */
static void sparse_minibatches(void **state)
{
    (void)state;
    static eg_real x[SCENE_BATCH * PIXELS];
    uint32_t label[SCENE_BATCH];
    eg_sparse *sparse = NULL;
    eg_step_outcome outcome[3] = {{.loss = 0}};
    learner_scene s[3];
    eg_writer written[3] = {{0}};
    assert_ok(eg_sparse_create(&sparse, SCENE_BATCH, PIXELS));
    assert_int_equal(sparse->blocks, 2);
    make_sparse(x, sparse, label);
    for (size_t k = 0; k < 3; k++) {
        s[k] = scene_open(SCENE("learner", "replay", "learner.capacity", "6", "dataset.side", "18"),
                          9);
        scene_create(&s[k]);
        assert_true(s[k].learner->reads_sparse);
        for (size_t step = 0; step < 3; step++) {
            eg_batch batch = {.size = SCENE_BATCH,
                              .x = k == 2 ? NULL : x,
                              .sparse = k == 0 ? NULL : sparse,
                              .label = label};
            assert_ok(s[k].learner->ops->step(s[k].learner, &batch, &outcome[k]));
        }
        s[k].learner->ops->write(s[k].learner, &written[k]);
    }
    for (size_t k = 1; k < 3; k++) {
        const eg_net *net = scene_net(&s[k]);
        assert_close(outcome[k].loss, outcome[0].loss, 1e-5);
        assert_int_equal(written[k].size, written[0].size);
        for (size_t i = 0; i < net->param_count; i++) {
            assert_close((double)net->params[i], (double)scene_net(&s[0])->params[i], 1e-5);
        }
    }
    assert_memory_equal(scene_net(&s[1])->params, scene_net(&s[2])->params,
                        scene_net(&s[1])->param_count * sizeof(eg_real));
    for (size_t k = 0; k < 3; k++) {
        eg_writer_clear(&written[k]);
        scene_close(&s[k]);
    }
    eg_sparse_free(sparse);
}

static void a_memory_is_kept(void **state)
{
    (void)state;
    eg_reservoir from;
    eg_reservoir to;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    assert_ok(eg_reservoir_init(&from, 4, 1));
    assert_ok(eg_reservoir_init(&to, 4, 1));
    for (uint32_t i = 0; i < 9; i++) {
        const eg_real x[] = {(eg_real)i};
        eg_reservoir_offer(&from, &rng, x, i);
    }
    eg_writer writer = {0};
    eg_reservoir_write(&from, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_reservoir_read(&to, 9, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_int_equal(to.seen, 9);
    assert_memory_equal(to.x, from.x, 4 * sizeof(eg_real));
    assert_memory_equal(to.label, from.label, 4 * sizeof(uint32_t));
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_reservoir_read(&to, 4, &reader), EG_INVALID, "expected 0 to 3");
    for (size_t size = 0; size < writer.size; size++) {
        reader = eg_reader_make(writer.data, size);
        eg_status status = eg_reservoir_read(&to, 9, &reader);
        assert_int_equal(status.code, EG_INVALID);
    }
    eg_writer_clear(&writer);
    eg_reservoir_clear(&from);
    eg_reservoir_clear(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_equally_likely_kept),
        cmocka_unit_test(draws_are_even),
        cmocka_unit_test(joins_what_it_draws),
        cmocka_unit_test(sparse_minibatches),
        cmocka_unit_test(a_memory_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
