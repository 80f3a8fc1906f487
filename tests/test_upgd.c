/** UPGD: updates worked out by hand, its noise, utilities that say nothing, what survives. */
#include "optimizer_scene.h"
#include "testing.h"

#include "engram/random.h"
#include "math/shared/normals.h"

#include <math.h>
#include <string.h>

enum { SEED = 1 }; /* of optimizer_scene.h */

#define UPGD "optimizer", "upgd", "optimizer.lr", "0.1", "optimizer.beta", "0.9"
#define DECAY "optimizer.weight_decay", "0.01", "optimizer.decay", "decoupled"
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const eg_real start[3] = {(eg_real)0.5, (eg_real)-0.2, (eg_real)0.1};

static void step(eg_optimizer *optimizer, eg_real *w, double a, double b, double c)
{
    eg_real g[3] = {(eg_real)a, (eg_real)b, (eg_real)c};
    eg_optimizer_step(optimizer, w, g);
}

static void assert_three(const eg_real *w, double a, double b, double c)
{
    assert_close((double)w[0], a, 1e-6);
    assert_close((double)w[1], b, 1e-6);
    assert_close((double)w[2], c, 1e-6);
}

/* U 0.05, 0.01, -0.002 after the first update. With eta as the program has it r = 10, 2, -0.4, then
 * 5.2631579, 4.0574167, -0.0087247; as the paper has it 1, 0.2, -0.04, then 1, 0.8400943, -0.0002506. */
static void global_by_hand(void **state)
{
    (void)state;
    eg_real w[3];
    eg_optimizer *trace = optimizer_of(WORDS(UPGD, DECAY, "optimizer.sigma", "0"), 3);
    memcpy(w, start, sizeof w);
    step(trace, w, -1, 0.5, 0.2);
    assert_three(w, 0.4995045, -0.2057601, 0.0879262);
    step(trace, w, 0.4, 0.5, -0.2);
    assert_three(w, 0.4987989, -0.2064044, 0.0978819);
    eg_optimizer_free(trace);
    eg_optimizer *corrected =
        optimizer_of(WORDS(UPGD, DECAY, "optimizer.sigma", "0", "optimizer.eta", "corrected"), 3);
    memcpy(w, start, sizeof w);
    step(corrected, w, -1, 0.5, 0.2);
    assert_three(w, 0.5263941, -0.2223083, 0.0897000);
    step(corrected, w, 0.4, 0.5, -0.2);
    assert_three(w, 0.5151101, -0.2371617, 0.0996116);
    eg_optimizer_free(corrected);
    eg_optimizer *twice =
        optimizer_of(WORDS(UPGD, DECAY, "optimizer.sigma", "0", "optimizer.kappa", "2"), 3);
    memcpy(w, start, sizeof w);
    step(twice, w, -1, 0.5, 0.2);
    assert_three(w, 0.4995091, -0.2117203, 0.0759525);
    eg_optimizer_free(twice);
}

/* Its own rows: norms 0.5099020 and 0.1216553. */
static void local_by_hand(void **state)
{
    (void)state;
    const double expected[] = {0.5267777, -0.2223564, 0.0890799, 0.3105650};
    /* In rows; in panels of two units, input after input; in wide panels, on both sides of a group of lanes. */
    enum { FORMS = 3, MOST = 2 * 100 };
    static const struct {
        size_t lanes, count, units, place[4];
    } forms[FORMS] = {
        {1, 4, 2, {0, 1, 2, 3}}, {2, 4, 2, {0, 2, 1, 3}}, {100, 200, 80, {63, 163, 64, 164}}};
    const eg_real w0[] = {(eg_real)0.5, (eg_real)-0.2, (eg_real)0.1, (eg_real)0.3};
    const eg_real g0[] = {-1, (eg_real)0.5, (eg_real)0.2, (eg_real)-0.4};
    for (size_t f = 0; f < FORMS; f++) {
        eg_parameter_block block = {.name = "w",
                                    .count = forms[f].count,
                                    .units = forms[f].units,
                                    .fan_in = 2,
                                    .lanes = forms[f].lanes};
        const eg_parameter_table table = {
            .count = forms[f].count, .block_count = 1, .blocks = &block};
        eg_optimizer *local = optimizer_for(
            WORDS(UPGD, DECAY, "optimizer.sigma", "0", "optimizer.utility", "local"), &table);
        eg_real w[MOST] = {0};
        eg_real g[MOST] = {0};
        for (size_t i = 0; i < 4; i++) {
            w[forms[f].place[i]] = w0[i];
            g[forms[f].place[i]] = g0[i];
        }
        eg_optimizer_step(local, w, g);
        for (size_t i = 0; i < 4; i++) {
            assert_close((double)w[forms[f].place[i]], expected[i], 1e-6);
        }
        eg_optimizer_free(local);
    }
}

