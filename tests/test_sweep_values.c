/** Generated values with their ends by hand, and sampling: distributions, determinism, the prefix property. */
#include "testing.h"

#include "engram/pack.h"
#include "engram/random.h"
#include "engram/sweep.h"
#include "plans.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_values(const char *setting, const char *values, const char *expected)
{
    char text[400];
    (void)snprintf(text, sizeof text, "name: t\nseeds: 3\ngrid: {%s: %s}\n", setting, values);
    eg_plan *plan = plan_of(text, NULL);
    assert_column(plan, setting, expected);
    eg_plan_free(plan);
}

static void test_range(void **state)
{
    (void)state;
    assert_values("optimizer.lr", "{range: [0.1, 0.5, 0.1]}", "0.1 0.2 0.3 0.4 0.5");
    assert_values("optimizer.lr", "{range: [0.1, 0.55, 0.1]}", "0.1 0.2 0.3 0.4 0.5");
    assert_values("optimizer.lr", "{range: [1, 0.25, -0.25]}", "1 0.75 0.5 0.25");
    assert_values("optimizer.lr", "{range: [3, 3, 1]}", "3");
    assert_values("optimizer.lr", "{range: [8e-6, 1e-5, 1e-6]}", "8e-06 9e-06 1e-05");
    assert_values("stream.epochs", "{range: [1, 10, 4]}", "1 5 9");
    assert_values("stream.epochs", "[7, {range: [1, 2, 1]}, 9]", "7 1 2 9");
    assert_fails(plan_status("name: t\ngrid: {stream.epochs: {range: [1, 2, 0.5]}}\n", NULL),
                 EG_INVALID, "stream.epochs = 1.5: must be an integer");
}

static void test_linspace(void **state)
{
    (void)state;
    assert_values("optimizer.lr", "{linspace: [1, 2, 5]}", "1 1.25 1.5 1.75 2");
    assert_values("optimizer.lr", "{linspace: [0.1, 0.4, 4]}", "0.1 0.2 0.3 0.4");
    assert_values("optimizer.lr", "{linspace: [0.4, 0.1, 2]}", "0.4 0.1");
    assert_values("optimizer.lr", "{linspace: [0.12345678901234568, 1, 2]}",
                  "0.12345678901234568 1");
    assert_values("stream.epochs", "{linspace: [1, 10, 3]}",
                  "1 6 10"); /* 5.5 to the even integer */
}

static void test_logspace(void **state)
{
    (void)state;
    assert_values("optimizer.lr", "{logspace: [1e-4, 1e-1, 4]}", "0.0001 0.001 0.01 0.1");
    assert_values("optimizer.lr", "{logspace: [16, 1, 5]}", "16 8 4 2 1");
    assert_values("optimizer.lr", "{logspace: [1, 2, 3]}", "1 1.41421356237 2");
    assert_values("stream.batch", "{logspace: [16, 128, 4]}", "16 32 64 128");
    assert_values("model.hidden", "{logspace: [10, 1000, 3]}", "[10] [100] [1000]");
}

/* Sampling --------------------------------------------------------------------------------------- */

static eg_plan *sample(const char *options, const char *settings)
{
    char text[600];
    (void)snprintf(text, sizeof text, "name: t\nseeds: 3\nsample: {%s, settings: {%s}}\n", options,
                   settings);
    return plan_of(text, NULL);
}

static double number(const eg_plan *plan, size_t point, const char *name)
{
    return eg_settings_find(plan->points[point].settings, name)->value.real;
}

static const char one_rate[] = "optimizer.lr: {loguniform: [1e-5, 1e-1]}";
static const char rate_and_clip[] =
    "optimizer.clip: {uniform: [0, 1]}, optimizer.lr: {loguniform: [1e-5, 1e-1]}";

