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

/** P(|T| >= |t|) for Student's T with `freedom` >= 1 degrees of freedom. */
double eg_student_tail(double t, size_t freedom);
/** The t with P(|T| >= t) = tail, for 0 < tail < 1. */
double eg_student_bound(double tail, size_t freedom);

/** Holm's step-down correction of p values [count] in place, for as many comparisons as are not
 *  NaN. */
eg_status eg_holm(double *p, size_t count) EG_WARN_UNUSED;

#endif
