/** Slowly-changing regression: what changes when, what the target is, and a trial without data or evaluations. */
#include "data_settings.h"
#include "small_settings.h"

#include "engram/random.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

enum { BITS = 8, INPUTS = 1 << BITS, BATCH = 7 };

static eg_cursor *open_stream(const char *const *more, uint64_t seed)
{
    eg_settings *settings = settings_of(more);
    eg_cursor *cursor = cursor_of(settings, NULL, seed, 0, 0);
    eg_settings_free(settings);
    return cursor;
}

#define STREAM(seed, ...)                                                                          \
    open_stream((const char *const[]){"stream", "bit_flipping", __VA_ARGS__, NULL}, seed)

static unsigned bits_of(const eg_batch *batch, size_t b, size_t bits)
{
    unsigned x = 0;
    for (size_t j = 0; j < bits; j++) {
        eg_real value = batch->x[b * bits + j];
        assert_true(value == 0 || value == 1);
        x |= value == 1 ? 1U << j : 0;
    }
    return x;
}

/** The inputs of the first `count` examples. */
static void inputs_of(eg_cursor *cursor, size_t count, unsigned *x)
{
    eg_batch batch;
    size_t at = 0;
    for (size_t step = 0; at < count; step++) {
        eg_cursor_get(cursor, 0, step, &batch);
        assert_null(batch.label);
        assert_non_null(batch.target);
        for (size_t b = 0; b < batch.size && at < count; b++) {
            x[at++] = bits_of(&batch, b, cursor->stream->shape.features);
        }
    }
}

enum { EXAMPLES = 2000, EVERY = 100 };

/** The slow bits stay for EVERY examples, then one is inverted, or all are drawn. */
static void slow_bits_change_slowly(void **state)
{
    (void)state;
    static unsigned x[2][EXAMPLES];
    unsigned inverted = 0;
    size_t several = 0;
    const unsigned slow = 0x7fff;
    for (size_t all = 0; all < 2; all++) {
        eg_cursor *cursor = STREAM(5, "stream.examples", "2000", "stream.flip_every", "100",
                                   "stream.batch", "7", "stream.flips", all ? "all" : "one");
        assert_int_equal(cursor->stream->shape.tasks, 0);
        assert_true(cursor->stream->shape.regression);
        inputs_of(cursor, EXAMPLES, x[all]);
        size_t fast_changes = 0;
        for (size_t i = 1; i < EXAMPLES; i++) {
            unsigned changed = (x[all][i] ^ x[all][i - 1]) & slow;
            fast_changes += (x[all][i] & ~slow) != (x[all][i - 1] & ~slow);
            if (i % EVERY != 0) {
                assert_int_equal(changed, 0);
            } else if (all == 0) {
                assert_int_equal(__builtin_popcount(changed), 1);
                inverted |= changed;
            } else {
                several += __builtin_popcount(changed) > 2;
            }
        }
        assert_in_range(fast_changes, EXAMPLES * 94 / 100, EXAMPLES * 99 / 100); /* 31/32 */
        cursor_free(cursor);
    }
    assert_true(__builtin_popcount(inverted) > 7); /* of 19 changes */
    assert_true(several > 15);
}

/** Whatever the batch, the member and the way there; another seed is another stream. */
static void any_way_through(void **state)
{
    (void)state;
    static unsigned x[EXAMPLES];
    eg_cursor *one =
        STREAM(5, "stream.examples", "2000", "stream.flip_every", "100", "stream.batch", "1");
    eg_cursor *seven =
        STREAM(5, "stream.examples", "2000", "stream.flip_every", "100", "stream.batch", "7");
    eg_cursor *other =
        STREAM(6, "stream.examples", "2000", "stream.flip_every", "100", "stream.batch", "1");
    eg_cursor *member = NULL;
    assert_ok(
        eg_cursor_open(&member, one->stream, &(eg_cursor_setup){.member = 3, .trains = true}));
    inputs_of(one, EXAMPLES, x);
    eg_batch batch, again, third;
    size_t same = 0;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    for (size_t k = 0; k < 200; k++) {
        size_t i = eg_rng_below(&rng, EXAMPLES);
        eg_cursor_get(seven, 0, i / BATCH, &batch);
        eg_cursor_get(member, 0, i, &again);
        eg_cursor_get(other, 0, i, &third);
        assert_int_equal(bits_of(&batch, i % BATCH, 20), x[i]);
        assert_int_equal(bits_of(&again, 0, 20), x[i]);
        assert_true(batch.target[i % BATCH] == again.target[0]);
        same += bits_of(&third, 0, 20) == x[i];
    }
    assert_true(same < 10);
    eg_cursor_get(seven, 0, EXAMPLES / BATCH, &batch);
    assert_int_equal(batch.size, EXAMPLES % BATCH);
    eg_cursor_close(member);
    cursor_free(one);
    cursor_free(seven);
    cursor_free(other);
}

