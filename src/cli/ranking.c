/** Ranking points by the mean over their seeds; see cli/ranking.h. */
#include "cli/ranking.h"

#include <math.h>
#include <stdlib.h>

void eg_tally_add(eg_tally *tally, double value)
{
    if (!isfinite(value)) {
        return;
    }
    tally->n++;
    double away = value - tally->mean;
    tally->mean += away / (double)tally->n;
    tally->squares += away * (value - tally->mean);
}

double eg_tally_interval(const eg_tally *tally)
{
    if (tally->n < 2) {
        return (double)NAN;
    }
    double n = (double)tally->n;
    return 1.96 * sqrt(tally->squares / n) / sqrt(n);
}

/** Negative if a ranks before b when small means are good. */
static int compare(const eg_tally *a, const eg_tally *b, double sign)
{
    if ((a->n == 0) != (b->n == 0)) {
        return a->n == 0 ? 1 : -1;
    }
    double first = sign * a->mean;
    double second = sign * b->mean;
    if (a->n > 0 && first != second) {
        return first < second ? -1 : 1;
    }
    return a->point < b->point ? -1 : a->point > b->point;
}

static int smallest_first(const void *a, const void *b)
{
    return compare(a, b, 1.0);
}

static int largest_first(const void *a, const void *b)
{
    return compare(a, b, -1.0);
}

void eg_tally_sort(eg_tally *tallies, size_t count, bool maximise)
{
    qsort(tallies, count, sizeof *tallies, maximise ? largest_first : smallest_first);
}

const eg_tally *eg_tally_best(const eg_tally *tallies, size_t count, bool maximise)
{
    const eg_tally *best = NULL;
    for (size_t i = 0; i < count; i++) {
        bool better = best == NULL || compare(&tallies[i], best, maximise ? -1.0 : 1.0) < 0;
        if (tallies[i].n > 0 && better) {
            best = &tallies[i];
        }
    }
    return best;
}