/* The biases of a layer are one row: U = 0.03, 0.04, r = 0.6, 0.8. */
static void biases_are_one_row(void **state)
{
    (void)state;
    eg_parameter_block block = {
        .name = "b", .role = EG_ROLE_BIAS, .count = 2, .units = 2, .fan_in = 1, .lanes = 2};
    const eg_parameter_table table = {.count = 2, .block_count = 1, .blocks = &block};
    eg_optimizer *local =
        optimizer_for(WORDS(UPGD, "optimizer.sigma", "0", "optimizer.utility", "local"), &table);
    eg_real w[] = {1, 1};
    eg_real g[] = {(eg_real)-0.3, (eg_real)-0.4};
    eg_optimizer_step(local, w, g);
    assert_close((double)w[0], 1 + 0.03 / (1 + exp(0.6)), 1e-6);
    assert_close((double)w[1], 1 + 0.04 / (1 + exp(0.8)), 1e-6);
    eg_optimizer_free(local);
}

/* One update of the example by its formula in double, with noise xi. */
static double noisy(size_t i, bool protects, double xi)
{
    const double g[] = {-1, 0.5, 0.2};
    const double r[] = {10, 2, -0.4};
    double free = 1 / (1 + exp(r[i]));
    double u = protects ? (g[i] + xi) * free : g[i] + xi * free;
    return 0.999 * (double)start[i] - 0.1 * u;
}

/* The formula gives the published numbers for noise 0.3, -0.1, 0.2; the optimizer follows it with the noise
 * that it draws. */
static void noise_by_hand(void **state)
{
    (void)state;
    const double xi[] = {0.3, -0.1, 0.2};
    const double protecting[] = {0.4995032, -0.2045681, 0.0759525};
    const double others[] = {0.5994986, -0.2486080, 0.0679262};
    for (size_t i = 0; i < 3; i++) {
        assert_close(noisy(i, true, xi[i]), protecting[i], 1e-7);
        assert_close(noisy(i, false, xi[i]), others[i], 1e-7);
    }
    eg_real drawn[3];
    eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_UPDATE, 0);
    eg_normals(eg_rng_u64(&rng), EG_PURPOSE_UPDATE, 1, 3, drawn);
    for (int form = 0; form < 2; form++) {
        bool protects = form == 0;
        eg_optimizer *optimizer =
            optimizer_of(WORDS(UPGD, DECAY, "optimizer.sigma", "0.2", "optimizer.protecting",
                               protects ? "true" : "false"),
                         3);
        eg_real w[3];
        memcpy(w, start, sizeof w);
        step(optimizer, w, -1, 0.5, 0.2);
        for (size_t i = 0; i < 3; i++) {
            assert_close((double)w[i], noisy(i, protects, 0.2 * (double)drawn[i]), 1e-6);
            assert_true(fabs((double)w[i] - noisy(i, protects, 0)) > 1e-6 || i == 0);
        }
        eg_optimizer_free(optimizer);
    }
}

/* Noise of 5000 updates of one weight without gradient, which moves by lr xi/2: standard deviation 0.05, no
 * correlation from one to the next; other numbers in the next phase, though it counts from 1 again. */
