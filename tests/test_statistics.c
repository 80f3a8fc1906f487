/** Means over seeds: hand-worked samples, Student's distribution against tables, what intervals cover. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "engram/random.h"
#include "engram/statistics.h"

#include <math.h>

static eg_sample sample_of(const double *values, size_t count)
{
    eg_sample sample = {0};
    for (size_t i = 0; i < count; i++) {
        eg_sample_add(&sample, values[i]);
    }
    return sample;
}

static void samples_give_mean_and_intervals(void **state)
{
    (void)state;
    static const double values[] = {1, 2, (double)NAN, 3, 6};
    eg_sample sample = sample_of(values, EG_COUNT(values));
    /* 1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9 = 14; t(0.975, 3) = 3.182446305283709 */
    assert_int_equal(sample.n, 4);
    assert_close(sample.mean, 3, 1e-15);
    assert_close(eg_sample_interval(&sample, EG_INTERVAL_STUDENT),
                 3.182446305283709 * sqrt(14.0 / 3) / 2, 1e-13);
    assert_close(eg_sample_interval(&sample, EG_INTERVAL_PAPER), 1.96 * sqrt(14.0 / 4) / 2, 1e-15);
    eg_sample one = sample_of(values, 1);
    for (int kind = 0; kind < EG_INTERVAL_COUNT; kind++) {
        assert_true(isnan(eg_sample_interval(&one, (eg_interval)kind)));
        assert_true(isnan(eg_sample_interval(&(eg_sample){0}, (eg_interval)kind)));
    }
}

/** Quantiles to 15 digits: ν = 1 is tan(0.475 π), ν = 2 is 0.95 / sqrt(2 · 0.975 · 0.025), the others of
 *  NIST's and R's tables. */
static void bounds_are_those_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        size_t freedom;
        double bound;
    } table[] = {
        {1, 12.706204736174698},    {2, 4.302652729749463},       {3, 3.182446305283709},
        {4, 2.776445105197793},     {5, 2.570581835636314},       {9, 2.262157162798205},
        {19, 2.0930240544083096},   {29, 2.0452296421327034},     {99, 1.9842169515864165},
        {1000, 1.9623390808264074}, {100000, 1.9599877075346093},
    };
    for (size_t i = 0; i < EG_COUNT(table); i++) {
        assert_close(eg_student_bound(0.05, table[i].freedom), table[i].bound, 1e-10);
        assert_close(eg_student_tail(table[i].bound, table[i].freedom), 0.05, 1e-10);
    }
    assert_close(eg_student_bound(0.01, 4), 4.604094871349993, 1e-10);
}

/** ν = 1: 1 - 2 atan(t) / π; ν = 2: 1 - t / sqrt(2 + t²). */
static void tails_have_closed_forms(void **state)
{
    (void)state;
    static const double values[] = {0, 1e-9, 0.01, 0.5, 1, 1.7, 3, 12, 400};
    for (size_t i = 0; i < EG_COUNT(values); i++) {
        double t = values[i];
        assert_close(eg_student_tail(t, 1), 1 - 2 * atan(t) / acos(-1.0), 1e-14);
        assert_close(eg_student_tail(-t, 2), 1 - t / sqrt(2 + t * t), 1e-14);
    }
    /* Small tails keep their digits: ν = 2, t = 1e5 is 2e-10 / 2 to the first order. */
    assert_true(fabs(eg_student_tail(1e5, 2) / 9.9999999985e-11 - 1) < 1e-10);
    assert_true(eg_student_tail((double)INFINITY, 3) == 0);
    assert_true(isnan(eg_student_tail((double)NAN, 3)));
    assert_true(isnan(eg_student_tail(1, 0)));
}

static void differences_are_tested_against_zero(void **state)
{
    (void)state;
    /* 1, 2, 3: mean 2, s = 1, t = 2 √3 with 2 degrees of freedom: p = 1 - t / sqrt(2 + t²) */
    static const double values[] = {1, 2, 3};
    eg_sample sample = sample_of(values, 3);
    assert_close(eg_sample_p(&sample), 1 - sqrt(12) / sqrt(14), 1e-14);
    static const double constant[] = {1, 1, 1};
    sample = sample_of(constant, 3);
    assert_true(isnan(eg_sample_p(&sample)));
    sample = sample_of(values, 1);
    assert_true(isnan(eg_sample_p(&sample)));
}

