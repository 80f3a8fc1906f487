/** Ranking points by the mean over their seeds. */
#ifndef CLI_RANKING_H
#define CLI_RANKING_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** What the finished trials of one point say, updated one by one (Welford's sums: exact enough for any
 *  number of seeds). */
typedef struct eg_tally {
    size_t point;
    size_t n;
    double mean, squares; /**< sum of squared deviations from the mean */
} eg_tally;

/** Values that are not finite do not count. */
void eg_tally_add(eg_tally *tally, double value);

/** Half width of the 95 % interval: 1.96 s / sqrt(n), s the population standard deviation (divisor
 *  n), as the Hard ASH paper reports it. NaN below two values. */
double eg_tally_interval(const eg_tally *tally);

/** Sorts: best mean first (largest if `maximise`), points without values last, ties by point. */
void eg_tally_sort(eg_tally *tallies, size_t count, bool maximise);

/** The best of `count` tallies, or NULL if none has a value. */
const eg_tally *eg_tally_best(const eg_tally *tallies, size_t count, bool maximise);

#endif
