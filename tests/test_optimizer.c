/** Optimizers and schedules: updates worked out by hand, clipping, divergence, saved state, memory. */
#include "optimizer_scene.h"
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>
#include <string.h>

/** Two updates of one weight that starts at 0, from gradients g: the weight after each. */
static void two_updates(const char *const *words, double g1, double g2, double w1, double w2)
{
    eg_optimizer *optimizer = optimizer_of(words, 1);
    eg_real w = 0;
    eg_real first = (eg_real)g1;
    eg_real second = (eg_real)g2;
    eg_optimizer_step(optimizer, &w, &first);
    assert_close((double)w, w1, 1e-6);
    eg_optimizer_step(optimizer, &w, &second);
    assert_close((double)w, w2, 1e-6);
    eg_optimizer_free(optimizer);
}

/* -0.1 * 2 = -0.2; + 0.1 * 3 = 0.1 */
static void sgd_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "0.1", NULL};
    two_updates(words, 2, -3, -0.2, 0.1);
}

/* m = 1, then 1 + 0.5 * 1 = 1.5 (not 0.5 + 0.5): -0.1, -0.25 */
static void sgdm_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgdm", "optimizer.lr", "0.1", "optimizer.beta",
                                 "0.5",       NULL};
    two_updates(words, 1, 1, -0.1, -0.25);
}

/* |(3, 4, 12)| = 13, bound 6.5: the gradient is halved (but for the 1e-6); within the bound it stays. */
static void bounded_norm_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "1", "optimizer.clip_norm",
                                 "6.5",       NULL};
    const char *const none[] = {"optimizer", "sgd", NULL};
    eg_real g[] = {3, 4, 12};
    eg_real small[] = {0, 2, 6};
    eg_real w[3] = {0};
    eg_optimizer *optimizer = optimizer_of(words, 3);
    assert_false(eg_optimizer_begin(optimizer, w, g, NULL)->updates);
    eg_optimizer_step(optimizer, w, g);
    assert_close((double)w[0], -1.5, 1e-6);
    assert_close((double)w[1], -2.0, 1e-6);
    assert_close((double)w[2], -6.0, 1e-6);
    memset(w, 0, sizeof w);
    eg_optimizer_step(optimizer, w, small);
    assert_true(w[1] == -2 && w[2] == -6);
    eg_optimizer_free(optimizer);
    optimizer = optimizer_of(none, 3);
    assert_true(eg_optimizer_begin(optimizer, w, g, NULL)->updates);
    eg_optimizer_free(optimizer);
}

/* s = 1e-6 + 1e-6 = 2e-6, u = -1e-3/sqrt(2e-6 + 1e-7) = -0.6900655593 (epsilon outside the root
 * would give -0.70706, a start at 0 -0.95346);  s = 6e-6, u = -2e-3/sqrt(6.1e-6) = -0.8097763302 */
static void adagrad_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "adagrad", "optimizer.lr", "1", NULL};
    two_updates(words, 1e-3, 2e-3, -0.6900655593, -0.6900655593 - 0.8097763302);
}

/* rho = 0.9: v = 0.1 * 1e-6 = 1e-7, u = -1e-3/sqrt(1e-7 + 1e-8) = -3.0151134458 (outside the root:
 * -3.16218; bias-corrected: -0.99504);  v = 0.9e-7 + 4e-7 = 4.9e-7, u = -2e-3/sqrt(5e-7)
 * = -2.8284271247 */
static void rmsprop_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "rmsprop", "optimizer.lr", "1", "optimizer.rho",
                                 "0.9",       NULL};
    two_updates(words, 1e-3, 2e-3, -3.0151134458, -3.0151134458 - 2.8284271247);
}

/* lr = 0.1, beta1 = 0.9, beta2 = 0.999. g = 2: m' = 2, v' = 4, u = -0.1.
 * g = -1: m = 0.9*0.2 - 0.1 = 0.08, m' = 0.08/0.19; v = 0.999*0.004 + 0.001 = 0.004996,
 * v' = 0.004996/0.001999; u = -0.1 m'/sqrt v' = -0.0266337038 */
