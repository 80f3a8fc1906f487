/** Cohorts: points that a rule compares with each other, fixed by the plan. They are the points n
 *  apart, because neighbours in the plan have most settings in common. */
#include "sweep/stop_cohort.h"

#include <stdlib.h>

size_t eg_cohort_count(const double *p, const eg_plan *plan)
{
    size_t size = (size_t)p[EG_HALVING_COHORT];
    return (plan->compared_count + size - 1) / size;
}

size_t eg_cohort_of(const double *p, const eg_plan *plan, size_t point,
                    eg_rung_entry entries[EG_COHORT_MAX])
{
    size_t n = eg_cohort_count(p, plan);
    size_t count = 0;
    for (size_t q = point % n; q < plan->compared_count; q += n) {
        entries[count++] = (eg_rung_entry){.point = q};
    }
    return count;
}

bool eg_cohort_shared(const double *p, const eg_plan *plan, size_t a, size_t b)
{
    size_t n = eg_cohort_count(p, plan);
    return a % n == b % n;
}

static int better_first(const void *a, const void *b)
{
    const eg_rung_entry *x = a;
    const eg_rung_entry *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->point < y->point ? -1 : 1;
}

void eg_cohort_sort(eg_rung_entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, better_first);
}

size_t eg_cohort_kept(const double *p, size_t count)
{
    size_t eta = (size_t)p[EG_HALVING_ETA];
    return (count + eta - 1) / eta;
}

size_t eg_cohort_place(const eg_rung_entry *entries, size_t count, size_t point)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].point == point) {
            return i;
        }
    }
    return SIZE_MAX;
}

double eg_cohort_share(const double *p, const eg_plan *plan, size_t length)
{
    size_t n = eg_cohort_count(p, plan);
    double work = 0;
    for (size_t group = 0; group < n; group++) {
        size_t entries = (plan->compared_count - group + n - 1) / n;
        size_t before = 0;
        size_t rung = (size_t)p[EG_HALVING_FIRST];
        while (before < length) {
            size_t until = rung < length ? rung : length;
            work += (double)entries * (double)(until - before);
            entries = eg_cohort_kept(p, entries);
            before = until;
            rung *= (size_t)p[EG_HALVING_ETA];
        }
    }
    return work / ((double)plan->compared_count * (double)length);
}