static void holm_multiplies_from_the_smallest(void **state)
{
    (void)state;
    /* Sorted: 0.01 · 3, then max(0.03, 0.02 · 2), then max(0.04, 0.03); NaN is no comparison. */
    double p[] = {0.03, (double)NAN, 0.01, 0.02};
    assert_ok(eg_holm(p, 4));
    assert_close(p[0], 0.04, 1e-15);
    assert_true(isnan(p[1]));
    assert_close(p[2], 0.03, 1e-15);
    assert_close(p[3], 0.04, 1e-15);
    double large[] = {0.9, 0.8};
    assert_ok(eg_holm(large, 2));
    assert_true(large[0] == 1 && large[1] == 1);
    assert_ok(eg_holm(large, 0));
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/** p of differences. */
static double signed_rank_p(const double *differences, size_t count)
{
    double p = -1;
    assert_ok(eg_signed_rank_p(&p, differences, count));
    assert_int_equal(eg_memory_live_blocks(), 0);
    return p;
}

static void signed_ranks_are_counted_over_all_signs(void **state)
{
    (void)state;
    static const double alike[] = {1, 2, 3, 4, 5};
    assert_close(signed_rank_p(alike, 5), 2.0 / 32, 1e-15);
    /* W = 2: the sets of ranks with a sum of 2 or less are {}, {1}, {2}: 2 * 3 / 2^5. */
    static const double one_less[] = {-1, 2, -3, -4, -5};
    assert_close(signed_rank_p(one_less, 5), 6.0 / 32, 1e-15);
    /* 0 is left out; ranks 1.5, 1.5, 3: W = 1.5, sums of 1.5 or less: {}, {1.5}, {1.5}. */
    static const double tied[] = {1, 0, -1, -2, (double)NAN};
    assert_close(signed_rank_p(tied, 5), 6.0 / 8, 1e-15);
    /* W in the middle: both tails have more than half. */
    static const double even[] = {1, 2, -3};
    assert_close(signed_rank_p(even, 3), 1, 1e-15);
    static const double zeros[] = {0, 0};
    assert_close(signed_rank_p(zeros, 2), 1, 0);
    assert_true(isnan(signed_rank_p(tied + 4, 1)));
    assert_true(isnan(signed_rank_p(tied, 0)));
}

/** Around the number of pairs beyond which the normal distribution stands in, both say the same. */
static void many_signed_ranks_are_about_normal(void **state)
{
    (void)state;
    enum { MANY = EG_SIGNED_RANK_EXACT + 1 };
    static double differences[MANY];
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < MANY; i++) {
        differences[i] = 0.05 + eg_rng_normal(&rng);
    }
    double exact = signed_rank_p(differences, MANY - 1);
    double normal = signed_rank_p(differences, MANY);
    assert_true(exact > 0.001 && exact < 0.999);
    assert_true(fabs(exact - normal) < 0.03);
    /* Of the same numbers, in closed form: n = 1001, all of one sign: z = sqrt(3 n (n+1) / (2 (2n+1))) */
    for (size_t i = 0; i < MANY; i++) {
        differences[i] = (double)(i + 1);
    }
    double n = MANY;
    double z = sqrt(3 * n * (n + 1) / (2 * (2 * n + 1)));
    assert_true(fabs(signed_rank_p(differences, MANY) / erfc(z / sqrt(2)) - 1) < 1e-9);
}

static void improvement_counts_pairs(void **state)
{
    (void)state;
    static const double first[] = {3, 1, (double)NAN};
    static const double second[] = {2, 1, 0};
    /* 3 is above all three, 1 above one and equal to one: 4.5 of 6. */
    assert_close(eg_improvement(first, 3, second, 3), 0.75, 1e-15);
    assert_close(eg_improvement(second, 3, first, 3), 0.25, 1e-15);
    assert_true(isnan(eg_improvement(first + 2, 1, second, 3)));
}

/** Share of `draws` samples of n standard normal values whose interval holds the mean, 0. */
static double coverage(size_t n, eg_interval interval, size_t draws)
{
    size_t inside = 0;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, n);
    for (size_t d = 0; d < draws; d++) {
        eg_sample sample = {0};
        for (size_t i = 0; i < n; i++) {
            eg_sample_add(&sample, eg_rng_normal(&rng));
        }
        inside += fabs(sample.mean) <= eg_sample_interval(&sample, interval);
    }
    return (double)inside / (double)draws;
}

static void student_covers_95_percent_and_the_papers_formula_does_not(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    static const size_t sizes[] = {2, 3, 5, 10};
    /* Of the paper's formula: P(|T| < 1.96 sqrt((n-1)/n)) with n - 1 degrees of freedom. */
    static const double paper[] = {0.602, 0.749, 0.846, 0.904};
    for (size_t i = 0; i < EG_COUNT(sizes); i++) {
        /* Four standard errors of a binomial share. */
        double bound = 4 * sqrt(0.95 * 0.05 / DRAWS);
        double student = coverage(sizes[i], EG_INTERVAL_STUDENT, DRAWS);
        double known = coverage(sizes[i], EG_INTERVAL_PAPER, DRAWS);
        print_message("n = %zu: student %.4f, paper %.4f\n", sizes[i], student, known);
        assert_true(fabs(student - 0.95) < bound);
        assert_true(fabs(known - paper[i]) < 4 * sqrt(paper[i] * (1 - paper[i]) / DRAWS) + 5e-4);
        assert_true(known < 0.95 - bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_give_mean_and_intervals),
        cmocka_unit_test(bounds_are_those_of_the_tables),
        cmocka_unit_test(tails_have_closed_forms),
        cmocka_unit_test(differences_are_tested_against_zero),
        cmocka_unit_test(holm_multiplies_from_the_smallest),
        cmocka_unit_test(signed_ranks_are_counted_over_all_signs),
        cmocka_unit_test(many_signed_ranks_are_about_normal),
        cmocka_unit_test(improvement_counts_pairs),
        cmocka_unit_test(student_covers_95_percent_and_the_papers_formula_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
