/** Means over seeds and what may be said of them; see engram/statistics.h. */
#include "engram/statistics.h"

#include "engram/memory.h"

#include <math.h>
#include <stdlib.h>

static const double tail_of_95_percent = 0.05;

void eg_sample_add(eg_sample *sample, double value)
{
    if (!isfinite(value)) {
        return;
    }
    sample->n++;
    double away = value - sample->mean;
    sample->mean += away / (double)sample->n;
    sample->squares += away * (value - sample->mean);
}

const char *eg_interval_name(eg_interval interval)
{
    static const char *const names[EG_INTERVAL_COUNT] = {"student", "paper"};
    return names[interval];
}

const char *eg_interval_formula(eg_interval interval)
{
    static const char *const formulas[EG_INTERVAL_COUNT] = {
        "t(0.975, n-1) s/sqrt(n), s with divisor n-1 (95 % Student interval)",
        "1.96 s/sqrt(n), s with divisor n (formula of the Hard ASH paper; covers less than 95 %)"};
    return formulas[interval];
}

/** s / √n, s with divisor n − 1. */
static double standard_error(const eg_sample *sample)
{
    double n = (double)sample->n;
    return sqrt(sample->squares / (n - 1) / n);
}

double eg_sample_interval(const eg_sample *sample, eg_interval interval)
{
    if (sample->n < 2) {
        return (double)NAN;
    }
    if (interval == EG_INTERVAL_PAPER) {
        double n = (double)sample->n;
        return 1.96 * sqrt(sample->squares / n) / sqrt(n);
    }
    return eg_student_bound(tail_of_95_percent, sample->n - 1) * standard_error(sample);
}

double eg_sample_p(const eg_sample *sample)
{
    if (sample->n < 2 || !(sample->squares > 0)) {
        return (double)NAN;
    }
    return eg_student_tail(sample->mean / standard_error(sample), sample->n - 1);
}

typedef struct test {
    double p;
    size_t place;
} test;

static int smallest_first(const void *a, const void *b)
{
    const test *x = a;
    const test *y = b;
    return x->p < y->p ? -1 : x->p > y->p;
}

eg_status eg_holm(double *p, size_t count)
{
    test *tests = NULL;
    size_t made = 0;
    EG_TRY(eg_alloc(&tests, count, sizeof *tests));
    for (size_t i = 0; i < count; i++) {
        if (!isnan(p[i])) {
            tests[made++] = (test){.p = p[i], .place = i};
        }
    }
    qsort(tests, made, sizeof *tests, smallest_first);
    double largest = 0; /* so far: corrected values keep the order */
    for (size_t k = 0; k < made; k++) {
        largest = fmax(largest, fmin(1, tests[k].p * (double)(made - k)));
        p[tests[k].place] = largest;
    }
    eg_free(tests);
    return eg_ok();
}