/** With one unit the target tells its weights: it fires where enough bits agree with their signs. Returns how
 *  many, or 0 if no weights explain the targets. */
static int bound_of(const char *threshold, uint64_t seed)
{
    eg_cursor *cursor =
        STREAM(seed, "stream.examples", "20000", "stream.bits", "8", "stream.slow", "0",
               "stream.units", "1", "stream.threshold", threshold, "stream.batch", "1000");
    double y[INPUTS];
    eg_batch batch;
    int bound = 0;
    for (size_t i = 0; i < INPUTS; i++) {
        y[i] = (double)NAN;
    }
    for (size_t step = 0; step < 20; step++) {
        eg_cursor_get(cursor, 0, step, &batch);
        for (size_t b = 0; b < batch.size; b++) {
            unsigned x = bits_of(&batch, b, BITS);
            double target = (double)batch.target[b];
            assert_true(isnan(y[x]) || y[x] == target); /* a function of x */
            y[x] = target;
        }
    }
    for (unsigned signs = 0; signs < INPUTS && bound == 0; signs++) {
        for (int at = 1; at <= BITS && bound == 0; at++) {
            double fires = (double)NAN, silent = (double)NAN;
            bool fits = true;
            for (unsigned x = 0; x < INPUTS && fits; x++) {
                bool on = __builtin_popcount(~(x ^ signs) & 0xff) >= at;
                double *of = on ? &fires : &silent;
                *of = isnan(*of) ? y[x] : *of;
                fits = y[x] == *of;
            }
            /* The other signs explain it too, silent and firing exchanged. */
            bound = fits && fires != silent ? (at > 4 ? at : 9 - at) : 0;
        }
    }
    cursor_free(cursor);
    return bound;
}

/** 0.7 * 9 = 6.3 of 8 bits, plus or minus what the bias is worth: 1.5 in the program, 1 in the paper. */
static void thresholds(void **state)
{
    (void)state;
    size_t seen[2][BITS + 1] = {{0}};
    for (uint64_t seed = 0; seed < 12; seed++) {
        seen[0][bound_of("code", seed)]++;
        seen[1][bound_of("paper", seed)]++;
    }
    assert_int_equal(seen[0][5] + seen[0][8], 12);
    assert_true(seen[0][5] > 0 && seen[0][8] > 0);
    assert_int_equal(seen[1][6] + seen[1][8], 12);
    assert_int_equal(seen[1][8], seen[0][8]);
}

/** [sum_j w_j x_j + b > beta (m + 1) - S] as it is published, m = 20, beta = 0.7; bit j of `positive`: w_j = 1. */
static bool fires(bool code, unsigned positive, int b, unsigned x)
{
    int sum = b;
    int weights = 0;
    int negative = 0;
    for (unsigned j = 0; j < 20; j++) {
        int w = (positive >> j & 1) != 0 ? 1 : -1;
        sum += (x >> j & 1) != 0 ? w : 0;
        weights += w;
        negative += w < 0;
    }
    double s = code ? (20.0 - weights + b) / 2 : negative;
    return sum > 0.7 * 21 - s;
}

/** The rule in whole numbers, for every number of agreeing bits: 14 or more of them, or 17 (paper: 16) where the
 *  bias is -1. And the target is the sum over all units of what the published formula says. */
static void targets_are_those_of_the_formula(void **state)
{
    (void)state;
    enum { UNITS = 100, STEPS = 5, BLOCK = 400 };
    for (int code = 0; code < 2; code++) {
        for (int agree = 0; agree <= 20; agree++) {
            unsigned x = (1U << agree) - 1; /* with weights 1 so many agree */
            assert_int_equal(fires(code != 0, 0xfffff, 1, x), agree >= 14);
            assert_int_equal(fires(code != 0, 0xfffff, -1, x), agree >= (code != 0 ? 17 : 16));
            assert_int_equal(fires(code != 0, 0, 1, ~x & 0xfffff), agree >= 14);
            assert_int_equal(fires(code != 0, 0, -1, ~x & 0xfffff), agree >= (code != 0 ? 17 : 16));
        }
        eg_cursor *cursor =
            STREAM(9, "stream.examples", "2000", "stream.flip_every", "50", "stream.batch", "400",
                   "stream.threshold", code != 0 ? "code" : "paper");
        unsigned positive[UNITS];
        int bias[UNITS];
        int value[UNITS];
        eg_rng rng = eg_rng_make(9, EG_PURPOSE_TARGET, 0);
        int constant = eg_rng_below(&rng, 2) == 0 ? -1 : 1;
        for (size_t i = 0; i < UNITS; i++) {
            positive[i] = eg_rng_u32(&rng) & 0xfffff;
            bias[i] = eg_rng_below(&rng, 2) == 0 ? -1 : 1;
            value[i] = eg_rng_below(&rng, 2) == 0 ? -1 : 1;
        }
        for (size_t step = 0; step < STEPS; step++) {
            eg_batch batch;
            eg_cursor_get(cursor, 0, step, &batch);
            assert_int_equal(batch.size, BLOCK);
            for (size_t b = 0; b < batch.size; b++) {
                unsigned x = bits_of(&batch, b, 20);
                int y = constant;
                for (size_t i = 0; i < UNITS; i++) {
                    y += fires(code != 0, positive[i], bias[i], x) ? value[i] : 0;
                }
                assert_true((double)batch.target[b] == y);
            }
        }
        cursor_free(cursor);
    }
}

