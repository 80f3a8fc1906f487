/** FlyModel: a toy of four inputs, four units and three classes worked out by hand; what must hold for
 *  any data; the learner around it. */
#include "testing.h"

#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/trial.h"
#include "learner/flymodel.h"

#include <math.h>
#include <string.h>

static eg_flymodel *make(eg_flymodel_shape shape, uint64_t seed)
{
    eg_flymodel *fly = NULL;
    assert_ok(eg_flymodel_create(&fly, &shape, seed));
    return fly;
}

/** Unit j listens to inputs j and j + 1, the last one to the last and the first. Two of four win. */
static eg_flymodel *toy(void)
{
    const uint32_t start[] = {0, 2, 4, 6, 8};
    const uint32_t unit[] = {0, 3, 0, 1, 1, 2, 2, 3};
    eg_flymodel *fly = make(
        (eg_flymodel_shape){
            .inputs = 4, .units = 4, .classes = 3, .ones = 2, .active = 0.5, .rate = 0.3},
        1);
    memcpy(fly->start, start, sizeof start);
    memcpy(fly->unit, unit, sizeof unit);
    return fly;
}

static void assert_code(const eg_flymodel *fly, size_t count, const size_t *winner,
                        const double *value)
{
    assert_int_equal(fly->count, count);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(fly->winner[k], winner[k]);
        assert_close((double)fly->value[k], value[k], 1e-6);
    }
}

static void assert_numbers(const eg_real *actual, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_close((double)actual[i], expected[i], 1e-6);
    }
}

/* a = (10, 6, 2, 2): x' = (1, 1/2, 0, 0), y = (3/2, 1/2, 0, 1); place (1 - 1/2)*3 = 1.5 lies between 1/2
 *     and 1: q = 3/4; code: unit 0: 1, unit 3: 2/3
 * b = (0, 1, 4, 2): x' = (0, 1/4, 1, 1/2), y = (1/4, 5/4, 3/2, 1/2); code: unit 1: 5/6, unit 2: 1
 * c = (1, 0, 0, 4): x' = (1/4, 0, 0, 1), y = (1/4, 0, 1, 5/4); code: unit 2: 4/5, unit 3: 1
 * t = (1, 1, 0, 0): y = (2, 1, 0, 1): q = 1 and three stay */
static const eg_real a[] = {10, 6, 2, 2};
static const eg_real b[] = {0, 1, 4, 2};
static const eg_real c[] = {1, 0, 0, 4};
static const eg_real t[] = {1, 1, 0, 0};
static const eg_real even[] = {7, 7, 7, 7};

static void codes_by_hand(void **state)
{
    (void)state;
    eg_flymodel *fly = toy();
    eg_flymodel_code(fly, a);
    assert_code(fly, 2, (const size_t[]){0, 3}, (const double[]){1, 2.0 / 3});
    eg_flymodel_code(fly, b);
    assert_code(fly, 2, (const size_t[]){1, 2}, (const double[]){5.0 / 6, 1});
    eg_flymodel_code(fly, c);
    assert_code(fly, 2, (const size_t[]){2, 3}, (const double[]){0.8, 1});
    eg_flymodel_code(fly, t);
    assert_code(fly, 3, (const size_t[]){0, 1, 3}, (const double[]){1, 0.5, 0.5});
    eg_flymodel_code(fly, even);
    assert_int_equal(fly->count, 0);
    eg_flymodel_free(fly);
}

/* Rate 0.3; rows after a -> 0, b -> 1, c -> 2:
 *     (0.3, 0, 0, 0.2), (0, 0.25, 0.3, 0), (0, 0, 0.24, 0.3)
 * Scores of a: 0.3 + 0.2*2/3 = 13/30, 0, 0.3*2/3 = 0.2. Of b: 0, 0.25*5/6 + 0.3 = 61/120, 0.24. */