static void adam_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {
        "optimizer", "adam", "optimizer.lr", "0.1", "optimizer.beta1", "0.9", "optimizer.beta2",
        "0.999",     NULL};
    two_updates(words, 2, -1, -0.1, -0.1266337038);
    /* Epsilon 1e-8 outside the root halves the update of g = 1e-8; inside it would be -1e-5. */
    eg_optimizer *optimizer = optimizer_of(words, 1);
    eg_real w = 0;
    eg_real tiny = (eg_real)1e-8;
    eg_optimizer_step(optimizer, &w, &tiny);
    assert_close((double)w, -0.05, 1e-6);
    eg_optimizer_free(optimizer);
}

/* m = 0.2, v = 0.004: u = -0.1 * 0.2/sqrt 0.004 = -0.3162277160;
 * m = 0.08, v = 0.004996: u = -0.1 * 0.08/sqrt 0.004996 = -0.1131823510 */
static void adam_without_bias_correction_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {
        "optimizer", "adam", "optimizer.lr", "0.1", "optimizer.bias_correction", "false", NULL};
    two_updates(words, 2, -1, -0.3162277160, -0.4294100670);
}

static double rate_of(const char *name, const double *p, uint64_t step, uint64_t epoch)
{
    const eg_schedule *schedule = (const eg_schedule *)eg_family_find(&eg_schedule_family, name);
    return schedule->rate(p, 0.8, &(eg_schedule_time){.step = step, .phase = 3, .epoch = epoch});
}

/* lr = 0.8, gamma = 0.5, period 10: after 5 updates 0.8 sqrt 0.5, after 10 0.4 */
static void schedules_by_hand(void **state)
{
    (void)state;
    const double smooth[] = {0.5, 10, 0};
    const double stairs[] = {0.5, 10, 1};
    assert_close(rate_of("constant", NULL, 1000, 7), 0.8, 0.0);
    assert_close(rate_of("exponential", smooth, 0, 7), 0.8, 1e-15);
    assert_close(rate_of("exponential", smooth, 5, 7), 0.5656854249492380, 1e-15);
    assert_close(rate_of("exponential", smooth, 10, 7), 0.4, 1e-15);
    assert_close(rate_of("exponential", stairs, 9, 7), 0.8, 1e-15);
    assert_close(rate_of("exponential", stairs, 10, 7), 0.4, 1e-15);
    assert_close(rate_of("exponential", stairs, 29, 7), 0.2, 1e-15);
    assert_close(rate_of("epochs", smooth, 29, 9), 0.8, 1e-15);
    assert_close(rate_of("epochs", smooth, 29, 10), 0.4, 1e-15);
    assert_close(rate_of("epochs", smooth, 29, 29), 0.2, 1e-15);
    const double milestones[] = {0.5, 3, 7, 0, 9};
    assert_close(rate_of("milestones", milestones, 29, 2), 0.8, 1e-15);
    assert_close(rate_of("milestones", milestones, 29, 3), 0.4, 1e-15);
    assert_close(rate_of("milestones", milestones, 29, 8), 0.2, 1e-15);
    assert_close(rate_of("milestones", milestones, 29, 9), 0.1, 1e-15);
}

/* lr = 0.8, period 4: 0.2, 0.4, 0.6, then 0.8; counted in the phase, or since the start. */
static void the_rate_rises_linearly(void **state)
{
    (void)state;
    const eg_schedule *schedule =
        (const eg_schedule *)eg_family_find(&eg_schedule_family, "linear_warmup");
    const double rates[] = {0.2, 0.4, 0.6, 0.8, 0.8, 0.8};
    for (uint64_t t = 0; t < EG_COUNT(rates); t++) {
        const eg_schedule_time phase = {.step = 100 + t, .phase = 1, .phase_step = t};
        const eg_schedule_time start = {.step = t, .phase = 1, .phase_step = 100 + t};
        assert_close(schedule->rate((const double[]){4, 0}, 0.8, &phase), rates[t], 1e-15);
        assert_close(schedule->rate((const double[]){4, 1}, 0.8, &start), rates[t], 1e-15);
    }
    assert_close(schedule->rate((const double[]){1, 0}, 0.8, &(eg_schedule_time){.step = 0}), 0.8,
                 0);
}

/* The first update has the full rate, the next half of it: -1, -1.5. */
static void the_schedule_is_applied(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer.lr",
                                 "1",
                                 "optimizer.schedule",
                                 "exponential",
                                 "optimizer.schedule.gamma",
                                 "0.5",
                                 "optimizer.schedule.period",
                                 "1",
                                 NULL};
    two_updates(words, 1, 1, -1.0, -1.5);
}

