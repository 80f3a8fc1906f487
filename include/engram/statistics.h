/** Statistics of a sample of seeds: mean, interval, paired comparison.
 *
 *  Notation: n values x_i with mean m; s² = Σ (x_i − m)² / (n − 1); t_{q,ν} is the q quantile of
 *  Student's distribution with ν degrees of freedom. */
#ifndef ENGRAM_STATISTICS_H
#define ENGRAM_STATISTICS_H

#include "engram/status.h"

#include <stddef.h>

/** A sample, updated value by value (Welford's sums: exact enough for any number of seeds). Starts
 *  as {0}. */
typedef struct eg_sample {
    size_t n;
    double mean;
    double squares; /**< Σ (x_i − mean)² */
} eg_sample;

/** Values that are not finite do not count. */
void eg_sample_add(eg_sample *sample, double value);

/** What is written behind "±". */
typedef enum eg_interval {
    /** t_{0.975,n−1} · s / √n: covers the mean of normal values in 95 % of samples, for every n. */
    EG_INTERVAL_STUDENT,
    /** 1.96 · s_pop / √n, s_pop with divisor n, as the Hard ASH paper reports it. Of normal values
     *  it covers 60 % at n = 2, 75 % at 3, 85 % at 5: for comparison with that paper only. */
    EG_INTERVAL_PAPER,
} eg_interval;
#define EG_INTERVAL_COUNT 2

/** "student", "paper"; and the formula in words, for headings. */
const char *eg_interval_name(eg_interval interval);
const char *eg_interval_formula(eg_interval interval);

/** Half width of the interval around the mean; NaN below two values. */
double eg_sample_interval(const eg_sample *sample, eg_interval interval);

/** Two-sided p value of the one-sample t test of mean 0; of differences within pairs, the paired t
 *  test. NaN below two values, and where they do not vary. */
double eg_sample_p(const eg_sample *sample);

/** Pairs up to which eg_signed_rank_p is exact. */
#define EG_SIGNED_RANK_EXACT 1000

/** Two-sided p value of Wilcoxon's signed-rank test (1945) that the differences [count] within
 *  pairs are symmetric about 0: min(1, 2 min(P(W <= w), P(W >= w))), with W the sum of the ranks by
 *  |d| of the positive ones. Differences of 0 are left out, equal |d| share midranks; the
 *  distribution is that of all 2^n signs, exactly, and beyond EG_SIGNED_RANK_EXACT differences the
 *  normal one with correction for ties. Not below 2 / 2^n: at n = 5 0.0625. *out = 1 if all
 *  differences are 0, NaN if there is none; what is not finite does not count. Errors:
 *  EG_MEMORY. */
eg_status eg_signed_rank_p(double *out, const double *differences, size_t count) EG_WARN_UNUSED;

/** The share of pairs (x, y) of values of two samples with x > y, and half of those with x = y: the
 *  probability of improvement (Agarwal et al. 2021), Mann and Whitney's U / (n m). What is not
 *  finite does not count; NaN if nothing is left. */
double eg_improvement(const double *first, size_t first_count, const double *second,
                      size_t second_count);

/** P(|T| >= |t|) for Student's T with `freedom` >= 1 degrees of freedom. */
double eg_student_tail(double t, size_t freedom);
/** The t with P(|T| >= t) = tail, for 0 < tail < 1. */
double eg_student_bound(double tail, size_t freedom);

/** Holm's step-down correction of p values [count] in place, for as many comparisons as are not
 *  NaN. */
eg_status eg_holm(double *p, size_t count) EG_WARN_UNUSED;

#endif