static void assert_prefix(const char *method)
{
    char few[80];
    char many[80];
    char other_seed[80];
    (void)snprintf(few, sizeof few, "count: 5, seed: 4, method: %s", method);
    (void)snprintf(many, sizeof many, "count: 40, seed: 4, method: %s", method);
    (void)snprintf(other_seed, sizeof other_seed, "count: 5, seed: 5, method: %s", method);
    eg_plan *a = sample(few, one_rate);
    eg_plan *b = sample(many, one_rate);
    eg_plan *c = sample(other_seed, one_rate);
    assert_int_equal(a->point_count, 5);
    assert_int_equal(b->point_count, 40);
    for (size_t k = 0; k < 5; k++) {
        assert_true(a->trials[k].id == b->trials[k].id);
        assert_true(a->trials[k].id != c->trials[k].id);
        assert_true(k == 0 || a->trials[k].id != a->trials[0].id);
    }
    eg_plan_free(a);
    eg_plan_free(b);
    eg_plan_free(c);
}

static void test_prefix_property(void **state)
{
    (void)state;
    assert_prefix("random");
    assert_prefix("halton");
    assert_prefix("sobol");
}

/** The rule itself: identities of sampled points must never change. */
static void test_random_draws_by_hand(void **state)
{
    (void)state;
    eg_plan *plan = sample("count: 3, seed: 4", "optimizer.clip: {uniform: [10, 20]}");
    uint64_t key = eg_hash64("4:optimizer.clip", 16);
    for (size_t k = 0; k < 3; k++) {
        eg_rng rng = eg_rng_make(key, EG_PURPOSE_SAMPLE, k);
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%.12g", 10 + 10 * eg_rng_uniform(&rng));
        assert_string_equal(eg_test_value(plan, k, "optimizer.clip"), expected);
    }
    eg_plan_free(plan);
}

static void test_draws_belong_to_settings(void **state)
{
    (void)state;
    eg_plan *alone = sample("count: 6, seed: 1", one_rate);
    eg_plan *beside = sample("count: 6, seed: 1", rate_and_clip);
    for (size_t k = 0; k < 6; k++) {
        assert_string_equal(eg_test_value(alone, k, "optimizer.lr"),
                            eg_test_value(beside, k, "optimizer.lr"));
    }
    eg_plan_free(alone);
    eg_plan_free(beside);
    eg_plan *one_order = sample("count: 6, seed: 1, method: halton", rate_and_clip);
    eg_plan *other_order =
        sample("count: 6, seed: 1, method: halton",
               "optimizer.lr: {loguniform: [1e-5, 1e-1]}, optimizer.clip: {uniform: [0, 1]}");
    for (size_t k = 0; k < 6; k++) {
        assert_true(one_order->trials[k].id == other_order->trials[k].id);
    }
    eg_plan_free(one_order);
    eg_plan_free(other_order);
}

/** Share of the draws with lr below 10^-3, the middle of the logarithmic interval, and other moments. */
static void test_distributions(void **state)
{
    (void)state;
    enum { N = 4000 };
    eg_plan *plan =
        sample("count: 4000, seed: 2",
               "optimizer.lr: {loguniform: [1e-5, 1e-1]}, optimizer.clip: {uniform: [1, 3]},"
               " stream.epochs: {int: [1, 4]}, stream.batch: {logint: [1, 1023]},"
               " model.activation.alpha: {normal: [50, 2]},"
               " model.hidden: {choice: [[5], [6, 6]]}");
    assert_int_equal(plan->point_count, N);
    double low = 0;
    double clip = 0;
    double clip_squares = 0;
    double epochs[5] = {0};
    double small_batch = 0;
    double alpha = 0;
    double alpha_squares = 0;
    double first_choice = 0;
    for (size_t k = 0; k < N; k++) {
        double lr = number(plan, k, "optimizer.lr");
        double c = number(plan, k, "optimizer.clip");
        double batch = number(plan, k, "stream.batch");
        double a = number(plan, k, "model.activation.alpha");
        assert_true(lr >= 1e-5 && lr <= 1e-1 && c >= 1 && c <= 3 && batch >= 1 && batch <= 1023);
        low += lr < 1e-3;
        clip += c;
        clip_squares += c * c;
        epochs[(size_t)number(plan, k, "stream.epochs")]++;
        small_batch += batch < 32;
        alpha += a;
        alpha_squares += (a - 50) * (a - 50);
        first_choice += strcmp(eg_test_value(plan, k, "model.hidden"), "[5]") == 0;
    }
    /* Tolerances of about four standard errors. */
    assert_close(low / N, 0.5, 0.032);
    assert_close(clip / N, 2, 0.02);
    assert_close(clip_squares / N, 4 + 1.0 / 3, 0.04);
    for (size_t e = 1; e <= 4; e++) {
        assert_close(epochs[e] / N, 0.25, 0.028);
    }
    assert_close(small_batch / N, 0.5, 0.032); /* log 32 is half of log 1024 */
    assert_close(alpha / N, 50, 0.003);
    assert_close(alpha_squares / N, 4, 0.1);
    assert_close(first_choice / N, 0.5, 0.032);
    eg_plan_free(plan);
}