static void noise_is_fresh(void **state)
{
    (void)state;
    enum { UPDATES = 5000 };
    eg_optimizer *optimizer =
        optimizer_of(WORDS("optimizer", "upgd", "optimizer.lr", "1", "optimizer.sigma", "0.1",
                           "optimizer.restart", "phase"),
                     1);
    eg_real first[2];
    for (size_t phase = 0; phase < 2; phase++) {
        double squares = 0;
        double products = 0;
        double last = 0;
        eg_optimizer_begin_phase(optimizer, phase, 1);
        for (size_t t = 0; t < UPDATES; t++) {
            eg_real w = 0;
            eg_real g = 0;
            eg_optimizer_step(optimizer, &w, &g);
            first[phase] = t == 0 ? w : first[phase];
            squares += (double)(w * w);
            products += (double)w * last;
            last = (double)w;
        }
        assert_close(sqrt(squares / UPDATES), 0.05, 0.002);
        assert_close(products / squares, 0, 0.05);
    }
    assert_true(first[0] != first[1]);
    eg_optimizer_free(optimizer);
}

/* Lanes of a panel that have no unit stay 0: three units in panels of two, two inputs; their biases. */
static void padding_stays_zero(void **state)
{
    (void)state;
    eg_parameter_block blocks[] = {
        {.name = "w", .count = 8, .units = 3, .fan_in = 2, .lanes = 2},
        {.name = "b",
         .role = EG_ROLE_BIAS,
         .offset = 8,
         .count = 4,
         .units = 3,
         .fan_in = 1,
         .lanes = 2},
    };
    const eg_parameter_table table = {.count = 12, .block_count = 2, .blocks = blocks};
    for (int form = 0; form < 2; form++) {
        eg_optimizer *optimizer = optimizer_for(
            WORDS(UPGD, DECAY, "optimizer.utility", form == 0 ? "global" : "local"), &table);
        eg_real w[12] = {0};
        for (int t = 0; t < 3; t++) {
            eg_real g[12] = {0};
            eg_optimizer_step(optimizer, w, g);
        }
        for (size_t i = 0; i < 12; i++) {
            bool padding = i == 5 || i == 7 || i == 11;
            assert_true(padding ? w[i] == 0 : w[i] != 0);
        }
        eg_optimizer_free(optimizer);
    }
}

/* No gradient: eta is 0, all r are 0 and nothing is NaN. Harmful parameters only: eta < 0, the same. */
static void without_a_useful_parameter_gates_are_half_open(void **state)
{
    (void)state;
    eg_real w[3];
    eg_optimizer *optimizer = optimizer_of(WORDS(UPGD, "optimizer.sigma", "0"), 3);
    memcpy(w, start, sizeof w);
    step(optimizer, w, 0, 0, 0);
    assert_three(w, 0.5, -0.2, 0.1);
    eg_optimizer_free(optimizer);
    optimizer = optimizer_of(WORDS(UPGD, "optimizer.sigma", "0"), 3);
    step(optimizer, w, 1, -1, 2);
    assert_three(w, 0.45, -0.15, 0);
    eg_optimizer_free(optimizer);
}

/* beta = 0: an infinite utility does not stay. */
static void no_memory(void **state)
{
    (void)state;
    eg_real w[2] = {1, 1};
    eg_real g[2] = {0, -INFINITY};
    eg_optimizer *optimizer =
        optimizer_of(WORDS("optimizer", "upgd", "optimizer.beta", "0", "optimizer.sigma", "0"), 2);
    eg_optimizer_step(optimizer, w, g);
    w[0] = 1;
    w[1] = 1;
    g[0] = -1;
    g[1] = -2;
    eg_optimizer_step(optimizer, w, g);
    assert_close((double)w[0], 1 + 1e-3 / (1 + exp(0.5)), 1e-6);
    assert_close((double)w[1], 1 + 2e-3 / (1 + exp(1)), 1e-6);
    eg_optimizer_free(optimizer);
}

/* What its authors publish for others, at (alpha, lambda), is what they used themselves, at (2 alpha,
 * lambda/2): 100 updates. */