static void three_classes_by_hand(void **state)
{
    (void)state;
    eg_flymodel *fly = toy();
    eg_real scores[3];
    eg_flymodel_code(fly, a);
    eg_flymodel_score(fly, scores);
    assert_true(isinf(scores[0]) && scores[0] < 0 && scores[1] == scores[0]);
    eg_flymodel_associate(fly, 0);
    assert_numbers(fly->weight, (const double[]){0.3, 0, 0, 0.2, 0, 0, 0, 0, 0, 0, 0, 0}, 12);
    eg_flymodel_code(fly, b);
    eg_flymodel_associate(fly, 1);
    /* Two classes are known, and only they can be predicted. */
    eg_flymodel_score(fly, scores);
    assert_numbers(scores, (const double[]){0, 61.0 / 120}, 2);
    assert_true(isinf(scores[2]) && scores[2] < 0);
    eg_flymodel_code(fly, c);
    eg_flymodel_associate(fly, 2);
    assert_numbers(fly->weight, (const double[]){0.3, 0, 0, 0.2, 0, 0.25, 0.3, 0, 0, 0, 0.24, 0.3},
                   12);
    eg_flymodel_score(fly, scores);
    eg_flymodel_code(fly, a);
    eg_flymodel_score(fly, scores);
    assert_numbers(scores, (const double[]){13.0 / 30, 0, 0.2}, 3);
    eg_flymodel_code(fly, b);
    eg_flymodel_score(fly, scores);
    assert_numbers(scores, (const double[]){0, 61.0 / 120, 0.24}, 3);
    /* Three more of a: unit 0 saturates at 1, unit 3 reaches 0.8, nothing else moves. */
    eg_flymodel_code(fly, a);
    for (size_t i = 0; i < 3; i++) {
        eg_flymodel_associate(fly, 0);
    }
    assert_numbers(fly->weight, (const double[]){1, 0, 0, 0.8, 0, 0.25, 0.3, 0, 0, 0, 0.24, 0.3},
                   12);
    eg_flymodel_free(fly);
}

enum { IN = 100, UNITS = 1000, CLASSES = 4, EXAMPLES = 40 };

static const eg_flymodel_shape large = {
    .inputs = IN, .units = UNITS, .classes = CLASSES, .ones = 9, .active = 0.01, .rate = 0.02};

static void random_images(eg_real *x)
{
    eg_rng rng = eg_rng_make(4, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)EXAMPLES * IN; i++) {
        x[i] = (eg_real)eg_rng_uniform(&rng);
    }
}

/* Every unit listens to `ones` different inputs, not to the same as its neighbour or in another trial. */
static void connections(void **state)
{
    (void)state;
    eg_flymodel *fly = make(large, 1);
    eg_flymodel *other = make(large, 2);
    eg_flymodel *same = make(large, 1);
    size_t heard[UNITS] = {0};
    assert_int_equal(fly->start[0], 0);
    assert_int_equal(fly->start[IN], UNITS * large.ones);
    for (size_t i = 0; i < IN; i++) {
        for (uint32_t k = fly->start[i]; k < fly->start[i + 1]; k++) {
            /* Ascending, so no unit listens to an input twice. */
            assert_true(k == fly->start[i] || fly->unit[k] > fly->unit[k - 1]);
            heard[fly->unit[k]]++;
        }
        /* 90 on average, deviation 9. */
        assert_in_range(fly->start[i + 1] - fly->start[i], 45, 135);
    }
    for (size_t j = 0; j < UNITS; j++) {
        assert_int_equal(heard[j], large.ones);
    }
    size_t size = UNITS * large.ones * sizeof *fly->unit;
    assert_memory_equal(fly->unit, same->unit, size);
    assert_memory_not_equal(fly->unit, other->unit, size);
    eg_flymodel_free(fly);
    eg_flymodel_free(other);
    eg_flymodel_free(same);
}

/* 0.01 of 1000 units: ten, for every image; the strongest is 1. Scale and offset of an image tell
 * nothing. In any order the same associations are learned, and only those of winners. */
static void any_order_teaches_the_same(void **state)
{
    (void)state;
    static eg_real x[EXAMPLES * IN];
    eg_flymodel *forth = make(large, 1);
    eg_flymodel *back = make(large, 1);
    uint8_t won[CLASSES][UNITS] = {{0}};
    random_images(x);
    for (size_t i = 0; i < EXAMPLES; i++) {
        eg_flymodel_code(forth, x + i * IN);
        assert_int_equal(forth->count, 10);
        eg_real most = 0;
        for (size_t k = 0; k < 10; k++) {
            won[i % CLASSES][forth->winner[k]] = 1;
            most = forth->value[k] > most ? forth->value[k] : most;
        }
        assert_close((double)most, 1.0, 1e-7);
        eg_flymodel_associate(forth, i % CLASSES);
        size_t j = EXAMPLES - 1 - i;
        eg_real scaled[IN];
        for (size_t k = 0; k < IN; k++) {
            scaled[k] = 4 * x[j * IN + k] - 8;
        }
        eg_flymodel_code(back, scaled);
        eg_flymodel_associate(back, j % CLASSES);
    }
    for (size_t k = 0; k < (size_t)CLASSES * UNITS; k++) {
        assert_close((double)forth->weight[k], (double)back->weight[k], 1e-5);
        assert_true((forth->weight[k] > 0) == (won[k / UNITS][k % UNITS] != 0));
    }
    eg_flymodel_free(forth);
    eg_flymodel_free(back);
}

