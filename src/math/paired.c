/** Two samples on the same seeds: Wilcoxon's signed-rank test and the probability of improvement;
 *  see engram/statistics.h.
 *
 *  The sum W of the ranks of positive differences is, under the hypothesis, a sum of ranks each of
 *  which is there with probability 1/2. Its distribution after one more rank r is
 *      P'(W = w) = (P(W = w) + P(W = w − r)) / 2
 *  over sums of doubled ranks, which are integers also where equal |d| share a midrank. */
#include "engram/statistics.h"

#include "engram/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/** |d|, and whether d > 0. */
typedef struct size_and_sign {
    double size;
    bool positive;
    size_t doubled_rank;
} size_and_sign;

static int smallest_first(const void *a, const void *b)
{
    const size_and_sign *x = a;
    const size_and_sign *y = b;
    return x->size < y->size ? -1 : x->size > y->size;
}

/** Differences other than 0, with the doubled ranks of their sizes; *ties: Σ (t³ − t) over groups
 *  of t equal ones. */
static size_t rank_sizes(size_and_sign *out, const double *differences, size_t count, double *ties)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(differences[i]) && differences[i] != 0) {
            out[kept++] =
                (size_and_sign){.size = fabs(differences[i]), .positive = differences[i] > 0};
        }
    }
    qsort(out, kept, sizeof *out, smallest_first);
    *ties = 0;
    for (size_t first = 0; first < kept;) {
        size_t end = first + 1;
        while (end < kept && out[end].size == out[first].size) {
            end++;
        }
        for (size_t i = first; i < end; i++) {
            out[i].doubled_rank = first + end + 1; /* ranks first + 1 … end */
        }
        double group = (double)(end - first);
        *ties += group * group * group - group;
        first = end;
    }
    return kept;
}

static eg_status exact_p(double *out, const size_and_sign *items, size_t count, size_t w)
{
    size_t sums = count * (count + 1) + 1;
    double *probability = NULL;
    EG_TRY(eg_alloc(&probability, sums, sizeof *probability));
    probability[0] = 1;
    for (size_t i = 0; i < count; i++) {
        size_t rank = items[i].doubled_rank;
        for (size_t k = sums; k-- > 0;) {
            probability[k] = (probability[k] + (k >= rank ? probability[k - rank] : 0)) / 2;
        }
    }
    double below = 0;
    double above = 0;
    for (size_t k = 0; k < sums; k++) {
        below += k <= w ? probability[k] : 0;
        above += k >= w ? probability[k] : 0;
    }
    *out = fmin(1, 2 * fmin(below, above));
    eg_free(probability);
    return eg_ok();
}

/** W − n(n+1)/4 over its deviation, which ties make smaller. */
static double normal_p(size_t count, size_t w, double ties)
{
    double n = (double)count;
    double variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
    double z = ((double)w / 2 - n * (n + 1) / 4) / sqrt(variance);
    return erfc(fabs(z) / sqrt(2.0));
}

eg_status eg_signed_rank_p(double *out, const double *differences, size_t count)
{
    size_t numbers = 0;
    for (size_t i = 0; i < count; i++) {
        numbers += isfinite(differences[i]) ? 1 : 0;
    }
    size_and_sign *items = NULL;
    double ties = 0;
    *out = numbers > 0 ? 1 : (double)NAN;
    EG_TRY(eg_alloc(&items, count, sizeof *items));
    size_t kept = rank_sizes(items, differences, count, &ties);
    size_t w = 0;
    for (size_t i = 0; i < kept; i++) {
        w += items[i].positive ? items[i].doubled_rank : 0;
    }
    eg_status status = eg_ok();
    if (kept > EG_SIGNED_RANK_EXACT) {
        *out = normal_p(kept, w, ties);
    } else if (kept > 0) {
        status = exact_p(out, items, kept, w);
    }
    eg_free(items);
    return status;
}

double eg_improvement(const double *first, size_t first_count, const double *second,
                      size_t second_count)
{
    double better = 0;
    double compared = 0;
    for (size_t i = 0; i < first_count; i++) {
        for (size_t k = 0; k < second_count; k++) {
            bool both = isfinite(first[i]) && isfinite(second[k]);
            compared += both ? 1 : 0;
            better += both && first[i] > second[k] ? 1 : 0;
            better += both && first[i] == second[k] ? 0.5 : 0;
        }
    }
    return compared > 0 ? better / compared : (double)NAN;
}