static void two_programs_are_one(void **state)
{
    (void)state;
    enum { N = 7 };
    eg_optimizer *published =
        optimizer_of(WORDS("optimizer", "upgd", "optimizer.lr", "0.01", "optimizer.kappa", "2",
                           "optimizer.weight_decay", "0.1", "optimizer.decay", "decoupled"),
                     N);
    eg_optimizer *used =
        optimizer_of(WORDS("optimizer", "upgd", "optimizer.lr", "0.02", "optimizer.weight_decay",
                           "0.05", "optimizer.decay", "decoupled"),
                     N);
    eg_real a[N];
    eg_real b[N];
    for (size_t i = 0; i < N; i++) {
        a[i] = b[i] = (eg_real)i / 4;
    }
    for (uint64_t t = 0; t < 100; t++) {
        eg_real g[N];
        eg_real h[N];
        eg_rng rng = eg_rng_make(5, EG_PURPOSE_TEST, t);
        for (size_t i = 0; i < N; i++) {
            g[i] = h[i] = (eg_real)eg_rng_normal(&rng) + a[i];
        }
        eg_optimizer_step(published, a, g);
        eg_optimizer_step(used, b, h);
    }
    for (size_t i = 0; i < N; i++) {
        assert_close((double)a[i], (double)b[i], 1e-6);
    }
    eg_optimizer_free(published);
    eg_optimizer_free(used);
}

/* A unit that is replaced starts with no utility: as in the first update but for what the others have. */
static void a_replaced_parameter_has_no_utility(void **state)
{
    (void)state;
    eg_real w[2] = {1, 1};
    eg_real g[2] = {-1, -1};
    eg_optimizer *optimizer = optimizer_of(WORDS(UPGD, "optimizer.sigma", "0"), 2);
    eg_optimizer_step(optimizer, w, g);
    eg_optimizer_reset(optimizer, 1, 1, 1);
    w[0] = w[1] = 1;
    g[0] = g[1] = 0;
    eg_optimizer_step(optimizer, w, g);
    g[1] = -1;
    g[0] = 0;
    w[1] = 1;
    eg_optimizer_step(optimizer, w, g);
    /* U = 0.1 0.9 0.9 and 0.1; c = 1/(1 - 0.729): r = 0.1 c/0.1 */
    assert_close((double)w[1], 1 + 0.1 / (1 + exp(1 / 0.271)), 1e-6);
    eg_optimizer_free(optimizer);
}

/* The bound on the norm, what a learner adds and coupled decay are part of the gradient of the utility. */
static void the_gradient_is_whole(void **state)
{
    (void)state;
    eg_real w[3];
    eg_real other[3];
    const eg_real anchor[3] = {(eg_real)0.1, 0, (eg_real)-0.3};
    const eg_penalty penalty = {.strength = (eg_real)0.5, .anchor = anchor};
    const eg_update_terms terms = {.penalty = &penalty};
    eg_optimizer *here =
        optimizer_of(WORDS(UPGD, "optimizer.clip_norm", "0.5", "optimizer.weight_decay", "0.3"), 3);
    eg_optimizer *there = optimizer_of(WORDS(UPGD), 3);
    eg_real g[3] = {-1, (eg_real)0.5, (eg_real)0.2};
    eg_real h[3];
    double squares = 0;
    memcpy(w, start, sizeof w);
    memcpy(other, start, sizeof other);
    for (size_t i = 0; i < 3; i++) {
        h[i] = g[i] + (eg_real)0.5 * (w[i] - anchor[i]);
        squares += (double)(h[i] * h[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        h[i] = h[i] * (eg_real)(0.5 / sqrt(squares)) + (eg_real)0.3 * w[i];
    }
    const eg_gradient_consumer *consumer = eg_optimizer_begin(here, w, g, &terms);
    assert_false(consumer->updates);
    consumer->consume(consumer->user, 1, 2, g + 1);
    consumer->consume(consumer->user, 0, 1, g);
    eg_optimizer_end(here);
    eg_optimizer_step(there, other, h);
    assert_three(w, (double)other[0], (double)other[1], (double)other[2]);
    eg_optimizer_free(here);
    eg_optimizer_free(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(global_by_hand),
        cmocka_unit_test(local_by_hand),
        cmocka_unit_test(biases_are_one_row),
        cmocka_unit_test(noise_by_hand),
        cmocka_unit_test(noise_is_fresh),
        cmocka_unit_test(padding_stays_zero),
        cmocka_unit_test(without_a_useful_parameter_gates_are_half_open),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(two_programs_are_one),
        cmocka_unit_test(a_replaced_parameter_has_no_utility),
        cmocka_unit_test(the_gradient_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