static void out_of_memory(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    size_t failures = 0;
    eg_flymodel *fly = NULL;
    while (fly == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_flymodel_create(&fly, &large, 1);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(fly);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_int_equal(failures, 11);
    eg_flymodel_free(fly);
    eg_flymodel_free(NULL);
    assert_int_equal(eg_memory_live_blocks(), before);
}

static eg_status learner_of(eg_learner **out, const char *ones)
{
    const eg_assignment words[] = {{.name = "learner", .value = "flymodel"},
                                   {.name = "learner.units", .value = "50"},
                                   {.name = "learner.active", .value = "0.1"},
                                   {.name = "learner.ones", .value = ones}};
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), words, EG_COUNT(words)));
    eg_view root = eg_settings_root(settings);
    const eg_learner_setup setup = {
        .root = &root,
        .shape = {.features = IN, .outputs = CLASSES, .batch = EXAMPLES},
        .seed = 3,
        .block = EXAMPLES};
    eg_status status = eg_learner_create(out, &setup);
    eg_settings_free(settings);
    return status;
}

/* Everything was wrong before the first class was known, nothing of a repeated example is after it. */
static void the_learner(void **state)
{
    (void)state;
    static eg_real x[EXAMPLES * IN];
    uint32_t label[EXAMPLES];
    eg_real scores[2][EXAMPLES * CLASSES];
    eg_step_outcome out = {.loss = 0};
    double active = 0;
    eg_learner *learner = NULL;
    eg_learner *other = NULL;
    random_images(x);
    for (size_t i = 0; i < EXAMPLES; i++) {
        label[i] = (uint32_t)(i % CLASSES);
    }
    assert_fails(learner_of(&learner, "101"), EG_INVALID,
                 "learner.ones = 101; expected at most 100, the inputs there are");
    assert_ok(learner_of(&learner, "9"));
    assert_ok(learner_of(&other, "9"));
    eg_batch batch = {.size = 1, .x = x, .label = label + 2};
    assert_ok(learner->ops->step(learner, &batch, &out));
    assert_close(out.loss, 1.0, 0.0);
    assert_ok(learner->ops->step(learner, &batch, &out));
    assert_close(out.loss, 0.0, 0.0);
    batch = (eg_batch){.size = EXAMPLES, .x = x};
    assert_fails(learner->ops->step(learner, &batch, &out), EG_INVALID, "needs classes");
    batch.label = label;
    assert_ok(learner->ops->step(learner, &batch, &out));
    assert_in_range((size_t)(out.loss * EXAMPLES + 0.5), CLASSES - 1, EXAMPLES - 1);
    eg_writer writer = {0};
    learner->ops->write(learner, &writer);
    for (size_t size = 0; size < writer.size; size += 7) {
        eg_reader cut = eg_reader_make(writer.data, size);
        assert_fails(other->ops->read(other, &cut), EG_INVALID, "damaged data");
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(other->ops->read(other, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_ok(learner->ops->predict(learner, &batch, scores[0]));
    assert_ok(other->ops->predict(other, &batch, scores[1]));
    assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
    /* 5 of 50, but for ties. */
    assert_int_equal(learner->hidden_layers, 1);
    learner->ops->activity(learner, &active);
    assert_close(active, 0.1, 1e-3);
    assert_close(learner->ops->flops(learner), 50 * 9 + 2 * CLASSES * 5, 1e-12);
    eg_writer_clear(&writer);
    eg_learner_free(learner);
    eg_learner_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_by_hand), cmocka_unit_test(three_classes_by_hand),
        cmocka_unit_test(connections),   cmocka_unit_test(any_order_teaches_the_same),
        cmocka_unit_test(out_of_memory), cmocka_unit_test(the_learner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