/** Halton in base 2 fills every dyadic interval evenly, whatever the shift. */
static void test_halton_is_even(void **state)
{
    (void)state;
    eg_plan *plan = sample("count: 64, seed: 3, method: halton",
                           "optimizer.clip: {uniform: [0, 1]}, optimizer.lr: {uniform: [1, 2]}");
    int sixteenths[16] = {0};
    int ninths[9] = {0};
    for (size_t k = 0; k < 64; k++) {
        sixteenths[(size_t)(number(plan, k, "optimizer.clip") * 16)]++;
        ninths[(size_t)((number(plan, k, "optimizer.lr") - 1) * 9)]++;
    }
    for (size_t i = 0; i < 16; i++) {
        assert_in_range(sixteenths[i], 3, 5); /* 4, and one more or less at the ends of the run */
    }
    for (size_t i = 0; i < 9; i++) {
        assert_in_range(ninths[i], 5, 9);
    }
    eg_plan_free(plan);
}

static void test_sample_multiplies(void **state)
{
    (void)state;
    eg_plan *plan = plan_of("name: t\nseeds: 3\ngrid: {stream.epochs: [1, 2]}\n"
                            "sample: {count: 3, settings: {optimizer.lr: {uniform: [1, 2]},\n"
                            "  optimizer: {choice: [adagrad, sgd]}}}\n",
                            NULL);
    assert_int_equal(plan->point_count, 6);
    assert_string_equal(eg_test_value(plan, 0, "optimizer.lr"),
                        eg_test_value(plan, 3, "optimizer.lr"));
    eg_plan_free(plan);
}

/** Every box of 2^-a by 2^-b, a + b = 6, holds one of 64 draws, whatever digits the seed flips: a net
 *  (Sobol 1967). */
static void test_sobol_is_a_net(void **state)
{
    (void)state;
    eg_plan *plan = sample("count: 64, seed: 3, method: sobol",
                           "optimizer.clip: {uniform: [0, 1]}, optimizer.lr: {uniform: [1, 2]}");
    eg_plan *other = sample("count: 64, seed: 4, method: sobol",
                            "optimizer.clip: {uniform: [0, 1]}, optimizer.lr: {uniform: [1, 2]}");
    for (int a = 0; a <= 6; a++) {
        int boxes[64] = {0};
        for (size_t k = 0; k < 64; k++) {
            int row = (int)(number(plan, k, "optimizer.clip") * (1 << a));
            int column = (int)((number(plan, k, "optimizer.lr") - 1) * (1 << (6 - a)));
            boxes[(row << (6 - a)) + column]++;
        }
        for (int i = 0; i < 64; i++) {
            assert_int_equal(boxes[i], 1);
        }
    }
    assert_string_not_equal(eg_test_value(plan, 0, "optimizer.clip"),
                            eg_test_value(other, 0, "optimizer.clip"));
    /* The rule itself: draws 0 and 1 are the origin and the middle, with flipped digits. */
    uint64_t key = eg_hash64("3:optimizer.clip", 16);
    eg_rng rng = eg_rng_make(key, EG_PURPOSE_SOBOL, 0);
    uint32_t flips = eg_rng_u32(&rng) >> 2;
    for (uint32_t k = 0; k < 2; k++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%.12g", ((flips ^ (k << 29)) + 0.5) / (1 << 30));
        assert_string_equal(eg_test_value(plan, k, "optimizer.clip"), expected);
    }
    eg_plan_free(plan);
    eg_plan_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_linspace),
        cmocka_unit_test(test_logspace),
        cmocka_unit_test(test_prefix_property),
        cmocka_unit_test(test_random_draws_by_hand),
        cmocka_unit_test(test_draws_belong_to_settings),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_halton_is_even),
        cmocka_unit_test(test_sobol_is_a_net),
        cmocka_unit_test(test_sample_multiplies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