/* The update is clipped, not the gradient: lr g = 0.1 * 2 is cut to 0.05, 0.1 * 0.2 = 0.02 stays,
 * though 0.2 is above 0.05. */
static void the_update_is_clipped(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "0.1", "optimizer.clip",
                                 "0.05",      NULL};
    two_updates(words, 2, 0.2, -0.05, -0.07);
    two_updates(words, -2, -0.2, 0.05, 0.07);
}

static bool has_noise(const char *name)
{
    return ((const eg_optimizer_kind *)eg_family_find(&eg_optimizer_family, name))->draws != NULL;
}

/** Every optimizer with a rate so large that only the clip holds it, without noise. */
static eg_optimizer *clipped(const char *name, size_t n)
{
    const char *const words[] = {
        "optimizer", name, "optimizer.lr", "1000", "optimizer.clip", "0.01", "optimizer.sigma",
        "0",         NULL};
    const char *const others[] = {"optimizer", name, "optimizer.lr", "1000", "optimizer.clip",
                                  "0.01",      NULL};
    return optimizer_of(has_noise(name) ? words : others, n);
}

enum { N = 37 };

static void every_optimizer_is_clipped(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        eg_optimizer *optimizer = clipped(eg_optimizer_family.members[m]->name, N);
        eg_real w[N] = {0};
        eg_real g[N];
        eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, m);
        for (size_t i = 0; i < N; i++) {
            g[i] = i == 5 ? 0 : (eg_real)eg_rng_normal(&rng);
        }
        eg_optimizer_step(optimizer, w, g);
        for (size_t i = 0; i < N; i++) {
            double expected = i == 5 ? 0.0 : -copysign((double)(eg_real)0.01, (double)g[i]);
            assert_close((double)w[i], expected, 0.0);
        }
        eg_optimizer_free(optimizer);
    }
}

/* A bound must not turn a diverged training into one that looks healthy. */
static void clipping_does_not_hide_nan(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        eg_optimizer *optimizer = clipped(eg_optimizer_family.members[m]->name, N);
        eg_real w[N] = {0};
        eg_real g[N] = {0};
        g[3] = (eg_real)NAN;
        g[N - 1] = (eg_real)NAN;
        eg_optimizer_step(optimizer, w, g);
        for (size_t i = 0; i < N; i++) {
            bool bad = i == 3 || i == N - 1;
            assert_true(bad ? isnan(w[i]) : w[i] == 0);
        }
        eg_optimizer_free(optimizer);
    }
}

static void steps(eg_optimizer *optimizer, eg_real *w, uint64_t from, uint64_t to)
{
    for (uint64_t t = from; t < to; t++) {
        eg_real g[N];
        eg_rng rng = eg_rng_make(2, EG_PURPOSE_TEST, t);
        for (size_t i = 0; i < N; i++) {
            g[i] = (eg_real)eg_rng_normal(&rng);
        }
        eg_optimizer_step(optimizer, w, g);
    }
}

/* Saved after three updates and continued elsewhere: the same bits as without the interruption. */
static void saved_state_continues(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        const char *name = eg_optimizer_family.members[m]->name;
        eg_optimizer *first = decaying(name, N);
        eg_optimizer *second = decaying(name, N);
        eg_real w[N] = {0};
        eg_real other[N];
        eg_writer writer = {0};
        steps(first, w, 0, 3);
        memcpy(other, w, sizeof w);
        eg_optimizer_write(first, &writer);
        assert_ok(eg_writer_status(&writer));
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_ok(eg_optimizer_read(second, &reader));
        assert_ok(eg_reader_status(&reader, true));
        steps(first, w, 3, 6);
        steps(second, other, 3, 6);
        assert_memory_equal(w, other, sizeof w);
        eg_writer_clear(&writer);
        eg_optimizer_free(first);
        eg_optimizer_free(second);
    }
}