/** "name", "value", … after what every trial here has; an unreadable dataset among them. */
static eg_settings *trial_settings(const char *const *more)
{
    static const eg_assignment all[] = {
        {"stream", "bit_flipping", {0}},   {"stream.batch", "1", {0}},
        {"stream.examples", "4000", {0}},  {"loss", "squared_error", {0}},
        {"optimizer", "sgd", {0}},         {"optimizer.lr", "0.01", {0}},
        {"model.hidden", "[5]", {0}},      {"model.activation", "relu", {0}},
        {"model.weight_norm", "[]", {0}},  {"model.bias", "true", {0}},
        {"dataset.path", "/nowhere", {0}},
    };
    return small_settings(all, EG_COUNT(all), more);
}

#define TRIAL(...) trial_settings((const char *const[]){__VA_ARGS__, NULL})

/** No dataset is opened, nothing is evaluated, and the error falls. */
static void a_trial(void **state)
{
    (void)state;
    eg_settings *settings = TRIAL("measures", "[default, online]", "measures.online.bin", "1000");
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    double cost = 0;
    eg_trial_timing timing;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_trial_cost(&cost, settings));
    assert_true(cost >= 3.0 * 4000 * 2 * (20 * 5 + 5));
    assert_false(eg_trial_reads_data(settings));
    assert_false(eg_trial_uses(settings, "dataset.path"));
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_time(&timing, settings, cache, 0.01));
    assert_int_equal(timing.steps, 4000);
    const eg_trial_options options = {.objective = "mean_online_loss"};
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    assert_int_equal(eg_record_status(record), EG_TRIAL_DONE);
    assert_null(eg_record_find(record, "accuracy"));
    assert_null(eg_record_find(record, "online_accuracy"));
    const eg_array *loss = eg_record_find(record, "online_loss");
    assert_int_equal(loss->count, 4);
    assert_true(loss->data[3] < 0.8 * loss->data[0]);
    assert_close(eg_record_value(record, "objective"), eg_record_value(record, "mean_online_loss"),
                 0);
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

static double cost_of(eg_settings *settings)
{
    double cost = 0;
    assert_ok(eg_trial_cost(&cost, settings));
    eg_settings_free(settings);
    return cost;
}

/** The estimate has the forwards of looks at hidden units. */
static void cost_has_looks(void **state)
{
    (void)state;
    double plain = cost_of(TRIAL("measures", "[default]"));
    double forward = plain / (3 * 4000);
    double units = cost_of(TRIAL("measures", "[default, units]", "measures.units.examples", "100",
                                 "measures.units.every", "1500"));
    double both =
        cost_of(TRIAL("measures", "[default, units, rank]", "measures.units.examples", "5000"));
    assert_close(units - plain, 3 * 100 * forward, 1e-12);
    assert_close(both - plain, (4000 + 2000) * forward, 1e-12);
}

static void assert_refused(eg_settings *settings, const char *part)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    const eg_trial_options options = {.objective = "mean_online_loss"};
    assert_fails(eg_trial_check(settings), EG_INVALID, part);
    /* Nor does it crash when nobody checked. */
    assert_ok(eg_dataset_cache_create(&cache));
    assert_fails(eg_trial_run(&record, settings, 1, cache, &options), EG_INVALID, part);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    assert_refused(TRIAL("loss", "cross_entropy"), "loss = cross_entropy needs classes");
    assert_refused(TRIAL("learner", "ewc"), "learner ewc needs classes");
    assert_refused(TRIAL("learner", "flymodel"), "learner flymodel needs classes");
    assert_refused(TRIAL("learner", "ensemble", "learner.of", "replay"),
                   "learner replay needs classes");
    assert_refused(TRIAL("stream.slow", "21"),
                   "stream.slow = 21; expected at most stream.bits = 20");
    assert_refused(TRIAL("stream.epochs", "2"), "every example comes once");
    assert_refused(TRIAL("measures", "[default, accuracy]"),
                   "measures: accuracy needs classes, and the stream has targets");
    assert_refused(TRIAL("measures", "[default, class_accuracy]"),
                   "measures: class_accuracy needs classes, and the stream has targets");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_bits_change_slowly),
        cmocka_unit_test(any_way_through),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(targets_are_those_of_the_formula),
        cmocka_unit_test(a_trial),
        cmocka_unit_test(cost_has_looks),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
