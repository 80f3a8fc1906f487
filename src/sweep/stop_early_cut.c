/** Early cut: a point whose first few seeds do badly gets no further ones.
 *
 *  The decision looks at the replicates with the smallest indices, not at those that happened to finish first, so
 *  it is the same for any number of ranks and any order. A diverged trial counts with the objective it
 *  recorded (chance accuracy). A failed one has no objective: then there is no decision, and the other
 *  replicates run. */
#include "sweep/stop_rules.h"

#include <math.h>

enum { AFTER, BELOW };

static const eg_param params[] = {
    [AFTER] = {.name = "after",
               .type = EG_TYPE_INT,
               .fallback = "2",
               .min = 1,
               .max = EG_STOP_REPLICATES_MAX,
               .unit = "seeds",
               .doc = "decide once this many seeds are finished, by replicate index"},
    [BELOW] = {.name = "below",
               .type = EG_TYPE_REAL,
               .doc = "cut if their mean objective is below this (above it when minimising)"},
};

static size_t needs(const double *p)
{
    return (size_t)p[AFTER];
}

static bool finished(const eg_outcome *outcome)
{
    return (outcome->status == EG_TRIAL_DONE || outcome->status == EG_TRIAL_DIVERGED) &&
           isfinite(outcome->objective);
}

static size_t keep(const double *p, double sign, const eg_outcome *replicates, size_t count)
{
    size_t after = needs(p);
    if (count < after) {
        return SIZE_MAX;
    }
    double sum = 0;
    for (size_t i = 0; i < after; i++) {
        if (!finished(&replicates[i])) {
            return SIZE_MAX;
        }
        sum += replicates[i].objective;
    }
    return sign * (sum / (double)after) < sign * p[BELOW] ? after : SIZE_MAX;
}

const eg_stop_kind eg_stop_early_cut = {
    .component =
        {.name = "early_cut",
         .doc = "skips a point's later seeds when the mean objective of its first `after` seeds "
                "is below `below`",
         .source = "Keskinen 2024, arXiv 2404.17651: there after = 2, below = 0.65",
         .params = params,
         .param_count = EG_COUNT(params)},
    .keep = keep,
    .needs = needs,
};