/* An update in pieces, in any order, is the same update. */
static void pieces_make_a_step(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        eg_optimizer *whole = decaying(eg_optimizer_family.members[m]->name, N);
        eg_optimizer *parts = decaying(eg_optimizer_family.members[m]->name, N);
        eg_real w[N] = {0};
        eg_real other[N] = {0};
        for (uint64_t t = 0; t < 3; t++) {
            eg_real g[N];
            eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, t);
            for (size_t i = 0; i < N; i++) {
                g[i] = (eg_real)eg_rng_normal(&rng);
            }
            eg_optimizer_step(whole, w, g);
            const eg_gradient_consumer *consumer = eg_optimizer_begin(parts, other, g, NULL);
            consumer->consume(consumer->user, 20, N - 20, g + 20);
            consumer->consume(consumer->user, 0, 20, g);
            eg_optimizer_end(parts);
        }
        assert_memory_equal(w, other, sizeof w);
        eg_optimizer_free(whole);
        eg_optimizer_free(parts);
    }
}

static void saved_state_that_does_not_fit(void **state)
{
    (void)state;
    eg_optimizer *adagrad = decaying("adagrad", N);
    eg_optimizer *adam = decaying("adam", N);
    eg_optimizer *smaller = decaying("adagrad", N - 1);
    eg_writer writer = {0};
    eg_optimizer_write(adagrad, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_optimizer_read(adam, &reader), EG_INVALID,
                 "saved state of optimizer \"adagrad\", expected \"adam\"");
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_optimizer_read(smaller, &reader), EG_INVALID,
                 "saved optimizer state has 37 numbers of 4 bytes, expected 36 of 4");
    for (size_t size = 0; size < writer.size; size++) {
        reader = eg_reader_make(writer.data, size);
        eg_status status = eg_optimizer_read(adagrad, &reader);
        assert_int_equal(status.code, EG_INVALID);
    }
    eg_writer_clear(&writer);
    eg_optimizer_free(adagrad);
    eg_optimizer_free(adam);
    eg_optimizer_free(smaller);
}

static void bad_settings(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    const char *const rate[] = {"optimizer.lr", "0", NULL};
    assert_fails(resolve(&settings, rate), EG_INVALID, "optimizer.lr");
    const char *const clip[] = {"optimizer.clip", "-1", NULL};
    assert_fails(resolve(&settings, clip), EG_INVALID, "optimizer.clip");
    const char *const gamma[] = {"optimizer.schedule", "exponential", "optimizer.schedule.gamma",
                                 "1.5", NULL};
    assert_fails(resolve(&settings, gamma), EG_INVALID, "optimizer.schedule.gamma");
    const char *const beta[] = {"optimizer", "adam", "optimizer.beta2", "1", NULL};
    assert_fails(resolve(&settings, beta), EG_INVALID, "optimizer.beta2");
    const char *const epsilon[] = {"optimizer", "adagrad", "optimizer.epsilon", "0", NULL};
    assert_fails(resolve(&settings, epsilon), EG_INVALID, "optimizer.epsilon");
}

static void out_of_memory(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "adam", NULL};
    eg_settings *settings = NULL;
    assert_ok(resolve(&settings, words));
    eg_view view = eg_settings_root(settings);
    size_t before = eg_memory_live_blocks();
    size_t failures = 0;
    eg_optimizer *optimizer = NULL;
    const eg_parameter_table table = table_of(N);
    while (optimizer == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_optimizer_create(&optimizer, &view, &table, false, 1);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(optimizer);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_int_equal(failures, 3); /* the object and two state arrays */
    eg_optimizer_free(optimizer);
    eg_optimizer_free(NULL);
    assert_int_equal(eg_memory_live_blocks(), before);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_by_hand),
        cmocka_unit_test(sgdm_by_hand),
        cmocka_unit_test(bounded_norm_by_hand),
        cmocka_unit_test(adagrad_by_hand),
        cmocka_unit_test(rmsprop_by_hand),
        cmocka_unit_test(adam_by_hand),
        cmocka_unit_test(adam_without_bias_correction_by_hand),
        cmocka_unit_test(schedules_by_hand),
        cmocka_unit_test(the_rate_rises_linearly),
        cmocka_unit_test(the_schedule_is_applied),
        cmocka_unit_test(the_update_is_clipped),
        cmocka_unit_test(every_optimizer_is_clipped),
        cmocka_unit_test(clipping_does_not_hide_nan),
        cmocka_unit_test(saved_state_continues),
        cmocka_unit_test(pieces_make_a_step),
        cmocka_unit_test(saved_state_that_does_not_fit),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
